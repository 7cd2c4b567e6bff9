//! What the steps came to.

use std::time::SystemTime;

use super::climb::Climbed;
use crate::plan::Plan;
use crate::report::document::Advice;
use crate::report::ladder::{Bend, LadderDocument, SCHEMA_NAME, Step};
use crate::time::Nanos;
use crate::units::{format_count, format_duration};

/// Good answers below this share of what was asked for are behind.
const BEHIND: f64 = 0.97;

/// Responses are slow at so many times the p95 of the lowest step, and so much.
const SLOWER: f64 = 2.0;
const SLACK_US: f64 = 1_000.0;

/// How it was asked for and went.
pub struct Told<'a> {
    /// Of any step: what all have in common is taken from it.
    pub plan: &'a Plan,
    pub threads: usize,
    pub started_at: SystemTime,
    pub took: Nanos,
}

pub fn document(climbed: Climbed, told: &Told) -> LadderDocument {
    let plan = told.plan;
    let mut document = LadderDocument {
        schema: SCHEMA_NAME.to_string(),
        blast_version: env!("CARGO_PKG_VERSION").to_string(),
        complete: !climbed.interrupted && climbed.cut_short.is_none(),
        started_at: humantime::format_rfc3339_millis(told.started_at).to_string(),
        duration_s: told.took.as_secs_f64(),
        url: plan.url.shown.clone(),
        method: plan.request.method.clone(),
        engine: plan.engine.name().to_string(),
        threads: told.threads as u64,
        thresholds: plan.thresholds.iter().map(|rule| rule.shown()).collect(),
        steps: climbed.steps,
        cut_short: climbed.cut_short,
        last_held: None,
        first_failed: None,
        bend: None,
        suggestion: String::new(),
        advice: Vec::new(),
    };
    let by_rate = document.by_rate();
    let last_held =
        by_rate.iter().take_while(|step| !step.fails()).filter(|step| step.holds()).last();
    let last_held = last_held.map(|step| step.mark());
    let first_failed = document.failed().map(Step::mark);
    let bend = bend(&by_rate);
    let advice = advice(&document, &climbed.advice);
    (document.last_held, document.first_failed) = (last_held, first_failed);
    (document.bend, document.advice) = (bend, advice);
    document.suggestion = suggestion(&document);
    document
}

/// Of the lowest step that failed, or else of the highest.
fn advice(document: &LadderDocument, all: &[Vec<Advice>]) -> Vec<Advice> {
    let by_rate = document.by_rate();
    let shown = document.failed().or(by_rate.last().copied());
    let place = shown.and_then(|shown| document.steps.iter().position(|step| step == shown));
    place.and_then(|place| all.get(place)).cloned().unwrap_or_default()
}

fn bend(by_rate: &[&Step]) -> Option<Bend> {
    let first = by_rate.first()?.p95_us;
    let whole = by_rate.iter().filter(|step| !step.is_interrupted());
    whole.into_iter().find_map(|step| {
        let why = slower(step, first).or_else(|| behind(step))?;
        Some(Bend { name: step.name.clone(), asked_per_s: step.asked_per_s, why })
    })
}

fn slower(step: &Step, first: Option<f64>) -> Option<String> {
    let (first, now) = (first?, step.p95_us?);
    let time = |us: f64| format_duration(Nanos((us * 1e3) as u64));
    (now > first * SLOWER + SLACK_US)
        .then(|| format!("p95 was {}, and {} at first", time(now), time(first)))
}

fn behind(step: &Step) -> Option<String> {
    (step.good_per_s < step.asked_per_s * BEHIND).then(|| {
        let (good, asked) = (format_count(step.good_per_s), format_count(step.asked_per_s));
        format!("{good}/s were answered well of {asked}/s")
    })
}

fn suggestion(document: &LadderDocument) -> String {
    let url = &document.url;
    let rate = format_count;
    match (&document.last_held, document.failed()) {
        (_, None) if document.steps.iter().any(Step::is_interrupted) => {
            "take the steps that are missing: it was interrupted".to_string()
        }
        (_, Some(failed)) if failed.outcome == "blast" => format!(
            "blast itself was the limit at {}: give it more cores with `--threads`, or another \
             machine, before the server is judged",
            failed.name
        ),
        (_, Some(Step { by: Some(by), name, .. })) if by == "connections" => format!(
            "at {name} there were too few connections to offer the rate: give it more workers, or \
             a plain rate, which brings its own"
        ),
        (Some(held), Some(failed)) => format!(
            "the limit lies between {}/s and {}/s: `blast ceiling {url}` finds it; plan for 70 % \
             of it",
            rate(held.asked_per_s),
            rate(failed.asked_per_s)
        ),
        (None, Some(failed)) => format!(
            "not even {}/s held: begin lower, such as `--ladder {}`, or find out why with \
             `blast --rps {} {url}`",
            rate(failed.asked_per_s),
            (failed.asked_per_s / 10.0).max(1.0).round(),
            failed.asked_per_s.round().max(1.0)
        ),
        (Some(held), None) => format!(
            "all steps held: add higher ones, such as `--ladder {},{}`, or let `blast ceiling \
             {url}` find the limit",
            (held.asked_per_s * 2.0).round(),
            (held.asked_per_s * 5.0).round()
        ),
        (None, None) => {
            "the steps were too short to judge them: give `--step` more, or drop the threshold \
             that needs so many samples"
                .to_string()
        }
    }
}
