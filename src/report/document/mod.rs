//! The result document: the whole of a run in one versioned structure.
//!
//! A field is never redefined and never removed; `result.schema.json` says what each holds. What
//! was not measured, or cannot be said of so few samples, is null. Secrets never enter it.

mod calibration;
mod counts;
mod edit;
mod example;
mod gauge;
mod groups;
mod heat;
mod host;
mod latency;
mod named;
mod plan;
mod profile;
mod rating;
mod rules;
mod server;
mod slow;
mod soak;
mod stage;
mod tls;
mod verdict;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

pub use calibration::Calibration;
pub use counts::{Bytes, Happened, Rate, Requests};
pub use edit::Edit;
pub use example::Example;
pub use gauge::{Gauge, Gauges, LogLine, WatchedLog};
pub use groups::{Group, GroupLatencies, Groups, Shares};
pub use heat::{Heat, heat_bounds_us};
pub use host::{ByAddress, Client, Connections, Dns, Worker};
pub use latency::{Bounds, Ci95, Latencies, Latency, is_exact};
pub use named::{Aside, ByName, CheckCount, Named, NamedRate, Seen, Sessions};
pub use plan::{Header, PlanEcho};
pub use profile::{ByClass, Function, Profile, Wait};
pub use rating::{Absent, Advice, Limit, Limits, Mark, Rating, Sentence};
pub use rules::{Aborted, Threshold};
pub use server::Server;
pub use slow::Slow;
pub use soak::{Soak, SoakLimit, Trend};
pub use stage::{SpanLatencies, Stage};
pub use tls::{Certificate, Tls, TlsEcho};
pub use verdict::{Evidence, Verdict};

use crate::failure::Kind;
use crate::metrics::{self, Account, Counters, Drop, Mode, Part, Summary, WarmupEnd};
use crate::plan::Plan;
use crate::time::Nanos;

/// The name and version of the document's schema.
pub const SCHEMA_NAME: &str = "blast.result/1";

/// The JSON Schema (draft 2020-12) of the document.
pub const SCHEMA: &str = include_str!("../result.schema.json");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub schema: String,
    pub blast_version: String,
    /// False when the run was interrupted, or ended by `--abort-on`.
    pub complete: bool,
    /// How a rule came to end the run; null when none did.
    pub aborted: Option<Aborted>,
    /// The start of measure, RFC 3339 in UTC.
    pub started_at: String,
    /// The length of measure as it was.
    pub duration_s: f64,
    pub plan: PlanEcho,
    pub requests: Requests,
    pub rate: Rate,
    pub latency: Latencies,
    /// `intended` (open loop) or `sent` (closed loop).
    pub latency_from: String,
    /// Complete answers by status.
    pub statuses: BTreeMap<String, u64>,
    /// Complete but unexpected answers by kind.
    pub rejections: BTreeMap<String, u64>,
    /// Failed requests by kind.
    pub failures: BTreeMap<String, u64>,
    /// Requests that were due and never sent, by reason.
    pub drops: BTreeMap<String, u64>,
    pub unsolicited_bytes: u64,
    pub bytes: Bytes,
    pub connections: Connections,
    /// Null for http. Missing in documents of earlier builds.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Of each kind in `failures` and `connections.failures`: target, network or generator.
    pub failure_sides: BTreeMap<String, String>,
    pub failure_examples: Vec<Example>,
    /// The slowest requests of measure, slowest first. Missing in documents of earlier builds, as is
    /// what follows.
    #[serde(default)]
    pub slowest: Vec<Slow>,
    /// The slowest of each interval that any ended in; in a long run, of several together.
    #[serde(default)]
    pub slowest_by_interval: Vec<Slow>,
    pub client: Client,
    /// What was read beside the load; null where nobody looked, missing in documents of earlier
    /// builds.
    #[serde(default)]
    pub gauges: Option<Gauges>,
    /// The log that was watched; null where none was, missing in documents of earlier builds.
    #[serde(default)]
    pub watched_log: Option<WatchedLog>,
    /// Who was watched; null where nobody was, missing in documents of earlier builds.
    #[serde(default)]
    pub server: Option<Server>,
    /// What it did in measure; null where nobody asked or nothing came of it, missing in documents
    /// of earlier builds.
    #[serde(default)]
    pub profile: Option<Profile>,
    pub verdict: Verdict,
    /// What blast can send; null where nothing was calibrated that is like this run, missing in
    /// documents of earlier builds.
    #[serde(default)]
    pub calibration: Option<Calibration>,
    pub thresholds: Vec<Threshold>,
    /// What drifted; null but for `blast soak`. Missing in documents of earlier builds.
    #[serde(default)]
    pub soak: Option<Soak>,
    /// Null where nobody asked for a grade. This and the next two are missing in documents of
    /// earlier builds.
    #[serde(default)]
    pub rating: Option<Rating>,
    /// What can be said of the run in plain words; none where it is no measurement.
    #[serde(default)]
    pub sentences: Vec<Sentence>,
    /// The most certain first.
    #[serde(default)]
    pub advice: Vec<Advice>,
    pub audit: Audit,
    pub warnings: Vec<Warning>,
    /// Null when there was none.
    pub warmup: Option<Warmup>,
    /// What happened after measure.
    pub drain: Happened,
    /// Of the load's shape, and of its changes; empty for a steady load.
    pub stages: Vec<Stage>,
    /// How it was changed while it ran. Missing in documents of earlier builds.
    #[serde(default)]
    pub edits: Vec<Edit>,
    /// Missing where there is no scenario.
    #[serde(flatten)]
    pub by_name: Option<ByName>,
    /// The answers by one of their headers; null without `--group-by`, missing in documents of
    /// earlier builds.
    #[serde(default)]
    pub groups: Option<Groups>,
    pub interval_s: f64,
    /// Where each bucket of the intervals' `heat` begins, in microseconds; it ends, exclusive, where
    /// the next one begins. Missing in documents of earlier builds, as `heat` is.
    #[serde(default)]
    pub heat_bounds_us: Vec<f64>,
    pub intervals: Vec<Interval>,
}

impl Document {
    /// The figures. What can be said of them comes on top: [`super::document_of`].
    pub(super) fn new(plan: &Plan, summary: &Summary) -> Document {
        let counters = &summary.measure.counters;
        Document {
            schema: SCHEMA_NAME.to_string(),
            blast_version: env!("CARGO_PKG_VERSION").to_string(),
            complete: summary.complete,
            aborted: summary.aborted.as_ref().map(Aborted::new),
            started_at: humantime::format_rfc3339_millis(summary.started_at).to_string(),
            duration_s: summary.measured.as_secs_f64(),
            plan: PlanEcho::new(plan, summary),
            requests: Requests::new(&summary.measure, summary.error_share()),
            rate: Rate::of_measure(summary),
            latency: Latencies::new(summary),
            latency_from: latency_from(summary.mode).to_string(),
            statuses: counters.statuses().map(|(s, count)| (s.to_string(), count)).collect(),
            rejections: named::rejections(counters, &main_part(summary), &summary.checks),
            failures: counted(counters.failures().map(|(kind, count)| (kind.name(), count))),
            drops: drops(counters),
            unsolicited_bytes: summary.unsolicited_bytes,
            bytes: Bytes::new(&summary.measure_events, summary.measured),
            connections: Connections::new(summary),
            tls: Tls::of(plan, summary),
            failure_sides: sides(summary),
            failure_examples: summary.examples.iter().map(Example::new).collect(),
            slowest: Slow::all(plan, summary),
            slowest_by_interval: Slow::by_interval(plan, summary),
            client: Client::new(summary),
            gauges: Gauges::of(summary),
            watched_log: summary.watched_log.as_ref().map(WatchedLog::new),
            server: Server::of(summary),
            profile: summary.profile.as_ref().map(Profile::new),
            verdict: Verdict::new(&summary.verdict),
            calibration: Calibration::of(summary),
            thresholds: plan.thresholds.iter().map(|t| Threshold::new(t, summary)).collect(),
            soak: None,
            rating: plan.rating.as_ref().map(|set| Rating::new(set, summary)),
            sentences: Vec::new(),
            advice: Vec::new(),
            audit: Audit::new(&summary.audit),
            warnings: summary.warnings.iter().map(Warning::new).collect(),
            warmup: Warmup::of(summary),
            drain: Happened::new(&summary.drain_events),
            stages: Stage::all(summary),
            edits: summary.edits.iter().map(Edit::new).collect(),
            by_name: ByName::of(summary),
            groups: Groups::of(summary),
            interval_s: summary.interval_length.as_secs_f64(),
            heat_bounds_us: heat_bounds_us(),
            intervals: summary.intervals.iter().map(Interval::new).collect(),
        }
    }

    /// Puts in what wrk would have printed for this run (`--as-wrk`). Changes no other figure.
    pub fn back_fill(&mut self, plan: &Plan, summary: &Summary) {
        self.latency.back_fill(summary, plan.connections.into());
    }

    /// Whether requests were due by a clock.
    pub fn is_open_loop(&self) -> bool {
        self.plan.mode == mode_name(Mode::Open)
    }

    /// Whether there was a second of which a best one could be told.
    pub fn has_seconds(&self) -> bool {
        self.duration_s >= 1.0
    }

    /// Whether the server is on the host that was looked at: by its addresses, or because its
    /// processes were watched.
    pub fn runs_here(&self) -> bool {
        let addresses = &self.plan.addresses;
        // What is no address of the internet is a Unix socket.
        let is_here = |address: &String| {
            let address: Result<SocketAddr, _> = address.parse();
            address.map_or(true, |address| address.ip().to_canonical().is_loopback())
        };
        let mut gauges = self.gauges.iter().flat_map(|gauges| &gauges.series);
        !addresses.is_empty() && addresses.iter().all(is_here)
            || gauges.any(|gauge| gauge.name.starts_with("server."))
    }

    /// Whether each threshold holds, and no rule ended the run.
    pub fn is_within_thresholds(&self) -> bool {
        self.aborted.is_none() && self.thresholds.iter().all(|threshold| threshold.ok)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    pub ok: bool,
    pub checks: Vec<Check>,
}

/// Two ways to count the same thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub ok: bool,
    pub left: u64,
    pub right: u64,
}

impl Audit {
    fn new(audit: &metrics::Audit) -> Audit {
        // An area in ns passes 64 bits after half a year with a thousand requests in flight; JSON
        // readers keep no more than these.
        let bounded = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
        let check = |check: &metrics::Check| Check {
            name: check.name.to_string(),
            ok: check.ok,
            left: bounded(check.left),
            right: bounded(check.right),
        };
        Audit { ok: audit.ok(), checks: audit.checks.iter().map(check).collect() }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    pub code: String,
    pub text: String,
    /// What to do about it.
    pub hint: String,
}

impl Warning {
    fn new(warning: &metrics::Warning) -> Warning {
        Warning {
            code: warning.code().to_string(),
            text: warning.text(),
            hint: warning.hint().to_string(),
        }
    }
}

/// The requests that were due in warm-up, and what happened in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Warmup {
    pub duration_s: f64,
    pub requests: Requests,
    pub rate: Rate,
    pub latency: SpanLatencies,
    /// Of `--warmup auto`: whether the answers were steady at its end; else null.
    pub steady: Option<bool>,
}

impl Warmup {
    fn of(summary: &Summary) -> Option<Warmup> {
        (summary.warmup_length > Nanos::ZERO).then(|| Warmup {
            duration_s: summary.warmup_length.as_secs_f64(),
            requests: Requests::new(&summary.warmup, counts::errors_of_due(&summary.warmup)),
            rate: Rate::of_warmup(summary),
            latency: SpanLatencies::new(&summary.warmup, summary.mode),
            steady: summary.warmup_end.map(|end| end == WarmupEnd::Steady),
        })
    }
}

/// One second of the run (two, four ... in long ones). Events, but for the quantiles, which are of
/// the requests that ended in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its end, from the start of warm-up.
    pub t_s: f64,
    pub phase: String,
    /// Of the load's shape, at its end; a steady load has the one.
    pub stage: u32,
    pub scheduled: u64,
    pub sent: u64,
    pub good: u64,
    pub rejected: u64,
    pub failed: u64,
    pub dropped: u64,
    pub in_flight: u64,
    /// At its end, like those in flight: the users of a scenario who are there, or the connections
    /// that a closed loop asks for. Null where requests come by the clock and are nobody's.
    #[serde(default)]
    pub users: Option<u64>,
    pub response_p50_us: Option<f64>,
    #[serde(default)]
    pub response_p95_us: Option<f64>,
    pub response_p99_us: Option<f64>,
    pub response_max_us: Option<f64>,
    pub service_p99_us: Option<f64>,
    pub send_lag_p99_us: Option<f64>,
    /// The times that the quantiles of the response are of.
    #[serde(default)]
    pub heat: Heat,
}

impl Interval {
    pub fn new(interval: &metrics::Interval) -> Interval {
        let events = &interval.events;
        let micros = |time: Option<Nanos>| time.map(Nanos::as_micros_f64);
        Interval {
            t_s: interval.end.as_secs_f64(),
            phase: interval.phase.name().to_string(),
            stage: interval.stage.into(),
            scheduled: events.scheduled,
            sent: events.sent,
            good: events.good,
            rejected: events.rejected(),
            failed: events.failed,
            dropped: events.dropped,
            in_flight: interval.in_flight,
            users: interval.users,
            response_p50_us: micros(interval.response_p50),
            response_p95_us: micros(interval.response_p95),
            response_p99_us: micros(interval.response_p99),
            response_max_us: micros(interval.response_max),
            service_p99_us: micros(interval.service_p99),
            send_lag_p99_us: micros(interval.send_lag_p99),
            heat: Heat::new(&interval.heat),
        }
    }
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Open => "open",
        Mode::Closed => "closed",
    }
}

fn latency_from(mode: Mode) -> &'static str {
    match mode {
        Mode::Open => "intended",
        Mode::Closed => "sent",
    }
}

/// The books of those entries that the headline is made of.
fn main_part(summary: &Summary) -> Vec<&Account> {
    let main = summary.names.iter().filter(|row| row.part == Part::Main);
    main.map(|row| &row.account).collect()
}

fn counted<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> BTreeMap<String, u64> {
    counts.map(|(name, count)| (name.to_string(), count)).collect()
}

fn drops(counters: &Counters) -> BTreeMap<String, u64> {
    let reasons = Drop::ALL.iter().map(|why| (why.name(), counters.drops[*why as usize]));
    counted(reasons.filter(|(_, count)| *count > 0))
}

fn failures_by_name(failures: &[u64; Kind::COUNT]) -> BTreeMap<String, u64> {
    counted(metrics::counters::kinds(failures).map(|(kind, count)| (kind.name(), count)))
}

/// Whose fault each kind is that happened.
fn sides(summary: &Summary) -> BTreeMap<String, String> {
    let requests = summary.measure.counters.failures();
    let connects = metrics::counters::kinds(&summary.connections.failures);
    let side = |(kind, _): (Kind, u64)| (kind.name().to_string(), kind.side().name().to_string());
    requests.chain(connects).map(side).collect()
}

/// To the last digit that is worth its bytes.
pub(super) fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests;
