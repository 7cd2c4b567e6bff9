//! Evidence: what is kept of a failure beside its kind, so that a reader can look into it. Of a
//! fixed size, so that a worker can make room for all of it before it starts.

use crate::flaw::Flaw;

/// How far a request, or an attempt to connect, had got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The connection was being opened.
    Connect,
    /// It was open, and TLS was being agreed on.
    Handshake,
    /// The request was still being sent.
    Send,
    /// The request was sent, and no byte of an answer had come.
    Wait,
    /// Inside the head of the answer.
    Head,
    /// Inside its body.
    Body,
}

impl Reached {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Reached::Connect => "connect",
            Reached::Handshake => "handshake",
            Reached::Send => "send",
            Reached::Wait => "wait",
            Reached::Head => "head",
            Reached::Body => "body",
        }
    }
}

/// What was known of the answer when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub reached: Reached,
    /// Of the answer whose head had been read.
    pub status: Option<u16>,
    /// Bytes as they came: from the start of a head, or of a body that followed in the same read.
    pub received: Excerpt,
    /// What was wrong with its TLS.
    pub flaw: Option<Flaw>,
}

impl Evidence {
    pub fn none(reached: Reached) -> Evidence {
        Evidence { reached, status: None, received: Excerpt::EMPTY, flaw: None }
    }
}

/// The first bytes of something longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// At most [`EXCERPT`]; what is past it in `bytes` is zero.
    length: u8,
    bytes: [u8; EXCERPT],
}

/// Bytes of an excerpt.
pub const EXCERPT: usize = 64;

impl Excerpt {
    pub const EMPTY: Excerpt = Excerpt { length: 0, bytes: [0; EXCERPT] };

    pub fn of(bytes: &[u8]) -> Excerpt {
        let mut excerpt = Excerpt::EMPTY;
        let length = bytes.len().min(EXCERPT);
        excerpt.bytes[..length].copy_from_slice(&bytes[..length]);
        excerpt.length = length as u8;
        excerpt
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_holds_the_first_bytes_and_no_more() {
        let long: Vec<u8> = (0..200).collect();
        for length in [0, 1, 63, 64, 65, 200] {
            let expected = &long[..length.min(EXCERPT)];
            assert_eq!(Excerpt::of(&long[..length]).bytes(), expected);
        }
    }
}
