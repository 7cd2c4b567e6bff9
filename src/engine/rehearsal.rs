//! What a scenario wants sent once before the load, or after it: by one user, on a connection of
//! its own, in a run of its own that stands in no report.

use std::sync::Arc;

use super::script::Captured;
use super::{control, prepare, stop};
use crate::error::{Error, Result};
use crate::metrics::{Summary, Warning};
use crate::plan::scenario::{Flow, Model, Part, Step, Steps, Think};
use crate::plan::url::mask_query;
use crate::plan::{Load, Plan, Scenario, Warmup};

/// What was captured before the load; nothing where nothing was to be.
pub fn before(plan: &Plan) -> Result<Captured> {
    let none = || Ok([].into());
    let Some(scenario) = &plan.scenario else { return none() };
    let nothing: Captured = scenario.captures.iter().map(|_| None).collect();
    if scenario.run_setup.is_empty() {
        return Ok(nothing);
    }
    let (summary, captured) = play(plan, scenario, &scenario.run_setup, nothing, 0)?;
    match blemish(&summary) {
        Some(blemish) => Err(Error::failed(format!(
            "the setup before the load came to nothing: {blemish}; no load was sent"
        ))),
        None => Ok(captured),
    }
}

/// A warning where what is sent after the load came to nothing. The signal that ended the load
/// does not end this, but the next one does.
pub fn after(plan: &Plan, given: Captured) -> Option<Warning> {
    let scenario = plan.scenario.as_ref().filter(|scenario| !scenario.run_teardown.is_empty())?;
    let why = match play(plan, scenario, &scenario.run_teardown, given, stop::requests().min(1)) {
        Ok((summary, _)) => blemish(&summary)?,
        Err(error) => error.message,
    };
    Some(Warning::TeardownFailed { why })
}

fn play(
    plan: &Plan,
    scenario: &Scenario,
    entries: &[usize],
    given: Captured,
    heeded: u32,
) -> Result<(Summary, Captured)> {
    let step = |entry: &usize| Step {
        what: Steps::One(*entry),
        repeat: (1, 1),
        probability: 1.0,
        weight: 1,
        think: Think::Not,
    };
    let steps = entries.iter().map(step).collect();
    let flow = Flow { steps, rounds: Some(1), ..Flow::default() };
    let mut alone = Scenario { model: Model::Users(flow), ..scenario.clone() };
    alone.entries.iter_mut().for_each(|entry| entry.part = Part::Main);
    let plan = Plan {
        scenario: Some(Arc::new(alone)),
        load: Load::CLOSED,
        connections: 1,
        threads: Some(1),
        pipeline: 1,
        warmup: Warmup::NONE,
        duration: None,
        requests: None,
        max_in_flight: None,
        deadline: None,
        thresholds: Vec::new(),
        abort_on: Vec::new(),
        notes: Vec::new(),
        ..plan.clone()
    };
    let prepared = prepare::prepare(&plan, given.clone())?;
    let (summary, captured) = control::run(&plan, prepared, heeded, &mut |_| {})?;
    Ok((summary, captured.unwrap_or(given)))
}

/// What went wrong, if something did.
fn blemish(summary: &Summary) -> Option<String> {
    let spoilt = summary.names.iter().find(|row| row.account.fates.counters.errors() > 0);
    if let Some(row) = spoilt {
        let counters = &row.account.fates.counters;
        let failure = counters.failures().next().map(|(kind, _)| kind.hint().to_string());
        let status =
            counters.statuses().next().map(|(status, _)| format!("answered with {status}"));
        let why = failure.or(status).unwrap_or_else(|| "it was not answered".to_string());
        return Some(format!("`{}`: {why}", mask_query(&row.name)));
    }
    (!summary.complete).then(|| "it was interrupted".to_string())
}
