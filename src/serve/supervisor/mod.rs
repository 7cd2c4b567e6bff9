//! Runs as children of the panel.

use std::sync::Arc;

/// What is changed of a run that goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Edit {
    /// Requests per second.
    Rate(f64),
    Users(u32),
}

/// A line of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// It comes after all lower ones.
    pub number: u64,
    /// JSON.
    pub line: Arc<str>,
}
