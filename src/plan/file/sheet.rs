//! A plan file as it is written: one type a table, one field a key. What it means is for `build`
//! (what is sent) and for the command line (how much: `[load]` are its flags).
//!
//! The same types write plan files, and are the source of the format's schema: what stands above
//! a field is what an editor shows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::load::LoadSheet;
use super::monitor::MonitorSheet;
use super::request::{DefaultsSheet, RequestSheet};
use super::session::{OnceSheet, SessionSheet};
use super::value::{Pairs, Text, is_false};

/// A plan of blast: what is sent, to where, how much of it, and what is expected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// The base that paths of requests are joined to. Or `[targets]`, or `--host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What has to hold, such as "p99<500ms" or "'POST /patient'.errors<1%".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<String>,
    /// Ends the run once it is true, such as "errors>50%".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abort_on: Vec<String>,
    /// What the run is graded by: "api", "web", "stress", "off", or a file of limits, relative to
    /// the plan file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<String>,
    /// Files of the result, relative to the plan file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<String>,
    /// Bases to choose from with `--target NAME`.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub targets: Pairs<TargetSheet>,
    /// Values of `{{var.NAME}}`, to be changed with `--var NAME=VALUE`.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub vars: Pairs<VarSheet>,
    /// How much: each key is a long flag of the command line, with `_` for `-`.
    #[serde(default, skip_serializing_if = "LoadSheet::is_empty")]
    pub load: LoadSheet,
    /// What is read beside the load: each key is a long flag of the command line.
    #[serde(default, skip_serializing_if = "MonitorSheet::is_empty")]
    pub monitor: MonitorSheet,
    /// For all requests.
    #[serde(default, skip_serializing_if = "DefaultsSheet::is_empty")]
    pub defaults: DefaultsSheet,
    /// Once in the run, before the load; what is captured is everyone's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<OnceSheet>,
    /// Once in the run, after the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teardown: Option<OnceSheet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mix: Option<MixSheet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionSheet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsSheet>,
    /// Files of rows, for `{{data.NAME.COLUMN}}`.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub data: Pairs<DataSheet>,
    /// What is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestSheet>,
}

/// A base to choose with `--target`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetSheet {
    pub url: String,
    /// Needs `--yes NAME` too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub protected: bool,
}

/// A variable: its value, or a table that says more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum VarSheet {
    Value(Text),
    Table(VarTable),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VarTable {
    /// Without one, `--var NAME=VALUE` has to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Text>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl VarSheet {
    pub fn default_value(&self) -> Option<&str> {
        match self {
            VarSheet::Value(text) => Some(&text.0),
            VarSheet::Table(table) => table.default.as_ref().map(|text| &*text.0),
        }
    }

    pub fn help(&self) -> Option<&str> {
        match self {
            VarSheet::Value(_) => None,
            VarSheet::Table(table) => table.help.as_deref(),
        }
    }
}

super::either!(
    VarSheet,
    VarSheet::Value,
    VarSheet::Table,
    "a value, or a table with `default` and `help`"
);

/// How the next request is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MixSheet {
    #[serde(default)]
    pub choice: Choice,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// The shares are exact over any window of the sum of the weights.
    #[default]
    Exact,
    /// Each by chance.
    Random,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsSheet {
    /// Bytes of an answer's body that are kept for checks and captures, such as "256k".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Text>,
}

/// A file of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataSheet {
    /// .csv with a header line, or .ndjson, .jsonl; relative to the plan file.
    pub file: String,
    #[serde(default)]
    pub order: RowOrder,
    #[serde(default)]
    pub when_exhausted: WhenExhausted,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RowOrder {
    /// As in the file.
    #[default]
    Sequential,
    /// Any row, each time.
    Random,
    /// Each user has a row of its own.
    Unique,
    /// Each worker has a block of its own.
    Sharded,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WhenExhausted {
    /// From the first row again.
    #[default]
    Wrap,
    /// The run ends.
    Stop,
}
