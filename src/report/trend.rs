//! The document of a trend: `blast.trend/1`. The saved runs of one plan on one host, oldest first,
//! and whether their figures changed. Its views are `console::trend`, `html::trend`,
//! `markdown::trend` and `chart::timeline`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::comparison::Caveat;

/// The name and version of the document's schema.
pub const SCHEMA_NAME: &str = "blast.trend/1";

/// What the document is valid by: made from the types below.
pub const SCHEMA: &str = include_str!("trend.schema.json");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendDocument {
    pub schema: String,
    pub blast_version: String,
    /// What all runs have in common.
    pub plan_hash: String,
    pub host: String,
    /// Of the newest run.
    pub method: String,
    pub url: String,
    pub test: Test,
    /// Oldest first.
    pub runs: Vec<TrendRun>,
    /// Runs of this plan on this host that are not shown: they did not end by themselves, or blast
    /// was the limit.
    pub left_out: u64,
    /// p95, good answers a second, errors, processor time of the server; without those that no run
    /// has.
    pub figures: Vec<TrendFigure>,
    /// Why the runs do not say what they seem to.
    pub warnings: Vec<Caveat>,
}

/// How changes were looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Test {
    /// `max_rank_sum`: the largest of the rank sums over all places where a series can be cut,
    /// against random orders of it.
    pub name: String,
    /// How often chance may be taken for a change, of each figure.
    pub alpha: f64,
    pub orders: u64,
    pub seed: u64,
    /// Fewer runs than these are not judged.
    pub least_runs: u64,
}

/// A run, as its row in the history has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendRun {
    pub id: i64,
    pub label: String,
    /// RFC 3339 in UTC.
    pub started_at: String,
    pub blast_version: String,
    /// Null: until its requests were done.
    pub duration_s: Option<f64>,
    pub is_baseline: bool,
    pub grade: Option<String>,
    /// Null where it is not known.
    pub p95_us: Option<f64>,
    pub good_per_s: Option<f64>,
    pub error_share: Option<f64>,
    pub server_us_per_request: Option<f64>,
}

/// One figure over all runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendFigure {
    /// As the runs call it.
    pub name: String,
    /// `us`, `per_s` or `share`.
    pub unit: String,
    /// `lower` or `higher`.
    pub better: String,
    /// Runs that have it.
    pub count: u64,
    pub median: f64,
    /// `unknown` (too few runs), `steady`, `steps` or `drift`.
    pub course: String,
    /// In their order.
    pub steps: Vec<TrendStep>,
    /// Null: it does not drift.
    pub drift: Option<TrendDrift>,
}

/// A change of level between two runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendStep {
    /// The last run of the old level, and the first of the new one.
    pub after_run: i64,
    pub run: i64,
    /// Medians of the runs on both sides, as far as the next step.
    pub before: f64,
    pub after: f64,
    /// Null where nothing was before.
    pub percent: Option<f64>,
    /// How often chance alone would show as much.
    pub p: f64,
    pub worse: bool,
}

/// A change that goes on from run to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendDrift {
    /// Of a line through all runs, at the first and at the last.
    pub first: f64,
    pub last: f64,
    pub percent: Option<f64>,
    pub p: f64,
    pub worse: bool,
}

/// A figure of a run.
pub struct Source {
    pub name: &'static str,
    /// For people.
    pub called: &'static str,
    pub unit: &'static str,
    pub higher_is_better: bool,
    pub read: fn(&TrendRun) -> Option<f64>,
}

/// What is looked at, in the order in which it is shown.
pub const FIGURES: [Source; 4] = [
    Source {
        name: "p95_us",
        called: "p95",
        unit: "us",
        higher_is_better: false,
        read: |run| run.p95_us,
    },
    Source {
        name: "good_per_s",
        called: "good/s",
        unit: "per_s",
        higher_is_better: true,
        read: |run| run.good_per_s,
    },
    Source {
        name: "error_share",
        called: "errors",
        unit: "share",
        higher_is_better: false,
        read: |run| run.error_share,
    },
    Source {
        name: "server_us_per_request",
        called: "server CPU",
        unit: "us",
        higher_is_better: false,
        read: |run| run.server_us_per_request,
    },
];

/// The figure of this name.
pub fn source(name: &str) -> Option<&'static Source> {
    FIGURES.iter().find(|source| source.name == name)
}

impl TrendFigure {
    /// For people.
    pub fn called(&self) -> &str {
        source(&self.name).map_or(&self.name, |source| source.called)
    }

    /// Of each run, by its place, oldest first.
    pub fn values<'a>(
        &'a self,
        document: &'a TrendDocument,
    ) -> impl Iterator<Item = Option<f64>> + 'a {
        let read = source(&self.name).map(|source| source.read);
        document.runs.iter().map(move |run| read.and_then(|read| read(run)))
    }
}

impl TrendDocument {
    /// The place of a run among them, from 0.
    pub fn place(&self, id: i64) -> Option<usize> {
        self.runs.iter().position(|run| run.id == id)
    }
}
