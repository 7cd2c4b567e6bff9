//! The answers by one of their headers: a row for each backend, and whether they share the load.

use super::super::Document;
use super::super::document::{Group, Groups};
use super::super::number::{cell, count, percent};
use super::names::shortened;
use super::table::{Row, fits, write};
use super::text::{Sheet, Tone};

/// Rows that the page has room for.
const MOST: usize = 12;

/// Columns of a value that is cut.
const SHORT: usize = 24;

pub fn groups(sheet: &mut Sheet, document: &Document) {
    let Some(groups) = &document.groups else { return };
    sheet.gap();
    table(sheet, groups);
    match groups.even {
        Some(false) => {
            sheet.labelled("shares", Tone::Bad, "uneven, and not by chance: see the warning below");
        }
        _ => sheet.labelled("shares", Tone::Plain, &shares(groups)),
    }
    if groups.unanswered > 0 {
        let text = format!(
            "{} requests had no answer, so no header: they are in no group",
            count(groups.unanswered)
        );
        sheet.indented(0, Tone::Aside, &text);
    }
}

/// Whether the load is spread evenly, and what shows it.
pub fn shares(groups: &Groups) -> String {
    let text = &groups.evidence.text;
    match groups.even {
        Some(true) => format!("even: {text}"),
        Some(false) => format!("uneven: {text}"),
        None => text.clone(),
    }
}

struct Column {
    name: &'static str,
    cell: fn(&Group) -> String,
}

const COLUMNS: [Column; 9] = [
    Column { name: "answers", cell: |row| count(row.completed) },
    Column { name: "share", cell: |row| short(row.share) },
    Column { name: "bad", cell: |row| count(row.rejected) },
    Column { name: "%", cell: |row| short(row.error_share) },
    Column { name: "p50", cell: |row| time(row, 0.50) },
    Column { name: "p95", cell: |row| time(row, 0.95) },
    Column { name: "p99", cell: |row| time(row, 0.99) },
    Column { name: "serv95", cell: |row| row.latency.service.p95_us.map_or("-".into(), cell) },
    Column { name: "conns", cell: |row| count(row.connections) },
];

/// What a narrow terminal goes without, the first to go first.
const SPARE: [&str; 5] = ["conns", "p99", "bad", "p50", "serv95"];

fn table(sheet: &mut Sheet, groups: &Groups) {
    let mut columns: Vec<&Column> = COLUMNS.iter().collect();
    let mut lines = rows(groups, &columns);
    for spare in SPARE {
        if fits(sheet.width(), &lines, 1) {
            break;
        }
        columns.retain(|column| column.name != spare);
        lines = rows(groups, &columns);
    }
    write(sheet, &lines, 1);
    let text = "serv95: the p95 of the good ones from sent, which has no waiting for blast in it";
    if columns.iter().any(|column| column.name == "serv95") {
        sheet.indented(0, Tone::Aside, text);
    }
    let left = groups.rows.len().saturating_sub(MOST);
    if left > 0 {
        sheet.indented(0, Tone::Aside, &format!("{left} more stand in the JSON"));
    }
}

fn rows(groups: &Groups, columns: &[&Column]) -> Vec<Row> {
    let head = columns.iter().map(|column| column.name.to_string()).collect();
    let title = format!("by {}", groups.by.trim_start_matches("header:"));
    let mut rows = vec![Row { label: shortened(&title, SHORT), cells: head }];
    rows.extend(groups.rows.iter().take(MOST).map(|row| Row {
        label: shortened(row.shown(), SHORT),
        cells: columns.iter().map(|column| (column.cell)(row)).collect(),
    }));
    rows
}

fn short(share: f64) -> String {
    percent(share).replace(' ', "")
}

/// Of the response; that of a group of which too much was no good is a lower bound.
fn time(row: &Group, q: f64) -> String {
    let response = &row.latency.response;
    let us = match q {
        0.50 => response.p50_us,
        0.95 => response.p95_us,
        _ => response.p99_us,
    };
    match us {
        None => "-".to_string(),
        Some(us) if response.is_exact(q) => cell(us),
        Some(us) => format!(">={}", cell(us)),
    }
}
