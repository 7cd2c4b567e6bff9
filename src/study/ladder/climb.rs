//! The runs, one a step.

use crate::error::Result;
use crate::plan::Plan;
use crate::report::document::Advice;
use crate::report::document_of;
use crate::report::ladder::Step;
use crate::study::Runner;
use crate::study::ceiling::{Outcome, Probe};

/// A step to be taken.
pub struct Rung {
    /// As it was typed.
    pub name: String,
    /// `None`: a plain rate.
    pub workers: Option<u32>,
    /// At a steady rate.
    pub plan: Plan,
}

/// What was seen, up to the top or to where it was cut short.
pub struct Climbed {
    pub steps: Vec<Step>,
    /// What can be said of the run of each.
    pub advice: Vec<Vec<Advice>>,
    pub interrupted: bool,
    pub cut_short: Option<String>,
}

/// `tell` hears of each step as it is over. A first step that cannot be carried out is an error; of
/// a later one that cannot, what is known is kept.
pub fn climb(
    runner: &mut dyn Runner,
    rungs: &[Rung],
    tell: &mut dyn FnMut(&Step),
) -> Result<Climbed> {
    let mut climbed =
        Climbed { steps: Vec::new(), advice: Vec::new(), interrupted: false, cut_short: None };
    let mut connections = None;
    for rung in rungs {
        if connections.replace(rung.plan.connections).is_some_and(|n| n != rung.plan.connections) {
            runner.reconnect();
        }
        match take(runner, rung) {
            Ok((step, advice)) => {
                tell(&step);
                climbed.interrupted = step.outcome == Outcome::Interrupted.name();
                climbed.steps.push(step);
                climbed.advice.push(advice);
            }
            Err(error) if climbed.steps.is_empty() => return Err(error),
            Err(error) => climbed.cut_short = Some(error.message),
        }
        if climbed.interrupted || climbed.cut_short.is_some() {
            break;
        }
    }
    Ok(climbed)
}

fn take(runner: &mut dyn Runner, rung: &Rung) -> Result<(Step, Vec<Advice>)> {
    let plan = &rung.plan;
    let summary = runner.run(plan)?;
    let asked = plan.load.per_s().unwrap_or(0.0);
    let probe = Probe::of(&summary, &plan.thresholds, asked, plan.connections);
    let (by, why) = probe.outcome.cause();
    let document = document_of(plan, &summary);
    let response = &document.latency.response;
    let step = Step {
        name: rung.name.clone(),
        workers: rung.workers.map(u64::from),
        asked_per_s: asked,
        length_s: document.duration_s,
        connections: plan.connections.into(),
        scheduled: document.requests.scheduled,
        good: document.requests.good,
        sent_per_s: document.rate.sent_per_s,
        good_per_s: document.rate.good_per_s,
        error_share: document.requests.error_share,
        p50_us: response.p50_us,
        p95_us: response.p95_us,
        p99_us: response.p99_us,
        exact_up_to: response.exact_up_to,
        limit: document.verdict.limit.clone(),
        outcome: probe.outcome.name().to_string(),
        by,
        why,
    };
    Ok((step, document.advice))
}
