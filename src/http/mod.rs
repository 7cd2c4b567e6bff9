//! HTTP/1.1 as a client speaks it, without IO: bytes in, outcomes out (RFC 9112).
//!
//! [`Request`] is serialised once and sent many times. [`Reader`] takes whatever bytes a read
//! brought and says when a response is complete; it keeps no bytes but those of a head that was
//! split over reads, and these stand in the worker's [`HeadPool`]. Bodies are counted, not kept;
//! where one is expected to hold something, a [`Pattern`] looks at its bytes as they pass. Who
//! wants to keep a head or a body is a [`Look`].
//!
//! ```text
//! reader   which part of a response is next
//! head     one whole head: httparse, then framing
//! framing  which body follows, and may the connection live
//! scan     a head (or trailers) byte by byte, for heads that come in pieces
//! body     the chunked coding
//! pattern  what a body is expected to hold
//! pool     the buffers of split heads, bounded
//! fields   the fields of a head that was read
//! look     what is shown of responses while they are read
//! jar      the cookies of one user
//! ```
//!
//! What always holds: the verdict on a response does not depend on how its bytes were split over
//! reads (`property.rs` tries), and no byte off the network can panic or grow memory past the pool.

mod body;
#[cfg(test)]
mod evidence;
mod fields;
mod framing;
mod head;
mod jar;
mod look;
pub mod multipart;
mod pattern;
mod payload;
mod pool;
#[cfg(test)]
mod property;
mod reader;
mod request;
mod scan;

pub use fields::{Fields, field, fields};
pub use jar::{Jar, set_cookies};
pub use look::Look;
pub use pattern::{Pattern, Sighting};
pub use payload::{PIECE, Payload};
pub use pool::HeadPool;
pub use reader::{End, Progress, Reader, Response};
pub use request::Request;

/// The longest head, its last line end included; also the longest trailer section.
pub const MAX_HEAD: usize = 64 * 1024;

/// The most fields in a head, and in a trailer section.
pub const MAX_FIELDS: usize = 256;

/// A byte of a token: methods and field names (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.'
        | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// A byte that may stand in a field value or a reason: tab, printable, obs-text (RFC 9110, 5.5).
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}
