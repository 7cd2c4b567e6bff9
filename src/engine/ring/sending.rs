//! How requests are written. A small one goes out without a word: the answer tells that it was
//! sent. What may not fit the socket's buffer is confirmed, and written piece by piece.

use io_uring::opcode;
use io_uring::squeue::Flags;

use super::place::Place;
use super::sockets::{Outcome, Sockets};
use super::token::{Token, Verb};
use crate::engine::wire::Slot;

/// How often on one connection a send is tried again for want of memory.
const RETRIES: u8 = 8;

impl Sockets {
    #[inline]
    pub(super) fn begin_sending(&mut self, slot: Slot, copies: u32) {
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
        let rest = match self.outboxes.get(slot as usize) {
            Some(outbox) => &outbox.writing[sending - unsent..],
            None => {
                let (bytes, range) = self.request.piece(sending - unsent..sending);
                &bytes[range]
            }
        };
        // The head of a large request waits for the beginning of its body.
        let more = if rest.len() < unsent { libc::MSG_MORE } else { 0 };
        let length = rest.len() as u32;
        let entry = opcode::Send::new(self.rings.fixed(slot), rest.as_ptr(), length)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL | more)
            .build();
        self.push(slot, Verb::Send, entry);
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
