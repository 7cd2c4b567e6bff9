//! The same load by the tools of this host and by blast, in turns: who gets how much out of the
//! server, at what cost, and what each says of it.
//!
//! ```text
//! task      what is asked of each             tools     one file a tool: its words, its output
//! said      what a tool says of its run       turns     the rounds, carried out by a Bench
//! document  what they come to, for the views
//! ```
//!
//! Nothing here starts a program or reads a clock: a [`Bench`] does, which the command line hands in.

mod document;
mod said;
mod task;
#[cfg(test)]
mod tests;
pub mod tools;
mod turns;

pub use document::{Told, document};
pub use said::Said;
pub use task::{Job, Task};
pub use tools::{Bias, Tool};
pub use turns::{Bench, Contender, Ending, Ran, Seen, Turns, take_turns};
