//! Rules such as `p95<=baseline*1.05`: what the baseline is, looked up before anything is sent. The
//! baseline is the run that `blast history baseline ID` set for the same plan on the same host.

use std::borrow::Cow;
use std::path::Path;

use crate::error::{Error, Result};
use crate::plan::{Plan, Threshold};

/// The plan with limits that are numbers. `history`: its file, where one was named.
pub fn resolved<'a>(plan: &'a Plan, history: Option<&Path>) -> Result<Cow<'a, Plan>> {
    let is_open = |rule: &Threshold| rule.baseline().is_some_and(|it| it.known.is_none());
    match plan.thresholds.iter().find(|rule| is_open(rule)) {
        None => Ok(Cow::Borrowed(plan)),
        Some(first) => {
            let thresholds = look_up(plan, history).map_err(|error| {
                Error::usage(format!("--threshold: {}: {error}", first.shown()))
            })?;
            Ok(Cow::Owned(Plan { thresholds, ..plan.clone() }))
        }
    }
}

/// Refuses what is searched or climbed: there is no run of one load to compare with.
pub fn refuse(verb: &str, rules: &[Threshold]) -> Result<()> {
    match rules.iter().find(|rule| rule.baseline().is_some()) {
        None => Ok(()),
        Some(rule) => Err(Error::usage(format!(
            "--threshold: {}: `blast {verb}` makes runs at many rates, and a baseline is of one; \
             write a value",
            rule.shown()
        ))),
    }
}

#[cfg(feature = "history")]
fn look_up(plan: &Plan, history: Option<&Path>) -> Result<Vec<Threshold>> {
    use crate::history::History;
    use crate::host::Fingerprint;
    use crate::plan::threshold::Known;
    use crate::report::{baseline, plan_hash};

    let none = || {
        Error::usage(
            "no run of this plan on this host is the baseline; save one with `--save`, and set it \
             with `blast history baseline ID`",
        )
    };
    let path = super::save::place(history)?;
    // A history that nobody wrote yet has no baseline either.
    if !path.exists() {
        return Err(none());
    }
    let mut history = History::there(&path)?;
    let host = Fingerprint::of_this_host().in_words();
    let run = history.baseline_of(&plan_hash(plan), &host)?.ok_or_else(none)?;
    let saved = history.document(run)?.unwrap_or_default();
    let known = |rule: &Threshold| match rule.baseline() {
        None => Ok(rule.clone()),
        Some(_) => {
            let value = baseline::figure(rule, &saved, run)?;
            Ok(rule.against(Known { run, value }))
        }
    };
    plan.thresholds.iter().map(known).collect()
}

#[cfg(not(feature = "history"))]
fn look_up(_: &Plan, _: Option<&Path>) -> Result<Vec<Threshold>> {
    Err(Error::usage(
        "this build has no history, and so no baseline; write a value, or build with `--features \
         history`",
    ))
}
