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
    let mut writer = Writer::new(Escape::Json);
    writer.value(value);
    vec![Piece::Text(writer.end(), Escape::Json)]
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

fn joined(pairs: &[(String, String)], escape: Escape) -> String {
    let mut writer = Writer::new(escape);
    for (place, (name, value)) in pairs.iter().enumerate() {
        writer.text.push_str(if place > 0 { "&" } else { "" });
        writer.escaped(name);
        writer.text.push('=');
        writer.escaped(value);
    }
    writer.end()
}

/// Puts a text together from others.
struct Writer {
    escape: Escape,
    text: String,
    /// Braces that nothing closes: what follows must not.
    open: Option<String>,
}

impl Writer {
    fn new(escape: Escape) -> Writer {
        Writer { escape, text: String::new(), open: None }
    }

    /// All of it, or what is wrong in it.
    fn end(self) -> String {
        self.open.unwrap_or(self.text)
    }

    /// All but the placeholders is escaped.
    fn escaped(&mut self, text: &str) {
        for stretch in placeholder::split(text) {
            match stretch {
                Stretch::Literal(literal) => {
                    self.text.push_str(&escape::text(literal, self.escape));
                }
                Stretch::Placeholder(whole) => self.text.push_str(whole),
                Stretch::Open(open) => self.open = Some(open.to_string()),
            }
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        self.escaped(text);
        self.text.push('"');
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) if is_number(text) => self.text.push_str(text),
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.text.push('[');
                for (place, item) in items.iter().enumerate() {
                    self.text.push_str(if place > 0 { "," } else { "" });
                    self.value(item);
                }
                self.text.push(']');
            }
            Value::Object(fields) => {
                self.text.push('{');
                for (place, (name, value)) in fields.iter().enumerate() {
                    self.text.push_str(if place > 0 { "," } else { "" });
                    self.string(name);
                    self.text.push(':');
                    self.value(value);
                }
                self.text.push('}');
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.text.push_str(&value.to_string());
            }
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
