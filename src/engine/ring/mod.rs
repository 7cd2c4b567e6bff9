//! The default driver: one bare io_uring a worker.

mod buffers;
#[cfg(test)]
mod simulated;
mod sockets;
mod token;
mod uring;

use std::sync::Arc;

use io_uring::cqueue;

use self::buffers::Buffers;
use self::sockets::{Outcome, Sockets};
use self::uring::Features;
use super::core::{Core, Finished};
use super::job::Job;
use super::meter::{Effort, Meter};
use super::wire::{Event, Slot};
use crate::error::Result;
use crate::host;
use crate::time::{self, Nanos};

/// Completions handled in one turn. Draining a whole queue before the answers' successors are
/// submitted costs cache: 4,000 a turn were 14 % dearer than 40 at 10,000 connections. Within a
/// slice there is one clock reading, so the last completion of a slice is stamped early by what
/// the others took: at most 64 x 0.3 us.
const SLICE: usize = 64;

/// Runs one worker's share of the load, from connecting to the last answer.
pub fn run(job: Arc<Job>) -> Result<Finished> {
    let mut sockets = Sockets::new(job.clone(), Features::ALL)?;
    let buffers = Buffers::register(&sockets.uring.submitter());
    let buffers = buffers.map_err(|error| host::io_uring_refused(&error))?;
    sockets.uring.enters = 0;
    let meter = Meter::new(job.connections);
    let completions = Vec::with_capacity(SLICE);
    // The ring is dropped before the buffers it fills: fields are dropped in order.
    let worker =
        Worker { core: Core::new(job), sockets, buffers, meter, completions, completed: 0 };
    worker.run()
}

struct Worker {
    core: Core,
    sockets: Sockets,
    buffers: Buffers,
    meter: Meter,
    /// The slice being handled: copied out of the ring before any of it is.
    completions: Vec<cqueue::Entry>,
    completed: u64,
}

impl Worker {
    fn run(mut self) -> Result<Finished> {
        loop {
            let now = time::now();
            if !self.core.turn(now, &mut self.sockets) {
                break;
            }
            self.meter_phase();
            let wake = self.core.wake(now);
            self.sockets.uring.wait(wake, now)?;
            self.reap();
            if let Some(error) = self.sockets.broken.take() {
                return Err(error);
            }
        }
        let effort = self.effort();
        Ok(self.core.finished(time::now(), self.meter.finish(effort)))
    }

    /// One slice of completions: event, connection, action, ring.
    #[inline]
    fn reap(&mut self) {
        let now = time::now();
        self.core.roll(now);
        self.sockets.uring.reap(&mut self.completions);
        self.completed += self.completions.len() as u64;
        for index in 0..self.completions.len() {
            if let Some((slot, outcome)) = self.sockets.outcome(&self.completions[index]) {
                self.tell(slot, outcome, now);
            }
        }
        self.completions.clear();
        self.buffers.publish();
        while let Some((slot, errno)) = self.sockets.stillborn() {
            self.core.on(slot, Event::OpenFailed(errno), now, &mut self.sockets);
        }
    }

    #[inline]
    fn tell(&mut self, slot: Slot, outcome: Outcome, now: Nanos) {
        let event = match outcome {
            Outcome::Received { buffer, length } => {
                let event = Event::Received(self.buffers.bytes(buffer, length));
                self.core.on(slot, event, now, &mut self.sockets);
                return self.buffers.give_back(buffer);
            }
            Outcome::Opened => Event::Opened,
            Outcome::OpenFailed(errno) => Event::OpenFailed(errno),
            Outcome::Fin => Event::Fin,
            Outcome::ReceiveFailed(errno) => Event::ReceiveFailed(errno),
            Outcome::SendFailed(errno) => Event::SendFailed(errno),
            Outcome::Sent => Event::Sent,
            Outcome::Closed => Event::Closed,
        };
        self.core.on(slot, event, now, &mut self.sockets);
    }

    #[inline]
    fn meter_phase(&mut self) {
        let phase = self.core.phase();
        if self.meter.is_due(phase) {
            let effort = self.effort();
            self.meter.turn_over(phase, effort);
        }
    }

    fn effort(&mut self) -> Effort {
        Effort {
            enters: self.sockets.uring.enters,
            completions: self.completed,
            spin_time: self.sockets.uring.spin_time,
            buffers_exhausted: self.sockets.buffers_exhausted + self.core.heads_grown(),
            cq_overflows: self.sockets.uring.overflows(),
        }
    }
}
