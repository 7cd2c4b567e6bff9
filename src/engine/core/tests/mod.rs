//! The core under a simulated clock, wire and server. Times are exact, so the laws of queueing
//! hold to the histogram's bucket.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use bytes::Bytes;

use super::super::edits::Edit;
use super::super::mailbox::Mailbox;
use super::super::timeline::{Gate, Stop};
use super::super::wire::Parcel;
use super::*;
use crate::metrics::{Distribution, Events, Fates, Mode};
use crate::plan::{Law, Offered, Schedule, Shape, Warmup};

mod experiments;
mod life;
pub(in crate::engine) mod parcels;
mod scenarios;
mod shapes;
mod steering;
mod stretches;

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
    /// The requests of scenarios, in the order they were sent.
    delivered: Vec<Vec<u8>>,
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

    fn deliver(&mut self, slot: Slot, parcel: Parcel) {
        // SAFETY: a parcel is in place until its request has its fate.
        self.delivered.push(unsafe { parcel.piece(0) }.to_vec());
        self.send(slot, 1);
    }

    fn write(&mut self, _: Slot, _: &[u8]) {
        unreachable!("no load here is https");
    }

    fn close(&mut self, slot: Slot) {
        // Whatever was on its way is lost with the connection.
        self.arrivals.retain(|Reverse((_, _, of, _))| *of != slot);
        self.push(self.now, slot, Happening::Closed);
    }
}

struct Outcome {
    warmup: Fates,
    measure: Fates,
    aside: Fates,
    delivered: Vec<Vec<u8>>,
    measured: Events,
    /// At the end of each interval.
    users: Vec<Option<u64>>,
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
        assert_eq!(c.dropped, c.drops.iter().sum::<u64>());
        if let Some((first, rest)) = self.totals.stages.split_first() {
            let mut sum = first.clone();
            rest.iter().for_each(|stage| sum.add(stage));
            assert_eq!(sum.counters, self.measure.counters, "the stages make up the measure");
            assert_eq!(sum.good.count(), self.measure.good.count());
            assert_eq!(sum.censored.count(), self.measure.censored.count());
        }
        self
    }

    /// The mean response time in milliseconds.
    fn mean(&self) -> f64 {
        self.response().histogram().mean().as_micros_f64() / 1e3
    }
}

pub(in crate::engine) fn job(connections: u32, arrivals: Arrivals) -> Job {
    let request = Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n");
    let minute = Nanos::from_secs(60);
    let job = Job::new(connections, request, arrivals);
    Job { timeout: minute, drain: minute, mailbox: Arc::new(Mailbox::bare()), ..job }
}

fn open_loop(rate: u64, seconds: u64, connections: u32) -> Job {
    let length = Some(Nanos::from_secs(seconds));
    let schedule = Schedule::uniform(Rate::per_second(rate), Nanos::ZERO, length, None);
    job(connections, Arrivals::Open(schedule))
}

/// With a shape, whose levels are requests per second.
fn shaped(shape: Shape, law: Law, connections: u32) -> Job {
    let offered = Offered::shaped(shape.clone(), SECOND, law).unwrap();
    let schedule = Schedule::new(&offered, Warmup::NONE, None, None);
    let stage_ends = shape.stages().iter().map(|stage| stage.end()).collect();
    Job { stage_ends, ..job(connections, Arrivals::Open(schedule)) }
}

fn closed_loop(seconds: u64, connections: u32) -> Job {
    let duration = Some(Nanos::from_secs(seconds));
    Job { duration, ..job(connections, Arrivals::Closed { budget: u64::MAX, users: None }) }
}

/// What happens to blast itself, by the clock of the load.
#[derive(Clone, Default)]
struct Incidents {
    /// It does not run from here to there.
    frozen: Option<(Nanos, Nanos)>,
    /// At the first time it is told that measure begins at the second.
    measure: Option<(Nanos, Nanos)>,
    /// At each first time it is told that measure is to be as long as the second.
    lengths: Vec<(Nanos, Nanos)>,
    /// At each time it is told that the load changes; when, by the same clock.
    edits: Vec<(Nanos, Edit)>,
    /// A person ends it.
    stop: Option<Nanos>,
}

/// Runs `job` against `server`, whose clock starts with the load.
fn simulate(
    job: Job,
    server: impl FnMut(Nanos) -> Option<Nanos> + 'static,
    listens: impl Fn(Nanos, usize) -> bool + 'static,
) -> Outcome {
    simulate_with(job, server, listens, Incidents::default())
}

fn simulate_with(
    job: Job,
    mut server: impl FnMut(Nanos) -> Option<Nanos> + 'static,
    listens: impl Fn(Nanos, usize) -> bool + 'static,
    incidents: Incidents,
) -> Outcome {
    let job = Arc::new(job);
    let (timeline, mailbox) = (job.timeline.clone(), job.mailbox.clone());
    let is_steady = job.stage_ends.is_empty();
    // The load starts at a fixed time, long after the connections are open.
    let origin = Nanos::from_secs(1_000);
    let mut net = Net {
        now: origin - SECOND,
        arrivals: BinaryHeap::new(),
        number: 0,
        server: Box::new(move |at| Some(origin + server(at - origin)?)),
        dials: Vec::new(),
        delivered: Vec::new(),
        listens: Box::new(move |at, address| listens(at - origin, address)),
    };
    let mut core = Core::new(job);
    let (mut warmup, mut measure) = (Fates::default(), Fates::default());
    let mut aside = Fates::default();
    let (mut measured, mut users) = (Events::default(), Vec::new());
    let mut collect = || {
        while let Some(letter) = mailbox.collect() {
            warmup.add(&letter.snapshot.warmup);
            measure.add(&letter.snapshot.measure);
            aside.add(&letter.snapshot.aside);
            if letter.snapshot.phase == Phase::Measure {
                measured.add(&letter.snapshot.events);
            }
            users.extend(letter.last.then_some(letter.snapshot.users));
            mailbox.give_back(letter.snapshot);
        }
    };
    let mut lengths = incidents.lengths.into_iter().peekable();
    let mut edits = incidents.edits.into_iter().peekable();
    while core.turn(net.now, &mut net) {
        if timeline.ready() == 1 && timeline.origin().is_none() {
            timeline.start(origin);
        }
        let next = net.arrivals.peek().map_or(Nanos::MAX, |Reverse((at, ..))| *at);
        net.now = core.wake(net.now).at.min(next).max(net.now);
        if let Some((from, to)) = incidents.frozen
            && net.now >= origin + from
        {
            net.now = net.now.max(origin + to);
        }
        if let Some((told, at)) = incidents.measure
            && net.now >= origin + told
        {
            timeline.begin_measure(origin + at);
        }
        let told = |(told, _): &(Nanos, Nanos)| net.now >= origin + *told;
        while let Some((_, length)) = lengths.next_if(told) {
            timeline.change_length(length);
        }
        while let Some((_, edit)) = edits.next_if(|(told, _)| net.now >= origin + *told) {
            timeline.edit(Edit { at: origin + edit.at, ..edit });
        }
        if incidents.stop.is_some_and(|at| net.now >= origin + at) {
            timeline.request_stop(Stop::Soon);
        }
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
    let mut totals = core.finish(net.now);
    collect();
    if is_steady && let Some((first, others)) = totals.stages.split_first_mut() {
        // Of a load that was to have none, only what comes after the first is kept: as `collect`.
        *first = measure.clone();
        others.iter().for_each(|other| first.remove(other));
    }
    let phases = *core.phases();
    let Net { dials, delivered, .. } = net;
    Outcome { warmup, measure, aside, delivered, measured, users, totals, phases, dials }
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
