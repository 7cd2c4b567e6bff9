//! A load that a person changes while it runs: the books balance, what was due before the change
//! stays as it was, and what follows is the arithmetic of the new rate.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::engine::edits::{Edit, Level};

const fn secs(secs: u64) -> Nanos {
    Nanos::from_secs(secs)
}

const fn millis(millis: u64) -> Nanos {
    Nanos::from_millis(millis)
}

/// Told a tenth of a second ahead, by the clock of the load.
fn to_rate(at: Nanos, per_s: u64) -> (Nanos, Edit) {
    let level = Level::Rate(Rate::per_second(per_s));
    (at - millis(100), Edit { at, level })
}

fn to_users(at: Nanos, count: u32) -> (Nanos, Edit) {
    (at - millis(100), Edit { at, level: Level::Users(count) })
}

fn steered(job: Job, edits: &[(Nanos, Edit)], incidents: Incidents) -> Outcome {
    let server = |now| Some(now + Nanos::from_micros(700));
    let incidents = Incidents { edits: edits.to_vec(), ..incidents };
    simulate_with(job, server, |_, _| true, incidents).audited()
}

fn steady(law: Law, warmup: Warmup) -> Job {
    let offered = Offered::steady(Rate::per_second(100), law);
    let schedule = Schedule::new(&offered, warmup, Some(secs(4)), None);
    Job { warmup, ..job(50, Arrivals::Open(schedule)) }
}

const LAWS: [Law; 3] = [Law::Uniform, Law::Burst(7), Law::Poisson { seed: 3 }];

/// By the law of the number: exact, a burst at each end off, or four deviations.
#[track_caller]
fn assert_due(law: Law, count: u64, expected: u64) {
    let holds = match law {
        Law::Uniform => count == expected,
        // What a burst has too much, the next stage has too few.
        Law::Burst(size) => count.abs_diff(expected) <= 2 * size,
        Law::Poisson { .. } => (count.abs_diff(expected) as f64) < 4.0 * (expected as f64).sqrt(),
    };
    assert!(holds, "{law:?}: {count}, not {expected}");
}

fn due_by_stage(outcome: &Outcome) -> Vec<u64> {
    outcome.totals.stages.iter().map(|stage| stage.counters.scheduled).collect()
}

#[test]
fn two_seconds_at_a_hundred_and_two_at_three_hundred_are_eight_hundred() {
    for law in LAWS {
        let outcome = steered(steady(law, Warmup::NONE), &[to_rate(secs(2), 300)], <_>::default());
        let due = due_by_stage(&outcome);
        assert_eq!(due.len(), 2, "{law:?}");
        assert_due(law, due[0], 200);
        assert_due(law, due[1], 600);
        assert_eq!(outcome.measured.scheduled, outcome.measure.counters.scheduled, "{law:?}");
        assert_eq!(outcome.phases.end - outcome.phases.measure, secs(4));
    }
}

#[test]
fn each_request_reaches_the_server_when_the_arithmetic_says_and_none_twice_or_never() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = seen.clone();
    let server = move |now| {
        log.borrow_mut().push(now);
        Some(now + Nanos::from_micros(100))
    };
    // In the middle of a gap, and then down.
    let edits = vec![to_rate(millis(2_005), 300), to_rate(secs(3), 50)];
    let incidents = Incidents { edits, ..Incidents::default() };
    let job = steady(Law::Uniform, Warmup::NONE);
    simulate_with(job, server, |_, _| true, incidents).audited();
    // 200.5 were due at the first change, and 499 at the second.
    let due = |k: u64| match k {
        0..201 => Nanos(k * 10_000_000),
        201..499 => millis(2_005) + Nanos((2 * k - 401) * 10_000_000 / 6),
        _ => secs(3) + Nanos((k - 499) * 20_000_000),
    };
    let seen = seen.borrow();
    assert_eq!(seen.len(), 549);
    for (k, at) in (0..).zip(seen.iter()) {
        assert_eq!(*at, due(k), "k {k}");
    }
}

#[test]
fn a_worker_that_sleeps_over_a_change_has_the_same_schedule() {
    for law in LAWS {
        let edits = [to_rate(secs(1), 400), to_rate(secs(3), 30)];
        let expected = steered(steady(law, Warmup::NONE), &edits, <_>::default());
        for (from, to) in [(850, 1_500), (950, 3_700), (2_950, 3_100), (850, 5_000)] {
            let frozen = Some((millis(from), millis(to)));
            let slept = Incidents { frozen, ..Incidents::default() };
            let outcome = steered(steady(law, Warmup::NONE), &edits, slept);
            assert_eq!(due_by_stage(&outcome), due_by_stage(&expected), "{law:?} {from} {to}");
            let counters = &outcome.measure.counters;
            assert_eq!(counters.good, counters.scheduled);
            // What it owes for that time is late, and is not hidden.
            let latest = outcome.response().max().expect("samples").value();
            assert!(law != Law::Uniform || latest >= millis(to - from - 60), "{latest:?}");
        }
    }
}

#[test]
fn before_the_start_and_in_warm_up_a_change_is_one_of_measure_as_well() {
    for law in LAWS {
        let job = steady(law, Warmup::For(secs(2)));
        job.timeline.edit(Edit { at: Nanos(1), ..to_rate(secs(1), 300).1 });
        let outcome = steered(job, &[], <_>::default());
        assert_due(law, outcome.warmup.counters.scheduled, 600);
        assert_due(law, outcome.measure.counters.scheduled, 1_200);
        assert_eq!(outcome.totals.stages.len(), 1);
        let job = steady(law, Warmup::For(secs(2)));
        let edits = [to_rate(secs(1), 300), to_rate(secs(4), 50)];
        let outcome = steered(job, &edits, <_>::default());
        assert_due(law, outcome.warmup.counters.scheduled, 100 + 300);
        let due = due_by_stage(&outcome);
        assert_due(law, due[0], 600);
        assert_due(law, due[1], 100);
    }
}

#[test]
fn a_warm_up_without_a_length_may_end_before_or_after_a_change_that_was_told_before() {
    for law in LAWS {
        for (change, expected) in [(5_000, 1_200), (5_150, 10 + 1_170)] {
            for frozen in [None, Some((millis(4_940), millis(5_400)))] {
                let measure = Some((millis(5_020), millis(5_050)));
                let incidents = Incidents { measure, frozen, ..Incidents::default() };
                let edits = [to_rate(millis(change), 300)];
                let outcome = steered(steady(law, Warmup::Auto), &edits, incidents);
                assert_due(law, outcome.measure.counters.scheduled, expected);
                assert_due(
                    law,
                    outcome.warmup.counters.scheduled,
                    if change < 5_050 { 515 } else { 505 },
                );
            }
        }
    }
}

#[test]
fn a_change_takes_the_place_of_the_stages_that_are_left() {
    for law in LAWS {
        let levels = [(secs(4), 1_000), (secs(4), 500), (secs(4), 900)];
        let shape = Shape::to_levels(0, &levels).unwrap();
        let outcome = steered(shaped(shape, law, 50), &[to_rate(secs(2), 100)], <_>::default());
        let due = due_by_stage(&outcome);
        // Half of the ramp, whose rate is 500 there.
        assert_due(law, due[0], 500);
        assert_due(law, due[1], 1_000);
        assert_eq!(due[2..], [0]);
        assert_eq!(outcome.phases.end - outcome.phases.measure, secs(12));
    }
}

#[test]
fn a_longer_measure_goes_on_at_the_rate_of_the_last_change_also_for_one_who_slept() {
    for frozen in [None, Some((millis(3_900), millis(6_500)))] {
        for law in LAWS {
            // The change is told of before the longer measure, and comes after the old end.
            let lengths = vec![(millis(3_850), secs(6))];
            let edits = [(millis(3_880), to_rate(secs(5), 300).1)];
            let incidents = Incidents { lengths, frozen, ..Incidents::default() };
            let outcome = steered(steady(law, Warmup::NONE), &edits, incidents);
            assert_eq!(outcome.phases.end - outcome.phases.measure, secs(6));
            assert_due(law, outcome.measure.counters.scheduled, 800);
        }
    }
}

#[test]
fn what_is_told_in_the_drain_changes_nothing() {
    let edits = [(millis(4_001), to_rate(millis(4_100), 300).1)];
    let outcome = steered(steady(Law::Uniform, Warmup::NONE), &edits, <_>::default());
    assert_eq!(outcome.measure.counters.scheduled, 400);
    assert!(outcome.totals.stages.is_empty());
}

#[test]
fn an_interrupt_after_a_change_has_what_was_due_by_then() {
    for law in LAWS {
        let incidents = Incidents { stop: Some(secs(3)), ..Incidents::default() };
        let edits = [to_rate(secs(2), 300)];
        let outcome = steered(steady(law, Warmup::NONE), &edits, incidents);
        let scheduled = outcome.measure.counters.scheduled;
        let measured = outcome.phases.end - outcome.phases.measure;
        let expected = 200 + ((measured - secs(2)).0 * 300).div_ceil(secs(1).0);
        match law {
            // The one at the very instant, too.
            Law::Uniform => assert!((expected..=expected + 1).contains(&scheduled)),
            _ => assert_due(law, scheduled, expected),
        }
    }
}

#[test]
fn users_come_and_go_as_they_are_told_and_nothing_in_flight_is_lost() {
    let job = Job { in_use: Some(2), ..closed_loop(10, 6) };
    let server = |now| Some(now + millis(10));
    let edits = vec![to_users(secs(3), 6), to_users(secs(9), 1)];
    let incidents = Incidents { edits, ..Incidents::default() };
    let outcome = simulate_with(job, server, |_, _| true, incidents).audited();
    let counters = &outcome.measure.counters;
    assert_eq!(counters.good, counters.sent);
    let good: Vec<_> = outcome.totals.stages.iter().map(|stage| stage.counters.good).collect();
    for (good, user_seconds) in good.into_iter().zip([2 * 3, 6 * 6, 1]) {
        assert!(good.abs_diff(user_seconds * 100) <= 6, "{good} of {user_seconds} user-seconds");
    }
    let connections = &outcome.totals.connections;
    assert_eq!((connections.opened, connections.open_peak, connections.asked), (6, 6, 6));
}

#[test]
fn who_is_told_to_go_may_be_told_to_come_back() {
    let server = |now| Some(now + millis(10));
    let edits = vec![to_users(secs(2), 1), to_users(secs(3), 4)];
    let incidents = Incidents { edits, ..Incidents::default() };
    let outcome = simulate_with(closed_loop(5, 4), server, |_, _| true, incidents).audited();
    let good = outcome.measure.counters.good;
    assert!(good.abs_diff(800 + 100 + 800) <= 12, "{good}");
    assert_eq!(outcome.totals.connections.reopened, 3);
}
