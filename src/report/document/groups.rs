//! The answers by the value of one of their headers. Only answers have headers: what failed or was
//! never answered is in no group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::latency::Latency;
use crate::metrics::groups::{self, Value};
use crate::metrics::{Rejection, Summary};

/// Of the requests due in measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// What tells them apart: `header:NAME`.
    pub by: String,
    /// Those with the most answers first, and last `other` and `none`.
    pub rows: Vec<Group>,
    /// Requests that were sent and had no whole answer: nobody knows whose they would have been.
    pub unanswered: u64,
    /// Connections with answers of more than one group.
    pub strayed_connections: u64,
    /// Whether the shares are equal, as far as chance and what matters go; null: it cannot be told.
    pub even: Option<bool>,
    pub evidence: Shares,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The header's, cut at 64 bytes and with secrets masked; `(other)` and `(none)` by their kind.
    pub value: String,
    /// `value`; `other`: one of those beyond the number that is told apart; `none`: no such header.
    pub kind: String,
    pub completed: u64,
    pub good: u64,
    pub rejected: u64,
    /// Of all answers.
    pub share: f64,
    /// Rejected, of its own answers.
    pub error_share: f64,
    pub rejections: BTreeMap<String, u64>,
    /// Those all of whose answers were of this group.
    pub connections: u64,
    pub latency: GroupLatencies,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupLatencies {
    /// Of all its answers, from when they were due (closed loop: sent). Those that were no good rank
    /// above the others.
    pub response: Latency,
    /// Of the good ones, from sent.
    pub service: Latency,
}

/// What speaks for or against equal shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// `answers`, or `connections` where each of these stayed with one group; null with `even`, as
    /// are the next three.
    pub of: Option<String>,
    /// Independent choices behind the shares.
    pub choices: Option<f64>,
    pub chi_square: Option<f64>,
    /// That equal shares look as uneven by chance.
    pub p: Option<f64>,
    pub text: String,
}

impl Groups {
    pub(super) fn of(summary: &Summary) -> Option<Groups> {
        let groups = summary.groups.as_ref()?;
        let counters = &summary.measure.counters;
        let all = groups.completed();
        Some(Groups {
            by: groups.by.clone(),
            rows: groups.rows.iter().map(|row| Group::new(row, all)).collect(),
            unanswered: counters.sent.saturating_sub(counters.completed),
            strayed_connections: groups.strayed,
            even: groups.evenness().ok().map(|found| found.is_even()),
            evidence: Shares::new(groups),
        })
    }
}

impl Group {
    fn new(row: &groups::Group, all: u64) -> Group {
        let book = &row.book;
        let rejections = Rejection::ALL.iter().zip(book.rejections).filter(|(_, count)| *count > 0);
        let value = match &row.value {
            Value::Text(text) => text.as_str(),
            other => other.shown(),
        };
        Group {
            value: value.to_string(),
            kind: row.value.kind().to_string(),
            completed: book.completed(),
            good: book.good.count(),
            rejected: book.rejected(),
            share: book.completed() as f64 / all.max(1) as f64,
            error_share: book.error_share(),
            rejections: rejections.map(|(kind, count)| (kind.name().to_string(), count)).collect(),
            connections: book.connections,
            latency: GroupLatencies {
                response: Latency::ranked(&book.response()),
                service: Latency::new(book.service(), book.service().count(), 0),
            },
        }
    }

    /// As people read it.
    pub fn shown(&self) -> &str {
        if self.value.is_empty() { "(empty)" } else { &self.value }
    }
}

impl Shares {
    fn new(groups: &groups::Groups) -> Shares {
        let none =
            Shares { of: None, choices: None, chi_square: None, p: None, text: String::new() };
        match groups.evenness() {
            Err(untold) => Shares { text: untold.text().to_string(), ..none },
            Ok(found) => Shares {
                of: Some(found.of.name().to_string()),
                choices: Some(found.choices),
                chi_square: Some(found.chi_square),
                p: Some(found.p),
                text: found.text(),
            },
        }
    }
}
