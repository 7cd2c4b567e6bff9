//! The sockets of one worker: the operations the core asks for, put on the ring, and their
//! completions turned into events.
//!
//! A socket is a place in the ring's table of registered files and costs no descriptor. It is
//! closed in three steps (cancel what is under way, wait for the last completion, close), so that
//! a place is never reused while the kernel still works on it.

use std::collections::VecDeque;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use bytes::Bytes;
use io_uring::squeue::{Entry, Flags};
use io_uring::types::Fixed;
use io_uring::{cqueue, opcode};
use socket2::SockAddr;

use super::buffers::GROUP;
use super::token::{Token, Verb};
use super::uring::{Features, Uring};
use crate::engine::job::Job;
use crate::engine::socket;
use crate::engine::wire::{Slot, Wire};
use crate::error::{Error, Result};

/// What a completion means for the core. The bytes of `Received` are in the buffer named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Opened,
    OpenFailed(i32),
    Received { buffer: u16, length: usize },
    Fin,
    ReceiveFailed(i32),
    SendFailed(i32),
    Sent,
    Closed,
}

pub struct Sockets {
    pub uring: Uring,
    job: Arc<Job>,
    addresses: Box<[SockAddr]>,
    request: Bytes,
    places: Vec<Place>,
    /// Opens that failed before they reached the ring.
    stillborn: VecDeque<(Slot, i32)>,
    /// The ring refused an operation: the run cannot go on.
    pub broken: Option<Error>,
    pub buffers_exhausted: u64,
    /// What was asked of the kernel, for the simulation to answer.
    #[cfg(test)]
    pub pushed: Vec<Token>,
    /// What each cancel is to end, in the same order.
    #[cfg(test)]
    pub cancels: VecDeque<Token>,
}

/// One place in the table.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    generation: u16,
    /// Operations whose last completion is still to come: connect, receive, confirmed send, and
    /// the shutdown that ends it.
    pending: u8,
    closing: bool,
    /// The length of a confirmed send, and how much of it is not written yet.
    sending: usize,
    unsent: usize,
}

impl Sockets {
    pub fn new(job: Arc<Job>, features: Features) -> Result<Sockets> {
        let uring = Uring::new(job.connections, job.wait, job.spin_window, features)?;
        Ok(Sockets {
            uring,
            addresses: job.addresses.iter().copied().map(SockAddr::from).collect(),
            request: job.request.clone(),
            places: vec![Place::default(); job.connections as usize],
            stillborn: VecDeque::new(),
            broken: None,
            buffers_exhausted: 0,
            #[cfg(test)]
            pushed: Vec::new(),
            #[cfg(test)]
            cancels: VecDeque::new(),
            job,
        })
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
            (Verb::Receive, 1..) => {
                let more = cqueue::more(flags);
                let buffer = cqueue::buffer_select(flags)?;
                self.received(token, more, stale);
                Some(Outcome::Received { buffer, length: result as usize })
            }
            _ if stale => None,
            (Verb::Receive, _) => self.receive_ended(token, result),
            (Verb::Connect, _) => self.connected(token, result),
            (Verb::Send, _) => self.sent(token, result),
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
        };
        Some((token.slot, outcome?))
    }

    #[inline]
    fn received(&mut self, token: Token, more: bool, stale: bool) {
        if more || stale {
            return;
        }
        // The kernel ends a multishot now and then (a full completion queue); it goes on anew.
        if self.places[token.slot as usize].closing {
            self.settle(token.slot);
        } else {
            self.receive(token.slot);
        }
    }

    fn receive_ended(&mut self, token: Token, result: i32) -> Option<Outcome> {
        if self.places[token.slot as usize].closing {
            self.settle(token.slot);
            return None;
        }
        match -result {
            libc::ENOBUFS => {
                self.buffers_exhausted += 1;
                self.receive(token.slot);
                None
            }
            libc::EINTR | libc::EAGAIN => {
                self.receive(token.slot);
                None
            }
            errno => {
                self.places[token.slot as usize].pending -= 1;
                let fin = errno == 0;
                Some(if fin { Outcome::Fin } else { Outcome::ReceiveFailed(errno) })
            }
        }
    }

    fn connected(&mut self, token: Token, result: i32) -> Option<Outcome> {
        let place = &mut self.places[token.slot as usize];
        if place.closing {
            self.settle(token.slot);
            return None;
        }
        if result == 0 {
            // The receive takes the connect's place among what is pending.
            self.receive(token.slot);
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
        if confirmed {
            place.unsent = 0;
            place.pending -= 1;
        }
        // With MSG_WAITALL a short count means that the rest met an error.
        Some(Outcome::SendFailed(if result < 0 { -result } else { libc::EPIPE }))
    }

    /// Arms the multishot receive that serves the connection for its whole life.
    fn receive(&mut self, slot: Slot) {
        let entry = opcode::RecvMulti::new(Fixed(slot), GROUP).build();
        self.push(slot, Verb::Receive, entry);
    }

    fn send_rest(&mut self, slot: Slot) {
        let Place { sending, unsent, .. } = self.places[slot as usize];
        let rest = &self.request[sending - unsent..sending];
        let length = u32::try_from(rest.len()).unwrap_or(u32::MAX >> 1);
        let entry = opcode::Send::new(Fixed(slot), rest.as_ptr(), length)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
            .build();
        self.push(slot, Verb::Send, entry);
    }

    /// One operation less is under way on a place that is being closed.
    fn settle(&mut self, slot: Slot) {
        let place = &mut self.places[slot as usize];
        place.pending -= 1;
        if place.pending == 0 {
            let entry = opcode::Close::new(Fixed(slot)).build();
            self.push(slot, Verb::Close, entry);
        }
    }

    fn cancel(&mut self, slot: Slot, verb: Verb) {
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
        let entry = opcode::Shutdown::new(Fixed(slot), libc::SHUT_WR).build();
        self.push(slot, Verb::Shutdown, entry);
    }

    /// Frees a place at once: nothing is under way on it.
    fn vacate(&mut self, slot: Slot) {
        if let Err(error) = self.uring.install(slot, -1) {
            let text = format!("io_uring could not close a connection ({error}); try again");
            self.broken.get_or_insert(Error::failed(text));
        }
    }

    fn connect(&mut self, slot: Slot, address: usize) -> std::io::Result<()> {
        let to = &self.job.addresses[address];
        let descriptor = socket::new(to, self.job.bind(slot, to))?;
        self.uring.install(slot, descriptor.as_raw_fd())?;
        let address = &self.addresses[address];
        let entry = opcode::Connect::new(Fixed(slot), address.as_ptr().cast(), address.len());
        self.places[slot as usize].pending = 1;
        self.push(slot, Verb::Connect, entry.build());
        Ok(())
    }

    #[inline]
    fn push(&mut self, slot: Slot, verb: Verb, entry: Entry) {
        let generation = self.places[slot as usize].generation;
        #[cfg(test)]
        self.pushed.push(Token { slot, generation, verb });
        let entry = entry.user_data(Token { slot, generation, verb }.pack());
        // SAFETY: the entries of this module point to the request's bytes and to the addresses,
        // which are never changed and live as long as the ring; receives name no memory, the
        // kernel takes it from the registered buffers.
        if let Err(error) = unsafe { self.uring.push(&entry) } {
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
        let length = self.job.request_len * copies as usize;
        if self.job.confirms_sends() {
            let place = &mut self.places[slot as usize];
            (place.sending, place.unsent) = (length, length);
            place.pending += 1;
            return self.send_rest(slot);
        }
        let entry = opcode::Send::new(Fixed(slot), self.request.as_ptr(), length as u32)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
            .build()
            // Success needs no word: the answer tells. Saves a completion a request.
            .flags(Flags::SKIP_SUCCESS);
        self.push(slot, Verb::Send, entry);
    }

    fn close(&mut self, slot: Slot) {
        let place = &mut self.places[slot as usize];
        place.closing = true;
        let (pending, sending) = (place.pending, place.unsent > 0);
        if pending == 0 {
            let entry = opcode::Close::new(Fixed(slot)).build();
            return self.push(slot, Verb::Close, entry);
        }
        // Whichever of the two is under way; the other cancel finds nothing.
        self.cancel(slot, Verb::Receive);
        self.cancel(slot, Verb::Connect);
        if sending {
            self.shut_down(slot);
        }
    }
}
