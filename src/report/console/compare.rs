//! The page of `blast compare`: what makes the runs hard to compare first, then each figure of each,
//! then how each run differs from the first.

use super::PageOptions;
use super::table::{Row, fits, write};
use super::text::{Sheet, Tone};
use crate::report::comparison::{Comparison, Difference, Metric, Rule, Run, Target, Value};
use crate::report::number::{cell, exact_percent, per_second, percent, seconds};
use crate::units::format_count;

pub fn page(document: &Comparison, options: &PageOptions) -> String {
    let mut sheet = Sheet::new(options);
    for run in &document.runs {
        sheet.labelled(&run.label, Tone::Plain, &what_ran(run));
    }
    for caveat in &document.warnings {
        sheet.labelled("warning", Tone::Doubtful, &caveat.text);
    }
    sheet.gap();
    values(&mut sheet, document);
    for (at, run) in document.runs.iter().enumerate().skip(1) {
        sheet.gap();
        differences(&mut sheet, document, at - 1, run);
    }
    sheet.gap();
    sheet.indented(0, Tone::Aside, &method(document));
    rules(&mut sheet, document);
    targets(&mut sheet, document);
    sheet.finish()
}

/// How sure the intervals are, and of what.
pub(in crate::report) fn method(document: &Comparison) -> String {
    format!(
        "intervals of {} from each run's own histogram and seconds; what changes from run to run \
         they cannot know: for that, run in turns (`blast ab`)",
        percent(document.confidence)
    )
}

fn what_ran(run: &Run) -> String {
    let load = run.rps.map(|rps| format!(" at {}/s", per_second(rps))).unwrap_or_default();
    format!(
        "{}: {} {}, {} loop, {} connections, {}{load}",
        run.file,
        run.method,
        run.url,
        run.mode,
        run.connections,
        seconds(run.duration_s)
    )
}

/// A column a run, as many side by side as there is room for.
fn values(sheet: &mut Sheet, document: &Comparison) {
    let mut from = 0;
    while from < document.runs.len() {
        let table = |to: usize| table(document, from, to);
        let mut to = document.runs.len();
        while to > from + 1 && !fits(sheet.width(), &table(to), 2) {
            to -= 1;
        }
        write(sheet, &table(to), 2);
        from = to;
    }
}

fn table(document: &Comparison, from: usize, to: usize) -> Vec<Row> {
    let runs = &document.runs[from..to];
    let of = |cell: fn(&Run) -> String| runs.iter().map(cell).collect();
    let mut rows = vec![Row { label: String::new(), cells: of(|run| run.label.clone()) }];
    rows.extend(document.metrics.iter().map(|metric| Row {
        label: in_words(&metric.name).to_string(),
        cells: metric.values[from..to].iter().map(|value| reading(value, &metric.unit)).collect(),
    }));
    if runs.iter().any(|run| run.grade.is_some()) {
        let cells = of(|run| run.grade.clone().unwrap_or_else(|| "-".to_string()));
        rows.push(Row { label: "grade".to_string(), cells });
    }
    rows.push(Row { label: "limit".to_string(), cells: of(|run| run.verdict.clone()) });
    rows
}

/// The names of the figures; quantiles are called as they are.
pub(in crate::report) fn in_words(metric: &str) -> &str {
    match metric {
        "offered_per_s" => "offered/s",
        "good_per_s" => "good/s",
        "cpu_us_per_request" => "client CPU",
        "server_us_per_request" => "server CPU",
        other => other,
    }
}

pub(in crate::report) fn reading(value: &Option<Value>, unit: &str) -> String {
    let Some(value) = value else { return "-".to_string() };
    let bound = if value.lower_bound { ">=" } else { "" };
    format!("{bound}{}", shown(value.value, unit))
}

pub(in crate::report) fn shown(value: f64, unit: &str) -> String {
    match unit {
        "us" => cell(value),
        "share" => exact_percent(value),
        _ => per_second(value),
    }
}

fn differences(sheet: &mut Sheet, document: &Comparison, at: usize, run: &Run) {
    let cells = ["change", "percent", "interval of 95 %", ""].map(str::to_string).to_vec();
    let mut rows = vec![Row { label: format!("{} against A", run.label), cells }];
    let all =
        document.metrics.iter().filter_map(|metric| Some((metric, metric.differences.get(at)?)));
    let known = all.filter(|(_, difference)| difference.absolute.is_some());
    rows.extend(known.clone().map(|(metric, difference)| Row {
        label: in_words(&metric.name).to_string(),
        cells: vec![
            absolute(difference, &metric.unit),
            in_percent(difference),
            interval(difference, &metric.unit),
            meaning(metric, difference).0.to_string(),
        ],
    }));
    let gap = if fits(sheet.width(), &rows, 2) { 2 } else { 1 };
    write(sheet, &rows, gap);
    let unknown = document.metrics.iter().filter(|metric| {
        metric.differences.get(at).is_some_and(|difference| difference.absolute.is_none())
    });
    let names: Vec<&str> = unknown.map(|metric| in_words(&metric.name)).collect();
    if !names.is_empty() {
        let text = format!("not known of both: {}", names.join(", "));
        sheet.indented(0, Tone::Aside, &text);
    }
}

/// With its sign; `>=`: that or more.
pub(in crate::report) fn absolute(difference: &Difference, unit: &str) -> String {
    let bound = if difference.lower_bound { ">=" } else { "" };
    let value = difference.absolute.map_or("-".to_string(), |value| signed(value, unit));
    format!("{bound}{value}")
}

pub(in crate::report) fn in_percent(difference: &Difference) -> String {
    difference.percent.map_or("-".to_string(), |percent| in_points(&[points(percent)]))
}

/// In percent of the first, or where there is none, in the unit.
pub(in crate::report) fn interval(difference: &Difference, unit: &str) -> String {
    let end = |end: Option<f64>, show: &dyn Fn(f64) -> String| end.map_or("?".to_string(), show);
    match (difference.low, difference.high) {
        (None, None) => "-".to_string(),
        (low, high) if difference.percent.is_none() || unit == "share" => {
            let show = |value: f64| signed(value, unit);
            format!("{} to {}", end(low, &show), end(high, &show))
        }
        _ => {
            let (low, high) = (difference.percent_low, difference.percent_high);
            in_points(&[end(low, &points), end(high, &points)])
        }
    }
}

/// What a difference comes to, in words.
pub(in crate::report) fn meaning(metric: &Metric, difference: &Difference) -> (&'static str, Tone) {
    let rises = difference.absolute.is_some_and(|value| value > 0.0);
    match (difference.significant, metric.better.as_deref()) {
        _ if difference.absolute == Some(0.0) => ("the same", Tone::Plain),
        (None, None) => ("as it was asked for", Tone::Plain),
        (None, _) => ("how sure is not known", Tone::Plain),
        (Some(false), _) => ("no significant difference", Tone::Plain),
        (Some(true), Some("lower")) if rises => ("worse", Tone::Bad),
        (Some(true), Some("higher")) if !rises => ("worse", Tone::Bad),
        (Some(true), Some(_)) => ("better", Tone::Good),
        (Some(true), None) => (if rises { "more" } else { "less" }, Tone::Plain),
    }
}

fn signed(value: f64, unit: &str) -> String {
    format!("{}{}", sign(value), shown(value.abs(), unit))
}

/// A percentage with two digits behind the point where it is small, and its sign; from ten times as
/// much on, how many times: `x158k`.
pub(in crate::report) fn points(percent: f64) -> String {
    let size = percent.abs();
    if size >= TIMES {
        return format!("x{}", format_count(1.0 + percent / 100.0));
    }
    let digits = if size < 10.0 { 2 } else { usize::from(size < 100.0) };
    format!("{}{size:.digits$}", sign(percent))
}

const TIMES: f64 = 900.0;

pub(in crate::report) fn in_points(points: &[String]) -> String {
    let unit = if points.iter().all(|point| point.starts_with(['x', '?'])) { "" } else { " %" };
    format!("{}{unit}", points.join(" to "))
}

fn sign(value: f64) -> &'static str {
    match value {
        value if value > 0.0 => "+",
        value if value < 0.0 => "-",
        _ => "",
    }
}

fn rules(sheet: &mut Sheet, document: &Comparison) {
    for rule in &document.rules {
        let (tone, outcome) = outcome(rule);
        let text = format!("{} in {}: {outcome}", rule.expr, rule.run);
        sheet.labelled("fail if", tone, &text);
    }
}

pub(in crate::report) fn outcome(rule: &Rule) -> (Tone, &'static str) {
    match (rule.failed, rule.beyond, rule.significant) {
        (true, ..) => (Tone::Bad, "FAILED: the change is beyond it, and significant"),
        (_, Some(false), _) => (Tone::Good, "ok"),
        (_, Some(true), Some(false)) => {
            (Tone::Doubtful, "ok: the change is beyond it, but not significant")
        }
        _ => (Tone::Doubtful, "not known: the runs do not say how sure the change is"),
    }
}

fn targets(sheet: &mut Sheet, document: &Comparison) {
    if document.targets.is_empty() {
        return;
    }
    sheet.gap();
    let last = document.runs.last().map_or("", |run| run.label.as_str());
    let head = vec!["before (A)".to_string(), format!("after ({last})")];
    let head = head.into_iter().chain(["target", "reached"].map(str::to_string)).collect();
    let mut rows = vec![Row { label: String::new(), cells: head }];
    rows.extend(document.targets.iter().map(|target| Row {
        label: in_words(&target.metric).to_string(),
        cells: target_cells(target).to_vec(),
    }));
    write(sheet, &rows, 2);
}

/// Before, after, target, reached.
pub(in crate::report) fn target_cells(target: &Target) -> [String; 4] {
    let value = |value: Option<f64>| value.map_or("-".to_string(), |v| shown(v, &target.unit));
    let bound = if target.lower_bound { ">=" } else { "" };
    let reached = match target.reached {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not known",
    };
    [
        value(target.before),
        format!("{bound}{}", value(target.after)),
        shown(target.target, &target.unit),
        reached.to_string(),
    ]
}
