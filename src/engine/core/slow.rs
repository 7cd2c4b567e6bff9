//! The slowest requests, with what is known of them when they end. All of this is off the fast
//! path: a usual request costs one comparison (`metrics::slowest`). By callgrind that is less than
//! ten instructions a request, and 120,000 requests of a steady run execute not one more in here
//! than 20,000 do.

use std::collections::VecDeque;

use super::super::connection::State;
use super::super::tally::Flight;
use super::super::wire::{Slot, Wire};
use super::{Core, place_of};
use crate::evidence::{Evidence, Excerpt};
use crate::failure::Kind;
use crate::metrics::{Fate, Found, Rejection, Slow, Ticket};
use crate::time::Nanos;

/// How often the kernel is asked about a socket, over all workers: in a second, and at once after
/// a quiet one.
const ASKED_PER_S: u64 = 100;

/// Answers that may still be on their way.
const ASKED: usize = 256;

/// Beginnings of answers that are kept: of requests that are slow before their answer is whole.
const OPENINGS: usize = 128;

/// How a request ended.
struct Ending {
    fate: Fate,
    status: Option<u16>,
    /// The beginning of its answer, where that is at hand.
    received: Excerpt,
}

/// What the kernel was asked, and the beginnings of answers that are not whole yet.
#[derive(Debug)]
pub(super) struct Curiosity {
    asked: VecDeque<(Slot, Purpose)>,
    /// Time that was not used up: each question takes its share of a second.
    credit: Nanos,
    credited: Nanos,
    price: Nanos,
    /// By slot and request number; the oldest gives way.
    openings: VecDeque<(Slot, u32, Excerpt)>,
}

/// What the kernel is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// An example of a failure.
    Example,
    /// A slow request.
    Slow(Ticket),
}

impl Curiosity {
    pub fn new(workers: usize) -> Curiosity {
        let second = Nanos::from_secs(1);
        Curiosity {
            asked: VecDeque::with_capacity(ASKED),
            credit: second,
            credited: Nanos::ZERO,
            price: Nanos(second.0 * workers as u64 / ASKED_PER_S).min(second),
            openings: VecDeque::with_capacity(OPENINGS),
        }
    }

    /// Whether one more question is within the limit.
    fn may_ask(&mut self, now: Nanos) -> bool {
        self.credit = (self.credit + (now - self.credited)).min(Nanos::from_secs(1));
        self.credited = now;
        let may = self.credit >= self.price && self.asked.len() < ASKED;
        if may {
            self.credit = self.credit - self.price;
        }
        may
    }

    fn keep_opening(&mut self, slot: Slot, number: u32, bytes: &[u8]) {
        if self.openings.len() == OPENINGS {
            self.openings.pop_front();
        }
        self.openings.push_back((slot, number, Excerpt::of(bytes)));
    }

    fn opening(&self, slot: Slot, number: u32) -> Option<Excerpt> {
        let mut latest = self.openings.iter().rev();
        latest.find(|(of, n, _)| (*of, *n) == (slot, number)).map(|(.., excerpt)| *excerpt)
    }
}

impl Core {
    /// A piece of an answer came, and the answer is not whole.
    #[inline]
    pub(super) fn begun(&mut self, slot: Slot, bytes: &[u8], now: Nanos) {
        let connection = &mut self.connections[slot as usize];
        if connection.begun.0 != connection.ended && connection.state == State::Open {
            connection.begun = (connection.ended, now);
            self.open_answer(slot, bytes, now);
        }
    }

    /// Keeps the beginning of an answer whose request is slow by now.
    fn open_answer(&mut self, slot: Slot, bytes: &[u8], now: Nanos) {
        let connection = &self.connections[slot as usize];
        let flight = self.flights[self.oldest(slot)];
        if connection.in_flight() > 0 && self.tally.may_be_slow(&flight, now) {
            self.curiosity.keep_opening(slot, connection.ended, bytes);
        }
    }

    /// A request that was just taken off its connection was answered, after a long time. `read`:
    /// the end of its answer, or all of it.
    #[cold]
    pub(super) fn note_slow_answer(
        &mut self,
        slot: Slot,
        flight: &Flight,
        (status, rejection, read): (u16, Option<Rejection>, &[u8]),
        now: Nanos,
        wire: &mut impl Wire,
    ) {
        let connection = &self.connections[slot as usize];
        let is_whole = connection.begun.0 != connection.ended.wrapping_sub(1);
        let ending = Ending {
            fate: rejection.map_or(Fate::Good, Fate::Rejected),
            status: Some(status),
            received: if is_whole { Excerpt::of(read) } else { Excerpt::EMPTY },
        };
        self.note_slow(slot, flight, &ending, now, wire);
    }

    /// A request that was just taken off its connection failed. `evidence`: of its own answer.
    pub(super) fn note_slow_failure(
        &mut self,
        slot: Slot,
        flight: &Flight,
        (kind, evidence): (Kind, Option<Evidence>),
        now: Nanos,
        wire: &mut impl Wire,
    ) {
        if self.tally.may_be_slow(flight, now) {
            let ending = Ending {
                fate: Fate::Failed(kind),
                status: evidence.and_then(|evidence| evidence.status),
                received: evidence.map_or(Excerpt::EMPTY, |evidence| evidence.received),
            };
            self.note_slow(slot, flight, &ending, now, wire);
        }
    }

    /// A request that was just taken off its connection was not answered before the drain's end.
    pub(super) fn note_abandoned(&mut self, slot: Slot, flight: &Flight, now: Nanos) {
        if self.tally.may_be_slow(flight, now) {
            let ending = Ending { fate: Fate::Abandoned, status: None, received: Excerpt::EMPTY };
            self.keep_slow(slot, flight, &ending, now);
        }
    }

    fn note_slow(
        &mut self,
        slot: Slot,
        flight: &Flight,
        ending: &Ending,
        now: Nanos,
        wire: &mut impl Wire,
    ) {
        let Some(ticket) = self.keep_slow(slot, flight, ending, now) else { return };
        if self.curiosity.may_ask(now)
            && let Some(found) = self.ask(slot, Purpose::Slow(ticket), wire)
        {
            self.tally.slowest.found(ticket, found);
        }
    }

    fn keep_slow(
        &mut self,
        slot: Slot,
        flight: &Flight,
        ending: &Ending,
        now: Nanos,
    ) -> Option<Ticket> {
        let connection = &self.connections[slot as usize];
        let number = connection.ended.wrapping_sub(1);
        let begun = (connection.begun.0 == number).then_some(connection.begun.1);
        let opening = begun.and_then(|_| self.curiosity.opening(slot, number));
        let was_answered = matches!(ending.fate, Fate::Good | Fate::Rejected(_));
        let carried = self.allowance() - connection.allowance;
        let place = place_of(slot, number, self.depth);
        let slow = Slow {
            intended: self.since_origin(flight.intended),
            sent: self.since_origin(flight.sent),
            first_byte: begun.or(was_answered.then_some(now)).map(|at| self.since_origin(at)),
            done: self.since_origin(now),
            fate: ending.fate,
            phase: flight.phase,
            entry: flight.entry,
            number: self.script.as_ref().map_or(0, |script| script.number_of(place)),
            status: ending.status,
            connection: self.number(slot),
            age: flight.sent - connection.connected,
            before: carried.saturating_sub(connection.in_flight() + 1),
            found: Found::default(),
            received: opening.unwrap_or(ending.received),
        };
        self.tally.slowest.keep(&slow)
    }

    /// Asks the kernel about a connection; `None`: its answer comes later, or not at all.
    #[cold]
    pub(super) fn ask(
        &mut self,
        slot: Slot,
        purpose: Purpose,
        wire: &mut impl Wire,
    ) -> Option<Found> {
        if self.curiosity.asked.len() == ASKED {
            return None;
        }
        let found = wire.ask(slot);
        if found.is_none() {
            self.curiosity.asked.push_back((slot, purpose));
        }
        found
    }

    /// Answers to what was asked are on their way.
    pub fn is_asking(&self) -> bool {
        !self.curiosity.asked.is_empty()
    }

    /// What a driver could not tell at once of a connection.
    #[cold]
    pub fn found(&mut self, slot: Slot, found: Found) {
        let mut asked = self.curiosity.asked.iter();
        let Some(place) = asked.position(|(of, _)| *of == slot) else { return };
        match (self.curiosity.asked.remove(place), found.local_port) {
            (Some((_, Purpose::Slow(ticket))), _) => self.tally.slowest.found(ticket, found),
            (Some((_, Purpose::Example)), Some(port)) => {
                let number = self.number(slot);
                self.tally.local_port_is(number, port);
            }
            _ => {}
        }
    }
}
