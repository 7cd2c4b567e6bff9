//! A measure that a person makes longer or shorter while it goes on: the books still balance, and
//! what is due is what the schedule says up to the end that there was.

use super::*;

const fn secs(secs: u64) -> Nanos {
    Nanos::from_secs(secs)
}

const fn millis(millis: u64) -> Nanos {
    Nanos::from_millis(millis)
}

/// `lengths`: told at a time, the length in its place.
fn told(job: Job, lengths: &[(Nanos, Nanos)], freeze: Option<(Nanos, Nanos)>) -> Outcome {
    let server = |now| Some(now + Nanos::from_micros(700));
    let incidents = Incidents { lengths: lengths.to_vec(), frozen: freeze, ..Incidents::default() };
    simulate_with(job, server, |_, _| true, incidents).audited()
}

fn steady(law: Law) -> Job {
    let offered = Offered::steady(Rate::per_second(1_000), law);
    let schedule = Schedule::new(&offered, Warmup::NONE, Some(secs(10)), None);
    job(50, Arrivals::Open(schedule))
}

const LAWS: [Law; 3] = [Law::Uniform, Law::Burst(70), Law::Poisson { seed: 3 }];

#[test]
fn a_longer_measure_is_the_one_that_was_asked_for_at_once() {
    for law in LAWS {
        let offered = Offered::steady(Rate::per_second(1_000), law);
        let schedule = Schedule::new(&offered, Warmup::NONE, Some(secs(17)), None);
        let expected = against(job(50, Arrivals::Open(schedule)), |now| Some(now + millis(1)));
        let steps = [(secs(3), secs(20)), (millis(9_999), secs(14)), (secs(12), secs(17))];
        let outcome = told(steady(law), &steps, None);
        assert_eq!(outcome.phases.end - outcome.phases.measure, secs(17), "{law:?}");
        let counts = |outcome: &Outcome| outcome.measure.counters.scheduled;
        // A burst that has begun is due as a whole, also where a longer measure was taken back.
        let most =
            if let Law::Burst(size) = law { counts(&expected) + size } else { counts(&expected) };
        assert!((counts(&expected)..=most).contains(&counts(&outcome)), "{law:?}");
        assert_eq!(outcome.measured.scheduled, counts(&outcome), "{law:?}");
    }
}

#[test]
fn a_shorter_measure_has_what_was_due_up_to_its_end() {
    for law in LAWS {
        let outcome = told(steady(law), &[(secs(2), secs(4))], None);
        assert_eq!(outcome.phases.end - outcome.phases.measure, secs(4));
        let scheduled = outcome.measure.counters.scheduled;
        match law {
            Law::Uniform => assert_eq!(scheduled, 4_000),
            // The whole of the last burst.
            Law::Burst(_) => assert_eq!(scheduled, 4_060),
            Law::Poisson { .. } => assert!(scheduled.abs_diff(4_000) < 250, "{scheduled}"),
        }
    }
}

#[test]
fn an_end_in_the_past_is_one_at_once() {
    for law in LAWS {
        let outcome = told(steady(law), &[(millis(5_123), secs(1))], None);
        let measured = outcome.phases.end - outcome.phases.measure;
        assert!(measured >= millis(5_123) && measured < millis(5_180), "{measured:?}");
        assert!(outcome.measure.counters.scheduled.abs_diff(5_123) < 300);
    }
}

#[test]
fn nobody_changes_an_end_that_was_reached_even_by_one_who_slept_over_it() {
    for law in LAWS {
        // Told of more while frozen over the old end: in time by the clock of whoever says it.
        let slept = Some((millis(9_500), millis(11_500)));
        let outcome = told(steady(law), &[(millis(9_500), secs(12))], slept);
        assert_eq!(outcome.phases.end - outcome.phases.measure, secs(12), "{law:?}");
        // And told when it is over.
        let outcome = told(steady(law), &[(millis(10_001), secs(20))], None);
        assert_eq!(outcome.phases.end - outcome.phases.measure, secs(10), "{law:?}");
    }
}

#[test]
fn the_last_stage_is_held() {
    for law in LAWS {
        let levels = [(secs(4), 1_000), (secs(2), 500)];
        let shape = Shape::to_levels(0, &levels).unwrap();
        let outcome = told(shaped(shape, law, 50), &[(secs(5), secs(16))], None);
        let due: Vec<_> = outcome.totals.stages.iter().map(|s| s.counters.scheduled).collect();
        // 2,000, then 1,500 down to 500 a second, and 500 a second for ten seconds.
        match law {
            Law::Uniform => assert_eq!(due, [2_000, 6_500]),
            _ => assert!(due[0].abs_diff(2_000) < 200 && due[1].abs_diff(6_500) < 400, "{due:?}"),
        }
    }
}

#[test]
fn users_stay_as_long_as_the_measure_goes_on() {
    let shape = Shape::to_levels(0, &[(secs(2), 20), (secs(2), 10)]).unwrap();
    let stage_ends = shape.stages().iter().map(|stage| stage.end()).collect();
    let arrivals = Arrivals::Closed { budget: u64::MAX, users: Some(shape) };
    let job = Job { duration: Some(secs(4)), stage_ends, ..job(20, arrivals) };
    let server = |now| Some(now + millis(10));
    let incidents = Incidents { lengths: vec![(secs(3), secs(9))], ..Incidents::default() };
    let outcome = simulate_with(job, server, |_, _| true, incidents).audited();
    let good: Vec<_> = outcome.totals.stages.iter().map(|s| s.counters.good).collect();
    // 20 user-seconds at 100 a second, then 30, and 10 users for five seconds.
    assert!(good[0].abs_diff(2_000) < 150 && good[1].abs_diff(8_000) < 150, "{good:?}");
    assert_eq!(outcome.totals.connections.reopened, 0);
}

#[test]
fn a_closed_loop_goes_on_as_long_as_it_is_told() {
    for length in [secs(7), secs(2)] {
        let outcome = told(closed_loop(5, 4), &[(secs(1), length)], None);
        assert_eq!(outcome.phases.end - outcome.phases.measure, length);
        let expected = length.as_secs_f64() * 4.0 / 700e-6;
        let sent = outcome.measure.counters.sent as f64;
        assert!((sent - expected).abs() < expected * 0.001, "{sent}, not {expected}");
    }
}

#[test]
fn the_last_word_counts_and_an_interrupt_is_not_undone() {
    let job = steady(Law::Uniform);
    job.timeline.change_length(secs(100));
    let outcome = told(job, &[(secs(1), secs(50)), (secs(2), secs(3))], None);
    assert_eq!(outcome.measure.counters.scheduled, 3_000);
    // Told of both at once.
    let lengths = vec![(secs(2), secs(20))];
    let incidents = Incidents { lengths, stop: Some(secs(2)), ..Incidents::default() };
    let server = |now| Some(now + millis(1));
    let outcome = simulate_with(steady(Law::Uniform), server, |_, _| true, incidents).audited();
    assert!(outcome.measure.counters.scheduled.abs_diff(2_000) <= 60);
}
