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

use super::outbox::Outbox;
use super::place::Place;
use super::rings::{Layout, Rings};
use super::setup::Setup;
use super::token::{Token, Verb};
use crate::engine::job::Job;
use crate::engine::socket;
use crate::engine::wire::{Parcel, Slot, Wire};
use crate::error::{Error, Result};
use crate::http::Payload;
use crate::metrics::Found;
use crate::tls::KernelKeys;

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
    Offloaded(bool),
    Closed,
    Found(Found),
}

pub struct Sockets {
    pub rings: Rings,
    pub(super) job: Arc<Job>,
    pub(super) request: Payload,
    pub(super) places: Vec<Place>,
    /// Of https, by slot; else empty.
    pub(super) outboxes: Vec<Outbox>,
    /// What was delivered last, by slot; empty where nothing is.
    pub(super) parcels: Vec<Option<Parcel>>,
    /// Opens that were over before they reached the ring: 0, or why they failed.
    immediate: VecDeque<(Slot, i32)>,
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

impl Sockets {
    pub fn new(job: Arc<Job>, setup: &Setup) -> Result<Sockets> {
        let layout = Layout::new(job.connections, job.longest_table);
        let rings = Rings::new(layout, job.wait, job.spin_window, setup)?;
        Ok(Sockets {
            rings,
            request: job.request.clone(),
            places: vec![Place::default(); job.connections as usize],
            outboxes: match &job.tls {
                Some(_) => (0..job.connections).map(|_| Outbox::default()).collect(),
                None => Vec::new(),
            },
            parcels: if job.delivers() { vec![None; job.connections as usize] } else { Vec::new() },
            immediate: VecDeque::new(),
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
        let outboxes: usize = self.outboxes.iter().map(Outbox::memory).sum();
        size_of_val(&*self.places) + size_of_val(&*self.parcels) + outboxes
    }

    /// How much of a confirmed send is not written yet.
    #[cfg(test)]
    pub fn unsent(&self, slot: Slot) -> usize {
        self.places[slot as usize].unsent
    }

    /// What became of an open that was over at once: 0, or its errno.
    pub fn immediate(&mut self) -> Option<(Slot, i32)> {
        self.immediate.pop_front()
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
            (Verb::Ask, _) => Some(Outcome::Found(found(result))),
            _ if stale => None,
            (Verb::Discard, _) => self.discarded(token, result),
            (Verb::Connect, _) => self.connected(token, result),
            (Verb::Send, _) => self.sent(token, result),
            (Verb::Deliver, _) => self.undelivered(token, result),
            (Verb::Learn | Verb::Keys, _) => self.encrypted(token, result),
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
                if let Some(outbox) = self.outboxes.get_mut(token.slot as usize) {
                    outbox.clear();
                }
                if let Some(parcel) = self.parcels.get_mut(token.slot as usize) {
                    *parcel = None;
                }
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

    /// Frees a place at once: nothing is under way on it.
    fn vacate(&mut self, slot: Slot) {
        if let Err(error) = self.rings.install(slot, -1) {
            let text = format!("io_uring could not close a connection ({error}); try again");
            self.broken.get_or_insert(Error::failed(text));
        }
    }

    fn connect(&mut self, slot: Slot, address: usize) -> std::io::Result<()> {
        let to = self.job.addresses.address(address);
        let Some(inet) = to.inet() else { return self.connect_unix(slot, address) };
        let descriptor = socket::new(&inet, self.job.bind(slot, to))?;
        self.rings.install(slot, descriptor.as_raw_fd())?;
        let address = self.job.addresses.for_kernel(address);
        let entry =
            opcode::Connect::new(self.rings.fixed(slot), address.as_ptr().cast(), address.len());
        self.places[slot as usize].pending = 1;
        self.push(slot, Verb::Connect, entry.build());
        Ok(())
    }

    /// Not through the ring: see `socket`.
    fn connect_unix(&mut self, slot: Slot, address: usize) -> std::io::Result<()> {
        let descriptor = socket::connected_blocking(self.job.addresses.for_kernel(address))?;
        self.rings.install(slot, descriptor.as_raw_fd())?;
        self.begin_receiving(slot);
        self.immediate.push_back((slot, 0));
        Ok(())
    }

    #[inline]
    pub(super) fn push(&mut self, slot: Slot, verb: Verb, entry: Entry) {
        let generation = self.places[slot as usize].generation;
        #[cfg(test)]
        self.pushed.push(Token { slot, generation, verb });
        let entry = entry.user_data(Token { slot, generation, verb }.pack());
        // SAFETY: the entries of this module point to the request's bytes and to the addresses,
        // which are never changed and live as long as the ring; to a parcel, which the core leaves
        // alone until the answer to it is there or the socket is closed; to the records and the keys
        // of an outbox, which are not touched before the operation with them has ended and are
        // dropped after the rings; receives name no memory (the kernel takes it from the registered
        // buffers), and what has to be there before one ends stands in `places`, which never moves.
        if let Err(error) = unsafe { self.rings.push(slot, &entry) } {
            self.broken.get_or_insert(error);
        }
    }
}

impl Wire for Sockets {
    fn open(&mut self, slot: Slot, address: usize) {
        if let Err(error) = self.connect(slot, address) {
            self.immediate.push_back((slot, error.raw_os_error().unwrap_or(libc::EIO)));
        }
    }

    #[inline]
    fn send(&mut self, slot: Slot, copies: u32) {
        self.begin_sending(slot, copies);
    }

    #[inline]
    fn deliver(&mut self, slot: Slot, parcel: Parcel) {
        self.begin_delivering(slot, parcel);
    }

    fn write(&mut self, slot: Slot, bytes: &[u8]) {
        self.begin_writing(slot, bytes);
    }

    fn offload(&mut self, slot: Slot, keys: KernelKeys) -> Option<bool> {
        if self.begin_encrypting(slot, keys) { None } else { Some(false) }
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

    /// A place in the table cannot be asked anything, so the kernel is asked for a descriptor.
    /// Only examples of failures and slow requests want it: at most about a hundred a second.
    #[cold]
    fn ask(&mut self, slot: Slot) -> Option<Found> {
        let entry = opcode::FixedFdInstall::new(self.rings.fixed(slot), 0).build();
        self.push(slot, Verb::Ask, entry);
        None
    }
}

/// What the descriptor was wanted for; it is closed again. The kernel may have refused it (before
/// 6.8 it knows no such operation).
#[cold]
fn found(result: i32) -> Found {
    if result < 0 {
        return Found::default();
    }
    // SAFETY: just made by the kernel for this operation, and owned by nobody else.
    let descriptor = unsafe { OwnedFd::from_raw_fd(result) };
    socket::found(descriptor.as_fd())
}
