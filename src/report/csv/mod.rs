//! Four tables of CSV with the columns of Locust's, in Locust's order (its `stats.py`, checked
//! against version 2.47), so that what reads those reads these: `PREFIX_stats.csv`,
//! `PREFIX_failures.csv`, `PREFIX_stats_history.csv`, `PREFIX_exceptions.csv`. Beside them
//! `PREFIX_gauges.csv`, where something was read beside the load, and `PREFIX_groups.csv`, where
//! answers were told apart by a header.
//!
//! Times are milliseconds, with decimals where Locust rounds. What the document holds as null, or
//! does not hold, is `N/A`, as Locust writes it. Quoted as Python's csv module does by default:
//! where it is needed, and lines end in CR LF.

mod failures;
mod gauges;
mod groups;
mod history;
mod stats;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use csv::{Terminator, WriterBuilder};

use super::document::Named;
use super::{Document, staged};
use crate::error::Result;

/// The name of the row of the whole.
const AGGREGATED: &str = "Aggregated";

/// What is not known.
const UNKNOWN: &str = "N/A";

type Row = Vec<String>;

/// The tables of every run, as their files are called, in the order of [`tables`].
pub const NAMES: [&str; 4] = ["stats", "failures", "stats_history", "exceptions"];

/// Where tables with this prefix go.
pub fn files(prefix: &Path) -> [PathBuf; 4] {
    NAMES.map(|table| file(prefix, table))
}

fn file(prefix: &Path, table: &str) -> PathBuf {
    let mut name = OsString::from(prefix);
    name.push(format!("_{table}.csv"));
    PathBuf::from(name)
}

/// Writes the files, each whole or untouched; the folder is made where there is none.
pub fn save(document: &Document, prefix: &Path) -> Result<()> {
    for (file, table) in files(prefix).iter().zip(tables(document)) {
        make_folder(file).map_err(|error| staged::failed(file, &error))?;
        staged::save(file, table.as_bytes())?;
    }
    for (name, table) in [("gauges", gauges(document)), ("groups", groups(document))] {
        if let Some(table) = table {
            staged::save(&file(prefix, name), table.as_bytes())?;
        }
    }
    Ok(())
}

/// The texts of the four files.
pub fn tables(document: &Document) -> [String; 4] {
    [
        stats::rows(document),
        failures::failures(document),
        history::rows(document),
        failures::exceptions(document),
    ]
    .map(|rows| text(&rows))
}

/// The text of the fifth.
pub fn gauges(document: &Document) -> Option<String> {
    gauges::rows(document).map(|rows| text(&rows))
}

/// The text of the sixth.
pub fn groups(document: &Document) -> Option<String> {
    groups::rows(document).map(|rows| text(&rows))
}

fn make_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or(Ok(()), fs::create_dir_all)
}

fn text(rows: &[Row]) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).expect("memory takes every write, and the rows are as long");
    }
    let bytes = writer.into_inner().expect("memory takes every write");
    String::from_utf8(bytes).expect("what was text is text")
}

fn head(columns: &[&str]) -> Row {
    columns.iter().map(ToString::to_string).collect()
}

/// Milliseconds to the nanosecond.
fn ms(us: Option<f64>) -> String {
    us.map_or_else(|| UNKNOWN.to_string(), |us| ((us * 1e3).round() / 1e6).to_string())
}

/// Method and name of what a run without names sent.
fn of_url(document: &Document) -> (&str, &str) {
    let url = &document.plan.url;
    let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    (&document.plan.method, path)
}

/// The rows by name; none without a scenario.
fn named(document: &Document) -> &[Named] {
    document.by_name.as_ref().map_or(&[], |by_name| &by_name.names)
}

/// This long after the start of measure. `None`: the document says no such time.
fn wall(document: &Document, offset_s: f64) -> Option<SystemTime> {
    let start = humantime::parse_rfc3339(&document.started_at).ok()?;
    let offset = Duration::try_from_secs_f64(offset_s.abs()).ok()?;
    if offset_s < 0.0 { start.checked_sub(offset) } else { start.checked_add(offset) }
}

#[cfg(test)]
mod tests;
