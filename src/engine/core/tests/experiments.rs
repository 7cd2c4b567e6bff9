//! Runs with known answers: each test computes by hand what must be measured. The names E1, E2 ...
//! are those under which `scripts/experiments` repeats them over loopback.

use super::*;

/// E1.
#[test]
fn one_stall_shows_in_the_response_times_as_the_formula_says() {
    // R = 1000/s, T = 60 s, s = 10 ms, D = 1 s: L(q) = s + D - (1 - q) T above q = 1 - D/T.
    let ms = Nanos::from_millis;
    let outcome =
        against(open_loop(1_000, 60, 2_000), stalled(Nanos::from_secs(20), SECOND, ms(10)));
    for (q, expected) in
        [(0.98, 10.0), (0.985, 110.0), (0.99, 410.0), (0.995, 710.0), (0.999, 950.0)]
    {
        assert_close(outcome.quantile(q), expected);
    }
    assert_close(outcome.mean(), 18.34);
    assert_eq!(outcome.measure.counters.good, 60_000);
}

#[test]
fn a_stall_is_no_smaller_with_fewer_connections() {
    let server = || stalled(Nanos::from_secs(20), SECOND, Nanos::from_millis(10));
    let (many, few) = (
        against(open_loop(1_000, 60, 2_000), server()),
        against(open_loop(1_000, 60, 20), server()),
    );
    // Twenty connections carry 2000/s, so the backlog of the stall takes another second.
    assert!(few.quantile(0.99) >= many.quantile(0.99));
    assert_eq!(few.measure.counters.good, 60_000);
    assert!(few.measure.waited.count > 900, "{:?}", few.measure.waited);
}

/// E4.
#[test]
fn an_overloaded_server_answers_at_its_rate_and_the_wait_grows() {
    // R = 1000/s, C = 800/s, T = 30 s: L(q) = s + q T (R/C - 1); C completed; nothing is lost.
    let outcome = against(open_loop(1_000, 30, 64), queue(1, Nanos::from_micros(1_250)));
    for (q, expected) in [(0.5, 3_751.25), (0.9, 6_751.25), (0.99, 7_426.25)] {
        assert_close(outcome.quantile(q), expected);
    }
    assert_eq!(outcome.measure.counters.good, 30_000);
    assert!((23_990..=24_000).contains(&outcome.measured.completed));
}

/// E6.
#[test]
fn a_closed_loop_obeys_littles_law() {
    // K = 4 servers of s = 5 ms, N = 16: X = K/s = 800/s and R = N s / K = 20 ms.
    let outcome = against(closed_loop(10, 16), queue(4, Nanos::from_millis(5)));
    assert!((7_990..=8_000).contains(&outcome.measured.completed));
    assert_close(outcome.quantile(0.5), 20.0);
    assert!(outcome.measure.send_lag.is_empty());
}

/// E13.
#[test]
fn a_stall_across_the_end_is_in_the_report_or_abandoned_and_dropped() {
    let run = |drain| {
        let job = Job { drain: Nanos::from_secs(drain), ..open_loop(100, 10, 50) };
        against(job, stalled(Nanos::from_secs(9), Nanos::from_secs(10), Nanos::from_millis(1)))
    };
    let waited_for = run(15);
    assert_eq!(waited_for.measure.counters.good, 1_000);
    assert!(waited_for.quantile(0.995) > 9_000.0);
    let cut_off = run(2);
    let counters = &cut_off.measure.counters;
    assert_eq!((counters.good, counters.abandoned, counters.dropped), (900, 50, 50));
    assert_eq!(cut_off.response().censored(), 100);
}

/// E11.
#[test]
fn unanswered_requests_time_out_and_rank_at_the_timeout() {
    // Each hundredth is never answered.
    let mut number = 0;
    let job = Job { timeout: SECOND, ..open_loop(1_000, 20, 500) };
    let outcome = against(job, move |now| {
        number += 1;
        (number % 100 != 0).then_some(now + Nanos::from_millis(5))
    });
    assert_eq!(outcome.measure.counters.failures[Kind::Timeout as usize], 200);
    assert_close(outcome.quantile(0.98), 5.0);
    assert_close(outcome.quantile(0.995), 1_000.0);
    let fates = &outcome.measure;
    assert_eq!((fates.service.count(), fates.unanswered.count()), (19_800, 200));
    assert_eq!(fates.service(Mode::Open).count(), 20_000);
    assert_eq!(fates.answered(Mode::Open).count(), fates.counters.completed);
}

/// E2: D every P. L(q) = s + D - (1 - q) P above q = 1 - D / P, and s below it.
#[test]
fn periodic_stalls_are_the_formulas() {
    for (stall_ms, rows, mean) in [
        (1_000, [(0.89, 1.0), (0.95, 501.0), (0.99, 901.0), (0.999, 991.0)], 51.0),
        (2_000, [(0.79, 1.0), (0.90, 1_001.0), (0.99, 1_901.0), (0.999, 1_991.0)], 201.0),
        (200, [(0.979, 1.0), (0.985, 51.0), (0.99, 101.0), (0.999, 191.0)], 3.0),
    ] {
        let outcome = against(open_loop(1_000, 40, 3_000), stalls(stall_ms));
        for (q, expected) in rows {
            assert_close(outcome.quantile(q), expected);
        }
        assert!((outcome.mean() - mean).abs() < 0.6, "{} ms, not {mean}", outcome.mean());
    }
}

/// Shut for so long at the start of every ten seconds but the first; else 1 ms.
fn stalls(stall_ms: u64) -> impl FnMut(Nanos) -> Option<Nanos> {
    let (period, stall) = (10 * SECOND.0, stall_ms * 1_000_000);
    move |now| {
        let into = (now.0 + period / 2) % period;
        let open = if into < stall { now.0 - into + stall } else { now.0 };
        Some(Nanos(open) + Nanos::from_millis(1))
    }
}

/// E2c: in closed loop exactly N samples see each stall, however long it is.
#[test]
fn a_closed_loop_sees_each_stall_once_a_connection() {
    let outcome = against(closed_loop(40, 10), stalls(2_000));
    let long = outcome.measure.good.recorded().filter(|(time, _)| *time > SECOND);
    assert_eq!(long.map(|(_, count)| count).sum::<u64>(), 4 * 10);
    // 32 s of 10,000/s: the stalls of a fifth of the run lie beyond the p99.98.
    assert_close(outcome.quantile(0.9998), 1.0);
}

/// E5: at a single server of 5 ms, with 100/s: uniform 5 ms, Poisson 5 + 0.5 x 5 / (2 x 0.5) ms.
#[test]
fn random_arrivals_queue_as_theory_says_and_uniform_ones_do_not() {
    let mean = |law| {
        let steady = Shape::ramp(100, 100, Nanos::from_secs(600)).unwrap();
        against(shaped(steady, law, 200), queue(1, Nanos::from_millis(5))).mean()
    };
    assert_close(mean(Law::Uniform), 5.0);
    for seed in [1, 2, 3] {
        let mean = mean(Law::Poisson { seed });
        assert!((7.26..7.75).contains(&mean), "seed {seed}: {mean} ms");
    }
}

/// E7: what the server sees is the schedule.
#[test]
fn requests_reach_the_server_at_exactly_the_schedules_times() {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let log = seen.clone();
    let outcome = against(open_loop(997, 10, 7), move |now| {
        log.borrow_mut().push(now);
        Some(now + Nanos::from_micros(80))
    });
    assert_eq!(outcome.measure.counters.sent, 9_970);
    let expected = (0..9_970u64).map(|k| Nanos(k * 1_000_000_000 / 997));
    assert!(seen.borrow().iter().copied().eq(expected));
    assert_eq!(outcome.measure.send_lag.max(), Nanos::ZERO);
}

/// E9: R = 100/s, T = 10 s, D = 5 s: L(.75) = 2.5 s, L(.9) = 4 s, mean 1.25 s.
#[test]
fn a_frozen_server_is_half_of_the_run() {
    let frozen = stalled(Nanos::from_secs(3), Nanos::from_secs(5), Nanos(1_000));
    let outcome = against(open_loop(100, 10, 600), frozen);
    for (q, expected) in [(0.75, 2_500.0), (0.9, 4_000.0)] {
        assert!((outcome.quantile(q) - expected).abs() <= 12.0, "{q}: {}", outcome.quantile(q));
    }
    assert!((outcome.mean() - 1_252.5).abs() < 2.0, "{}", outcome.mean());
    assert!(outcome.totals.pauses.is_empty());
}

/// E9b: blast itself does not run for a second. The users' times are those of E1, the service
/// time is not, and the send lag is blast's own.
#[test]
fn a_frozen_blast_is_told_from_a_frozen_server() {
    let (from, to) = (Nanos::from_secs(5), Nanos::from_secs(6));
    let incidents = Incidents { frozen: Some((from, to)), ..Incidents::default() };
    for connections in [2_000, 20] {
        let server = |now| Some(now + Nanos::from_millis(1));
        let job = open_loop(1_000, 60, connections);
        let outcome = simulate_with(job, server, |_, _| true, incidents.clone()).audited();
        let measure = &outcome.measure;
        assert_close(measure.service.quantile(0.99).as_micros_f64() / 1e3, 1.0);
        assert!(outcome.quantile(0.99) >= 400.0, "{}", outcome.quantile(0.99));
        let lag = measure.send_lag.max();
        assert!(lag >= Nanos::from_millis(999), "{lag:?}");
        assert!(measure.late.max() >= Nanos::from_millis(995), "{:?}", measure.late.max());
        // What is left is the time that the backlog took on twenty connections.
        assert!(measure.blocked.max() <= Nanos::from_millis(60), "{:?}", measure.blocked.max());
        assert!(measure.waited.count <= 60, "{:?}", measure.waited);
        let [pause] = outcome.totals.pauses[..] else { panic!("{:?}", outcome.totals.pauses) };
        let off = |a: Nanos, b: Nanos| a.0.abs_diff(b.0);
        assert!(off(pause.at, from) < 2_000_000 && off(pause.length, SECOND) < 2_000_000);
    }
}

/// E12: 10/s for a second, nothing is answered, five may be in flight.
#[test]
fn what_finds_no_room_is_dropped_at_once() {
    let job = Job { max_in_flight: 5, drain: SECOND, ..open_loop(10, 1, 64) };
    let outcome = against(job, |_| None);
    let counters = &outcome.measure.counters;
    assert_eq!((counters.sent, counters.dropped), (5, 5));
    assert_eq!(counters.drops[Drop::MaxInFlight as usize], 5);
    assert_eq!(outcome.measured.dropped, 5, "at once, not when the drain ended");
}

/// E14: a stall inside the warm-up does not reach the measure.
#[test]
fn a_stall_in_the_warm_up_stays_there() {
    let schedule = Schedule::uniform(
        Rate::per_second(1_000),
        Nanos::from_secs(5),
        Some(Nanos::from_secs(10)),
        None,
    );
    let warmup = Warmup::For(Nanos::from_secs(5));
    let job = Job { warmup, ..job(2_000, Arrivals::Open(schedule)) };
    let outcome = against(job, stalled(SECOND, SECOND, Nanos::from_millis(10)));
    assert_eq!((outcome.warmup.counters.good, outcome.measure.counters.good), (5_000, 10_000));
    assert!(outcome.warmup.good.max() >= SECOND);
    assert_close(outcome.response().max().unwrap().value().as_micros_f64() / 1e3, 10.0);
}

/// E15: what the server waits is what is measured.
#[test]
fn a_known_delay_is_measured_to_the_bucket() {
    for delay_us in [100, 1_000, 10_000, 100_000] {
        let delay = Nanos::from_micros(delay_us);
        let outcome = against(open_loop(1_000, 10, 200), move |now| Some(now + delay));
        for q in [0.5, 0.99] {
            assert_close(outcome.quantile(q), delay.as_micros_f64() / 1e3);
        }
    }
}

/// E17: one of four workers is on a slow path. The quantiles are those of the union.
#[test]
fn the_union_of_the_workers_is_what_counts() {
    let mut union = Fates::default();
    let mut mean_of_p99s = 0.0;
    for worker in 0..4 {
        let delay = Nanos::from_millis(if worker == 3 { 50 } else { 1 });
        let job = Job { worker, workers: 4, ..open_loop(1_000, 20, 100) };
        // The first worker's first connection opens the gate for the others.
        if worker > 0 {
            job.timeline.open_gate();
        }
        let outcome = against(job, move |now| Some(now + delay));
        mean_of_p99s += outcome.quantile(0.99) / 4.0;
        union.add(&outcome.measure);
    }
    assert_eq!(union.counters.good, 20_000);
    let p = |q| union.good.quantile(q).as_micros_f64() / 1e3;
    assert_close(p(0.74), 1.0);
    assert_close(p(0.76), 50.0);
    assert!(mean_of_p99s < p(0.99) / 3.0, "{mean_of_p99s}");
}

/// E18: nothing is too long or too short to be counted.
#[test]
fn two_hundred_seconds_and_two_hundred_nanoseconds_are_both_recorded() {
    let mut first = true;
    let job = Job {
        timeout: Nanos::from_secs(300),
        drain: Nanos::from_secs(300),
        ..open_loop(10, 1, 20)
    };
    let outcome = against(job, move |now| {
        let slow = std::mem::take(&mut first);
        Some(now + if slow { Nanos::from_secs(200) } else { Nanos(200) })
    });
    assert_eq!(outcome.measure.counters.good, 10);
    assert_eq!(outcome.measure.good.min(), Nanos(200));
    assert!(outcome.measure.good.max() >= Nanos::from_secs(200));
    assert_eq!(outcome.measure.saturated(), 0);
}
