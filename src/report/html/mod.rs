//! The report as a page for a browser, `-o run.html`: one file, which asks no network for
//! anything and can be read without its script (that only shows the figures under the pointer).
//!
//! A view of the document and of nothing else. Each figure stands in a `data` element with the
//! document's own value and where in the document it is, so that a reader, or a test, can compare
//! them; what is shown is that value rounded for people.

pub mod ab;
mod beside;
pub mod ceiling;
mod changes;
mod charts;
pub mod compare;
mod figure;
mod frame;
mod grade;
mod groups;
mod head;
pub mod ladder;
mod latency;
mod load;
mod names;
mod profile;
mod readings;
mod slowest;
mod soak;
pub mod suite;
pub mod trend;
mod trouble;
pub mod versus;
mod words;

use std::path::Path;

use maud::{PreEscaped, html};

use super::{Document, staged};
use crate::error::Result;

/// Shows the interval under the pointer. It reads the table of intervals, and changes no figure.
const HOVER: &str = include_str!("hover.js");

pub fn save(document: &Document, path: &Path) -> Result<()> {
    staged::save(path, page(document).as_bytes())
}

/// The whole file.
pub fn page(document: &Document) -> String {
    let body = html! {
        main {
            (head::verdict(document))
            (head::thresholds(document))
            (soak::soak(document))
            (load::headline(document))
            (grade::rating(document))
            (trouble::warnings(document))
            (grade::advice(document))
            (head::what_ran(document))
            (load::rates(document))
            (latency::table(document))
            (charts::charts(document))
            (readings::readings(document))
            (load::stages(document))
            (names::names(document))
            (groups::groups(document))
            (trouble::errors(document))
            (slowest::slowest(document))
            (load::connections(document))
            (load::client(document))
            (beside::server(document))
            (profile::profile(document))
            (beside::host(document))
            (trouble::audit(document))
            (charts::intervals(document))
            (words::explained(document))
        }
        script { (PreEscaped(HOVER)) }
    };
    frame::framed(&document.plan.url, &document.blast_version, &body)
}

#[cfg(test)]
mod study;
#[cfg(test)]
pub mod tests;
