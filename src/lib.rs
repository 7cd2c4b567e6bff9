//! `blast`: an HTTP load generator that tells the truth about every microsecond.
//!
//! The layers, from words to bytes (an import may only point down this list):
//!
//! ```text
//! 6  cli                        words -> Plan -> call -> exit code
//! 5  serve  study               the panel; uses of many runs
//! 4  report  history            views of a Summary; what was saved of runs
//! 3  engine  monitor  target   the load; readings of the host; the embedded server
//! 2  plan                       what to do
//! 1  http  tls  metrics         sans-IO protocols; counters, histograms, Summary, verdict
//! 0  time  units  dice  error  failure  flaw  evidence  agreed  host  address
//! ```
//!
//! A request goes: [`plan::Schedule`] says when it is due, the engine's core takes a connection
//! and its driver sends [`http::Request`]'s bytes, [`http::Reader`] reads the answer, and
//! [`metrics`] records the four instants and the fate.

pub mod address;
pub mod agreed;
pub mod cli;
pub mod dice;
pub mod engine;
pub mod error;
pub mod evidence;
pub mod failure;
pub mod flaw;
#[cfg(feature = "history")]
pub mod history;
pub mod host;
pub mod http;
pub mod metrics;
pub mod monitor;
pub mod plan;
pub mod report;
#[cfg(feature = "serve")]
pub mod serve;
pub mod study;
pub mod target;
pub mod time;
pub mod tls;
pub mod units;

pub use address::Address;
pub use error::{Error, Exit, Result};
pub use failure::Kind;
pub use time::Nanos;
