//! Requests that differ from one to the next: compiled once to fixed and variable pieces, written
//! anew for each send.
//!
//! A text may hold placeholders such as `{{int 1 100}}`. [`Message::compile`] takes a whole request
//! apart; what never changes is kept as it is, and what varies is drawn by [`Message::write`] from
//! a [`Context`], into a buffer that is used again and again. Content-Length is that of the body
//! as it is sent.
//!
//! ```text
//! placeholder  how they are written
//! body         tables, pairs and parts as pieces of a body
//! scope        what is compiled, and what its placeholders may refer to
//! compile      texts -> parts, fixed and variable
//! message      a whole request
//! slot         a value, drawn
//! escape       a value, made fit for its surroundings
//! write        parts -> bytes, from a context
//! secret       what no person is to see
//! ```
//!
//! What always holds: no value ends the line, the string or the pair that it stands in, and all
//! that is random comes from the dice, in the order in which it is sent.

pub mod body;
mod compile;
mod context;
mod escape;
mod message;
mod part;
mod placeholder;
mod scope;
mod secret;
mod slot;
mod write;

pub use body::MultipartPart;
pub use context::Context;
pub use escape::Escape;
pub use message::Message;
pub use placeholder::{Stretch, literal, occurs_in, reads_environment, split};
pub use scope::{Piece, Scope};

#[cfg(test)]
mod tests;
