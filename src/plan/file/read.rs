//! From text to a [`Sheet`], and what is said where that fails: file, line, column, what was
//! expected, and the nearest valid key. Values are not repeated: they may be secrets.

use super::Sheet;
use super::place::{Place, line_and_column};
use crate::error::{Error, Result};
use crate::units::{nearest, quote};

/// A plan file, read.
#[derive(Clone, Debug)]
pub struct Written {
    /// As errors name it.
    pub name: String,
    pub text: String,
    pub sheet: Sheet,
}

impl Written {
    pub fn read(name: &str, text: String) -> Result<Written> {
        match toml::from_str(&text) {
            Ok(sheet) => Ok(Written { name: name.to_string(), text, sheet }),
            Err(error) => Err(explain(name, &text, &error)),
        }
    }

    /// An error of what stands at a place.
    pub fn error(&self, place: &Place, message: impl AsRef<str>) -> Error {
        located(&self.name, &self.text, place.find(&self.text).start, message.as_ref())
    }

    /// The lines of comment that the file begins with, joined.
    pub fn comment(&self) -> Option<String> {
        let lines = self.text.lines().map_while(|line| line.strip_prefix('#'));
        let joined = lines.map(str::trim).collect::<Vec<_>>().join(" ");
        let joined = joined.trim().to_string();
        (!joined.is_empty()).then_some(joined)
    }
}

pub(in crate::plan) fn located(name: &str, text: &str, at: usize, message: &str) -> Error {
    let (line, column) = line_and_column(text, at);
    Error::usage(format!("{name}:{line}:{column}: {}", printable(message)))
}

/// On one line of a terminal, whatever names the file holds.
fn printable(message: &str) -> String {
    const LONGEST: usize = 600;
    let mut shown = String::new();
    for character in message.chars().take(LONGEST) {
        match character.is_control() {
            true => shown.extend(character.escape_debug()),
            false => shown.push(character),
        }
    }
    if message.chars().nth(LONGEST).is_some() {
        shown += "...";
    }
    shown
}

pub(in crate::plan) fn explain(name: &str, text: &str, error: &toml::de::Error) -> Error {
    let at = error.span().map_or(0, |span| span.start);
    located(name, text, at, &sentence(text, at, error.message()))
}

/// What serde or the TOML parser says, as blast says it.
fn sentence(text: &str, at: usize, message: &str) -> String {
    let found = Place::of(text, at);
    let place = found.as_ref().map(|found| found.place.clone()).unwrap_or_default();
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (key, expected) = rest.split_once('`').unwrap_or((rest, ""));
        let mut table = place;
        table.0.pop();
        return unknown_key(key, &table, &ticked(expected));
    }
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        let (given, expected) = rest.split_once('`').unwrap_or((rest, ""));
        return unknown_choice(given, &key_name(&place), &ticked(expected));
    }
    if let Some(key) = message.strip_prefix("missing field `") {
        let key = key.trim_end_matches('`');
        return format!("the key \"{key}\" is missing in {}; add it", place.table_name());
    }
    let typed = message.strip_prefix("invalid type: ");
    if let Some(rest) = typed.or_else(|| message.strip_prefix("invalid value: ")) {
        let expected = rest.split_once(", expected ").map_or("another value", |(_, e)| e);
        let kind = found.and_then(|found| found.kind).unwrap_or("something else");
        let there = match typed {
            Some(_) => format!("{kind} stands there"),
            None => "that is another".to_string(),
        };
        let key = key_name(&place);
        // [requests] for [[requests]], the slip that everyone makes once.
        if expected == "a sequence" && kind == "a table" {
            return format!("{key} is a list of tables; write [[{}]]", key.trim_matches('"'));
        }
        return format!("{key} takes {}, and {there}", in_words(expected));
    }
    let reason = message.lines().collect::<Vec<_>>().join(", ");
    format!("this is no TOML ({reason}); correct it here or just before")
}

pub(in crate::plan) fn unknown_key(key: &str, table: &Place, keys: &[&str]) -> String {
    let shown = quote(key);
    let shown = shown.trim_matches('`');
    let hint = match nearest(key, keys.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("it takes {}", keys.join(", ")),
    };
    format!("unknown key \"{shown}\" in {}; {hint}", table.table_name())
}

fn unknown_choice(given: &str, key: &str, choices: &[&str]) -> String {
    let all: Vec<String> = choices.iter().map(|choice| format!("\"{choice}\"")).collect();
    let hint =
        nearest(given, choices.iter().copied()).map(|near| format!("; did you mean \"{near}\"?"));
    format!("{key} is one of {}{}", all.join(", "), hint.unwrap_or_default())
}

/// `"weight"` of what is nearest.
fn key_name(place: &Place) -> String {
    let name = place.0.iter().rev().find_map(|key| match key {
        super::place::Key::Name(name) => Some(name),
        super::place::Key::Index(_) => None,
    });
    name.map_or("this".to_string(), |name| format!("\"{name}\""))
}

/// What serde expects, in words.
fn in_words(expected: &str) -> &str {
    match expected {
        "u64" => "a whole number, 0 or more",
        "f64" => "a number",
        "a string" => "a text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list in brackets",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other if other.starts_with("enum ") => "a text in quotes",
        other => other,
    }
}

/// What stands in backticks.
fn ticked(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Written::read("p.toml", text.to_string()).expect_err("it was accepted").message
    }

    #[test]
    fn the_nearest_key_is_told_where_one_is_near() {
        for (text, expected) in [
            (
                "[[requests]]\nname = \"a\"\nwieght = 5\n",
                "p.toml:3:1: unknown key \"wieght\" in [[requests]]; did you mean \"weight\"?",
            ),
            ("[load]\nréps = 5\n", "p.toml:2:2: this is no TOML"),
            ("url = \"a\" # é\nx = 1", "p.toml:2:1: unknown key \"x\" in the file's first lines"),
        ] {
            assert!(refusal(text).starts_with(expected), "{}", refusal(text));
        }
    }

    #[test]
    fn no_value_is_repeated() {
        for text in [
            "url = [\"s3cret\"]",
            "[[requests]]\nweight = \"s3cret\"",
            "[vars]\ntoken = [\"s3cret\"]",
            "url = \"s3cret",
            "url = s3cret",
            "[session]\norder = \"s3cret\"",
        ] {
            assert!(!refusal(text).contains("s3cret"), "{}", refusal(text));
        }
    }

    #[test]
    fn the_comment_that_a_file_begins_with_is_its_description() {
        let read = |text: &str| Written::read("p", text.to_string()).unwrap().comment();
        assert_eq!(read("# A b\n#c\n\n# d\n"), Some("A b c".to_string()));
        assert_eq!(read("url = \"h\"\n# d\n"), None);
    }
}
