//! What a body is expected to hold: a text, or a regular expression between slashes.
//!
//! The bytes are looked at as they pass, by an automaton whose place in a body is one number. So
//! nothing of a body is kept, however long it is, and a match does not depend on how the body was
//! split over reads or chunks. The automata are those of the regex crate.
//!
//! A regular expression is one of bytes: `\w`, `\b` and `(?i)` know ASCII, `.` is any byte but a
//! line feed, and `(?u)` asks for Unicode.

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use crate::error::{Error, Result};

/// The most memory that an automaton may take; one for the whole run.
const MOST: usize = 8 << 20;

/// The longest text: its automaton has as many states.
const LONGEST: usize = 4_096;

/// A text or a regular expression.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As it was typed.
    pub text: String,
    automaton: dense::DFA<Vec<u32>>,
    start: StateID,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text
    }
}

/// How far one body has been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting(StateID);

impl Pattern {
    /// `/REGEX/`, or any other text for itself. The error repeats no part of it.
    pub fn parse(text: &str) -> Result<Pattern> {
        let regex = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let source = match regex {
            Some("") => return Err(Error::usage("the regular expression is empty; write `/.../`")),
            Some(regex) => regex.to_string(),
            None if text.is_empty() => {
                return Err(Error::usage("an empty text is in every body; give one to look for"));
            }
            None if text.len() > LONGEST => return Err(too_complex(false)),
            None => escaped(text),
        };
        let automaton = build(&source, regex.is_some())?;
        let start = automaton.start_state(&start::Config::new().anchored(Anchored::No));
        let start = start.map_err(|_| too_complex(regex.is_some()))?;
        Ok(Pattern { text: text.to_string(), automaton, start })
    }

    /// Before the first byte of a body.
    #[inline]
    pub fn start(&self) -> Sighting {
        Sighting(self.start)
    }

    /// Looks at the next bytes of a body.
    #[inline]
    pub fn look(&self, sighting: &mut Sighting, bytes: &[u8]) {
        let mut state = sighting.0;
        for &byte in bytes {
            // Found, or never to be found: either stays as it is.
            if self.automaton.is_special_state(state)
                && (self.automaton.is_match_state(state) || self.automaton.is_dead_state(state))
            {
                break;
            }
            state = self.automaton.next_state(state, byte);
        }
        sighting.0 = state;
    }

    /// Whether a body that ends here holds it.
    pub fn is_in(&self, sighting: Sighting) -> bool {
        // A match is told one byte late, and what asks for the end of the text only here.
        self.automaton.is_match_state(sighting.0)
            || self.automaton.is_match_state(self.automaton.next_eoi_state(sighting.0))
    }
}

fn build(source: &str, is_regex: bool) -> Result<dense::DFA<Vec<u32>>> {
    let config = dense::Config::new()
        .match_kind(MatchKind::All)
        .start_kind(StartKind::Unanchored)
        .dfa_size_limit(Some(MOST))
        .determinize_size_limit(Some(MOST));
    let bytes = syntax::Config::new().unicode(false).utf8(false);
    let built = dense::Builder::new().configure(config).syntax(bytes).build(source);
    built.map_err(|error| match error.is_size_limit_exceeded() {
        true => too_complex(is_regex),
        false => Error::usage(
            "what stands between the slashes is no regular expression of the `regex` crate; check \
             its brackets and escapes, and write `(?u)` for classes beyond ASCII",
        ),
    })
}

/// Each byte for itself. (The library's own `escape` is the regex crate's, which is not needed
/// otherwise.)
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!(r"\x{byte:02x}")).collect()
}

fn too_complex(is_regex: bool) -> Error {
    Error::usage(match is_regex {
        true => {
            "the regular expression takes more than 8 MB; shorten its counts such as `{1000}`, or \
             look for a part of it"
        }
        false => "the text is over 4,096 bytes; give a part of it to look for",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Whether a body in these pieces holds it.
    fn found<'a>(pattern: &Pattern, pieces: impl Iterator<Item = &'a [u8]>) -> bool {
        let mut sighting = pattern.start();
        pieces.for_each(|piece| pattern.look(&mut sighting, piece));
        pattern.is_in(sighting)
    }

    /// In one piece, byte by byte, and in each split in two: they must agree.
    fn is_in(text: &str, body: &[u8]) -> bool {
        let pattern = pattern(text);
        let whole = found(&pattern, [body].into_iter());
        assert_eq!(found(&pattern, body.chunks(1)), whole, "{text}, byte by byte");
        for cut in 0..=body.len() {
            let pieces = [&body[..cut], b"", &body[cut..]];
            assert_eq!(found(&pattern, pieces.into_iter()), whole, "{text}, split at {cut}");
        }
        whole
    }

    #[test]
    fn a_text_is_found_wherever_it_stands_and_only_whole() {
        for (text, body, expected) in [
            ("ok", &b"ok"[..], true),
            ("ok", b"it is ok.", true),
            ("ok", b"", false),
            ("ok", b"o k", false),
            ("aab", b"aaab", true),
            ("abab", b"ababab", true),
            ("abac", b"ababac", true),
            ("abac", b"abab", false),
            (".*", b"abc", false),
            (".*", b"a.*c", true),
            ("é", "café".as_bytes(), true),
            ("é", b"caf\xe9", false),
            ("/", b"a/b", true),
            ("/a", b"/b /a", true),
            ("\0\n", b"a\0\nb", true),
        ] {
            assert_eq!(is_in(text, body), expected, "{text} in {}", body.escape_ascii());
        }
    }

    #[test]
    fn a_regular_expression_stands_between_slashes() {
        for (text, body, expected) in [
            ("/o+k/", &b"xoookx"[..], true),
            ("/^ok$/", b"ok", true),
            ("/^ok$/", b"ok\n", false),
            ("/(?m)^ok$/", b"a\nok\nb", true),
            ("/^ok/", b"not ok", false),
            ("/ok$/", b"not ok", true),
            (r#"/"id":\s*[0-9]+\b/"#, br#"{"id": 17}"#, true),
            (r"/\bid\b/", b"void", false),
            ("/(?i)OK/", b"oK", true),
            ("/a.c/", b"a\nc", false),
            ("/(?s)a.c/", b"a\nc", true),
            (r"/\xff{2}/", b"\xff\xff", true),
            ("/a|^$/", b"", true),
            ("/é+/", "éé".as_bytes(), true),
            ("/(?u:[é-ü])/", "ö".as_bytes(), true),
            (r"/a\/b/", b"a/b", true),
            ("/a?/", b"", true),
        ] {
            assert_eq!(is_in(text, body), expected, "{text} in {}", body.escape_ascii());
        }
    }

    #[test]
    fn the_longest_text_is_looked_for() {
        let text: String = ('\u{20}'..='\u{7e}').cycle().skip(1).take(LONGEST).collect();
        let pattern = pattern(&text);
        assert!(found(&pattern, [b"xx", text.as_bytes()].into_iter()));
        assert!(!found(&pattern, [b"xx", &text.as_bytes()[..LONGEST - 1]].into_iter()));
    }

    #[test]
    fn what_cannot_be_looked_for_is_one_sentence_that_does_not_repeat_it() {
        let long = "x1".repeat(LONGEST / 2 + 1);
        for (text, expected) in [
            ("", "an empty text"),
            ("//", "is empty"),
            ("/x1(/", "no regular expression"),
            ("/x1[é]/", "`(?u)`"),
            ("/x1(a|b)*a(a|b){40}/", "takes more than 8 MB"),
            (&long, "over 4,096 bytes"),
        ] {
            let message = Pattern::parse(text).expect_err("it was accepted").message;
            assert!(message.contains(expected) && !message.contains("x1"), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
}
