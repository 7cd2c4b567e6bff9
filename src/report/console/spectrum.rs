//! With `--latency`: the whole distribution, and the run second by second.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

use super::super::Document;
use super::super::document::{Interval, Latency};
use super::super::number::{cell, count, per_second, seconds};
use super::text::{Sheet, Tone};

/// Steps from one halving of the distance to 100 % to the next, as wrk2 takes them.
const STEPS: u32 = 5;

/// The percentile distribution in HdrHistogram's own text format, which its plotters read.
pub fn spectrum(sheet: &mut Sheet, document: &Document) {
    let (name, row) = match document.is_open_loop() {
        true => ("response", &document.latency.response),
        false => ("service time", &document.latency.response),
    };
    let Some(histogram) = decoded(row).filter(|histogram| !histogram.is_empty()) else {
        return;
    };
    sheet.gap();
    sheet.line(&sheet.paint(Tone::Heading, &format!("spectrum of {name}, values in ms")));
    sheet.gap();
    sheet.line("       Value   Percentile   TotalCount 1/(1-Percentile)");
    sheet.gap();
    steps(sheet, row, &histogram);
    let ms = |ns: f64| ns / 1e6;
    let (mean, stdev) = (ms(histogram.mean()), ms(histogram.stdev()));
    sheet.line(&format!("#[Mean    = {mean:>12.3}, StdDeviation   = {stdev:>12.3}]"));
    let (max, total) = (ms(histogram.max() as f64), histogram.len());
    sheet.line(&format!("#[Max     = {max:>12.3}, Total count    = {total:>12}]"));
}

fn steps(sheet: &mut Sheet, row: &Latency, histogram: &Histogram<u64>) {
    let mut below = 0;
    let mut bounds = false;
    for step in histogram.iter_quantiles(STEPS) {
        below += step.count_since_last_iteration();
        if !bounds && below > row.count - row.censored {
            bounds = true;
            sheet.line("# from here on lower bounds: not answered well, or not at all");
        }
        let value = step.value_iterated_to() as f64 / 1e6;
        // The quantile of the step, not of the samples up to it, as the format has it.
        let quantile = step.quantile_iterated_to();
        let inverse = 1.0 / (1.0 - quantile);
        sheet.line(&format!("{value:>12.3} {quantile:>12.6} {below:>12} {inverse:>14.2}"));
    }
}

fn decoded(row: &Latency) -> Option<Histogram<u64>> {
    let bytes = BASE64.decode(&row.hdr).ok()?;
    Deserializer::new().deserialize(&mut bytes.as_slice()).ok()
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
