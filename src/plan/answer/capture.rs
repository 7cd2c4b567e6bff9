//! Values of an answer that are kept under a name.

use std::borrow::Cow;

use super::check::field_name;
use super::{Answer, Needs, Pointer, Regex};
use crate::error::{Error, Result};
use crate::http::{field, set_cookies};
use crate::units::quote;

/// Something in an answer that is kept under a name.
#[derive(Clone, Debug)]
pub struct Capture {
    pub name: String,
    /// Its place among all captures of the scenario.
    pub index: usize,
    /// Its place among the checks: that it is there is one of them.
    pub check: usize,
    pub from: Source,
}

/// Where something stands in an answer.
#[derive(Clone, Debug)]
pub enum Source {
    /// A value of a JSON body: of a string what it says, of anything else its text as it stands.
    Json(Pointer),
    /// The first field of this name.
    Header(String),
    /// What Set-Cookie gives this name.
    Cookie(String),
    /// The first group, or the whole match where there is none.
    Regex(Regex),
}

impl Source {
    /// `/items/0/id`.
    pub fn json(pointer: &str) -> Result<Source> {
        Pointer::parse(pointer).map(Source::Json)
    }

    pub fn header(name: &str) -> Result<Source> {
        field_name(name).map(Source::Header)
    }

    pub fn cookie(name: &str) -> Result<Source> {
        let is_outside =
            |byte: u8| matches!(byte, b'=' | b';' | b',' | b' ' | b'\t' | b'\r' | b'\n');
        if name.is_empty() || name.bytes().any(is_outside) {
            return Err(Error::usage(format!(
                "{} is no name of a cookie; write what stands before the `=` in Set-Cookie",
                quote(name)
            )));
        }
        Ok(Source::Cookie(name.to_owned()))
    }

    pub fn regex(text: &str) -> Result<Source> {
        Regex::parse(text).map(Source::Regex)
    }

    pub fn needs(&self) -> Needs {
        match self {
            Source::Header(_) | Source::Cookie(_) => Needs::HEAD,
            Source::Json(_) | Source::Regex(_) => Needs::BODY,
        }
    }

    /// `None`: it is not there.
    pub fn find<'a>(&self, answer: &Answer<'a>) -> Option<Cow<'a, [u8]>> {
        match self {
            Source::Header(name) => field(answer.head, name).map(Cow::Borrowed),
            // RFC 6265, 4.1.1: no name should be set twice; where one is, the last one stays.
            Source::Cookie(name) => set_cookies(answer.head)
                .filter(|(found, ..)| *found == name.as_bytes())
                .last()
                .map(|(_, value, _)| Cow::Borrowed(value)),
            Source::Json(_) | Source::Regex(_) if answer.is_cut => None,
            Source::Json(pointer) => pointer.find(answer.body, false).and_then(|it| said(it.get())),
            Source::Regex(regex) => regex.group(answer.body).map(Cow::Borrowed),
        }
    }
}

/// What a JSON value says: a string without its quotes and escapes, anything else as it stands.
fn said(text: &str) -> Option<Cow<'_, [u8]>> {
    let Some(inside) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Some(Cow::Borrowed(text.as_bytes()));
    };
    if !inside.contains('\\') {
        return Some(Cow::Borrowed(inside.as_bytes()));
    }
    // An escape that stands for half a character says nothing.
    serde_json::from_str::<String>(text).ok().map(|said| Cow::Owned(said.into_bytes()))
}
