//! The page's two tables: how many, and how long.

use super::super::Document;
use super::super::document::Latency;
use super::super::number::{cell, count, micros, per_second, percent};
use super::text::{LABEL, Sheet, Tone};

/// Offered, sent, completed and good: what happened in measure by the second, and the fate of the
/// requests that were due in it.
pub fn rates(sheet: &mut Sheet, document: &Document) {
    let (rate, requests) = (&document.rate, &document.requests);
    let mut columns = vec![
        ("offered", rate.offered_per_s, requests.scheduled),
        ("sent", rate.sent_per_s, requests.sent),
        ("completed", rate.completed_per_s, requests.completed),
        ("good", rate.good_per_s, requests.good),
    ];
    if !document.is_open_loop() {
        columns.remove(0);
    }
    let head = columns.iter().map(|(name, ..)| name.to_string()).collect();
    let per_second = columns.iter().map(|column| per_second(column.1)).collect();
    let total = columns.iter().map(|column| count(column.2)).collect();
    let rows = [("", head), ("per second", per_second), ("requests", total)];
    write(sheet, &rows.map(|(label, cells)| Row { label: label.to_string(), cells }), 2);
    if is_drained(document) {
        let text =
            "per second: within measure; requests: all that were due in it, whenever answered";
        sheet.indented(0, Tone::Aside, text);
    }
    schedule(sheet, document);
}

/// The two rows tell different stories: much of what was due was answered after measure.
fn is_drained(document: &Document) -> bool {
    let within = document.rate.completed_per_s * document.duration_s;
    (document.requests.completed as f64 - within).abs() > 0.01 * within
}

/// The share of the schedule that was held, and the best second.
fn schedule(sheet: &mut Sheet, document: &Document) {
    if let Some(share) = document.rate.efficiency {
        let text = format!("{} sent within 10 ms of when they were due", percent(share));
        sheet.labelled("schedule", Tone::Plain, &text);
    }
    if document.has_seconds() {
        let best = format!("{} good answers", per_second(document.rate.peak_1s_per_s));
        sheet.labelled("best second", Tone::Plain, &best);
    }
}

/// Response, service and send lag; in a closed loop the service time alone.
pub fn latency(sheet: &mut Sheet, document: &Document, spectrum: bool) {
    sheet.gap();
    let latency = &document.latency;
    let rows: Vec<(&str, &Latency)> = if document.is_open_loop() {
        vec![
            ("response", &latency.response),
            ("service", &latency.service),
            ("send lag", &latency.send_lag),
        ]
    } else {
        // From sent, errors ranked above every good answer: it must not look better for them.
        vec![("service time", &latency.response)]
    };
    let mut columns = COLUMNS.to_vec();
    columns.retain(|column| spectrum || column.name != "p99.99");
    let lines = distributions(sheet, "latency", &rows, columns);
    legend(sheet, document, &lines);
    shares_of_the_lag(sheet, document);
}

/// A row for each distribution, in as many of the columns as there is room for.
pub(super) fn distributions(
    sheet: &mut Sheet,
    title: &str,
    rows: &[(&str, &Latency)],
    columns: Vec<Column>,
) -> Vec<Row> {
    let columns = fitting(sheet.width(), rows, columns);
    let head = columns.iter().map(|column| column.name.to_string()).collect();
    let mut lines = vec![Row { label: title.to_string(), cells: head }];
    lines.extend(rows.iter().map(|(label, row)| Row {
        label: label.to_string(),
        cells: columns.iter().map(|column| column.cell(row)).collect(),
    }));
    let gap = if fits(sheet.width(), &lines, 2) { 2 } else { 1 };
    write(sheet, &lines, gap);
    lines
}

/// Whose the send lag is, where there is any worth the words.
fn shares_of_the_lag(sheet: &mut Sheet, document: &Document) {
    let (blast, connection) =
        (&document.latency.send_lag_blast, &document.latency.send_lag_connection);
    let paused = !document.client.pauses.is_empty();
    if connection.count == 0 && !paused {
        return;
    }
    let mut parts = Vec::new();
    if connection.count > 0 {
        let share = percent(connection.count as f64 / document.requests.sent.max(1) as f64);
        let max = connection.max_us.map(micros).unwrap_or_default();
        parts.push(format!("{share} of the requests waited for a free connection, up to {max}"));
    }
    if let (Some(p99), Some(max)) = (blast.p99_us, blast.max_us) {
        parts.push(format!("blast itself was late by p99 {}, max {}", micros(p99), micros(max)));
    }
    sheet.labelled("of the lag", Tone::Plain, &parts.join("; "));
}

fn legend(sheet: &mut Sheet, document: &Document, lines: &[Row]) {
    let mut aside = |text: &str| sheet.indented(0, Tone::Aside, text);
    if document.is_open_loop() {
        aside("response (what a user waits) = send lag (due to sent) + service (sent to done)");
    } else {
        aside(
            "closed loop: nothing is sent before the last answer came, so this is no user's \
             waiting time; for that, offer a rate with --rps",
        );
    }
    let mut cells = lines.iter().skip(1).flat_map(|row| &row.cells);
    if cells.clone().any(|cell| cell.starts_with(">=")) {
        aside(">= that or more: what was not answered well ranks above every good answer");
    }
    if document.latency.response.count > 0 && cells.any(|cell| cell == "-") {
        aside("- too few samples: five must lie above a quantile");
    }
}

/// One column of the latency table.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub name: &'static str,
    pub value: fn(&Latency) -> Option<f64>,
    /// Whether the value is known in full.
    pub exact: fn(&Latency) -> bool,
}

impl Column {
    fn cell(&self, row: &Latency) -> String {
        match (self.value)(row) {
            None => "-".to_string(),
            Some(us) if (self.exact)(row) => cell(us),
            Some(us) => format!(">={}", cell(us)),
        }
    }
}

const COLUMNS: [Column; 9] = [
    // The least of all is a good one's, if there is any.
    Column { name: "min", value: |l| l.min_us, exact: |l| l.censored < l.count },
    Column { name: "mean", value: |l| l.mean_us, exact: |l| l.censored == 0 },
    Column { name: "p50", value: |l| l.p50_us, exact: |l| l.is_exact(0.50) },
    Column { name: "p90", value: |l| l.p90_us, exact: |l| l.is_exact(0.90) },
    Column { name: "p95", value: |l| l.p95_us, exact: |l| l.is_exact(0.95) },
    Column { name: "p99", value: |l| l.p99_us, exact: |l| l.is_exact(0.99) },
    Column { name: "p99.9", value: |l| l.p99_9_us, exact: |l| l.is_exact(0.999) },
    Column { name: "p99.99", value: |l| l.p99_99_us, exact: |l| l.is_exact(0.9999) },
    Column { name: "max", value: |l| l.max_us, exact: |l| l.censored == 0 },
];

/// What a narrow terminal goes without, the first to go first.
const SPARE: [&str; 8] = ["stdev", "p75", "p95", "mean", "min", "p90", "p99.9", "p99.99"];

/// As many columns as there is room for.
fn fitting(width: usize, rows: &[(&str, &Latency)], mut columns: Vec<Column>) -> Vec<Column> {
    let label = rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0).max(LABEL);
    for spare in SPARE {
        let used: usize = columns.iter().map(|column| column_width(column, rows) + 1).sum();
        if label + used <= width {
            break;
        }
        columns.retain(|column| column.name != spare);
    }
    columns
}

fn column_width(column: &Column, rows: &[(&str, &Latency)]) -> usize {
    let cells = rows.iter().map(|(_, row)| column.cell(row).len());
    cells.max().unwrap_or(0).max(column.name.len())
}

/// A line of a table; the first of a table is its head.
pub(super) struct Row {
    pub label: String,
    pub cells: Vec<String>,
}

/// That of every table, unless one needs more.
fn label_width(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0).max(LABEL)
}

fn widths(rows: &[Row]) -> Vec<usize> {
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let widest = |at| rows.iter().filter_map(|row| row.cells.get(at)).map(String::len).max();
    (0..columns).map(|at| widest(at).unwrap_or(0)).collect()
}

pub(super) fn fits(width: usize, rows: &[Row], gap: usize) -> bool {
    label_width(rows) + widths(rows).iter().map(|column| column + gap).sum::<usize>() <= width
}

/// Labels to the left, cells to the right of their column.
pub(super) fn write(sheet: &mut Sheet, rows: &[Row], gap: usize) {
    let (label, widths) = (label_width(rows), widths(rows));
    for (at, row) in rows.iter().enumerate() {
        let tone = if at == 0 { Tone::Heading } else { Tone::Plain };
        let mut line = sheet.paint(Tone::Heading, &format!("{:<label$}", row.label));
        for (cell, width) in row.cells.iter().zip(&widths) {
            line += &" ".repeat(gap);
            line += &sheet.paint(tone, &format!("{cell:>width$}"));
        }
        sheet.line(&line);
    }
}
