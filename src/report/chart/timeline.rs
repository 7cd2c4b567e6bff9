//! The figures of saved runs, run after run, with the levels between the changes that were found.

use super::{Axis, Chart, Line, picture, run};
use crate::report::console::text::Tone;
use crate::report::console::trend::{findings, subject};
use crate::report::number::count;
use crate::report::trend::{TrendDocument, TrendFigure};

/// Numbers of runs along the axis at most.
const MOST_TICKS: usize = 8;

/// One a figure that was known of some run.
pub fn charts(document: &TrendDocument) -> Vec<Chart> {
    document.figures.iter().map(|figure| chart(document, figure)).collect()
}

/// `-o trend.png`, as SVG.
pub fn picture(document: &TrendDocument) -> String {
    let rest = format!("{} runs by blast {}", document.runs.len(), document.blast_version);
    let head = [&*answer(document), &*subject(document), &*rest];
    picture::of_study(&charts(document), None, head)
}

/// In a line: what changed.
pub fn answer(document: &TrendDocument) -> String {
    let moves = |figure: &&TrendFigure| !figure.steps.is_empty() || figure.drift.is_some();
    let changed: Vec<String> = document
        .figures
        .iter()
        .filter(moves)
        .map(|figure| match figure.steps.last() {
            Some(step) => format!(
                "{} {} from run {}",
                figure.called(),
                if step.worse { "worse" } else { "better" },
                step.run
            ),
            None => format!("{} drifts", figure.called()),
        })
        .collect();
    let judged = document.figures.iter().any(|figure| figure.course != "unknown");
    match changed.is_empty() {
        false => changed.join(", "),
        true if judged => "No more change than chance makes".to_string(),
        true => format!(
            "{} runs, too few to judge: from {} on",
            count(document.runs.len() as u64),
            document.test.least_runs
        ),
    }
}

fn chart(document: &TrendDocument, figure: &TrendFigure) -> Chart {
    // Percent are read easier than shares.
    let scale = if figure.unit == "share" { 100.0 } else { 1.0 };
    let mut lines = vec![runs(document, figure, scale)];
    lines.extend(level(document, figure, scale));
    lines.extend(baseline(document, figure, scale));
    let highest = run::highest(&lines);
    let lowest = run::lowest(&lines).unwrap_or(highest);
    let (title, note) = words(&figure.name);
    let y = match figure.unit.as_str() {
        "us" => Axis::times(lowest, highest),
        "share" => Axis::counts(highest, " %"),
        _ => Axis::around(lowest, highest),
    };
    let places = figure.steps.iter().filter_map(|step| document.place(step.run));
    Chart {
        title,
        note,
        x: numbers(document),
        y,
        spans: Vec::new(),
        marks: Vec::new(),
        bounds: places.map(|place| place as f64 + 0.5).collect(),
        lines,
        cells: Vec::new(),
        columns: Vec::new(),
    }
}

/// A dot each.
fn runs(document: &TrendDocument, figure: &TrendFigure, scale: f64) -> Line {
    let values = figure.values(document).zip(1..);
    let points = values.map(|(value, at)| value.map(|value| (f64::from(at), value * scale)));
    let line = Line { name: "".into(), class: "c1", filled: false, points: points.collect() };
    Line { name: "each run".into(), ..line.dots() }
}

/// The medians between the changes, or the line of a drift.
fn level(document: &TrendDocument, figure: &TrendFigure, scale: f64) -> Option<Line> {
    let last = document.runs.len() as f64;
    let places = figure.steps.iter().filter_map(|step| document.place(step.run));
    let cuts: Vec<f64> = places.map(|place| place as f64 + 0.5).collect();
    let points = match (&figure.drift, figure.steps.first()) {
        (Some(drift), _) => vec![Some((1.0, drift.first)), Some((last, drift.last))],
        (None, Some(first)) => {
            let levels =
                [first.before].into_iter().chain(figure.steps.iter().map(|step| step.after));
            let ends = cuts.iter().copied().chain([last]);
            let begins = [1.0].into_iter().chain(cuts.iter().copied());
            let stretches = begins.zip(ends).zip(levels);
            stretches
                .flat_map(|((from, to), level)| [Some((from, level)), Some((to, level)), None])
                .collect()
        }
        (None, None) if figure.course == "steady" => {
            vec![Some((1.0, figure.median)), Some((last, figure.median))]
        }
        (None, None) => return None,
    };
    let worse = findings(figure).iter().any(|(tone, _)| *tone == Tone::Bad);
    let points = points.into_iter().map(|point| point.map(|(x, y)| (x, y * scale)));
    let class = if worse { "c4" } else { "c2" };
    Some(Line { name: "level".into(), class, filled: false, points: points.collect() })
}

/// Through the run that others are judged by.
fn baseline(document: &TrendDocument, figure: &TrendFigure, scale: f64) -> Option<Line> {
    let place = document.runs.iter().position(|run| run.is_baseline)?;
    let value = figure.values(document).nth(place)?? * scale;
    let last = document.runs.len() as f64;
    Some(Line {
        name: "baseline".into(),
        class: "c0 dashed",
        filled: false,
        points: vec![Some((1.0, value)), Some((last, value))],
    })
}

/// Some of the runs by their numbers.
fn numbers(document: &TrendDocument) -> Axis {
    let every = document.runs.len().div_ceil(MOST_TICKS).max(1);
    let mut axis = Axis::names(document.runs.iter().map(|run| run.id.to_string()), "run");
    let mut place = 0;
    axis.ticks.retain(|_| {
        place += 1;
        (place - 1) % every == 0
    });
    axis
}

fn words(name: &str) -> (&'static str, &'static str) {
    match name {
        "p95_us" => {
            ("p95", "Of the response times of each run. The scale need not begin at nothing.")
        }
        "good_per_s" => (
            "Good answers per second",
            "On average over each run. The scale need not begin at nothing.",
        ),
        "error_share" => ("Errors", "Of the requests of each run, in percent."),
        _ => (
            "Processor time of the server",
            "Of a request, where the server ran on the host of the load. The scale need not begin \
             at nothing.",
        ),
    }
}
