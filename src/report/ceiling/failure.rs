//! What happened above the ceiling, `--to-failure`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the server was brought to its end, or was not, and how it came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// `good_falls`, `errors` and `dead` are failures of the server; `nothing` is none up to the
    /// highest rate that is tried; `budget`, `blast` and `interrupted` cut it short.
    pub ended_by: String,
    /// In one sentence.
    pub why: String,
    pub budget_s: f64,
    pub took_s: f64,
    /// The most good answers per second of all rates, the ceiling among them.
    pub best_good_per_s: f64,
    /// The highest rate that was tried.
    pub most_per_s: f64,
    /// What half the ceiling looked like before.
    pub calm: Push,
    /// Whether half the ceiling came to look so again; null: nobody looked.
    pub recovered: Option<bool>,
    /// How long that was waited for.
    pub watched_s: f64,
    /// The rates above the ceiling, in the order of time.
    pub curve: Vec<Push>,
}

/// A short run at one rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Push {
    pub rate_per_s: f64,
    pub good_per_s: f64,
    /// Of what was sent: answered with an error, or ended by one. What was never sent, or was still
    /// unanswered at the end, is not in it.
    pub error_share: f64,
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
}

impl Failure {
    /// The server failed: it was not blast, the time or the user that ended it.
    pub fn is_of_server(&self) -> bool {
        matches!(self.ended_by.as_str(), "good_falls" | "errors" | "dead")
    }
}
