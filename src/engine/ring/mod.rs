//! The default driver: bare io_uring, one ring a worker and more where its connections need more
//! than one table of registered files.

mod buffers;
mod outbox;
mod place;
mod receiving;
mod rings;
mod sending;
mod setup;
#[cfg(test)]
mod simulated;
mod sockets;
mod token;
mod uring;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use io_uring::cqueue;

use self::buffers::Buffers;
use self::setup::Setup;
use self::sockets::{Outcome, Sockets};
use self::token::{Token, Verb};
use self::uring::Uring;
use super::core::{Core, Finished};
use super::job::Job;
use super::meter::{Effort, Meter};
use super::relay::Relay;
use super::wire::{Event, Slot};
use crate::error::Result;
use crate::host;
use crate::metrics;
use crate::time::{self, Nanos};

/// Completions handled in one turn. Draining a whole queue before the answers' successors are
/// submitted costs cache: 4,000 a turn were 14 % dearer than 40 at 10,000 connections. Within a
/// slice there is one clock reading, so the last completion of a slice is stamped early by what
/// the others took: at most 64 x 0.3 us.
const SLICE: usize = 64;

/// Runs one worker's share of the load, from connecting to the last answer, and of those that
/// follow.
pub fn run(job: Arc<Job>, relay: &Relay) -> Result<()> {
    run_with(job, relay, &Setup::DEFAULT)
}

/// Whether rings as the engine needs them can be had here.
pub fn probe() -> Result<()> {
    let uring = Uring::new(1, &Setup::DEFAULT)?;
    let buffers = Buffers::register(&uring.submitter(), [1, 1]);
    // The ring is gone before the buffers.
    drop(uring);
    buffers.map(drop).map_err(|error| host::io_uring_refused(&error))
}

fn run_with(job: Arc<Job>, relay: &Relay, setup: &Setup) -> Result<()> {
    let sockets = Sockets::new(job.clone(), setup)?;
    let register = |ring: &Uring| Buffers::register(&ring.submitter(), setup.buffers);
    let buffers = sockets.rings.all().iter().map(register);
    let buffers = buffers.collect::<std::io::Result<Vec<_>>>();
    let buffers = buffers.map_err(|error| host::io_uring_refused(&error))?;
    let meter = Meter::new(job.connections);
    let completions = Vec::with_capacity(SLICE);
    // The rings are dropped before the buffers they fill: fields are dropped in order.
    let (core, left) = (Core::new(job), Vec::new());
    let mut worker = Worker { core, sockets, buffers, meter, completions, left, completed: 0 };
    while let Some(job) = relay.hand_over(worker.run()?) {
        worker.core.again(job, time::now(), &mut worker.sockets);
        worker.take_up_left();
    }
    Ok(())
}

struct Worker {
    core: Core,
    sockets: Sockets,
    /// Of each ring.
    buffers: Vec<Buffers>,
    meter: Meter,
    /// The slice being handled: copied out of the ring before any of it is.
    completions: Vec<cqueue::Entry>,
    /// What came when a load was over, by ring: the next one's.
    left: Vec<(usize, cqueue::Entry)>,
    completed: u64,
}

impl Worker {
    fn run(&mut self) -> Result<Finished> {
        loop {
            let now = time::now();
            self.core.has_spun(self.sockets.rings.spin_time);
            if !self.core.turn(now, &mut self.sockets) {
                break;
            }
            self.tell_immediate();
            self.meter_phase();
            let wake = self.core.wake(now);
            self.sockets.rings.wait(wake, now)?;
            (0..self.buffers.len()).for_each(|ring| self.reap(ring));
            if let Some(error) = self.sockets.broken.take() {
                return Err(error);
            }
        }
        self.await_found()?;
        let effort = self.effort();
        let worker = metrics::Worker {
            rings: self.buffers.len() as u64,
            memory: (self.core.memory() + self.sockets.memory()) as u64,
            ..self.meter.finish(effort)
        };
        Ok(self.core.finished(time::now(), worker))
    }

    /// One slice of a ring's completions: event, connection, action, ring.
    #[inline]
    fn reap(&mut self, ring: usize) {
        self.sockets.rings.reap(ring, &mut self.completions);
        if self.completions.is_empty() {
            return;
        }
        let now = time::now();
        self.core.roll(now);
        self.completed += self.completions.len() as u64;
        for index in 0..self.completions.len() {
            if let Some((slot, outcome)) = self.sockets.outcome(&self.completions[index]) {
                self.tell(ring, slot, outcome, now);
            }
        }
        self.completions.clear();
        self.buffers[ring].publish();
    }

    #[inline]
    fn tell(&mut self, ring: usize, slot: Slot, outcome: Outcome, now: Nanos) {
        let event = match outcome {
            Outcome::Received { buffer, length } => {
                let bytes = self.buffers[ring].bytes(buffer, length);
                self.core.received(slot, bytes, now, &mut self.sockets);
                self.buffers[ring].give_back(buffer);
                return self.sockets.keep_receiving(slot, length, || self.core.body_left(slot));
            }
            Outcome::Discarded(bytes) => {
                self.core.on(slot, Event::Discarded(bytes), now, &mut self.sockets);
                return self.sockets.keep_receiving(slot, 0, || self.core.body_left(slot));
            }
            Outcome::Rearm => {
                return self.sockets.keep_receiving(slot, 0, || self.core.body_left(slot));
            }
            Outcome::Opened => Event::Opened,
            Outcome::OpenFailed(errno) => Event::OpenFailed(errno),
            Outcome::Fin => Event::Fin,
            Outcome::ReceiveFailed(errno) => Event::ReceiveFailed(errno),
            Outcome::SendFailed(errno) => Event::SendFailed(errno),
            Outcome::Sent => Event::Sent,
            Outcome::Offloaded(taken) => Event::Offloaded(taken),
            Outcome::Closed => Event::Closed,
            Outcome::Found(found) => return self.core.found(slot, found),
        };
        self.core.on(slot, event, now, &mut self.sockets);
    }

    /// Opens that were over at once are told like the others, after the call that asked for them.
    #[inline]
    fn tell_immediate(&mut self) {
        while let Some((slot, errno)) = self.sockets.immediate() {
            let now = time::now();
            self.core.roll(now);
            let event = if errno == 0 { Event::Opened } else { Event::OpenFailed(errno) };
            self.core.on(slot, event, now, &mut self.sockets);
        }
    }

    /// The last requests were asked about, and the load is over: what else comes is for the next
    /// one, whose connections these are.
    fn await_found(&mut self) -> Result<()> {
        if !self.core.is_asking() {
            return Ok(());
        }
        self.sockets.rings.gather()?;
        for ring in 0..self.buffers.len() {
            loop {
                self.sockets.rings.reap(ring, &mut self.completions);
                if self.completions.is_empty() {
                    break;
                }
                for completion in self.completions.drain(..) {
                    if Token::unpack(completion.user_data()).verb != Verb::Ask {
                        self.left.push((ring, completion));
                    } else if let Some((slot, Outcome::Found(found))) =
                        self.sockets.outcome(&completion)
                    {
                        self.core.found(slot, found);
                    }
                }
            }
        }
        Ok(())
    }

    /// What came when the load before this one was over.
    fn take_up_left(&mut self) {
        let now = time::now();
        for (ring, completion) in std::mem::take(&mut self.left) {
            if let Some((slot, outcome)) = self.sockets.outcome(&completion) {
                self.tell(ring, slot, outcome, now);
            }
            self.buffers[ring].publish();
        }
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
            enters: self.sockets.rings.enters(),
            completions: self.completed,
            spin_time: self.sockets.rings.spin_time,
            buffers_exhausted: self.sockets.buffers_exhausted + self.core.heads_grown(),
            cq_overflows: self.sockets.rings.overflows(),
        }
    }
}
