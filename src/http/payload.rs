//! Requests as bytes, ready to be sent over and over.

use std::ops::Range;

use bytes::Bytes;

use super::Request;

/// From this size on a body is not copied: neither for each worker nor for pipelining.
const LARGE: usize = 64 * 1024;

/// The most that is sent in one call. While the server reads it, the kernel stays in the call: a
/// gigabyte kept a worker from everything else for half a second.
pub const PIECE: usize = 1 << 20;

/// One request as often as a connection may have it in flight, back to back.
#[derive(Clone, Debug)]
pub struct Payload {
    /// All copies; where the body is large, the head of one.
    bytes: Bytes,
    /// The large body that follows each head, shared by all that send it; else empty.
    body: Bytes,
    /// Of one request.
    length: usize,
    copies: usize,
}

impl Payload {
    pub fn new(request: &Request, copies: u32) -> Payload {
        let copies = copies as usize;
        let mut bytes = request.head();
        let length = bytes.len() + request.body.len();
        if request.body.len() >= LARGE {
            return Payload { bytes: bytes.into(), body: request.body.clone(), length, copies };
        }
        bytes.extend_from_slice(&request.body);
        Payload::of(&bytes, copies as u32)
    }

    /// A request that is bytes already.
    pub fn of(one: &[u8], copies: u32) -> Payload {
        let (length, copies) = (one.len(), copies as usize);
        Payload { bytes: one.repeat(copies).into(), body: Bytes::new(), length, copies }
    }

    /// For another worker: the count of its users is no business of the others, but for a body
    /// that is rarely begun anew.
    pub fn copied(&self) -> Payload {
        Payload { bytes: Bytes::copy_from_slice(&self.bytes), ..self.clone() }
    }

    /// The length of one request.
    #[inline]
    pub fn length(&self) -> usize {
        self.length
    }

    /// The length of all copies.
    pub fn whole(&self) -> usize {
        self.length * self.copies
    }

    /// All copies in one piece; no more than their heads where the body is large.
    #[inline]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The first copy's two parts: its head, and its body where that is large; else both are in
    /// the first, and the second is empty.
    pub fn parts(&self) -> (&[u8], &[u8]) {
        (&self.bytes[..self.length - self.body.len()], &self.body)
    }

    /// Of this stretch of the copies as much as lies in one piece from its start on, and is to be
    /// sent in one call: which bytes, and where in them.
    pub fn piece(&self, stretch: Range<usize>) -> (&Bytes, Range<usize>) {
        let end = stretch.end.min(stretch.start + PIECE);
        let stretch = stretch.start..end;
        if self.body.is_empty() {
            return (&self.bytes, stretch);
        }
        let head = self.bytes.len();
        let at = stretch.start % self.length;
        let (bytes, at) = if at < head { (&self.bytes, at) } else { (&self.body, at - head) };
        (bytes, at..bytes.len().min(at + stretch.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stretch, put together from its pieces.
    fn joined(payload: &Payload, stretch: Range<usize>) -> Vec<u8> {
        let mut joined = Vec::new();
        while joined.len() < stretch.len() {
            let (bytes, range) = payload.piece(stretch.start + joined.len()..stretch.end);
            assert!(!range.is_empty());
            joined.extend_from_slice(&bytes[range]);
        }
        joined
    }

    #[test]
    fn the_pieces_make_up_the_copies_whatever_the_size_of_the_body() {
        for size in [0, 1, LARGE - 1, LARGE, LARGE + 7, PIECE, 2 * PIECE + 7] {
            let mut request = Request::new("PUT", "/", "h");
            let body: Vec<u8> = (0..size).map(|n| n as u8).collect();
            request.set_body(body.clone().into(), None);
            let one = [request.head(), body].concat();
            for copies in [1, 3] {
                let payload = Payload::new(&request, copies);
                let all = one.repeat(copies as usize);
                assert_eq!((payload.length(), payload.whole()), (one.len(), all.len()));
                assert_eq!(joined(&payload, 0..all.len()), all, "{size}");
                let half = one.len() / 2;
                assert_eq!(joined(&payload.copied(), half..one.len()), one[half..], "{size}");
                assert_eq!(joined(&payload, all.len() - 1..all.len()), all[all.len() - 1..]);
            }
        }
    }

    #[test]
    fn a_large_body_is_shared_and_not_copied() {
        let mut request = Request::new("PUT", "/", "h");
        request.set_body(vec![7; LARGE].into(), None);
        let payload = Payload::new(&request, 8);
        assert_eq!(payload.copied().body.as_ptr(), request.body.as_ptr());
    }
}
