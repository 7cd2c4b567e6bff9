//! The verdict: who was the limit, the evidence for it, and what to change.
//!
//! blast suspects itself first. Only where its workers had time to spare and were punctual can
//! anything be said about the network, and only where that lost nothing, about the server.
//!
//! ```text
//! own         what blast or its host ran out of      evidence   every figure that was weighed
//! network     what was lost on the way               change     what to do about the limit
//! ```

mod change;
mod evidence;
mod network;
mod own;
#[cfg(test)]
mod tests;

pub use evidence::Evidence;
pub(super) use network::retransmit_share;

use super::named::{SESSIONS, USERS};
use super::{Limit::*, Mode, Stage, Summary};
use crate::failure::Kind;
use crate::time::Nanos;
use crate::units::{format_count, format_duration};

/// A rate counts as held when this share of it was sent on schedule, and of it answered well.
const HELD: f64 = 0.99;

/// Requests that had to wait for a connection were served in about the time of the others, up to
/// this factor: the server answered as before, only the connections ran out.
const AS_BEFORE: f64 = 1.5;

/// A thread, or a host, that uses this much of its processors (percent) has nothing to spare.
const FULL: f64 = 95.0;

/// A server that has this much of one core (percent), on a host that is full, wants more of it.
const BESIDE_OTHERS: f64 = 25.0;

/// Users of whom this share waits for answers, on average, do little else.
const MOSTLY_WAITING: f64 = 0.9;

/// Who was the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limit {
    /// The rate asked for was held.
    #[default]
    None,
    Server,
    ClientCpu,
    Connections,
    Ports,
    Descriptors,
    Network,
}

impl Limit {
    pub fn name(self) -> &'static str {
        match self {
            None => "none",
            Server => "server",
            ClientCpu => "client_cpu",
            Connections => "connections",
            Ports => "ports",
            Descriptors => "descriptors",
            Network => "network",
        }
    }

    /// blast or its host was the limit, so the figures say nothing about the server.
    pub fn is_generator(self) -> bool {
        matches!(self, ClientCpu | Ports | Descriptors)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    pub limit: Limit,
    /// One sentence with the figures that decided, fit to follow the limit's name.
    pub why: String,
    /// Every figure that was weighed and is known, whichever way it spoke.
    pub evidence: Vec<Evidence>,
    /// What to change, one sentence.
    pub change: String,
}

/// A limit and why it is the one.
type Finding = (Limit, String);

impl Verdict {
    pub fn of(summary: &Summary) -> Verdict {
        let (limit, why) = find(summary);
        let change = change::of(limit, summary);
        Verdict { limit, why, evidence: evidence::of(summary), change }
    }
}

fn find(summary: &Summary) -> Finding {
    if !summary.complete && summary.measured == Nanos::ZERO {
        return (None, "the run was ended before measure began".to_string());
    }
    match summary.mode {
        Mode::Open => open_loop(summary),
        Mode::Closed => closed_loop(summary),
    }
}

fn open_loop(summary: &Summary) -> Finding {
    if let Some(own) = own::exhausted(summary).or_else(|| own::lateness(summary)) {
        return own;
    }
    let efficiency = summary.efficiency().unwrap_or(0.0);
    let success = summary.success_share();
    if efficiency >= HELD && success >= HELD {
        return (None, held(summary));
    }
    if let Some(network) = network::limit(summary) {
        return network;
    }
    match efficiency >= HELD {
        true => unsuccessful(summary),
        false => behind(summary, efficiency),
    }
}

fn closed_loop(summary: &Summary) -> Finding {
    let own =
        own::exhausted(summary).or_else(|| own::idled(summary)).or_else(|| own::piled(summary));
    if let Some(own) = own {
        return own;
    }
    if let Some(network) = network::limit(summary) {
        return network;
    }
    if summary.success_share() < HELD {
        return unsuccessful(summary);
    }
    if summary.measured < own::TELLING {
        let length = format_duration(summary.measured);
        return (None, format!("it was over after {length}, too soon to tell what would limit it"));
    }
    if let Some(thinking) = thinking(summary) {
        return thinking;
    }
    let why = format!(
        "each connection waited for its answer; blast's busiest worker used {} of its core{}",
        percent(own::busiest(summary)),
        processors(summary)
    );
    (Server, why)
}

/// Users who spend their time thinking are held up by nobody.
fn thinking(summary: &Summary) -> Option<Finding> {
    if summary.model != Some(USERS) || summary.measured == Nanos::ZERO {
        return Option::None;
    }
    let waiting = evidence::in_flight(summary);
    let user_seconds = |stage: &Stage| stage.level() * stage.length.as_secs_f64();
    let users = match &summary.stages[..] {
        [] => summary.connections.open_peak as f64,
        stages => stages.iter().map(user_seconds).sum::<f64>() / summary.measured.as_secs_f64(),
    };
    (waiting < MOSTLY_WAITING * users).then(|| {
        let why = format!(
            "the users set the pace: of {} on average {} waited for an answer",
            format_count(users),
            format_count(waiting)
        );
        (None, why)
    })
}

fn held(summary: &Summary) -> String {
    let target = summary.target_per_s.unwrap_or(0.0);
    let efficiency = summary.efficiency().unwrap_or(0.0);
    let what = match summary.stages.is_empty() {
        true => format!("the rate of {}{}/s", format_count(target), unit(summary)),
        false => "the rate of each stage".to_string(),
    };
    format!(
        "{what} was held: {} sent on schedule, {} good",
        percent(efficiency),
        percent(summary.success_share())
    )
}

/// What the rate is of, where that is not requests.
fn unit(summary: &Summary) -> &'static str {
    if summary.model == Some(SESSIONS) { " sessions" } else { "" }
}

/// Sent as asked, but answered badly or not at all.
fn unsuccessful(summary: &Summary) -> Finding {
    let counters = &summary.measure.counters;
    let timeouts = counters.failures[Kind::Timeout as usize];
    let why = format!(
        "only {} of the requests were good: {} rejected, {} failed ({timeouts} of them timed out), \
         {} unanswered{}",
        percent(summary.success_share()),
        counters.rejected(),
        counters.failed(),
        counters.abandoned + counters.dropped,
        processors(summary)
    );
    (Server, why)
}

/// The schedule was not kept, and blast was not the cause: requests waited for a connection.
fn behind(summary: &Summary, efficiency: f64) -> Finding {
    if summary.model == Some(SESSIONS) {
        let why = format!(
            "{} of what the sessions had to send was sent on schedule while blast's busiest worker \
             used {} of its core; each takes a connection until it is done",
            percent(efficiency),
            percent(own::busiest(summary))
        );
        return (Connections, why);
    }
    if let Some(service) = served_as_before(summary) {
        let connections = summary.connections.asked;
        let why = format!(
            "{connections} in flight at {} can carry {}/s at most, and the server answered no \
             slower than with free connections",
            format_duration(service),
            format_count(connections as f64 / service.as_secs_f64())
        );
        return (Connections, why);
    }
    let (good, target) = (summary.good_per_s(), summary.target_per_s.unwrap_or(0.0));
    let share = if target > 0.0 { good / target } else { 0.0 };
    let why = format!(
        "it answered {}/s of the {}/s offered ({}); {} sent on schedule while blast's busiest \
         worker used {} of its core{}",
        format_count(good),
        format_count(target),
        percent(share),
        percent(efficiency),
        percent(own::busiest(summary)),
        processors(summary)
    );
    (Server, why)
}

/// How long the server took for those that had waited for a connection, where that was no longer
/// than for the others and so long that the connections could not carry the rate (Little's law).
fn served_as_before(summary: &Summary) -> Option<Nanos> {
    let (mut waited, mut unwaited) = (summary.measure.waited, summary.measure.unwaited);
    waited.add(summary.warmup.waited);
    unwaited.add(summary.warmup.unwaited);
    let (waited, unwaited) = (waited.mean()?, unwaited.mean()?);
    let most = summary.connections.asked as f64 / waited.as_secs_f64();
    let as_before = waited.0 as f64 <= unwaited.0 as f64 * AS_BEFORE && has_room(summary);
    (as_before && most < summary.target_per_s?).then_some(waited)
}

/// Whether the server, where somebody looked, had processor time left. One that has none is no
/// slower for those that waited only because it was so from the first requests on.
fn has_room(summary: &Summary) -> bool {
    let mean = |name| summary.gauge(name).map_or(0.0, |course| course.mean);
    let is_crowded = mean("host.cpu") >= FULL && mean("server.cpu") >= BESIDE_OTHERS;
    mean("server.core_max") < FULL && !is_crowded
}

/// `; its processes used 99 % of one core, its busiest thread 98 %`, where somebody looked.
fn processors(summary: &Summary) -> String {
    let mean = |name| summary.gauge(name).map(|course| course.mean);
    let Some(all) = mean("server.cpu") else { return String::new() };
    let thread = mean("server.core_max");
    let thread = thread.map(|busiest| format!(", its busiest thread {busiest:.0} %"));
    format!("; its processes used {all:.0} % of one core{}", thread.unwrap_or_default())
}

/// Rounded down to a tenth, so that 100 % means all.
fn percent(share: f64) -> String {
    format!("{:.1} %", (share * 1000.0).floor() / 10.0)
}
