//! The connections: dialled, opened, lost, closed and dialled again.

use super::super::connection::{Connection, State};
use super::super::deadlines::Entry;
use super::super::redial::{back_off, queue_wait};
use super::super::timeline::Refusal;
use super::super::wire::{Event, Slot, Wire};
use super::{Core, Stage, errno};
use crate::failure::Kind;
use crate::flaw::Flaw;
use crate::time::Nanos;
use crate::tls::Fault;

/// How an attempt to open a connection failed.
pub(super) struct Mishap {
    pub kind: Kind,
    pub errno: Option<i32>,
    /// Of TLS.
    pub fault: Option<Fault>,
}

impl Mishap {
    pub fn new(kind: Kind, errno: Option<i32>) -> Mishap {
        Mishap { kind, errno, fault: None }
    }

    pub fn of_tls(fault: Fault, errno: Option<i32>) -> Mishap {
        Mishap { kind: fault.flaw.kind(), errno, fault: Some(fault) }
    }
}

impl Core {
    #[inline]
    pub(super) fn dial(&mut self, now: Nanos, wire: &mut impl Wire) {
        self.addresses.catch_up();
        while self.may_dial()
            && self.has_room(now)
            && let Some(slot) = self.redial.due(now)
        {
            if !self.crew.has(slot) || self.is_nobodys(slot) {
                let connection = &mut self.connections[slot as usize];
                (connection.resting, connection.waits) = (true, 0);
                continue;
            }
            let connection = &mut self.connections[slot as usize];
            connection.state = State::Opening;
            if connection.waits == 0 {
                connection.dialled = now;
            }
            connection.dial = connection.dial.wrapping_add(1);
            let entry = Entry { began: now, slot, number: connection.dial };
            connection.in_window = true;
            let connections = &self.connections;
            self.window.begin(entry, |entry| is_opening(connections, entry));
            self.connect_timeouts.push(entry, |entry| is_opening(connections, entry));
            let connection = &mut self.connections[slot as usize];
            let number = self.job.first_connection + u64::from(slot);
            connection.address = self.addresses.pick(number + u64::from(connection.detours));
            wire.open(slot, connection.address);
        }
    }

    /// Gives up the connects that take too long.
    #[inline]
    pub(super) fn expire_connects(&mut self, now: Nanos, wire: &mut impl Wire) {
        while let Some(entry) =
            self.connect_timeouts.expired(now, |entry| is_opening(&self.connections, entry))
        {
            let mishap = match self.is_shaking_hands(entry.slot) {
                true => Mishap::of_tls(Flaw::Silence.into(), None),
                false => Mishap::new(Kind::ConnectTimeout, None),
            };
            self.connect_failed(entry.slot, mishap, now);
            self.close(entry.slot, wire);
        }
    }

    pub(super) fn next_dial(&self) -> Option<Nanos> {
        if !self.may_dial() {
            return None;
        }
        let next = self.redial.next()?;
        if self.window.has_room() { Some(next) } else { self.window.next() }
    }

    /// Another connect may be under way.
    #[inline]
    fn has_room(&mut self, now: Nanos) -> bool {
        while !self.window.has_room() {
            let connections = &self.connections;
            let Some(slot) = self.window.overdue(now, |entry| is_opening(connections, entry))
            else {
                return false;
            };
            self.leave_window(slot);
        }
        true
    }

    /// Its connect is over, or hangs.
    fn leave_window(&mut self, slot: Slot) {
        if std::mem::take(&mut self.connections[slot as usize].in_window) {
            self.window.end();
        }
    }

    /// Until the run's first connection has proved that the target is there, it is the only one.
    /// At the end, nobody is dialled for nothing.
    pub(super) fn may_dial(&self) -> bool {
        match self.stage {
            Stage::Connecting => {
                let is_first = self.job.worker == 0 && self.connections[0].state == State::Down;
                self.gate_open || is_first
            }
            Stage::Running => true,
            Stage::Draining => self.pacer.has_backlog() || self.has_teardown(),
            Stage::Done => false,
        }
    }

    pub(super) fn opened(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        self.leave_window(slot);
        let allowance = self.allowance();
        let connection = &mut self.connections[slot as usize];
        (connection.waits, connection.owes) = (0, false);
        connection.allowance = allowance;
        if self.secure.is_none() {
            connection.connected = now;
        }
        connection.free_since = now;
        self.addresses.worked(connection.address);
        if let Some(groups) = &mut self.groups {
            groups.opened(slot);
        }
        let totals = &mut self.tally.connections;
        totals.opened += 1;
        totals.reopened += u64::from(connection.reopening);
        totals.connect.record(connection.connected - connection.dialled);
        connection.reopening = true;
        self.tally.open += 1;
        totals.open_peak = totals.open_peak.max(self.tally.open);
        if !self.gate_open {
            self.job.timeline.open_gate();
        }
        self.settle(slot);
        self.serve(slot, now, wire);
    }

    pub(super) fn not_opened(
        &mut self,
        slot: Slot,
        kind: Kind,
        event: Event,
        now: Nanos,
        wire: &mut impl Wire,
    ) {
        self.leave_window(slot);
        let is_full = event == Event::OpenFailed(libc::EAGAIN) && self.job.addresses.is_unix();
        if is_full && self.wait_for_queue(slot, now) {
            return;
        }
        let kind = if is_full { Kind::ConnectTimeout } else { kind };
        self.connections[slot as usize].waits = 0;
        self.connect_failed(slot, Mishap::new(kind, errno(event)), now);
        self.gone(slot, now, wire);
    }

    /// The listen queue of a Unix socket is full, and the kernel says so at once: it is tried again
    /// for as long as a connect may take. False when that time is over.
    fn wait_for_queue(&mut self, slot: Slot, now: Nanos) -> bool {
        let connection = &mut self.connections[slot as usize];
        if now - connection.dialled >= self.job.connect_timeout {
            return false;
        }
        connection.waits = connection.waits.saturating_add(1);
        self.tally.connections.queue_full += 1;
        self.redial.push(slot, now + queue_wait(connection.waits.into(), slot));
        true
    }

    pub(super) fn connect_failed(&mut self, slot: Slot, mishap: Mishap, now: Nanos) {
        let kind = mishap.kind;
        let connecting = self.stage == Stage::Connecting;
        let connection = &mut self.connections[slot as usize];
        let address = connection.address;
        if connecting && self.addresses.leave_out(address, kind) {
            return;
        }
        // A failed connect counts as a second loss at least: the next one is never immediate.
        connection.losses = connection.losses.saturating_add(1).max(2);
        connection.detours = connection.detours.wrapping_add(1);
        self.tally.connections.failures[kind as usize] += 1;
        self.unopened_example(slot, &mishap, now);
        if connecting && !self.gate_open {
            let address = self.job.addresses.address(address).clone();
            return self.job.timeline.refuse(Refusal { address, kind, fault: mishap.fault });
        }
        self.settle(slot);
    }

    /// The connection was open, or failed to open: when each one has, the load can start.
    pub(super) fn settle(&mut self, slot: Slot) {
        let connection = &mut self.connections[slot as usize];
        if !connection.settled {
            connection.settled = true;
            self.settled += 1;
            self.job.timeline.connection_is_dialled();
            if self.settled == self.crew.active() && self.stage == Stage::Connecting {
                self.job.timeline.worker_is_ready();
            }
        }
    }

    /// Closes a connection that came to nothing: if that repeats, the next one waits.
    pub(super) fn close_unused(&mut self, slot: Slot, wire: &mut impl Wire) {
        let connection = &mut self.connections[slot as usize];
        connection.losses = connection.losses.saturating_add(1);
        self.close(slot, wire);
    }

    /// Each request on it has failed; the first for the reason found.
    pub(super) fn lost(
        &mut self,
        slot: Slot,
        kind: Kind,
        errno: Option<i32>,
        now: Nanos,
        wire: &mut impl Wire,
    ) {
        let connection = &mut self.connections[slot as usize];
        connection.losses = connection.losses.saturating_add(1);
        let mut evidence = Some(self.example(slot, kind, errno, now, wire));
        let mut kind = kind;
        while let Some(flight) = self.end_oldest(slot) {
            self.tally.failed(&flight, kind, now);
            self.note_slow_failure(slot, &flight, (kind, evidence.take()), now, wire);
            kind = of_followers(kind);
            self.failed_user(slot, now);
        }
        self.close(slot, wire);
    }

    pub(super) fn close(&mut self, slot: Slot, wire: &mut impl Wire) {
        self.leave_window(slot);
        let connection = &mut self.connections[slot as usize];
        self.tally.open -= u64::from(connection.state == State::Open);
        connection.state = State::Closing;
        wire.close(slot);
    }

    pub(super) fn gone(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        self.forget(slot);
        if !self.crew.has(slot) {
            self.give_up_user(slot, now);
        }
        self.carry_on(slot, now, wire);
        if !self.crew.has(slot) || self.is_nobodys(slot) {
            self.connections[slot as usize].resting = true;
            return;
        }
        let losses = self.connections[slot as usize].losses;
        // The run's first connection goes on to the next address before any other is dialled.
        let due = if self.gate_open { now + back_off(losses.into(), slot) } else { Nanos::ZERO };
        self.redial.push(slot, due);
    }
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
