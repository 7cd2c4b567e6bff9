//! Bodies of plans as pieces: a table as JSON, pairs as a form, parts as multipart/form-data.
//!
//! What stands between the placeholders of a value is made fit for its surroundings here, once;
//! the placeholders themselves pass through, and their values are made fit when they are drawn. A
//! text whose braces are wrong passes through too, and is refused when the message is compiled.

use serde_json::Value;

use super::escape;
use super::placeholder::{self, Placeholder, Stretch};
use super::{Escape, Piece};
use crate::http::multipart;

/// A field of multipart/form-data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartPart {
    pub name: String,
    /// A text is best [`Escape::Raw`].
    pub content: Piece,
    pub filename: Option<String>,
    pub content_type: Option<String>,
}

/// A value whose strings, and whose keys, may hold placeholders. A string that is nothing but a
/// placeholder of a number becomes that number.
pub fn json(value: &Value) -> Vec<Piece> {
    let mut text = String::new();
    write_json(value, &mut text);
    vec![Piece::Text(text, Escape::Json)]
}

/// application/x-www-form-urlencoded.
pub fn form(pairs: &[(String, String)]) -> Vec<Piece> {
    vec![Piece::Text(joined(pairs, Escape::Form), Escape::Form)]
}

/// A query, without its `?`, for a target.
pub fn query(pairs: &[(String, String)]) -> String {
    joined(pairs, Escape::Url)
}

/// The body, and its type with the boundary.
pub fn multipart(parts: &[MultipartPart]) -> (Vec<Piece>, String) {
    let contents: Vec<&[u8]> = parts.iter().map(|part| part.content.bytes()).collect();
    let boundary = multipart::boundary(&contents);
    let mut pieces = Vec::new();
    let mut between = String::new();
    for part in parts {
        let (filename, content_type) = (part.filename.as_deref(), part.content_type.as_deref());
        between += &multipart::head(&boundary, &part.name, filename, content_type);
        pieces.push(Piece::Fixed(std::mem::take(&mut between).into()));
        pieces.push(part.content.clone());
        between += "\r\n";
    }
    between += &multipart::end(&boundary);
    pieces.push(Piece::Fixed(between.into()));
    (pieces, multipart::content_type(&boundary))
}

fn write_json(value: &Value, into: &mut String) {
    match value {
        Value::String(text) if is_number(text) => into.push_str(text),
        Value::String(text) => write_string(text, into),
        Value::Array(items) => {
            into.push('[');
            for (place, item) in items.iter().enumerate() {
                into.push_str(if place > 0 { "," } else { "" });
                write_json(item, into);
            }
            into.push(']');
        }
        Value::Object(fields) => {
            into.push('{');
            for (place, (name, value)) in fields.iter().enumerate() {
                into.push_str(if place > 0 { "," } else { "" });
                write_string(name, into);
                into.push(':');
                write_json(value, into);
            }
            into.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => into.push_str(&value.to_string()),
    }
}

fn write_string(text: &str, into: &mut String) {
    into.push('"');
    write_escaped(text, Escape::Json, into);
    into.push('"');
}

fn joined(pairs: &[(String, String)], escape: Escape) -> String {
    let mut text = String::new();
    for (place, (name, value)) in pairs.iter().enumerate() {
        text.push_str(if place > 0 { "&" } else { "" });
        write_escaped(name, escape, &mut text);
        text.push('=');
        write_escaped(value, escape, &mut text);
    }
    text
}

/// All but the placeholders is escaped.
fn write_escaped(text: &str, escape: Escape, into: &mut String) {
    for stretch in placeholder::split(text) {
        match stretch {
            Stretch::Literal(literal) => into.push_str(&escape::text(literal, escape)),
            Stretch::Placeholder(whole) | Stretch::Open(whole) => into.push_str(whole),
        }
    }
}

/// It is one placeholder whose values are all numbers.
fn is_number(text: &str) -> bool {
    let mut stretches = placeholder::split(text);
    match (stretches.next(), stretches.next()) {
        (Some(Stretch::Placeholder(whole)), None) => {
            Placeholder::parse(whole).is_ok_and(|placeholder| placeholder.is_number())
        }
        _ => false,
    }
}

impl Piece {
    /// As it was given.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Piece::Text(text, _) => text.as_bytes(),
            Piece::Fixed(bytes) => bytes,
        }
    }
}
