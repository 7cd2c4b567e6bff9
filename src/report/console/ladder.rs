//! The page of `blast ceiling --ladder`: the answer, the steps beside each other, what to do.

use super::PageOptions;
use super::text::{Sheet, Tone};
use super::worded::Worded;
use crate::report::ladder::{LadderDocument, Step};
use crate::report::number::{cell, per_second, percent, seconds};

/// The columns, as every view has them.
pub const HEAD: [&str; 9] =
    ["step", "asked/s", "sent/s", "good/s", "p50", "p95", "p99", "errors", "outcome"];

pub fn page(document: &LadderDocument, options: &PageOptions) -> String {
    let mut sheet = Sheet::new(options);
    let each = document.steps.first().map(|step| seconds(step.length_s)).unwrap_or_default();
    let rules = match document.thresholds.is_empty() {
        true => "the rate is to be carried".to_string(),
        false => document.thresholds.join(", "),
    };
    let ran = format!("{} {}, steps of {each}, {rules}", document.method, document.url);
    sheet.labelled("ladder on", Tone::Plain, &ran);
    let (tone, answer) = answer_in_words(document);
    sheet.labelled("holds", tone, &answer);
    for (label, text) in facts(document) {
        sheet.labelled(label, Tone::Plain, &text);
    }
    table(&mut sheet, document);
    if !document.advice.is_empty() {
        sheet.gap();
    }
    for advice in &document.advice {
        let text = format!("{}: {}; {}", advice.evidence, advice.cause, advice.remedy);
        sheet.labelled("advice", Tone::Plain, &text);
    }
    sheet.finish()
}

/// Up to which step it holds.
pub fn answer_in_words(document: &LadderDocument) -> (Tone, String) {
    let mark = |name: &str, rate: f64| match name.contains(['x', '*']) {
        true => format!("{name} ({}/s)", per_second(rate)),
        false => format!("{}/s", per_second(rate)),
    };
    let failed = document.first_failed.as_ref().map(|step| mark(&step.name, step.asked_per_s));
    let held = document.last_held.as_ref().map(|step| mark(&step.name, step.asked_per_s));
    let by_blast = document.failed().is_some_and(|step| step.outcome == "blast");
    match (held, failed) {
        (Some(held), Some(failed)) if by_blast => {
            (Tone::Doubtful, format!("up to {held}; at {failed} blast itself was the limit"))
        }
        (Some(held), Some(failed)) => {
            (Tone::Good, format!("up to {held}; the first that does not is {failed}"))
        }
        (Some(held), None) => (Tone::Good, format!("every step, up to {held}")),
        (None, Some(failed)) => (Tone::Bad, format!("no step: not even {failed}")),
        (None, None) => (Tone::Bad, "no step was taken".to_string()),
    }
}

/// What is said below the answer, each with its label.
pub fn facts(document: &LadderDocument) -> Vec<(&'static str, String)> {
    let failed = document.failed().and_then(|step| Some((step, step.by.as_ref()?)));
    let stopped = failed.map(|(step, by)| {
        let why = step.why.as_deref().unwrap_or("no more is known");
        ("stopped by", format!("{by}: {why}"))
    });
    let unknown = document.steps.iter().find(|step| step.outcome == "unknown");
    let unknown = unknown.map(|step| {
        let why = step.why.as_deref().unwrap_or("it was too short");
        ("unknown", format!("{} was not judged ({why}); give `--step` more", step.name))
    });
    let bend =
        document.bend.as_ref().map(|bend| ("bends at", format!("{}: {}", bend.name, bend.why)));
    let cut = match (&document.cut_short, document.complete) {
        (Some(why), _) => Some(("cut short", why.clone())),
        (None, false) => Some(("cut short", "interrupted: this is what was known by then".into())),
        (None, true) => None,
    };
    let next = (!document.suggestion.is_empty()).then(|| ("next", document.suggestion.clone()));
    [stopped, unknown, bend, cut, next].into_iter().flatten().collect()
}

/// What a narrow terminal goes without, the first to go first: sent/s, p50, p99.
const SPARE: [usize; 3] = [2, 4, 6];

fn table(sheet: &mut Sheet, document: &LadderDocument) {
    let rows = document.steps.iter().map(cells);
    let table = std::iter::once(HEAD.map(str::to_string)).chain(rows).collect();
    Worded { tables: vec![table], is_named: true, spare: &SPARE }.write(sheet);
}

/// A step's row.
pub fn cells(step: &Step) -> [String; 9] {
    let time = |us: Option<f64>, quantile: f64| match us {
        Some(us) if quantile > step.exact_up_to => format!(">={}", cell(us)),
        Some(us) => cell(us),
        None => "-".to_string(),
    };
    [
        step.name.clone(),
        per_second(step.asked_per_s),
        per_second(step.sent_per_s),
        per_second(step.good_per_s),
        time(step.p50_us, 0.5),
        time(step.p95_us, 0.95),
        time(step.p99_us, 0.99),
        percent(step.error_share),
        step.outcome.clone(),
    ]
}
