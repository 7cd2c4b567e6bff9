//! The document of a ladder: `blast.ladder/1`. A kind of its own and no part of the ceiling's: it
//! has steps that were chosen, and no bracket. Its page is in `console::ladder`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Advice;

/// The name and version of the document's schema.
pub const SCHEMA_NAME: &str = "blast.ladder/1";

/// What the document is valid by: made from the types below.
pub const SCHEMA: &str = include_str!("ladder.schema.json");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LadderDocument {
    pub schema: String,
    pub blast_version: String,
    /// False when it was interrupted, or a step could not be carried out.
    pub complete: bool,
    /// RFC 3339 in UTC.
    pub started_at: String,
    pub duration_s: f64,
    pub url: String,
    pub method: String,
    pub engine: String,
    pub threads: u64,
    /// As they were typed.
    pub thresholds: Vec<String>,
    /// In the order in which they were taken.
    pub steps: Vec<Step>,
    /// Why the last ones are missing; null: none is.
    pub cut_short: Option<String>,
    /// The highest step that held, as all below it did; null: none.
    pub last_held: Option<Mark>,
    /// The lowest that did not; null: all held.
    pub first_failed: Option<Mark>,
    /// The lowest where good answers fall behind or responses take twice as long as at first; null:
    /// none.
    pub bend: Option<Bend>,
    /// What to do next, in one sentence.
    pub suggestion: String,
    /// Of the run at the lowest step that failed, or at the highest one.
    pub advice: Vec<Advice>,
}

/// One step: a run at one rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// As it was typed.
    pub name: String,
    /// Null: a plain rate.
    pub workers: Option<u64>,
    pub asked_per_s: f64,
    pub length_s: f64,
    pub connections: u64,
    pub scheduled: u64,
    pub good: u64,
    pub sent_per_s: f64,
    pub good_per_s: f64,
    pub error_share: f64,
    /// Response times, as in a result: those above `exact_up_to` are lower bounds.
    pub p50_us: Option<f64>,
    pub p95_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub exact_up_to: f64,
    /// The verdict of the run: who was the limit.
    pub limit: String,
    /// `holds`, `fails`, `blast` (which was the limit itself), `interrupted`, or `unknown` where a
    /// threshold needs more samples than the step has.
    pub outcome: String,
    pub by: Option<String>,
    pub why: Option<String>,
}

/// A step by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    pub name: String,
    pub asked_per_s: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bend {
    pub name: String,
    pub asked_per_s: f64,
    pub why: String,
}

impl Step {
    pub fn holds(&self) -> bool {
        self.outcome == "holds"
    }

    /// It is known that it does not hold.
    pub fn fails(&self) -> bool {
        matches!(&*self.outcome, "fails" | "blast")
    }

    /// Whatever it would have come to.
    pub fn is_interrupted(&self) -> bool {
        self.outcome == "interrupted"
    }

    pub fn mark(&self) -> Mark {
        Mark { name: self.name.clone(), asked_per_s: self.asked_per_s }
    }
}

impl LadderDocument {
    /// By the rate asked for, from the lowest.
    pub fn by_rate(&self) -> Vec<&Step> {
        let mut steps: Vec<&Step> = self.steps.iter().collect();
        steps.sort_by(|a, b| a.asked_per_s.total_cmp(&b.asked_per_s));
        steps
    }

    /// The lowest step that did not hold, whole.
    pub fn failed(&self) -> Option<&Step> {
        self.by_rate().into_iter().find(|step| step.fails())
    }
}
