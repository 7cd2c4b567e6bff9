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
            equal("rejected_by_kind", all(|f| f.counters.rejected()), all(rejections)),
            equal("never_sent_early", summary.sent_early, 0),
            area(summary.in_flight_area_ns, summary.sent_to_end_ns),
        ]);
        if !summary.stages.is_empty() {
            checks.extend(of_stages(summary));
        }
        Audit { checks }
    }
}

fn rejections(fates: &Fates) -> u64 {
    fates.counters.rejections.iter().sum()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;
    use crate::metrics::{Drop, Mode, Rejection, Stage, fixture};
    use crate::time::Nanos;

    /// Ten requests of measure in two stages, and ten of warm-up: of each ten, six are good, one
    /// is rejected, one fails, one is abandoned, one is dropped.
    fn sound() -> Summary {
        let mut summary = fixture::blank(Mode::Open);
        summary.measure = ten();
        summary.warmup = ten();
        summary.measure_events = fixture::events_of(&summary.measure);
        summary.warmup_events = fixture::events_of(&summary.warmup);
        (summary.in_flight_area_ns, summary.sent_to_end_ns) = (1_000_000, 1_000_000);
        let stage = |fates: Fates| Stage {
            start: Nanos::ZERO,
            length: Nanos::from_secs(5),
            from: 1.0,
            to: 1.0,
            events: fixture::events_of(&fates),
            fates,
        };
        summary.stages = vec![stage(ten()), stage(Fates::default())];
        summary
    }

    fn ten() -> Fates {
        let mut fates = Fates::default();
        let c = &mut fates.counters;
        (c.scheduled, c.sent, c.completed, c.good) = (10, 9, 7, 6);
        (c.abandoned, c.dropped) = (1, 1);
        c.drops[Drop::Deadline as usize] = 1;
        c.failures[Kind::Timeout as usize] = 1;
        (c.statuses[200], c.statuses[503]) = (6, 1);
        c.rejections[Rejection::Status5xx as usize] = 1;
        fates.good.record_many(Nanos(5), 6);
        fates.censored.record_many(Nanos(5), 4);
        fates.send_lag.record_many(Nanos(5), 9);
        fates
    }

    /// A way to break a summary.
    type Breakage = fn(&mut Summary);

    #[test]
    fn a_sound_summary_passes() {
        let audit = Audit::of(&sound());
        assert!(audit.ok(), "{:?}", audit.failed().collect::<Vec<_>>());
    }

    #[test]
    fn whichever_counter_is_off_by_one_a_check_fails() {
        let breakages: [(&str, Breakage); 23] = [
            ("scheduled", |s| s.measure.counters.scheduled += 1),
            ("sent", |s| s.measure.counters.sent += 1),
            ("completed", |s| s.measure.counters.completed -= 1),
            ("good", |s| s.measure.counters.good += 1),
            ("abandoned", |s| s.measure.counters.abandoned -= 1),
            ("dropped", |s| s.measure.counters.dropped += 1),
            ("drops", |s| s.measure.counters.drops[0] += 1),
            ("failures", |s| s.measure.counters.failures[3] += 1),
            ("rejections", |s| s.measure.counters.rejections[5] += 1),
            ("statuses", |s| s.measure.counters.statuses[404] += 1),
            ("histogram of good", |s| s.measure.good.record(Nanos(1))),
            ("histogram of censored", |s| s.measure.censored.record(Nanos(1))),
            ("histogram of send lag", |s| s.measure.send_lag.record(Nanos(1))),
            ("warm-up scheduled", |s| s.warmup.counters.scheduled += 1),
            ("warm-up sent", |s| s.warmup.counters.sent -= 1),
            ("warm-up statuses", |s| s.warmup.counters.statuses[200] -= 1),
            ("events sent", |s| s.drain_events.sent += 1),
            ("events completed", |s| s.measure_events.completed -= 1),
            ("a stage's scheduled", |s| s.stages[1].fates.counters.scheduled += 1),
            ("a stage's dropped", |s| s.stages[0].fates.counters.dropped -= 1),
            ("a stage's good", |s| s.stages[0].fates.good.record(Nanos(1))),
            ("sent early", |s| s.sent_early = 1),
            ("the area", |s| s.in_flight_area_ns += 1_100),
        ];
        for (what, breakage) in breakages {
            let mut summary = sound();
            breakage(&mut summary);
            assert!(!Audit::of(&summary).ok(), "{what} is off, and no check says so");
        }
    }
}
