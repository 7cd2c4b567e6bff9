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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Nanos;

    const ANSWER: Answer = Answer {
        status: 200,
        head: b"HTTP/1.1 302 Found\r\nLocation: /next?a=b\r\nlocation: /other\r\n\
            Set-Cookie: sid=a=1; Path=/; HttpOnly\r\nSet-Cookie: lang=en\r\n\
            set-cookie: sid = \"b 2\" ;Max-Age=0\r\nSet-Cookie: SID=no\r\n\r\n",
        body: br#"{"token": "a.b-c", "said": "caf\u00e9 \"x\"", "half": "\ud800", "id": 1.50,
            "list": [1, "two", {"three": 3}], "none": null} id=17;"#,
        is_cut: false,
        body_bytes: 0,
        latency: Nanos::ZERO,
    };

    /// The document alone.
    fn json() -> Answer<'static> {
        Answer { body: &ANSWER.body[..ANSWER.body.len() - " id=17;".len()], ..ANSWER }
    }

    fn found(source: Result<Source>, answer: &Answer) -> Option<String> {
        let source = source.unwrap_or_else(|error| panic!("{error}"));
        source.find(answer).map(|found| String::from_utf8(found.into_owned()).unwrap())
    }

    #[test]
    fn a_source_gives_what_it_names() {
        for (source, expected) in [
            (Source::json("/token"), Some("a.b-c")),
            (Source::json("/said"), Some("café \"x\"")),
            (Source::json("/half"), None),
            (Source::json("/id"), Some("1.50")),
            (Source::json("/list/2"), Some(r#"{"three": 3}"#)),
            (Source::json("/list/1"), Some("two")),
            (Source::json("/none"), Some("null")),
            (Source::json("/absent"), None),
            (Source::header("LOCATION"), Some("/next?a=b")),
            (Source::header("Absent"), None),
            (Source::cookie("sid"), Some("\"b 2\"")),
            (Source::cookie("lang"), Some("en")),
            (Source::cookie("absent"), None),
            (Source::regex(r#""token": "([^"]+)""#), Some("a.b-c")),
            (Source::regex(r"\d\.\d+"), Some("1.50")),
            (Source::regex("absent"), None),
        ] {
            let shown = format!("{source:?}");
            assert_eq!(found(source, &json()).as_deref(), expected, "{shown}");
        }
        assert_eq!(found(Source::json("/token"), &ANSWER), None, "the body is no JSON");
        assert_eq!(found(Source::regex(r"id=(\d+)"), &ANSWER).as_deref(), Some("17"));
    }

    #[test]
    fn nothing_is_captured_from_a_cut_body_but_all_from_its_head() {
        let cut = Answer { is_cut: true, ..json() };
        assert_eq!(found(Source::json("/token"), &cut), None);
        assert_eq!(found(Source::regex("token"), &cut), None);
        assert_eq!(found(Source::header("Location"), &cut).as_deref(), Some("/next?a=b"));
        assert_eq!(found(Source::cookie("lang"), &cut).as_deref(), Some("en"));
    }

    #[test]
    fn a_value_is_copied_only_to_undo_escapes() {
        for (pointer, is_copied) in [("/token", false), ("/id", false), ("/said", true)] {
            let answer = json();
            let found = Source::json(pointer).unwrap().find(&answer).unwrap();
            assert_eq!(matches!(found, Cow::Owned(_)), is_copied, "{pointer}");
        }
    }

    #[test]
    fn a_source_says_what_has_to_be_kept() {
        for (source, needs) in [
            (Source::json("/a"), Needs::BODY),
            (Source::regex("a"), Needs::BODY),
            (Source::header("A"), Needs::HEAD),
            (Source::cookie("a"), Needs::HEAD),
        ] {
            assert_eq!(source.unwrap().needs(), needs);
        }
    }

    #[test]
    fn what_is_no_source_is_one_sentence() {
        for (source, expected) in [
            (Source::json("token"), "write `/token`"),
            (Source::header("a b"), "is no name of a header"),
            (Source::cookie("sid="), "is no name of a cookie"),
            (Source::cookie(""), "is no name of a cookie"),
            (Source::regex("["), "no regular expression"),
        ] {
            let message = source.expect_err(expected).message;
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
    }
}
