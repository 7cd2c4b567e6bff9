//! What is asked for, as the API's body has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which of blast's verbs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    #[default]
    Run,
    Ceiling,
    Ladder,
    Soak,
    Suite,
}

/// A test that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Job {
    pub verb: Verb,
    /// A name of the list, or a URL whose host is allowed.
    pub target: String,
    /// A plan by its name.
    pub plan: Option<String>,
    /// Or the plan itself, in TOML.
    pub plan_text: Option<String>,
    /// Values of the plan's variables.
    pub vars: BTreeMap<String, String>,
    /// The guide's workers.
    pub connections: Option<u32>,
    pub rps: Option<f64>,
    pub duration_s: Option<f64>,
    /// As `--stages` takes it.
    pub stages: Option<String>,
    pub arrivals: Option<String>,
    pub thresholds: Vec<String>,
    pub rating: Option<String>,
    pub label: Option<String>,
    pub note: Option<String>,
    /// The name of a protected target, typed in.
    pub confirm: Option<String>,
}
