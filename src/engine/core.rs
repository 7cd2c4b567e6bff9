//! The core of a worker, without IO and without a clock: whom to send to and when, what each
//! event means for the load, and the books. Drivers feed it events and readings; it answers
//! through their [`Wire`].
//!
//! A worker's life: *connecting* until every worker's connections are open (or have failed once),
//! *running* through warm-up and measure, *draining* until each request has its fate.

use std::collections::VecDeque;
use std::sync::Arc;

use super::connection::{Action, Connection, State};
use super::deadlines::{Deadlines, Entry};
use super::job::{Arrivals, Job};
use super::pacer::{Pacer, Stripe};
use super::redial::{Redial, back_off};
use super::tally::{Flight, Phases, Tally, Totals};
use super::timeline::{Gate, Refusal, Stop};
use super::wire::{Event, SMALL, Slot, Wire};
use crate::failure::Kind;
use crate::http::{HeadPool, Response};
use crate::metrics::Phase;
use crate::plan::Rate;
use crate::time::Nanos;

/// Requests released in one turn before the driver gets to carry them out: the ring's completions
/// are handled in slices of the same size, so neither starves the other.
const SLICE: usize = 64;

/// Connections opened per second at the start unless the user says otherwise, over all workers.
/// A server on one core accepts about twice as many; a burst overflows its listen queue instead.
const START_RATE: u64 = 20_000;

/// How often a waiting worker looks whether it should stop.
const STOP_POLL: Nanos = Nanos::from_millis(50);

/// How often a connecting worker looks whether the others are done.
const START_POLL: Nanos = Nanos::from_millis(1);

/// By how much a timer may be late for the sake of a request that is due.
const TIMER_SLACK: Nanos = Nanos::from_micros(200);

/// The drain of an interrupted run.
const BRIEF: Nanos = Nanos::from_secs(1);

/// Buffers for split heads made before the start.
const HEADS: usize = 64;

pub struct Core {
    job: Arc<Job>,
    connections: Vec<Connection>,
    /// By slot and request number: what is on its way.
    flights: Vec<Flight>,
    /// Flights a slot: the pipeline's depth, rounded up to a power of two.
    depth: u32,
    /// Connections with room, longest free first. An entry may be stale; none is twice in it.
    free: VecDeque<Slot>,
    timeouts: Deadlines,
    connect_timeouts: Deadlines,
    redial: Redial,
    pacer: Pacer,
    tally: Tally,
    pool: HeadPool,
    stage: Stage,
    gate_open: bool,
    /// Connections that were open or failed at least once.
    settled: u32,
    open: u64,
    /// Requests due up to the last roll: the next interval counts from there.
    due_counted: u64,
    drain_end: Nanos,
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

impl Core {
    pub fn new(job: Arc<Job>) -> Core {
        let slots = job.connections as usize;
        let depth = job.pipeline.next_power_of_two();
        let idle = Flight {
            intended: Nanos::ZERO,
            sent: Nanos::ZERO,
            phase: Phase::Warmup,
            waited: false,
        };
        let open_loop = matches!(job.arrivals, Arrivals::Open(_));
        let mut tally = Tally::new(open_loop, job.mailbox.clone(), job.first_connection);
        tally.connections.asked = u64::from(job.connections);
        let mut redial = Redial::new(slots);
        (0..job.connections).for_each(|slot| redial.push(slot, Nanos::ZERO));
        let start_rate = Rate::per_second(START_RATE);
        redial.pace(Some(share(job.connect_rate.unwrap_or(start_rate), job.workers)));
        Core {
            connections: (0..slots).map(|_| Connection::new()).collect(),
            flights: vec![idle; slots * depth as usize],
            depth,
            free: VecDeque::with_capacity(slots),
            timeouts: Deadlines::new(slots * job.pipeline as usize, job.timeout),
            connect_timeouts: Deadlines::new(slots, job.connect_timeout),
            redial,
            pacer: pacer(&job),
            tally,
            pool: HeadPool::new(HEADS),
            stage: Stage::Connecting,
            gate_open: false,
            settled: 0,
            open: 0,
            due_counted: 0,
            drain_end: Nanos::MAX,
            job,
        }
    }

    pub fn phase(&self) -> Phase {
        self.tally.phase()
    }

    /// Buffers for split heads that had to be made during the run.
    pub fn heads_grown(&self) -> u64 {
        self.pool.grown()
    }

    /// What the time alone brings about. False when the worker's work is over.
    #[inline]
    pub fn turn(&mut self, now: Nanos, wire: &mut impl Wire) -> bool {
        self.roll(now);
        self.proceed(now);
        self.expire(now, wire);
        self.dial(now, wire);
        self.release(now, wire);
        self.stage != Stage::Done
    }

    /// Until when nothing is to be done, if no event comes.
    #[inline]
    pub fn wake(&self, now: Nanos) -> Wake {
        let poll = if self.stage == Stage::Connecting { START_POLL } else { STOP_POLL };
        let timers = [
            Some(now + poll),
            Some(self.tally.boundary()),
            Some(self.drain_end),
            self.timeouts.next(),
            self.connect_timeouts.next(),
            self.next_dial(),
        ];
        let at = timers.into_iter().flatten().fold(Nanos::MAX, Nanos::min);
        match self.next_release() {
            // The timers can wait for a request that is due at about the same time.
            Some(due) if due <= at + TIMER_SLACK => Wake { at: due, exact: true },
            _ => Wake { at, exact: false },
        }
    }

    /// A fresh clock reading: publishes what belongs to intervals and phases that are over.
    /// Called before events of that time are given to [`Core::on`].
    #[inline]
    pub fn roll(&mut self, now: Nanos) {
        while self.tally.is_over(now) {
            let at = self.tally.boundary();
            let scheduled = self.newly_due(at);
            self.tally.roll(at, scheduled);
        }
    }

    /// What a driver has to tell about a connection. `now`: the reading given to `roll`.
    #[inline]
    pub fn on(&mut self, slot: Slot, event: Event, now: Nanos, wire: &mut impl Wire) {
        let mut event = event;
        let mut gained_room = event == Event::Sent;
        if let Event::Received(bytes) = event {
            self.tally.received(bytes.len());
        }
        loop {
            let connection = &mut self.connections[slot as usize];
            match connection.on(event, self.job.is_head, &mut self.pool) {
                Action::Answered { response, used } => {
                    let rest = match event {
                        Event::Received(bytes) => &bytes[used..],
                        _ => &[],
                    };
                    if !self.answered(slot, response, rest, now, wire) {
                        return;
                    }
                    gained_room = true;
                    event = Event::Received(rest);
                }
                Action::Nothing if gained_room => return self.serve(slot, now, wire),
                Action::Nothing => return,
                Action::Ready => return self.opened(slot, now, wire),
                Action::NotOpened(kind) => return self.not_opened(slot, kind, event, now),
                Action::Lost(kind) => return self.lost(slot, kind, errno(event), now, wire),
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
                Action::Gone => return self.gone(slot, now),
            }
        }
    }

    /// Settles what has no fate yet and hands over the totals.
    pub fn finish(&mut self, now: Nanos) -> Totals {
        for slot in 0..self.connections.len() {
            while let Some(flight) = self.end_oldest(slot as Slot) {
                self.tally.abandoned(&flight, now);
            }
        }
        let scheduled = self.newly_due(Nanos::MAX);
        let (warmup, measure) = match &mut self.pacer {
            Pacer::Open(stripe) => {
                let due = stripe.due_before(Nanos::MAX);
                while let Some((intended, phase)) = stripe.take(Nanos::MAX - Nanos(1)) {
                    self.tally.dropped(intended, phase, now);
                }
                due
            }
            Pacer::Closed { warmup, measure, .. } => (*warmup, *measure),
        };
        self.tally.scheduled(Phase::Warmup, warmup);
        self.tally.scheduled(Phase::Measure, measure);
        self.tally.finish(now, scheduled)
    }

    /// When measure began and ended for this worker.
    pub fn phases(&self) -> &Phases {
        self.tally.phases()
    }

    // The stages.

    #[inline]
    fn proceed(&mut self, now: Nanos) {
        match self.stage {
            Stage::Connecting => self.connect_or_start(now),
            Stage::Running => {
                if self.job.timeline.stop() != Stop::No {
                    self.interrupt(now);
                } else if now >= self.phases().end {
                    self.drain(self.phases().end + self.job.drain);
                } else if self.pacer.is_spent() && self.tally.in_flight() == 0 {
                    self.end_measure(now);
                    self.drain(now);
                }
            }
            Stage::Draining => {
                let unfinished = self.tally.in_flight() > 0 || self.pacer.has_backlog();
                let stop = self.job.timeline.stop();
                if !unfinished || now >= self.drain_end || stop == Stop::Now {
                    self.stage = Stage::Done;
                } else if stop == Stop::Soon {
                    self.drain_end = self.drain_end.min(now + BRIEF);
                }
            }
            Stage::Done => {}
        }
    }

    fn connect_or_start(&mut self, now: Nanos) {
        let timeline = &self.job.timeline;
        if timeline.stop() != Stop::No || timeline.gate() == Gate::Refused {
            self.stage = Stage::Done;
            return;
        }
        self.gate_open = timeline.gate() == Gate::Open;
        if let Some(origin) = timeline.origin()
            && now >= origin
        {
            let measure = origin + self.job.warmup;
            let end = match self.job.arrivals {
                Arrivals::Open(schedule) => origin + schedule.end(),
                Arrivals::Closed { .. } => self.job.duration.map_or(Nanos::MAX, |d| measure + d),
            };
            self.tally.start(Phases { origin, measure, end });
            self.pacer.start(origin);
            self.redial.pace(self.job.connect_rate.map(|rate| share(rate, self.job.workers)));
            self.stage = Stage::Running;
        }
    }

    /// The user wants it to end: nothing more becomes due.
    fn interrupt(&mut self, now: Nanos) {
        self.pacer.stop(now);
        self.end_measure(now);
        let drain = self.job.drain.min(BRIEF);
        self.drain(if self.job.timeline.stop() == Stop::Now { now } else { now + drain });
    }

    fn end_measure(&mut self, now: Nanos) {
        self.tally.end_measure(now);
        self.roll(now);
    }

    fn drain(&mut self, until: Nanos) {
        self.stage = Stage::Draining;
        self.drain_end = until;
        self.pacer.close();
    }

    // Connections.

    #[inline]
    fn dial(&mut self, now: Nanos, wire: &mut impl Wire) {
        while self.may_dial()
            && let Some(slot) = self.redial.due(now)
        {
            let connection = &mut self.connections[slot as usize];
            connection.state = State::Opening;
            connection.dialled = now;
            connection.dial = connection.dial.wrapping_add(1);
            let entry = Entry { began: now, slot, number: connection.dial };
            let connections = &self.connections;
            self.connect_timeouts.push(entry, |entry| is_opening(connections, entry));
            let address = self.job.address(slot, connections[slot as usize].detours.into());
            wire.open(slot, address);
        }
    }

    fn next_dial(&self) -> Option<Nanos> {
        if self.may_dial() { self.redial.next() } else { None }
    }

    /// Until the run's first connection has proved that the target is there, it is the only one.
    /// At the end, nobody is dialled for nothing.
    fn may_dial(&self) -> bool {
        match self.stage {
            Stage::Connecting => {
                let is_first = self.job.worker == 0 && self.connections[0].state == State::Down;
                self.gate_open || is_first
            }
            Stage::Running => true,
            Stage::Draining => self.pacer.has_backlog(),
            Stage::Done => false,
        }
    }

    fn opened(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        let connection = &mut self.connections[slot as usize];
        let allowance = self.job.per_connection.unwrap_or(u64::MAX);
        connection.allowance = u32::try_from(allowance).unwrap_or(u32::MAX);
        connection.free_since = now;
        let totals = &mut self.tally.connections;
        totals.opened += 1;
        totals.reopened += u64::from(connection.reopening);
        totals.connect.record(now - connection.dialled);
        connection.reopening = true;
        self.open += 1;
        totals.open_peak = totals.open_peak.max(self.open);
        if !self.gate_open {
            self.job.timeline.open_gate();
        }
        self.settle(slot);
        self.serve(slot, now, wire);
    }

    fn not_opened(&mut self, slot: Slot, kind: Kind, event: Event, now: Nanos) {
        self.connect_failed(slot, kind, errno(event), now);
        self.gone(slot, now);
    }

    fn connect_failed(&mut self, slot: Slot, kind: Kind, errno: Option<i32>, now: Nanos) {
        let connection = &mut self.connections[slot as usize];
        let address = self.job.address(slot, connection.detours.into());
        // A failed connect counts as a second loss at least: the next one is never immediate.
        connection.losses = connection.losses.saturating_add(1).max(2);
        connection.detours = connection.detours.wrapping_add(1);
        self.tally.connections.failures[kind as usize] += 1;
        self.tally.example(kind, slot, errno, now);
        if self.gate_open || self.stage != Stage::Connecting {
            return self.settle(slot);
        }
        if usize::from(self.connections[slot as usize].detours) >= self.job.addresses.len() {
            self.job.timeline.refuse(Refusal { address: self.job.addresses[address], kind });
        }
    }

    /// The connection was open, or failed to open: when each one has, the load can start.
    fn settle(&mut self, slot: Slot) {
        let connection = &mut self.connections[slot as usize];
        if !connection.settled {
            connection.settled = true;
            self.settled += 1;
            self.job.timeline.connection_is_dialled();
            if self.settled == self.job.connections {
                self.job.timeline.worker_is_ready();
            }
        }
    }

    /// Closes a connection that came to nothing: if that repeats, the next one waits.
    fn close_unused(&mut self, slot: Slot, wire: &mut impl Wire) {
        let connection = &mut self.connections[slot as usize];
        connection.losses = connection.losses.saturating_add(1);
        self.close(slot, wire);
    }

    /// Each request on it has failed; the first for the reason found.
    fn lost(
        &mut self,
        slot: Slot,
        kind: Kind,
        errno: Option<i32>,
        now: Nanos,
        wire: &mut impl Wire,
    ) {
        let connection = &mut self.connections[slot as usize];
        connection.losses = connection.losses.saturating_add(1);
        self.tally.example(kind, slot, errno, now);
        let mut kind = kind;
        while let Some(flight) = self.end_oldest(slot) {
            self.tally.failed(&flight, kind, now);
            kind = of_followers(kind);
        }
        self.close(slot, wire);
    }

    fn close(&mut self, slot: Slot, wire: &mut impl Wire) {
        let connection = &mut self.connections[slot as usize];
        self.open -= u64::from(connection.state == State::Open);
        connection.state = State::Closing;
        wire.close(slot);
    }

    fn gone(&mut self, slot: Slot, now: Nanos) {
        let losses = self.connections[slot as usize].losses;
        // The run's first connection goes on to the next address before any other is dialled.
        let due = if self.gate_open { now + back_off(losses.into(), slot) } else { Nanos::ZERO };
        self.redial.push(slot, due);
    }

    // Requests.

    /// Sends what is due, to the connections that have been free the longest.
    #[inline]
    fn release(&mut self, now: Nanos, wire: &mut impl Wire) {
        for _ in 0..SLICE {
            if self.next_release().is_none_or(|due| due > now) {
                return;
            }
            let Some(slot) = self.free.pop_front() else { return };
            self.connections[slot as usize].queued = false;
            self.give(slot, now, wire);
        }
    }

    /// When the next request can be sent, if nothing happens before.
    #[inline]
    fn next_release(&self) -> Option<Nanos> {
        if self.free.is_empty() { None } else { self.pacer.next_at() }
    }

    /// The connection may have room: in closed loop it is used at once, in open loop it queues.
    #[inline]
    fn serve(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        if self.pacer.sends_at_once() { self.give(slot, now, wire) } else { self.queue(slot) }
    }

    #[inline]
    fn queue(&mut self, slot: Slot) {
        let connection = &mut self.connections[slot as usize];
        if !connection.queued && connection.room(self.job.pipeline) > 0 {
            connection.queued = true;
            self.free.push_back(slot);
        }
    }

    /// Sends as much as is due and the connection has room for.
    #[inline]
    fn give(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        let mut room = self.connections[slot as usize].room(self.job.pipeline);
        let large = self.job.request_len > SMALL;
        if large {
            room = room.min(1);
        }
        let phase = self.tally.phase();
        let mut copies = 0;
        while copies < room
            && let Some((intended, phase)) = self.pacer.take(now, phase)
        {
            self.depart(slot, intended, phase, now);
            copies += 1;
            // In open loop the next request goes to whoever has been free the longest.
            if !self.pacer.sends_at_once() {
                break;
            }
        }
        if copies > 0 {
            let connection = &mut self.connections[slot as usize];
            connection.allowance -= copies;
            connection.sending = large;
            wire.send(slot, copies);
        }
        if copies < room {
            self.queue(slot);
        }
    }

    /// Books a request that is about to be written.
    #[inline]
    fn depart(&mut self, slot: Slot, intended: Nanos, phase: Phase, now: Nanos) {
        let connection = &mut self.connections[slot as usize];
        let waited = connection.free_since > intended;
        let flight = Flight { intended, sent: now, phase, waited };
        let number = connection.sent;
        self.flights[(slot * self.depth + (number & (self.depth - 1))) as usize] = flight;
        connection.sent = number.wrapping_add(1);
        self.tally.sent(&flight, connection.free_since, self.job.request_len as u64);
        let connections = &self.connections;
        self.timeouts
            .push(Entry { began: now, slot, number }, |entry| is_in_flight(connections, entry));
    }

    /// Books a complete answer. True if the rest of the input is to be read as well.
    #[inline]
    fn answered(
        &mut self,
        slot: Slot,
        response: Response,
        rest: &[u8],
        now: Nanos,
        wire: &mut impl Wire,
    ) -> bool {
        let Some(flight) = self.end_oldest(slot) else { return false };
        self.tally.answered(&flight, response.status, now);
        let connection = &mut self.connections[slot as usize];
        connection.losses = 0;
        if connection.room(self.job.pipeline) == 1 {
            connection.free_since = now;
        }
        let in_flight = connection.in_flight();
        let spent = connection.allowance == 0 && in_flight == 0;
        // An answer before the request was wholly written: the rest of it must not be sent.
        if !response.keep_alive || connection.sending || spent {
            self.abort_followers(slot, now);
            self.close(slot, wire);
            return false;
        }
        if in_flight == 0 && !rest.is_empty() {
            self.tally.unsolicited_bytes += rest.len() as u64;
            self.close(slot, wire);
            return false;
        }
        if !rest.is_empty() {
            return true;
        }
        self.serve(slot, now, wire);
        false
    }

    /// The connection closes after an answer, so the requests behind that one have none.
    fn abort_followers(&mut self, slot: Slot, now: Nanos) {
        while let Some(flight) = self.end_oldest(slot) {
            self.tally.failed(&flight, Kind::ClosedBeforeResponse, now);
            self.tally.example(Kind::ClosedBeforeResponse, slot, None, now);
        }
    }

    /// Takes the oldest request off the connection.
    #[inline]
    fn end_oldest(&mut self, slot: Slot) -> Option<Flight> {
        let connection = &mut self.connections[slot as usize];
        if connection.in_flight() == 0 {
            return None;
        }
        let number = connection.ended;
        connection.ended = number.wrapping_add(1);
        Some(self.flights[(slot * self.depth + (number & (self.depth - 1))) as usize])
    }

    // Deadlines.

    #[inline]
    fn expire(&mut self, now: Nanos, wire: &mut impl Wire) {
        while let Some(entry) =
            self.timeouts.expired(now, |entry| is_in_flight(&self.connections, entry))
        {
            self.lost(entry.slot, Kind::Timeout, None, now, wire);
        }
        while let Some(entry) =
            self.connect_timeouts.expired(now, |entry| is_opening(&self.connections, entry))
        {
            self.connect_failed(entry.slot, Kind::ConnectTimeout, None, now);
            self.close(entry.slot, wire);
        }
    }

    /// How many became due since this was last asked, up to `at`.
    fn newly_due(&mut self, at: Nanos) -> u64 {
        match &self.pacer {
            Pacer::Open(stripe) => {
                let (warmup, measure) = stripe.due_before(at);
                let counted = std::mem::replace(&mut self.due_counted, warmup + measure);
                warmup + measure - counted
            }
            Pacer::Closed { .. } => self.tally.events().sent,
        }
    }
}

fn pacer(job: &Job) -> Pacer {
    match job.arrivals {
        Arrivals::Open(schedule) => {
            Pacer::Open(Stripe::new(schedule, job.worker as u64, job.workers as u64))
        }
        Arrivals::Closed { budget } => Pacer::closed(budget),
    }
}

/// One worker's share of a rate.
fn share(rate: Rate, workers: usize) -> Rate {
    Rate { count: rate.count, period: Nanos(rate.period.0.saturating_mul(workers as u64)) }
}

fn is_in_flight(connections: &[Connection], entry: &Entry) -> bool {
    let connection = &connections[entry.slot as usize];
    entry.number.wrapping_sub(connection.ended) < connection.in_flight()
}

fn is_opening(connections: &[Connection], entry: &Entry) -> bool {
    let connection = &connections[entry.slot as usize];
    connection.state == State::Opening && connection.dial == entry.number
}

/// What the requests behind a failed one suffer: the same reset or silence, but a broken answer
/// was the first one's alone; for the others the connection closed before theirs.
fn of_followers(kind: Kind) -> Kind {
    match kind {
        Kind::Truncated | Kind::Malformed | Kind::HeadTooLarge | Kind::BuffersExhausted => {
            Kind::ClosedBeforeResponse
        }
        same => same,
    }
}

fn errno(event: Event) -> Option<i32> {
    match event {
        Event::OpenFailed(errno) | Event::ReceiveFailed(errno) | Event::SendFailed(errno) => {
            Some(errno)
        }
        _ => None,
    }
}
