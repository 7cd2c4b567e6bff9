//! Placeholders, as they are written.
//!
//! ```text
//! text        = ( literal | "{{" word* "}}" )*       of more than two braces the last two open
//! word        = ( character | '"' quoted '"' )+      with \" and \\ between quotes
//! placeholder = "int" low high | "float" low high decimals | "choice" word+ | "uuid" | "seq" "hex"?
//!             | "string" length | "hex" length | "now" ( "rfc3339" | "unix" | "unix_ms" )
//!             | "env" name | "data." table "." column | "capture." name | "user.id" | "var." name
//!             | a quoted word, which stands for itself
//! ```

use crate::error::{Error, Result};
use crate::units::{nearest, quote};

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch<'a> {
    Literal(&'a str),
    /// From brace to brace.
    Placeholder(&'a str),
    /// Two braces that nothing closes, and all that follows.
    Open(&'a str),
}

/// What a placeholder asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Placeholder {
    /// Itself.
    Text(String),
    /// Both ends included.
    Int(i64, i64),
    /// As the ends, and the numbers between them, are written without their point.
    Float {
        low: i64,
        high: i64,
        decimals: u32,
    },
    Choice(Vec<String>),
    Uuid,
    Seq,
    /// The same, for an id: sixteen digits of base 16.
    SeqHex,
    /// Letters and digits.
    Letters(usize),
    /// Digits of base 16.
    Hex(usize),
    Now(Clock),
    Env(String),
    Data {
        table: String,
        column: String,
    },
    Capture(String),
    User,
    Var(String),
}

/// How an instant is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// UTC, with milliseconds.
    Rfc3339,
    Seconds,
    Milliseconds,
}

impl Clock {
    pub fn name(self) -> &'static str {
        match self {
            Clock::Rfc3339 => "rfc3339",
            Clock::Seconds => "unix",
            Clock::Milliseconds => "unix_ms",
        }
    }
}

/// The most characters of a `string` or a `hex`.
const LONGEST: usize = 1 << 20;

/// The most decimals of a `float`.
const MOST_DECIMALS: u32 = 15;

/// Each as it is written, for hints.
const FORMS: [(&str, &str); 13] = [
    ("int", "{{int 1 100}}"),
    ("float", "{{float 0 1 2}}"),
    ("choice", "{{choice a b c}}"),
    ("uuid", "{{uuid}}"),
    ("seq", "{{seq}}"),
    ("string", "{{string 12}}"),
    ("hex", "{{hex 16}}"),
    ("now", "{{now rfc3339}}"),
    ("env", "{{env NAME}}"),
    ("data", "{{data.TABLE.COLUMN}}"),
    ("capture", "{{capture.NAME}}"),
    ("user.id", "{{user.id}}"),
    ("var", "{{var.NAME}}"),
];

/// Whether a text has anything of the kind in it.
pub fn occurs_in(text: &str) -> bool {
    text.contains("{{")
}

/// Whether a text has a value of this process's environment in it.
pub fn reads_environment(text: &str) -> bool {
    split(text).any(|stretch| match stretch {
        Stretch::Placeholder(whole) => matches!(Placeholder::parse(whole), Ok(Placeholder::Env(_))),
        Stretch::Literal(_) | Stretch::Open(_) => false,
    })
}

/// A text that stands for itself wherever placeholders are looked for.
pub fn literal(text: &str) -> String {
    text.replace("{{", "{{\"{{\"}}")
}

pub fn split(text: &str) -> impl Iterator<Item = Stretch<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let open = rest.find("{{").map(|at| {
            let braces = rest[at..].bytes().take_while(|byte| *byte == b'{').count();
            at + braces - 2
        });
        let (stretch, after) = match open {
            _ if rest.is_empty() => return None,
            None => (Stretch::Literal(rest), ""),
            Some(0) => match end(rest) {
                Some(end) => (Stretch::Placeholder(&rest[..end]), &rest[end..]),
                None => (Stretch::Open(rest), ""),
            },
            Some(at) => (Stretch::Literal(&rest[..at]), &rest[at..]),
        };
        rest = after;
        Some(stretch)
    })
}

/// Behind the braces that close the placeholder at the start; those in quotes do not.
fn end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut quoted) = (2, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'}' if !quoted && bytes.get(at + 1) == Some(&b'}') => return Some(at + 2),
            _ => {}
        }
        at += 1;
    }
    None
}

impl Placeholder {
    /// Reads one, braces included.
    pub fn parse(whole: &str) -> Result<Placeholder> {
        let words = words(&whole[2..whole.len() - 2]);
        let Some((first, arguments)) = words.split_first() else {
            return Err(Error::usage(format!("{} is empty; {ESCAPE}", quote(whole))));
        };
        let texts: Vec<&str> = arguments.iter().map(|word| &*word.text).collect();
        let name = &*first.text;
        if first.is_quoted {
            return match texts[..] {
                [] => Ok(Placeholder::Text(first.text.clone())),
                _ => Err(Error::usage(format!(
                    "{} is a text and takes nothing behind it; {ESCAPE}",
                    quote(name)
                ))),
            };
        }
        Placeholder::named(name, &texts)
    }

    fn named(name: &str, arguments: &[&str]) -> Result<Placeholder> {
        let wrong = || wrong(name);
        Ok(match (name, arguments) {
            ("int", [low, high]) => int(low, high)?,
            ("float", [low, high, decimals]) => float(low, high, decimals)?,
            ("choice", [_, ..]) => {
                Placeholder::Choice(arguments.iter().map(ToString::to_string).collect())
            }
            ("uuid", []) => Placeholder::Uuid,
            ("seq", []) => Placeholder::Seq,
            ("seq", ["hex"]) => Placeholder::SeqHex,
            ("string", [length]) => Placeholder::Letters(self::length(name, length)?),
            ("hex", [length]) => Placeholder::Hex(self::length(name, length)?),
            ("now", ["rfc3339"]) => Placeholder::Now(Clock::Rfc3339),
            ("now", ["unix"]) => Placeholder::Now(Clock::Seconds),
            ("now", ["unix_ms"]) => Placeholder::Now(Clock::Milliseconds),
            ("now", _) => {
                return Err(Error::usage(
                    "`now` takes one of three forms: write `{{now rfc3339}}`, `{{now unix}}` or \
                     `{{now unix_ms}}`",
                ));
            }
            ("env", [name]) => Placeholder::Env(name.to_string()),
            ("user.id", []) => Placeholder::User,
            (name, arguments) => match (name.split_once('.'), arguments) {
                (Some(("data", rest)), []) => match rest.split_once('.') {
                    Some((table, column)) if !table.is_empty() && !column.is_empty() => {
                        let (table, column) = (table.to_string(), column.to_string());
                        Placeholder::Data { table, column }
                    }
                    _ => return Err(wrong()),
                },
                (Some(("capture", name)), []) if !name.is_empty() => {
                    Placeholder::Capture(name.to_string())
                }
                (Some(("var", name)), []) if !name.is_empty() => Placeholder::Var(name.to_string()),
                _ => return Err(wrong()),
            },
        })
    }

    /// Its values are all numbers.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Placeholder::Int(..)
                | Placeholder::Float { .. }
                | Placeholder::Seq
                | Placeholder::User
                | Placeholder::Now(Clock::Seconds | Clock::Milliseconds)
        )
    }
}

/// What to do about braces that are meant as such.
pub const ESCAPE: &str = "two braces themselves are written `{{\"{{\"}}`";

/// Of these names the one that is most like another, as a question behind a sentence.
pub fn did_you_mean<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    nearest(name, names).map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"))
}

/// What stands behind a name may be a secret, so it is not repeated.
fn wrong(name: &str) -> Error {
    let base = name.split('.').next().unwrap_or(name);
    let form = |name: &str| FORMS.iter().find(|(n, _)| *n == name).map(|(_, form)| form);
    let known =
        form(name).or_else(|| form(base)).or_else(|| (base == "user").then(|| &FORMS[11].1));
    if let Some(form) = known {
        return Error::usage(format!("{} is not complete; write it as in `{form}`", quote(name)));
    }
    let base_of = |form: &(&'static str, &str)| form.0.split('.').next().unwrap_or(form.0);
    let meant = nearest(base, FORMS.iter().map(base_of));
    match meant.and_then(|meant| FORMS.iter().find(|form| base_of(form) == meant)) {
        Some((_, form)) => Error::usage(format!(
            "{} is no placeholder; did you mean `{form}`? ({ESCAPE})",
            quote(name)
        )),
        None => {
            let names: Vec<&str> = FORMS.iter().map(|(name, _)| *name).collect();
            Error::usage(format!(
                "{} is no placeholder; use one of {}, or, if none is meant: {ESCAPE}",
                quote(name),
                names.join(", ")
            ))
        }
    }
}

fn int(low: &str, high: &str) -> Result<Placeholder> {
    let read = |text: &str| {
        text.parse::<i64>().map_err(|_| {
            Error::usage(format!(
                "{} is no whole number of 64 bits; write `int` as in `{{{{int 1 100}}}}`",
                quote(text)
            ))
        })
    };
    let (low, high) = (read(low)?, read(high)?);
    match low <= high {
        true => Ok(Placeholder::Int(low, high)),
        false => Err(Error::usage(format!(
            "`int {low} {high}` holds no number; put the lower end first"
        ))),
    }
}

fn float(low: &str, high: &str, decimals: &str) -> Result<Placeholder> {
    let count = decimals.parse().ok().filter(|count| *count <= MOST_DECIMALS);
    let count = count.ok_or_else(|| {
        Error::usage(format!(
            "{} is no number of decimals; write `float` with 0 to {MOST_DECIMALS} of them, as in \
             `{{{{float 0 1 2}}}}`",
            quote(decimals)
        ))
    })?;
    let bad = |text: &str| {
        Error::usage(format!(
            "{} is no decimal number that `float` can take with {count} decimals; write it as in \
             `{{{{float -0.5 1 2}}}}`",
            quote(text)
        ))
    };
    let low = scaled(low, count, Round::Up).ok_or_else(|| bad(low))?;
    let high = scaled(high, count, Round::Down).ok_or_else(|| bad(high))?;
    match low <= high {
        true => Ok(Placeholder::Float { low, high, decimals: count }),
        false => Err(Error::usage(format!(
            "`float` has no number of {count} decimals between its ends; put the lower end first, \
             or raise the decimals"
        ))),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Round {
    Up,
    Down,
}

/// A decimal number times 10^decimals, exactly; what is finer is rounded into the interval.
fn scaled(text: &str, decimals: u32, round: Round) -> Option<i64> {
    let digits = text.strip_prefix('-');
    let is_negative = digits.is_some();
    let (whole, fraction) =
        digits.unwrap_or(text).split_once('.').unwrap_or((digits.unwrap_or(text), ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let short = whole.len() <= 19 && fraction.len() <= 40;
    if (whole.is_empty() && fraction.is_empty())
        || !short
        || !is_digits(whole)
        || !is_digits(fraction)
    {
        return None;
    }
    let kept = fraction.len().min(decimals as usize);
    let (near, far) = fraction.split_at(kept);
    let padded = format!("0{whole}{near}{}", "0".repeat(decimals as usize - kept));
    let magnitude: i128 = padded.parse().ok()?;
    let is_cut = far.bytes().any(|byte| byte != b'0');
    let value = if is_negative { -magnitude } else { magnitude };
    let step = match (is_cut, is_negative, round) {
        (true, false, Round::Up) => 1,
        (true, true, Round::Down) => -1,
        _ => 0,
    };
    i64::try_from(value + step).ok()
}

fn length(name: &str, text: &str) -> Result<usize> {
    let length = text.parse().ok().filter(|length| (1..=LONGEST).contains(length));
    length.ok_or_else(|| {
        Error::usage(format!(
            "{} is no length; write `{name}` with 1 to {LONGEST}, as in `{{{{{name} 12}}}}`",
            quote(text)
        ))
    })
}

struct Word {
    text: String,
    /// From its first character to its last.
    is_quoted: bool,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, after) = word(rest);
        words.push(word);
        rest = after.trim_start();
    }
    words
}

/// The first word, and what follows it. Quotes end: the braces behind them were found.
fn word(text: &str) -> (Word, &str) {
    let (mut word, mut quoted, mut quotes) = (String::new(), false, 0);
    let mut characters = text.char_indices();
    let mut end = text.len();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                quoted = !quoted;
                quotes += 1;
            }
            '\\' if quoted => word.extend(characters.next().map(|(_, escaped)| escaped)),
            blank if blank.is_whitespace() && !quoted => {
                end = at;
                break;
            }
            character => word.push(character),
        }
    }
    let whole = &text[..end];
    let is_quoted = quotes == 2 && whole.starts_with('"') && whole.ends_with('"');
    (Word { text: word, is_quoted }, &text[end..])
}

#[cfg(test)]
mod tests;
