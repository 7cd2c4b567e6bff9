//! The distribution of the latencies on its long tail: an equal step for each further nine.

use super::run::{highest, lowest};
use super::{Axis, Chart, Line};
use crate::report::document::Latency;
use crate::report::{Document, hgrm};

/// As far as the axis goes: 99.999 %.
const MOST_NINES: f64 = 5.0;

/// Points a nine.
const POINTS: u32 = 40;

/// So many samples must lie above a quantile for it to be told.
const SUPPORT: f64 = 5.0;

pub fn chart(document: &Document) -> Option<Chart> {
    let latency = &document.latency;
    let nines = supported(&latency.response)?;
    let (name, bound) = match document.is_open_loop() {
        true => ("response", "response ≥"),
        false => ("service", "service ≥"),
    };
    let mut lines = [
        line(name, "c1", &latency.response, true),
        line(bound, "c4 dashed", &latency.response, false),
    ];
    let mut lines: Vec<Line> = match document.is_open_loop() {
        true => {
            let service = line("service", "c2", &latency.service, true);
            let [known, bound] = lines;
            vec![known, bound, service, line("send lag", "c5", &latency.send_lag, true)]
        }
        false => lines.as_mut_slice().to_vec(),
    };
    lines.retain(|line| !line.points.is_empty());
    let y = Axis::latency(lowest(&lines)?, highest(&lines));
    Some(Chart {
        title: "Latency distribution",
        note: "How long the slowest tenth, hundredth, thousandth ... took: each further nine has \
               the same width, time is on a log scale. It ends where fewer than five samples lie \
               above.",
        x: Axis::tail(nines),
        y,
        spans: Vec::new(),
        bounds: Vec::new(),
        lines,
        cells: Vec::new(),
        columns: Vec::new(),
    })
}

/// How many nines there are samples for.
fn supported(row: &Latency) -> Option<f64> {
    let nines = (row.count as f64 / SUPPORT).log10().min(MOST_NINES);
    (nines > 0.0).then_some(nines)
}

/// The part that is known, or the one of which only lower bounds are.
fn line(name: &'static str, class: &'static str, row: &Latency, known: bool) -> Line {
    let histogram = hgrm::decoded(row);
    let nines = supported(row).filter(|_| !histogram.is_empty()).unwrap_or(-1.0);
    let steps = (0..=(nines * f64::from(POINTS)).floor().max(-1.0) as i64).map(|step| step as f64);
    let ends = (nines > 0.0).then_some(nines);
    let places = steps.map(|step| step / f64::from(POINTS)).chain(ends);
    let points = places.filter_map(|nines| {
        let quantile = 1.0 - 10f64.powf(-nines);
        let us = histogram.value_at_quantile(quantile) as f64 / 1e3;
        (row.is_exact(quantile) == known).then_some(Some((nines, us)))
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
            let points = line("service", "c2", row, true).points;
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
