//! A ladder's steps side by side: what was asked and what came, how long it took, what went wrong.

use maud::{Markup, html};

use super::{Axis, Chart, Line, Span, picture, run};
use crate::report::console::ladder::{HEAD, answer_in_words, cells};
use crate::report::ladder::{LadderDocument, Step};

/// Rows that the table of the picture has room for.
const MOST_ROWS: usize = 13;

/// Where its columns end.
const COLUMNS: [f64; 8] = [76.0, 142.0, 208.0, 266.0, 324.0, 382.0, 440.0, 450.0];
const ROW: f64 = 18.0;

pub fn charts(document: &LadderDocument) -> Vec<Chart> {
    if document.steps.is_empty() {
        return Vec::new();
    }
    let charts = [Some(throughput(document)), response(document), Some(errors(document))];
    charts.into_iter().flatten().collect()
}

/// `-o stress_test_results.png`, as SVG: the charts and the table.
pub fn picture(document: &LadderDocument) -> String {
    let (_, answer) = answer_in_words(document);
    let rules = document.thresholds.join(", ");
    let what = format!("{} {} {rules}", document.method, document.url);
    let rest = format!("{} by blast {}", document.started_at, document.blast_version);
    let answer = format!("Holds: {answer}");
    picture::of_study(&charts(document), Some(&table(document)), [&answer, &what, &rest])
}

fn throughput(document: &LadderDocument) -> Chart {
    let good = line(document, "good answers", "c2", |step| Some(step.good_per_s));
    let asked = line(document, "asked for", "c0 dashed", |step| Some(step.asked_per_s));
    let sent = line(document, "sent", "c1", |step| Some(step.sent_per_s));
    let dots = [good.dots(), asked.dots()];
    let mut lines = vec![Line { filled: true, ..good }, sent, asked];
    lines.extend(dots);
    let y = Axis::counts(run::highest(&lines), "/s");
    let note = "Requests a second, step by step. Where the lines part, the server did not keep up.";
    chart(document, "Rate asked for and good answers", note, y, lines)
}

fn response(document: &LadderDocument) -> Option<Chart> {
    let mut lines = vec![
        line(document, "p99", "c3", |step| step.p99_us),
        line(document, "p95", "c5", |step| step.p95_us),
        line(document, "p50", "c1", |step| step.p50_us),
    ];
    lines.retain(|line| line.points.iter().any(Option::is_some));
    lines.extend(lines.iter().map(Line::dots).collect::<Vec<_>>());
    let y = Axis::latency(run::lowest(&lines)?, run::highest(&lines));
    let note = "From when each request was due, on a log scale.";
    Some(chart(document, "Response time", note, y, lines))
}

fn errors(document: &LadderDocument) -> Chart {
    let errors = line(document, "errors", "c4", |step| Some(step.error_share * 100.0));
    let dots = errors.dots();
    let lines = vec![Line { filled: true, ..errors }, dots];
    let y = Axis::counts(run::highest(&lines), " %");
    let note = "Of the requests that were due, in percent.";
    chart(document, "Errors", note, y, lines)
}

fn chart(
    document: &LadderDocument,
    title: &'static str,
    note: &'static str,
    y: Axis,
    lines: Vec<Line>,
) -> Chart {
    let names = document.steps.iter().map(|step| step.name.clone());
    let failing = document.steps.iter().zip(1..).filter(|(step, _)| step.fails());
    let half = |at: i32| (f64::from(at) - 0.5, f64::from(at) + 0.5);
    let spans = failing.map(|(step, at)| {
        let (from, to) = half(at);
        let name = if step.outcome == "fails" { "fails" } else { "no verdict" };
        Span { name: name.into(), from, to }
    });
    Chart {
        title,
        note,
        x: Axis::names(names, "step"),
        y,
        spans: spans.collect(),
        bounds: Vec::new(),
        marks: Vec::new(),
        lines,
        cells: Vec::new(),
        columns: Vec::new(),
    }
}

fn line(
    document: &LadderDocument,
    name: &'static str,
    class: &'static str,
    of: impl Fn(&Step) -> Option<f64>,
) -> Line {
    let steps = document.steps.iter().zip(1..);
    let points = steps.map(|(step, at)| of(step).map(|value| (f64::from(at), value)));
    Line { name: name.into(), class, filled: false, points: points.collect() }
}

/// The comparison as text of the picture.
fn table(document: &LadderDocument) -> Markup {
    let rows = document.steps.iter().take(MOST_ROWS);
    let more = document.steps.len().saturating_sub(MOST_ROWS);
    let row = |cells: &[String; 9], y: f64, class: Option<&str>| {
        // `sent` stands in the chart.
        let shown = cells.iter().enumerate().filter(|(at, _)| *at != 2).map(|(_, cell)| cell);
        let shown: Vec<_> = shown.zip(COLUMNS).zip(0..).collect();
        html! { @for ((cell, x), at) in shown {
            @let anchor = if at == 0 || at == 7 { "start" } else { "end" };
            text class=[class] x=(if at == 0 { 0.0 } else { x }) y=(y) text-anchor=(anchor) { (cell) }
        } }
    };
    html! {
        text class="title" x="0" y="18" { "Steps" }
        (row(&HEAD.map(str::to_string), 46.0, Some("unit")))
        @for (step, at) in rows.zip(1..) {
            (row(&cells(step), 46.0 + f64::from(at) * ROW, None))
        }
        @if more > 0 {
            text class="unit" x="0" y=(46.0 + (MOST_ROWS + 1) as f64 * ROW) { "and " (more) " more" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_step_without_a_quantile_is_a_gap_in_its_line() {
        let mut document = fixture::ladder();
        document.steps[2].p99_us = None;
        let chart = response(&document).expect("other steps have one");
        let line = chart.lines.iter().find(|line| line.name == "p99").expect("its line");
        let places: Vec<bool> = line.points.iter().map(Option::is_some).collect();
        assert_eq!(places, [false, true, false, true]);
        let drawn = chart.svg().into_string();
        let path = drawn.split("class=\"c3\" d=\"").nth(1).and_then(|rest| rest.split('"').next());
        assert!(path.is_some_and(|path| !path.contains('L')), "{path:?}");
    }
}
