//! The page of `blast suite`: how it went, a line a run, and how the rate grows with the matrix.

use super::PageOptions;
use super::table::{Row, write};
use super::text::{Sheet, Tone};
use crate::report::number::{per_second, percent, seconds};
use crate::report::suite::{Figures, Problem, Quantile, Scaling, SuiteDocument, SuiteRun};

pub fn page(document: &SuiteDocument, options: &PageOptions) -> String {
    let mut sheet = Sheet::new(options);
    let (tone, text) = headline(document);
    sheet.labelled("suite", tone, &text);
    for problem in &document.problems {
        sheet.labelled(&problem.part, Tone::Bad, &problem_in_words(problem));
        for line in &problem.lines {
            sheet.indented(super::text::LABEL, Tone::Aside, line);
        }
    }
    sheet.gap();
    table(&mut sheet, document);
    remarks(&mut sheet, document);
    for scaling in &document.scaling {
        sheet.gap();
        growth(&mut sheet, scaling);
    }
    sheet.finish()
}

/// How it went in a sentence.
pub(in crate::report) fn headline(document: &SuiteDocument) -> (Tone, String) {
    let (passed, all) = (document.passed(), document.runs.len());
    let runs = if all == 1 { "run" } else { "runs" };
    let cut = if document.complete { "" } else { ", interrupted" };
    let tone = match document.exit_code {
        0 => Tone::Good,
        4 => Tone::Doubtful,
        _ => Tone::Bad,
    };
    let took = seconds(document.duration_s);
    (tone, format!("{}: {passed} of {all} {runs} passed in {took}{cut}", document.file))
}

pub(in crate::report) fn problem_in_words(problem: &Problem) -> String {
    let pairs: Vec<String> =
        problem.setting.iter().map(|(name, value)| format!("{name}={value}")).collect();
    match pairs.is_empty() {
        true => problem.text.clone(),
        false => format!("{}: {}", pairs.join(" "), problem.text),
    }
}

fn table(sheet: &mut Sheet, document: &SuiteDocument) {
    let head = HEAD.map(str::to_string).to_vec();
    let mut rows = vec![Row { label: String::new(), cells: head }];
    rows.extend(document.runs.iter().map(|run| Row {
        label: format!("{} {}", run.mark(), run.title()),
        cells: cells(run).to_vec(),
    }));
    write(sheet, &rows, 2);
}

pub(in crate::report) const HEAD: [&str; 6] =
    ["offered/s", "good/s", "errors", "p50", "p95", "p99"];

/// Under [`HEAD`].
pub(in crate::report) fn cells(run: &SuiteRun) -> [String; 6] {
    let dash = || "-".to_string();
    let Some(figures) = &run.figures else { return std::array::from_fn(|_| dash()) };
    let quantile = |quantile: Option<Quantile>| quantile.map_or_else(dash, |one| one.shown());
    [
        figures.offered_per_s.map_or_else(dash, per_second),
        good(figures),
        figures.error_share.map_or_else(dash, percent),
        quantile(figures.p50),
        quantile(figures.p95),
        quantile(figures.p99),
    ]
}

/// Of a ceiling, both of its ends.
fn good(figures: &Figures) -> String {
    match (figures.good_per_s, figures.high_per_s) {
        (None, _) => "-".to_string(),
        (Some(low), Some(high)) => format!("{}..{}", per_second(low), per_second(high)),
        (Some(good), None) => per_second(good),
    }
}

/// What did not pass, and why.
fn remarks(sheet: &mut Sheet, document: &SuiteDocument) {
    sheet.gap();
    for run in document.runs.iter().filter(|run| !run.has_passed()) {
        let tone = match run.outcome.as_str() {
            "skipped" => Tone::Aside,
            "invalid" | "interrupted" => Tone::Doubtful,
            _ => Tone::Bad,
        };
        sheet.hanging(&format!("{} {}: ", run.mark(), run.title()), 4, tone, &remark(run));
    }
}

pub(in crate::report) fn remark(run: &SuiteRun) -> String {
    let rules = run.figures.iter().flat_map(|figures| &figures.thresholds);
    let failed: Vec<String> = rules
        .filter(|rule| !rule.ok)
        .map(|rule| format!("{} was {}", rule.expr, rule.shown))
        .collect();
    match (&run.why, failed.is_empty()) {
        (Some(why), _) => format!("{}: {why}", run.in_words()),
        (None, false) => format!("{}: {}", run.in_words(), failed.join(", ")),
        (None, true) => run.in_words().to_string(),
    }
}

fn growth(sheet: &mut Sheet, scaling: &Scaling) {
    let title = sheet.paint(Tone::Heading, &title(scaling));
    sheet.line(&title);
    let row = |row: [String; 4]| Row { label: row[0].clone(), cells: row[1..].to_vec() };
    let rows: Vec<Row> = growth_rows(scaling).into_iter().map(row).collect();
    write(sheet, &rows, 2);
}

pub(in crate::report) fn title(scaling: &Scaling) -> String {
    let what = if scaling.figure == "ceiling" { "the ceiling" } else { "good answers a second" };
    format!("{}: {what} by setting", scaling.run)
}

/// With a head; efficiency is C(n)/(n C(1)).
pub(in crate::report) fn growth_rows(scaling: &Scaling) -> Vec<[String; 4]> {
    let dash = || "-".to_string();
    let head = ["", "per second", "speed-up", "efficiency"].map(str::to_string);
    let row = |point: &crate::report::suite::ScalingPoint| {
        [
            point.setting.clone(),
            point.per_s.map_or_else(dash, per_second),
            point.speedup.map_or_else(dash, |speedup| format!("{speedup:.2}")),
            point.efficiency.map_or_else(dash, percent),
        ]
    };
    std::iter::once(head).chain(scaling.points.iter().map(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::suite::tests::example;

    #[test]
    fn the_page_has_a_line_a_run_and_says_what_failed() {
        let text = page(&example(), &PageOptions::default());
        for expected in [
            "suite        suite.toml: 1 of 3 runs passed in 60 s",
            "ready        WORKERS=2: http://localhost:8080/ did not answer",
            "             ERROR <db> is gone",
            "✓ smoke WORKERS=1",
            "✗ peak WORKERS=1: a threshold failed: p99<1us was 5 ms",
            "- smoke WORKERS=2: skipped: smoke is required and did not pass",
            "ceiling: the ceiling by setting",
            "efficiency",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        let line = text.lines().find(|line| line.starts_with("WORKERS=2")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, ["WORKERS=2", "1,600", "1.60", "80", "%"]);
    }
}
