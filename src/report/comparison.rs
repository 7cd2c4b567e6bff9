//! The document of a comparison of saved runs: `blast.compare/1`. Its page is in
//! `console::compare`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name and version of the document's schema.
pub const SCHEMA_NAME: &str = "blast.compare/1";

/// What the document is valid by: made from the types below.
pub const SCHEMA: &str = include_str!("compare.schema.json");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    pub schema: String,
    pub blast_version: String,
    /// Of every interval.
    pub confidence: f64,
    /// In the order in which they were named; each is compared with the first.
    pub runs: Vec<Run>,
    /// Why the runs do not say what they seem to.
    pub warnings: Vec<Caveat>,
    pub metrics: Vec<Metric>,
    /// Of `--fail-if`, for each run but the first.
    pub rules: Vec<Rule>,
    /// Of `--target`.
    pub targets: Vec<Target>,
}

/// One of the runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// `A`, `B` ...: how it is called here.
    pub label: String,
    pub file: String,
    /// RFC 3339 in UTC.
    pub started_at: String,
    pub method: String,
    pub url: String,
    /// `open` or `closed`.
    pub mode: String,
    /// Null in a closed loop.
    pub rps: Option<f64>,
    pub connections: u64,
    pub duration_s: f64,
    /// Null where there is none.
    pub grade: Option<String>,
    /// Who was the limit.
    pub verdict: String,
    /// Its response times (closed loop: from sent). Null in documents of earlier builds.
    #[serde(default)]
    pub response: Option<Distribution>,
}

/// A distribution, as the document of the run has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    pub count: u64,
    /// Samples of which only a lower bound is known.
    pub censored: u64,
    /// The histogram in ns: V2 + DEFLATE, base64, as in HdrHistogram logs.
    pub hdr: String,
}

/// Why runs cannot be compared as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Caveat {
    /// A stable name: `mode`, `url`, `load`, `plan`, `generator`, `incomplete`, `audit`, `version`,
    /// `independent`.
    pub code: String,
    pub text: String,
}

/// One figure of all runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// As `--fail-if` takes it.
    pub name: String,
    /// `us`, `share` or `per_s`.
    pub unit: String,
    /// `lower` or `higher`; null: neither is.
    pub better: Option<String>,
    /// One a run; null: it is not known of that one.
    pub values: Vec<Option<Value>>,
    /// One for each run but the first.
    pub differences: Vec<Difference>,
}

/// What was measured, and the interval in which the truth lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Value {
    pub value: f64,
    /// The value is that or more.
    pub lower_bound: bool,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// A run against the first one. Null: not known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The label of the run.
    pub run: String,
    /// In the metric's unit, as are its two ends.
    pub absolute: Option<f64>,
    /// The difference is that or more.
    pub lower_bound: bool,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Of what was measured in the first run; null also where that was nothing, and of shares.
    pub percent: Option<f64>,
    pub percent_low: Option<f64>,
    pub percent_high: Option<f64>,
    /// The interval leaves zero out.
    pub significant: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// As it was typed.
    pub expr: String,
    pub metric: String,
    pub run: String,
    /// The change is beyond the limit; null: it is not known.
    pub beyond: Option<bool>,
    pub significant: Option<bool>,
    /// Both: the rule has failed.
    pub failed: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// As it was typed.
    pub expr: String,
    pub metric: String,
    pub unit: String,
    /// Of the first run, and of the last one.
    pub before: Option<f64>,
    pub after: Option<f64>,
    /// The value after is that or more.
    pub lower_bound: bool,
    pub target: f64,
    /// Null: not known.
    pub reached: Option<bool>,
}

impl Comparison {
    pub fn has_failed(&self) -> bool {
        self.rules.iter().any(|rule| rule.failed)
    }
}
