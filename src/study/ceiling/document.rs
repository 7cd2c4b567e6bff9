//! What was found, as a document.

use std::time::SystemTime;

use super::over::Over;
use super::probe::Probe;
use super::search::Finding;
use crate::plan::Plan;
use crate::report::ceiling::{Ceiling, CeilingDocument, Need, Point, SCHEMA_NAME};
use crate::time::Nanos;

/// The share of its ceiling that a server is to carry, so that it has room for a bad moment.
const LOAD: f64 = 0.7;

/// How the search was asked for and went.
pub struct Told<'a> {
    pub plan: &'a Plan,
    pub over: Over,
    pub threads: usize,
    pub started_at: SystemTime,
    pub took: Nanos,
    pub budget: Nanos,
    /// A rate that all servers together are to carry.
    pub need: Option<f64>,
}

pub fn document(finding: &Finding, told: &Told) -> CeilingDocument {
    let plan = told.plan;
    CeilingDocument {
        schema: SCHEMA_NAME.to_string(),
        blast_version: env!("CARGO_PKG_VERSION").to_string(),
        complete: !finding.interrupted,
        started_at: humantime::format_rfc3339_millis(told.started_at).to_string(),
        duration_s: told.took.as_secs_f64(),
        url: plan.url.shown.clone(),
        method: plan.request.method.clone(),
        engine: plan.engine.name().to_string(),
        threads: told.threads as u64,
        thresholds: plan.thresholds.iter().map(|rule| rule.shown()).collect(),
        budget_s: told.budget.as_secs_f64(),
        ceiling: ceiling(finding, told),
        calibration: None,
    }
}

fn ceiling(finding: &Finding, told: &Told) -> Ceiling {
    let (low, high) = (finding.low.as_ref(), finding.high.as_ref());
    let rate = low.map(|probe| probe.rate_per_s);
    let (stopped_by, why) = high.map(|probe| probe.outcome.cause()).unwrap_or_default();
    let mut probes: Vec<&Probe> = finding.probes.iter().collect();
    probes.sort_by(|a, b| a.level.total_cmp(&b.level));
    let is_rate = told.over == Over::Rate;
    let number = |end: Option<&Probe>| end.filter(|_| !is_rate).map(|probe| probe.level as u64);
    let end = |end: Option<&Probe>| end.filter(|_| is_rate).map(|probe| probe.rate_per_s);
    let held = low.filter(|_| finding.confirmed);
    Ceiling {
        over: told.over.name().to_string(),
        ready_for: number(low),
        fails_at: number(high),
        rate_per_s: rate,
        low_per_s: end(low),
        high_per_s: end(high),
        stopped_by,
        why,
        more_room: high.and_then(|probe| probe.change.clone()),
        confirmed: finding.confirmed,
        confirmed_s: held.map(|probe| probe.length.as_secs_f64()),
        connections: low.map(|probe| probe.connections.into()),
        more_connections_help: finding.more_help,
        burst_per_s: finding.burst_per_s,
        recovered: finding.recovered,
        hurried: finding.hurried,
        need: told.need.zip(rate).map(|(need, ceiling)| Need {
            rate_per_s: need,
            load: LOAD,
            instances: (need / (ceiling * LOAD)).ceil() as u64,
        }),
        curve: probes.into_iter().map(point).collect(),
        errors_begin_per_s: None,
        collapse_per_s: None,
        recovery_s: None,
        failure: None,
    }
}

fn point(probe: &Probe) -> Point {
    let (by, why) = probe.outcome.cause();
    let micros = |time: Option<Nanos>| time.map(Nanos::as_micros_f64);
    Point {
        rate_per_s: probe.rate_per_s,
        length_s: probe.length.as_secs_f64(),
        connections: probe.connections.into(),
        good_per_s: probe.good_per_s,
        error_share: probe.errors,
        p50_us: micros(probe.p50),
        p99_us: micros(probe.p99),
        p99_9_us: micros(probe.p99_9),
        outcome: probe.outcome.name().to_string(),
        by,
        why,
    }
}
