//! The sockets of one worker: the operations the core asks for, put on the ring, and their
//! completions turned into events.
//!
//! A socket is a place in the ring's table of registered files and costs no descriptor. It is
//! closed in three steps (cancel what is under way, wait for the last completion, close), so that
//! a place is never reused while the kernel still works on it.

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;

use io_uring::squeue::{Entry, Flags};
use io_uring::{cqueue, opcode};
use socket2::SockAddr;

use super::receiving::Receiving;
use super::rings::{Layout, Rings};
use super::setup::Setup;
use super::token::{Token, Verb};
use crate::engine::job::Job;
use crate::engine::socket;
use crate::engine::wire::{Slot, Wire};
use crate::error::{Error, Result};
use crate::http::Payload;

/// What a completion means for the core. The bytes of `Received` are in the buffer named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Opened,
    OpenFailed(i32),
    Received {
        buffer: u16,
        length: usize,
    },
    /// Body that was thrown away in the kernel.
    Discarded(u64),
    /// Nothing, but that there is no receive any more.
    Rearm,
    Fin,
    ReceiveFailed(i32),
    SendFailed(i32),
    Sent,
    Closed,
    LocalPort(u16),
}

/// How often on one connection a send is tried again for want of memory.
const RETRIES: u8 = 8;

pub struct Sockets {
    pub rings: Rings,
    job: Arc<Job>,
    addresses: Box<[SockAddr]>,
    request: Payload,
    pub(super) places: Vec<Place>,
    /// Opens that failed before they reached the ring.
    stillborn: VecDeque<(Slot, i32)>,
    /// The ring refused an operation: the run cannot go on.
    pub broken: Option<Error>,
    pub buffers_exhausted: u64,
    /// The kernel (below 6.7) does not change a socket's option through the ring.
    pub(super) cannot_await: bool,
    /// What was asked of the kernel, for the simulation to answer.
    #[cfg(test)]
    pub pushed: Vec<Token>,
    /// What each cancel is to end, in the same order.
    #[cfg(test)]
    pub cancels: VecDeque<Token>,
}

/// One place in the table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    generation: u16,
    /// Operations whose last completion is still to come: connect, receive, confirmed send, and
    /// the shutdown that ends it.
    pub pending: u8,
    pub closing: bool,
    /// Sends that were tried again because the kernel had no memory for them.
    retries: u8,
    pub receiving: Receiving,
    /// The length of a confirmed send, and how much of it is not written yet.
    sending: usize,
    unsent: usize,
}

impl Sockets {
    pub fn new(job: Arc<Job>, setup: &Setup) -> Result<Sockets> {
        let layout = Layout::new(job.connections, job.longest_table);
        let rings = Rings::new(layout, job.wait, job.spin_window, setup)?;
        Ok(Sockets {
            rings,
            addresses: job.addresses.iter().copied().map(SockAddr::from).collect(),
            request: job.request.clone(),
            places: vec![Place::default(); job.connections as usize],
            stillborn: VecDeque::new(),
            broken: None,
            buffers_exhausted: 0,
            cannot_await: !setup.features.socket_options,
            #[cfg(test)]
            pushed: Vec::new(),
            #[cfg(test)]
            cancels: VecDeque::new(),
            job,
        })
    }

    /// The bytes that it keeps for its connections.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.places)
    }

    /// How much of a confirmed send is not written yet.
    #[cfg(test)]
    pub fn unsent(&self, slot: Slot) -> usize {
        self.places[slot as usize].unsent
    }

    pub fn stillborn(&mut self) -> Option<(Slot, i32)> {
        self.stillborn.pop_front()
    }

    /// What a completion means, if anything. The one place where every result of every operation
    /// is told apart.
    #[inline]
    pub fn outcome(&mut self, completion: &cqueue::Entry) -> Option<(Slot, Outcome)> {
        let token = Token::unpack(completion.user_data());
        if token.verb == Verb::Bell {
            self.rings.rung(token.slot);
            return None;
        }
        self.meaning(token, completion.result(), completion.flags())
    }

    #[inline]
    pub(super) fn meaning(
        &mut self,
        token: Token,
        result: i32,
        flags: u32,
    ) -> Option<(Slot, Outcome)> {
        let stale = self.places[token.slot as usize].generation != token.generation;
        let outcome = match (token.verb, result) {
            // A receive's buffer has to come back, whatever became of its connection.
            (Verb::Receive, _) => self.received(token, result, flags, stale),
            (Verb::Port, _) => local_port(result).map(Outcome::LocalPort),
            _ if stale => None,
            (Verb::Discard, _) => self.discarded(token, result),
            (Verb::Connect, _) => self.connected(token, result),
            (Verb::Send, _) => self.sent(token, result),
            (Verb::Await, _) => {
                self.cannot_await = true;
                None
            }
            // Found nothing to cancel: the operation's own completion is on its way.
            (Verb::Cancel, _) => None,
            // Whether it found the connection up or down, what was being sent ends now.
            (Verb::Shutdown, _) => {
                self.settle(token.slot);
                None
            }
            (Verb::Close, _) => {
                let place = &mut self.places[token.slot as usize];
                *place = Place { generation: place.generation.wrapping_add(1), ..Place::default() };
                Some(Outcome::Closed)
            }
            (Verb::Bell, _) => None,
        };
        Some((token.slot, outcome?))
    }

    fn connected(&mut self, token: Token, result: i32) -> Option<Outcome> {
        let place = &mut self.places[token.slot as usize];
        if place.closing {
            self.settle(token.slot);
            return None;
        }
        if result == 0 {
            place.pending -= 1;
            self.begin_receiving(token.slot);
            return Some(Outcome::Opened);
        }
        place.pending -= 1;
        place.generation = place.generation.wrapping_add(1);
        self.vacate(token.slot);
        Some(Outcome::OpenFailed(-result))
    }

    /// A confirmed send is over, or another one has failed (its success is not told).
    fn sent(&mut self, token: Token, result: i32) -> Option<Outcome> {
        let place = &mut self.places[token.slot as usize];
        let confirmed = place.unsent > 0;
        if place.closing {
            if confirmed {
                place.unsent = 0;
                self.settle(token.slot);
            }
            return None;
        }
        if confirmed && result > 0 {
            place.unsent -= result as usize;
            if place.unsent > 0 {
                self.send_rest(token.slot);
                return None;
            }
            place.pending -= 1;
            return Some(Outcome::Sent);
        }
        // Nothing of such a send was taken. Where the sizes of sends differ, there is no telling
        // which one it was.
        let may_try = matches!(-result, libc::ENOBUFS | libc::ENOMEM | libc::EAGAIN | libc::EINTR)
            && (confirmed || self.job.pipeline == 1);
        if may_try && place.retries < RETRIES {
            place.retries += 1;
            if confirmed {
                self.send_rest(token.slot)
            } else {
                self.send_small(token.slot, 1)
            }
            return None;
        }
        if confirmed {
            place.unsent = 0;
            place.pending -= 1;
        }
        // With MSG_WAITALL a short count means that the rest met an error.
        Some(Outcome::SendFailed(if result < 0 { -result } else { libc::EPIPE }))
    }

    /// Requests that fit the socket's buffer.
    #[inline]
    fn send_small(&mut self, slot: Slot, copies: u32) {
        let length = self.request.length() * copies as usize;
        let entry =
            opcode::Send::new(self.rings.fixed(slot), self.request.bytes().as_ptr(), length as u32)
                .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
                .build()
                // Success needs no word: the answer tells. Saves a completion a request.
                .flags(Flags::SKIP_SUCCESS);
        self.push(slot, Verb::Send, entry);
    }

    fn send_rest(&mut self, slot: Slot) {
        let Place { sending, unsent, .. } = self.places[slot as usize];
        let (bytes, range) = self.request.piece(sending - unsent..sending);
        let rest = &bytes[range];
        // The head of a large request waits for the beginning of its body.
        let more = if rest.len() < unsent { libc::MSG_MORE } else { 0 };
        let length = u32::try_from(rest.len()).unwrap_or(u32::MAX >> 1);
        let entry = opcode::Send::new(self.rings.fixed(slot), rest.as_ptr(), length)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL | more)
            .build();
        self.push(slot, Verb::Send, entry);
    }

    /// One operation less is under way on a place that is being closed.
    pub(super) fn settle(&mut self, slot: Slot) {
        let place = &mut self.places[slot as usize];
        place.pending -= 1;
        if place.pending == 0 {
            let entry = opcode::Close::new(self.rings.fixed(slot)).build();
            self.push(slot, Verb::Close, entry);
        }
    }

    pub(super) fn cancel(&mut self, slot: Slot, verb: Verb) {
        let generation = self.places[slot as usize].generation;
        let token = Token { slot, generation, verb };
        #[cfg(test)]
        self.cancels.push_back(token);
        let entry = opcode::AsyncCancel::new(token.pack()).build().flags(Flags::SKIP_SUCCESS);
        self.push(slot, Verb::Cancel, entry);
    }

    /// Ends a send. A cancel does not: once the kernel has handed the send to a thread of its own
    /// (it does so when the peer's FIN wakes it), that thread starts over after the cancel's
    /// signal and waits for room without end.
    fn shut_down(&mut self, slot: Slot) {
        self.places[slot as usize].pending += 1;
        let entry = opcode::Shutdown::new(self.rings.fixed(slot), libc::SHUT_WR).build();
        self.push(slot, Verb::Shutdown, entry);
    }

    /// Frees a place at once: nothing is under way on it.
    fn vacate(&mut self, slot: Slot) {
        if let Err(error) = self.rings.install(slot, -1) {
            let text = format!("io_uring could not close a connection ({error}); try again");
            self.broken.get_or_insert(Error::failed(text));
        }
    }

    fn connect(&mut self, slot: Slot, address: usize) -> std::io::Result<()> {
        let to = &self.job.addresses[address];
        let descriptor = socket::new(to, self.job.bind(slot, to))?;
        self.rings.install(slot, descriptor.as_raw_fd())?;
        let address = &self.addresses[address];
        let entry =
            opcode::Connect::new(self.rings.fixed(slot), address.as_ptr().cast(), address.len());
        self.places[slot as usize].pending = 1;
        self.push(slot, Verb::Connect, entry.build());
        Ok(())
    }

    #[inline]
    pub(super) fn push(&mut self, slot: Slot, verb: Verb, entry: Entry) {
        let generation = self.places[slot as usize].generation;
        #[cfg(test)]
        self.pushed.push(Token { slot, generation, verb });
        let entry = entry.user_data(Token { slot, generation, verb }.pack());
        // SAFETY: the entries of this module point to the request's bytes and to the addresses,
        // which are never changed and live as long as the ring; receives name no memory, the
        // kernel takes it from the registered buffers.
        if let Err(error) = unsafe { self.rings.push(slot, &entry) } {
            self.broken.get_or_insert(error);
        }
    }
}

impl Wire for Sockets {
    fn open(&mut self, slot: Slot, address: usize) {
        if let Err(error) = self.connect(slot, address) {
            self.stillborn.push_back((slot, error.raw_os_error().unwrap_or(libc::EIO)));
        }
    }

    #[inline]
    fn send(&mut self, slot: Slot, copies: u32) {
        if self.job.confirms_sends() {
            let length = self.request.length() * copies as usize;
            let place = &mut self.places[slot as usize];
            (place.sending, place.unsent) = (length, length);
            place.pending += 1;
            return self.send_rest(slot);
        }
        self.send_small(slot, copies);
    }

    fn close(&mut self, slot: Slot) {
        let place = &mut self.places[slot as usize];
        place.closing = true;
        let (pending, sending) = (place.pending, place.unsent > 0);
        if pending == 0 {
            let entry = opcode::Close::new(self.rings.fixed(slot)).build();
            return self.push(slot, Verb::Close, entry);
        }
        self.cancel_receiving(slot);
        if sending {
            self.shut_down(slot);
        }
    }

    /// A place in the table has no address of its own, so the kernel is asked for a descriptor.
    /// Only examples of failures want it: at most a hundred in a run.
    #[cold]
    fn local_port(&mut self, slot: Slot) -> Option<u16> {
        let entry = opcode::FixedFdInstall::new(self.rings.fixed(slot), 0).build();
        self.push(slot, Verb::Port, entry);
        None
    }
}

/// What the descriptor was wanted for; it is closed again. The kernel may have refused it (before
/// 6.8 it knows no such operation).
#[cold]
fn local_port(result: i32) -> Option<u16> {
    if result < 0 {
        return None;
    }
    // SAFETY: just made by the kernel for this operation, and owned by nobody else.
    let descriptor = unsafe { OwnedFd::from_raw_fd(result) };
    socket::local_port(descriptor.as_fd())
}
