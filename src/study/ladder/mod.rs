//! The ladder: runs at rates that were chosen, one after another. It says which held, where
//! responses begin to suffer, and what to try next; it searches nothing.
//!
//! ```text
//! climb     the runs, carried out by a Runner
//! document  what they came to
//! ```

mod climb;
mod document;

#[cfg(test)]
mod tests;

pub use climb::{Climbed, Rung, climb};
pub use document::{Told, document};
