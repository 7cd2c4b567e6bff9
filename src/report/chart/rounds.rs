//! Two servers in turns: their quantiles over each other, and both of them round by round.

use super::run::{highest, lowest};
use super::{Axis, Chart, Line};
use crate::report::ab::{AbDocument, Metric, Round, Side};

/// The quantiles that its figures have, by how many nines they are.
const QUANTILES: [(&str, f64); 5] =
    [("p50", LOG_2), ("p90", 1.0), ("p95", 1.0 + LOG_2), ("p99", 2.0), ("p99.9", 3.0)];

const LOG_2: f64 = std::f64::consts::LOG10_2;

/// The medians of the rounds, on the long tail.
pub fn of_sides(document: &AbDocument) -> Option<Chart> {
    let known = QUANTILES.iter().filter_map(|(name, nines)| {
        let metric = document.metrics.iter().find(|metric| metric.name == *name)?;
        Some((*nines, metric))
    });
    let known: Vec<(f64, &Metric)> = known.collect();
    let (most, _) = known.last().filter(|_| known.len() > 1)?;
    let side = |name: &'static str, class, of: fn(&Metric) -> f64| {
        let points = known.iter().map(|(nines, metric)| Some((*nines, of(metric)))).collect();
        Line { name: name.into(), class, filled: false, points }
    };
    let lines = vec![side("A", "c1", |metric| metric.a), side("B", "c3", |metric| metric.b)];
    let chart = chart(
        "Response times of both",
        "The quantiles that every round has, each the median of its rounds: each further nine has \
         the same width, time is on a log scale.",
        Axis::tail(most.max(1.0)),
        Axis::latency(lowest(&lines)?, highest(&lines)),
    );
    Some(Chart { lines, ..chart })
}

/// What each round measured of both.
pub fn of_rounds(document: &AbDocument) -> Vec<Chart> {
    const NOTE: &str = "Round by round: what both lines share was of the host, and drops out; the \
                        scale need not begin at nothing.";
    type Read = fn(&Side) -> Option<f64>;
    type Scale = fn(f64, f64) -> Axis;
    let charts: [(&str, Read, Scale); 3] = [
        ("Good answers per second", |side| Some(side.good_per_s), Axis::around),
        ("p50", |side| side.p50_us, Axis::times),
        ("p99", |side| side.p99_us, Axis::times),
    ];
    let rounds = &document.rounds;
    let drawn = charts.into_iter().filter_map(|(title, read, scale)| {
        let lines = vec![
            line("A", "c1", rounds, |round| read(&round.a)),
            line("B", "c3", rounds, |round| read(&round.b)),
        ];
        let y = scale(lowest(&lines)?, highest(&lines));
        let x = Axis::counts(rounds.len() as f64, "round");
        Some(Chart { lines, ..chart(title, NOTE, x, y) })
    });
    drawn.collect()
}

fn line(
    name: &'static str,
    class: &'static str,
    rounds: &[Round],
    read: impl Fn(&Round) -> Option<f64>,
) -> Line {
    let point = |(at, round): (usize, &Round)| Some(((at + 1) as f64, read(round)?));
    let points = rounds.iter().enumerate().map(point).collect();
    Line { name: name.into(), class, filled: false, points }
}

fn chart(title: &'static str, note: &'static str, x: Axis, y: Axis) -> Chart {
    Chart {
        title,
        note,
        x,
        y,
        spans: Vec::new(),
        bounds: Vec::new(),
        marks: Vec::new(),
        lines: Vec::new(),
        cells: Vec::new(),
        columns: Vec::new(),
    }
}
