//! Sessions of a plan file: who sends, in which steps, and what is done once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::Text;

/// Users who take their steps one after the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionSheet {
    #[serde(default)]
    pub model: SessionModel,
    /// Once for each user, at first: names of requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<String>,
    /// Once for each user, at last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teardown: Vec<String>,
    #[serde(default)]
    pub order: StepOrder,
    /// After each step that has none of its own: "2s", "1s..3s" (uniform) or "exp 2s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think: Option<Text>,
    /// Each user keeps cookies and sends them back; true if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookies: Option<bool>,
    /// How often a user takes all steps; until the run ends if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u64>,
    /// All requests that are neither setup nor teardown, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepSheet>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionModel {
    /// Each connection is a user who begins anew when done.
    #[default]
    Users,
    /// Each arrival of the schedule is a session; needs a rate.
    Sessions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepOrder {
    /// One after the other.
    #[default]
    Ordered,
    /// Each round takes one, by weight.
    Weighted,
}

/// The name of a request, or a table that says more.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum StepSheet {
    Request(Text),
    Table(Box<StepTable>),
}

/// One of `request`, `steps` and `one_of`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepTable {
    /// The name of a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// In results; the request's if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// After each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think: Option<Text>,
    /// How often in a row: 3, or "1..3".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Text>,
    /// From 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Where one of several is chosen; the request's if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u64>,
    /// All of these, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepSheet>>,
    /// One of these, by weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<StepSheet>>,
}

super::either!(
    StepSheet,
    StepSheet::Request,
    |table| StepSheet::Table(Box::new(table)),
    "the name of a request, or a table"
);

/// Requests that are sent once in the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnceSheet {
    /// Names of requests.
    pub steps: Vec<String>,
}
