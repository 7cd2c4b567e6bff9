//! The page: one screen of text, the verdict first.
//!
//! A view of the document and of nothing else, so that a stored run prints the same page. Text of
//! the page is for people and may change; what scripts read is the JSON, and the last two lines,
//! which are wrk's to the character.

pub mod ab;
pub mod calibration;
pub mod ceiling;
pub mod checkup;
pub mod compare;
pub mod ladder;
pub mod suite;
pub mod trend;
pub mod versus;

mod backfill;
mod beside;
pub(super) mod errors;
pub(super) mod examples;
mod grade;
mod groups;
pub(super) mod head;
mod host;
mod log;
mod names;
pub mod profile;
pub(super) mod rules;
pub(super) mod slowest;
mod soak;
mod spectrum;
mod stages;
mod table;
pub(super) mod text;
mod worded;

use super::Document;
use super::number;
use text::Sheet;

pub(super) use groups::shares as shares_by_group;
pub(super) use head::{change as change_in_words, limit_in_words, load as load_in_words};
pub(super) use rules::{aborted, said as threshold_said, value_of as threshold_value};

/// How the page is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageOptions {
    /// The whole distribution and the run second by second (`--latency`).
    pub spectrum: bool,
    /// The first failures of each kind and the slowest requests (`--verbose`).
    pub verbose: bool,
    /// Colours; for a terminal that wants them.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Default for PageOptions {
    fn default() -> PageOptions {
        PageOptions { spectrum: false, verbose: false, color: false, width: 80 }
    }
}

/// The page, with a newline at its end.
pub fn page(document: &Document, options: &PageOptions) -> String {
    let mut sheet = Sheet::new(options);
    head::what_ran(&mut sheet, document);
    head::verdict(&mut sheet, document);
    soak::soak(&mut sheet, document);
    grade::grade(&mut sheet, document);
    rules::thresholds(&mut sheet, document);
    table::rates(&mut sheet, document);
    table::latency(&mut sheet, document, options.spectrum);
    backfill::as_wrk(&mut sheet, document);
    stages::stages(&mut sheet, document);
    soak::trends(&mut sheet, document);
    names::names(&mut sheet, document);
    groups::groups(&mut sheet, document);
    sheet.gap();
    errors::errors(&mut sheet, document);
    names::failures(&mut sheet, document);
    if options.verbose {
        examples::examples(&mut sheet, document);
        slowest::slowest(&mut sheet, document);
    }
    host::connections(&mut sheet, document);
    host::client(&mut sheet, document);
    beside::server(&mut sheet, document);
    profile::profile(&mut sheet, document, options.verbose);
    beside::host(&mut sheet, document);
    log::log(&mut sheet, document, options.verbose);
    host::audit(&mut sheet, document);
    host::warnings(&mut sheet, document);
    grade::advice(&mut sheet, document);
    if options.spectrum {
        spectrum::spectrum(&mut sheet, document);
        spectrum::intervals(&mut sheet, document);
    }
    sheet.gap();
    as_wrk(&mut sheet, document);
    sheet.finish()
}

/// The last two lines of wrk's own report, for the scripts that read them. The rate is that of
/// good answers: an error never raises it.
fn as_wrk(sheet: &mut Sheet, document: &Document) {
    sheet.line(&format!("Requests/sec: {:>9.2}", document.rate.good_per_s));
    let transfer = number::binary(document.bytes.received_per_s);
    sheet.line(&format!("Transfer/sec: {transfer:>11}"));
}

#[cfg(test)]
mod tests;
