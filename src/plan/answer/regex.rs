//! A regular expression over a body.
//!
//! The same bytes semantics as those of `--expect-body` (`http/pattern.rs`): `\w`, `\b` and `(?i)`
//! know ASCII, `.` is any byte but a line feed, and `(?u)` asks for Unicode. But the body is whole
//! here, so that groups can be taken out of it.

use regex_automata::Input;
use regex_automata::meta::{Config, Regex as Engine};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::util::syntax;

use crate::error::{Error, Result};

/// The most memory of the compiled expression.
const MOST: usize = 8 << 20;

/// What each thread that searches may keep of its lazy automaton.
const CACHE: usize = 256 << 10;

/// Compiled once, shared by all workers.
#[derive(Clone, Debug)]
pub struct Regex {
    engine: Engine,
    has_group: bool,
}

impl Regex {
    /// Written without slashes around it. The error repeats no part of it.
    pub fn parse(text: &str) -> Result<Regex> {
        if text.is_empty() {
            return Err(Error::usage("the regular expression is empty; write what to look for"));
        }
        let config = Config::new()
            .utf8_empty(false)
            .nfa_size_limit(Some(MOST))
            .onepass_size_limit(Some(MOST))
            .hybrid_cache_capacity(CACHE);
        let bytes = syntax::Config::new().unicode(false).utf8(false);
        let built = Engine::builder().configure(config).syntax(bytes).build(text);
        let engine = built.map_err(|error| match error.size_limit() {
            Some(_) => Error::usage(
                "the regular expression takes more than 8 MB; shorten its counts such as `{1000}`",
            ),
            None => Error::usage(
                "this is no regular expression of the `regex` crate; check its brackets and \
                 escapes, and write `(?u)` for classes beyond ASCII",
            ),
        })?;
        let has_group = engine.group_info().group_len(Default::default()) > 1;
        Ok(Regex { engine, has_group })
    }

    /// Whether the body holds a match. Of a cut one, only where more bytes cannot undo it.
    pub fn is_in(&self, body: &[u8], is_cut: bool) -> bool {
        // The last byte is looked at but matched by nothing: the end of what was kept is no end
        // of a text, a line or a word.
        let end = if is_cut { body.len().saturating_sub(1) } else { body.len() };
        self.engine.is_match(Input::new(body).range(..end))
    }

    /// The first group of the first match, or all of it where the expression has no groups.
    /// `None` also where the match does without its group.
    pub fn group<'a>(&self, body: &'a [u8]) -> Option<&'a [u8]> {
        if !self.has_group {
            return self.engine.find(body).map(|found| &body[found.range()]);
        }
        // The bounds of the match and of its first group.
        let mut slots: [Option<NonMaxUsize>; 4] = [None; 4];
        self.engine.search_slots(&Input::new(body), &mut slots)?;
        let (start, end) = (slots[2]?.get(), slots[3]?.get());
        Some(&body[start..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regex(text: &str) -> Regex {
        Regex::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_first_group_is_taken_or_the_whole_match() {
        for (text, body, expected) in [
            (r"id=(\d+)", &b"a id=17; id=18"[..], Some(&b"17"[..])),
            (r"id=\d+", b"a id=17; id=18", Some(b"id=17")),
            (r"(?:id|no)=(?<value>\w*);(x)?", b"no=a1;", Some(b"a1")),
            (r"id=(\d*)", b"id=", Some(b"")),
            (r"a(b)?", b"ac", None),
            (r"id=(\d+)", b"id=x", None),
            (r"(?-u:\xff)(.)", b"\xff\xfe", Some(b"\xfe")),
            (r"^(.*)$", b"one\ntwo", None),
            (r"(?s)^(.*)$", b"one\ntwo", Some(b"one\ntwo")),
            (r"(?i)token: (\S+)", b"TOKEN: x y", Some(b"x")),
            ("(?u:é(.))", "éü".as_bytes(), Some("ü".as_bytes())),
        ] {
            assert_eq!(regex(text).group(body), expected, "{text}");
            let is_in = !matches!(text, r"id=(\d+)" if expected.is_none()) && text != r"^(.*)$";
            assert_eq!(regex(text).is_in(body, false), is_in, "{text}");
        }
    }

    #[test]
    fn the_end_of_what_was_kept_is_no_end_of_anything() {
        for (text, body, of_whole, of_cut) in [
            ("ok", &b"it is ok."[..], true, true),
            ("ok$", b"it is ok", true, false),
            (r"ok\b", b"it is ok", true, false),
            (r"ok\b", b"it is ok.", true, true),
            (r"ok\B", b"it is ok.", false, false),
            (r"\A", b"", true, true),
            (r"^$", b"", true, true),
        ] {
            assert_eq!(regex(text).is_in(body, false), of_whole, "{text}");
            assert_eq!(regex(text).is_in(body, true), of_cut, "{text}, cut");
        }
    }

    #[test]
    fn what_is_no_expression_is_one_sentence_that_does_not_repeat_it() {
        for (text, expected) in [
            ("", "is empty"),
            ("x1(", "no regular expression"),
            ("x1[é]", "`(?u)`"),
            ("x1(a{1000}){1000}", "more than 8 MB"),
        ] {
            let message = Regex::parse(text).expect_err(text).message;
            assert!(message.contains(expected) && !message.contains("x1"), "{message}");
        }
    }
}
