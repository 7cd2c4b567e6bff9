//! `--request-id`: an id on each request, by which the server's own traces can be found. Unique in
//! the run and over runs, and always of the same length.

use crate::error::{Error, Result};
use crate::http::Request;
use crate::units::quote;

/// Which header, and what the ids of this run begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId {
    pub header: String,
    /// Of the run.
    pub run: u64,
    /// What the numbers of its requests come after.
    pub after: u64,
}

/// What is sent before the load and after it has numbers of its own, far above the load's.
pub const BEFORE_LOAD: u64 = 1 << 62;
pub const AFTER_LOAD: u64 = 1 << 63;

/// What an id would break.
const FRAMING: [&str; 4] = ["content-length", "transfer-encoding", "connection", "expect"];

/// W3C Trace Context, 2.2.
const TRACEPARENT: &str = "traceparent";

impl RequestId {
    /// `unique`: differs from run to run.
    pub fn new(header: &str, unique: u64) -> RequestId {
        // A trace of zeros would be none.
        RequestId { header: header.to_string(), run: unique.max(1), after: 0 }
    }

    /// Puts its header on a request. What stands there was asked for by somebody else.
    pub fn put(&self, request: &mut Request) -> Result<()> {
        if request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(&self.header)) {
            return Err(Error::usage(format!(
                "--request-id: the request has a header {} of its own; leave one of the two out",
                quote(&self.header)
            )));
        }
        if FRAMING.iter().any(|name| name.eq_ignore_ascii_case(&self.header)) {
            return Err(Error::usage(format!(
                "--request-id: {} says how the request is read, and is no place for an id; name \
                 another header, such as X-Request-Id",
                quote(&self.header)
            )));
        }
        request.set_header(&self.header, &self.template())
    }

    /// The header's value, with a placeholder for the request's number.
    pub fn template(&self) -> String {
        let number = "{{seq hex}}";
        self.written(&format!("{:016x}", self.run), number)
    }

    /// The id of the request of that number.
    pub fn text(&self, number: u64) -> String {
        self.written(&format!("{:016x}", self.run), &format!("{number:016x}"))
    }

    /// Each request begins a trace: the number is in its name, and is the parent as well.
    fn written(&self, run: &str, number: &str) -> String {
        match self.header.eq_ignore_ascii_case(TRACEPARENT) {
            true => format!("00-{run}{number}-{number}-01"),
            false => format!("{run}-{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_the_run_and_of_the_request() {
        let id = RequestId::new("X-Request-Id", 0xfeed);
        assert_eq!(id.text(7), "000000000000feed-0000000000000007");
        assert_eq!(id.text(u64::MAX).len(), id.text(1).len());
        assert_ne!(id.text(7), RequestId::new("X-Request-Id", 0xfeee).text(7));
    }

    #[test]
    fn a_traceparent_is_as_the_w3c_has_it() {
        let text = RequestId::new("TraceParent", 0).text(10);
        assert_eq!(text, "00-0000000000000001000000000000000a-000000000000000a-01");
        let parts: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(parts, [2, 32, 16, 2]);
    }

    #[test]
    fn a_header_that_is_there_is_left_alone() {
        let mut request = Request::new("GET", "/", "h");
        let id = RequestId::new("x-request-id", 1);
        id.put(&mut request).expect("a header");
        assert!(request.headers.iter().any(|(_, value)| value.ends_with("-{{seq hex}}")));
        let message = id.put(&mut request).expect_err("it is there").message;
        assert!(message.contains("`x-request-id` of its own"), "{message}");
    }
}
