//! What is looked at in an answer besides its status: named checks, and values that are captured
//! for requests to come.

use std::borrow::Cow;

use crate::time::Nanos;

/// A complete answer, as far as it was kept.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    pub status: u16,
    /// Status line and fields; empty unless some test of the request needs the head.
    pub head: &'a [u8],
    /// Empty unless some test needs the body.
    pub body: &'a [u8],
    /// The body was longer than what is kept of one.
    pub is_cut: bool,
    /// All of it, kept or not.
    pub body_bytes: u64,
    /// From sent to done.
    pub latency: Nanos,
}

/// What has to be kept of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    pub head: bool,
    pub body: bool,
}

/// A named test: an answer that fails it is rejected as `check:NAME`.
#[derive(Clone, Debug)]
pub struct Check {
    pub name: String,
    /// Its place among all checks of the scenario.
    pub index: usize,
}

impl Check {
    pub fn needs(&self) -> Needs {
        Needs::default()
    }

    pub fn holds(&self, _answer: &Answer) -> bool {
        true
    }
}

/// Something in an answer that is kept under a name.
#[derive(Clone, Debug)]
pub struct Capture {
    pub name: String,
    /// Its place among all captures of the scenario.
    pub index: usize,
    pub from: Source,
}

/// Where something stands in an answer.
#[derive(Clone, Debug)]
pub enum Source {
    /// RFC 6901.
    Json(String),
}

impl Source {
    pub fn needs(&self) -> Needs {
        Needs::default()
    }

    pub fn find<'a>(&self, _answer: &Answer<'a>) -> Option<Cow<'a, [u8]>> {
        None
    }
}
