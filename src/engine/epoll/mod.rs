//! The third driver: plain non-blocking sockets and one epoll a worker, for hosts where io_uring
//! is refused. A system call for each write and each read: dearer than the ring, but it runs
//! everywhere.

mod poll;
mod sockets;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::poll::Ready;
use self::sockets::Sockets;
use super::core::{Core, Finished, Wake};
use super::job::Job;
use super::meter::{Effort, Meter};
use super::relay::Relay;
use super::wire::{Event, Slot};
use crate::error::Result;
use crate::metrics;
use crate::plan::Wait;
use crate::time::{self, Nanos};

/// Bytes taken from a socket at a time; one buffer serves all connections of a worker.
const BUFFER: usize = 64 * 1024;

/// From so many bytes on the rest of a body is thrown away unread.
const WORTHLESS: u64 = 24 * 1024;

/// The most that is thrown away at a time, so that one connection does not hold up the others.
const MOST: u64 = 1 << 20;

/// Reads on one connection before the others have their turn.
const READS: usize = 16;

/// Runs one worker's share of the load, from connecting to the last answer, and of those that
/// follow.
pub fn run(job: Arc<Job>, relay: &Relay) -> Result<()> {
    let sockets = Sockets::new(job.clone())?;
    let meter = Meter::new(job.connections);
    let buffer = vec![0; BUFFER].into_boxed_slice();
    let (wait, spin_window, may_discard) = (job.wait, job.spin_window, job.may_discard());
    let (core, effort) = (Core::new(job), Effort::default());
    let mut worker =
        Worker { core, sockets, meter, buffer, wait, spin_window, may_discard, effort };
    while let Some(job) = relay.hand_over(worker.run()?) {
        worker.core.again(job, time::now(), &mut worker.sockets);
    }
    Ok(())
}

struct Worker {
    core: Core,
    sockets: Sockets,
    meter: Meter,
    buffer: Box<[u8]>,
    wait: Wait,
    spin_window: Nanos,
    /// What is worthless may be left unread.
    may_discard: bool,
    effort: Effort,
}

impl Worker {
    fn run(&mut self) -> Result<Finished> {
        loop {
            let now = time::now();
            self.core.has_spun(self.effort.spin_time);
            if !self.core.turn(now, &mut self.sockets) {
                break;
            }
            self.tell_owed();
            self.meter_phase();
            let wake = self.core.wake(now);
            self.wait(wake, now)?;
            self.attend();
        }
        let effort = self.effort();
        let worker = metrics::Worker {
            memory: (self.core.memory() + self.sockets.memory()) as u64,
            ..self.meter.finish(effort)
        };
        Ok(self.core.finished(time::now(), worker))
    }

    /// Returns when a socket is ready or `wake` is reached.
    fn wait(&mut self, wake: Wake, now: Nanos) -> Result<()> {
        let Sockets { poll, unfinished, .. } = &mut self.sockets;
        // Some have more to do: the others are looked at as well, but not waited for.
        if !unfinished.is_empty() {
            return poll.look(Nanos::ZERO);
        }
        // Only the intended time of a request is worth spinning for.
        let spin = match self.wait {
            Wait::Hybrid if wake.exact => self.spin_window,
            Wait::Spin if wake.exact => Nanos::MAX,
            _ => Nanos::ZERO,
        };
        let asleep_until = wake.at - spin;
        if asleep_until > now {
            return poll.look(asleep_until - now);
        }
        let start = time::now();
        loop {
            poll.look(Nanos::ZERO)?;
            let now = time::now();
            if now >= wake.at || !poll.is_empty() {
                self.effort.spin_time += now - start;
                return Ok(());
            }
        }
    }

    /// What the sockets that are ready have to tell.
    fn attend(&mut self) {
        let now = time::now();
        self.core.roll(now);
        for index in 0..self.sockets.poll.len() {
            let (token, ready) = self.sockets.poll.ready(index);
            let Some(slot) = self.sockets.slot_of(token) else { continue };
            self.effort.completions += 1;
            self.attend_to(slot, ready, now);
        }
        for _ in 0..self.sockets.unfinished.len() {
            let Some(token) = self.sockets.unfinished.pop_front() else { break };
            if let Some(slot) = self.sockets.slot_of(token) {
                self.attend_to(slot, Ready::MORE, now);
            }
        }
        self.tell_owed();
    }

    fn attend_to(&mut self, slot: Slot, ready: Ready, now: Nanos) {
        if self.sockets.is_opening(slot) {
            let Some(errno) = self.sockets.connected(slot, ready) else { return };
            let event = if errno == 0 { Event::Opened } else { Event::OpenFailed(errno) };
            let token = self.sockets.token(slot);
            self.core.on(slot, event, now, &mut self.sockets);
            // What came with the connect is told only this once.
            if self.sockets.slot_of(token).is_none() {
                return;
            }
        }
        if ready.can_write && self.sockets.write_on(slot) {
            self.core.on(slot, Event::Sent, now, &mut self.sockets);
        }
        if ready.can_read {
            self.read(slot, ready, now);
        }
    }

    /// Takes what is there, up to a bound.
    fn read(&mut self, slot: Slot, ready: Ready, now: Nanos) {
        let token = self.sockets.token(slot);
        for _ in 0..READS {
            let left = self.core.body_left(slot);
            let discards = self.may_discard && left >= WORTHLESS;
            // The end of a body is read, with whatever comes behind it.
            let asked = if discards { (left - 1).min(MOST) as usize } else { BUFFER };
            let into = if discards { None } else { Some(&mut *self.buffer) };
            self.effort.enters += 1;
            let event = match self.sockets.receive(slot, into, asked) {
                Ok(0) => Event::Fin,
                Ok(length) if discards => Event::Discarded(length as u64),
                Ok(length) => {
                    self.core.received(slot, &mut self.buffer[..length], now, &mut self.sockets);
                    if self.goes_on(token, length == asked || ready.ended) {
                        continue;
                    }
                    return;
                }
                Err(libc::EAGAIN) => return,
                Err(libc::EINTR) => continue,
                Err(errno) => Event::ReceiveFailed(errno),
            };
            // Less than was asked for: there was no more. An end that came with it is told next.
            let is_all = matches!(event, Event::Discarded(length) if (length as usize) < asked);
            self.core.on(slot, event, now, &mut self.sockets);
            if !self.goes_on(token, !is_all || ready.ended) {
                return;
            }
        }
        self.sockets.unfinished.push_back(token);
    }

    /// After something was read: whether there is more to read on this connection.
    fn goes_on(&mut self, token: u64, has_more: bool) -> bool {
        // That what was asked for now is sent is told before its answer can be read.
        self.tell_owed();
        // The core may have closed it, and opened another in its place.
        has_more && self.sockets.slot_of(token).is_some()
    }

    /// What came of calls that had their outcome at once, told after them.
    fn tell_owed(&mut self) {
        while let Some((slot, owed)) = self.sockets.owed() {
            let now = time::now();
            self.core.roll(now);
            self.core.on(slot, owed.event(), now, &mut self.sockets);
        }
    }

    fn meter_phase(&mut self) {
        let phase = self.core.phase();
        if self.meter.is_due(phase) {
            let effort = self.effort();
            self.meter.turn_over(phase, effort);
        }
    }

    fn effort(&self) -> Effort {
        Effort {
            enters: self.effort.enters + self.sockets.calls + self.sockets.poll.calls,
            buffers_exhausted: self.core.heads_grown(),
            ..self.effort
        }
    }
}
