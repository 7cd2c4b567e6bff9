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
//! compile      texts -> parts, fixed and variable
//! slot         a value, drawn
//! escape       a value, made fit for its surroundings
//! write        parts -> bytes
//! secret       what no person is to see
//! ```
//!
//! What always holds: no value ends the line, the string or the pair that it stands in, and all
//! that is random comes from the dice, in the order in which it is sent.

pub mod body;
mod compile;
mod escape;
mod placeholder;
mod secret;
mod slot;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::dice::Dice;
use crate::error::Result;
use crate::http::{Jar, Payload, Request};
use crate::plan::data::Table;

use compile::{Counted, Part, Reader};

pub use body::MultipartPart;
pub use placeholder::{Stretch, literal, occurs_in, split};

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// With placeholders; their values are made fit for what surrounds them.
    Text(String, Escape),
    /// Sent as it is.
    Fixed(Bytes),
}

/// What a value is made fit for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Nothing: it is sent as it is.
    Raw,
    /// Path or query: what is not unreserved is percent-encoded.
    Url,
    /// The beginning of a target: a value that is a path, or a whole URL of which the path and query
    /// are meant (a `Location`), is one already; any other stands behind a slash as in [`Escape::Url`].
    Link,
    /// application/x-www-form-urlencoded.
    Form,
    /// A field's value: line breaks and NUL are dropped.
    Header,
    /// The inside of a JSON string.
    Json,
}

/// What placeholders may refer to.
pub struct Scope<'a> {
    pub tables: &'a [Arc<Table>],
    /// Names of captured values; their places are the indices.
    pub captures: &'a [String],
    /// Values of `{{var.NAME}}`, put in at once.
    pub vars: &'a BTreeMap<String, String>,
    /// `{{env NAME}}`, put in at once. What it gives is a secret.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// There are users: `{{user.id}}` has a meaning.
    pub has_users: bool,
    /// Each user keeps cookies, and sends them back.
    pub has_cookies: bool,
}

/// A request, compiled.
#[derive(Clone, Debug)]
pub struct Message {
    payload: Option<Payload>,
    tables: Vec<usize>,
    /// Up to the digits of the body's length; all but the tail where that does not vary.
    first: Vec<Part>,
    counted: Option<Counted>,
    tail: Bytes,
    most: usize,
}

/// What one request is made from.
pub struct Context<'a> {
    pub dice: &'a mut Dice,
    /// Of the request, from 1; unique in the run: `{{seq}}`.
    pub number: u64,
    /// Of the user, from 1.
    pub user: u64,
    /// By their places; a value that was not captured is empty.
    pub captures: &'a [Option<Box<[u8]>>],
    /// The row of each table, by the table's place.
    pub rows: &'a [u64],
    pub jar: Option<&'a Jar>,
}

impl Message {
    /// `request`: its head, as written, and no body. Its target and the values of its fields are
    /// texts with placeholders. Content-Length is put in where it is not among the fields (nor
    /// Transfer-Encoding is); one that [`Request`] put in itself is the body's.
    pub fn compile(request: &Request, body: &[Piece], scope: &Scope) -> Result<Message> {
        compile::message(request, body, scope, Reader::Server)
    }

    /// The same for a person to look at: secrets are written as `***`, and all else is what the
    /// same dice make it.
    pub fn shown(request: &Request, body: &[Piece], scope: &Scope) -> Result<Message> {
        compile::message(request, body, scope, Reader::Person)
    }

    fn new(
        payload: Option<Payload>,
        tables: Vec<usize>,
        first: Vec<Part>,
        counted: Option<Counted>,
        tail: Bytes,
    ) -> Message {
        const LENGTH: usize = 20;
        let of_counted =
            |counted: &Counted| LENGTH + write::most(&counted.between) + write::most(&counted.body);
        let most = write::most(&first) + counted.as_ref().map_or(0, of_counted);
        Message { payload, tables, first, counted, tail, most }
    }

    /// All of it, where nothing varies.
    pub fn fixed(&self) -> Option<&Payload> {
        self.payload.as_ref()
    }

    /// Places of the tables that it draws from, ascending.
    pub fn tables(&self) -> &[usize] {
        &self.tables
    }

    /// About how many bytes `write` makes; more only where values from outside are longer.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Behind what was written: a large part of the body that never changes.
    pub fn tail(&self) -> &Bytes {
        &self.tail
    }

    /// Makes the next one, but for the tail, in place of what `into` held. `body` is room for its
    /// body meanwhile. Neither grows once it has its size.
    pub fn write(&self, context: &mut Context, body: &mut Vec<u8>, into: &mut Vec<u8>) {
        into.clear();
        write::parts(&self.first, context, into);
        if let Some(counted) = &self.counted {
            // The length is known only when the body is drawn, and what stands between is drawn
            // before that.
            body.clear();
            write::parts(&counted.between, context, body);
            let start = body.len();
            let hidden = write::parts(&counted.body, context, body);
            let length = (body.len() - start + self.tail.len()).saturating_add_signed(hidden);
            into.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
            into.extend_from_slice(body);
        }
    }
}

#[cfg(test)]
mod tests;
