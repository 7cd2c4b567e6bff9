//! The results by name: the table that people know from Locust, the checks, the sessions.

use super::super::Document;
use super::super::document::{ByName, Latency, Named, Requests, Seen};
use super::super::number::{cell, count, per_second, percent, seconds};
use super::table::{Row, fits, write};
use super::text::{Sheet, Tone};
use crate::metrics::named;

/// Columns of a name that is cut: as long as there are columns to spare, and at least.
const SHORT: usize = 18;
const SHORTEST: usize = 12;

/// Kinds of failure that the page has room for.
const MOST_KINDS: usize = 12;

/// What the table's rows are called by, beside the names.
const AGGREGATED: &str = "Aggregated";

pub fn names(sheet: &mut Sheet, document: &Document) {
    let Some(by_name) = &document.by_name else { return };
    sheet.gap();
    table(sheet, document, by_name);
    shares(sheet, by_name);
    checks(sheet, by_name);
    sessions(sheet, by_name);
}

/// What is sent and how that comes about.
pub fn model(document: &Document) -> Option<String> {
    let requests = document.by_name.as_ref()?.names.len();
    let plural = if requests == 1 { "" } else { "s" };
    let model = match document.plan.model.as_deref()? {
        named::MIX => "mix over connections",
        named::USERS => "users",
        _ => "sessions (partly open)",
    };
    Some(format!("{model}, {} request{plural} by name", count(requests as u64)))
}

/// One column, of a name or of the whole.
struct Column {
    name: &'static str,
    cell: fn(&Line) -> String,
}

/// What a row tells of.
struct Line<'a> {
    requests: &'a Requests,
    response: &'a Latency,
    per_s: f64,
    /// Asked and sent.
    shares: Option<(f64, f64)>,
}

const COLUMNS: [Column; 10] = [
    Column { name: "reqs", cell: |l| count(l.requests.scheduled) },
    Column { name: "fails", cell: |l| count(l.requests.scheduled - l.requests.good) },
    Column { name: "%", cell: |l| failed(l.requests) },
    Column { name: "median", cell: |l| quantile(l.response, 0.50, l.response.p50_us) },
    Column { name: "avg", cell: |l| bound(l.response, l.response.mean_us) },
    Column { name: "p95", cell: |l| quantile(l.response, 0.95, l.response.p95_us) },
    Column { name: "p99", cell: |l| quantile(l.response, 0.99, l.response.p99_us) },
    Column { name: "max", cell: |l| bound(l.response, l.response.max_us) },
    Column { name: "good/s", cell: |l| per_second(l.per_s) },
    Column { name: "asked/sent", cell: |l| l.shares.map(both).unwrap_or_default() },
];

/// What a narrow terminal goes without, the first to go first; names are cut before the second.
const SPARE: [&str; 7] = ["asked/sent", "avg", "p99", "%", "max", "good/s", "fails"];
const SPARE_WHOLE: usize = 1;

fn table(sheet: &mut Sheet, document: &Document, by_name: &ByName) {
    let mut columns: Vec<&Column> = COLUMNS.iter().collect();
    if by_name.names.iter().all(|row| row.share_asked.is_none()) {
        columns.retain(|column| column.name != "asked/sent");
    }
    let mut lines = rows(document, by_name, &columns);
    for (at, spare) in SPARE.iter().enumerate() {
        let room = fits(sheet.width(), &lines, 1);
        if room || at >= SPARE_WHOLE && cut(sheet.width(), &mut lines, SHORT) {
            break;
        }
        columns.retain(|column| column.name != *spare);
        lines = rows(document, by_name, &columns);
    }
    cut(sheet.width(), &mut lines, SHORTEST);
    write(sheet, &lines, 1);
    if by_name.aside.requests.scheduled > 0 {
        let text = "setup and teardown are in no figure but their own: Aggregated is without them";
        sheet.indented(0, Tone::Aside, text);
    }
}

fn rows(document: &Document, by_name: &ByName, columns: &[&Column]) -> Vec<Row> {
    let cells = |line: Line| columns.iter().map(|column| (column.cell)(&line)).collect();
    let title = |label: &str| Row { label: label.to_string(), cells: Vec::new() };
    let head = columns.iter().map(|column| column.name.to_string()).collect();
    let mut rows = vec![Row { label: "by name".to_string(), cells: head }];
    let method = by_name.names.iter().map(|row| row.method.len()).max().unwrap_or(0);
    let has_parts = by_name.names.iter().any(|row| row.part != "main");
    for part in ["setup", "main", "teardown"] {
        let of_part = || by_name.names.iter().filter(|row| row.part == part);
        if has_parts && of_part().next().is_some() {
            rows.push(title(part));
        }
        let indent = if has_parts { "  " } else { "" };
        rows.extend(of_part().map(|row| Row {
            label: format!("{indent}{:<method$} {}", row.method, row.without_method()),
            cells: cells(of_name(row)),
        }));
    }
    rows.push(Row { label: AGGREGATED.to_string(), cells: cells(of_all(document)) });
    rows
}

fn of_name(row: &Named) -> Line<'_> {
    Line {
        requests: &row.requests,
        response: &row.latency.response,
        per_s: row.rate.good_per_s,
        shares: shares_of(row),
    }
}

fn of_all(document: &Document) -> Line<'_> {
    Line {
        requests: &document.requests,
        response: &document.latency.response,
        per_s: document.rate.good_per_s,
        shares: None,
    }
}

/// Cuts the names until the rows fit, but not shorter than that. Tells whether they fit.
fn cut(width: usize, rows: &mut [Row], shortest: usize) -> bool {
    let longest = |rows: &[Row]| rows.iter().map(|row| row.label.chars().count()).max();
    while !fits(width, rows, 1) {
        let length = longest(rows).unwrap_or(0).saturating_sub(1);
        if length < shortest {
            return false;
        }
        rows.iter_mut().for_each(|row| row.label = shortened(&row.label, length));
    }
    true
}

/// At most this long, with an ellipsis in the middle.
pub(super) fn shortened(name: &str, length: usize) -> String {
    let letters: Vec<char> = name.chars().filter(|c| *c != '…').collect();
    if name.chars().count() <= length {
        return name.to_string();
    }
    let kept = length.saturating_sub(1);
    let (front, back) = (kept.div_ceil(2), kept / 2);
    let back = &letters[letters.len() - back..];
    format!("{}…{}", String::from_iter(&letters[..front]), String::from_iter(back))
}

fn quantile(row: &Latency, q: f64, us: Option<f64>) -> String {
    shown(us, row.is_exact(q))
}

fn bound(row: &Latency, us: Option<f64>) -> String {
    shown(us, row.censored == 0)
}

fn shown(us: Option<f64>, exact: bool) -> String {
    match us {
        None => "-".to_string(),
        Some(us) if exact => cell(us),
        Some(us) => format!(">={}", cell(us)),
    }
}

/// Of no requests there is no share.
fn failed(requests: &Requests) -> String {
    match requests.scheduled {
        0 => "-".to_string(),
        _ => short_percent(1.0 - requests.success_share),
    }
}

fn short_percent(share: f64) -> String {
    percent(share).replace(' ', "")
}

fn shares_of(row: &Named) -> Option<(f64, f64)> {
    Some((row.share_asked?, row.share_sent?))
}

/// `16.66/16.5%`.
fn both((asked, sent): (f64, f64)) -> String {
    format!("{}/{}", short_percent(asked).trim_end_matches('%'), short_percent(sent))
}

/// How well the shares that were sent are those that were asked for.
fn shares(sheet: &mut Sheet, by_name: &ByName) {
    let rows = by_name.names.iter().filter_map(|row| shares_of(row).map(|shares| (row, shares)));
    let off = |(asked, sent): &(f64, f64)| (asked - sent).abs();
    let Some((row, (asked, sent))) = rows.max_by(|a, b| off(&a.1).total_cmp(&off(&b.1))) else {
        return;
    };
    let text = match off(&(asked, sent)) {
        // A hundredth of a percent: no two decimals differ by more than their rounding.
        small if small < 1e-4 => "sent as the weights ask, to 0.01 %".to_string(),
        _ => format!(
            "sent as the weights ask, but for at most {}: {} asked {}, sent {}",
            percent(off(&(asked, sent))),
            row.name,
            percent(asked),
            percent(sent)
        ),
    };
    sheet.labelled("shares", Tone::Plain, &text);
}

fn checks(sheet: &mut Sheet, by_name: &ByName) {
    if by_name.checks.is_empty() {
        return;
    }
    sheet.gap();
    let head = ["passed", "failed"].map(str::to_string).to_vec();
    let mut rows = vec![Row { label: "check".to_string(), cells: head }];
    rows.extend(by_name.checks.iter().map(|check| Row {
        label: check.name.clone(),
        cells: vec![count(check.passed), count(check.failed)],
    }));
    cut(sheet.width(), &mut rows, SHORTEST);
    write(sheet, &rows, 2);
}

fn sessions(sheet: &mut Sheet, by_name: &ByName) {
    let Some(sessions) = &by_name.sessions else { return };
    let mut text =
        format!("{} started: {} completed", count(sessions.started), count(sessions.completed));
    if sessions.failed > 0 {
        text += &format!(", {} failed", count(sessions.failed));
    }
    if sessions.cut > 0 {
        text += &format!(", {} cut by the end of the run", count(sessions.cut));
    }
    let length = &sessions.length;
    let figures = [
        ("p50", quantile(length, 0.50, length.p50_us)),
        ("p95", quantile(length, 0.95, length.p95_us)),
        ("max", bound(length, length.max_us)),
    ];
    if length.count > 0 {
        let figures = figures.iter().filter(|(_, shown)| shown != "-");
        let figures: Vec<_> = figures.map(|(name, shown)| format!("{name} {shown}")).collect();
        text += &format!("; length {}", figures.join(" "));
    }
    sheet.labelled("sessions", Tone::Plain, &text);
}

/// Whose the errors were, and when they were first and last seen: under their groups.
pub fn failures(sheet: &mut Sheet, document: &Document) {
    let Some(by_name) = &document.by_name else { return };
    let aside = &by_name.aside.requests;
    if aside.scheduled > aside.good {
        let (bad, all) = (count(aside.scheduled - aside.good), count(aside.scheduled));
        let text = format!("and {bad} of {all} requests of setup and teardown");
        sheet.indented(2, Tone::Bad, &text);
    }
    if by_name.names.iter().all(|row| row.failures.is_empty()) {
        return;
    }
    let all = by_name.names.iter();
    let mut all: Vec<(&Named, &Seen)> =
        all.flat_map(|row| row.failures.iter().map(move |seen| (row, seen))).collect();
    all.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.count));
    let left = all.len().saturating_sub(MOST_KINDS);
    let head = ["count", "first", "last"].map(str::to_string).to_vec();
    let mut rows = vec![Row { label: "  by name".to_string(), cells: head }];
    rows.extend(all.iter().take(MOST_KINDS).map(|(row, seen)| Row {
        label: format!("  {}{}: {}", row.name, part_of(row), seen.kind),
        cells: vec![count(seen.count), at(seen.first_s), at(seen.last_s)],
    }));
    cut(sheet.width(), &mut rows, SHORTEST);
    write(sheet, &rows, 1);
    if left > 0 {
        sheet.indented(2, Tone::Plain, &format!("{left} more kinds stand in the JSON"));
    }
}

fn part_of(row: &Named) -> String {
    if row.part == "main" { String::new() } else { format!(" ({})", row.part) }
}

fn at(at_s: f64) -> String {
    seconds(at_s).replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_no_requests_no_share_has_failed() {
        let of = |scheduled, good, success_share| Requests {
            scheduled,
            good,
            success_share,
            sent: scheduled,
            completed: scheduled,
            rejected: scheduled - good,
            failed: 0,
            abandoned: 0,
            dropped: 0,
            error_share: 1.0 - success_share,
        };
        assert_eq!(failed(&of(0, 0, 0.0)), "-");
        assert_eq!(failed(&of(4, 3, 0.75)), "25%");
    }

    #[test]
    fn a_long_name_is_cut_in_its_middle() {
        for (name, length, expected) in [
            ("short", 5, "short"),
            ("shorter", 5, "sh…er"),
            ("GET /patients/1/records", 12, "GET /p…cords"),
            ("日本語のとても長い名前です", 6, "日本語…です"),
            ("ab…yz", 4, "ab…z"),
        ] {
            let cut = shortened(name, length);
            assert_eq!((cut.as_str(), cut.chars().count() <= length), (expected, true));
        }
    }
}
