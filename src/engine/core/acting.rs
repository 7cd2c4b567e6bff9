//! A scenario: whoever is free sends what the script says. In a mix that is any request on any
//! connection; users and sessions have a connection each, and go on with it where they stood.

use super::super::connection::State;
use super::super::pacer::{Due, Pacer};
use super::super::script::Next;
use super::super::wire::{Slot, Wire};
use super::{Core, SLICE, Stage, place_of};
use crate::metrics::{Drop, Phase};
use crate::plan::scenario::Part;
use crate::time::Nanos;

impl Core {
    /// The connection may have room, or its user may go on.
    #[inline]
    pub(super) fn perform(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        let Some(script) = &mut self.script else { return };
        if script.is_mix() {
            return match self.crew.has(slot) {
                false => self.discharge(slot, wire),
                true if self.pacer.sends_at_once() => self.send_of_mix(slot, now, wire),
                true => self.queue(slot),
            };
        }
        if script.is_there(slot) {
            return self.go_on(slot, now, wire);
        }
        if !self.crew.has(slot) {
            self.discharge(slot, wire);
        } else if self.pacer.sends_at_once() {
            self.begin(slot, now, wire);
        } else {
            self.queue(slot);
        }
    }

    /// A free connection is given to what is due: a request of the mix, or somebody who comes.
    pub(super) fn begin(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        if self.connections[slot as usize].room(self.job.pipeline) == 0 {
            return;
        }
        let Some(script) = &mut self.script else { return };
        if script.is_mix() {
            return self.send_of_mix(slot, now, wire);
        }
        if script.is_there(slot) {
            return self.go_on(slot, now, wire);
        }
        if script.is_sessions() {
            return self.welcome(slot, now, wire);
        }
        if script.is_absent(slot) {
            script.come(slot, now, (self.tally.phase(), self.tally.stage()));
        }
        self.go_on(slot, now, wire);
    }

    /// Somebody arrives.
    fn welcome(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        let (phase, stage) = (self.tally.phase(), self.tally.stage());
        let Some(due) = self.pacer.take(now, phase, stage) else { return self.queue(slot) };
        let Some(script) = &mut self.script else { return };
        if script.come(slot, due.intended, (due.phase, due.stage)) {
            return self.go_on(slot, now, wire);
        }
        script.vacate(slot);
        self.run_out(&due, now);
        self.queue(slot);
    }

    /// The connection is closed. Whoever was on it goes on as far as that takes none: to be done, or
    /// to think, needs nobody else.
    pub(super) fn carry_on(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        if self.script.as_mut().is_some_and(|script| script.is_there(slot)) {
            self.go_on(slot, now, wire);
        }
    }

    /// The slot's user does what comes next, until it has to wait for something.
    fn go_on(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        if self.stage == Stage::Connecting {
            return;
        }
        loop {
            let may_send = self.connections[slot as usize].room(1) > 0;
            let leaving = self.is_to_leave(slot);
            let Some(script) = &mut self.script else { return };
            let (entry, due) = match script.next(slot, now, leaving, &mut self.tally) {
                Next::Send(..) if !may_send => return script.put_off(slot),
                Next::Send(entry, due) => (entry, due.min(now)),
                Next::Nothing => return,
                Next::Left => return self.left(slot, now, wire),
            };
            let Some(due) = self.due_of_user(slot, entry, due, now) else {
                if let Some(script) = &mut self.script {
                    script.put_off(slot);
                }
                if self.is_to_leave(slot) {
                    continue;
                }
                if self.pacer.is_paced() {
                    self.queue(slot);
                }
                return;
            };
            self.dispatch(slot, &due, entry, now, wire);
        }
    }

    /// The slot's user is to go: the run is over, or its number is cut. A session that has come
    /// sends what it came for.
    fn is_to_leave(&mut self, slot: Slot) -> bool {
        let is_over = self.stage == Stage::Draining || self.pacer.is_spent();
        let Some(script) = &mut self.script else { return false };
        match script.is_sessions() {
            true => is_over && script.is_under_way(slot),
            false => is_over || !self.crew.has(slot),
        }
    }

    /// When the request of a user counts as due, and where it counts. `None`: not now.
    fn due_of_user(&mut self, slot: Slot, entry: u16, at: Nanos, now: Nanos) -> Option<Due> {
        let stage = self.tally.stage();
        let script = self.script.as_mut()?;
        if script.part(entry) != Part::Main {
            if !self.pacer.passes(now) {
                return None;
            }
            return Some(Due { intended: at, phase: Phase::Aside, stage, number: 0 });
        }
        if !script.is_sessions() {
            return self.pacer.take(now, self.tally.phase(), stage);
        }
        // The first counts where its arrival did, however long the setup took and whoever was not
        // free; what follows becomes due with the answer before it, and in the drain nothing does.
        if !script.is_under_way(slot) {
            let (phase, stage) = script.set_under_way(slot);
            return Some(Due { intended: at, phase, stage, number: 0 });
        }
        let phase = self.tally.phase();
        if phase == Phase::Drain {
            return None;
        }
        self.further[usize::from(phase != Phase::Warmup)] += 1;
        Some(Due { intended: at, phase, stage, number: 0 })
    }

    /// The slot's user is done.
    fn left(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        let Some(script) = &mut self.script else { return };
        if script.is_sessions() {
            if !script.is_under_way(slot) {
                let arrival = script.arrival(slot);
                self.take_back(arrival);
            }
            if let Some(script) = &mut self.script {
                script.vacate(slot);
            }
            self.connections[slot as usize].free_since = now;
            return self.queue(slot);
        }
        // Somebody new comes if the level is up again by now.
        let was_sent_away = script.was_sent_away(slot);
        let goes_on = self.stage == Stage::Running && !self.pacer.is_spent();
        if !self.crew.has(slot) || was_sent_away && goes_on {
            script.vacate(slot);
        }
        if self.connections[slot as usize].state == State::Open {
            self.close(slot, wire);
        }
    }

    /// As many requests of the mix as are due and the connection has room for.
    fn send_of_mix(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        let (phase, stage) = (self.tally.phase(), self.tally.stage());
        while self.connections[slot as usize].room(self.job.pipeline) > 0
            && let Some(due) = self.pacer.take(now, phase, stage)
        {
            let Some(script) = &mut self.script else { return };
            let entry = script.due(due.number);
            if !script.stage(entry, due.number, due.phase) {
                return self.run_out(&due, now);
            }
            self.dispatch(slot, &due, entry, now, wire);
            if !self.pacer.sends_at_once() {
                break;
            }
        }
        self.queue(slot);
    }

    /// There is no data for what was due: it was the first that was not.
    fn run_out(&mut self, due: &Due, now: Nanos) {
        self.take_back((due.phase, due.stage));
        self.pacer.stop(now);
    }

    /// What was due in that phase and stage is to be sent no more, and is no drop.
    fn take_back(&mut self, (phase, stage): (Phase, u16)) {
        self.taken_back[usize::from(phase != Phase::Warmup)] += 1;
        // What a closed loop sends is counted when it is sent.
        if matches!(self.pacer, Pacer::Open(_)) {
            self.tally.taken_back((phase != Phase::Warmup).then_some(stage));
        }
    }

    /// Makes a request, books it and sends it.
    fn dispatch(&mut self, slot: Slot, due: &Due, entry: u16, now: Nanos, wire: &mut impl Wire) {
        let number = self.connections[slot as usize].sent;
        let flight = place_of(slot, number, self.depth);
        let Some(script) = &mut self.script else { return };
        let parcel = script.make(slot, flight, entry);
        self.depart(slot, due, entry, parcel.length() as u64, now);
        let connection = &mut self.connections[slot as usize];
        connection.allowance -= 1;
        connection.sending = parcel.confirmed;
        self.deliver(slot, parcel, now, wire);
    }

    /// Those who have thought long enough go on.
    #[inline]
    pub(super) fn rouse(&mut self, now: Nanos, wire: &mut impl Wire) {
        for _ in 0..SLICE {
            let Some(script) = &mut self.script else { return };
            let Some(slot) = script.nap_over(now) else { return };
            if script.is_there(slot) {
                self.perform(slot, now, wire);
            }
        }
    }

    #[inline]
    pub(super) fn next_nap(&self) -> Option<Nanos> {
        self.script.as_ref()?.next_nap()
    }

    /// A request of the slot's user has failed.
    #[cold]
    pub(super) fn failed_user(&mut self, slot: Slot, now: Nanos) {
        if let Some(script) = &mut self.script {
            script.took(slot, false, now);
        }
    }

    /// The connection is closed.
    #[inline]
    pub(super) fn forget(&mut self, slot: Slot) {
        if let Some(script) = &mut self.script {
            let first = place_of(slot, 0, self.depth);
            script.forget(slot, first..first + self.depth as usize);
        }
    }

    /// The slot's connection comes no more, or its user is to go without one.
    pub(super) fn give_up_user(&mut self, slot: Slot, now: Nanos) {
        if let Some(script) = &mut self.script {
            script.give_up(slot, now, &mut self.tally);
        }
    }

    /// The slot's user is done, and nobody else comes.
    pub(super) fn is_nobodys(&mut self, slot: Slot) -> bool {
        self.script.as_mut().is_some_and(|script| script.has_left(slot))
    }

    /// What becomes of what is due, if it is dropped.
    pub(super) fn entry_of(&self, due: &Due) -> u16 {
        self.script.as_ref().map_or(0, |script| script.due(due.number))
    }

    #[inline]
    pub(super) fn looks_at_bodies(&self, slot: Slot) -> bool {
        match &self.script {
            None => self.job.expected.body.is_some(),
            Some(script) => script.looks(self.flights[self.oldest(slot)].entry),
        }
    }

    /// A closed loop has sent all it was to send.
    pub(super) fn is_spent(&self) -> bool {
        let expected = self.crew.expected();
        self.pacer.is_spent() || self.script.as_ref().is_some_and(|script| script.is_over(expected))
    }

    /// Users are still to be taken down.
    pub(super) fn has_teardown(&self) -> bool {
        self.script.as_ref().is_some_and(|script| script.has_teardown())
    }

    /// The drain begins: whoever waits for nothing takes himself down.
    pub(super) fn send_home(&mut self, now: Nanos, wire: &mut impl Wire) {
        let Some(script) = &mut self.script else { return };
        for slot in script.those_at_leisure() {
            self.perform(slot, now, wire);
        }
    }

    /// The worker is done: what users had in mind is cut. A session whose setup was never done came
    /// and sent nothing: its arrival is dropped like one that found no connection.
    pub(super) fn dismiss_all(&mut self, now: Nanos) {
        let Some(script) = &mut self.script else { return };
        let entry = script.due(0);
        let unsent = script.close(now, &mut self.tally);
        if script.is_sessions() {
            unsent.iter().for_each(|due| self.tally.dropped(due, entry, Drop::Unsent, now));
        }
    }
}
