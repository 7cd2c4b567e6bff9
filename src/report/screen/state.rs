//! All that is known of a run that goes on.

use std::collections::VecDeque;

use super::second::Second;
use crate::metrics::{Label, Phase, Unit};
use crate::plan::{Plan, Warmup};
use crate::report::number::{count, per_second};
use crate::time::Nanos;
use crate::units::{format_bytes, format_count};

/// Seconds that are kept: more columns than any terminal has.
const KEPT: usize = 1_000;

#[derive(Clone, Debug)]
pub struct State {
    pub subject: Subject,
    /// The newest last.
    pub seconds: VecDeque<Second>,
    pub good: u64,
    pub ended: u64,
    pub failures: Vec<(&'static str, u64)>,
    pub busy: Vec<f64>,
    pub gauges: Vec<Gauge>,
    pub rules: Vec<Standing>,
    /// While the load has not started.
    pub connecting: Option<Connecting>,
    /// From the start of warm-up.
    pub elapsed: Nanos,
    /// Where measure starts, from there, and how long it is to be; `None`: not known (yet).
    pub measure_at: Option<Nanos>,
    pub length: Option<Nanos>,
    pub ending: Ending,
    /// Whether a person may change the length.
    pub is_elastic: bool,
    pub is_frozen: bool,
    pub shows_help: bool,
    pub colors: bool,
}

/// What runs: it does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Method and URL, without secrets.
    pub what: String,
    /// The load, the engine, connections, threads.
    pub how: String,
    pub open_loop: bool,
    /// The ends of the stages of the load, from the start of measure; empty for a steady one.
    pub stage_ends: Vec<Nanos>,
    /// Requests asked for.
    pub requests: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connecting {
    pub dialled: u64,
    pub connections: u64,
}

/// Whether a person has ended it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    #[default]
    No,
    Soon,
    Now,
}

/// A gauge as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gauge {
    pub name: String,
    pub value: String,
}

/// How a rule stands so far; `None`: it cannot be told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub rule: String,
    pub holds: Option<bool>,
    pub value: String,
}

impl Subject {
    /// `engine` and `threads`: as the run has them.
    pub fn of(plan: &Plan, engine: &str, threads: usize) -> Subject {
        let what = match &plan.scenario {
            None => format!("{} {}", plan.request.method, plan.url.shown),
            Some(_) => plan.url.shown.clone(),
        };
        let load = match plan.load.per_s() {
            Some(rate) if plan.load.shape().is_none() => format!("{}/s", per_second(rate)),
            Some(_) => "open loop".to_string(),
            None => "closed loop".to_string(),
        };
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let (connections, threads) = (u64::from(plan.connections), threads as u64);
        let how = format!(
            "{load}, {} connection{}, {threads} thread{}, {engine}",
            count(connections),
            plural(connections),
            plural(threads)
        );
        Subject {
            what,
            how,
            open_loop: plan.load.offered().is_some(),
            stage_ends: plan.load.stages().iter().map(|stage| stage.end()).collect(),
            requests: plan.requests,
        }
    }
}

impl Gauge {
    /// `None`: it was not read, or is one of many cores.
    pub fn of((label, value): (Label, Option<f64>)) -> Option<Gauge> {
        let is_core = label.name.strip_prefix("host.core").is_some_and(|rest| rest != "s");
        let value = value.filter(|_| !is_core)?;
        let value = match label.unit {
            Unit::Percent => format!("{value:.0} %"),
            Unit::Bytes => format_bytes(value),
            Unit::BytesPerSecond => format!("{}/s", format_bytes(value)),
            Unit::PerSecond => format!("{}/s", format_count(value)),
            Unit::Count | Unit::Number => format_count(value),
        };
        Some(Gauge { name: label.name, value })
    }
}

/// What is new after a second.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub second: Second,
    /// Of the whole run so far: ended well, ended at all, and what went wrong, most of it first.
    pub good: u64,
    pub ended: u64,
    pub failures: Vec<(&'static str, u64)>,
    /// The share of the second that each worker was busy.
    pub busy: Vec<f64>,
    pub gauges: Vec<Gauge>,
    pub rules: Vec<Standing>,
}

impl State {
    pub fn new(plan: &Plan, subject: Subject, colors: bool) -> State {
        State {
            subject,
            seconds: VecDeque::new(),
            good: 0,
            ended: 0,
            failures: Vec::new(),
            busy: Vec::new(),
            gauges: Vec::new(),
            rules: Vec::new(),
            connecting: Some(Connecting { dialled: 0, connections: plan.connections.into() }),
            elapsed: Nanos::ZERO,
            measure_at: match plan.warmup {
                Warmup::For(length) => Some(length),
                Warmup::Auto => None,
            },
            length: None,
            ending: Ending::No,
            is_elastic: false,
            is_frozen: false,
            shows_help: false,
            colors,
        }
    }

    pub fn take_in(&mut self, update: Update) {
        let Update { second, good, ended, failures, busy, gauges, rules } = update;
        self.connecting = None;
        self.elapsed = self.elapsed.max(second.end);
        self.seconds.push_back(second);
        if self.seconds.len() > KEPT {
            self.seconds.pop_front();
        }
        (self.good, self.ended, self.failures) = (good, ended, failures);
        (self.busy, self.gauges, self.rules) = (busy, gauges, rules);
    }

    /// Warm-up and measure.
    pub fn total(&self) -> Option<Nanos> {
        Some(self.measure_at? + self.length?)
    }

    pub fn newest(&self) -> Option<&Second> {
        self.seconds.back()
    }

    /// By the clock where the lengths are known: a second is told only when it is over.
    pub fn phase(&self) -> Phase {
        let told = self.newest().map_or(Phase::Warmup, |second| second.phase);
        match (self.measure_at, self.total()) {
            _ if self.ending != Ending::No => Phase::Drain,
            (_, Some(total)) if self.elapsed >= total => Phase::Drain,
            (Some(measure), _) if self.elapsed >= measure => match told {
                Phase::Drain => Phase::Drain,
                _ => Phase::Measure,
            },
            _ => told,
        }
    }

    /// The stage that goes on, counted from 1, and how many there are.
    pub fn stage(&self) -> Option<(usize, usize)> {
        let stages = self.subject.stage_ends.len();
        let measured = self.elapsed - self.measure_at?;
        let ended = self.subject.stage_ends.iter().filter(|end| **end <= measured).count();
        (stages > 0).then(|| ((ended + 1).min(stages), stages))
    }
}
