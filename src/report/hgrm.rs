//! The percentile distribution in HdrHistogram's own text format, which its plotters read: on the
//! page with `--latency`, and as a file, `-o FILE.hgrm`.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

use super::document::Latency;
use super::{Document, staged};
use crate::error::Result;

/// Steps from one halving of the distance to 100 % to the next, as wrk2 takes them.
const STEPS: u32 = 5;

/// Writes the distribution of `response` (closed loop: the service time) to a file, which is
/// either whole or untouched.
pub fn save(document: &Document, path: &Path) -> Result<()> {
    staged::save(path, text(document).as_bytes())
}

/// Of the response times.
pub fn text(document: &Document) -> String {
    lines(&document.latency.response).join("\n") + "\n"
}

/// The lines of one distribution, in ms. Without samples: the head and the foot.
pub fn lines(row: &Latency) -> Vec<String> {
    let histogram = decoded(row);
    let mut lines =
        vec!["       Value   Percentile   TotalCount 1/(1-Percentile)".to_string(), String::new()];
    if !histogram.is_empty() {
        lines.extend(steps(row, &histogram));
    }
    lines.extend(foot(&histogram));
    lines
}

fn steps(row: &Latency, histogram: &Histogram<u64>) -> Vec<String> {
    let (mut lines, mut below, mut bounds) = (Vec::new(), 0, false);
    for step in histogram.iter_quantiles(STEPS) {
        below += step.count_since_last_iteration();
        if !bounds && below > row.count - row.censored {
            bounds = true;
            lines.push("# from here on lower bounds: not answered well, or not at all".to_string());
        }
        let value = ms(step.value_iterated_to() as f64);
        // The quantile of the step, not of the samples up to it, as the format has it.
        let quantile = step.quantile_iterated_to();
        let inverse = 1.0 / (1.0 - quantile);
        lines.push(format!("{value:>12.3} {quantile:>12.6} {below:>12} {inverse:>14.2}"));
    }
    lines
}

fn foot(histogram: &Histogram<u64>) -> [String; 3] {
    let (mean, stdev) = (ms(histogram.mean()), ms(histogram.stdev()));
    let (max, total) = (ms(histogram.max() as f64), histogram.len());
    // The number of sub-buckets that the digits ask for (HdrHistogram, `init`).
    let sub_buckets = (2 * 10_u64.pow(histogram.sigfig().into())).next_power_of_two();
    let buckets = histogram.buckets();
    [
        format!("#[Mean    = {mean:>12.3}, StdDeviation   = {stdev:>12.3}]"),
        format!("#[Max     = {max:>12.3}, Total count    = {total:>12}]"),
        format!("#[Buckets = {buckets:>12}, SubBuckets     = {sub_buckets:>12}]"),
    ]
}

fn ms(ns: f64) -> f64 {
    ns / 1e6
}

pub(super) fn decoded(row: &Latency) -> Histogram<u64> {
    histogram(&row.hdr)
}

/// A document from elsewhere may hold anything; what is no histogram has no samples.
pub(super) fn histogram(hdr: &str) -> Histogram<u64> {
    let bytes = BASE64.decode(hdr).unwrap_or_default();
    let histogram = Deserializer::new().deserialize(&mut bytes.as_slice());
    histogram.unwrap_or_else(|_| Histogram::new(3).expect("3 digits are valid"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// Value, percentile and count of each step.
    fn table(lines: &[String]) -> Vec<[f64; 3]> {
        let steps = lines.iter().skip(2).filter(|line| !line.starts_with('#'));
        let fields = steps.map(|line| line.split_whitespace().collect::<Vec<_>>());
        let numbers = fields.map(|f| [0, 1, 2].map(|at: usize| f[at].parse().unwrap()));
        numbers.collect()
    }

    #[test]
    fn the_steps_rise_to_all_samples_at_the_longest_time() {
        for (name, run) in fixture::all() {
            let latency = run.document().latency;
            for row in [&latency.response, &latency.service] {
                let table = table(&lines(row));
                assert_eq!(table.is_empty(), row.count == 0, "{name}");
                assert!(table.is_sorted(), "{name}");
                let Some([value, percentile, count]) = table.last() else { continue };
                assert_eq!((*percentile, *count), (1.0, row.count as f64), "{name}");
                let max = row.max_us.unwrap() / 1e3;
                assert!((value - max).abs() <= 0.000_6, "{name}: {value} ms, {max} ms");
            }
        }
    }

    #[test]
    fn the_foot_is_the_one_of_the_other_implementations() {
        // As the Java and C ones print it, of a histogram of 1 ns to an hour with three digits.
        let lines = lines(&fixture::held().document().latency.response);
        assert_eq!(
            lines[lines.len() - 3..],
            [
                "#[Mean    =        0.072, StdDeviation   =        0.064]",
                "#[Max     =        5.480, Total count    =       500000]",
                "#[Buckets =           32, SubBuckets     =         2048]",
            ]
        );
    }

    #[test]
    fn without_samples_there_are_a_head_and_a_foot() {
        let lines = lines(&fixture::empty().document().latency.response);
        assert_eq!(lines.len(), 5);
        assert!(lines[3].ends_with("Total count    =            0]"), "{}", lines[3]);
    }
}
