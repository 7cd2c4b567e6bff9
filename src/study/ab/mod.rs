//! Two servers in turns, on connections that stay open: in each round one after the other, in an
//! order that is drawn. What differs from round to round is in both and drops out; what is left is
//! told apart from chance as `statistics::rounds` says. Differences are of logarithms: a percentage
//! of A, whichever of the two is the larger.
//!
//! ```text
//! turns     the rounds, carried out by a Runner a side
//! document  what they come to, for the views
//! ```

mod document;
#[cfg(test)]
mod tests;
mod turns;

pub use document::{Told, document};
pub use turns::{Rounds, Settings, take_turns};
