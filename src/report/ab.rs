//! The document of two servers in turns: `blast.ab/1`. Its page is in `console::ab`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::comparison::Caveat;

/// The name and version of the document's schema.
pub const SCHEMA_NAME: &str = "blast.ab/1";

/// What the document is valid by: made from the types below.
pub const SCHEMA: &str = include_str!("ab.schema.json");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AbDocument {
    pub schema: String,
    pub blast_version: String,
    /// False when it was interrupted.
    pub complete: bool,
    /// RFC 3339 in UTC.
    pub started_at: String,
    pub duration_s: f64,
    /// Of all intervals together.
    pub confidence: f64,
    pub method: String,
    /// A and B.
    pub urls: [String; 2],
    /// `open` or `closed`.
    pub mode: String,
    /// Null in a closed loop.
    pub rps: Option<f64>,
    pub connections: u64,
    /// How long each side is measured in a round; null: until its requests are done.
    pub length_s: Option<f64>,
    pub rounds_asked: u64,
    /// Of the order within the rounds, and of the signs that are turned.
    pub seed: u64,
    /// The smallest difference that was asked to be seen.
    pub effect_percent: f64,
    pub metrics: Vec<Metric>,
    /// How many rounds it takes to see it in the rate and the median; null: there are enough.
    pub rounds_needed: Option<u64>,
    pub warnings: Vec<Caveat>,
    pub rounds: Vec<Round>,
}

/// One figure of both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    pub name: String,
    /// `us` or `per_s`.
    pub unit: String,
    /// `lower` or `higher`.
    pub better: String,
    /// The medians of the rounds.
    pub a: f64,
    pub b: f64,
    /// B against A, by pairs.
    pub percent: f64,
    /// Null: the rounds are too few.
    pub percent_low: Option<f64>,
    pub percent_high: Option<f64>,
    pub significant: Option<bool>,
}

/// Both sides one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Round {
    /// `ab` or `ba`.
    pub order: String,
    pub a: Side,
    pub b: Side,
}

/// What was measured of one side in a round; null: not known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    pub good_per_s: f64,
    pub error_share: f64,
    pub mean_us: Option<f64>,
    pub p50_us: Option<f64>,
    pub p90_us: Option<f64>,
    pub p95_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub p99_9_us: Option<f64>,
    pub cpu_us_per_request: Option<f64>,
    pub server_us_per_request: Option<f64>,
    /// Who was the limit.
    pub limit: String,
}
