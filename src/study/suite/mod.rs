//! A suite: runs in order against one server, for each value of a matrix, and one outcome of it
//! all.
//!
//! ```text
//! order    what comes after what, and what is left out (knows of no server)
//! scaling  how a rate grows with the matrix
//! document what came of it, for the views
//! ```
//!
//! Servers, loads and clocks are behind [`Hands`], which the command line hands it.

mod document;
mod order;
mod scaling;

#[cfg(test)]
mod tests;

pub use document::{Told, document};
pub use order::{Course, Done, Fault, Hands, Part, Step, Visit, carry_out};
