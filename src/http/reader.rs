//! The reader: the bytes of a connection in, responses out.

use crate::failure::Kind;

/// Reads the responses of one connection. Holds no bytes but those of a split head, and these are
/// borrowed from the worker's [`HeadPool`].
#[derive(Debug, Default)]
pub struct Reader {}

/// What a call of [`Reader::read`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All input is used up, and the response is not complete.
    Partial,
    /// One response is complete; the input may hold more.
    Complete(Response),
    /// The bytes are no answer: `Malformed`, `HeadTooLarge` or `BuffersExhausted`.
    Broken(Kind),
}

/// A complete response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// The connection may carry another request.
    pub keep_alive: bool,
    /// Bytes of body, decoded (chunk framing not counted).
    pub body_bytes: u64,
}

/// What a FIN means where it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Between responses.
    Idle,
    /// It completes a close-delimited response.
    Complete(Response),
    /// Inside a head or a counted or chunked body.
    Truncated,
}

/// The worker's buffers for split heads.
#[derive(Debug)]
pub struct HeadPool {}

impl Reader {
    /// Reads up to the end of one response. Returns how many bytes of `input` were used.
    pub fn read(&mut self, _input: &[u8], _head: bool, _pool: &mut HeadPool) -> (usize, Progress) {
        (0, Progress::Broken(Kind::Malformed))
    }
}
