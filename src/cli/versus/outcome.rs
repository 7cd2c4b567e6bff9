//! What a program said when it ended badly: one line, without secrets.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::plan::Url;
use crate::plan::mask::mask_text;

/// Longer lines are cut.
const LONGEST: usize = 200;

/// `None`: it ended well.
pub fn complaint(status: ExitStatus, out: &str, err: &str, url: &Url) -> Option<String> {
    if status.success() {
        return None;
    }
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with exit code {code}"),
        (None, signal) => format!("it was killed by signal {}", signal.unwrap_or_default()),
    };
    let line = last_line(err).or_else(|| last_line(out));
    Some(line.map_or(how.clone(), |line| format!("{how}: {}", shown(line, url))))
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
        let bad = ExitStatus::from_raw(2 << 8);
        let err = "Traceback:\nunable to GET http://host/?token=geheim&page=2: refused\n}\n";
        let said = complaint(bad, "", err, &url).unwrap();
        assert!(said.starts_with("it ended with exit code 2: unable to GET"), "{said}");
        assert!(said.contains("***") && !said.contains("geheim"), "{said}");
        assert_eq!(complaint(bad, " ", "", &url).unwrap(), "it ended with exit code 2");
        assert_eq!(
            complaint(ExitStatus::from_raw(9), "", "", &url).unwrap(),
            "it was killed by signal 9"
        );
        assert_eq!(complaint(ExitStatus::from_raw(0), "", "oops", &url), None);
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
