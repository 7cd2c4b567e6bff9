//! The seam between the core and a driver.
//!
//! The core decides (whom to send to, what an answer means, when to give up); a driver carries
//! bytes. The core calls a [`Wire`]; the driver calls `Core::on` with an [`Event`]. Neither side
//! knows the other's insides, so a new driver touches no protocol and no accounting.

use crate::tls::KernelKeys;

/// A connection's place in its worker, for the whole run: connections come and go, slots stay.
pub type Slot = u32;

/// What a driver does when asked. Each call only starts the work; its outcome comes as an event.
pub trait Wire {
    /// Opens a connection to the job's address of that index. Answered by `Opened` or
    /// `OpenFailed`, never before this call has returned.
    fn open(&mut self, slot: Slot, address: usize);

    /// Writes the request `copies` times, back to back. Only a failure is answered (`SendFailed`),
    /// and where the job confirms sends also the success (`Sent`).
    fn send(&mut self, slot: Slot, copies: u32);

    /// Writes one request. Answered like `send`; `Sent` is told where the parcel says so.
    fn deliver(&mut self, _slot: Slot, _parcel: Parcel) {}

    /// Writes these bytes behind what was written before, and keeps a copy of what the kernel does
    /// not take at once. Answered by `Sent` when all of it is written, or by `SendFailed`.
    fn write(&mut self, slot: Slot, bytes: &[u8]);

    /// Has the kernel encrypt, with these keys, what is sent from now on: all that was given to
    /// `write` is written by then, and only `send` is called later. Whether it does so; `None`:
    /// that is told later, by `Offloaded`.
    fn offload(&mut self, _slot: Slot, _keys: KernelKeys) -> Option<bool> {
        Some(false)
    }

    /// Ends what is under way on the slot (a connect as well) and closes it. Answered by `Closed`,
    /// and by nothing else after it until the slot is opened again.
    fn close(&mut self, slot: Slot);

    /// The local port of an open connection, where it can be told at once. A driver that has to
    /// ask the kernel first tells it later, by `Core::local_port_is`, or never.
    fn local_port(&mut self, _slot: Slot) -> Option<u16> {
        None
    }
}

/// One request on its way: its bytes in two parts, which stay where they are, unchanged, until the
/// request has its fate or, where that was a failure, until its connection is closed.
#[derive(Clone, Copy, Debug)]
pub struct Parcel {
    parts: [(*const u8, usize); 2],
    /// The end of the write is to be told: it may not fit the socket's buffer.
    pub confirmed: bool,
}

impl Parcel {
    pub fn new(head: &[u8], tail: &[u8], confirmed: bool) -> Parcel {
        let part = |bytes: &[u8]| (bytes.as_ptr(), bytes.len());
        Parcel { parts: [part(head), part(tail)], confirmed }
    }

    pub fn length(&self) -> usize {
        self.parts[0].1 + self.parts[1].1
    }

    /// What can be written at once of what comes after the first `written` bytes.
    pub fn rest(&self, written: usize) -> (*const u8, usize) {
        let [head, tail] = self.parts;
        match written.checked_sub(head.1) {
            None => (head.0.wrapping_add(written), head.1 - written),
            Some(of_tail) => (tail.0.wrapping_add(of_tail), tail.1 - of_tail),
        }
    }
}

/// What a driver tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    Opened,
    /// The errno of connect(2) or of what came before it. The slot is closed without asking.
    OpenFailed(i32),
    Received(&'a [u8]),
    /// So many bytes of body came and were thrown away, at most what `Core::body_left` said.
    Discarded(u64),
    /// The peer has sent its last byte.
    Fin,
    /// The same, but TLS had not ended before: what came may not be all that was sent.
    Cut,
    ReceiveFailed(i32),
    SendFailed(i32),
    /// Whether the kernel encrypts now what is sent.
    Offloaded(bool),
    /// All copies are written; only told where the job confirms sends. Or all bytes.
    Sent,
    Closed,
}

/// All that can be in flight on one connection, up to which no send is confirmed.
pub const SMALL: usize = 16 * 1024;
