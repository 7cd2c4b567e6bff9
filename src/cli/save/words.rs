//! The words of a command line: where `--save` stands without a label, and without the secrets that
//! nobody is to find in the history.

use std::ffi::OsString;

use crate::plan::mask::{MASK, mask_text};
use crate::plan::url::masked;

const FLAG: &str = "--save";

/// Flags whose values are secrets, or may hold some anywhere; of what begins with `@` it is the
/// file's name.
const SECRET: [&str; 8] =
    ["--user", "--cookie", "--curl", "--body", "-b", "--json-body", "--form", "-F"];

/// Flags whose values name what they hold: `Authorization: ...`, `token=...`.
const NAMED: [&str; 3] = ["--header", "-H", "--var"];

/// `--save` alone has no label, and what stands behind it then is the URL or the plan. (clap would
/// take that for the label.)
pub fn with_value(arguments: &[OsString]) -> Vec<OsString> {
    let is_label = |next: Option<&OsString>| {
        let text = next.and_then(|next| next.to_str());
        text.is_some_and(|text| !text.starts_with('-') && !is_place(text))
    };
    let end = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
    let word = |(place, word): (usize, &OsString)| {
        let alone = place < end && word == FLAG && !is_label(arguments.get(place + 1));
        if alone { OsString::from(format!("{FLAG}=")) } else { word.clone() }
    };
    arguments.iter().enumerate().map(word).collect()
}

/// It looks like a URL, a host or a file. `v1.2` does not.
fn is_place(text: &str) -> bool {
    let is_address = text.parse::<std::net::Ipv4Addr>().is_ok();
    let (_, ending) = text.rsplit_once('.').unwrap_or_default();
    let has_ending = ending.starts_with(|c: char| c.is_ascii_alphabetic());
    text == "localhost" || text.contains([':', '/']) || is_address || has_ending
}

/// The words with `***` in the place of what is secret.
pub fn without_secrets(words: &[String]) -> Vec<String> {
    let mut shown = Vec::with_capacity(words.len());
    // The flag whose value comes next.
    let mut flag = None;
    for word in words {
        shown.push(match flag.take() {
            Some(flag) => value(flag, word),
            None => match split(word) {
                Some((name, before, rest)) => format!("{before}{}", value(name, rest)),
                None => {
                    flag = SECRET.iter().chain(&NAMED).find(|name| *name == word).copied();
                    if flag.is_some() { word.clone() } else { masked_word(word) }
                }
            },
        });
    }
    shown
}

/// `--header=X` and `-HX`: the flag, it with what parts it from its value, and that.
fn split(word: &str) -> Option<(&'static str, &str, &str)> {
    let names = SECRET.iter().chain(&NAMED).copied();
    names.filter(|name| *name != word).find_map(|name| {
        let rest = word.strip_prefix(name)?;
        let length = match (rest.starts_with('='), name.starts_with("--")) {
            (true, _) => name.len() + 1,
            (false, false) => name.len(),
            (false, true) => return None,
        };
        Some((name, &word[..length], &word[length..]))
    })
}

fn value(flag: &str, value: &str) -> String {
    match value {
        value if value.starts_with('@') => value.to_string(),
        value if NAMED.contains(&flag) => mask_text(value),
        _ => MASK.to_string(),
    }
}

/// A URL's user and the secret fields of its query; of other words what sounds secret.
fn masked_word(word: &str) -> String {
    let is_url = !word.starts_with('-') && (word.contains("://") || word.contains(['@', '?']));
    if is_url { masked(word) } else { mask_text(word) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_may_be_left_away() {
        for (typed, expected) in [
            (&["--save"][..], &["--save="][..]),
            (&["--save", "http://h/"], &["--save=", "http://h/"]),
            (&["--save", "localhost"], &["--save=", "localhost"]),
            (&["--save", "h.example", "-c", "3"], &["--save=", "h.example", "-c", "3"]),
            (&["--save", "10.0.0.1"], &["--save=", "10.0.0.1"]),
            (&["--save", "plan.toml"], &["--save=", "plan.toml"]),
            (&["--save", "-c", "3"], &["--save=", "-c", "3"]),
            (&["--save", "v1.2", "h"], &["--save", "v1.2", "h"]),
            (&["--save", "before", "h"], &["--save", "before", "h"]),
            (&["--save=a.b", "h"], &["--save=a.b", "h"]),
            (&["--", "--save"], &["--", "--save"]),
        ] {
            let words: Vec<OsString> = typed.iter().map(OsString::from).collect();
            assert_eq!(with_value(&words), expected, "{typed:?}");
        }
    }

    #[test]
    fn no_word_keeps_a_secret() {
        const SECRET: &str = "s3cr3t";
        for typed in [
            &["http://u:s3cr3t@h/"][..],
            &["h/?api_key=s3cr3t&a=1"],
            &["-H", "Authorization: Bearer s3cr3t"],
            &["-HAuthorization: Bearer s3cr3t"],
            &["--header=X-Api-Key: s3cr3t"],
            &["--user", "ada:s3cr3t"],
            &["--user=ada:s3cr3t"],
            &["--cookie", "sid=s3cr3t"],
            &["-b", "anything s3cr3t"],
            &["-banything s3cr3t"],
            &["--form=password=s3cr3t"],
            &["--curl", "curl -u ada:s3cr3t http://h/"],
            &["--var", "token=s3cr3t"],
            &["--scrape", "http://u:s3cr3t@h/metrics#x"],
            &["--sample", "db=psql postgres://u:s3cr3t@h/"],
        ] {
            let words: Vec<String> = typed.iter().map(ToString::to_string).collect();
            let shown = without_secrets(&words);
            assert!(!shown.concat().contains(SECRET) && shown.concat().contains(MASK), "{shown:?}");
        }
        let plain =
            ["run", "-c", "10", "-H", "Accept: text/html", "-b", "@order.json", "http://h/"];
        let plain = plain.map(str::to_string);
        assert_eq!(without_secrets(&plain), plain);
    }
}
