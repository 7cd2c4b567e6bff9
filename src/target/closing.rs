//! How a connection ends, and how all of them do.
//!
//! A slot is freed only when nothing in flight refers to it: a CLOSE under an armed multishot would
//! send no FIN, and a slot reused too early would mix up two clients.

use io_uring::types::Fixed;
use io_uring::{cqueue, opcode, squeue};

use super::connection::{Flight, Phase};
use super::ring::{Token, Verb};
use super::server::Server;
use crate::error::Result;
use crate::time::{self, Nanos};

/// How long one side of a connection may stay open after the other has ended: the client's after
/// our last answer, ours (with answers that are still delayed) after the client's end. A client
/// that gave up looks like one that only ended its side, and must not hold its slot for an hour.
const PATIENCE: Nanos = Nanos::from_secs(5);
/// For the cancellations when the server stops.
const LAST_WAIT: Nanos = Nanos::from_millis(500);

impl Server<'_> {
    /// The last answer was sent: close, or, when the client may still be sending, shut our side and
    /// wait for the client to do the same.
    pub(super) fn end(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.memory.slots[slot as usize];
        if connection.half_closed || !connection.armed || !connection.overrun {
            return self.close(slot);
        }
        connection.phase = Phase::Lingering;
        connection.shutting = true;
        let generation = connection.generation;
        self.limit(slot);
        let entry = opcode::Shutdown::new(Fixed(slot), libc::SHUT_WR).build();
        self.push(entry, Verb::Shutdown, slot, generation)
    }

    pub(super) fn shut(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.memory.slots[slot as usize];
        connection.shutting = false;
        if connection.phase == Phase::Closing { self.finish(slot) } else { Ok(()) }
    }

    /// The other side has ended: this one will, too, before long.
    pub(super) fn limit(&mut self, slot: u32) {
        let generation = self.memory.slots[slot as usize].generation;
        self.lingering.push_back((time::now() + PATIENCE, slot, generation));
    }

    /// Cancels what is in flight; the final completions free the slot.
    pub(super) fn close(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.memory.slots[slot as usize];
        if matches!(connection.phase, Phase::Closing | Phase::Free) {
            return Ok(());
        }
        connection.phase = Phase::Closing;
        let generation = connection.generation;
        if connection.armed {
            self.cancel(Token { verb: Verb::Receive, slot, generation })?;
        }
        if self.memory.slots[slot as usize].flight == Flight::Send {
            self.cancel(Token { verb: Verb::Send, slot, generation })?;
        }
        self.finish(slot)
    }

    /// Closes the descriptor and frees the slot, once nothing refers to them.
    pub(super) fn finish(&mut self, slot: u32) -> Result<()> {
        let connection = &mut self.memory.slots[slot as usize];
        if connection.armed || connection.shutting || connection.flight == Flight::Send {
            return Ok(());
        }
        let generation = connection.generation;
        self.memory.retired.extend(connection.out.take().map(|out| out.response));
        connection.free();
        self.accepting.freed();
        let entry = opcode::Close::new(Fixed(slot)).build();
        self.push(entry.flags(squeue::Flags::SKIP_SUCCESS), Verb::Close, slot, generation)
    }

    /// Leaves nothing in flight, so that the listener's port is free once the thread has ended.
    pub(super) fn cancel_all(&mut self, completions: &mut Vec<cqueue::Entry>) -> Result<()> {
        let all = io_uring::types::CancelBuilder::any();
        let entry = opcode::AsyncCancel2::new(all.all()).build();
        self.push(entry, Verb::Cancel, 0, 0)?;
        self.ring.enter(1, Some(time::now() + LAST_WAIT))?;
        self.ring.take(completions);
        // Closes every accepted socket; a refusal leaves that to the end of the ring.
        let _ = self.ring.submitter().unregister_files();
        Ok(())
    }
}
