//! Another load on the connections that the last one left open.

use std::sync::Arc;

use super::super::connection::State;
use super::super::job::Job;
use super::super::wire::{Slot, Wire};
use super::Core;
use crate::time::Nanos;

impl Core {
    /// Begins anew with `job`, which differs from the last one in its load alone: when requests are
    /// due, for how long, and what they are. Connections that are open stay so, but for those that
    /// still owe an answer: it would be taken for the next one's.
    pub fn again(&mut self, job: Arc<Job>, now: Nanos, wire: &mut impl Wire) {
        let fresh = Core::new(job);
        let before = std::mem::replace(self, fresh);
        self.connections = before.connections;
        self.connect_timeouts = before.connect_timeouts;
        self.redial = before.redial;
        self.window = before.window;
        self.addresses = before.addresses;
        self.addresses.begin_anew();
        self.secure = before.secure;
        self.pool = before.pool;
        self.tally.open = before.tally.open;
        self.tally.connections.open_peak = before.tally.open;
        self.gate_open = true;
        for slot in 0..self.connections.len() as Slot {
            self.take_up(slot, now, wire);
        }
    }

    fn take_up(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        let connection = &mut self.connections[slot as usize];
        (connection.queued, connection.settled) = (false, false);
        match connection.state {
            State::Open if connection.owes || !self.crew.has(slot) => self.close(slot, wire),
            State::Open => {
                connection.free_since = now;
                self.settle(slot);
                self.serve(slot, now, wire);
            }
            // Those whose turn had not come, or was over, wait for nothing.
            State::Down if connection.resting && self.crew.has(slot) => {
                connection.resting = false;
                self.redial.push(slot, now);
            }
            State::Down | State::Opening | State::Closing => {}
        }
    }
}
