//! The page of `blast history trend`: what changed and when, then the runs.

use super::PageOptions;
use super::text::{Sheet, Tone};
use crate::report::number::{cell, micros, per_second, percent};
use crate::report::trend::{TrendDocument, TrendFigure, TrendRun};

/// The columns, as every view has them.
pub const HEAD: [&str; 8] =
    ["run", "started", "p95", "good/s", "errors", "server CPU", "grade", "label"];

/// Runs that the page has room for.
const MOST: usize = 40;

pub fn page(document: &TrendDocument, options: &PageOptions) -> String {
    let mut sheet = Sheet::new(options);
    sheet.labelled("trend of", Tone::Plain, &subject(document));
    for figure in &document.figures {
        for (tone, text) in findings(figure) {
            sheet.labelled(figure.called(), tone, &text);
        }
    }
    for warning in &document.warnings {
        sheet.labelled("warning", Tone::Doubtful, &warning.text);
    }
    if !document.runs.is_empty() {
        sheet.gap();
        table(&mut sheet, document);
    }
    sheet.gap();
    sheet.labelled("test", Tone::Aside, &method(document));
    sheet.finish()
}

/// What all runs have in common.
pub fn subject(document: &TrendDocument) -> String {
    let runs = match document.runs.len() {
        1 => "1 run".to_string(),
        runs => format!("{runs} runs"),
    };
    let left_out = match document.left_out {
        0 => String::new(),
        left_out => {
            format!(" ({left_out} left out: cut short, failed, older, or limited by blast)")
        }
    };
    let TrendDocument { method, url, plan_hash, host, .. } = document;
    format!("{method} {url}, {runs} of plan {plan_hash} on {host}{left_out}")
}

/// What a figure did.
pub fn findings(figure: &TrendFigure) -> Vec<(Tone, String)> {
    let is = |worse| if worse { Tone::Bad } else { Tone::Good };
    let median = shown(figure, figure.median);
    if let Some(drift) = &figure.drift {
        let (first, last) = (shown(figure, drift.first), shown(figure, drift.last));
        let text = format!(
            "drifts from {first} to {last}{}, run by run (p {})",
            in_percent(drift.percent),
            probability(drift.p)
        );
        return vec![(is(drift.worse), text)];
    }
    let steps = figure.steps.iter().map(|step| {
        let (before, after) = (shown(figure, step.before), shown(figure, step.after));
        let text = format!(
            "{} from run {} on: {after}, before {before}{} (p {})",
            if step.worse { "worse" } else { "better" },
            step.run,
            in_percent(step.percent),
            probability(step.p)
        );
        (is(step.worse), text)
    });
    match figure.course.as_str() {
        "steps" => steps.collect(),
        "steady" => {
            vec![(Tone::Plain, format!("about {median}, no more change than chance makes"))]
        }
        _ => vec![(Tone::Plain, format!("about {median}, of {} runs", figure.count))],
    }
}

/// One in so many orders is as good as it gets.
fn probability(p: f64) -> String {
    format!("{p:.4}")
}

fn in_percent(percent: Option<f64>) -> String {
    percent.map_or_else(String::new, |percent| format!(" ({percent:+.1} %)"))
}

/// A value of a figure.
pub fn shown(figure: &TrendFigure, value: f64) -> String {
    match figure.unit.as_str() {
        "us" => micros(value),
        "share" => percent(value),
        _ => per_second(value),
    }
}

/// How the changes were found.
pub fn method(document: &TrendDocument) -> String {
    let test = &document.test;
    format!(
        "a change is marked where the largest rank sum over all cuts of the series is reached by \
         fewer than {} of random orders ({} drawn, seed {}); from {} runs on",
        percent(test.alpha),
        crate::report::number::count(test.orders),
        test.seed,
        test.least_runs
    )
}

fn table(sheet: &mut Sheet, document: &TrendDocument) {
    const WIDTHS: [usize; 7] = [6, 16, 9, 10, 8, 10, 10];
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(WIDTHS).enumerate().map(|(at, (cell, width))| match at {
            0 | 1 | 6 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("{} {}", cells.collect::<Vec<_>>().join(" "), row[7])
    };
    let head = sheet.paint(Tone::Heading, &line(&HEAD.map(str::to_string)));
    sheet.line(&head);
    let older = document.runs.len().saturating_sub(MOST);
    if older > 0 {
        sheet.line(&format!("... {older} older"));
    }
    for run in &document.runs[older..] {
        sheet.line(&line(&cells(document, run)));
    }
}

/// A run's row; a run where something changed says so behind its label.
pub fn cells(document: &TrendDocument, run: &TrendRun) -> [String; 8] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_string());
    [
        run.id.to_string(),
        when(&run.started_at),
        or_dash(run.p95_us.map(cell)),
        or_dash(run.good_per_s.map(per_second)),
        or_dash(run.error_share.map(percent)),
        or_dash(run.server_us_per_request.map(cell)),
        or_dash(run.grade.clone()),
        [run.label.clone(), notes(document, run)].join(" ").trim().to_string(),
    ]
}

/// To the minute.
fn when(started_at: &str) -> String {
    started_at.get(..16).unwrap_or(started_at).replace('T', " ")
}

fn notes(document: &TrendDocument, run: &TrendRun) -> String {
    let stepped = document.figures.iter().flat_map(|figure| {
        let steps = figure.steps.iter().filter(|step| step.run == run.id);
        steps.map(|step| {
            format!("{} {}", figure.called(), if step.worse { "worse" } else { "better" })
        })
    });
    let baseline = run.is_baseline.then(|| "baseline".to_string());
    let notes: Vec<String> = baseline.into_iter().chain(stepped).collect();
    if notes.is_empty() { String::new() } else { format!("[{}]", notes.join(", ")) }
}
