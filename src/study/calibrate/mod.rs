//! What blast can send from one core of this host: short bursts of a closed loop against a server
//! that does next to nothing, then open loops at shares of what these reached.
//!
//! ```text
//! measure     bursts and probes, by a `Runner`       document   what they come to
//! store       the file they are kept in, and what of it is like a run
//! ```

mod document;
mod measure;
mod store;
#[cfg(test)]
mod tests;

pub use document::{Told, document};
pub use measure::{Finding, Settings, has_pace_of_its_own, measure, of_one_worker};
pub use store::{Book, Shelf, Sought};
