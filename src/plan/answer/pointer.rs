//! A place in a JSON document (RFC 6901).
//!
//! The document is walked from its front: what the pointer does not name is skipped, and what it
//! names is found as the text that stands there. Nothing is built. Where an object has a name
//! twice, the last one counts, as it does for most parsers.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::units::quote;

/// The longest pointer, in steps: no deeper than serde_json reads.
const DEEPEST: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    steps: Box<[Step]>,
}

/// One step down: into an object by name, into an array by index.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    name: String,
    /// The name, where it is an index: digits without a leading zero.
    index: Option<usize>,
}

impl Pointer {
    /// `/items/0/id`; `~1` is a slash in a name, `~0` a tilde. The empty one is the whole
    /// document.
    pub fn parse(text: &str) -> Result<Pointer> {
        let Some(rest) = text.strip_prefix('/') else {
            return match text {
                "" => Ok(Pointer { steps: Box::new([]) }),
                _ => Err(Error::usage(format!(
                    "{} is no JSON pointer, which begins with a slash; write {}",
                    quote(text),
                    quote(&guess(text))
                ))),
            };
        };
        let steps: Option<Box<[Step]>> = rest.split('/').map(Step::parse).collect();
        match steps {
            Some(steps) if steps.len() <= DEEPEST => Ok(Pointer { steps }),
            Some(_) => Err(Error::usage(format!(
                "a JSON pointer has {DEEPEST} steps at most; {} has more",
                quote(text)
            ))),
            None => Err(Error::usage(format!(
                "{} is no JSON pointer; write `~0` for a tilde in a name, `~1` for a slash",
                quote(text)
            ))),
        }
    }

    /// The value at this place, as it is written in `document`. A document that is not JSON holds
    /// nothing; of one that is cut, what was seen to its end does.
    pub fn find<'a>(&self, document: &'a [u8], is_cut: bool) -> Option<&'a RawValue> {
        let mut found = None;
        let mut reader = serde_json::Deserializer::from_slice(document);
        let walk = Walk { steps: &self.steps, found: &mut found };
        let read = walk.deserialize(&mut reader).and_then(|()| reader.end());
        match read {
            Ok(()) => found,
            // The last digits of a number may be missing.
            Err(_) if is_cut => {
                found.filter(|value| !(is_number(value) && is_last(value, document)))
            }
            Err(_) => None,
        }
    }
}

impl Step {
    fn parse(text: &str) -> Option<Step> {
        let mut parts = text.split('~');
        let mut name = parts.next()?.to_owned();
        for part in parts {
            name.push(match part.as_bytes().first()? {
                b'0' => '~',
                b'1' => '/',
                _ => return None,
            });
            name += &part[1..];
        }
        let is_index =
            name == "0" || name.bytes().all(|byte| byte.is_ascii_digit()) && !name.starts_with('0');
        let index = if is_index { name.parse().ok() } else { None };
        Some(Step { name, index })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps
            .iter()
            .try_for_each(|step| write!(f, "/{}", step.name.replace('~', "~0").replace('/', "~1")))
    }
}

/// What someone meant who writes paths as other tools have them: `$.items[0].id`.
fn guess(text: &str) -> String {
    let path = text.strip_prefix('$').unwrap_or(text).replace(['.', '['], "/").replace(']', "");
    if path.starts_with('/') { path } else { format!("/{path}") }
}

fn is_number(value: &RawValue) -> bool {
    value.get().ends_with(|last: char| last.is_ascii_digit())
}

/// Whether nothing stands behind it.
fn is_last(value: &RawValue, document: &[u8]) -> bool {
    value.get().as_bytes().as_ptr_range().end == document.as_ptr_range().end
}

/// Goes down these steps, over the whole of a value.
struct Walk<'p, 'f, 'a> {
    steps: &'p [Step],
    found: &'f mut Option<&'a RawValue>,
}

impl<'a> DeserializeSeed<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> std::result::Result<(), D::Error> {
        // A name that stands here again replaces what was found under the first.
        *self.found = None;
        if self.steps.is_empty() {
            *self.found = Some(serde::Deserialize::deserialize(reader)?);
            return Ok(());
        }
        reader.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let Some((step, steps)) = self.steps.split_first() else { return Ok(()) };
        while let Some(is_named) = map.next_key_seed(Named(&step.name))? {
            if is_named {
                map.next_value_seed(Walk { steps, found: &mut *self.found })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> std::result::Result<(), A::Error> {
        let Some((step, steps)) = self.steps.split_first() else { return Ok(()) };
        let mut before = step.index.unwrap_or(usize::MAX);
        while before > 0 && items.next_element::<IgnoredAny>()?.is_some() {
            before -= 1;
        }
        if before == 0 && items.next_element_seed(Walk { steps, found: self.found })?.is_some() {
            while items.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(())
    }

    // No way down from any of these.

    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
}

/// Whether a name is this one.
struct Named<'p>(&'p str);

impl<'a> DeserializeSeed<'a> for Named<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> std::result::Result<bool, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Named<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> std::result::Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find<'a>(pointer: &str, document: &'a str, is_cut: bool) -> Option<&'a str> {
        let pointer = Pointer::parse(pointer).unwrap_or_else(|error| panic!("{error}"));
        pointer.find(document.as_bytes(), is_cut).map(RawValue::get)
    }

    #[test]
    fn the_examples_of_rfc_6901_are_found() {
        let document = r#"{ "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
            "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8 }"#;
        for (pointer, expected) in [
            ("", document),
            ("/foo", r#"["bar", "baz"]"#),
            ("/foo/0", r#""bar""#),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
        ] {
            assert_eq!(find(pointer, document, false), Some(expected), "{pointer}");
            assert_eq!(Pointer::parse(pointer).unwrap().to_string(), pointer);
        }
    }

    #[test]
    fn a_value_is_what_stands_there() {
        for (pointer, document, expected) in [
            (
                "/a/b/1/c",
                r#"{"x": [1, {}], "a": {"b": [0, {"c": {"d": null}}, 2]}}"#,
                Some(r#"{"d": null}"#),
            ),
            ("/a", r#"{"a": 1.50}"#, Some("1.50")),
            ("/a", r#"{"a": null}"#, Some("null")),
            ("/0/1", "[[1, 2], 3]", Some("2")),
            ("/0", r#"{"0": "name"}"#, Some(r#""name""#)),
            ("/01", r#"{"01": 1}"#, Some("1")),
            ("/é", r#"{"\u00e9": 1}"#, Some("1")),
            ("/a", r#"{"a": 1, "a": 2}"#, Some("2")),
            ("/a/b", r#"{"a": {"b": 1}, "a": 2}"#, None),
            ("/~01", r#"{"~1": 1, "/": 2}"#, Some("1")),
            ("/b", r#"{"a": 1}"#, None),
            ("/a/b", r#"{"a": "b"}"#, None),
            ("/a/0", r#"{"a": {}}"#, None),
            ("/2", "[0, 1]", None),
            ("/-", "[0, 1]", None),
            ("/00", "[0, 1]", None),
            ("/x", "[0, 1]", None),
            ("/a", "7", None),
            ("/a", "", None),
            ("/a", r#"{"a": 1} and more"#, None),
            ("/a", r#"{"a": 1, b}"#, None),
            ("/a", r#"{"a": tru}"#, None),
            ("", " [1] ", Some("[1]")),
        ] {
            assert_eq!(find(pointer, document, false), expected, "{pointer} in {document}");
        }
    }

    #[test]
    fn of_a_cut_document_only_what_was_seen_to_its_end_is_found() {
        for (document, expected) in [
            (r#"{"a": "x", "b"#, Some(r#""x""#)),
            (r#"{"a": "x""#, Some(r#""x""#)),
            (r#"{"a": "x"#, None),
            (r#"{"a": true"#, Some("true")),
            (r#"{"a": tr"#, None),
            (r#"{"a": [1, 2]"#, Some("[1, 2]")),
            (r#"{"a": [1, 2"#, None),
            (r#"{"a": 12"#, None),
            (r#"{"a": 12 "#, Some("12")),
            (r#"{"a": 12, "b": [1,"#, Some("12")),
            (r#"{"b": 1, "a"#, None),
        ] {
            assert_eq!(find("/a", document, true), expected, "{document}");
            assert_eq!(find("/a", document, false), None, "{document}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_hold_nothing() {
        let pointer = Pointer::parse("/a").unwrap();
        assert!(pointer.find(b"{\"a\": \"\xff\"}", false).is_none());
        assert!(pointer.find(&b"[".repeat(100_000), true).is_none());
        let deep = format!(r#"{{"b": {}{}, "a": 1}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(pointer.find(deep.as_bytes(), false).map(RawValue::get), Some("1"));
    }

    #[test]
    fn what_is_no_pointer_is_answered_with_one() {
        for (text, expected) in [
            ("id", "which begins with a slash; write `/id`"),
            ("$.items[0].id", "write `/items/0/id`"),
            ("items[0]", "write `/items/0`"),
            ("/a~", "write `~0` for a tilde"),
            ("/a~2b", "write `~0` for a tilde"),
            (&"/a".repeat(101), "100 steps at most"),
        ] {
            let message = Pointer::parse(text).expect_err(text).message;
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
    }
}
