//! The crew: connections that begin to take part in the load are dialled, those that no longer do
//! are closed when their last answer is in. In a steady load nothing here ever happens.

use super::super::connection::State;
use super::super::wire::{Slot, Wire};
use super::{Core, Stage};
use crate::metrics::Phase;
use crate::time::Nanos;

impl Core {
    /// Carries out the changes that are due.
    #[inline]
    pub(super) fn muster(&mut self, now: Nanos, wire: &mut impl Wire) {
        if now < self.crew.changes_at() || self.stage == Stage::Connecting {
            return;
        }
        let (before, active) = self.crew.change(now);
        for slot in before..active {
            self.enlist(slot, now, wire);
        }
        for slot in active..before {
            if self.connections[slot as usize].state != State::Open {
                self.give_up_user(slot, now);
            } else if self.script.is_some() {
                self.perform(slot, now, wire);
            } else {
                self.discharge(slot, wire);
            }
        }
    }

    fn enlist(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        let connection = &mut self.connections[slot as usize];
        if std::mem::take(&mut connection.resting) {
            self.redial.push(slot, now);
        } else if connection.state == State::Open {
            self.serve(slot, now, wire);
        }
    }

    /// Who takes part in the phase that is published: the users of a scenario who are there, or the
    /// connections that a closed loop asks for, which in the drain are none. `None`: requests come by
    /// the clock, and are nobody's.
    pub(super) fn users(&self) -> Option<u64> {
        let there = self.script.as_ref().and_then(|script| script.users());
        let in_use = || match self.tally.phase() {
            Phase::Drain => 0,
            _ => self.crew.active().into(),
        };
        there.or_else(|| (!self.pacer.is_open()).then(in_use))
    }

    /// Closes a connection of no more use, once nothing is on its way on it.
    pub(super) fn discharge(&mut self, slot: Slot, wire: &mut impl Wire) {
        let connection = &self.connections[slot as usize];
        if connection.state == State::Open && connection.in_flight() == 0 {
            self.close(slot, wire);
        }
    }
}
