//! What a message is made of, once it is compiled.

use bytes::Bytes;

use super::escape::Escape;
use super::slot::Slot;
use crate::http::Payload;
use crate::plan::mask::MASK;

/// A request, taken apart.
#[derive(Clone, Debug)]
pub struct Parts {
    /// All of it, where nothing varies.
    pub payload: Option<Payload>,
    /// Places of the tables that it draws from, ascending.
    pub tables: Vec<usize>,
    /// Up to the digits of the body's length; all but the tail where that does not vary.
    pub first: Vec<Part>,
    pub counted: Option<Counted>,
    /// A large part of the body, at its end, that never changes.
    pub tail: Bytes,
}

/// A stretch of a message.
#[derive(Clone, Debug)]
pub enum Part {
    Fixed(Bytes),
    Slot(Slot, Escape),
    /// The user's cookies as a field of their own, where there are any.
    Cookies,
    /// The same behind a field's own.
    MoreCookies,
    /// Drawn like any other, and written as `***`.
    Hidden(Vec<Part>),
}

impl Part {
    /// See [`Message::outline`](super::Message::outline).
    pub fn outline(&self, into: &mut Vec<u8>) {
        match self {
            Part::Fixed(bytes) => into.extend_from_slice(bytes),
            Part::Slot(slot, _) => into.extend_from_slice(slot.outline().as_bytes()),
            Part::Cookies | Part::MoreCookies => into.extend_from_slice(b"{{cookies}}"),
            Part::Hidden(_) => into.extend_from_slice(MASK.as_bytes()),
        }
    }
}

/// What stands behind the digits of a length that varies.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Up to the body.
    pub between: Vec<Part>,
    pub body: Vec<Part>,
}
