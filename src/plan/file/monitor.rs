//! `[monitor]` of a plan file: what is read beside the load. Each key is a long flag of the command
//! line, as in `[load]`; samples have their names as keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::{Pairs, Text, Word};

/// What is read beside the load.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorSheet {
    /// The server on this host: a process id, a name, a port, "cgroup:PATH" or "off".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Word>,
    /// The port of a pool whose connections are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch_pool: Option<Word>,
    /// The profiler of the watched server: "auto", "perf" or "py-spy". A plan cannot bring a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// A number that a command of the shell prints, once a second, by its name.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub sample: Pairs<Text>,
    /// Metrics of pages for Prometheus: "[NAME=]URL#metric".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scrape: Vec<String>,
    /// A log whose new lines are counted, "FILE" or "FILE:REGEX", relative to the plan file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch_log: Option<String>,
}

impl MonitorSheet {
    pub fn is_empty(&self) -> bool {
        *self == MonitorSheet::default()
    }
}
