//! What a search for a ceiling saw, by rate: the hockey stick. Response times lie flat and bend up
//! where the server has no more to give.

use std::cmp::Ordering;

use super::{Axis, Chart, Line, Span, picture, run};
use crate::plan::Threshold;
use crate::report::ceiling::{Ceiling, CeilingDocument};
use crate::report::console::ceiling::{answer_in_words, answer_label};
use crate::report::markdown::capital;

/// A rate, or a number of connections or users, and what was measured there.
struct Place {
    level: f64,
    length: f64,
    good: f64,
    errors: f64,
    p50: Option<f64>,
    p99: Option<f64>,
    p99_9: Option<f64>,
}

/// The charts of a document; without a probe there are none.
pub fn charts(document: &CeilingDocument) -> Vec<Chart> {
    let places = places(&document.ceiling);
    let Some(most) = places.iter().map(|place| place.level).reduce(f64::max) else {
        return Vec::new();
    };
    let ceiling = &document.ceiling;
    let unit = match &*ceiling.over {
        "connections" => "connections",
        "users" => "users",
        _ => "a second, asked for",
    };
    let frame = Frame { ceiling, x: Axis::counts(most, unit) };
    let charts = [
        frame.response(&places, &document.thresholds),
        Some(frame.good(&places)),
        frame.errors(&places),
    ];
    charts.into_iter().flatten().collect()
}

/// `-o ceiling.svg`, and what the PNG is made of.
pub fn picture(document: &CeilingDocument) -> String {
    let (_, answer) = answer_in_words(document);
    let rules = document.thresholds.join(", ");
    let what = format!("{} {} {rules}", document.method, document.url);
    let rest = format!("{} by blast {}", document.started_at, document.blast_version);
    let answer = format!("{}: {answer}", capital(answer_label(document)));
    picture::of_study(&charts(document), None, [&answer, &what, &rest])
}

/// One a level: of several runs at the same one the longest, which is the surest; then the last.
fn places(ceiling: &Ceiling) -> Vec<Place> {
    let probes = ceiling.curve.iter().map(|point| Place {
        level: ceiling.level(point),
        length: point.length_s,
        good: point.good_per_s,
        errors: point.error_share,
        p50: point.p50_us,
        p99: point.p99_us,
        p99_9: point.p99_9_us,
    });
    let pushes = ceiling.failure.iter().flat_map(|failure| {
        failure.curve.iter().chain([&failure.calm]).map(|push| Place {
            level: push.rate_per_s,
            length: 0.0,
            good: push.good_per_s,
            errors: push.error_share,
            p50: push.p50_us,
            p99: push.p99_us,
            p99_9: None,
        })
    });
    let mut all: Vec<Place> = probes.chain(pushes).collect();
    let by_level = |a: &Place, b: &Place| a.level.total_cmp(&b.level);
    all.sort_by(|a, b| by_level(a, b).then(b.length.total_cmp(&a.length)));
    all.dedup_by(|later, kept| by_level(later, kept) == Ordering::Equal);
    all
}

struct Frame<'a> {
    ceiling: &'a Ceiling,
    x: Axis,
}

impl Frame<'_> {
    fn response(&self, places: &[Place], rules: &[String]) -> Option<Chart> {
        let line = |name, class, of: fn(&Place) -> Option<f64>| line(name, class, places, of);
        let mut lines = vec![
            line("p99.9", "c4", |place| place.p99_9),
            line("p99", "c3", |place| place.p99),
            line("p50", "c1", |place| place.p50),
        ];
        lines.retain(|line| line.points.iter().any(Option::is_some));
        lines.extend(lines.iter().map(Line::dots).collect::<Vec<_>>());
        lines.extend(rules.iter().filter_map(|rule| self.limit(rule)));
        let y = Axis::latency(run::lowest(&lines)?, run::highest(&lines));
        let note = "By what was asked for, on a log scale: flat while the server keeps up. The \
                    dashed lines are the thresholds; the ceiling lies in the shaded stretch.";
        Some(self.chart("Response time", note, y, lines))
    }

    /// A threshold of a latency, from side to side.
    fn limit(&self, rule: &str) -> Option<Line> {
        let threshold = Threshold::parse(rule).ok()?;
        let is_drawn = threshold.is_latency() && threshold.name().is_none();
        is_drawn.then(|| Line {
            name: rule.to_string().into(),
            class: "c0 dashed",
            filled: false,
            points: [self.x.low(), self.x.high()].map(|x| Some((x, threshold.limit()))).into(),
        })
    }

    fn good(&self, places: &[Place]) -> Chart {
        let good = line("good answers", "c2", places, |place| Some(place.good));
        let mut lines = vec![Line { filled: true, ..good.clone() }, good.dots()];
        if self.ceiling.is_number() {
            let note = "Where it is flat, more of them get no more answers, and each waits longer.";
            let y = Axis::counts(run::highest(&lines), "/s");
            return self.chart("Good answers", note, y, lines);
        }
        lines.insert(1, line("asked for", "c0 dashed", places, |place| Some(place.level)));
        if let Some(burst) = self.ceiling.burst_per_s {
            let points = [self.x.low(), self.x.high()].map(|x| Some((x, burst))).into();
            let name = "closed loop".into();
            lines.push(Line { name, class: "c5 dashed", filled: false, points });
        }
        let y = Axis::counts(run::highest(&lines), "/s");
        let note = "Where the line leaves the dashed one, the server answered less than was asked \
                    of it. Closed loop: what it answered when each connection waited for it.";
        self.chart("Good answers", note, y, lines)
    }

    fn errors(&self, places: &[Place]) -> Option<Chart> {
        let errors = line("errors", "c4", places, |place| Some(place.errors * 100.0));
        let lines = vec![Line { filled: true, ..errors.clone() }, errors.dots()];
        let highest = run::highest(&lines);
        let note = "Of the requests that were due (above the ceiling: that were sent), in percent.";
        (highest > 0.0).then(|| self.chart("Errors", note, Axis::counts(highest, " %"), lines))
    }

    fn chart(&self, title: &'static str, note: &'static str, y: Axis, lines: Vec<Line>) -> Chart {
        let ceiling = self.ceiling;
        let (low, high) = ceiling.ends();
        let bracket = low.zip(high);
        let bracket = bracket.map(|(from, to)| Span { name: "ceiling".into(), from, to });
        let collapse = ceiling.collapse_per_s;
        let collapse =
            collapse.map(|from| Span { name: "collapse".into(), from, to: self.x.high() });
        let ends = [low, high, collapse.as_ref().map(|span| span.from)];
        Chart {
            title,
            note,
            x: self.x.clone(),
            y,
            spans: bracket.into_iter().chain(collapse).collect(),
            bounds: ends.into_iter().flatten().collect(),
            marks: Vec::new(),
            lines,
            cells: Vec::new(),
            columns: Vec::new(),
        }
    }
}

fn line(
    name: &'static str,
    class: &'static str,
    places: &[Place],
    of: impl Fn(&Place) -> Option<f64>,
) -> Line {
    let points = places.iter().map(|place| of(place).map(|value| (place.level, value)));
    // A quantile that a sample does not support is no gap between its neighbours.
    let points = points.filter(Option::is_some).collect();
    Line { name: name.into(), class, filled: false, points }
}
