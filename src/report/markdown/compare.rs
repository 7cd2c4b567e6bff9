//! A comparison for a pull request.

use super::{plain, row};
use crate::report::comparison::{Comparison, Metric, Run};
use crate::report::console::compare::{
    absolute, in_percent, in_words, interval, meaning, reading, target_cells,
};

pub fn text(comparison: &Comparison) -> String {
    let mut text = "## blast compare\n\n".to_string();
    for run in &comparison.runs {
        let Run { label, file, method, url, .. } = run;
        text += &format!("- {label}: {}, {} {}\n", plain(file), plain(method), plain(url));
    }
    for caveat in &comparison.warnings {
        text += &format!("- Warning: {}.\n", plain(&caveat.text));
    }
    text += "\n";
    for (at, run) in comparison.runs.iter().enumerate().skip(1) {
        text += &against_first(comparison, at, run);
    }
    text + &rules(comparison) + &targets(comparison)
}

fn against_first(comparison: &Comparison, at: usize, run: &Run) -> String {
    let head = ["", "A", &run.label, "change", "percent", "95 % interval", ""];
    let mut text = row(&head) + &row(&["---", "---:", "---:", "---:", "---:", "---:", "---"]);
    let line = |metric: &Metric| {
        let (values, difference) = (&metric.values, &metric.differences[at - 1]);
        let known = difference.absolute.is_some();
        let meaning = if known { meaning(metric, difference).0 } else { "" };
        let cells = [
            in_words(&metric.name).to_string(),
            reading(&values[0], &metric.unit),
            reading(&values[at], &metric.unit),
            absolute(difference, &metric.unit),
            in_percent(difference),
            interval(difference, &metric.unit),
            meaning.to_string(),
        ];
        row(&cells.map(|cell| plain(&cell)))
    };
    text.extend(comparison.metrics.iter().map(line));
    let (first, grade) = (&comparison.runs[0], |run: &Run| run.grade.clone());
    if first.grade.is_some() || run.grade.is_some() {
        let grades = [first, run].map(|run| grade(run).unwrap_or_else(|| "-".to_string()));
        text += &row(&["grade", &grades[0], &grades[1], "", "", "", ""]);
    }
    text += &row(&["limit", &plain(&first.verdict), &plain(&run.verdict), "", "", "", ""]);
    text + "\n"
}

fn rules(comparison: &Comparison) -> String {
    if comparison.rules.is_empty() {
        return String::new();
    }
    let mut text = row(&["", "fail if", "run"]) + &row(&["---", "---", "---"]);
    for rule in &comparison.rules {
        let mark = match (rule.failed, rule.beyond, rule.significant) {
            (true, ..) => "❌",
            (_, Some(false), _) | (_, _, Some(false)) => "✅",
            _ => "?",
        };
        text += &row(&[mark, &plain(&rule.expr), &rule.run]);
    }
    text + "\n"
}

fn targets(comparison: &Comparison) -> String {
    if comparison.targets.is_empty() {
        return String::new();
    }
    let head = ["", "before", "after", "target", "reached"];
    let mut text = row(&head) + &row(&["---", "---:", "---:", "---:", "---"]);
    for target in &comparison.targets {
        let cells = target_cells(target).map(|cell| plain(&cell));
        text += &row(&[&[plain(in_words(&target.metric))][..], &cells].concat());
    }
    text + "\n"
}
