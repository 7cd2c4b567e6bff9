//! The requests: released when due, booked when sent, and given their fate.

use super::super::connection::Connection;
use super::super::deadlines::Entry;
use super::super::pacer::Due;
use super::super::tally::Flight;
use super::super::wire::{Slot, Wire};
use super::{Core, SLICE, place_of};
use crate::failure::Kind;
use crate::http::Response;
use crate::metrics::Drop;
use crate::time::Nanos;

impl Core {
    /// Sends what is due, to the connections that have been free the longest.
    #[inline]
    pub(super) fn release(&mut self, now: Nanos, wire: &mut impl Wire) {
        for _ in 0..SLICE {
            if self.next_release().is_none_or(|due| due > now) {
                return;
            }
            if self.is_full() {
                self.turn_away(now);
                continue;
            }
            let Some(slot) = self.free.pop_front() else { return };
            self.connections[slot as usize].queued = false;
            if self.crew.has(slot) {
                self.give(slot, now, wire);
            }
        }
    }

    /// When the next request can be sent (or turned away), if nothing happens before.
    #[inline]
    pub(super) fn next_release(&self) -> Option<Nanos> {
        let stuck = self.free.is_empty() && !self.is_full();
        if stuck { None } else { self.pacer.next_at() }
    }

    /// As many are in flight as may be.
    #[inline]
    fn is_full(&self) -> bool {
        self.tally.in_flight() >= self.job.max_in_flight
    }

    /// Drops the next request that is due: there is no room for it.
    fn turn_away(&mut self, now: Nanos) {
        if let Some(due) = self.pacer.take_older(now + Nanos(1)) {
            let entry = self.entry_of(&due);
            self.tally.dropped(&due, entry, Drop::MaxInFlight, now);
        }
    }

    /// Drops the requests that are still unsent so long after they were due that nobody waits for
    /// them any more. No connection is touched.
    #[inline]
    pub(super) fn shed(&mut self, now: Nanos) {
        let Some(deadline) = self.job.deadline else { return };
        while let Some(due) = self.pacer.take_older(now - deadline) {
            let entry = self.entry_of(&due);
            self.tally.dropped(&due, entry, Drop::Deadline, now);
        }
    }

    /// When the next request is to be shed, if none is sent before.
    #[inline]
    pub(super) fn next_shed(&self) -> Option<Nanos> {
        let deadline = self.job.deadline?;
        Some(self.pacer.next_at()? + deadline + Nanos(1))
    }

    /// The connection may have room: in closed loop it is used at once, in open loop it queues.
    #[inline]
    pub(super) fn serve(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        if self.is_lent(slot) {
            return;
        }
        if self.script.is_some() {
            return self.perform(slot, now, wire);
        }
        if !self.crew.has(slot) {
            self.discharge(slot, wire);
        } else if self.pacer.sends_at_once() {
            self.give(slot, now, wire);
        } else {
            self.queue(slot);
        }
    }

    #[inline]
    pub(super) fn queue(&mut self, slot: Slot) {
        let connection = &mut self.connections[slot as usize];
        if !connection.queued && connection.room(self.job.pipeline) > 0 {
            connection.queued = true;
            self.free.push_back(slot);
        }
    }

    /// Sends as much as is due and the connection has room for.
    #[inline]
    pub(super) fn give(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        if self.script.is_some() {
            return self.begin(slot, now, wire);
        }
        let room = self.connections[slot as usize].room(self.job.pipeline);
        let (phase, stage) = (self.tally.phase(), self.tally.stage());
        let mut copies = 0;
        while copies < room
            && let Some(due) = self.pacer.take(now, phase, stage)
        {
            self.depart(slot, &due, 0, self.request_length, now);
            copies += 1;
            // In open loop the next request goes to whoever has been free the longest.
            if !self.pacer.sends_at_once() {
                break;
            }
        }
        if copies > 0 {
            let connection = &mut self.connections[slot as usize];
            connection.allowance -= copies;
            connection.sending = self.job.confirms_sends();
            self.send(slot, copies, now, wire);
        }
        if copies < room {
            self.queue(slot);
        }
    }

    /// Books a request that is about to be written.
    #[inline]
    pub(super) fn depart(&mut self, slot: Slot, due: &Due, entry: u16, bytes: u64, now: Nanos) {
        let connection = &mut self.connections[slot as usize];
        let Due { intended, phase, stage, .. } = *due;
        let waited = self.tally.has_waited(intended, connection.free_since);
        let flight = Flight { intended, sent: now, phase, stage, entry, waited };
        let number = connection.sent;
        self.flights[place_of(slot, number, self.depth)] = flight;
        connection.sent = number.wrapping_add(1);
        self.tally.sent(&flight, connection.free_since, bytes);
        let connections = &self.connections;
        self.timeouts
            .push(Entry { began: now, slot, number }, |entry| is_in_flight(connections, entry));
    }

    /// Books a complete answer. `found`: its body holds what it should. `read`: what of the input
    /// belongs to it. True if the rest of the input is to be read as well.
    #[inline]
    pub(super) fn answered(
        &mut self,
        slot: Slot,
        response: Response,
        found: bool,
        (read, rest): (&[u8], &[u8]),
        now: Nanos,
        wire: &mut impl Wire,
    ) -> bool {
        let place = self.oldest(slot);
        let Some(flight) = self.end_oldest(slot) else { return false };
        // An answer before its request was wholly written: the rest of it must not be sent.
        let connection = &self.connections[slot as usize];
        let early = connection.sending && connection.in_flight() == 0;
        let Response { status, body_bytes, .. } = response;
        let rejection = match &mut self.script {
            None => self.job.expected.judge(status, body_bytes, found),
            Some(script) => {
                // The kernel may still read that one: until the connection is closed.
                if !early {
                    script.release(place);
                }
                let rejection = script.judge(slot, &flight, &response, found, now, &mut self.tally);
                script.took(slot, rejection.is_none(), now);
                rejection
            }
        };
        self.tally.answered(&flight, (status, body_bytes), rejection, now);
        if let Some(groups) = &mut self.groups {
            groups.answered(slot, &flight, rejection, now);
        }
        if self.tally.may_be_slow(&flight, now) {
            self.note_slow_answer(slot, &flight, (status, rejection, read), now, wire);
        }
        let connection = &mut self.connections[slot as usize];
        connection.losses = 0;
        if connection.room(self.job.pipeline) == 1 {
            connection.free_since = now;
        }
        let in_flight = connection.in_flight();
        let spent = connection.allowance == 0 && in_flight == 0;
        if !response.keep_alive || early || spent {
            self.abort_followers(slot, now, wire);
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
    fn abort_followers(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        while let Some(flight) = self.end_oldest(slot) {
            let kind = Kind::ClosedBeforeResponse;
            self.tally.failed(&flight, kind, now);
            self.example(slot, kind, None, now, wire);
            self.note_slow_failure(slot, &flight, (kind, None), now, wire);
            self.failed_user(slot, now);
        }
    }

    /// Where its oldest request stands among the flights.
    #[inline]
    pub(super) fn oldest(&self, slot: Slot) -> usize {
        place_of(slot, self.connections[slot as usize].ended, self.depth)
    }

    /// Takes the oldest request off the connection.
    #[inline]
    pub(super) fn end_oldest(&mut self, slot: Slot) -> Option<Flight> {
        let place = self.oldest(slot);
        let connection = &mut self.connections[slot as usize];
        if connection.in_flight() == 0 {
            return None;
        }
        connection.ended = connection.ended.wrapping_add(1);
        Some(self.flights[place])
    }

    /// Gives up the requests that take too long, and their connections with them: an answer that
    /// comes later must not be taken for the next one's.
    #[inline]
    pub(super) fn expire_requests(&mut self, now: Nanos, wire: &mut impl Wire) {
        while let Some(entry) =
            self.timeouts.expired(now, |entry| is_in_flight(&self.connections, entry))
        {
            self.lost(entry.slot, Kind::Timeout, None, now, wire);
        }
    }
}

fn is_in_flight(connections: &[Connection], entry: &Entry) -> bool {
    let connection = &connections[entry.slot as usize];
    entry.number.wrapping_sub(connection.ended) < connection.in_flight()
}
