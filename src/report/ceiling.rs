//! The document of a search for a ceiling: `blast.ceiling/1`. Its page is in `console::ceiling`.

use serde::{Deserialize, Serialize};

use super::document::Calibration;

/// The name and version of the document's schema.
pub const SCHEMA_NAME: &str = "blast.ceiling/1";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    /// The highest rate that met the thresholds; null: none did.
    pub rate_per_s: Option<f64>,
    /// The two ends between which the ceiling lies: the one that held and the one that did not;
    /// null: nothing above failed.
    pub low_per_s: Option<f64>,
    pub high_per_s: Option<f64>,
    /// What failed above: `threshold p99<10ms`, `rate`, `errors`, `rate_limit`, `connections`,
    /// `client_cpu`, `ports` or `descriptors`; null: nothing did.
    pub stopped_by: Option<String>,
    /// The evidence, in one sentence.
    pub why: Option<String>,
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
    /// The probes, by rate.
    pub curve: Vec<Point>,
}

/// How many such servers a rate takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Need {
    pub rate_per_s: f64,
    /// The share of the ceiling that each is to carry.
    pub load: f64,
    pub instances: u64,
}

/// One probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub rate_per_s: f64,
    pub length_s: f64,
    pub connections: u64,
    pub good_per_s: f64,
    pub error_share: f64,
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub p99_9_us: Option<f64>,
    /// `holds`, `fails`, `blast` (which was the limit itself) or `interrupted`.
    pub outcome: String,
    pub by: Option<String>,
    pub why: Option<String>,
}

impl CeilingDocument {
    /// blast or its host was the limit: the server may do more.
    pub fn is_blasts_own(&self) -> bool {
        let by = self.ceiling.stopped_by.as_deref();
        matches!(by, Some("client_cpu" | "ports" | "descriptors"))
    }
}
