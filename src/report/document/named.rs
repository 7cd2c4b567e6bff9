//! The results by name: a row for each place where a scenario sends a request, its checks, its
//! sessions, and what was sent aside. Missing where there is no scenario.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counts::{self, Requests};
use super::latency::Latency;
use super::rounded;
use super::stage::SpanLatencies;
use crate::metrics::{self, Account, Counters, Distribution, Part, Rejection, Summary};
use crate::plan::mask::mask_query;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ByName {
    /// In the order of the plan.
    pub names: Vec<Named>,
    pub checks: Vec<CheckCount>,
    /// Null where no user takes steps.
    pub sessions: Option<Sessions>,
    pub aside: Aside,
}

impl ByName {
    pub(super) fn of(summary: &Summary) -> Option<ByName> {
        summary.model.map(|_| ByName {
            names: summary.names.iter().map(|row| Named::new(row, summary)).collect(),
            checks: summary.checks.iter().map(CheckCount::new).collect(),
            sessions: summary.sessions.as_ref().map(Sessions::new),
            aside: Aside::new(summary),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// Secret query fields masked.
    pub name: String,
    pub method: String,
    /// `setup`, `main` or `teardown`; only the main part is in the figures of the whole.
    pub part: String,
    /// 0 where there is no choice.
    pub weight: u64,
    /// Those due in measure (closed loop: sent); of setup and teardown all.
    pub requests: Requests,
    pub rate: NamedRate,
    /// Of the main part, where the weights alone decide.
    pub share_asked: Option<f64>,
    /// Of all that was sent of the main part; null of the others.
    pub share_sent: Option<f64>,
    pub latency: SpanLatencies,
    pub statuses: BTreeMap<String, u64>,
    pub rejections: BTreeMap<String, u64>,
    /// Each kind of failure and of rejection, most frequent first.
    pub failures: Vec<Seen>,
}

/// What happened in measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedRate {
    pub sent_per_s: f64,
    pub good_per_s: f64,
}

/// A kind of failure or of rejection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    pub kind: String,
    pub count: u64,
    /// From the start of measure; 0 for before.
    pub first_s: f64,
    pub last_s: f64,
}

impl Named {
    /// The name without the method that it begins with, where the method stands beside it.
    pub fn without_method(&self) -> &str {
        let rest = self.name.strip_prefix(self.method.as_str());
        rest.and_then(|rest| rest.strip_prefix(' ')).unwrap_or(&self.name)
    }

    fn new(row: &metrics::Named, summary: &Summary) -> Named {
        let account = &row.account;
        let counters = &account.fates.counters;
        let per_second = |count| rounded(summary.per_second(count), 3);
        let sent = summary.measure.counters.sent;
        let share_sent = (row.part == Part::Main && sent > 0).then_some(sent);
        Named {
            name: mask_query(&row.name),
            method: row.method.clone(),
            part: row.part.name().to_string(),
            weight: row.weight,
            requests: Requests::new(&account.fates, counts::errors_of_due(&account.fates)),
            rate: NamedRate {
                sent_per_s: per_second(account.events.sent),
                good_per_s: per_second(account.events.good),
            },
            share_asked: row.share_asked,
            share_sent: share_sent.map(|sent| counters.sent as f64 / sent as f64),
            latency: SpanLatencies::new(&account.fates, summary.mode),
            statuses: counters.statuses().map(|(s, count)| (s.to_string(), count)).collect(),
            rejections: rejections(counters, &[account], &summary.checks),
            failures: failures(account, &summary.checks),
        }
    }
}

/// By kind; what a check rejected by the check's name.
pub(super) fn rejections(
    counters: &Counters,
    accounts: &[&Account],
    checks: &[metrics::CheckCount],
) -> BTreeMap<String, u64> {
    let by_check = |place: usize| accounts.iter().map(|a| a.checks[place].count).sum::<u64>();
    let of_checks = checks.iter().enumerate().map(|(place, c)| (of_check(c), by_check(place)));
    let others = counters.rejections().map(|(kind, count)| (kind.name().to_string(), count));
    others
        .filter(|(kind, _)| *kind != Rejection::Check.name() || checks.is_empty())
        .chain(of_checks)
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn of_check(check: &metrics::CheckCount) -> String {
    format!("{}:{}", Rejection::Check.name(), check.name)
}

fn failures(account: &Account, checks: &[metrics::CheckCount]) -> Vec<Seen> {
    let kinds = crate::failure::Kind::ALL.iter().map(|kind| kind.name().to_string());
    let failures = kinds.zip(&account.failures);
    let rejections = Rejection::ALL.iter().zip(&account.rejections);
    let rejections = rejections
        .filter(|(kind, _)| **kind != Rejection::Check || checks.is_empty())
        .map(|(kind, seen)| (kind.name().to_string(), seen));
    let of_checks = checks.iter().map(of_check).zip(&account.checks);
    let all = failures.chain(rejections).chain(of_checks).filter(|(_, seen)| seen.count > 0);
    let mut all: Vec<Seen> = all
        .map(|(kind, seen)| Seen {
            kind,
            count: seen.count,
            first_s: rounded(seen.first.as_secs_f64(), 3),
            last_s: rounded(seen.last.as_secs_f64(), 3),
        })
        .collect();
    all.sort_by_key(|seen| std::cmp::Reverse(seen.count));
    all
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckCount {
    pub name: String,
    pub passed: u64,
    pub failed: u64,
}

impl CheckCount {
    fn new(check: &metrics::CheckCount) -> CheckCount {
        let metrics::CheckCount { name, passed, failed } = check.clone();
        CheckCount { name, passed, failed }
    }
}

/// Those that ended after warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    /// `completed + failed + cut`.
    pub started: u64,
    pub completed: u64,
    /// A step of it was no good, and ended it.
    pub failed: u64,
    /// The end of the run came before its own.
    pub cut: u64,
    /// Of the completed and the failed; the latter rank above the former.
    pub length: Latency,
}

impl Sessions {
    fn new(sessions: &metrics::Sessions) -> Sessions {
        Sessions {
            started: sessions.started(),
            completed: sessions.completed,
            failed: sessions.failed,
            cut: sessions.cut,
            length: Latency::ranked(&Distribution::ranked(
                &sessions.completed_in,
                &sessions.failed_in,
            )),
        }
    }
}

/// Setup and teardown, in all phases; in no other figure but the bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aside {
    pub requests: Requests,
    pub latency: SpanLatencies,
}

impl Aside {
    fn new(summary: &Summary) -> Aside {
        let aside = &summary.aside;
        Aside {
            requests: Requests::new(aside, counts::errors_of_due(aside)),
            latency: SpanLatencies::new(aside, summary.mode),
        }
    }
}
