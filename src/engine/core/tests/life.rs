//! How a run begins, ends, and loses its server.

use super::*;

#[test]
fn a_budget_of_requests_is_sent_exactly() {
    for (budget, connections, pipeline) in [(1, 1, 1), (10, 100, 1), (997, 7, 4), (1_000, 1, 16)] {
        let arrivals = Arrivals::Closed { budget, users: None };
        let job = Job { pipeline, ..job(connections, arrivals) };
        let outcome = against(job, |now| Some(now + Nanos::from_millis(1)));
        assert_eq!(outcome.measure.counters.sent, budget, "{connections} x {pipeline}");
        assert!(outcome.phases.end > outcome.phases.measure);
    }
}

#[test]
fn a_dead_server_is_dialled_with_patience_and_found_again() {
    let alive = |at: Nanos, _| !(Nanos::from_secs(5)..Nanos::from_secs(15)).contains(&at);
    let server = |now: Nanos| Some(now + Nanos::from_millis(1));
    let outcome = simulate(open_loop(100, 30, 10), server, alive).audited();
    let during =
        |(at, _): &&(Nanos, usize)| (Nanos::from_secs(1_005)..Nanos::from_secs(1_015)).contains(at);
    let dials = outcome.dials.iter().filter(during).count();
    // Each slot: a few at first, then one every 375 to 500 ms.
    assert!((10..10 * 35).contains(&dials), "{dials}");
    let counters = &outcome.measure.counters;
    assert_eq!(counters.good + counters.failed(), 3_000);
    assert!(counters.failed() <= 10, "{}", counters.failed());
    // The last of the backlog was due just before the server came back: found within the cap.
    assert!(outcome.quantile(0.4) < 2.0);
}

#[test]
fn an_address_that_refuses_from_the_start_is_left_out() {
    let mut job = open_loop(100, 2, 8);
    job.addresses = [([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into()].into();
    let timeline = job.timeline.clone();
    let server = |now: Nanos| Some(now + Nanos::from_millis(1));
    let outcome = simulate(job, server, |at, address| address == 1 || at > Nanos::ZERO).audited();
    assert_eq!(outcome.dials.iter().filter(|(_, address)| *address == 0).count(), 1);
    assert_eq!(outcome.totals.connections.failed(), 0);
    assert_eq!((timeline.gate(), timeline.stop()), (Gate::Open, Stop::No));
}

#[test]
fn a_target_that_refuses_everywhere_calls_the_run_off() {
    let job = open_loop(100, 2, 8);
    let timeline = job.timeline.clone();
    let outcome = simulate(job, |_| None, |_, _| false);
    assert_eq!(timeline.gate(), Gate::Refused);
    assert_eq!(outcome.dials.len(), 1);
    assert_eq!(timeline.refusal().map(|refusal| refusal.kind), Some(Kind::ConnectRefused));
}

/// Connects that nobody answers.
#[derive(Default)]
struct Silence {
    opens: Vec<Slot>,
}

impl Wire for Silence {
    fn open(&mut self, slot: Slot, _address: usize) {
        self.opens.push(slot);
    }

    fn send(&mut self, _slot: Slot, _copies: u32) {}

    fn write(&mut self, _slot: Slot, _bytes: &[u8]) {}

    fn close(&mut self, _slot: Slot) {}
}

#[test]
fn connects_that_hang_bound_those_under_way_and_hold_up_the_others_only_for_a_moment() {
    let mut core = Core::new(Arc::new(closed_loop(1, 5_000)));
    let mut wire = Silence::default();
    let start = Nanos::from_secs(1_000);
    core.turn(start, &mut wire);
    core.on(0, Event::Opened, start, &mut wire);
    let mut at = |ms: u64| {
        for step in 0..ms {
            core.turn(start + Nanos::from_millis(step), &mut wire);
        }
        wire.opens.len()
    };
    // The first one is open; the paced start would take 50 ms for a thousand.
    assert_eq!(at(240), 1 + 1_024);
    let later = at(290);
    assert!((1_500..=1 + 2 * 1_024).contains(&later), "{later}");
    assert_eq!(at(490), 1 + 2 * 1_024);
}

#[test]
fn a_worker_that_is_paused_from_the_start_to_the_end_sends_nothing_in_closed_loop() {
    let frozen = Some((Nanos::ZERO, Nanos::from_millis(2_500)));
    let incidents = Incidents { frozen, ..Incidents::default() };
    let server = |now| Some(now + Nanos::from_millis(1));
    let outcome = simulate_with(closed_loop(1, 10), server, |_, _| true, incidents).audited();
    assert_eq!((outcome.measure.counters.sent, outcome.measured.sent), (0, 0));
}
