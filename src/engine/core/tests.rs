//! The core under a simulated clock, wire and server. Times are exact, so the laws of queueing
//! hold to the histogram's bucket.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;

use bytes::Bytes;

use super::super::mailbox::Mailbox;
use super::super::timeline::{Gate, Stop, Timeline};
use super::*;
use crate::metrics::{Distribution, Events, Fates, Mode};
use crate::plan::{Schedule, Wait, Warmup};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const SECOND: Nanos = Nanos::from_secs(1);

/// What the simulated network brings, in order of time. The number keeps equal times in order.
type Arrival = Reverse<(Nanos, u64, Slot, Happening)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Opened,
    Refused,
    Answer,
    Reset,
    Closed,
}

/// A server: when it answers a request that reaches it at a time, or `None` for never.
type Server = Box<dyn FnMut(Nanos) -> Option<Nanos>>;

struct Net {
    now: Nanos,
    arrivals: BinaryHeap<Arrival>,
    number: u64,
    server: Server,
    dials: Vec<(Nanos, usize)>,
    /// Whether a connect at this time, to this address, is accepted.
    listens: Box<dyn Fn(Nanos, usize) -> bool>,
}

impl Net {
    fn push(&mut self, at: Nanos, slot: Slot, happening: Happening) {
        self.number += 1;
        self.arrivals.push(Reverse((at, self.number, slot, happening)));
    }
}

impl Wire for Net {
    fn open(&mut self, slot: Slot, address: usize) {
        self.dials.push((self.now, address));
        let listens = (self.listens)(self.now, address);
        let happening = if listens { Happening::Opened } else { Happening::Refused };
        self.push(self.now + Nanos::from_micros(50), slot, happening);
    }

    fn send(&mut self, slot: Slot, copies: u32) {
        for _ in 0..copies {
            if !(self.listens)(self.now, 0) {
                self.push(self.now, slot, Happening::Reset);
            } else if let Some(at) = (self.server)(self.now) {
                self.push(at, slot, Happening::Answer);
            }
        }
    }

    fn close(&mut self, slot: Slot) {
        // Whatever was on its way is lost with the connection.
        self.arrivals.retain(|Reverse((_, _, of, _))| *of != slot);
        self.push(self.now, slot, Happening::Closed);
    }
}

struct Outcome {
    measure: Fates,
    measured: Events,
    totals: Totals,
    phases: Phases,
    dials: Vec<(Nanos, usize)>,
}

impl Outcome {
    fn response(&self) -> Distribution {
        Distribution::ranked(&self.measure.good, &self.measure.censored)
    }

    /// In milliseconds.
    fn quantile(&self, q: f64) -> f64 {
        self.response().quantile(q).expect("supported").value().as_micros_f64() / 1e3
    }

    /// What must hold at the end of every run.
    fn audited(self) -> Outcome {
        let c = &self.measure.counters;
        assert_eq!(c.scheduled, c.sent + c.dropped);
        assert_eq!(c.sent, c.completed + c.failed() + c.abandoned);
        assert_eq!(self.response().count(), c.scheduled);
        assert_eq!(self.totals.area, self.totals.sent_to_end);
        assert_eq!(self.totals.sent_early, 0);
        self
    }
}

fn job(connections: u32, arrivals: Arrivals) -> Job {
    let request = Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n");
    let address: SocketAddr = ([127, 0, 0, 1], 80).into();
    Job {
        worker: 0,
        workers: 1,
        core: None,
        connections,
        first_connection: 0,
        addresses: [address].into(),
        binds: [].into(),
        request_len: request.len(),
        request,
        is_head: false,
        pipeline: 1,
        per_connection: None,
        arrivals,
        timeout: Nanos::from_secs(60),
        connect_timeout: Nanos::from_secs(5),
        connect_rate: None,
        warmup: Warmup::NONE,
        stage_ends: [].into(),
        duration: None,
        drain: Nanos::from_secs(60),
        deadline: None,
        max_in_flight: u64::MAX,
        wait: Wait::Block,
        spin_window: Nanos::ZERO,
        timeline: Arc::new(Timeline::default()),
        mailbox: Arc::new(Mailbox::default()),
    }
}

fn open_loop(rate: u64, seconds: u64, connections: u32) -> Job {
    let length = Some(Nanos::from_secs(seconds));
    let schedule = Schedule::uniform(Rate::per_second(rate), Nanos::ZERO, length, None);
    job(connections, Arrivals::Open(schedule))
}

fn closed_loop(seconds: u64, connections: u32) -> Job {
    let duration = Some(Nanos::from_secs(seconds));
    Job { duration, ..job(connections, Arrivals::Closed { budget: u64::MAX, users: None }) }
}

/// Runs `job` against `server`, whose clock starts with the load.
fn simulate(
    job: Job,
    mut server: impl FnMut(Nanos) -> Option<Nanos> + 'static,
    listens: impl Fn(Nanos, usize) -> bool + 'static,
) -> Outcome {
    let job = Arc::new(job);
    let (timeline, mailbox) = (job.timeline.clone(), job.mailbox.clone());
    // The load starts at a fixed time, long after the connections are open.
    let origin = Nanos::from_secs(1_000);
    let mut net = Net {
        now: origin - SECOND,
        arrivals: BinaryHeap::new(),
        number: 0,
        server: Box::new(move |at| Some(origin + server(at - origin)?)),
        dials: Vec::new(),
        listens: Box::new(move |at, address| listens(at - origin, address)),
    };
    let mut core = Core::new(job);
    let (mut measure, mut measured) = (Fates::default(), Events::default());
    let mut collect = || {
        while let Some(letter) = mailbox.collect() {
            measure.add(&letter.snapshot.measure);
            if letter.snapshot.phase == Phase::Measure {
                measured.add(&letter.snapshot.events);
            }
            mailbox.give_back(letter.snapshot);
        }
    };
    while core.turn(net.now, &mut net) {
        if timeline.ready() == 1 && timeline.origin().is_none() {
            timeline.start(origin);
        }
        let next = net.arrivals.peek().map_or(Nanos::MAX, |Reverse((at, ..))| *at);
        net.now = core.wake(net.now).at.min(next).max(net.now);
        core.roll(net.now);
        while let Some(Reverse((at, ..))) = net.arrivals.peek()
            && *at <= net.now
            && let Some(Reverse((_, _, slot, happening))) = net.arrivals.pop()
        {
            let event = match happening {
                Happening::Opened => Event::Opened,
                Happening::Refused => Event::OpenFailed(libc::ECONNREFUSED),
                Happening::Answer => Event::Received(ANSWER),
                Happening::Reset => Event::ReceiveFailed(libc::ECONNRESET),
                Happening::Closed => Event::Closed,
            };
            core.on(slot, event, net.now, &mut net);
        }
        collect();
    }
    let totals = core.finish(net.now);
    collect();
    let phases = *core.phases();
    Outcome { measure, measured, totals, phases, dials: net.dials }
}

fn against(job: Job, server: impl FnMut(Nanos) -> Option<Nanos> + 'static) -> Outcome {
    simulate(job, server, |_, _| true).audited()
}

/// A server that is shut for `stall` from `at` on, and answers after `service` otherwise.
fn stalled(at: Nanos, stall: Nanos, service: Nanos) -> impl FnMut(Nanos) -> Option<Nanos> {
    move |now| Some(if now >= at && now < at + stall { at + stall } else { now } + service)
}

/// `workers` that take `service` each, first come first served.
fn queue(workers: usize, service: Nanos) -> impl FnMut(Nanos) -> Option<Nanos> {
    let mut free_at = vec![Nanos::ZERO; workers];
    move |now| {
        let earliest = free_at.iter_mut().min()?;
        *earliest = now.max(*earliest) + service;
        Some(*earliest)
    }
}

#[track_caller]
fn assert_close(measured: f64, expected: f64) {
    // Three significant digits.
    assert!((measured - expected).abs() <= expected * 0.0015, "{measured}, not {expected}");
}

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
    assert_close(outcome.response().histogram().mean().as_micros_f64() / 1e3, 18.34);
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

#[test]
fn a_closed_loop_obeys_littles_law() {
    // K = 4 servers of s = 5 ms, N = 16: X = K/s = 800/s and R = N s / K = 20 ms.
    let outcome = against(closed_loop(10, 16), queue(4, Nanos::from_millis(5)));
    assert!((7_990..=8_000).contains(&outcome.measured.completed));
    assert_close(outcome.quantile(0.5), 20.0);
    assert!(outcome.measure.send_lag.is_empty());
}

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
