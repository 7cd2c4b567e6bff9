//! How the load was changed while it ran.

use serde::{Deserialize, Serialize};

use super::rounded;
use crate::metrics::{self, Level};
use crate::report::number::{count, per_second};

/// A change of the load: for good, and in the place of what was to follow. It begins a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// From the start of warm-up, as in `intervals`; 0 for before.
    pub t_s: f64,
    /// What it was changed to; null in closed loop.
    pub rate_per_s: Option<f64>,
    /// Connections that take part, of a scenario its users; null in open loop.
    pub users: Option<u32>,
    pub who: String,
}

impl Edit {
    pub(super) fn new(edit: &metrics::Edit) -> Edit {
        let (rate_per_s, users) = match edit.level {
            Level::Rate(per_s) => (Some(per_s), None),
            Level::Users(count) => (None, Some(count)),
        };
        Edit { t_s: rounded(edit.at.as_secs_f64(), 6), rate_per_s, users, who: edit.who.clone() }
    }

    /// `250/s`, or `20 users`.
    pub fn level(&self) -> String {
        match (self.rate_per_s, self.users) {
            (Some(per_s), _) => format!("{}/s", per_second(per_s)),
            (None, Some(1)) => "1 user".to_string(),
            (None, users) => format!("{} users", count(users.unwrap_or(0).into())),
        }
    }

    /// `to 250/s from 12.1 s on, by ada`.
    pub fn sentence(&self) -> String {
        let by = if self.who.is_empty() { String::new() } else { format!(", by {}", self.who) };
        format!("to {} from {:.1} s on{by}", self.level(), self.t_s)
    }
}
