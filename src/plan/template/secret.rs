//! What of a request no person is to see: values of fields whose names sound secret, wherever in
//! it such fields may stand.

use std::ops::Range;

use super::Escape;
use super::placeholder::{self, Stretch};
use crate::plan::mask::sounds_secret;

/// Whether a header of this name may hold a secret.
pub fn is_field(name: &str) -> bool {
    const NAMES: [&str; 4] = ["authorization", "cookie", "set-cookie", "proxy-authorization"];
    NAMES.contains(&name.trim().to_ascii_lowercase().as_str()) || sounds_secret(name)
}

/// Stretches of a target.
pub fn of_query(target: &str) -> Vec<Range<usize>> {
    let shape = shape(target);
    let query = shape.find('?').map_or(shape.len(), |at| at + 1);
    of_pairs(&shape, query)
}

/// Stretches of a text in a body; `before` is what stands in front of it.
pub fn of_body(before: &[u8], text: &str, escape: Escape) -> Vec<Range<usize>> {
    if sounds_secret(&part_name(before)) {
        return std::iter::once(0..text.len()).collect();
    }
    let shape = shape(text);
    match shape.trim_start().starts_with(['{', '[', '"']) || escape == Escape::Json {
        true => of_json(&shape),
        false => of_pairs(&shape, 0),
    }
}

/// The text with its placeholders covered, so that nothing in them is taken for its structure.
fn shape(text: &str) -> String {
    let stretches = placeholder::split(text).map(|stretch| match stretch {
        Stretch::Literal(literal) => literal.to_string(),
        Stretch::Placeholder(whole) | Stretch::Open(whole) => "x".repeat(whole.len()),
    });
    stretches.collect()
}

/// `name=value&name=value`, from `start` on.
fn of_pairs(shape: &str, start: usize) -> Vec<Range<usize>> {
    let mut secrets = Vec::new();
    let mut at = start;
    while at < shape.len() {
        let end = shape[at..].find(['&', '\n']).map_or(shape.len(), |length| at + length);
        if let Some((name, _)) = shape[at..end].split_once('=')
            && sounds_secret(name)
        {
            secrets.push(at + name.len() + 1..end);
        }
        at = end + 1;
    }
    secrets
}

/// `"name": value`, at any depth; of a value that is no text up to what ends it.
fn of_json(shape: &str) -> Vec<Range<usize>> {
    let mut secrets: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(open) = shape[at..].find('"').map(|found| at + found) {
        let Some(close) = closing(shape, open) else { break };
        at = close + 1;
        let rest = &shape[at..];
        let Some(value) = rest.trim_start().strip_prefix(':').map(str::trim_start) else {
            continue;
        };
        if !sounds_secret(&shape[open..close]) {
            continue;
        }
        let start = shape.len() - value.len();
        let secret = match value.starts_with('"') {
            // The quotes stay: what is shown is still JSON.
            true => start + 1..closing(shape, start).unwrap_or(shape.len()),
            false => {
                let length = value.find([',', '}', ']', '\n']).unwrap_or(value.len());
                start..start + length
            }
        };
        at = shape.len().min(secret.end + usize::from(value.starts_with('"')));
        secrets.push(secret);
    }
    secrets
}

/// The quote that closes the one at `open`.
fn closing(text: &str, open: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = open + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Of the part of multipart/form-data whose head ends there.
fn part_name(before: &[u8]) -> String {
    let text = String::from_utf8_lossy(&before[before.len().saturating_sub(1024)..]).into_owned();
    let head = text.strip_suffix("\r\n\r\n").and_then(|head| head.rsplit_once(" name=\""));
    let name = head.and_then(|(_, name)| name.split_once('"'));
    name.map_or(String::new(), |(name, _)| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str, secrets: Vec<Range<usize>>) -> String {
        let mut masked = text.to_string();
        secrets.into_iter().rev().for_each(|secret| masked.replace_range(secret, "***"));
        masked
    }

    #[test]
    fn secrets_are_found_in_queries_forms_json_and_parts() {
        let query = "/token=1?a=1&api_key={{hex 2}}x&b={{choice \"&token=2\"}}";
        let expected = "/token=1?a=1&api_key=***&b={{choice \"&token=2\"}}";
        assert_eq!(masked(query, of_query(query)), expected);
        for (before, text, expected) in [
            ("", "user=a&password=b", "user=a&password=***"),
            (
                "",
                r#"{"user":"a","password":"b\"c","x":[{"Token" : 12}]}"#,
                r#"{"user":"a","password":"***","x":[{"Token" : ***}]}"#,
            ),
            (
                "",
                r#"{"key":{{int 1 2}},"token":"{{data.a.b}}","c":"key"}"#,
                r#"{"key":***,"token":"***","c":"key"}"#,
            ),
            ("", r#"{"token":"#, r#"{"token":***"#),
            ("", r#"{"token":""#, r#"{"token":"***"#),
            ("", "{\"token\":\"é", "{\"token\":\"***"),
            ("; name=\"password\"\r\n\r\n", "abc", "***"),
            ("; name=\"user\"\r\n\r\n", "abc", "abc"),
            ("", "plain", "plain"),
        ] {
            assert_eq!(masked(text, of_body(before.as_bytes(), text, Escape::Raw)), expected);
        }
    }
}
