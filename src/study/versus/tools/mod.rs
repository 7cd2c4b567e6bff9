//! The tools: one file each, with the words of a run, the reading of what it prints, and what is
//! known of how it counts. Each file says whether its sample was observed or follows what the tool
//! documents.

mod ab;
mod blast;
mod bombardier;
mod h2load;
mod hey;
mod jmeter;
mod k6;
mod locust;
mod oha;
mod other;
mod vegeta;
mod wrk;
mod wrk2;

pub use other::OTHER;

use super::{Job, Said, Task};

/// One that can be run beside the others.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    /// What it is called where it is installed.
    pub program: &'static str,
    /// How it gets onto a host.
    pub install: &'static str,
    /// Words that make it tell its version; none: it has none.
    pub version: &'static [&'static str],
    /// `None`: it cannot.
    pub closed: Option<fn(&Task) -> Job>,
    pub open: Option<fn(&Task) -> Job>,
    pub read: fn(&str) -> Result<Said, String>,
    pub biases: &'static [Bias],
}

/// How its figures differ from what one would take them for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bias {
    Always(&'static str),
    Closed(&'static str),
    Open(&'static str),
}

impl Bias {
    /// `None`: not in this loop.
    pub fn text(self, is_open: bool) -> Option<&'static str> {
        match self {
            Bias::Always(text) => Some(text),
            Bias::Closed(text) => (!is_open).then_some(text),
            Bias::Open(text) => is_open.then_some(text),
        }
    }
}

impl Tool {
    /// What it is to do; `None`: it has no such loop.
    pub fn job(&self, task: &Task) -> Option<Job> {
        let words = if task.rate.is_some() { self.open } else { self.closed };
        words.map(|words| words(task))
    }
}

/// All that are known, blast first.
pub const ALL: [&Tool; 14] = [
    &blast::RING,
    &blast::TOKIO_URING,
    &blast::EPOLL,
    &wrk::WRK,
    &wrk2::WRK2,
    &k6::K6,
    &hey::HEY,
    &oha::OHA,
    &h2load::H2LOAD,
    &ab::AB,
    &bombardier::BOMBARDIER,
    &vegeta::VEGETA,
    &locust::LOCUST,
    &jmeter::JMETER,
];

/// What runs unless some are named: all but blast's other engines.
pub fn usual() -> impl Iterator<Item = &'static Tool> {
    ALL.into_iter().filter(|tool| !tool.name.starts_with("blast-"))
}

pub fn named(name: &str) -> Option<&'static Tool> {
    ALL.into_iter().find(|tool| tool.name == name)
}

/// Its own executable, whichever engine.
pub fn is_blast(tool: &Tool) -> bool {
    tool.program == blast::PROGRAM
}
