//! `PREFIX_failures.csv`: what went wrong by name and kind. `PREFIX_exceptions.csv`: the warnings.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::super::document::{Named, Requests};
use super::{Row, head, named, of_url, wall};
use crate::report::Document;

const FAILURES: [&str; 6] = ["Method", "Name", "Error", "Occurrences", "First Seen", "Last Seen"];
const EXCEPTIONS: [&str; 4] = ["Count", "Message", "Traceback", "Nodes"];

/// Where attempts to connect stand that failed: they are no requests, and in no count of them.
const CONNECTIONS: &str = "connections";

/// Their occurrences add up to the failures of each name.
pub fn failures(document: &Document) -> Vec<Row> {
    let mut rows = vec![head(&FAILURES)];
    rows.extend(named(document).iter().flat_map(|row| of_name(document, row)));
    if document.by_name.is_none() {
        let (method, name) = of_url(document);
        let kinds = counted(&document.failures).chain(counted(&document.rejections));
        let kinds = kinds.chain(fates(&document.requests));
        rows.extend(kinds.map(|(kind, count)| never_seen(method, name, kind, count)));
    }
    let connects = counted(&document.connections.failures);
    rows.extend(connects.map(|(kind, count)| never_seen("", CONNECTIONS, kind, count)));
    rows
}

fn of_name(document: &Document, row: &Named) -> Vec<Row> {
    let (method, name) = (&row.method, row.without_method());
    let at = |offset_s| wall(document, offset_s).map(second).unwrap_or_default();
    let seen = row.failures.iter().map(|seen| {
        let mut row = never_seen(method, name, &seen.kind, seen.count);
        (row[4], row[5]) = (at(seen.first_s), at(seen.last_s));
        row
    });
    let unseen = fates(&row.requests).map(|(kind, count)| never_seen(method, name, kind, count));
    seen.chain(unseen).collect()
}

/// One of which it is not known when it happened.
fn never_seen(method: &str, name: &str, kind: &str, count: u64) -> Row {
    [method, name, kind, &count.to_string(), "", ""].map(str::to_string).to_vec()
}

fn counted(kinds: &BTreeMap<String, u64>) -> impl Iterator<Item = (&str, u64)> {
    kinds.iter().map(|(kind, count)| (kind.as_str(), *count))
}

/// How a request ends badly without an event of its own.
fn fates(requests: &Requests) -> impl Iterator<Item = (&str, u64)> {
    let fates = [("abandoned", requests.abandoned), ("dropped", requests.dropped)];
    fates.into_iter().filter(|(_, count)| *count > 0)
}

/// As Locust writes it: `2026-03-01T12:00:00Z`, rounded down.
fn second(at: SystemTime) -> String {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let whole = SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs());
    humantime::format_rfc3339_seconds(whole).to_string()
}

/// What to do about a warning stands where Locust has the traceback.
pub fn exceptions(document: &Document) -> Vec<Row> {
    let mut rows = vec![head(&EXCEPTIONS)];
    rows.extend(document.warnings.iter().map(|warning| {
        let message = format!("{}: {}", warning.code, warning.text);
        ["1", &message, &warning.hint, "local"].map(str::to_string).to_vec()
    }));
    rows
}
