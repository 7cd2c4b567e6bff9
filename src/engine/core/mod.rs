//! The core of a worker, without IO and without a clock: whom to send to and when, what each
//! event means for the load, and the books. Drivers feed it events and readings; it answers
//! through their [`Wire`].
//!
//! A worker's life: *connecting* until every worker's connections are open (or have failed once),
//! *running* through warm-up and measure, *draining* until each request has its fate.

mod acting;
mod again;
mod dialling;
mod examples;
mod mustering;
mod securing;
mod sending;
mod slow;
mod stages;
mod steering;

#[cfg(test)]
mod invariants;
#[cfg(test)]
pub(in crate::engine) mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use self::securing::Secure;
use self::slow::Curiosity;
use super::addresses::Addresses;
use super::by_name::Rows;
use super::connection::{Action, Asked, Connection};
use super::crew::Crew;
use super::deadlines::Deadlines;
use super::edits::Edit;
use super::groups::Grouping;
use super::job::{Arrivals, Job};
use super::pace::Pace;
use super::pacer::{Pacer, Stripe};
use super::redial::Redial;
use super::script::Script;
use super::tally::{Flight, Phases, Tally, Totals};
use super::window::Window;
use super::wire::{Event, Slot, Wire};
use crate::agreed::Agreed;
use crate::failure::Kind;
use crate::http::HeadPool;
use crate::metrics::{Drop, Phase, Worker};
use crate::plan::answer::Captured;
use crate::plan::{Rate, START_RATE};
use crate::time::Nanos;

/// Requests released in one turn before the driver gets to carry them out: the ring's completions
/// are handled in slices of the same size, so neither starves the other.
const SLICE: usize = 64;

/// How often a waiting worker looks whether it should stop.
const STOP_POLL: Nanos = Nanos::from_millis(50);

/// How often a connecting worker looks whether the others are done.
const START_POLL: Nanos = Nanos::from_millis(1);

/// By how much a timer may be late for the sake of a request that is due.
const TIMER_SLACK: Nanos = Nanos::from_micros(200);

/// The drain of an interrupted run.
const BRIEF: Nanos = Nanos::from_secs(1);

/// A worker that comes back this much later than it had to was stopped, or kept from its core.
const PAUSE: Nanos = Nanos::from_millis(50);

/// Buffers for split heads made before the start.
const HEADS: usize = 64;

pub struct Core {
    job: Arc<Job>,
    connections: Vec<Connection>,
    /// By slot and request number: what is on its way.
    flights: Vec<Flight>,
    /// The bytes of one request.
    request_length: u64,
    /// Flights a slot: the pipeline's depth, rounded up to a power of two.
    depth: u32,
    /// Connections with room, longest free first. An entry may be stale; none is twice in it.
    free: VecDeque<Slot>,
    timeouts: Deadlines,
    connect_timeouts: Deadlines,
    redial: Redial,
    window: Window,
    addresses: Addresses,
    crew: Crew,
    pacer: Pacer,
    tally: Tally,
    pool: HeadPool,
    curiosity: Curiosity,
    /// Of a scenario.
    script: Option<Box<Script>>,
    /// Of `--group-by`.
    groups: Option<Box<Grouping>>,
    /// Requests of sessions beyond one for each that arrived, in warm-up and in measure.
    further: [u64; 2],
    /// Requests that were due and then were none: there was no data for them, or whoever came
    /// left without a word. In warm-up and in measure.
    taken_back: [u64; 2],
    /// Of https.
    secure: Option<Box<Secure>>,
    stage: Stage,
    gate_open: bool,
    /// Connections that were open or failed at least once.
    settled: u32,
    /// Requests due up to the last roll: the next interval counts from there.
    due_counted: u64,
    drain_end: Nanos,
    /// The load runs, and nobody has said yet when measure begins.
    seeks_measure: bool,
    /// What the timeline last said of measure's length, and that this will not change.
    length: Option<Nanos>,
    length_is_settled: bool,
    /// The changes of the load that were taken in.
    edits: Vec<Edit>,
    /// When the next turn was due at the latest.
    awaited: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    Running,
    Draining,
    Done,
}

/// Until when there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    pub at: Nanos,
    /// It is the intended time of a request: worth spinning for.
    pub exact: bool,
}

/// What a worker leaves behind, besides its snapshots.
#[derive(Debug)]
pub struct Finished {
    pub totals: Totals,
    pub worker: Worker,
    pub phases: Phases,
    /// Addresses of the target that never worked, by index.
    pub skipped: Vec<(usize, Kind)>,
    /// How often a connection to each address opened, by index.
    pub opened: Vec<u64>,
    /// By its first connection over TLS.
    pub agreed: Option<Agreed>,
    /// Its books by group.
    pub groups: Option<Box<Grouping>>,
    /// By its first user.
    pub captured: Option<Captured>,
    /// The data had no more rows.
    pub has_run_out: bool,
}

impl Core {
    pub fn new(job: Arc<Job>) -> Core {
        let slots = job.connections as usize;
        let depth = job.pipeline.next_power_of_two();
        let idle = Flight {
            intended: Nanos::ZERO,
            sent: Nanos::ZERO,
            phase: Phase::Warmup,
            stage: 0,
            entry: 0,
            waited: false,
        };
        let open_loop = matches!(job.arrivals, Arrivals::Open(_));
        let stage_ends = job.stage_ends.clone();
        let tally = Tally::new(
            open_loop,
            job.mailbox.clone(),
            stage_ends,
            Rows::of(job.scenario.as_deref()),
        );
        let crew = crew(&job);
        if crew.active() == 0 {
            job.timeline.worker_is_ready();
        }
        let mut redial = Redial::new(slots);
        (0..crew.active()).for_each(|slot| redial.push(slot, Nanos::ZERO));
        let mut connections: Vec<_> = (0..slots).map(|_| Connection::new()).collect();
        connections[crew.active() as usize..].iter_mut().for_each(|rests| rests.resting = true);
        let start_rate = Rate::per_second(START_RATE);
        redial.pace(Some(share(job.connect_rate.unwrap_or(start_rate), job.workers)));
        Core {
            connections,
            request_length: job.request.length() as u64,
            flights: vec![idle; slots * depth as usize],
            depth,
            free: VecDeque::with_capacity(slots),
            timeouts: Deadlines::new(slots * job.pipeline as usize, job.timeout),
            connect_timeouts: Deadlines::new(slots, job.connect_timeout),
            redial,
            window: Window::new(job.workers, job.tls.is_some()),
            addresses: Addresses::new(job.addresses.clone()),
            crew,
            pacer: pacer(&job),
            tally,
            pool: HeadPool::new(HEADS),
            curiosity: Curiosity::new(job.workers),
            script: Script::of(&job).map(Box::new),
            groups: groups(&job, open_loop),
            further: [0; 2],
            taken_back: [0; 2],
            secure: Secure::of(&job).map(Box::new),
            stage: Stage::Connecting,
            gate_open: false,
            settled: 0,
            due_counted: 0,
            drain_end: Nanos::MAX,
            seeks_measure: false,
            length: None,
            length_is_settled: false,
            edits: Vec::new(),
            awaited: Nanos::MAX,
            job,
        }
    }

    pub fn phase(&self) -> Phase {
        self.tally.phase()
    }

    /// What the driver has spun since it started: told before a turn, as a turn publishes it.
    #[inline]
    pub fn has_spun(&mut self, so_far: Nanos) {
        self.tally.spin_time = so_far;
    }

    /// Buffers for split heads that had to be made during the run.
    pub fn heads_grown(&self) -> u64 {
        self.pool.grown() + self.script.as_ref().map_or(0, |script| script.grown())
    }

    /// The bytes that it keeps for its connections.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.connections)
            + size_of_val(&*self.flights)
            + self.free.capacity() * size_of::<Slot>()
            + self.timeouts.memory()
            + self.connect_timeouts.memory()
            + self.redial.memory()
            + self.secure.as_ref().map_or(0, |secure| secure.memory())
            + self.script.as_ref().map_or(0, |script| script.memory())
            + self.groups.as_ref().map_or(0, |groups| groups.memory())
    }

    /// What the time alone brings about. False when the worker's work is over.
    #[inline]
    pub fn turn(&mut self, now: Nanos, wire: &mut impl Wire) -> bool {
        self.look_for_pause(now);
        self.roll(now);
        let was_draining = self.stage == Stage::Draining;
        self.proceed(now);
        if self.stage == Stage::Draining && !was_draining {
            self.send_home(now, wire);
        }
        self.muster(now, wire);
        self.expire_requests(now, wire);
        self.expire_connects(now, wire);
        self.dial(now, wire);
        self.end_probation(now, wire);
        self.shed(now);
        self.rouse(now, wire);
        self.release(now, wire);
        self.stage != Stage::Done
    }

    /// Until when nothing is to be done, if no event comes.
    #[inline]
    pub fn wake(&mut self, now: Nanos) -> Wake {
        let wake = self.next_wake(now);
        self.awaited = wake.at.max(now);
        wake
    }

    fn next_wake(&self, now: Nanos) -> Wake {
        let poll = if self.stage == Stage::Connecting { START_POLL } else { STOP_POLL };
        let timers = [
            Some(now + poll),
            Some(self.tally.boundary()),
            Some(self.drain_end),
            self.timeouts.next(),
            self.connect_timeouts.next(),
            self.next_dial(),
            Some(self.crew.changes_at()),
            self.next_shed(),
            self.next_nap(),
        ];
        let at = timers.into_iter().flatten().fold(Nanos::MAX, Nanos::min);
        match self.next_release().or(self.start_at()) {
            // The timers can wait for a request that is due at about the same time.
            Some(due) if due <= at + TIMER_SLACK => {
                Wake { at: due, exact: self.pacer.is_open() || self.stage == Stage::Connecting }
            }
            _ => Wake { at, exact: false },
        }
    }

    /// The first request is due when the load starts.
    fn start_at(&self) -> Option<Nanos> {
        if self.stage == Stage::Connecting { self.job.timeline.origin() } else { None }
    }

    /// A fresh clock reading: publishes what belongs to intervals and phases that are over.
    /// Called before events of that time are given to [`Core::on`].
    #[inline]
    pub fn roll(&mut self, now: Nanos) {
        let learned = self.seeks_measure && self.learn_measure();
        if self.stage == Stage::Running {
            self.look_at_edits(learned, now);
            if !self.length_is_settled {
                self.look_at_length(now);
            }
        }
        self.publish_until(now);
    }

    #[inline]
    fn publish_until(&mut self, now: Nanos) {
        while self.tally.is_over(now) {
            let at = self.tally.boundary();
            let scheduled = self.newly_due(at);
            self.tally.users = self.users();
            self.tally.roll(at, scheduled);
        }
    }

    /// What a driver has to tell about a connection. `now`: the reading given to `roll`.
    #[inline]
    pub fn on(&mut self, slot: Slot, event: Event, now: Nanos, wire: &mut impl Wire) {
        if self.secure.is_some() {
            return self.on_secured(slot, event, now, wire);
        }
        self.apply(slot, event, now, wire);
    }

    /// The same for what was received; TLS decrypts it where it lies.
    #[inline]
    pub fn received(&mut self, slot: Slot, bytes: &mut [u8], now: Nanos, wire: &mut impl Wire) {
        if self.secure.is_some() {
            return self.unseal(slot, bytes, now, wire);
        }
        self.apply(slot, Event::Received(bytes), now, wire);
    }

    #[inline]
    fn apply(&mut self, slot: Slot, event: Event, now: Nanos, wire: &mut impl Wire) {
        let mut event = event;
        let mut gained_room = event == Event::Sent;
        match event {
            Event::Received(bytes) => self.tally.received(bytes.len() as u64),
            Event::Discarded(bytes) => self.tally.received(bytes),
            _ => {}
        }
        loop {
            let connection = &mut self.connections[slot as usize];
            let asked = match &mut self.script {
                None => Asked {
                    head: self.job.is_head,
                    body: self.job.expected.body.as_deref(),
                    keep: None,
                    sort: None,
                },
                // Nothing was asked: what comes is nobody's answer.
                Some(_) if connection.in_flight() == 0 => Asked::default(),
                Some(script) => {
                    let oldest = place_of(slot, connection.ended, self.depth);
                    script.asked(slot, self.flights[oldest].entry)
                }
            };
            let sort = self.groups.as_mut().map(|groups| groups.sorter(slot));
            match connection.on(event, Asked { sort, ..asked }, &mut self.pool) {
                Action::Answered { response, used, found } => {
                    let (read, rest) = match event {
                        Event::Received(bytes) => bytes.split_at(used),
                        _ => (&[][..], &[][..]),
                    };
                    if !self.answered(slot, response, found, (read, rest), now, wire) {
                        return;
                    }
                    gained_room = true;
                    event = Event::Received(rest);
                }
                Action::Nothing => {
                    if let Event::Received(bytes) = event {
                        self.begun(slot, bytes, now);
                    }
                    return if gained_room {
                        self.serve(slot, now, wire)
                    };
                }
                Action::Ready => return self.opened(slot, now, wire),
                Action::NotOpened(kind) => {
                    return self.not_opened(slot, kind, event, now, wire);
                }
                Action::Lost(kind) => {
                    if let Event::Received(bytes) = event {
                        self.begun(slot, bytes, now);
                    }
                    let connection = &self.connections[slot as usize];
                    let errno = errno(event).or(connection.send_errno());
                    return self.lost(slot, kind, errno, now, wire);
                }
                Action::EndedIdle => {
                    self.tally.connections.reset_idle += 1;
                    return self.close_unused(slot, wire);
                }
                Action::Unsolicited => {
                    if let Event::Received(bytes) = event {
                        self.tally.unsolicited_bytes += bytes.len() as u64;
                    }
                    return self.close_unused(slot, wire);
                }
                Action::Gone => return self.gone(slot, now, wire),
            }
        }
    }

    /// Bytes that the connection will certainly bring and that need not be read: a driver may
    /// throw so many away and tell the number. None where bodies are looked at.
    #[inline]
    pub fn body_left(&self, slot: Slot) -> u64 {
        if self.secure.is_some() || self.looks_at_bodies(slot) {
            return 0;
        }
        self.connections[slot as usize].body_left()
    }

    /// Settles what has no fate yet and hands over the totals.
    pub fn finish(&mut self, now: Nanos) -> Totals {
        for slot in 0..self.connections.len() {
            while let Some(flight) = self.end_oldest(slot as Slot) {
                self.connections[slot].owes = true;
                self.tally.abandoned(&flight, now);
                self.note_abandoned(slot as Slot, &flight, now);
            }
        }
        self.dismiss_all(now);
        let scheduled = self.newly_due(Nanos::MAX);
        let (warmup, measure) = match &mut self.pacer {
            Pacer::Open(stripe) => stripe.due_before(Nanos::MAX),
            Pacer::Closed { warmup, measure, .. } => (*warmup, *measure),
        };
        while let Some(due) = self.pacer.take_older(Nanos::MAX) {
            let entry = self.entry_of(&due);
            self.tally.dropped(&due, entry, Drop::Unsent, now);
        }
        self.tally.connections.asked = self.asked();
        self.tally.users = self.users();
        let [further, taken_back] = [self.further, self.taken_back];
        self.tally.scheduled(Phase::Warmup, (warmup + further[0]).saturating_sub(taken_back[0]));
        self.tally.scheduled(Phase::Measure, (measure + further[1]).saturating_sub(taken_back[1]));
        self.tally.finish(now, scheduled)
    }

    /// The same, with all that the control thread wants to know. `worker`: the driver's readings.
    pub fn finished(&mut self, now: Nanos, worker: Worker) -> Finished {
        let totals = self.finish(now);
        let phases = *self.phases();
        let agreed = self.secure.as_ref().and_then(|secure| secure.agreed());
        let (skipped, opened) = (self.addresses.skipped(), self.addresses.opened());
        let script = self.script.as_mut();
        let has_run_out = script.as_ref().is_some_and(|script| script.has_run_out);
        let captured = script.and_then(|script| script.captured());
        let groups = self.groups.take();
        Finished { totals, worker, phases, skipped, opened, agreed, groups, captured, has_run_out }
    }

    /// Connections that were to take part, but for those whose turn came so late that the run was
    /// over before their first connect was.
    fn asked(&self) -> u64 {
        let taking_part = self.connections.iter().take(self.crew.most() as usize);
        taking_part.filter(|connection| connection.settled).count() as u64
    }

    /// When measure began and ended for this worker.
    pub fn phases(&self) -> &Phases {
        self.tally.phases()
    }

    /// How many became due since this was last asked, up to `at`.
    fn newly_due(&mut self, at: Nanos) -> u64 {
        match self.pacer.due_before(at) {
            Some((warmup, measure)) => {
                let due = warmup + measure + self.further[0] + self.further[1];
                let newly = due - self.due_counted;
                self.due_counted = due;
                newly
            }
            None => self.tally.events().sent,
        }
    }
}

/// Where a slot's request of that number stands among the flights.
#[inline]
fn place_of(slot: Slot, number: u32, depth: u32) -> usize {
    (slot * depth + (number & (depth - 1))) as usize
}

fn groups(job: &Job, open_loop: bool) -> Option<Box<Grouping>> {
    let by = job.group_by.as_deref()?;
    Some(Box::new(Grouping::new(by, job.connections as usize, open_loop)))
}

fn pacer(job: &Job) -> Pacer {
    match &job.arrivals {
        Arrivals::Open(schedule) => {
            Pacer::Open(Stripe::new(schedule, job.worker as u64, job.workers as u64))
        }
        Arrivals::Closed { budget, .. } => {
            let pace = job.at_most.map(|rate| Pace::new(rate, job.worker, job.workers));
            Pacer::closed(*budget, pace)
        }
    }
}

fn crew(job: &Job) -> Crew {
    let users = match &job.arrivals {
        Arrivals::Open(_) => None,
        Arrivals::Closed { users, .. } => users.clone(),
    };
    Crew::new(users, job.in_use, (job.worker, job.workers), job.connections)
}

/// One worker's share of a rate.
fn share(rate: Rate, workers: usize) -> Rate {
    Rate { count: rate.count, period: Nanos(rate.period.0.saturating_mul(workers as u64)) }
}

fn errno(event: Event) -> Option<i32> {
    match event {
        Event::OpenFailed(errno) | Event::ReceiveFailed(errno) | Event::SendFailed(errno) => {
            Some(errno)
        }
        _ => None,
    }
}
