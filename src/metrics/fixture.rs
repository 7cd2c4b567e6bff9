//! A summary of nothing, for tests to fill in.

use std::time::SystemTime;

use super::{Audit, Client, Connections, Events, Fates, Mode, Summary, Verdict};
use crate::time::Nanos;

/// Ten seconds in which nothing was due.
pub fn blank(mode: Mode) -> Summary {
    Summary {
        complete: true,
        aborted: None,
        started_at: SystemTime::UNIX_EPOCH,
        origin: Nanos::ZERO,
        mode,
        target_per_s: None,
        measured: Nanos::from_secs(10),
        warmup_length: Nanos::ZERO,
        warmup_end: None,
        edits: Vec::new(),
        stages: Vec::new(),
        measure: Fates::default(),
        warmup: Fates::default(),
        aside: Fates::default(),
        model: None,
        names: Vec::new(),
        checks: Vec::new(),
        sessions: None,
        groups: None,
        measure_events: Events::default(),
        warmup_events: Events::default(),
        drain_events: Events::default(),
        peak_good_per_s: 0.0,
        intervals: Vec::new(),
        interval_length: Nanos::from_secs(1),
        connections: Connections::default(),
        agreed: None,
        unsolicited_bytes: 0,
        examples: Vec::new(),
        slowest: Vec::new(),
        slowest_by_interval: Vec::new(),
        addresses: Vec::new(),
        opened_at: Vec::new(),
        refreshes: None,
        client: Client::default(),
        gauges: None,
        watched_log: None,
        profile: None,
        server: None,
        calibration: None,
        in_flight_area_ns: 0,
        sent_to_end_ns: 0,
        sent_early: 0,
        verdict: Verdict::default(),
        audit: Audit::default(),
        warnings: Vec::new(),
    }
}

/// What happened, of requests that were all sent and answered in measure.
pub fn events_of(fates: &Fates) -> Events {
    let counters = &fates.counters;
    Events {
        scheduled: counters.scheduled,
        sent: counters.sent,
        completed: counters.completed,
        good: counters.good,
        failed: counters.failed(),
        dropped: counters.dropped,
        ..Events::default()
    }
}
