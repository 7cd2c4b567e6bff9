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
    sheet
        .line("      t  phase    offered/s     good/s   errors  in flight     p50     p99     max");
    for interval in &document.intervals {
        sheet.line(&line(interval, document.interval_s));
    }
}

fn line(interval: &Interval, length_s: f64) -> String {
    let time = |us: Option<f64>| us.map_or("-".to_string(), cell);
    let rate = |events: u64| per_second(events as f64 / length_s);
    format!(
        "{:>7}  {:<7} {:>10} {:>10} {:>8} {:>10} {:>7} {:>7} {:>7}",
        cell(interval.t_s * 1e6),
        interval.phase,
        rate(interval.scheduled),
        rate(interval.good),
        count(interval.rejected + interval.failed + interval.dropped),
        count(interval.in_flight),
        time(interval.response_p50_us),
        time(interval.response_p99_us),
        time(interval.response_max_us),
    )
}
