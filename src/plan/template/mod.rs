//! Requests that differ from one to the next: compiled once to fixed and variable pieces, written
//! anew for each send.
//!
//! A text may hold placeholders such as `{{int 1 100}}`. [`Message::compile`] takes a whole request
//! apart; what never changes is kept as it is, and what varies is drawn by [`Message::write`] from
//! a [`Context`], into a buffer that is used again and again. Content-Length is that of the body
//! as it is sent.

pub mod body;
mod escape;
mod placeholder;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::dice::Dice;
use crate::error::Result;
use crate::http::{Jar, Payload, Request};
use crate::plan::data::Table;

pub use body::MultipartPart;
pub use placeholder::{literal, occurs_in};

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
    /// texts with placeholders. Content-Length is put in where it is not among the fields.
    pub fn compile(_request: &Request, _body: &[Piece], _scope: &Scope) -> Result<Message> {
        Ok(Message { payload: None })
    }

    /// All of it, where nothing varies.
    pub fn fixed(&self) -> Option<&Payload> {
        self.payload.as_ref()
    }

    /// Places of the tables that it draws from.
    pub fn tables(&self) -> &[usize] {
        &[]
    }

    /// About how many bytes `write` makes; more only where values from outside are longer.
    pub fn most(&self) -> usize {
        0
    }

    /// Behind what was written: a large part of the body that never changes.
    pub fn tail(&self) -> &Bytes {
        static NONE: Bytes = Bytes::new();
        &NONE
    }

    /// Makes the next one, but for the tail. `body` is room for its body meanwhile. Neither grows
    /// once it has its size.
    pub fn write(&self, _context: &mut Context, _body: &mut Vec<u8>, _into: &mut Vec<u8>) {}
}
