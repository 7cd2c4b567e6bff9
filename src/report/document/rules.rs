//! The rules of a run: the thresholds it was judged by, and the one that ended it.

use serde::{Deserialize, Serialize};

use crate::metrics::{self, Summary};
use crate::plan;

/// How a rule of `--threshold` came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// As it was typed.
    pub expr: String,
    /// The value of a latency; null of anything else.
    pub value_us: Option<f64>,
    /// What was measured, in `unit`; null where it cannot be told.
    pub value: Option<f64>,
    /// `us`, `share`, `count` or `per_s`.
    pub unit: String,
    /// The value is that or more.
    pub lower_bound: bool,
    pub ok: bool,
    /// Why it failed, where the value alone does not say it.
    pub why: Option<String>,
    /// The earlier run that it compares with; null of any other rule. Missing in documents of
    /// earlier builds.
    #[serde(default)]
    pub baseline: Option<Baseline>,
}

/// The run that others of its plan are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Its number in the history.
    pub run: i64,
    /// What it measured, in the rule's unit.
    pub value: f64,
    /// What the rule compares with: a multiple of that.
    pub limit: f64,
}

impl Threshold {
    pub(super) fn new(threshold: &plan::Threshold, summary: &Summary) -> Threshold {
        let outcome = threshold.judge(summary);
        Threshold {
            value_us: outcome.value.filter(|_| threshold.is_latency()),
            value: outcome.value,
            unit: outcome.unit.name().to_string(),
            lower_bound: outcome.lower_bound,
            ok: outcome.ok,
            why: outcome.why,
            baseline: Baseline::of(threshold),
            expr: threshold.shown(),
        }
    }
}

impl Baseline {
    fn of(threshold: &plan::Threshold) -> Option<Baseline> {
        let known = threshold.baseline()?.known?;
        Some(Baseline { run: known.run, value: known.value, limit: threshold.limit() })
    }
}

/// How a rule of `--abort-on` came to end the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aborted {
    pub expr: String,
    /// The end of the window in which it was true, from the start of warm-up.
    pub at_s: f64,
    /// The length of that window.
    pub window_s: f64,
    /// What was measured in it, in `unit`.
    pub value: f64,
    /// `us`, `share`, `count` or `per_s`.
    pub unit: String,
}

impl Aborted {
    pub(super) fn new(aborted: &metrics::Aborted) -> Aborted {
        Aborted {
            expr: aborted.expr.clone(),
            at_s: aborted.at.as_secs_f64(),
            window_s: aborted.window.as_secs_f64(),
            value: aborted.value,
            unit: aborted.unit.to_string(),
        }
    }
}
