//! What a scenario wants sent once before the load, or after it: by one user, on a connection of
//! its own, in a run of its own. Of that run the rows by name and the checks stand in the report,
//! as those of users that set themselves up do.

use std::sync::Arc;

use super::helm::Helm;
use super::{control, prepare, stop};
use crate::error::{Error, Result};
use crate::metrics::{Account, Events, Fates, Mode, Summary, Warning};
use crate::plan::answer::Captured;
use crate::plan::mask::mask_query;
use crate::plan::request_id::{AFTER_LOAD, BEFORE_LOAD};
use crate::plan::scenario::{Flow, Model, Part, Step, Steps, Think};
use crate::plan::{Load, Plan, Scenario, Warmup};
use crate::time::Nanos;

/// What came of it.
pub struct Rehearsal {
    /// What was captured before the load, by the captures' places.
    pub captured: Captured,
    /// The run of its own before the load.
    setup: Option<Summary>,
}

/// What is sent before the load; nothing where nothing is to be.
pub fn before(plan: &Plan) -> Result<Rehearsal> {
    let nothing = |scenario: &Arc<Scenario>| scenario.captures.iter().map(|_| None).collect();
    let captured: Captured = plan.scenario.as_ref().map_or_else(|| [].into(), nothing);
    let scenario = plan.scenario.as_ref().filter(|scenario| !scenario.run_setup.is_empty());
    let Some(scenario) = scenario else { return Ok(Rehearsal { captured, setup: None }) };
    let scenario = &numbered_from(scenario, BEFORE_LOAD);
    let (summary, captured) = play(plan, scenario, &scenario.run_setup, captured, 0)?;
    if let (false, Some(exit)) = (summary.complete, stop::exit()) {
        let message = "interrupted in the setup before the load; no load was sent".to_string();
        return Err(Error { exit, message });
    }
    match blemish(&summary) {
        Some(blemish) => Err(Error::failed(format!(
            "the setup before the load came to nothing: {blemish}; no load was sent"
        ))),
        None => Ok(Rehearsal { captured, setup: Some(summary) }),
    }
}

impl Rehearsal {
    /// Sends what is sent after the load, with a warning where that came to nothing, and books all
    /// that was sent once.
    pub fn end(self, plan: &Plan, load: &mut Summary) {
        let Some(scenario) = &plan.scenario else { return };
        if let Some(setup) = self.setup {
            book(load, &setup, &scenario.run_setup, Nanos::ZERO);
        }
        if scenario.run_teardown.is_empty() {
            return;
        }
        // The signal that ended the load does not end this, but the next one does.
        let heeded = stop::requests().min(1);
        let scenario = &numbered_from(scenario, AFTER_LOAD);
        let why = match play(plan, scenario, &scenario.run_teardown, self.captured, heeded) {
            Ok((teardown, _)) => {
                load.complete &= teardown.complete;
                book(load, &teardown, &scenario.run_teardown, load.measured);
                blemish(&teardown)
            }
            Err(error) => Some(error.message),
        };
        load.warnings.extend(why.map(|why| Warning::TeardownFailed { why }));
    }
}

/// Its requests' ids are none of the load's.
fn numbered_from(scenario: &Scenario, after: u64) -> Scenario {
    let mut apart = scenario.clone();
    apart.request_id.iter_mut().for_each(|id| id.after = after);
    apart
}

/// Adds the rows of a run of its own to those of the load, at whose `since` it began. The audit is
/// of the load alone, and so are its events.
fn book(load: &mut Summary, once: &Summary, entries: &[usize], since: Nanos) {
    let of_load = |fates: &Fates| match load.mode {
        Mode::Open => fates.at_once(),
        Mode::Closed => fates.clone(),
    };
    for entry in entries {
        let (Some(to), Some(from)) = (load.names.get_mut(*entry), once.names.get(*entry)) else {
            continue;
        };
        let mut account = Account { fates: of_load(&from.account.fates), ..from.account.clone() };
        account.events = Events::default();
        account.put_off(since);
        to.account.add(&account);
    }
    for (to, from) in load.checks.iter_mut().zip(&once.checks) {
        (to.passed, to.failed) = (to.passed + from.passed, to.failed + from.failed);
    }
    load.aside.add(&of_load(&once.measure));
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
    let (mut workers, helm) = (Vec::new(), Helm::default());
    let (summary, captured) =
        control::run(&plan, &prepared, &mut workers, heeded, &helm, &mut |_| {})?;
    Ok((summary, captured.unwrap_or(given)))
}

/// What went wrong, if something did.
fn blemish(summary: &Summary) -> Option<String> {
    if !summary.complete {
        return Some("it was interrupted".to_string());
    }
    let spoilt = summary.names.iter().find(|row| row.account.fates.counters.errors() > 0)?;
    let counters = &spoilt.account.fates.counters;
    let failure = counters.failures().next().map(|(kind, _)| kind.hint().to_string());
    let status = counters.statuses().next().map(|(status, _)| format!("answered with {status}"));
    let why = failure.or(status).unwrap_or_else(|| "it was not answered".to_string());
    Some(format!("`{}`: {why}", mask_query(&spoilt.name)))
}
