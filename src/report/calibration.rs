//! What blast can send from a core of this host, as a document: `blast.calibration/1`. It is printed,
//! and kept for the runs to come. Its page is in `console::calibration`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::Fingerprint;
use crate::plan::Class;

/// The name and version of the document's schema.
pub const SCHEMA_NAME: &str = "blast.calibration/1";

/// What the document is valid by: made from the types below.
pub const SCHEMA: &str = include_str!("calibration.schema.json");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalibrationDocument {
    pub schema: String,
    /// False when it was interrupted.
    pub complete: bool,
    /// RFC 3339 in UTC.
    pub measured_at: String,
    pub duration_s: f64,
    pub host: Fingerprint,
    /// The load that was measured, by one worker.
    pub class: Class,
    /// Null where the worker was not pinned.
    pub worker_core: Option<u64>,
    pub server_cores: Vec<u64>,
    /// What a worker can send; null: no round was done, or nothing was answered in it.
    pub closed: Option<Closed>,
    /// The highest rate that was sent on time; null where none was, or users set the pace.
    pub open: Option<Open>,
    pub rounds: Vec<Round>,
    /// What makes the figures less sure, one sentence each.
    pub notes: Vec<String>,
}

/// In a closed loop, as fast as answers come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// What the worker can send: what it reached where it had nothing to spare, and otherwise what
    /// its processor time would have sufficed for.
    pub rate_per_s: f64,
    pub reached_per_s: f64,
    /// Processor time of the worker, user and system.
    pub cpu_us_per_request: f64,
    /// The share of its time that the worker used its core.
    pub worker_share: f64,
    /// `reached`, or `derived` from the processor time.
    pub basis: String,
    pub is_lower_bound: bool,
    /// Which of the two, and why.
    pub why: String,
}

/// In open loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Open {
    pub rate_per_s: f64,
    /// The rate over what a closed loop reached.
    pub share: f64,
    /// Of blast's own lateness; null: too few requests to tell.
    pub late_p99_us: Option<f64>,
    /// The server would have been the limit of a higher one.
    pub is_lower_bound: bool,
}

/// One burst in a closed loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Round {
    pub rate_per_s: f64,
    pub cpu_us_per_request: f64,
    pub worker_share: f64,
    /// The share of its time that the worker waited for its core, which others had.
    pub starved_share: f64,
}
