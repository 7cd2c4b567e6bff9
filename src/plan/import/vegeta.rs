//! Targets of vegeta (github.com/tsenart/vegeta), in its text format and as lines of JSON.
//!
//! ```text
//! target = METHOD SP URL LF *( Name: value LF ) [ "@" FILE LF ]
//! ```
//!
//! Comments begin with `#`; empty lines part targets and may be left out between them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use super::Refusal;
use super::call::Body;
use super::draft::{Draft, find};
use super::har::{essence, of_bytes};
use super::placeholder::literal;
use super::urls::{is_method, lines};
use crate::plan::url::masked;
use crate::units::quote;

#[derive(Default)]
struct Target {
    line: usize,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Body>,
}

impl Target {
    fn hand_to(self, draft: &mut Draft) -> Result<(), Refusal> {
        let Target { line, method, url, headers, body } = self;
        let added = draft.add_url(&method, &url, headers, body);
        added.map_err(|error| Refusal::at(line, error.message))
    }
}

pub fn read(bytes: &[u8], draft: &mut Draft) -> Result<(), Refusal> {
    let mut open: Option<Target> = None;
    for (number, line) in lines(bytes) {
        let line = line?;
        if line.starts_with('#') {
            continue;
        }
        if line.is_empty() {
            // Files have empty lines between a target and its fields, and vegeta takes them.
            continue;
        }
        match (target(line), open.as_mut()) {
            (Some((method, url)), _) => {
                let next = Target {
                    line: number,
                    method: method.into(),
                    url: url.into(),
                    ..Target::default()
                };
                if let Some(target) = open.replace(next) {
                    target.hand_to(draft)?;
                }
            }
            (None, Some(target)) => target.take(line, number)?,
            (None, None) => {
                return Err(Refusal::at(
                    number,
                    format!(
                        "expected a target such as `GET http://host/`, and found {}",
                        quote(&masked(line))
                    ),
                ));
            }
        }
    }
    open.map_or(Ok(()), |target| target.hand_to(draft))
}

/// `METHOD URL`
fn target(line: &str) -> Option<(&str, &str)> {
    let (method, url) = line.split_once(char::is_whitespace)?;
    is_method(method).then_some((method, url.trim()))
}

impl Target {
    /// A line below the first.
    fn take(&mut self, line: &str, number: usize) -> Result<(), Refusal> {
        if let Some(file) = line.strip_prefix('@') {
            return match file.trim() {
                "" => Err(Refusal::at(number, "expected a file's name behind `@`")),
                file => {
                    self.body = Some(Body::File(file.into()));
                    Ok(())
                }
            };
        }
        match line.split_once(':') {
            Some((name, value)) if super::draft::is_token(name.trim()) => {
                self.headers.push((name.trim().into(), literal(value.trim())));
                Ok(())
            }
            // What stands there may be a credential whose name was lost.
            _ => Err(Refusal::at(
                number,
                "expected `Name: value`, `@FILE` or the next target such as `GET http://host/`",
            )),
        }
    }
}

#[derive(Deserialize)]
struct Line {
    method: String,
    url: String,
    body: Option<String>,
    header: Option<BTreeMap<String, Vec<String>>>,
}

const EXPECTED: &str = "a vegeta target (method, url, and maybe body and header) on each line";

pub fn read_json(bytes: &[u8], draft: &mut Draft) -> Result<(), Refusal> {
    for (number, line) in lines(bytes) {
        let line = line?;
        if line.is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(line)
            .map_err(|error| Refusal::of_json(&error, number, EXPECTED))?;
        let headers = line.header.unwrap_or_default().into_iter().flat_map(|(name, values)| {
            values.into_iter().map(move |value| (name.clone(), literal(&value)))
        });
        let headers: Vec<(String, String)> = headers.collect();
        let body = match line.body.as_deref() {
            None | Some("") => None,
            Some(body) => {
                let bytes = BASE64.decode(body).map_err(|_| {
                    Refusal::at(number, "expected a body in base64, as vegeta writes it")
                })?;
                let kind = essence(find(&headers, "Content-Type").unwrap_or_default());
                Some(of_bytes(bytes, &kind))
            }
        };
        let target = Target { line: number, method: line.method, url: line.url, headers, body };
        target.hand_to(draft)?;
    }
    Ok(())
}
