//! Named tests of an answer.

use std::sync::Arc;

use memchr::memmem::Finder;
use serde_json::Value;

use super::{Answer, Needs, Pointer, Regex};
use crate::error::{Error, Result};
use crate::http::{field, fields};
use crate::plan::expect::{Sizes, Statuses};
use crate::time::Nanos;

/// A named test: an answer that fails it is rejected as `check:NAME`.
#[derive(Clone, Debug)]
pub struct Check {
    pub name: String,
    /// Its place among all checks of the scenario.
    pub index: usize,
    test: Arc<Test>,
}

/// What must hold. The functions of the same names read what a plan says.
#[derive(Clone, Debug)]
pub enum Test {
    Status(Statuses),
    /// The body holds this text.
    Contains(Box<Finder<'static>>),
    /// The body holds a match.
    Regex(Regex),
    /// The body is JSON, and there is a value at this place; or it is this very one.
    Json {
        pointer: Pointer,
        equals: Option<Value>,
    },
    Header {
        name: String,
        value: Field,
    },
    /// Bytes of the body.
    Size(Sizes),
    /// From sent to done, at most.
    Latency(Nanos),
}

/// What is asked of a field. One of several fields of the name is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    Exists,
    Equals(String),
    Contains(String),
}

impl Check {
    pub fn new(name: impl Into<String>, index: usize, test: Test) -> Check {
        Check { name: name.into(), index, test: Arc::new(test) }
    }

    /// It says which statuses are good.
    pub fn is_of_status(&self) -> bool {
        matches!(&*self.test, Test::Status(_))
    }

    pub fn needs(&self) -> Needs {
        match &*self.test {
            Test::Status(_) | Test::Size(_) | Test::Latency(_) => Needs::NOTHING,
            Test::Header { .. } => Needs::HEAD,
            Test::Contains(_) | Test::Regex(_) | Test::Json { .. } => Needs::BODY,
        }
    }

    pub fn holds(&self, answer: &Answer) -> bool {
        match &*self.test {
            Test::Status(statuses) => statuses.has(answer.status),
            Test::Contains(text) => text.find(answer.body).is_some(),
            Test::Regex(regex) => regex.is_in(answer.body, answer.is_cut),
            Test::Json { pointer, equals } => {
                let found = pointer.find(answer.body, answer.is_cut);
                found.is_some_and(|found| {
                    equals.as_ref().is_none_or(|wanted| is_equal(found.get(), wanted))
                })
            }
            Test::Header { name, value } => value.holds(name, answer.head),
            Test::Size(sizes) => sizes.has(answer.body_bytes),
            Test::Latency(most) => answer.latency <= *most,
        }
    }
}

impl Test {
    /// `200,201`, `3xx`, `200-204`.
    pub fn status(text: &str) -> Result<Test> {
        Statuses::parse(text).map(Test::Status)
    }

    /// Any text but the empty one.
    pub fn contains(text: &str) -> Result<Test> {
        if text.is_empty() {
            return Err(Error::usage("an empty text is in every body; give one to look for"));
        }
        Ok(Test::Contains(Box::new(Finder::new(text).into_owned())))
    }

    pub fn regex(text: &str) -> Result<Test> {
        Regex::parse(text).map(Test::Regex)
    }

    /// `/items/0/id`; `equals`: any JSON value, in which numbers are compared by what they are
    /// worth (`1` is `1.0`).
    pub fn json(pointer: &str, equals: Option<Value>) -> Result<Test> {
        Ok(Test::Json { pointer: Pointer::parse(pointer)?, equals })
    }

    pub fn header(name: &str, value: Field) -> Result<Test> {
        Ok(Test::Header { name: field_name(name)?, value })
    }

    /// `512`, `1k..2k`, `1k..`, `..2k`.
    pub fn size(text: &str) -> Result<Test> {
        Sizes::parse(text).map(Test::Size)
    }

    /// `500ms`.
    pub fn latency(text: &str) -> Result<Test> {
        crate::units::parse_duration(text).map(Test::Latency)
    }
}

impl Field {
    fn holds(&self, name: &str, head: &[u8]) -> bool {
        let mut values = fields(head)
            .filter(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value);
        match self {
            Field::Exists => field(head, name).is_some(),
            Field::Equals(wanted) => values.any(|value| value == wanted.as_bytes()),
            Field::Contains(part) => {
                values.any(|value| memchr::memmem::find(value, part.as_bytes()).is_some())
            }
        }
    }
}

/// A field's name as it stands in an answer.
pub(super) fn field_name(name: &str) -> Result<String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        let name = crate::units::quote(name);
        return Err(Error::usage(format!(
            "{name} is no name of a header; write one such as `Content-Type`, without the colon"
        )));
    }
    Ok(name.to_owned())
}

/// Whether the JSON text is this value.
fn is_equal(text: &str, wanted: &Value) -> bool {
    match wanted {
        // The common ones, without building anything.
        Value::Null => text == "null",
        Value::Bool(wanted) => text == if *wanted { "true" } else { "false" },
        Value::String(wanted) if !text.contains('\\') => {
            text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(wanted)
        }
        Value::Number(wanted) => {
            serde_json::from_str(text).is_ok_and(|found| is_same_number(&found, wanted))
        }
        _ => serde_json::from_str(text).is_ok_and(|found| is_same(&found, wanted)),
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => is_same_number(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has_same = |(name, value)| other.get(name).is_some_and(|it| is_same(value, it));
            one.len() == other.len() && one.iter().all(has_same)
        }
        (one, other) => one == other,
    }
}

/// Integers to the last digit; where one of them is none, as the nearest floating-point numbers.
fn is_same_number(one: &serde_json::Number, other: &serde_json::Number) -> bool {
    one == other || (one.is_f64() || other.is_f64()) && one.as_f64() == other.as_f64()
}
