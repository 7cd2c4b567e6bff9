//! The document of tools on the same load: `blast.versus/1`. Its page is in `console::versus`, for a
//! pull request in `markdown::versus`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::comparison::Caveat;

/// The name and version of the document's schema.
pub const SCHEMA_NAME: &str = "blast.versus/1";

/// What the document is valid by: made from the types below.
pub const SCHEMA: &str = include_str!("versus.schema.json");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersusDocument {
    pub schema: String,
    pub blast_version: String,
    /// False when it was interrupted.
    pub complete: bool,
    /// RFC 3339 in UTC.
    pub started_at: String,
    pub duration_s: f64,
    pub host: String,
    pub url: String,
    /// Who answered: `blast target`, or the name of who listens here; null: not known.
    pub server: Option<String>,
    /// `open` or `closed`.
    pub mode: String,
    /// Null in a closed loop.
    pub rps: Option<f64>,
    pub connections: u64,
    /// Of each run.
    pub length_s: f64,
    pub rounds_asked: u64,
    /// Those that every tool still running finished.
    pub rounds: u64,
    /// What each tool was bound to.
    pub client_cores: Vec<u64>,
    /// Null: not blast's to say.
    pub server_cores: Option<Vec<u64>>,
    /// Measured ones first.
    pub tools: Vec<Tool>,
    pub footnotes: Vec<Footnote>,
    pub warnings: Vec<Caveat>,
    /// In the order in which they ran.
    pub runs: Vec<Run>,
}

/// One tool: medians of its runs; null: it does not say, or nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    pub name: String,
    pub version: Option<String>,
    /// `measured`, `failed`, `missing`, `unsuited` (it has no such loop) or `unmeasured`.
    pub status: String,
    /// Why it failed, how it is installed, what it cannot.
    pub why: Option<String>,
    pub runs: u64,
    pub good_per_s: Option<f64>,
    pub error_share: Option<f64>,
    /// As it says itself.
    pub mean_us: Option<f64>,
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
    /// As blast says of its own runs of this load.
    pub blast_p50_us: Option<f64>,
    pub blast_p99_us: Option<f64>,
    /// As the server's log says of this tool's runs.
    pub server_p50_us: Option<f64>,
    pub server_p99_us: Option<f64>,
    /// The server's count over the tool's own.
    pub server_count_ratio: Option<f64>,
    pub cpu_us_per_request: Option<f64>,
    pub cpu_us_least: Option<f64>,
    pub cpu_us_most: Option<f64>,
    pub max_rss_bytes: Option<u64>,
    /// Of its cores' time.
    pub client_busy: Option<f64>,
    /// Of the busiest thread's time.
    pub server_busy: Option<f64>,
    /// `client`, `server`, `neither`; `not client`: the server is not watched.
    pub limit: Option<String>,
    /// Numbers of footnotes.
    pub notes: Vec<u64>,
}

/// How a tool's figures differ from what one would take them for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Footnote {
    pub number: u64,
    pub tool: String,
    pub text: String,
}

/// One run of one tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// From 1.
    pub round: u64,
    pub tool: String,
    pub completed: u64,
    pub good: u64,
    pub errors: u64,
    pub good_per_s: f64,
    pub mean_us: Option<f64>,
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub cpu_s: f64,
    pub wall_s: f64,
    pub max_rss_bytes: u64,
    pub client_busy: f64,
    pub server_busy: Option<f64>,
    pub server_requests: Option<u64>,
    pub server_p50_us: Option<f64>,
    pub server_p99_us: Option<f64>,
}
