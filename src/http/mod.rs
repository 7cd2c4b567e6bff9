//! HTTP/1.1 as a client speaks it, without IO: bytes in, outcomes out (RFC 9112).

mod reader;
mod request;

pub use reader::{End, HeadPool, Progress, Reader, Response};
pub use request::Request;

/// A byte of a token: methods and field names (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.'
        | b'^' | b'_' | b'`' | b'|' | b'~')
}
