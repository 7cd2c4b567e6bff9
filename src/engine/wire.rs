//! The seam between the core and a driver.
//!
//! The core decides (whom to send to, what an answer means, when to give up); a driver carries
//! bytes. The core calls a [`Wire`]; the driver calls `Core::on` with an [`Event`]. Neither side
//! knows the other's insides, so a new driver touches no protocol and no accounting.

use crate::http::PIECE;
use crate::metrics::Found;
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

    /// Writes one request behind what was delivered before. Answered like `send`; `Sent` is told
    /// where the parcel says so, and until then nothing else is delivered. A worker either sends
    /// or delivers.
    fn deliver(&mut self, _slot: Slot, _parcel: Parcel) {
        unreachable!("no scenario goes over this wire");
    }

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

    /// What the kernel says of an open connection, where it can be told at once. A driver that
    /// has to ask first tells it later, by `Core::found`.
    fn ask(&mut self, _slot: Slot) -> Option<Found> {
        Some(Found::default())
    }
}

/// One request on its way: its bytes in two parts, which stay where they are, unchanged, until the
/// request has its fate or, where its connection is closed for that, until it is.
///
/// What is not confirmed has no tail, and fits with all that is in flight beside it within
/// [`SMALL`].
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

    /// What is to be written in one call of what comes after the first `written` bytes.
    pub fn rest(&self, written: usize) -> (*const u8, usize) {
        let [head, tail] = self.parts;
        let (start, length) = match written.checked_sub(head.1) {
            None => (head.0.wrapping_add(written), head.1 - written),
            Some(of_tail) => (tail.0.wrapping_add(of_tail), tail.1 - of_tail),
        };
        (start, length.min(PIECE))
    }

    /// The same, to be read here.
    ///
    /// # Safety
    /// The bytes are still where they were: the core waits for the fate of the request, or for the
    /// end of the connection.
    pub unsafe fn piece<'a>(&self, written: usize) -> &'a [u8] {
        let (start, length) = self.rest(written);
        // SAFETY: a stretch of one of the two slices that `new` was given; the caller answers for
        // their being there.
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    /// Copies what comes after the first `written` bytes, at most `most` of it. Returns how much.
    ///
    /// # Safety
    /// As for [`Parcel::piece`].
    pub unsafe fn copy(&self, written: usize, most: usize, into: &mut Vec<u8>) -> usize {
        let end = self.length().min(written.saturating_add(most));
        let mut at = written;
        while at < end {
            // SAFETY: as the caller says.
            let piece = unsafe { self.piece(at) };
            let piece = &piece[..piece.len().min(end - at)];
            into.extend_from_slice(piece);
            at += piece.len();
        }
        at - written
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_parcel_make_up_its_head_and_its_tail() {
        let bytes: Vec<u8> = (0..3 * PIECE).map(|n| (n * 7) as u8).collect();
        for (head, tail) in [(0, 0), (1, 0), (0, 1), (5, 9), (100, PIECE), (7, 2 * PIECE + 9)] {
            let parcel = Parcel::new(&bytes[..head], &bytes[head..head + tail], true);
            assert_eq!(parcel.length(), head + tail);
            let mut joined = Vec::new();
            while joined.len() < parcel.length() {
                // SAFETY: `bytes` outlives the parcel.
                let piece = unsafe { parcel.piece(joined.len()) };
                assert!((1..=PIECE).contains(&piece.len()));
                joined.extend_from_slice(piece);
            }
            assert!(joined == bytes[..head + tail]);
        }
    }

    #[test]
    fn a_copy_of_a_parcel_goes_on_where_the_last_one_ended() {
        let bytes: Vec<u8> = (0..1_000).map(|n| n as u8).collect();
        let parcel = Parcel::new(&bytes[..300], &bytes[300..], true);
        for most in [1, 7, 299, 300, 301, 999, 1_000, usize::MAX] {
            let mut copied = Vec::new();
            // SAFETY: `bytes` outlives the parcel.
            while unsafe { parcel.copy(copied.len(), most, &mut copied) } > 0 {}
            assert_eq!(copied, bytes, "{most}");
        }
    }
}
