//! What a program said when it ended badly: one line, without secrets.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::plan::Url;
use crate::plan::mask::mask_text;

/// Longer lines are cut.
const LONGEST: usize = 200;

/// How it ended; `None`: well.
pub fn complaint(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("it ended with exit code {code}")),
        (None, signal) => Some(format!("it was killed by signal {}", signal.unwrap_or_default())),
    }
}

/// Of its errors, or else of its output.
pub fn last_words(out: &str, err: &str, url: &Url) -> Option<String> {
    last_line(err).or_else(|| last_line(out)).map(|line| shown(line, url))
}

/// The last line that says something: no rule, no brace.
fn last_line(text: &str) -> Option<&str> {
    let says = |line: &&str| line.chars().any(char::is_alphanumeric);
    text.lines().rev().map(str::trim).find(says)
}

/// What was put into its words, as reports show it; and nothing that sounds secret, or moves the
/// cursor.
fn shown(line: &str, url: &Url) -> String {
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    let (_, query) = url.target.split_once('?').unwrap_or_default();
    let (_, masked) = url.shown.split_once('?').unwrap_or_default();
    let line = if query.is_empty() { line } else { line.replace(query, masked) };
    mask_text(&line).chars().take(LONGEST).collect()
}

/// The word of a version in what a program prints of it: `4.1.0`, `nghttp2/1.52.0`.
pub fn version(text: &str) -> Option<String> {
    let has_version = |word: &str| {
        let bytes = word.as_bytes();
        let parts = bytes.windows(3);
        parts
            .into_iter()
            .any(|part| part[0].is_ascii_digit() && part[1] == b'.' && part[2].is_ascii_digit())
    };
    let word = text.split_whitespace().take(LONGEST).find(|word| has_version(word))?;
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    (word.len() < 40 && word.chars().all(|c| c.is_ascii_graphic())).then(|| word.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_why_and_holds_no_secret() {
        let url = Url::fixed("http://host/?token=geheim&page=2").unwrap();
        let err = "Traceback:\nunable to GET http://host/?token=geheim&page=2: refused\n}\n";
        let said = last_words("out", err, &url).unwrap();
        assert!(said.starts_with("unable to GET http://host/"), "{said}");
        assert!(said.contains("***") && !said.contains("geheim"), "{said}");
        assert_eq!(last_words("out \x1b[2J\n--\n", " \n", &url).unwrap(), "out [2J");
        assert_eq!(last_words("", "", &url), None);
        let ended = |raw| complaint(ExitStatus::from_raw(raw));
        assert_eq!(ended(2 << 8).unwrap(), "it ended with exit code 2");
        assert_eq!(ended(9).unwrap(), "it was killed by signal 9");
        assert_eq!(ended(0), None);
    }

    #[test]
    fn a_version_is_found_in_what_tools_print() {
        for (text, expected) in [
            ("wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012", Some("debian/4.1.0-3+b2")),
            ("This is ApacheBench, Version 2.3 <$Revision$>", Some("2.3")),
            ("h2load nghttp2/1.52.0\n", Some("nghttp2/1.52.0")),
            ("k6 v0.54.0 (go1.23)", Some("v0.54.0")),
            ("usage: hey [options] <url>", None),
        ] {
            assert_eq!(version(text).as_deref(), expected, "{text}");
        }
    }
}
