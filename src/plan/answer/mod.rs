//! What is looked at in an answer besides its status: named checks, and values that are captured
//! for requests to come.
//!
//! ```text
//! check    what must hold
//! capture  what is kept for later
//! pointer  a place in a JSON document (RFC 6901), walked without building the document
//! regex    a regular expression over a body
//! ```
//!
//! All of it is compiled when the plan is made and shared by all workers. Nothing here panics on
//! any bytes, and nothing but the values of captures is copied.
//!
//! Of a body that is longer than what is kept of one, the beginning alone is looked at: a check
//! that does not already hold there fails, and nothing is captured from it.

use std::sync::Arc;

use crate::time::Nanos;

mod capture;
mod check;
mod pointer;
#[cfg(test)]
mod property;
mod regex;

pub use capture::{Capture, Source};
pub use check::{Check, Field, Test};
pub use pointer::Pointer;
pub use regex::Regex;

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

/// Captured values, by the captures' places.
pub type Captured = Arc<[Option<Box<[u8]>>]>;

/// What has to be kept of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    pub head: bool,
    pub body: bool,
}

impl Needs {
    const NOTHING: Needs = Needs { head: false, body: false };
    const HEAD: Needs = Needs { head: true, body: false };
    const BODY: Needs = Needs { head: false, body: true };
}
