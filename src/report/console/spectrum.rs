//! With `--latency`: the whole distribution, and the run second by second.

use super::super::document::Interval;
use super::super::number::{cell, count, per_second, seconds};
use super::super::{Document, hgrm};
use super::text::{Sheet, Tone};

/// The percentile distribution, as `-o FILE.hgrm` has it.
pub fn spectrum(sheet: &mut Sheet, document: &Document) {
    let row = &document.latency.response;
    if row.count == 0 {
        return;
    }
    let name = if document.is_open_loop() { "response" } else { "service time" };
    sheet.gap();
    sheet.line(&sheet.paint(Tone::Heading, &format!("spectrum of {name}, values in ms")));
    sheet.gap();
    hgrm::lines(row).iter().for_each(|line| sheet.line(line));
}

pub fn intervals(sheet: &mut Sheet, document: &Document) {
    if document.intervals.is_empty() {
        return;
    }
    sheet.gap();
    let title = format!("every {}", seconds(document.interval_s));
    sheet.line(&sheet.paint(Tone::Heading, &title));
    let head = ["t", "phase", "offered/s", "good/s", "errors", "in flight", "p50", "p99", "max"];
    sheet.line(&row(head));
    for interval in &document.intervals {
        sheet.line(&line(interval, document.interval_s, !document.stages.is_empty()));
    }
}

/// Where the load has stages, their number stands in the place of *measure*.
fn line(interval: &Interval, length_s: f64, staged: bool) -> String {
    let phase = match interval.phase.as_str() {
        "measure" if staged => format!("stage {}", interval.stage + 1),
        phase => phase.to_string(),
    };
    let time = |us: Option<f64>| us.map_or("-".to_string(), cell);
    let rate = |events: u64| per_second(events as f64 / length_s);
    row([
        &cell(interval.t_s * 1e6),
        &phase,
        &rate(interval.scheduled),
        &rate(interval.good),
        &count(interval.rejected + interval.failed + interval.dropped),
        &count(interval.in_flight),
        &time(interval.response_p50_us),
        &time(interval.response_p99_us),
        &time(interval.response_max_us),
    ])
}

/// Fits 80 columns.
fn row([t, phase, offered, good, errors, in_flight, p50, p99, max]: [&str; 9]) -> String {
    let rates = format!("{t:>7}  {phase:<8} {offered:>9} {good:>8} {errors:>7} {in_flight:>9}");
    format!("{rates} {p50:>7} {p99:>7} {max:>7}")
}
