//! A request of the application, and the body that it brings, bounded for one and for all.

use std::cell::Cell;
use std::rc::Rc;

use super::Endpoint;
use super::reply::Shape;
use crate::target::request::{Body, Request};

/// The longest body that is kept; a longer one is read past and answered with 413.
const LARGEST: usize = 4 << 20;

/// What one thread keeps of all bodies at once. Beyond it the answer is 503.
const MOST: usize = 256 << 20;

/// A request that waits for its body.
#[derive(Debug)]
pub(in crate::target) struct Call {
    pub(super) endpoint: Endpoint,
    pub(super) shape: Shape,
    method: Method,
    /// Its target, and behind it the lines of its fields.
    head: Box<[u8]>,
    target: usize,
    body: Vec<u8>,
    fate: Fate,
    /// Of the thread; this body's share is given back when the call is dropped.
    kept: Rc<Cell<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Or HEAD: the same answer without its body.
    Get,
    Post,
    Other,
}

/// What became of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    TooLarge,
    Crowded,
}

impl Call {
    pub(super) fn new(
        endpoint: Endpoint,
        request: &Request<'_>,
        last: bool,
        kept: &Rc<Cell<usize>>,
    ) -> Call {
        let method = match request.method {
            b"GET" | b"HEAD" => Method::Get,
            b"POST" => Method::Post,
            _ => Method::Other,
        };
        let fate = match request.body {
            Body::Length(length) if length > LARGEST as u64 => Fate::TooLarge,
            _ => Fate::Kept,
        };
        Call {
            endpoint,
            shape: Shape { head: request.head, old: request.old, last },
            method,
            head: [request.target, request.fields].concat().into_boxed_slice(),
            target: request.target.len(),
            body: Vec::new(),
            fate,
            kept: Rc::clone(kept),
        }
    }

    /// The next bytes of its body.
    pub fn extend(&mut self, bytes: &[u8]) {
        if self.fate != Fate::Kept {
            return;
        }
        if self.body.len() + bytes.len() > LARGEST {
            return self.drop_body(Fate::TooLarge);
        }
        if self.kept.get() + bytes.len() > MOST {
            return self.drop_body(Fate::Crowded);
        }
        self.kept.set(self.kept.get() + bytes.len());
        self.body.extend_from_slice(bytes);
    }

    fn drop_body(&mut self, fate: Fate) {
        self.fate = fate;
        let body = std::mem::take(&mut self.body);
        self.kept.set(self.kept.get() - body.len());
    }

    pub(super) fn fate(&self) -> Fate {
        self.fate
    }

    pub(super) fn visit(&self) -> Visit<'_> {
        let (target, fields) = self.head.split_at(self.target);
        let query = target.iter().position(|byte| *byte == b'?').map(|at| &target[at + 1..]);
        Visit { method: self.method, query: query.unwrap_or_default(), fields, body: &self.body }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.kept.set(self.kept.get() - self.body.len());
    }
}

/// A request, all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit<'a> {
    pub method: Method,
    pub query: &'a [u8],
    /// The lines of its fields.
    pub fields: &'a [u8],
    pub body: &'a [u8],
}

impl<'a> Visit<'a> {
    /// The value of the first field of this name; `None` also where it is no text.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        let mut lines = self.fields.split(|byte| *byte == b'\n');
        let value = lines.find_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let is_it = line[..colon].eq_ignore_ascii_case(name.as_bytes());
            is_it.then(|| line[colon + 1..].trim_ascii())
        })?;
        std::str::from_utf8(value).ok()
    }

    /// What the client sent back of a cookie (RFC 6265, 4.2).
    pub fn cookie(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self.field("Cookie")?.split(';').filter_map(|pair| pair.split_once('='));
        pairs.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim())
    }

    /// The media type of the body, in lower case and without its parameters.
    pub fn media_type(&self) -> String {
        let whole = self.field("Content-Type").unwrap_or_default();
        whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(kept: &Rc<Cell<usize>>, body: Body) -> Call {
        let request = Request {
            method: b"POST",
            target: b"/voice?a=b",
            fields:
                b"Host: x\r\ncookie: a=1; session= x.y ;b=2\r\nContent-Type: Text/Plain;a=b\r\n\r\n",
            head: false,
            old: false,
            keep_alive: true,
            expects: false,
            body,
        };
        Call::new(Endpoint::Voice, &request, false, kept)
    }

    #[test]
    fn a_visit_has_the_fields_and_the_query_of_its_request() {
        let call = call(&Rc::default(), Body::None);
        let visit = call.visit();
        assert_eq!(visit.query, b"a=b");
        assert_eq!((visit.field("HOST"), visit.field("Absent")), (Some("x"), None));
        assert_eq!((visit.cookie("session"), visit.cookie("c")), (Some("x.y"), None));
        assert_eq!(visit.media_type(), "text/plain");
    }

    #[test]
    fn bodies_are_bounded_for_one_and_for_all() {
        let kept = Rc::default();
        let megabyte = vec![b'x'; 1 << 20];
        let mut one = call(&kept, Body::Chunked);
        (0..4).for_each(|_| one.extend(&megabyte));
        assert_eq!((one.fate(), kept.get()), (Fate::Kept, LARGEST));
        one.extend(b"x");
        assert_eq!((one.fate(), kept.get()), (Fate::TooLarge, 0));
        assert_eq!(call(&kept, Body::Length(LARGEST as u64 + 1)).fate(), Fate::TooLarge);

        let mut all: Vec<Call> = Vec::new();
        kept.set(MOST - (5 << 20));
        all.extend((0..2).map(|_| call(&kept, Body::Chunked)));
        all[0].extend(&megabyte.repeat(4));
        all[1].extend(&megabyte);
        assert_eq!(kept.get(), MOST);
        all[1].extend(b"x");
        assert_eq!((all[1].fate(), kept.get()), (Fate::Crowded, MOST - (1 << 20)));
        drop(all);
        assert_eq!(kept.get(), MOST - (5 << 20), "a call that is gone keeps nothing");
    }
}
