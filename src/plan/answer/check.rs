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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n\
        Vary: Origin\r\nvary: Accept\r\nX-Empty:\r\n\r\n";
    const BODY: &[u8] =
        br#"{"id": 17, "ok": true, "name": "caf\u00e9", "tags": ["a", "b"], "none": null}"#;

    const ANSWER: Answer = Answer {
        status: 201,
        head: HEAD,
        body: BODY,
        is_cut: false,
        body_bytes: BODY.len() as u64,
        latency: Nanos::from_millis(20),
    };

    fn holds(test: Result<Test>, answer: &Answer) -> bool {
        let check = Check::new("it", 3, test.unwrap_or_else(|error| panic!("{error}")));
        assert_eq!((check.name.as_str(), check.index), ("it", 3));
        check.holds(answer)
    }

    #[test]
    fn a_check_holds_or_not() {
        let text = |text: &str| text.to_owned();
        for (test, expected) in [
            (Test::status("200,201"), true),
            (Test::status("200"), false),
            (Test::contains("\"ok\": true"), true),
            (Test::contains("\"ok\": false"), false),
            (Test::regex(r#""id":\s*\d+\b"#), true),
            (Test::regex(r#""id":\s*[a-z]"#), false),
            (Test::json("/id", None), true),
            (Test::json("/none", None), true),
            (Test::json("/absent", None), false),
            (Test::header("content-type", Field::Exists), true),
            (Test::header("X-Empty", Field::Exists), true),
            (Test::header("X-Absent", Field::Exists), false),
            (Test::header("Content-Type", Field::Contains(text("json"))), true),
            (Test::header("Content-Type", Field::Contains(text("xml"))), false),
            (Test::header("Vary", Field::Equals(text("Origin"))), true),
            (Test::header("Vary", Field::Equals(text("Accept"))), true),
            (Test::header("Vary", Field::Equals(text("accept"))), false),
            (Test::header("X-Absent", Field::Contains(text(""))), false),
            (Test::size("77"), true),
            (Test::size("..10"), false),
            (Test::latency("20ms"), true),
            (Test::latency("19.9ms"), false),
        ] {
            let shown = format!("{test:?}");
            assert_eq!(holds(test, &ANSWER), expected, "{shown}");
        }
    }

    #[test]
    fn a_json_value_is_compared_by_what_it_says() {
        for (body, wanted, expected) in [
            ("1", json!(1), true),
            ("1.0", json!(1), true),
            ("1e0", json!(1), true),
            ("1", json!(1.0), true),
            ("2", json!(1), false),
            ("-1", json!(-1), true),
            ("18446744073709551615", json!(u64::MAX), true),
            ("18446744073709551614", json!(u64::MAX), false),
            ("\"1\"", json!(1), false),
            ("1", json!("1"), false),
            ("true", json!(true), true),
            ("false", json!(true), false),
            ("null", json!(null), true),
            ("0", json!(null), false),
            ("\"a b\"", json!("a b"), true),
            (r#""caf\u00e9""#, json!("café"), true),
            (r#""a\"b""#, json!("a\"b"), true),
            (r#""a""#, json!("a\""), false),
            ("\"\"", json!(""), true),
            (r#"[1.0, {"b": 2, "a": [ ]}]"#, json!([1, {"a": [], "b": 2}]), true),
            ("[1, 2]", json!([1]), false),
            (r#"{"a": 1}"#, json!({"a": 1, "b": 2}), false),
            (r#"{"a": 1, "b": 2}"#, json!({"a": 1}), false),
        ] {
            let answer = Answer { body: body.as_bytes(), ..ANSWER };
            assert_eq!(
                holds(Test::json("", Some(wanted.clone())), &answer),
                expected,
                "{body} {wanted}"
            );
            let document = format!(r#"{{"at": [0, {body}], "next": 1}}"#);
            let answer = Answer { body: document.as_bytes(), ..ANSWER };
            assert_eq!(holds(Test::json("/at/1", Some(wanted)), &answer), expected, "{document}");
        }
    }

    #[test]
    fn of_a_cut_body_what_already_holds_is_enough() {
        let cut = Answer { body: br#"{"id": 17, "ok": tr"#, is_cut: true, ..ANSWER };
        for (test, expected) in [
            (Test::json("/id", Some(json!(17))), true),
            (Test::json("/ok", None), false),
            (Test::contains("17,"), true),
            (Test::contains("true"), false),
            (Test::regex(r"\d+,"), true),
            (Test::regex("tr$"), false),
            (Test::size("77"), true),
        ] {
            let shown = format!("{test:?}");
            assert_eq!(holds(test, &cut), expected, "{shown}");
        }
    }

    #[test]
    fn only_what_is_looked_at_has_to_be_kept() {
        let (nothing, head, body) = (Needs::NOTHING, Needs::HEAD, Needs::BODY);
        for (test, needs) in [
            (Test::status("200"), nothing),
            (Test::size("1"), nothing),
            (Test::latency("1s"), nothing),
            (Test::header("Date", Field::Exists), head),
            (Test::contains("x"), body),
            (Test::regex("x"), body),
            (Test::json("/x", None), body),
        ] {
            assert_eq!(Check::new("it", 0, test.unwrap()).needs(), needs);
        }
    }

    #[test]
    fn what_cannot_be_tested_is_one_sentence() {
        for (test, expected) in [
            (Test::status("ok"), "is no status"),
            (Test::contains(""), "an empty text is in every body"),
            (Test::regex("("), "no regular expression"),
            (Test::json("id", None), "write `/id`"),
            (Test::header("Content-Type:", Field::Exists), "without the colon"),
            (Test::header("", Field::Exists), "is no name of a header"),
            (Test::size("2k..1k"), "the smaller one first"),
            (Test::latency("fast"), "is no duration"),
        ] {
            let message = test.expect_err(expected).message;
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
    }
}
