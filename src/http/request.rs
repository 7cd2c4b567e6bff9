//! The request: described once, serialised once, sent many times.
//!
//! Nothing is added when it is sent: what stands in [`Request::headers`] is what goes out, in that
//! order. [`Request::new`] and [`Request::set_body`] keep Host, User-Agent and Content-Length
//! right; whoever sets a field afterwards has the last word, also to send nonsense on purpose.

use bytes::Bytes;

use super::is_token;
use crate::error::{Error, Result};

/// One request, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Origin-form: path and query.
    pub target: String,
    /// In the order they are sent.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Request {
    /// A request without a body. `host` is the value of the Host field.
    pub fn new(method: &str, target: &str, host: &str) -> Request {
        let mut request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![
                ("Host".to_owned(), host.to_owned()),
                ("User-Agent".to_owned(), concat!("blast/", env!("CARGO_PKG_VERSION")).to_owned()),
            ],
            body: Bytes::new(),
        };
        request.put_length();
        request
    }

    /// Gives the field this value, in the place of its first occurrence, or last when it is new.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<()> {
        check_header(name, value)?;
        self.put(name, value);
        Ok(())
    }

    /// Appends the field, whether or not there is one of that name.
    pub fn add_header(&mut self, name: &str, value: &str) -> Result<()> {
        check_header(name, value)?;
        self.headers.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Drops every field of that name.
    pub fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// Sets the body, its Content-Length and, when given, its Content-Type.
    pub fn set_body(&mut self, body: Bytes, content_type: Option<&str>) {
        self.body = body;
        if let Some(content_type) = content_type {
            self.put("Content-Type", content_type);
        }
        self.put_length();
    }

    /// Its response has no body, whatever the head says (RFC 9110, 9.3.2).
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// Refuses what would not be one request on the wire: a method that is no token, a target or a
    /// field that breaks its line.
    pub fn validate(&self) -> Result<()> {
        if self.method.is_empty() || !self.method.bytes().all(is_token) {
            return Err(Error::usage(format!(
                "`{}` is not an HTTP method: give one word such as GET or POST",
                self.method.escape_debug()
            )));
        }
        if self.target.is_empty() || self.target.bytes().any(|b| b <= b' ' || b == 0x7f) {
            return Err(Error::usage(format!(
                "the path `{}` is empty or holds a space or a control character: percent-encode it",
                self.target.escape_debug()
            )));
        }
        self.headers.iter().try_for_each(|(name, value)| check_header(name, value))
    }

    /// Everything before the body (RFC 9112, 2.1).
    pub(super) fn head(&self) -> Vec<u8> {
        let mut wire = Vec::new();
        for part in [&*self.method, " ", &*self.target, " HTTP/1.1\r\n"] {
            wire.extend_from_slice(part.as_bytes());
        }
        for part in self.headers.iter().flat_map(|(n, v)| [&**n, ": ", &**v, "\r\n"]) {
            wire.extend_from_slice(part.as_bytes());
        }
        wire.extend_from_slice(b"\r\n");
        wire
    }

    fn put(&mut self, name: &str, value: &str) {
        match self.headers.iter().position(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some(first) => {
                let later = self.headers.split_off(first + 1);
                self.headers[first] = (name.to_owned(), value.to_owned());
                let others = later.into_iter().filter(|(n, _)| !n.eq_ignore_ascii_case(name));
                self.headers.extend(others);
            }
            None => self.headers.push((name.to_owned(), value.to_owned())),
        }
    }

    /// A method that means a body says so when it is empty; others then say nothing (RFC 9110,
    /// 8.6).
    fn put_length(&mut self) {
        let expects_body = matches!(&*self.method, "POST" | "PUT" | "PATCH");
        if self.body.is_empty() && !expects_body {
            self.remove_header("Content-Length");
        } else {
            self.put("Content-Length", &self.body.len().to_string());
        }
    }
}

/// The value is not repeated in the message: it may be a secret.
fn check_header(name: &str, value: &str) -> Result<()> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(Error::usage(format!(
            "`{}` is not a header name: give letters, digits and dashes, as in `Name: value`",
            name.escape_debug()
        )));
    }
    if value.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
        return Err(Error::usage(format!(
            "the value of header `{name}` holds a line break or a NUL byte: remove it"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;
    use crate::http::Payload;

    const AGENT: &str = concat!("User-Agent: blast/", env!("CARGO_PKG_VERSION"), "\r\n");

    fn sent(request: &Request) -> Bytes {
        Payload::new(request, 1).bytes().clone()
    }

    fn wire(request: &Request) -> String {
        String::from_utf8(sent(request).to_vec()).unwrap()
    }

    #[test]
    fn a_plain_get_is_a_line_a_host_and_an_agent() {
        let request = Request::new("GET", "/a?b=c", "example.com:8080");
        let expected = format!("GET /a?b=c HTTP/1.1\r\nHost: example.com:8080\r\n{AGENT}\r\n");
        assert_eq!(wire(&request), expected);
        assert!(!request.is_head());
        assert!(Request::new("HEAD", "/", "h").is_head());
    }

    #[test]
    fn a_header_is_replaced_where_it_first_stood_whatever_its_case() {
        let mut request = Request::new("GET", "/", "h");
        request.add_header("X-A", "1").unwrap();
        request.add_header("X-B", "2").unwrap();
        request.add_header("x-a", "3").unwrap();
        request.set_header("host", "other").unwrap();
        request.set_header("X-a", "4").unwrap();
        request.remove_header("USER-AGENT");
        assert_eq!(wire(&request), "GET / HTTP/1.1\r\nhost: other\r\nX-a: 4\r\nX-B: 2\r\n\r\n");
    }

    #[test]
    fn a_repeated_header_is_sent_as_often_as_it_was_added() {
        let mut request = Request::new("GET", "/", "h");
        request.add_header("Cookie", "a=1").unwrap();
        request.add_header("Cookie", "b=2").unwrap();
        assert!(wire(&request).ends_with("Cookie: a=1\r\nCookie: b=2\r\n\r\n"));
    }

    #[test]
    fn content_length_follows_the_body_and_the_method() {
        let table: [(&str, &[u8], Option<&str>); 8] = [
            ("GET", b"", None),
            ("HEAD", b"", None),
            ("DELETE", b"", None),
            ("GET", b"abc", Some("3")),
            ("POST", b"", Some("0")),
            ("PUT", b"", Some("0")),
            ("PATCH", b"", Some("0")),
            ("POST", b"hello", Some("5")),
        ];
        for (method, body, expected) in table {
            let mut request = Request::new(method, "/", "h");
            request.set_body(Bytes::from_static(b"an earlier body"), None);
            request.set_body(Bytes::copy_from_slice(body), None);
            let found = request.headers.iter().find(|(n, _)| n == "Content-Length");
            assert_eq!(found.map(|(_, v)| &**v), expected, "{method} {body:?}");
            assert!(sent(&request).ends_with(&[b"\r\n\r\n", body].concat()));
        }
        assert!(wire(&Request::new("POST", "/", "h")).contains("Content-Length: 0\r\n"));
    }

    #[test]
    fn a_content_type_is_set_only_when_given() {
        let mut request = Request::new("POST", "/", "h");
        request.set_body(Bytes::from_static(b"{}"), None);
        assert!(!wire(&request).contains("Content-Type"));
        request.set_body(Bytes::from_static(b"{}"), Some("application/json"));
        assert!(wire(&request).contains("Content-Type: application/json\r\n"));
    }

    #[test]
    fn what_would_break_the_wire_is_a_usage_error() {
        let mut request = Request::new("GET", "/", "h");
        let before = request.clone();
        for (name, value) in
            [("", "v"), ("a b", "v"), ("a:", "v"), ("ä", "v"), ("a", "v\r\nb: c"), ("a", "\0")]
        {
            assert_eq!(request.set_header(name, value).unwrap_err().exit, Exit::Usage);
            assert_eq!(request.add_header(name, value).unwrap_err().exit, Exit::Usage);
        }
        assert_eq!(request, before);
        assert_eq!(request.validate(), Ok(()));
        for method in ["", "GE T", "GET\r\n", "G:T"] {
            assert!(Request::new(method, "/", "h").validate().is_err(), "{method:?}");
        }
        for target in ["", "/a b", "/\r\nX: y", "/\x7f"] {
            assert!(Request::new("GET", target, "h").validate().is_err(), "{target:?}");
        }
        assert!(Request::new("GET", "/", "h\nX: y").validate().is_err());
    }

    #[test]
    fn an_error_does_not_repeat_a_value_that_may_be_secret() {
        let mut request = Request::new("GET", "/", "h");
        let error = request.set_header("Authorization", "hunter2\n").unwrap_err();
        assert!(!error.message.contains("hunter2"), "{error}");
        assert!(error.message.contains("`Authorization`"), "{error}");
    }
}
