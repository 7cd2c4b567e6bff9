//! Accepting: a multishot while there is plenty of room, one by one near the end of the file table,
//! not at all when it is full. The kernel closes a client that it accepts into a full table; one
//! that is not accepted just waits in the backlog.

use std::os::fd::RawFd;

use io_uring::types::Fd;
use io_uring::{cqueue, opcode};

use super::connection::Connection;
use super::ring::{COMPLETIONS, Token, Verb};
use super::server::Server;
use crate::error::Result;
use crate::time::{self, Nanos};

/// A multishot accept may have posted this many connections that we have not seen: it ends when
/// the completion queue is full.
const UNSEEN: usize = COMPLETIONS as usize + 64;

/// How long to wait after the system refused (out of files or memory).
const PATIENCE: Nanos = Nanos::from_millis(10);

pub(super) struct Accepting {
    listener: RawFd,
    state: State,
    /// Slots in the file table, and how many hold a connection.
    capacity: usize,
    taken: usize,
    /// Numbers of connections: every `stride`-th, so that threads share none.
    next_number: u64,
    stride: u64,
    /// Try again at this instant.
    pub again: Option<Nanos>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Off,
    Multi,
    One,
    Cancelling,
}

impl Accepting {
    pub fn new(listener: RawFd, capacity: usize, thread: usize, threads: usize) -> Accepting {
        let (next_number, stride) = (thread as u64, threads as u64);
        let state = State::Off;
        Accepting { listener, state, capacity, taken: 0, next_number, stride, again: None }
    }

    pub fn freed(&mut self) {
        self.taken -= 1;
    }

    fn room(&self) -> usize {
        self.capacity - self.taken
    }
}

impl Server<'_> {
    /// Starts or stops accepting as the room in the file table demands.
    pub(super) fn accepting_in_step(&mut self) -> Result<()> {
        let accepting = &mut self.accepting;
        match accepting.state {
            State::Multi if accepting.room() <= UNSEEN => {
                accepting.state = State::Cancelling;
                self.cancel(ACCEPT)
            }
            State::Off if accepting.room() > 0 => {
                if accepting.again.is_some_and(|again| time::now() < again) {
                    return Ok(());
                }
                accepting.again = None;
                self.accept()
            }
            _ => Ok(()),
        }
    }

    fn accept(&mut self) -> Result<()> {
        let listener = Fd(self.accepting.listener);
        let entry = if self.accepting.room() > 2 * UNSEEN {
            self.accepting.state = State::Multi;
            opcode::AcceptMulti::new(listener).allocate_file_index(true).build()
        } else {
            self.accepting.state = State::One;
            let auto = io_uring::types::DestinationSlot::auto_target();
            let accept = opcode::Accept::new(listener, std::ptr::null_mut(), std::ptr::null_mut());
            accept.file_index(Some(auto)).build()
        };
        self.push(entry, ACCEPT.verb, ACCEPT.slot, ACCEPT.generation)
    }

    pub(super) fn accepted(&mut self, completion: &cqueue::Entry) -> Result<()> {
        if !cqueue::more(completion.flags()) {
            self.accepting.state = State::Off;
        }
        match completion.result() {
            slot @ 0.. => self.open(slot as u32),
            error => {
                match -error {
                    // The client gave up, or we cancelled.
                    libc::ECONNABORTED | libc::ECANCELED | libc::EINTR | libc::EAGAIN => {}
                    _ => self.accepting.again = Some(time::now() + PATIENCE),
                }
                Ok(())
            }
        }
    }

    fn open(&mut self, slot: u32) -> Result<()> {
        let slots = &mut self.memory.slots;
        if slots.len() <= slot as usize {
            slots.resize_with(slot as usize + 1, Connection::default);
        }
        slots[slot as usize].open(self.accepting.next_number);
        self.accepting.next_number += self.accepting.stride;
        self.accepting.taken += 1;
        self.cx.stats.connections += 1;
        self.receive(slot)
    }
}

/// There is one listener a ring, and one accept at a time.
const ACCEPT: Token = Token { verb: Verb::Accept, slot: 0, generation: 0 };
