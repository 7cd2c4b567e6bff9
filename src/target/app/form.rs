//! What a request brings: pairs of a query or a form, an object of JSON, parts of an upload.
//!
//! Written apart from what the client makes them with, so that one misreading cannot hide another.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::call::Visit;

/// The first value of this name among `a=b&c=d` (application/x-www-form-urlencoded).
pub(super) fn pair(pairs: &[u8], name: &str) -> Option<String> {
    pairs.split(|byte| *byte == b'&').find_map(|pair| {
        let (found, value) = split(pair);
        (decoded(found) == name).then(|| decoded(value))
    })
}

/// The body as an object: JSON, or a form whose values are texts. `None`: neither.
pub(super) fn object(visit: &Visit) -> Option<Map<String, Value>> {
    if visit.media_type() != "application/x-www-form-urlencoded" {
        return serde_json::from_slice(visit.body).ok();
    }
    let pairs = visit.body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let named = pairs.map(|pair| {
        let (name, value) = split(pair);
        (decoded(name), Value::String(decoded(value)))
    });
    Some(named.collect())
}

/// One part of multipart/form-data (RFC 7578).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub name: &'a str,
    pub is_file: bool,
    pub content: &'a [u8],
}

/// The parts of an upload; `None` where it is none, or not whole.
pub(super) fn parts<'a>(visit: &Visit<'a>) -> Option<Vec<Part<'a>>> {
    if visit.media_type() != "multipart/form-data" {
        return None;
    }
    let boundary = parameter(visit.field("Content-Type")?, "boundary")?;
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = visit.body.strip_prefix(&delimiter.as_bytes()[2..])?;
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let end = memchr::memmem::find(rest, delimiter.as_bytes())?;
        parts.push(part(&rest[..end])?);
        rest = &rest[end + delimiter.len()..];
    }
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("Content-Disposition").then_some(value)
    })?;
    Some(Part {
        name: parameter(disposition, "name")?,
        is_file: parameter(disposition, "filename").is_some(),
        content: &bytes[end + 4..],
    })
}

/// `; name=value` or `; name="value"`.
fn parameter<'a>(field: &'a str, name: &str) -> Option<&'a str> {
    field.split(';').skip(1).find_map(|parameter| {
        let (found, value) = parameter.trim().split_once('=')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim_matches('"'))
    })
}

fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &[]),
    }
}

/// Undoes the encoding of forms: `+` is a space, `%41` an `A`.
fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let code = if byte == b'%' { after.get(..2).and_then(code) } else { None };
        bytes.push(code.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    match String::from_utf8_lossy(&bytes) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    }
}

fn code(digits: &[u8]) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    Some((digit(digits[0])? << 4 | digit(digits[1])?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::app::call::Method;

    fn visit<'a>(fields: &'a str, body: &'a [u8]) -> Visit<'a> {
        Visit { method: Method::Post, query: b"", fields: fields.as_bytes(), body }
    }

    #[test]
    fn pairs_are_decoded() {
        for (pairs, expected) in [
            ("user_id=7", Some("7")),
            ("a=b&user_id=a+b%26%C3%A9&user_id=2", Some("a b&é")),
            ("user%5fid=%", Some("%")),
            ("user_id", Some("")),
            ("user_id=%ff%4", Some("\u{fffd}%4")),
            ("xuser_id=7", None),
            ("", None),
        ] {
            assert_eq!(pair(pairs.as_bytes(), "user_id").as_deref(), expected, "{pairs}");
        }
    }

    #[test]
    fn an_object_comes_as_json_or_as_a_form() {
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        for (fields, body, expected) in [
            (form, "user=a%20b&password=", Some(r#"{"user":"a b","password":""}"#)),
            (form, "", Some("{}")),
            ("Content-Type: application/json\r\n", r#"{"id": 1}"#, Some(r#"{"id":1}"#)),
            ("", "{}", Some("{}")),
            ("", "[1]", None),
            ("", "a=b", None),
        ] {
            let found = object(&visit(fields, body.as_bytes()));
            let found = found.map(|map| Value::Object(map).to_string());
            assert_eq!(found.as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn an_upload_is_taken_apart() {
        let fields = "content-type: multipart/form-data; charset=x; boundary=\"--b\"\r\n";
        let body = b"----b\r\nContent-Disposition: form-data; name=\"user_id\"\r\n\r\n7\r\n\
            ----b\r\ncontent-type: audio/wav\r\ncontent-disposition: form-data; name=file; \
            filename=\"v.wav\"\r\n\r\nRI\r\n--b\r\nFF\r\n----b--\r\n";
        let found = parts(&visit(fields, body)).unwrap();
        assert_eq!(
            found,
            [
                Part { name: "user_id", is_file: false, content: b"7" },
                Part { name: "file", is_file: true, content: b"RI\r\n--b\r\nFF" },
            ]
        );
        for end in 0..body.len() - 4 {
            assert_eq!(parts(&visit(fields, &body[..end])), None, "cut at {end}");
        }
        assert_eq!(parts(&visit("Content-Type: multipart/form-data\r\n", body)), None);
        assert_eq!(parts(&visit("Content-Type: text/plain; boundary=--b\r\n", body)), None);
    }
}
