//! What a job means: found out before anything is sent.

use std::time::Duration;

use crate::history::Begun;

/// A job, meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prepared {
    pub words: Vec<String>,
    /// To copy; no secrets.
    pub command: String,
    /// "6,000 requests over 60 s, at most 100/s, 10 connections".
    pub sentence: String,
    pub begun: Begun,
    pub ends_within: Duration,
    /// A closed loop has the highest rate as its cap, said.
    pub caps: Option<String>,
}
