//! Requests, rates and bytes: `requests` follows the requests that were due to their fate,
//! wherever it ended; `rate` and `bytes` count what happened inside the phase, over its length.

use serde::{Deserialize, Serialize};

use super::rounded;
use crate::metrics::{Events, Fates, Interval, Phase, Stage, Summary};
use crate::time::Nanos;

/// Where the requests due in a phase ended. `scheduled = sent + dropped`,
/// `sent = completed + failed + abandoned`, `completed = good + rejected`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    pub scheduled: u64,
    pub sent: u64,
    pub completed: u64,
    pub good: u64,
    pub rejected: u64,
    pub failed: u64,
    pub abandoned: u64,
    pub dropped: u64,
    pub success_share: f64,
    pub error_share: f64,
}

impl Requests {
    pub(super) fn new(fates: &Fates, error_share: f64) -> Requests {
        let counters = &fates.counters;
        Requests {
            scheduled: counters.scheduled,
            sent: counters.sent,
            completed: counters.completed,
            good: counters.good,
            rejected: counters.rejected(),
            failed: counters.failed(),
            abandoned: counters.abandoned,
            dropped: counters.dropped,
            success_share: share(counters.good, counters.scheduled),
            error_share,
        }
    }
}

/// Events a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    pub target_per_s: Option<f64>,
    pub offered_per_s: f64,
    pub sent_per_s: f64,
    pub completed_per_s: f64,
    pub good_per_s: f64,
    /// The best second of good answers.
    pub peak_1s_per_s: f64,
    /// Sent on schedule, of what was due in the phase; null in closed loop.
    pub efficiency: Option<f64>,
}

impl Rate {
    pub(super) fn of_measure(summary: &Summary) -> Rate {
        let peak = summary.peak_good_per_s;
        let efficiency = summary.efficiency();
        Rate::new(summary, &summary.measure_events, summary.measured, peak, efficiency)
    }

    pub(super) fn of_stage(summary: &Summary, index: u32, stage: &Stage) -> Rate {
        let in_stage = |i: &&Interval| i.phase == Phase::Measure && u32::from(i.stage) == index;
        let best = summary.intervals.iter().filter(in_stage).map(|i| i.events.good).max();
        let efficiency = summary.efficiency_of(&stage.fates);
        let best = per_second(best.unwrap_or(0), summary.interval_length);
        let rate = Rate::new(summary, &stage.events, stage.length, best, efficiency);
        let peak_1s_per_s = rate.peak_1s_per_s.max(rate.good_per_s);
        let target_per_s = summary.target_per_s.map(|_| stage.level());
        Rate { target_per_s, peak_1s_per_s, ..rate }
    }

    pub(super) fn of_warmup(summary: &Summary) -> Rate {
        let in_warmup = summary.intervals.iter().filter(|i| i.phase == Phase::Warmup);
        let best = in_warmup.map(|i| i.events.good).max().unwrap_or(0);
        let peak = per_second(best, summary.interval_length);
        let efficiency = summary.efficiency_of(&summary.warmup);
        Rate::new(summary, &summary.warmup_events, summary.warmup_length, peak, efficiency)
    }

    fn new(
        summary: &Summary,
        events: &Events,
        length: Nanos,
        peak: f64,
        efficiency: Option<f64>,
    ) -> Rate {
        Rate {
            target_per_s: summary.target_per_s,
            offered_per_s: per_second(events.scheduled, length),
            sent_per_s: per_second(events.sent, length),
            completed_per_s: per_second(events.completed, length),
            good_per_s: per_second(events.good, length),
            peak_1s_per_s: rounded(peak, 3),
            efficiency,
        }
    }
}

/// Bytes on the connections: heads, bodies, framing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bytes {
    pub received: u64,
    pub sent: u64,
    pub received_per_s: f64,
}

impl Bytes {
    pub(super) fn new(events: &Events, length: Nanos) -> Bytes {
        Bytes {
            received: events.bytes_received,
            sent: events.bytes_sent,
            received_per_s: per_second(events.bytes_received, length),
        }
    }
}

/// What happened within a span of time, whichever phase the requests were due in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Happened {
    pub scheduled: u64,
    pub sent: u64,
    pub completed: u64,
    pub good: u64,
    pub rejected: u64,
    pub failed: u64,
    pub dropped: u64,
    pub bytes_received: u64,
    pub bytes_sent: u64,
}

impl Happened {
    pub(super) fn new(events: &Events) -> Happened {
        Happened {
            scheduled: events.scheduled,
            sent: events.sent,
            completed: events.completed,
            good: events.good,
            rejected: events.rejected(),
            failed: events.failed,
            dropped: events.dropped,
            bytes_received: events.bytes_received,
            bytes_sent: events.bytes_sent,
        }
    }
}

/// The share of the requests due that came to nothing good.
pub(super) fn errors_of_due(fates: &Fates) -> f64 {
    share(fates.counters.errors(), fates.counters.scheduled)
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn per_second(count: u64, length: Nanos) -> f64 {
    if length == Nanos::ZERO { 0.0 } else { rounded(count as f64 / length.as_secs_f64(), 3) }
}
