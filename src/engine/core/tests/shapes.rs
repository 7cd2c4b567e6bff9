//! Loads that change: each stage has books of its own, and connections come and go.

use super::*;
use crate::metrics::Drop;

fn secs(secs: u64) -> Nanos {
    Nanos::from_secs(secs)
}

/// A closed loop of users that come and go, and the slots for them.
fn users(levels: &[(Nanos, u64)]) -> Job {
    let shape = Shape::to_levels(0, levels).unwrap();
    let slots = u32::try_from(shape.highest()).unwrap();
    let (duration, stage_ends) =
        (Some(shape.length()), shape.stages().iter().map(|stage| stage.end()).collect());
    let arrivals = Arrivals::Closed { budget: u64::MAX, users: Some(shape) };
    Job { duration, stage_ends, ..job(slots, arrivals) }
}

/// E8: 100 to 1,000 a second in 30 s.
#[test]
fn a_ramp_reaches_the_server_at_the_roots_of_its_square() {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let log = seen.clone();
    let ramp = Shape::ramp(100, 1_000, secs(30)).unwrap();
    let outcome = against(shaped(ramp, Law::Uniform, 64), move |now| {
        log.borrow_mut().push(now);
        Some(now + Nanos::from_micros(100))
    });
    assert_eq!(outcome.measure.counters.sent, 16_500);
    for (k, at) in seen.borrow().iter().enumerate() {
        let exact = 30.0 * (-100.0 + (10_000.0 + 60.0 * k as f64).sqrt()) / 900.0;
        assert!((at.as_secs_f64() - exact).abs() <= 2e-9, "k {k}: {at:?}, not {exact}");
    }
}

#[test]
fn each_stage_has_the_requests_that_were_due_in_it_and_their_latencies() {
    // The server takes 1 ms, from the third second on 20 ms; the second stage begins there.
    let levels = [(secs(2), 1_000), (secs(1), 1_000), (secs(2), 3_000)];
    let shape = Shape::to_levels(1_000, &levels).unwrap();
    for law in [Law::Uniform, Law::Burst(10), Law::Poisson { seed: 5 }] {
        let outcome = against(shaped(shape.clone(), law, 500), |now| {
            Some(now + Nanos::from_millis(if now < secs(2) { 1 } else { 20 }))
        });
        let stages = &outcome.totals.stages;
        assert_eq!(stages.len(), 3);
        if law == Law::Uniform {
            let due = stages.iter().map(|s| s.counters.scheduled).collect::<Vec<_>>();
            assert_eq!(due, [2_000, 1_000, 4_000]);
        }
        for (stage, ms) in [(0, 1.0), (1, 20.0), (2, 20.0)] {
            let good = &stages[stage].good;
            assert_close(good.quantile(0.5).as_micros_f64() / 1e3, ms);
            assert_eq!(good.count(), stages[stage].counters.scheduled, "{law:?}");
        }
    }
}

#[test]
fn an_answer_counts_in_the_stage_it_was_due_in_however_late_it_is() {
    // Shut from 0.5 s to 2.5 s: all of the second stage is answered in the third.
    let levels = [(SECOND, 100), (SECOND, 100), (SECOND, 100)];
    let shape = Shape::to_levels(100, &levels).unwrap();
    let server = stalled(Nanos::from_millis(500), secs(2), Nanos::from_millis(1));
    let outcome = against(shaped(shape, Law::Uniform, 500), server);
    let stages = &outcome.totals.stages;
    let good = stages.iter().map(|s| s.counters.good).collect::<Vec<_>>();
    assert_eq!(good, [100, 100, 100]);
    assert!(stages[1].good.min() > Nanos::from_millis(500));
    assert!(stages[2].good.min() < Nanos::from_millis(2));
}

/// E6b without a pause: N users of 10 ms each make N / 10 ms requests, over a ramp the integral.
#[test]
fn users_come_and_go_and_keep_their_connections_from_stage_to_stage() {
    let job = users(&[(secs(10), 20), (secs(10), 20), (secs(10), 0)]);
    let outcome = against(job, |now| Some(now + Nanos::from_millis(10)));
    // 100 + 200 + 100 user-seconds; the r-th user begins when the level passes r, so a ramp has
    // half a user more than its line: 5 user-seconds each.
    let expected = (400.0 + 10.0) * 100.0;
    let sent = outcome.measure.counters.sent as f64;
    assert!((sent - expected).abs() / expected < 0.005, "{sent}, not {expected}");
    let connections = &outcome.totals.connections;
    assert_eq!((connections.opened, connections.reopened, connections.asked), (20, 0, 20));
    assert_eq!(outcome.dials.len(), 20, "nobody is dialled twice");
    assert_eq!(connections.open_peak, 20);
    // Every half second another one: the first is there before the start, as the check.
    let starts: Vec<u64> = outcome
        .dials
        .iter()
        .map(|(at, _)| (at.0 - secs(1_000).0.min(at.0)) / 500_000_000)
        .collect();
    assert_eq!(starts[1..], (1..20).collect::<Vec<_>>());
    let good = outcome.totals.stages.iter().map(|s| s.counters.good).collect::<Vec<_>>();
    assert!(good[1].abs_diff(20_000) <= 20, "{good:?}");
    assert!(good[0].abs_diff(10_500) <= 40 && good[2].abs_diff(10_500) <= 40, "{good:?}");
    // As the level is before the next second begins, which falls short of the next change.
    let level = |end: u64| match end {
        ..=10 => 2 * end,
        11..=20 => 20,
        _ => 2 * (30 - end) + 1,
    };
    assert_eq!(outcome.users[..30], (1..=30).map(|end| Some(level(end))).collect::<Vec<_>>());
    assert!(outcome.users[30..].iter().all(|users| *users == Some(0)), "{:?}", outcome.users);
}

#[test]
fn requests_by_the_clock_are_nobodys_and_a_closed_loop_is_its_connections_until_it_is_over() {
    let server = |now| Some(now + Nanos::from_millis(30));
    assert_eq!(against(open_loop(100, 3, 8), server).users, [None; 4]);
    let closed = [Some(8), Some(8), Some(0)];
    assert_eq!(against(closed_loop(2, 8), server).users, closed);
    // From the start on nobody listens: they are asked for all the same.
    let refused = simulate(closed_loop(2, 8), server, |at, _| at == Nanos::ZERO);
    assert_eq!(refused.measure.counters.good, 8, "those of the first instant");
    assert_eq!(refused.users[..2], closed[..2]);
}

#[test]
fn while_the_level_is_zero_not_even_the_first_connection_sends() {
    let job = users(&[(secs(3), 0), (Nanos::ZERO, 2), (secs(1), 2), (secs(2), 0)]);
    let outcome = against(job, |now| Some(now + Nanos::from_millis(10)));
    let good = outcome.totals.stages.iter().map(|s| s.counters.good).collect::<Vec<_>>();
    assert_eq!(good[0], 0);
    assert!(good[1].abs_diff(200) <= 2, "{good:?}");
    assert_eq!(outcome.totals.connections.opened, 2);
}

#[test]
fn users_who_leave_and_come_back_dial_again() {
    let job = users(&[(SECOND, 10), (SECOND, 0), (SECOND, 10)]);
    let outcome = against(job, |now| Some(now + Nanos::from_millis(5)));
    let connections = &outcome.totals.connections;
    assert!((18..=20).contains(&connections.opened), "{}", connections.opened);
    assert_eq!(connections.opened - connections.reopened, 10);
    assert_eq!(outcome.measure.counters.failed(), 0, "nobody leaves with a request on its way");
}

#[test]
fn a_deadline_sheds_what_is_too_old_and_touches_no_connection() {
    // 1,000/s at a server of 800/s: the wait grows to 100 ms in half a second, then a fifth is
    // shed, and nobody waits longer than the deadline and one answer.
    let deadline = Some(Nanos::from_millis(100));
    let job = Job { deadline, ..open_loop(1_000, 30, 64) };
    let outcome = against(job, queue(1, Nanos::from_micros(1_250)));
    let counters = &outcome.measure.counters;
    // Until then, 64 are in flight and 80 wait: 500 ms x 1,000/s - 144 and so on; within a percent.
    let expected = 30_000 - 24_000 - 100 - 64;
    let shed = counters.drops[Drop::Deadline as usize];
    assert!(shed.abs_diff(expected) <= 60, "{shed}, not {expected}");
    assert_eq!(shed, counters.dropped);
    let slowest = outcome.measure.good.max();
    assert!(slowest <= Nanos::from_micros(100_000 + 64 * 1_250 + 200), "{slowest:?}");
    assert_eq!(outcome.totals.connections.opened, 64);
    // Shed requests are no good ones: they rank above.
    assert_eq!(outcome.response().censored(), shed);
}

#[test]
fn a_warm_up_that_is_found_in_the_run_is_followed_by_the_whole_of_measure() {
    for (told, at) in [(3_900, 4_000), (4_321, 4_421)] {
        let offered = Offered::steady(Rate::per_second(997), Law::Uniform);
        let length = Some(secs(10));
        let schedule = Schedule::new(&offered, Warmup::Auto, length, None);
        let job = Job { warmup: Warmup::Auto, ..job(64, Arrivals::Open(schedule)) };
        let ms = Nanos::from_millis;
        let incidents = Incidents { measure: Some((ms(told), ms(at))), ..Incidents::default() };
        let server = |now| Some(now + Nanos::from_millis(2));
        let outcome = simulate_with(job, server, |_, _| true, incidents).audited();
        assert_eq!(outcome.measure.counters.good, 9_970);
        assert_eq!(outcome.warmup.counters.good, (997 * at).div_ceil(1_000));
        assert_eq!(outcome.phases.measure - outcome.phases.origin, ms(at));
        assert_eq!(outcome.phases.end - outcome.phases.measure, secs(10));
        assert_eq!(outcome.measured.scheduled, 9_970);
    }
}

/// 64 connections that a server answers at once, and no more than 1,000 a second: over any number
/// of workers, 10,000 in ten seconds.
#[test]
fn a_closed_loop_that_is_capped_sends_its_cap_and_not_one_more() {
    let at_most = Some(Rate::per_second(1_000));
    for workers in [1usize, 2, 3] {
        let sent: u64 = (0..workers)
            .map(|worker| {
                let job = Job { worker, workers, at_most, ..closed_loop(10, 64) };
                // By the first worker's first connection, in a whole run.
                job.timeline.open_gate();
                let outcome = against(job, |now| Some(now + Nanos::from_micros(50)));
                outcome.measure.counters.sent
            })
            .sum();
        assert_eq!(sent, 10_000, "{workers} workers");
    }
}

#[test]
fn a_server_slower_than_the_cap_is_not_made_up_for() {
    // Each of 10 connections takes 100 ms until the fifth second: 100 a second of at most 1,000.
    let job = Job { at_most: Some(Rate::per_second(1_000)), ..closed_loop(10, 10) };
    let outcome = against(job, |now| {
        let micros = if now < secs(5) { 100_000 } else { 50 };
        Some(now + Nanos::from_micros(micros))
    });
    let sent = outcome.measure.counters.sent;
    assert!((5_480..=5_620).contains(&sent), "{sent}");
}
