//! HTTP/1.1 as a client speaks it, without IO: bytes in, outcomes out (RFC 9112).

mod reader;
mod request;

pub use reader::{End, HeadPool, Progress, Reader, Response};
pub use request::Request;
