//! The stages of a load with a shape: a row each.

use super::super::Document;
use super::super::document::Stage;
use super::super::number::{cell, count, per_second, percent, seconds};
use super::table::{Row, fits, write};
use super::text::{Sheet, Tone};

pub fn stages(sheet: &mut Sheet, document: &Document) {
    if document.stages.is_empty() {
        return;
    }
    sheet.gap();
    let mut columns: Vec<&str> = COLUMNS.to_vec();
    if !document.is_open_loop() {
        // What has no schedule has nothing offered, and is never late.
        columns.retain(|name| *name != "offered/s" && *name != "on time");
    }
    let mut lines = rows(document, &columns);
    for spare in SPARE {
        if fits(sheet.width(), &lines, 1) {
            break;
        }
        columns.retain(|name| *name != spare);
        lines = rows(document, &columns);
    }
    write(sheet, &lines, 1);
    for edit in &document.edits {
        sheet.hanging("  changed ", 10, Tone::Plain, &edit.sentence());
    }
}

const COLUMNS: [&str; 8] = ["time", "to", "offered/s", "good/s", "errors", "p50", "p99", "on time"];

/// What a narrow terminal goes without, the first to go first.
const SPARE: [&str; 4] = ["offered/s", "time", "on time", "p50"];

fn rows(document: &Document, columns: &[&str]) -> Vec<Row> {
    let pick = |cells: &[String; 8]| {
        let all = COLUMNS.iter().zip(cells).filter(|(name, _)| columns.contains(name));
        all.map(|(_, cell)| cell.clone()).collect::<Vec<_>>()
    };
    let head = Row { label: "stage".to_string(), cells: pick(&COLUMNS.map(str::to_string)) };
    let row = |stage: &Stage| {
        let cells = pick(&cells(stage, document.is_open_loop()));
        Row { label: (stage.stage + 1).to_string(), cells }
    };
    std::iter::once(head).chain(document.stages.iter().map(row)).collect()
}

fn cells(stage: &Stage, open_loop: bool) -> [String; 8] {
    let (requests, rate, response) = (&stage.requests, &stage.rate, &stage.latency.response);
    let bound = |q: f64, us: Option<f64>| match us {
        None => "-".to_string(),
        Some(us) if response.is_exact(q) => cell(us),
        Some(us) => format!(">={}", cell(us)),
    };
    let errors = requests.rejected + requests.failed + requests.abandoned + requests.dropped;
    [
        seconds(stage.length_s).replace(' ', ""),
        level(stage, open_loop),
        per_second(rate.offered_per_s),
        per_second(rate.good_per_s),
        count(errors),
        bound(0.5, response.p50_us),
        bound(0.99, response.p99_us),
        rate.efficiency.map_or("-".to_string(), |share| percent(share).replace(' ', "")),
    ]
}

/// `5,000/s`, or in closed loop so many connections; a level that is held says so.
fn level(stage: &Stage, open_loop: bool) -> String {
    let unit = if open_loop { "/s" } else { "" };
    let held = if stage.from == stage.to { "=" } else { "" };
    format!("{held}{}{unit}", per_second(stage.to))
}
