//! What clap refuses, said as blast says it: one sentence that ends in what to do. Also the hints
//! for the letters that mean different things in different tools, and for words that are no URL.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::{Error, Result};
use crate::plan::Url;
use crate::plan::url::masked;
use crate::units::quote;

/// The verbs that exist; they stand first.
pub const VERBS: [&str; 18] = [
    "run",
    "target",
    "demo",
    "ceiling",
    "soak",
    "compare",
    "ab",
    "calibrate",
    "versus",
    "suite",
    "doctor",
    "import",
    "report",
    "history",
    "monitor",
    "profile",
    "completions",
    "man",
];

/// Names that are kept for verbs, so that none is ever taken for a host.
const LATER_VERBS: [&str; 2] = ["serve", "agent"];

/// Letters that stay unassigned, and what they mean elsewhere.
const AMBIGUOUS: [(&str, &str); 4] = [
    ("-q", "for hey's and oha's rate use `--rps`, for k6's and ab's silence `--quiet`"),
    ("-u", "for users use `--connections`, for curl's credentials `--user name:password`"),
    ("-r", "for the rate use `--rps`, for Locust's spawn rate `--spawn-rate`"),
    ("-m", "for the method use `--method`, for curl's time limit `--timeout`"),
];

/// Flags whose values may hold an `@`, and whose own complaints repeat nothing.
const SECRET: [&str; 7] =
    ["--header", "--user", "--form", "--expect-body", "--var", "--sample", "--scrape"];

/// Turns clap's error into one of ours.
pub fn from_clap(error: &clap::Error) -> Error {
    let place = named(error, ContextKind::InvalidArg);
    // clap gives the flag with its value's name: `--connections <N>`.
    let flag = place.split(' ').next().unwrap_or_default();
    Error::usage(match error.kind() {
        ErrorKind::ValueValidation | ErrorKind::InvalidValue if is_url(error, flag) => {
            format!("`{flag}` needs a value, and the URL stands in its place; put one between them")
        }
        ErrorKind::UnknownArgument => unknown(flag, &named(error, ContextKind::SuggestedArg)),
        ErrorKind::ValueValidation => match error.source() {
            Some(reason) => format!("{flag}: {reason}"),
            None => format!("{flag}: the value is not accepted; see `blast --help`"),
        },
        ErrorKind::InvalidValue => bad_choice(error, flag),
        ErrorKind::TooManyValues => format!("`{flag}` takes no value; leave it away"),
        ErrorKind::MissingRequiredArgument => {
            format!("`{}` is missing; see `blast --help`", flag.trim_matches(['<', '>']))
        }
        ErrorKind::InvalidUtf8 => {
            "an argument is not UTF-8; percent-encode what is not text".into()
        }
        _ => other(error),
    })
}

/// Refuses a word that will be a verb one day, where a URL or a verb is due.
pub fn refuse_later_verb(word: &str) -> Result<()> {
    match LATER_VERBS.contains(&word) {
        true => Err(Error::usage(format!(
            "`{word}` is not there yet; for a host of that name write `http://{word}/`"
        ))),
        false => Ok(()),
    }
}

/// The value that a flag refused is the URL that follows it. It may hold a password, so it is not
/// repeated. (A duration may be meant as a body: that has a hint of its own.)
fn is_url(error: &clap::Error, flag: &str) -> bool {
    // A URL is its value, and what it says of one repeats nothing.
    if flag == "--otlp" {
        return false;
    }
    let value = named(error, ContextKind::InvalidValue);
    let schemes = ["http://", "https://", "http+unix://"];
    // An abstract socket's name begins so.
    let is_socket = flag == "--unix-socket" && value.starts_with('@');
    (flag != "--scrape" && schemes.iter().any(|scheme| value.starts_with(scheme)))
        || (!is_socket && flag != "--duration" && !SECRET.contains(&flag) && value.contains('@'))
}

fn unknown(flag: &str, suggested: &str) -> String {
    let hint = AMBIGUOUS.iter().find(|(letter, _)| *letter == flag);
    if let Some((letter, hint)) = hint {
        return format!("`{letter}` means different things in different tools; {hint}");
    }
    // A URL too many may hold a password.
    let given = quote(&masked(flag));
    let negative = flag.strip_prefix('-').is_some_and(|rest| rest.starts_with(is_numeric));
    match suggested {
        _ if negative => {
            format!("{given} is negative, and no value here may be; leave the `-` away")
        }
        _ if !flag.starts_with('-') => match flag.contains('=') || Url::parse(flag).is_err() {
            // It may be a value, and a secret one, whose flag was read as something else.
            true => "there is one word too many; see `blast --help`".into(),
            false => format!("{given} is one word too many; see `blast --help`"),
        },
        "" => format!("{given} is no flag of blast; `blast --help` lists them"),
        other => format!("{given} is no flag of blast; did you mean `{other}`?"),
    }
}

fn is_numeric(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

/// A flag without its value, or with one that is not among those it takes.
fn bad_choice(error: &clap::Error, flag: &str) -> String {
    let given = named(error, ContextKind::InvalidValue);
    let choices = all(error, ContextKind::ValidValue);
    let choices = choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
    let suggested = named(error, ContextKind::SuggestedValue);
    match (given.as_str(), choices.as_str(), suggested.as_str()) {
        ("", "", _) => format!("`{flag}` needs a value; see `blast --help`"),
        ("", choices, _) => format!("`{flag}` needs a value: {choices}"),
        (given, choices, "") => format!("{flag}: {} is not one of {choices}", quote(given)),
        (given, choices, suggested) => {
            format!("{flag}: {} is not one of {choices}; did you mean `{suggested}`?", quote(given))
        }
    }
}

/// What is left is rare; clap's first line says it.
fn other(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    format!("{}; see `blast --help`", line.trim_start_matches("error: "))
}

fn named(error: &clap::Error, kind: ContextKind) -> String {
    all(error, kind).into_iter().next().unwrap_or_default()
}

fn all(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
