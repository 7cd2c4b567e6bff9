//! The scenario: what is sent. A mix of requests over all connections, users who take their steps
//! one after the other, or sessions that arrive by a schedule.
//!
//! A scenario is a value beside the schedule (when) and the protocol (how); the loop does not know
//! how a request came about. A plan without one sends its one request over and over.

use std::sync::Arc;

use super::answer::{Capture, Check};
use super::data::Table;
use super::expect::Expected;
use super::request_id::RequestId;
use super::template::Message;
use crate::http::Request;
use crate::metrics::named;

pub use crate::metrics::Part;

pub mod flow;
pub mod lots;
pub mod mix;

pub use flow::{Flow, Op, Program, Step, Steps, Think};
pub use mix::Mix;

#[derive(Clone, Debug)]
pub struct Scenario {
    /// At least one.
    pub requests: Vec<Exchange>,
    /// The rows of the results: each place where a request is sent from. Their places are what
    /// the engine and the books speak of.
    pub entries: Vec<Entry>,
    pub model: Model,
    /// Sent once before the load, in this order; what they capture is everyone's. Places of
    /// entries, as in `run_teardown`, which are sent once after it.
    pub run_setup: Vec<usize>,
    pub run_teardown: Vec<usize>,
    pub tables: Vec<Arc<Table>>,
    /// Names of all captured values.
    pub captures: Vec<String>,
    /// Names of all checks.
    pub checks: Vec<String>,
    /// Of all that is random.
    pub seed: u64,
    /// Each user keeps cookies.
    pub has_cookies: bool,
    /// Bytes of a body that are kept where something looks at it.
    pub body_limit: usize,
    /// What its requests are told apart by in the server's traces.
    pub request_id: Option<RequestId>,
}

impl Scenario {
    /// Whether anything is sent that is no part of the load.
    pub fn has_aside(&self) -> bool {
        self.entries.iter().any(|entry| entry.part != Part::Main)
    }
}

/// A request that can be sent, and what is looked at in its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub name: String,
    /// As written: its texts still hold their placeholders, and there is no body.
    pub request: Request,
    pub message: Message,
    pub expected: Expected,
    pub checks: Vec<Check>,
    pub captures: Vec<Capture>,
}

/// A row of the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Unique among the entries.
    pub name: String,
    /// The place of its request.
    pub request: usize,
    pub part: Part,
    /// Of a mix, or of weighted steps; 0 where there is no choice.
    pub weight: u64,
}

/// Whose requests they are.
#[derive(Clone, Debug)]
pub enum Model {
    /// Whichever connection is free sends what is next.
    Mix(Mix),
    /// Each connection is a user who begins anew when done: a closed loop.
    Users(Flow),
    /// A user arrives for each time of the schedule, takes a free connection, and leaves when
    /// done: partly open.
    Sessions(Flow),
}

impl Model {
    pub fn name(&self) -> &'static str {
        match self {
            Model::Mix(_) => named::MIX,
            Model::Users(_) => named::USERS,
            Model::Sessions(_) => named::SESSIONS,
        }
    }

    pub fn flow(&self) -> Option<&Flow> {
        match self {
            Model::Mix(_) => None,
            Model::Users(flow) | Model::Sessions(flow) => Some(flow),
        }
    }
}

/// What is kept of a body at most, unless the plan says otherwise.
pub const BODY_LIMIT: usize = 256 * 1024;
