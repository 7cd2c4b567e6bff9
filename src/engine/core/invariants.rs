//! What holds in a core between two turns, for the simulation to look at.

use super::super::connection::State;
use super::super::deadlines::Entry;
use super::super::wire::Slot;
use super::Core;

impl Core {
    /// The first rule that does not hold.
    pub(in crate::engine) fn check(&self) -> Result<(), String> {
        let rule = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_string()) };
        let in_state =
            |state| self.connections.iter().filter(|connection| connection.state == state).count();
        let (open, closing) = (in_state(State::Open), in_state(State::Closing));
        rule(self.tally.open == open as u64, "the count of open connections is off")?;
        let in_flight: u64 = self.connections.iter().map(|c| u64::from(c.in_flight())).sum();
        rule(self.tally.in_flight() == in_flight, "the count of requests in flight is off")?;
        rule(self.pool.lent() <= open + closing, "a buffer for a split head is not given back")?;
        rule(self.timeouts.is_bounded(), "the queue of timeouts grows")?;
        rule(self.connect_timeouts.is_bounded(), "the queue of connect timeouts grows")?;
        let mut free = vec![0; self.connections.len()];
        self.free.iter().for_each(|slot| free[*slot as usize] += 1);
        let mut dials = vec![0; self.connections.len()];
        self.redial.slots().for_each(|slot| dials[slot as usize] += 1);
        (0..self.connections.len() as Slot).try_for_each(|slot| {
            let (free, dials) = (free[slot as usize], dials[slot as usize]);
            self.check_slot(slot, free, dials).map_err(|what| format!("slot {slot}: {what}"))
        })
    }

    /// `free`, `dials`: how often it stands in the queue of free ones and in that of dials.
    fn check_slot(&self, slot: Slot, free: u32, dials: u32) -> Result<(), &'static str> {
        let connection = &self.connections[slot as usize];
        if free != u32::from(connection.queued) {
            return Err("it is in the queue of free ones more or less often than it says");
        }
        let waits = connection.state == State::Down && !connection.resting;
        if dials != u32::from(waits) {
            return Err("it is down and waits for no dial, or for one too many");
        }
        let has_room = connection.room(self.job.pipeline) > 0 && self.crew.has(slot);
        if has_room && !connection.queued {
            return Err("it has room for a request and nobody knows");
        }
        let numbers = (0..connection.in_flight()).map(|n| connection.ended.wrapping_add(n));
        let of = |number| move |entry: &Entry| entry.slot == slot && entry.number == number;
        if !numbers.into_iter().all(|number| self.timeouts.has(of(number))) {
            return Err("a request on it has no timeout");
        }
        let dial = connection.dial;
        if connection.state == State::Opening && !self.connect_timeouts.has(of(dial)) {
            return Err("its connect has no timeout");
        }
        Ok(())
    }
}
