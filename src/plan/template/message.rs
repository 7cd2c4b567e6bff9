//! A whole request: compiled from its texts, written for each send.

use bytes::Bytes;

use super::compile::{self, Reader};
use super::context::Context;
use super::part::{Counted, Parts};
use super::scope::{Piece, Scope};
use super::write;
use crate::error::Result;
use crate::http::{Payload, Request};

/// A request, compiled.
#[derive(Clone, Debug)]
pub struct Message {
    parts: Parts,
    most: usize,
}

impl Message {
    /// `request`: its head, as written, and no body. Its target and the values of its fields are
    /// texts with placeholders. Content-Length is put in where it is not among the fields (nor
    /// Transfer-Encoding is); one that [`Request`] put in itself is the body's.
    pub fn compile(request: &Request, body: &[Piece], scope: &Scope) -> Result<Message> {
        compile::message(request, body, scope, Reader::Server).map(Message::new)
    }

    /// The same for a person to look at: secrets are written as `***`, and all else is what the
    /// same dice make it.
    pub fn shown(request: &Request, body: &[Piece], scope: &Scope) -> Result<Message> {
        compile::message(request, body, scope, Reader::Person).map(Message::new)
    }

    fn new(parts: Parts) -> Message {
        const LENGTH: usize = 20;
        let of_counted =
            |counted: &Counted| LENGTH + write::most(&counted.between) + write::most(&counted.body);
        let most = write::most(&parts.first) + parts.counted.as_ref().map_or(0, of_counted);
        Message { parts, most }
    }

    /// All of it, where nothing varies.
    pub fn fixed(&self) -> Option<&Payload> {
        self.parts.payload.as_ref()
    }

    /// Places of the tables that it draws from, ascending.
    pub fn tables(&self) -> &[usize] {
        &self.parts.tables
    }

    /// About how many bytes `write` makes; more only where values from outside are longer.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Behind what was written: a large part of the body that never changes.
    pub fn tail(&self) -> &Bytes {
        &self.parts.tail
    }

    /// What is alike in all that it writes: what is fixed as it is, what varies by how it is drawn.
    pub fn outline(&self) -> Vec<u8> {
        let counted = self.parts.counted.iter();
        let counted = counted.flat_map(|counted| counted.between.iter().chain(&counted.body));
        let mut outline = Vec::new();
        self.parts.first.iter().chain(counted).for_each(|part| part.outline(&mut outline));
        outline.extend_from_slice(&self.parts.tail);
        outline
    }

    /// Makes the next one, but for the tail, in place of what `into` held. `body` is room for its
    /// body meanwhile. Neither grows once it has its size.
    pub fn write(&self, context: &mut Context, body: &mut Vec<u8>, into: &mut Vec<u8>) {
        into.clear();
        write::parts(&self.parts.first, context, into);
        if let Some(counted) = &self.parts.counted {
            // The length is known only when the body is drawn, and what stands between is drawn
            // before that.
            body.clear();
            write::parts(&counted.between, context, body);
            let start = body.len();
            let hidden = write::parts(&counted.body, context, body);
            let length = (body.len() - start + self.parts.tail.len()).saturating_add_signed(hidden);
            into.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
            into.extend_from_slice(body);
        }
    }
}
