//! One server thread: a listener, a ring and the connections accepted from it.
//!
//! The order within a turn is what the rest leans on: enter (every queued operation reaches the
//! kernel), reap (every completion is handled), then send. So between two sends on one connection
//! lies a full reaping, and a quick send that reported nothing has succeeded.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::os::fd::RawFd;
use std::sync::Arc;

use io_uring::types::{Fd, Fixed};
use io_uring::{cqueue, opcode, squeue};

use super::Counters;
use super::accept::Accepting;
use super::buffers::{Buffers, GROUP};
use super::connection::{CROWDED, Connection, Context, Flight, Load, Phase, RELAXED};
use super::ledger::Ledger;
use super::response::Response;
use super::ring::{Ring, SLICE, Token, Verb};
use crate::error::Result;
use crate::time::{self, Nanos};

/// A blocking wait in a virtual machine ends 20 to 50 us late, so the last stretch before a delayed
/// answer is spun. Nothing spins when no answer is delayed.
const SPIN: Nanos = Nanos::from_micros(60);
/// A send up to this long is tried at once, without waiting for room in the socket.
const QUICK: usize = 80 * 1024;

/// What the kernel may read or write at any time. Made before the ring, so that it is dropped after
/// it, whatever happens in between.
pub(super) struct Memory {
    pub buffers: Buffers,
    pub slots: Vec<Connection>,
    /// Bytes of connections that were closed in this turn: a send of them may still be queued.
    pub retired: Vec<std::rc::Rc<Response>>,
}

pub(super) struct Server<'a> {
    pub(super) ring: Ring<'a>,
    pub(super) memory: &'a mut Memory,
    pub(super) cx: Context,
    pub(super) accepting: Accepting,
    /// When a waiting answer is due, on which slot of which generation.
    timers: BinaryHeap<Reverse<(Nanos, u32, u32)>>,
    /// All with the same patience, hence in order.
    pub(super) lingering: VecDeque<(Nanos, u32, u32)>,
    /// Slots to look at before the turn ends.
    dirty: Vec<u32>,
    counters: Arc<Counters>,
    stopping: bool,
}

impl<'a> Server<'a> {
    pub fn new(
        ring: Ring<'a>,
        memory: &'a mut Memory,
        cx: Context,
        accepting: Accepting,
        counters: Arc<Counters>,
    ) -> Server<'a> {
        Server {
            ring,
            memory,
            cx,
            accepting,
            timers: BinaryHeap::new(),
            lingering: VecDeque::new(),
            dirty: Vec::new(),
            counters,
            stopping: false,
        }
    }

    /// Serves until the stop descriptor becomes readable.
    pub fn run(&mut self, stop: RawFd) -> Result<()> {
        let poll = opcode::PollAdd::new(Fd(stop), libc::POLLIN as u32).build();
        self.push(poll, Verb::Stop, 0, 0)?;
        let mut completions = Vec::with_capacity(SLICE);
        while !self.stopping {
            self.accepting_in_step()?;
            self.counters.publish(&self.cx.stats);
            self.wait()?;
            // A queued quick send that the kernel has not seen cannot be taken for a success.
            let entered = self.ring.all_submitted();
            self.reap(&mut completions)?;
            self.fire()?;
            if entered {
                self.flush()?;
            }
        }
        self.counters.publish(&self.cx.stats);
        self.cancel_all(&mut completions)?;
        self.cx.ledger.take().map_or(Ok(()), Ledger::close)
    }

    /// Submits, and sleeps until there is something to do.
    fn wait(&mut self) -> Result<()> {
        if !self.dirty.is_empty() {
            // The last flush was put off.
            return self.ring.enter(0, None);
        }
        let housekeeping = self.lingering.front().map(|entry| entry.0);
        let Some(Reverse((due, ..))) = self.timers.peek().copied() else {
            return self.ring.enter(1, earliest(housekeeping, self.accepting.again));
        };
        if due > time::now() + SPIN {
            let housekeeping = earliest(housekeeping, self.accepting.again);
            return self.ring.enter(1, earliest(housekeeping, Some(due - SPIN)));
        }
        self.ring.enter(0, None)?;
        while !self.ring.has_work() && time::now() < due {
            std::hint::spin_loop();
        }
        // Deferred work becomes completions only inside an enter.
        if self.ring.has_work() { self.ring.enter(0, None) } else { Ok(()) }
    }

    /// Handles every completion there is. On kernels since 6.13 an enter makes about twenty, so
    /// this stays a small batch; older ones may make one per connection.
    fn reap(&mut self, slice: &mut Vec<cqueue::Entry>) -> Result<()> {
        loop {
            self.ring.take(slice);
            if slice.is_empty() {
                self.memory.buffers.publish();
                return Ok(());
            }
            self.cx.now = time::now();
            for completion in slice.iter() {
                self.handle(completion)?;
            }
        }
    }

    fn handle(&mut self, completion: &cqueue::Entry) -> Result<()> {
        let token = Token::unpack(completion.user_data());
        match token.verb {
            Verb::Receive => self.received(token, completion),
            Verb::Quick => self.fell_short(token, completion.result()),
            Verb::Send => self.sent(token, completion.result()),
            Verb::Accept => self.accepted(completion),
            Verb::Stop => {
                self.stopping = true;
                Ok(())
            }
            Verb::Shutdown => self.shut(token.slot),
            // Silent when they succeed. A cancellation fails when its target has just ended, whose
            // own completion says the rest.
            Verb::Cancel | Verb::Close => Ok(()),
        }
    }

    /// Bytes, the client's end, or the end of a multishot receive.
    fn received(&mut self, token: Token, completion: &cqueue::Entry) -> Result<()> {
        let (result, flags) = (completion.result(), completion.flags());
        let memory = &mut *self.memory;
        let connection = &mut memory.slots[token.slot as usize];
        assert!(connection.generation == token.generation, "a slot was reused under a receive");
        if let Some(id) = cqueue::buffer_select(flags) {
            if result > 0 && connection.phase == Phase::Open {
                // SAFETY: this completion named the buffer and this length; it is given back only
                // below.
                let bytes = unsafe { memory.buffers.bytes(id, result as usize) };
                connection.receive(bytes, &mut self.cx);
            }
            self.cx.stats.bytes_in += result.max(0) as u64;
            memory.buffers.give_back(id);
        }
        let pause = connection.waiting() > CROWDED && !connection.paused;
        connection.paused |= pause;
        if !cqueue::more(flags) {
            return self.receive_ended(token.slot, result);
        }
        if pause {
            self.cancel(token)?;
        }
        self.touch(token.slot);
        Ok(())
    }

    fn receive_ended(&mut self, slot: u32, result: i32) -> Result<()> {
        let connection = &mut self.memory.slots[slot as usize];
        connection.armed = false;
        match (connection.phase, -result) {
            (Phase::Closing, _) => return self.finish(slot),
            (Phase::Lingering, 0) => return self.close(slot),
            (Phase::Open, 0) => {
                connection.half_closed = true;
                if connection.waiting() > 0 {
                    self.limit(slot);
                }
            }
            // Armed again when the turn ends (`follow_up`): every buffer is back by then, whereas a
            // receive armed here might find none and end at once, without end.
            (_, libc::ENOBUFS) => self.cx.stats.buffers_exhausted += 1,
            // Paused by us, or ended with data because the completion queue was full.
            (Phase::Open, libc::ECANCELED) | (_, libc::EINTR | libc::EAGAIN | ..0) => {}
            (_, _) => return self.close(slot),
        }
        self.touch(slot);
        Ok(())
    }

    /// A quick send did not send everything; what is left has to wait for room.
    fn fell_short(&mut self, token: Token, result: i32) -> Result<()> {
        let Some(connection) = self.tenant(token) else { return Ok(()) };
        connection.flight = Flight::Idle;
        match (&mut connection.out, result) {
            (Some(out), 0.. | AGAIN | INTERRUPTED) => {
                let done = result.max(0) as u64;
                let short = out.end - out.offset - done;
                out.offset += done;
                out.slow = true;
                self.cx.stats.bytes_out -= short;
                self.touch(token.slot);
                Ok(())
            }
            _ => self.close(token.slot),
        }
    }

    fn sent(&mut self, token: Token, result: i32) -> Result<()> {
        let Some(connection) = self.tenant(token) else { return Ok(()) };
        connection.flight = Flight::Idle;
        if connection.phase == Phase::Closing {
            return self.finish(token.slot);
        }
        match (&mut connection.out, result) {
            (Some(out), 1.. | AGAIN | INTERRUPTED) => {
                let done = result.max(0) as u64;
                out.offset += done;
                if out.offset == out.end {
                    connection.out = None;
                }
                self.cx.stats.bytes_out += done;
                self.touch(token.slot);
                Ok(())
            }
            _ => self.close(token.slot),
        }
    }

    /// The connection a completion belongs to, unless its slot has a new tenant.
    fn tenant(&mut self, token: Token) -> Option<&mut Connection> {
        let connection = &mut self.memory.slots[token.slot as usize];
        (connection.generation == token.generation).then_some(connection)
    }

    /// Notes that a connection may have something to send.
    pub(super) fn touch(&mut self, slot: u32) {
        let connection = &mut self.memory.slots[slot as usize];
        if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(slot);
        }
    }

    /// Answers whose time has come, connections that lingered long enough.
    fn fire(&mut self) -> Result<()> {
        if self.timers.is_empty() && self.lingering.is_empty() {
            return Ok(());
        }
        self.cx.now = time::now();
        // Entries of connections that are gone go at once, lest each ends a wait of its own.
        while let Some(&Reverse((due, slot, generation))) = self.timers.peek() {
            let connection = &mut self.memory.slots[slot as usize];
            let present = connection.generation == generation;
            if present && due > self.cx.now {
                break;
            }
            self.timers.pop();
            if present {
                connection.timed = false;
                self.touch(slot);
            }
        }
        while let Some(&(until, slot, generation)) = self.lingering.front() {
            let present = self.memory.slots[slot as usize].generation == generation;
            if present && until > self.cx.now {
                break;
            }
            self.lingering.pop_front();
            if present {
                self.close(slot)?;
            }
        }
        Ok(())
    }

    /// One send at most for each connection that has something to send.
    fn flush(&mut self) -> Result<()> {
        self.memory.retired.clear();
        let mut dirty = std::mem::take(&mut self.dirty);
        for slot in dirty.drain(..) {
            if self.cx.log.is_some() {
                self.cx.now = time::now();
            }
            // A slot that was freed and taken again may stand in the list twice.
            if std::mem::take(&mut self.memory.slots[slot as usize].dirty) {
                self.serve(slot)?;
            }
        }
        self.dirty = dirty;
        Ok(())
    }

    fn serve(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.memory.slots[slot as usize];
        if connection.flight == Flight::Quick {
            connection.flight = Flight::Idle;
            connection.out = None;
        }
        if connection.phase == Phase::Open && connection.flight == Flight::Idle {
            match connection.load(&self.cx) {
                Load::Nothing if connection.is_over() => return self.end(slot),
                Load::Nothing | Load::Later(_) => {}
                Load::Ready => self.send(slot)?,
            }
        }
        self.follow_up(slot)
    }

    /// Sends the next piece of what is loaded.
    fn send(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.memory.slots[slot as usize];
        let Some(out) = &connection.out else { return Ok(()) };
        let piece = out.response.piece(out.offset, out.end);
        let whole = piece.len() as u64 == out.end - out.offset;
        let quick = whole && !out.slow && piece.len() <= QUICK;
        let flags = libc::MSG_WAITALL | libc::MSG_NOSIGNAL;
        let send = opcode::Send::new(Fixed(slot), piece.as_ptr(), piece.len() as u32);
        let generation = connection.generation;
        // SAFETY (of both pushes): the piece belongs to a response that `out` keeps until the send
        // has completed (`Send`) or was entered and reaped (`Quick`, which MSG_DONTWAIT lets end
        // only inside its submission); `close` moves it to `retired` for the same time.
        if quick {
            connection.flight = Flight::Quick;
            self.cx.stats.bytes_out += piece.len() as u64;
            // No completion to handle, and none that ends the next wait at once: one enter a request
            // instead of two on a lone connection, 0.40 instead of 0.48 with 64 (kernel 6.18).
            let entry = send.flags(flags | libc::MSG_DONTWAIT).build();
            self.push(entry.flags(squeue::Flags::SKIP_SUCCESS), Verb::Quick, slot, generation)
        } else {
            connection.flight = Flight::Send;
            self.push(send.flags(flags).build(), Verb::Send, slot, generation)
        }
    }

    /// What waits gets its timer; a receive that ended, or was paused, is armed again.
    fn follow_up(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.memory.slots[slot as usize];
        if matches!(connection.phase, Phase::Free | Phase::Closing) {
            return Ok(());
        }
        if let Some(due) = connection.next_due()
            && due > self.cx.now
            && !connection.timed
        {
            connection.timed = true;
            self.timers.push(Reverse((due, slot, connection.generation)));
            self.forget_stale_timers();
        }
        let connection = &mut self.memory.slots[slot as usize];
        let wanted = !connection.paused || connection.waiting() < RELAXED;
        if !connection.armed && !connection.half_closed && wanted {
            connection.paused = false;
            self.receive(slot)?;
        }
        Ok(())
    }

    /// A connection has one timer at most, but one that is closed leaves its own behind.
    fn forget_stale_timers(&mut self) {
        let slots = &self.memory.slots;
        if self.timers.len() > 2 * slots.len() + 1024 {
            self.timers.retain(|Reverse((_, slot, generation))| {
                slots[*slot as usize].generation == *generation
            });
        }
    }

    /// Arms the multishot receive.
    pub(super) fn receive(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.memory.slots[slot as usize];
        connection.armed = true;
        let generation = connection.generation;
        let entry = opcode::RecvMulti::new(Fixed(slot), GROUP).build();
        self.push(entry, Verb::Receive, slot, generation)
    }

    pub(super) fn cancel(&mut self, token: Token) -> Result<()> {
        let entry = opcode::AsyncCancel::new(token.pack()).build();
        let entry = entry.flags(squeue::Flags::SKIP_SUCCESS);
        self.push(entry, Verb::Cancel, token.slot, token.generation)
    }

    pub(super) fn push(
        &mut self,
        entry: squeue::Entry,
        verb: Verb,
        slot: u32,
        generation: u32,
    ) -> Result<()> {
        let entry = entry.user_data(Token { verb, slot, generation }.pack());
        // SAFETY: receives use the registered buffers, which `Memory` keeps past the ring; sends
        // point into responses, see `send`; the other operations point at nothing.
        unsafe { self.ring.push(&entry) }
    }
}

fn earliest(one: Option<Nanos>, other: Option<Nanos>) -> Option<Nanos> {
    one.into_iter().chain(other).min()
}

const AGAIN: i32 = -libc::EAGAIN;
const INTERRUPTED: i32 = -libc::EINTR;
