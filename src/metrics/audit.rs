//! The audit: the invariants of every run (DESIGN: what is due is sent or dropped, what is sent
//! has one fate). A run whose audit fails is reported as such and exits with 1.

use super::{Account, Fates, Groups, Part, Rejection, Sightings, Summary};

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
        if summary.model.is_some() {
            checks.extend(of_fates(&summary.aside, &ASIDE));
            checks.extend(by_name(summary));
        }
        if let Some(groups) = &summary.groups {
            checks.extend(by_group(summary, groups));
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

/// The books of the entries are kept beside the others: together they must say the same.
fn by_name(summary: &Summary) -> [Check; 10] {
    let of_part =
        |is_main: bool| summary.names.iter().filter(move |row| (row.part == Part::Main) == is_main);
    let sum = |is_main, of: fn(&Account) -> u64| -> u64 {
        of_part(is_main).map(|row| of(&row.account)).sum()
    };
    let check = |name, of: fn(&Fates) -> u64| {
        let of_names: u64 = of_part(true).map(|row| of(&row.account.fates)).sum();
        equal(name, of_names, of(&summary.measure))
    };
    let aside = |name, of: fn(&Fates) -> u64| {
        let of_names: u64 = of_part(false).map(|row| of(&row.account.fates)).sum();
        equal(name, of_names, of(&summary.aside))
    };
    let all = |of: fn(&Account) -> u64| sum(true, of) + sum(false, of);
    let both = |of: fn(&Fates) -> u64| of(&summary.measure) + of(&summary.aside);
    let by_check = |fates: &Fates| fates.counters.rejections[Rejection::Check as usize];
    [
        check("names_scheduled", |f| f.counters.scheduled),
        check("names_ended", |f| f.counters.completed + f.counters.failed() + f.counters.abandoned),
        check("names_good", |f| f.good.count()),
        check("names_censored", |f| f.censored.count()),
        aside("names_aside_scheduled", |f| f.counters.scheduled),
        aside("names_aside_good", |f| f.good.count()),
        equal(
            "names_events",
            sum(true, |a| a.events.sent + a.events.completed),
            summary.measure_events.sent + summary.measure_events.completed,
        ),
        equal("names_failures", all(|a| seen(&a.failures)), both(|f| f.counters.failed())),
        equal("names_rejections", all(|a| seen(&a.rejections)), both(|f| f.counters.rejected())),
        equal(
            "names_checks",
            all(|a| seen(&a.checks)),
            by_check(&summary.measure) + by_check(&summary.aside),
        ),
    ]
}

/// Each answer is in one group.
fn by_group(summary: &Summary, groups: &Groups) -> [Check; 2] {
    let counters = &summary.measure.counters;
    let good: u64 = groups.rows.iter().map(|row| row.book.good.count()).sum();
    [
        equal("groups_completed", groups.completed(), counters.completed),
        equal("groups_good", good, counters.good),
    ]
}

fn seen(sightings: &[Sightings]) -> u64 {
    sightings.iter().map(|seen| seen.count).sum()
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

const ASIDE: Names = Names {
    scheduled: "aside_conservation_scheduled",
    sent: "aside_conservation_sent",
    completed: "aside_conservation_completed",
    response: "aside_histogram_good",
    censored: "aside_histogram_censored",
    lag: "aside_histogram_send_lag",
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
    use crate::metrics::{Drop, Mode, Named, Rejection, Stage, fixture};
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
            held: Nanos::ZERO,
            events: fixture::events_of(&fates),
            fates,
        };
        summary.stages = vec![stage(ten()), stage(Fates::default())];
        (summary.aside, summary.model) = (ten(), Some("users"));
        summary.names = vec![row(Part::Setup), row(Part::Main)];
        summary
    }

    fn row(part: Part) -> Named {
        let mut account = Account::new(ten(), 1);
        if part == Part::Main {
            account.events = fixture::events_of(&account.fates);
        }
        account.failures[Kind::Timeout as usize].see(Nanos(1));
        account.rejections[Rejection::Check as usize].see(Nanos(1));
        account.checks[0].see(Nanos(1));
        let (name, method) = (part.name().to_string(), "GET".to_string());
        Named { name, method, part, weight: 0, share_asked: None, account }
    }

    fn ten() -> Fates {
        let mut fates = Fates::default();
        let c = &mut fates.counters;
        (c.scheduled, c.sent, c.completed, c.good) = (10, 9, 7, 6);
        (c.abandoned, c.dropped) = (1, 1);
        c.drops[Drop::Deadline as usize] = 1;
        c.failures[Kind::Timeout as usize] = 1;
        c.statuses[200] = 7;
        c.rejections[Rejection::Check as usize] = 1;
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
        let breakages: [(&str, Breakage); 38] = [
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
            ("aside scheduled", |s| s.aside.counters.scheduled += 1),
            ("aside sent", |s| s.aside.counters.sent += 1),
            ("aside completed", |s| s.aside.counters.completed += 1),
            ("aside censored", |s| s.aside.censored.record(Nanos(1))),
            ("aside send lag", |s| s.aside.send_lag.record(Nanos(1))),
            ("a name's scheduled", |s| s.names[1].account.fates.counters.scheduled += 1),
            ("a name's abandoned", |s| s.names[1].account.fates.counters.abandoned += 1),
            ("a name's good", |s| s.names[1].account.fates.good.record(Nanos(1))),
            ("a name's censored", |s| s.names[1].account.fates.censored.record(Nanos(1))),
            ("a name's scheduled aside", |s| s.names[0].account.fates.counters.scheduled += 1),
            ("a name's good aside", |s| s.names[0].account.fates.good.record(Nanos(1))),
            ("a name's sent in measure", |s| s.names[1].account.events.sent -= 1),
            ("a name's failures", |s| s.names[0].account.failures[2].count += 1),
            ("a name's rejections", |s| s.names[1].account.rejections[2].count += 1),
            ("a name's checks", |s| s.names[1].account.checks[0].count -= 1),
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
