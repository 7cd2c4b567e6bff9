//! The distribution of the latencies on its long tail: an equal step for each further nine.

use std::borrow::Cow;

use hdrhistogram::Histogram;

use super::run::{highest, lowest};
use super::{Axis, Chart, Line};
use crate::report::comparison::{Comparison, Distribution};
use crate::report::document::{Latency, is_exact};
use crate::report::{Document, hgrm};

/// As far as the axis goes: 99.999 %.
const MOST_NINES: f64 = 5.0;

/// Points a nine.
const POINTS: u32 = 40;

/// So many samples must lie above a quantile for it to be told.
const SUPPORT: f64 = 5.0;

/// The colours of runs over each other: what is known, and what is a lower bound.
const COLORS: [(&str, &str); 6] = [
    ("c1", "c1 dashed"),
    ("c3", "c3 dashed"),
    ("c2", "c2 dashed"),
    ("c5", "c5 dashed"),
    ("c4", "c4 dashed"),
    ("c0", "c0 dashed"),
];

pub fn chart(document: &Document) -> Option<Chart> {
    let latency = &document.latency;
    let response = Samples::of(&latency.response);
    let nines = response.nines()?;
    let (name, bound) = match document.is_open_loop() {
        true => ("response", "response ≥"),
        false => ("service", "service ≥"),
    };
    let mut lines = [line(name, "c1", &response, true), line(bound, "c4 dashed", &response, false)];
    let mut lines: Vec<Line> = match document.is_open_loop() {
        true => {
            let service = line("service", "c2", &Samples::of(&latency.service), true);
            let lag = line("send lag", "c5", &Samples::of(&latency.send_lag), true);
            let [known, bound] = lines;
            vec![known, bound, service, lag]
        }
        false => lines.as_mut_slice().to_vec(),
    };
    lines.retain(|line| !line.points.is_empty());
    drawn("Latency distribution", NOTE, nines, lines)
}

/// Those of saved runs over each other, as far as the one with the most samples goes.
pub fn of_runs(comparison: &Comparison) -> Option<Chart> {
    let (mut most, mut lines) = (None, Vec::new());
    for (run, (known, bound)) in comparison.runs.iter().zip(COLORS.into_iter().cycle()) {
        let Some(samples) = run.response.as_ref().map(Samples::saved) else { continue };
        most = samples.nines().into_iter().chain(most).reduce(f64::max);
        lines.push(line(run.label.clone(), known, &samples, true));
        lines.push(line(format!("{} ≥", run.label), bound, &samples, false));
    }
    lines.retain(|line| !line.points.is_empty());
    drawn("Response times of the runs", NOTE, most?, lines)
}

const NOTE: &str = "How long the slowest tenth, hundredth, thousandth ... took: each further nine has \
    the same width, time is on a log scale. It ends where fewer than five samples lie above.";

fn drawn(title: &'static str, note: &'static str, nines: f64, lines: Vec<Line>) -> Option<Chart> {
    let y = Axis::latency(lowest(&lines)?, highest(&lines));
    Some(Chart {
        title,
        note,
        x: Axis::tail(nines),
        y,
        spans: Vec::new(),
        bounds: Vec::new(),
        marks: Vec::new(),
        lines,
        cells: Vec::new(),
        columns: Vec::new(),
    })
}

/// What a line is drawn of.
struct Samples {
    count: u64,
    censored: u64,
    histogram: Histogram<u64>,
}

impl Samples {
    fn of(row: &Latency) -> Samples {
        Samples { count: row.count, censored: row.censored, histogram: hgrm::decoded(row) }
    }

    fn saved(row: &Distribution) -> Samples {
        let Distribution { count, censored, hdr } = row;
        Samples { count: *count, censored: *censored, histogram: hgrm::histogram(hdr) }
    }

    /// How many nines there are samples for.
    fn nines(&self) -> Option<f64> {
        let nines = (self.count as f64 / SUPPORT).log10().min(MOST_NINES);
        (nines > 0.0).then_some(nines)
    }
}

/// The part that is known, or the one of which only lower bounds are.
fn line(
    name: impl Into<Cow<'static, str>>,
    class: &'static str,
    samples: &Samples,
    known: bool,
) -> Line {
    let Samples { count, censored, histogram } = samples;
    let nines = samples.nines().filter(|_| !histogram.is_empty()).unwrap_or(-1.0);
    let steps = (0..=(nines * f64::from(POINTS)).floor().max(-1.0) as i64).map(|step| step as f64);
    let ends = (nines > 0.0).then_some(nines);
    let places = steps.map(|step| step / f64::from(POINTS)).chain(ends);
    let points = places.filter_map(|nines| {
        let quantile = 1.0 - 10f64.powf(-nines);
        let us = histogram.value_at_quantile(quantile) as f64 / 1e3;
        (is_exact(quantile, *count, *censored) == known).then_some(Some((nines, us)))
    });
    Line { name: name.into(), class, filled: false, points: points.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_line_passes_through_the_document_s_quantiles() {
        for run in [fixture::held(), fixture::mixed(), fixture::behind()] {
            let document = run.document();
            let row = &document.latency.service;
            let points = line("service", "c2", &Samples::of(row), true).points;
            for (nines, us) in [(1.0, row.p90_us), (2.0, row.p99_us), (3.0, row.p99_9_us)] {
                let point = points.iter().flatten().find(|(at, _)| (at - nines).abs() < 1e-9);
                let Some((_, found)) = point else { continue };
                let us = us.unwrap();
                assert!((found - us).abs() <= us * 2e-3, "{nines}: {found} {us}");
            }
        }
    }

    #[test]
    fn beyond_the_good_answers_the_line_is_a_lower_bound() {
        let chart = chart(&fixture::mixed().document()).unwrap();
        let names: Vec<_> = chart.lines.iter().map(|line| &*line.name).collect();
        assert_eq!(names, ["response", "response ≥", "service", "send lag"]);
        let known = chart.lines[0].points.last().unwrap().unwrap().0;
        let bound = chart.lines[1].points[0].unwrap().0;
        let exact_up_to = fixture::mixed().document().latency.response.exact_up_to;
        let end = -(1.0 - exact_up_to).log10();
        assert!(known <= end + 1e-6 && bound >= end - 1e-6, "{known} {end} {bound}");
    }

    #[test]
    fn without_samples_there_is_no_chart() {
        assert!(chart(&fixture::empty().document()).is_none());
    }
}
