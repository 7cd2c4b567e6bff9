//! The request: described once, serialised once, sent many times.

use bytes::Bytes;

/// One request, complete: nothing is added when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Origin-form: path and query.
    pub target: String,
    /// In the order they are sent.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}
