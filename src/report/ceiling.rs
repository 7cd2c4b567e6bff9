//! The document of a search for a ceiling: `blast.ceiling/1`. Its page is in `console::ceiling`.

mod failure;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use failure::{Failure, Push};

use super::document::Calibration;

/// The name and version of the document's schema.
pub const SCHEMA_NAME: &str = "blast.ceiling/1";

/// What the document is valid by: made from the types below.
pub const SCHEMA: &str = include_str!("ceiling.schema.json");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CeilingDocument {
    pub schema: String,
    pub blast_version: String,
    /// False when it was interrupted.
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
    pub budget_s: f64,
    pub ceiling: Ceiling,
    /// What blast can send; null where nothing was calibrated that is like this load, missing in
    /// documents of earlier builds.
    #[serde(default)]
    pub calibration: Option<Calibration>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ceiling {
    /// What was searched over: `rate`, `connections` or `users`.
    #[serde(default = "rate")]
    pub over: String,
    /// Connections or users: the largest number that met the thresholds; null: none did, or a rate
    /// was searched for.
    #[serde(default)]
    pub ready_for: Option<u64>,
    /// The smallest number above it that was tried and did not; null: nothing above failed.
    #[serde(default)]
    pub fails_at: Option<u64>,
    /// The highest rate that met the thresholds; null: none did. Of connections and users: what
    /// `ready_for` of them sent.
    pub rate_per_s: Option<f64>,
    /// The two ends between which the rate lies: the one that held and the one that did not; null:
    /// nothing above failed, or it was no rate that was searched for.
    pub low_per_s: Option<f64>,
    pub high_per_s: Option<f64>,
    /// What failed above: `threshold p99<10ms`, `rate`, `errors`, `rate_limit`, `connections`,
    /// `client_cpu`, `ports` or `descriptors`; null: nothing did.
    pub stopped_by: Option<String>,
    /// The evidence, in one sentence.
    pub why: Option<String>,
    /// How to give blast more room, where it was the limit itself.
    #[serde(default)]
    pub more_room: Option<String>,
    /// The rate held for longer, and the one above it failed again.
    pub confirmed: bool,
    /// How long it held in the end.
    pub confirmed_s: Option<f64>,
    /// How many connections carried it.
    pub connections: Option<u64>,
    /// Whether twice as many carried what these did not; null: that was not tried.
    pub more_connections_help: Option<bool>,
    /// Good answers per second of the closed loop at the start.
    pub burst_per_s: Option<f64>,
    /// The server answered as before after each overload.
    pub recovered: bool,
    /// The budget was over before the two ends were near enough.
    pub hurried: bool,
    /// The need that was asked about; null where none was.
    pub need: Option<Need>,
    /// The probes, by what was searched over.
    pub curve: Vec<Point>,
    /// The lowest rate above the ceiling with errors to speak of; null: there were none, or nobody
    /// went there (`--to-failure`). So with the next two.
    #[serde(default)]
    pub errors_begin_per_s: Option<f64>,
    /// The rate at which the server failed.
    #[serde(default)]
    pub collapse_per_s: Option<f64>,
    /// From then on half the ceiling, until it was answered as before; null as well: it was not.
    #[serde(default)]
    pub recovery_s: Option<f64>,
    #[serde(default)]
    pub failure: Option<Failure>,
}

/// How many such servers a rate takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Need {
    pub rate_per_s: f64,
    /// The share of the ceiling that each is to carry.
    pub load: f64,
    pub instances: u64,
}

/// One probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// Requests that were due, or in a closed loop were sent.
    pub rate_per_s: f64,
    pub length_s: f64,
    /// Or users, of whom each has one.
    pub connections: u64,
    pub good_per_s: f64,
    pub error_share: f64,
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub p99_9_us: Option<f64>,
    /// `holds`, `fails`, `blast` (which was the limit itself), `interrupted`, or `unknown` where a
    /// threshold needs more samples than there were.
    pub outcome: String,
    pub by: Option<String>,
    pub why: Option<String>,
}

/// What documents that say nothing of it were searched over.
fn rate() -> String {
    "rate".to_string()
}

impl Ceiling {
    /// A number of connections or users was searched for, and no rate.
    pub fn is_number(&self) -> bool {
        self.over != rate()
    }

    /// What was searched over, with its unit.
    pub fn level_name(&self) -> &str {
        if self.is_number() { &self.over } else { "rate/s" }
    }

    /// Where on it a probe was.
    pub fn level(&self, point: &Point) -> f64 {
        if self.is_number() { point.connections as f64 } else { point.rate_per_s }
    }

    /// The probe that was too short to be judged by the thresholds, which ended the search.
    pub fn untold(&self) -> Option<&Point> {
        self.curve.iter().find(|point| point.outcome == "unknown")
    }

    /// How many probes were no harder than the answer, and how many of these failed: of a steady
    /// server on a steady host, none. A rate that other connections did not carry is another matter.
    pub fn no_harder(&self) -> (usize, usize) {
        let end = self.ends().0.unwrap_or(0.0);
        let is_like =
            |point: &Point| self.is_number() || Some(point.connections) == self.connections;
        let probes = self.curve.iter().filter(|point| self.level(point) <= end && is_like(point));
        let failed = probes.clone().filter(|point| point.outcome == "fails").count();
        (probes.count(), failed)
    }

    /// The last that held and the first that failed.
    pub fn ends(&self) -> (Option<f64>, Option<f64>) {
        let number = |end: Option<u64>| end.map(|end| end as f64);
        match self.is_number() {
            true => (number(self.ready_for), number(self.fails_at)),
            false => (self.low_per_s, self.high_per_s),
        }
    }
}

impl CeilingDocument {
    /// blast or its host was the limit: the server may do more.
    pub fn is_blasts_own(&self) -> bool {
        let by = self.ceiling.stopped_by.as_deref();
        matches!(by, Some("client_cpu" | "ports" | "descriptors"))
    }
}
