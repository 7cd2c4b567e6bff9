//! How a connection's bytes are taken from the kernel. There is one receive at a time on it, of
//! one of three sorts:
//!
//! - a multishot into small buffers, which serves a connection with small answers for its whole
//!   life: no operation a request;
//! - a multishot into large buffers, for answers that overflow a small one;
//! - for bodies so large that copying them out is what costs: single receives, of which those
//!   inside a body throw it away in the kernel (MSG_TRUNC with no memory, 0.09 CPU-s a GB against
//!   0.16 for copying). Such a one leaves at least the last byte of the body, so it never takes one
//!   of the next head, and what a server sends beyond the body is seen with that last byte. It
//!   never waits for all of it at once (MSG_WAITALL does not complete).
//!
//! Two receives on one socket would split its bytes, so the sort changes only when the last
//! completion of the one before is in.

use io_uring::{cqueue, opcode, squeue};

use super::buffers::Size;
use super::place::{Receiving, Sort};
use super::sockets::{Outcome, Sockets};
use super::token::{Token, Verb};
use crate::engine::wire::Slot;

/// From so many bytes on the rest of a body is thrown away unread.
const WORTHLESS: u64 = 24 * 1024;

/// The most that one receive is asked for. While the server feeds it, the kernel stays in it: a
/// gigabyte kept the worker from everything else for 140 ms.
const MOST: u64 = 1 << 20;

/// How much of a body one receive waits for.
const GULP: u64 = 256 * 1024;

/// What is smaller comes in a few pieces anyway.
const WORTH_AWAITING: u64 = 128 * 1024;

impl Sockets {
    /// The completion of a receive into a buffer.
    #[inline]
    pub(super) fn received(
        &mut self,
        token: Token,
        result: i32,
        flags: u32,
        stale: bool,
    ) -> Option<Outcome> {
        if result <= 0 {
            return if stale { None } else { self.receive_ended(token, result) };
        }
        let buffer = cqueue::buffer_select(flags)?;
        if !stale && !cqueue::more(flags) {
            self.disarm(token.slot);
        }
        Some(Outcome::Received { buffer, length: result as usize })
    }

    /// The completion of a receive that throws away.
    pub(super) fn discarded(&mut self, token: Token, result: i32) -> Option<Outcome> {
        if result <= 0 {
            return self.receive_ended(token, result);
        }
        self.disarm(token.slot);
        Some(Outcome::Discarded(result as u64))
    }

    fn receive_ended(&mut self, token: Token, result: i32) -> Option<Outcome> {
        let changing = self.places[token.slot as usize].receiving.changing;
        self.disarm(token.slot);
        if self.places[token.slot as usize].closing {
            return None;
        }
        match -result {
            libc::ENOBUFS => {
                self.buffers_exhausted += 1;
                Some(Outcome::Rearm)
            }
            libc::EINTR | libc::EAGAIN => Some(Outcome::Rearm),
            libc::ECANCELED if changing => Some(Outcome::Rearm),
            0 => Some(Outcome::Fin),
            errno => Some(Outcome::ReceiveFailed(errno)),
        }
    }

    /// The receive is over.
    fn disarm(&mut self, slot: Slot) {
        let place = &mut self.places[slot as usize];
        place.receiving.armed = false;
        place.receiving.changing = false;
        if place.closing {
            self.settle(slot);
        } else {
            place.pending -= 1;
        }
    }

    /// What is under way on a connection that shall end: its receive, or else its connect.
    pub(super) fn cancel_receiving(&mut self, slot: Slot) {
        let Receiving { armed, discards, .. } = self.places[slot as usize].receiving;
        let verb = match (armed, discards) {
            (true, true) => Verb::Discard,
            (true, false) => Verb::Receive,
            (false, _) => Verb::Connect,
        };
        self.cancel(slot, verb);
    }

    /// The connection is there: its bytes are waited for.
    pub(super) fn begin_receiving(&mut self, slot: Slot) {
        self.places[slot as usize].receiving = Receiving::default();
        self.arm(slot, 0);
    }

    /// After bytes were read: sees to it that a receive is under way, and that it is of the right
    /// sort. `left`: how many bytes of body are certainly still to come.
    #[inline]
    pub fn keep_receiving(&mut self, slot: Slot, length: usize, left: impl FnOnce() -> u64) {
        let place = &mut self.places[slot as usize];
        let receiving = &mut place.receiving;
        let full = length >= receiving.sort.buffer().bytes();
        if receiving.armed && !full || place.closing || receiving.changing {
            return;
        }
        let left = left();
        let sort = receiving.sort;
        receiving.sort = match sort {
            _ if left >= WORTHLESS && self.job.may_discard() => Sort::Single,
            Sort::Small if full => Sort::Large,
            // The last body was no longer large.
            Sort::Single if length > 0 && left == 0 && !receiving.has_discarded => Sort::Large,
            same => same,
        };
        receiving.has_discarded &= left > 0;
        if !receiving.armed {
            self.arm(slot, left);
        } else if receiving.sort != sort {
            receiving.changing = true;
            self.cancel(slot, Verb::Receive);
        }
    }

    fn arm(&mut self, slot: Slot, left: u64) {
        let fixed = self.rings.fixed(slot);
        let place = &mut self.places[slot as usize];
        place.receiving.armed = true;
        place.pending += 1;
        // The end of a body is read, with whatever comes behind it.
        let is_worthless = left > Size::Small.bytes() as u64;
        place.receiving.discards = place.receiving.sort == Sort::Single && is_worthless;
        place.receiving.has_discarded |= place.receiving.discards;
        let discards = place.receiving.discards;
        let size = place.receiving.sort.buffer();
        if place.receiving.awaited > 1 || discards && left >= WORTH_AWAITING {
            self.await_bytes(slot, if discards { (left - 1).min(GULP) as i32 } else { 1 });
        }
        let place = &mut self.places[slot as usize];
        let (verb, entry) = match place.receiving.sort {
            Sort::Single if place.receiving.discards => {
                let length = (left - 1).min(MOST) as u32;
                let entry = opcode::Recv::new(fixed, std::ptr::null_mut(), length);
                (Verb::Discard, entry.flags(libc::MSG_TRUNC).build())
            }
            Sort::Single => {
                let length = size.bytes() as u32;
                let entry = opcode::Recv::new(fixed, std::ptr::null_mut(), length);
                let entry = entry.buf_group(size.group()).build();
                (Verb::Receive, entry.flags(squeue::Flags::BUFFER_SELECT))
            }
            _ => (Verb::Receive, opcode::RecvMulti::new(fixed, size.group()).build()),
        };
        self.push(slot, verb, entry);
    }
}

impl Sockets {
    /// Has receives on the connection end only when so many bytes are there: each time that a
    /// worker is woken for some of a large body costs it as much as throwing away 80 KB.
    fn await_bytes(&mut self, slot: Slot, bytes: i32) {
        let fixed = self.rings.fixed(slot);
        let receiving = &mut self.places[slot as usize].receiving;
        // What was raised before the kernel refused is still to be lowered.
        if receiving.awaited == bytes || self.cannot_await && bytes > 1 {
            return;
        }
        receiving.awaited = bytes;
        let value = &raw const receiving.awaited;
        let (level, option) = (libc::SOL_SOCKET as u32, libc::SO_RCVLOWAT as u32);
        let entry = opcode::SetSockOpt::new(fixed, level, option, value.cast(), 4).build();
        self.push(slot, Verb::Await, entry.flags(squeue::Flags::SKIP_SUCCESS));
    }
}
