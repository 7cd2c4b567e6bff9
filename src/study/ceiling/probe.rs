//! A probe: how a run at one level came out: at a rate, or with so many connections or users.

use crate::failure::Side;
use crate::metrics::{Limit, Mode, Rejection, Summary, Worker};
use crate::plan::Threshold;
use crate::plan::threshold::Unit;
use crate::time::Nanos;
use crate::units::{format_count, format_duration};

/// A rate counts as carried when this share of what was due was answered well within measure, but
/// for what may still have been in flight.
pub const CARRIED: f64 = 0.99;

/// What a rate that was not carried is called.
const RATE: &str = "rate";

/// What errors are called, and answers of 429.
const ERRORS: &str = "errors";
const RATE_LIMIT: &str = "rate_limit";

/// A worker this busy has little time to spare.
const BUSY: f64 = 0.9;

/// A probe that falls this short needs no second opinion.
const CLEAR: f64 = 0.9;

#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// What is searched over: requests per second, or how many connections or users.
    pub level: f64,
    /// Requests per second: that were due, or in a closed loop that were sent.
    pub rate_per_s: f64,
    pub length: Nanos,
    pub connections: u32,
    pub good_per_s: f64,
    pub errors: f64,
    pub p50: Option<Nanos>,
    pub p99: Option<Nanos>,
    pub p99_9: Option<Nanos>,
    pub outcome: Outcome,
    /// The share of what was due that was answered well in time, at most 1; `None`: it was ended
    /// before that could be told.
    pub carried: Option<f64>,
    /// It fell so far short that noise is no explanation.
    pub clear: bool,
    /// Where blast was the limit: how to give it more room.
    pub change: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Holds,
    /// What did not: `threshold p99<10ms`, `rate`, `errors`, `rate_limit` or `connections`; and the
    /// evidence.
    Fails {
        by: String,
        why: String,
    },
    /// blast or its host was the limit.
    Blast {
        by: String,
        why: String,
    },
    /// Nothing failed, but a rule could not be told: it needs more samples than there were.
    Unknown {
        by: String,
        why: String,
    },
    Interrupted,
}

impl Outcome {
    /// What made it so, and the evidence.
    pub fn cause(&self) -> (Option<String>, Option<String>) {
        match self {
            Outcome::Fails { by, why }
            | Outcome::Blast { by, why }
            | Outcome::Unknown { by, why } => (Some(by.clone()), Some(why.clone())),
            Outcome::Holds | Outcome::Interrupted => (None, None),
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Holds => "holds",
            Outcome::Fails { .. } => "fails",
            Outcome::Blast { .. } => "blast",
            Outcome::Unknown { .. } => "unknown",
            Outcome::Interrupted => "interrupted",
        }
    }
}

impl Probe {
    /// Of a run at this rate, or in a closed loop of so many.
    pub fn of(summary: &Summary, thresholds: &[Threshold], level: f64, n: u32) -> Probe {
        let carried = carried(summary);
        let outcome = match failure(summary, thresholds, carried) {
            // What holds although blast was late would hold all the more.
            None => untold(summary, thresholds).unwrap_or(Outcome::Holds),
            Some(failure) => attributed(summary, failure),
        };
        Probe {
            clear: carried < CLEAR || is_far_off(summary, thresholds),
            carried: Some(carried),
            ..Probe::with(summary, outcome, level, n)
        }
    }

    /// Of one that was ended early, for it had failed `lost` whatever was still to come.
    pub fn of_lost(summary: &Summary, lost: Outcome, level: f64, n: u32) -> Probe {
        let failure = failure(summary, &[], 1.0).unwrap_or(lost);
        Probe::with(summary, attributed(summary, failure), level, n)
    }

    fn with(summary: &Summary, outcome: Outcome, level: f64, n: u32) -> Probe {
        let response = summary.response();
        let quantile = |q| response.quantile(q).map(|reading| reading.value());
        let outcome = if summary.complete { outcome } else { Outcome::Interrupted };
        let own = matches!(outcome, Outcome::Blast { .. });
        Probe {
            level,
            rate_per_s: match summary.mode {
                Mode::Open => level,
                Mode::Closed => summary.per_second(summary.measure_events.sent),
            },
            length: summary.measured,
            connections: n,
            good_per_s: summary.good_per_s(),
            errors: summary.error_share(),
            p50: quantile(0.5),
            p99: quantile(0.99),
            p99_9: quantile(0.999),
            change: own.then(|| summary.verdict.change.clone()).filter(|text| !text.is_empty()),
            outcome,
            carried: None,
            clear: false,
        }
    }

    /// Of a run that came to nothing: no connection opened.
    pub fn of_none(level: f64, connections: u32, why: String) -> Probe {
        Probe {
            level,
            rate_per_s: 0.0,
            length: Nanos::ZERO,
            connections,
            good_per_s: 0.0,
            errors: 1.0,
            p50: None,
            p99: None,
            p99_9: None,
            outcome: Outcome::Fails { by: ERRORS.to_string(), why },
            carried: Some(0.0),
            clear: false,
            change: None,
        }
    }

    pub fn holds(&self) -> bool {
        self.outcome == Outcome::Holds
    }

    /// By the server, and not by blast.
    pub fn fails(&self) -> bool {
        matches!(self.outcome, Outcome::Fails { .. })
    }

    /// It failed because none was free when a request was due.
    pub fn lacks_connections(&self) -> bool {
        matches!(&self.outcome, Outcome::Fails { by, .. } if by == Limit::Connections.name())
    }

    /// It failed by answers that were errors, which no slow host makes of good ones.
    pub fn is_turned_away(&self) -> bool {
        matches!(&self.outcome, Outcome::Fails { by, .. } if by == ERRORS || by == RATE_LIMIT)
    }

    /// The same where more of them are known to carry no more: it is the rate that was too much.
    pub fn with_enough_connections(self) -> Probe {
        if !self.lacks_connections() {
            return self;
        }
        let (by, why) = (
            RATE.to_string(),
            format!("more connections carried no more than {}/s", format_count(self.good_per_s)),
        );
        Probe { outcome: Outcome::Fails { by, why }, ..self }
    }

    /// It was too short to be judged.
    pub fn is_unknown(&self) -> bool {
        matches!(self.outcome, Outcome::Unknown { .. })
    }
}

/// Even the median is beyond what a rule has of a higher quantile: all of the run was too slow, and
/// no moment of it explains that.
fn is_far_off(summary: &Summary, thresholds: &[Threshold]) -> bool {
    let median = summary.response().quantile(0.5).map(|reading| reading.value().as_micros_f64());
    let is_beyond = |rule: &Threshold| {
        let is_higher = rule.quantile().is_some_and(|quantile| quantile > 0.5);
        let of_response = rule.row() == Some("response") && rule.unit() == Unit::Micros;
        is_higher && of_response && median.is_some_and(|median| median > rule.limit())
    };
    thresholds.iter().any(|rule| is_beyond(rule) && !rule.judge(summary).ok)
}

/// Good answers within measure over what was due in it. In a steady state as many are answered as
/// become due, whatever the server has in hand, if it had as much at the start: after a warm-up
/// longer than an answer takes. What is short of that is no debt.
fn carried(summary: &Summary) -> f64 {
    if summary.mode == Mode::Closed {
        return 1.0;
    }
    let due = summary.measure.counters.scheduled as f64;
    let target = summary.target_per_s.unwrap_or(0.0);
    let median = summary.service().quantile(0.5).map_or(Nanos::ZERO, |reading| reading.value());
    let not_warm = median - summary.warmup_length;
    let expected = due - target * not_warm.as_secs_f64() - 1.0;
    let answered = summary.good_per_s() * summary.measured.as_secs_f64();
    if expected <= 0.0 { 1.0 } else { (answered / expected).min(1.0) }
}

/// To the server, or to blast.
fn attributed(summary: &Summary, failure: Outcome) -> Outcome {
    let verdict = &summary.verdict;
    if is_blasts_own(summary, &failure) {
        return Outcome::Blast { by: verdict.limit.name().to_string(), why: verdict.why.clone() };
    }
    failure
}

/// Whether blast or its host explains the failure. That it was late by some milliseconds explains
/// slow responses; answers that did not come or were errors, only that it had no time for them.
fn is_blasts_own(summary: &Summary, failure: &Outcome) -> bool {
    let by = if let Outcome::Fails { by, .. } = failure { by.as_str() } else { "" };
    let busiest = summary.client.workers.iter().map(Worker::busy).fold(0.0, f64::max);
    match (summary.verdict.limit, by) {
        // Whoever is late is not turned away for it.
        (Limit::ClientCpu, RATE_LIMIT) => false,
        (Limit::ClientCpu, RATE | ERRORS) => busiest > BUSY,
        (limit, _) => limit.is_generator(),
    }
}

fn failure(summary: &Summary, thresholds: &[Threshold], carried: f64) -> Option<Outcome> {
    if let Some(refused) = refused(summary) {
        return Some(refused);
    }
    let fails = |by: String, why: String| Some(Outcome::Fails { by, why });
    if summary.verdict.limit == Limit::Connections {
        return fails(Limit::Connections.name().to_string(), summary.verdict.why.clone());
    }
    let mut judged = thresholds.iter().map(|rule| (rule, rule.judge(summary)));
    let failed = judged.find_map(|(rule, judged)| {
        let value = judged.value.filter(|_| !judged.ok)?;
        Some((rule, format!("it was {}", shown(value, judged.unit))))
    });
    if let Some((rule, measured)) = failed {
        if !rule.is_latency() && is_mostly_limited(summary) {
            let why = format!("{}: {measured}, and most errors were 429", rule.shown());
            return fails(RATE_LIMIT.to_string(), why);
        }
        return fails(by_rule(rule), measured);
    }
    if carried < CARRIED {
        let why = format!("only {:.1} % of what was due was answered in time", carried * 100.0);
        return fails(RATE.to_string(), why);
    }
    None
}

/// Too few samples say nothing against the server.
fn untold(summary: &Summary, thresholds: &[Threshold]) -> Option<Outcome> {
    thresholds.iter().find_map(|rule| {
        let judged = rule.judge(summary);
        (!judged.ok && judged.value.is_none()).then(|| Outcome::Unknown {
            by: by_rule(rule),
            why: judged.why.unwrap_or_else(|| "it could not be told".to_string()),
        })
    })
}

/// What a rule that did not hold is called.
pub fn by_rule(rule: &Threshold) -> String {
    format!("threshold {}", rule.shown())
}

fn is_mostly_limited(summary: &Summary) -> bool {
    let counters = &summary.measure.counters;
    counters.rejections[Rejection::Status429 as usize] * 2 > counters.errors()
}

/// A server that turns requests away: told apart, for a rate limit is a policy.
fn refused(summary: &Summary) -> Option<Outcome> {
    let counters = &summary.measure.counters;
    let limited = counters.rejections[Rejection::Status429 as usize];
    let share = limited as f64 / counters.scheduled.max(1) as f64;
    if share > 1.0 - CARRIED {
        let why = format!("{:.1} % of the answers were 429", share * 100.0);
        return Some(Outcome::Fails { by: RATE_LIMIT.to_string(), why });
    }
    let errors = summary.error_share();
    let of_target = |side| side != Side::Generator;
    let failed: u64 = counters.failures().filter(|(k, _)| of_target(k.side())).map(|f| f.1).sum();
    let spoilt = counters.rejected() + failed;
    let most = spoilt as f64 / counters.scheduled.max(1) as f64;
    (most > 1.0 - CARRIED).then(|| {
        let why = format!(
            "{:.1} % of the requests were errors: {} rejected, {failed} failed",
            errors * 100.0,
            counters.rejected()
        );
        Outcome::Fails { by: ERRORS.to_string(), why }
    })
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Micros => format_duration(Nanos((value * 1e3) as u64)),
        Unit::Share => format!("{:.2} %", value * 100.0),
        Unit::Count | Unit::Gauge(_) | Unit::GaugePerMin(_) => format_count(value),
        Unit::PerSecond => format!("{}/s", format_count(value)),
    }
}
