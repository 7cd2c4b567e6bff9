//! NDJSON: an object a line. The columns are the keys of the first; a key that is missing or null
//! elsewhere is an empty value. Strings are unescaped, all else stays as it is written.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Column, Fault, Rows};

pub fn rows(bytes: &[u8]) -> Result<Rows, Fault> {
    let mut columns: Vec<Column> = Vec::new();
    let mut starts = Vec::new();
    let mut value = Vec::new();
    for (start, line) in lines(bytes) {
        let mut fields = Vec::new();
        let each = |name: &str, raw: &str| fields.push((name.to_string(), raw.to_string()));
        walk(line, Object(each)).map_err(|error| {
            let what = if error.is_data() { "is no JSON object" } else { "is no JSON" };
            let at = error.column();
            Fault::at(bytes, start, format!("{what} (at column {at}); write one object a line"))
        })?;
        if columns.is_empty() {
            columns = fields.iter().map(|(name, _)| column(name)).collect();
            if columns.is_empty() {
                let what = "is an empty object; its keys name the columns, so give it some";
                return Err(Fault::at(bytes, start, what));
            }
        }
        for (name, raw) in &fields {
            if let Some(column) = columns.iter_mut().find(|column| column.name == *name) {
                value.clear();
                append(raw, &mut value);
                column.longest = column.longest.max(value.len());
            }
        }
        starts.push(start as u64);
    }
    if starts.is_empty() {
        return Err(Fault::of_file("is empty; write an object on each line"));
    }
    starts.push(bytes.len() as u64);
    Ok(Rows { columns, starts })
}

/// Appends the value of a key; of one that stands there twice the last.
pub fn cell(row: &[u8], name: &str, into: &mut Vec<u8>) {
    let from = into.len();
    // Each row was read when the table was opened.
    let _ = walk(row, Cell { name, from, into });
}

fn column(name: &str) -> Column {
    Column { name: name.to_string(), longest: 0 }
}

/// The lines that are not blank, and where they start.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line)
    });
    lines.filter(|(_, line)| !line.trim_ascii().is_empty())
}

fn walk<'a, S: DeserializeSeed<'a>>(row: &'a [u8], seed: S) -> serde_json::Result<S::Value> {
    let mut reader = serde_json::Deserializer::from_slice(row);
    let value = seed.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Hands out every pair.
struct Object<F>(F);

impl<'de, F: FnMut(&str, &str)> DeserializeSeed<'de> for Object<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, &str)> Visitor<'de> for Object<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, raw)) = map.next_entry::<String, &RawValue>()? {
            (self.0)(&name, raw.get());
        }
        Ok(())
    }
}

/// Appends the value of one key.
struct Cell<'a> {
    name: &'a str,
    from: usize,
    into: &'a mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Cell<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(is_it) = map.next_key_seed(Is(self.name))? {
            if is_it {
                let raw = map.next_value::<&RawValue>()?;
                self.into.truncate(self.from);
                append(raw.get(), self.into);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Whether a key is this one.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

/// A value as a text. serde_json would unescape a string into memory of its own.
fn append(raw: &str, into: &mut Vec<u8>) {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => unescape(inside.as_bytes(), into),
        None if raw == "null" => {}
        None => into.extend_from_slice(raw.as_bytes()),
    }
}

/// RFC 8259, 7. The string was read as JSON before, so no escape is cut short.
fn unescape(mut rest: &[u8], into: &mut Vec<u8>) {
    while let Some(at) = memchr::memchr(b'\\', rest) {
        into.extend_from_slice(&rest[..at]);
        let Some(&escape) = rest.get(at + 1) else { return };
        rest = &rest[at + 2..];
        match escape {
            b'n' => into.push(b'\n'),
            b'r' => into.push(b'\r'),
            b't' => into.push(b'\t'),
            b'b' => into.push(8),
            b'f' => into.push(12),
            b'u' => rest = unescape_unit(rest, into),
            other => into.push(other),
        }
    }
    into.extend_from_slice(rest);
}

/// Four hex digits, or the two times four of a surrogate pair; a half of one is U+FFFD.
fn unescape_unit<'a>(rest: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    let (first, mut rest) = unit(rest);
    let mut code = u32::from(first);
    if (0xd800..0xdc00).contains(&code)
        && let Some(behind) = rest.strip_prefix(b"\\u")
        && let (second @ 0xdc00..0xe000, behind) = unit(behind)
    {
        code = 0x1_0000 + ((code - 0xd800) << 10) + (u32::from(second) - 0xdc00);
        rest = behind;
    }
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    rest
}

fn unit(bytes: &[u8]) -> (u16, &[u8]) {
    let (digits, rest) = bytes.split_at(bytes.len().min(4));
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    (u16::from_str_radix(digits, 16).unwrap_or(0xfffd), rest)
}
