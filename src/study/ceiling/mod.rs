//! The ceiling: the highest rate of an open loop that meets the thresholds; or the largest number of
//! connections, or users, of a closed one.
//!
//! A burst in a closed loop says about where it is. Probes, short runs at one rate each, close in on
//! it from both sides; after one that failed the server is left alone until it answers as it did
//! before, so that its backlog does not spoil the next. The rate that is found has to hold for
//! longer, and one just above it has to fail again.
//!
//! ```text
//! search   which level is tried next (knows nothing of HTTP)
//! probe    how a run at one level came out
//! patience when one that goes on is lost
//! over     what a level is: a rate, connections, users
//! field    plans for probes, carried out by a Runner
//! failure  what is above the ceiling, and how the server comes back (knows nothing of HTTP)
//! overload plans for that, carried out by a Runner
//! document what was found, for the views
//! ```

mod document;
mod failure;
mod field;
mod over;
mod overload;
mod patience;
mod probe;
mod search;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;

pub use document::{Told, document};
pub use failure::{Fate, Start, to_failure};
pub use field::Field;
pub use over::{Over, sessions_per_s};
pub use overload::Rig;
pub use probe::{Outcome, Probe};
pub use search::{Finding, Prober, Settings, search};
