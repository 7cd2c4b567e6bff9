//! The audit: the invariants of every run (DESIGN: what is due is sent or dropped, what is sent
//! has one fate). A run whose audit fails is reported as such and exits with 1.

use super::{Fates, Summary};

/// Relative difference allowed between the two areas. They are sums of the same differences of
/// clock readings, taken at different places; rounding aside they are equal.
const AREA_TOLERANCE: f64 = 0.001;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    pub checks: Vec<Check>,
}

/// Two ways to count the same thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    pub left: u128,
    pub right: u128,
}

impl Audit {
    pub fn ok(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.ok)
    }

    pub fn of(summary: &Summary) -> Audit {
        let mut checks = of_fates(&summary.measure, &MEASURE);
        checks.extend(of_fates(&summary.warmup, &WARMUP));
        let all = |count: fn(&Fates) -> u64| count(&summary.measure) + count(&summary.warmup);
        let events = [summary.measure_events, summary.warmup_events, summary.drain_events];
        let sum = |count: fn(&super::Events) -> u64| events.iter().map(count).sum::<u64>();
        checks.extend([
            equal("events_sent", sum(|e| e.sent), all(|f| f.counters.sent)),
            equal("events_completed", sum(|e| e.completed), all(|f| f.counters.completed)),
            equal("dropped_by_reason", all(|f| f.counters.dropped), all(drops)),
            equal("never_sent_early", summary.sent_early, 0),
            area(summary.in_flight_area_ns, summary.sent_to_end_ns),
        ]);
        if !summary.stages.is_empty() {
            checks.extend(of_stages(summary));
        }
        Audit { checks }
    }
}

fn drops(fates: &Fates) -> u64 {
    fates.counters.drops.iter().sum()
}

/// A stage's books are kept beside those of measure: together they must say the same.
fn of_stages(summary: &Summary) -> [Check; 4] {
    let measure = &summary.measure;
    let sum = |of: fn(&Fates) -> u64| summary.stages.iter().map(|stage| of(&stage.fates)).sum();
    let check = |name, of: fn(&Fates) -> u64| equal(name, sum(of), of(measure));
    [
        check("stages_scheduled", |f| f.counters.scheduled),
        check("stages_ended", |f| f.counters.sent + f.counters.dropped),
        check("stages_good", |f| f.good.count()),
        check("stages_censored", |f| f.censored.count()),
    ]
}

/// The names of one phase's checks.
struct Names {
    scheduled: &'static str,
    sent: &'static str,
    completed: &'static str,
    response: &'static str,
    censored: &'static str,
    lag: &'static str,
}

const MEASURE: Names = Names {
    scheduled: "conservation_scheduled",
    sent: "conservation_sent",
    completed: "conservation_completed",
    response: "histogram_good",
    censored: "histogram_censored",
    lag: "histogram_send_lag",
};

const WARMUP: Names = Names {
    scheduled: "warmup_conservation_scheduled",
    sent: "warmup_conservation_sent",
    completed: "warmup_conservation_completed",
    response: "warmup_histogram_good",
    censored: "warmup_histogram_censored",
    lag: "warmup_histogram_send_lag",
};

fn of_fates(fates: &Fates, names: &Names) -> Vec<Check> {
    let c = &fates.counters;
    let statuses: u64 = c.statuses().map(|(_, count)| count).sum();
    let mut checks = vec![
        equal(names.scheduled, c.scheduled, c.sent + c.dropped),
        equal(names.sent, c.sent, c.completed + c.failed() + c.abandoned),
        equal(names.completed, c.completed, statuses),
        equal(names.response, fates.good.count(), c.good),
        equal(names.censored, fates.censored.count(), c.errors()),
    ];
    // A closed loop has no schedule to lag behind.
    if !fates.send_lag.is_empty() {
        checks.push(equal(names.lag, fates.send_lag.count(), c.sent));
    }
    checks
}

fn equal(name: &'static str, left: u64, right: u64) -> Check {
    Check { name, ok: left == right, left: left.into(), right: right.into() }
}

/// Little's law as a check: the area under the in-flight counter is the sum of the times that
/// requests were in flight.
fn area(left: u128, right: u128) -> Check {
    let difference = left.abs_diff(right) as f64;
    let ok = difference <= AREA_TOLERANCE * left.max(right) as f64;
    Check { name: "in_flight_area_ns", ok, left, right }
}
