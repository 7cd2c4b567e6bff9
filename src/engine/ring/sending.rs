//! How requests are written. A small one goes out without a word: the answer tells that it was
//! sent. What may not fit the socket's buffer is confirmed, and written piece by piece.

use io_uring::opcode;
use io_uring::squeue::{Entry, Flags};
use io_uring::types::Fixed;

use super::place::Place;
use super::sockets::{Outcome, Sockets};
use super::token::{Token, Verb};
use crate::engine::socket;
use crate::engine::wire::{Parcel, Slot};
use crate::tls::KernelKeys;

/// How often on one connection a send is tried again for want of memory.
const RETRIES: u8 = 8;

impl Sockets {
    #[inline]
    pub(super) fn begin_sending(&mut self, slot: Slot, copies: u32) {
        if self.places[slot as usize].encrypts {
            return self.send_encrypted(slot, copies);
        }
        if !self.job.confirms_sends() {
            return self.send_small(slot, copies);
        }
        let length = self.request.length() * copies as usize;
        let place = &mut self.places[slot as usize];
        (place.sending, place.unsent) = (length, length);
        place.pending += 1;
        self.send_rest(slot);
    }

    /// A confirmed send is over, or another one has failed (its success is not told).
    pub(super) fn sent(&mut self, token: Token, result: i32) -> Option<Outcome> {
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
            if self.write_next(token.slot) {
                return None;
            }
            return Some(Outcome::Sent);
        }
        // Nothing of such a send was taken. Where the sizes of sends differ, there is no telling
        // which one it was.
        let may_try = is_passing(result) && (confirmed || self.job.pipeline == 1);
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
        Some(failed(result))
    }

    /// Nothing goes out meanwhile of what is confirmed; the others follow each other.
    #[inline]
    pub(super) fn begin_delivering(&mut self, slot: Slot, parcel: Parcel) {
        if self.parcels.is_empty() {
            self.parcels = vec![None; self.places.len()];
        }
        self.parcels[slot as usize] = Some(parcel);
        if !parcel.confirmed {
            return self.deliver_small(slot, parcel);
        }
        let place = &mut self.places[slot as usize];
        debug_assert!(place.unsent == 0 && !place.encrypts);
        (place.sending, place.unsent) = (parcel.length(), parcel.length());
        place.pending += 1;
        self.send_rest(slot);
    }

    /// A parcel that fits the socket's buffer.
    #[inline]
    fn deliver_small(&mut self, slot: Slot, parcel: Parcel) {
        let (start, length) = parcel.rest(0);
        debug_assert!(length == parcel.length(), "a tail is confirmed");
        let entry = small(self.rings.fixed(slot), start, length);
        self.push(slot, Verb::Deliver, entry);
    }

    /// The send of a parcel that is not confirmed has failed.
    #[cold]
    pub(super) fn undelivered(&mut self, token: Token, result: i32) -> Option<Outcome> {
        let place = &mut self.places[token.slot as usize];
        if place.closing {
            return None;
        }
        // With several on their way there is no telling which one it was.
        let may_try = is_passing(result) && self.job.pipeline == 1 && place.retries < RETRIES;
        match self.parcels[token.slot as usize] {
            Some(parcel) if may_try && !parcel.confirmed => {
                place.retries += 1;
                self.deliver_small(token.slot, parcel);
                None
            }
            _ => Some(failed(result)),
        }
    }

    /// Of https: what the kernel is to read stays untouched until it has; what comes meanwhile
    /// waits behind it.
    pub(super) fn begin_writing(&mut self, slot: Slot, bytes: &[u8]) {
        self.outboxes[slot as usize].next.extend_from_slice(bytes);
        if self.places[slot as usize].unsent == 0 {
            self.write_next(slot);
        }
    }

    /// Nothing is being written: what waits is. False if nothing does.
    fn write_next(&mut self, slot: Slot) -> bool {
        let Some(outbox) = self.outboxes.get_mut(slot as usize) else { return false };
        outbox.writing.clear();
        std::mem::swap(&mut outbox.writing, &mut outbox.next);
        let length = outbox.writing.len();
        if length == 0 {
            return false;
        }
        let place = &mut self.places[slot as usize];
        (place.sending, place.unsent) = (length, length);
        place.pending += 1;
        self.send_rest(slot);
        true
    }

    /// The kernel encrypts, and does not take MSG_WAITALL then: the end of each send is looked
    /// at, and what comes before it goes out behind it.
    fn send_encrypted(&mut self, slot: Slot, copies: u32) {
        let place = &mut self.places[slot as usize];
        let is_sending = place.unsent > 0;
        place.unsent += self.request.length() * copies as usize;
        if !is_sending {
            place.pending += 1;
            self.send_rest(slot);
        }
    }

    /// Teaches the socket TLS and gives it the keys, one after the other. False where the kernel
    /// (below 6.7) sets no options through the ring.
    pub(super) fn begin_encrypting(&mut self, slot: Slot, keys: KernelKeys) -> bool {
        if self.cannot_await || self.places[slot as usize].unsent > 0 {
            return false;
        }
        let fixed = self.rings.fixed(slot);
        let Some(outbox) = self.outboxes.get_mut(slot as usize) else { return false };
        let keys = outbox.keys.insert(Box::new(keys)).bytes();
        let set = |level, option, value: &[u8]| {
            let (start, length) = (value.as_ptr().cast(), value.len() as u32);
            opcode::SetSockOpt::new(fixed, level as u32, option as u32, start, length).build()
        };
        let learn = set(libc::SOL_TCP, libc::TCP_ULP, socket::TLS).flags(Flags::IO_LINK);
        let keys = set(libc::SOL_TLS, libc::TLS_TX, keys);
        self.places[slot as usize].pending += 2;
        self.push(slot, Verb::Learn, learn);
        self.push(slot, Verb::Keys, keys);
        true
    }

    /// The kernel has learnt TLS or has the keys, or would not.
    pub(super) fn encrypted(&mut self, token: Token, result: i32) -> Option<Outcome> {
        let has_keys = token.verb == Verb::Keys;
        if has_keys && let Some(outbox) = self.outboxes.get_mut(token.slot as usize) {
            outbox.keys = None;
        }
        let place = &mut self.places[token.slot as usize];
        if place.closing {
            self.settle(token.slot);
            return None;
        }
        place.pending -= 1;
        if !has_keys {
            return None;
        }
        place.encrypts = result == 0;
        Some(Outcome::Offloaded(place.encrypts))
    }

    /// Requests that fit the socket's buffer.
    #[inline]
    fn send_small(&mut self, slot: Slot, copies: u32) {
        let length = self.request.length() * copies as usize;
        let entry = small(self.rings.fixed(slot), self.request.bytes().as_ptr(), length);
        self.push(slot, Verb::Send, entry);
    }

    fn send_rest(&mut self, slot: Slot) {
        let Place { sending, unsent, encrypts, .. } = self.places[slot as usize];
        let (start, length) = match self.parcels.get(slot as usize) {
            Some(Some(parcel)) => parcel.rest(sending - unsent),
            _ => {
                let rest = self.rest(slot);
                (rest.as_ptr(), rest.len())
            }
        };
        // The head of a large request waits for the beginning of its body.
        let more = if length < unsent { libc::MSG_MORE } else { 0 };
        let all = if encrypts { 0 } else { libc::MSG_WAITALL };
        let entry = opcode::Send::new(self.rings.fixed(slot), start, length as u32)
            .flags(libc::MSG_NOSIGNAL | all | more)
            .build();
        self.push(slot, Verb::Send, entry);
    }

    /// What is to be sent next of the copies of the request, or of the records.
    fn rest(&self, slot: Slot) -> &[u8] {
        let Place { sending, unsent, encrypts, .. } = self.places[slot as usize];
        match self.outboxes.get(slot as usize) {
            // The copies are all the same, so what is left of them is their end.
            Some(_) if encrypts => {
                let length = self.request.length();
                let start = unsent.next_multiple_of(length) - unsent;
                let end = (start + unsent).min(self.request.whole());
                let (bytes, range) = self.request.piece(start..end);
                &bytes[range]
            }
            Some(outbox) => &outbox.writing[sending - unsent..],
            None => {
                let (bytes, range) = self.request.piece(sending - unsent..sending);
                &bytes[range]
            }
        }
    }

    /// Ends a send. A cancel does not: once the kernel has handed the send to a thread of its own
    /// (it does so when the peer's FIN wakes it), that thread starts over after the cancel's
    /// signal and waits for room without end.
    pub(super) fn shut_down(&mut self, slot: Slot) {
        self.places[slot as usize].pending += 1;
        let entry = opcode::Shutdown::new(self.rings.fixed(slot), libc::SHUT_WR).build();
        self.push(slot, Verb::Shutdown, entry);
    }
}

/// A send of what fits the socket's buffer.
#[inline]
fn small(socket: Fixed, start: *const u8, length: usize) -> Entry {
    opcode::Send::new(socket, start, length as u32)
        .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
        .build()
        // Success needs no word: the answer tells. Saves a completion a request.
        .flags(Flags::SKIP_SUCCESS)
}

/// The kernel may take it the next time.
fn is_passing(result: i32) -> bool {
    matches!(-result, libc::ENOBUFS | libc::ENOMEM | libc::EAGAIN | libc::EINTR)
}

/// With MSG_WAITALL a short count means that the rest met an error.
fn failed(result: i32) -> Outcome {
    Outcome::SendFailed(if result < 0 { -result } else { libc::EPIPE })
}
