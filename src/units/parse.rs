//! From text to numbers.
//!
//! Parsing is exact: a number is digits over a power of ten until it is multiplied by its unit,
//! never a float. Whatever the text, the result is a value or one sentence that repeats the text
//! and says what is accepted. Suffixes are decimal (`k` is 1,000); only `KiB` and its like are
//! binary.
//!
//! ```text
//! number   = digits [ "." digits ]        digits may hold "_" between them
//! count    = number [ "k" | "M" | "G" ]   a whole number in the end
//! duration = number                       seconds
//!          | ( number unit )+             unit: ns us ms s m h
//! rate     = number [ "k" | "M" | "G" ] [ "/" ( duration | unit ) ]
//! size     = number [ "k" | "M" | "G" ] [ "B" | "iB" ]
//! amount   = number [ "k" | "M" | "G" ]   with whatever fraction
//! percent  = number [ " " ] "%"
//! ```

use super::quote;
use crate::error::{Error, Result};
use crate::time::Nanos;

const SECOND_NS: u64 = 1_000_000_000;

/// A whole number: `500`, `10k`, `2.5k`, `1M`, `1_000`.
pub fn parse_count(text: &str) -> Result<u64> {
    count(text).map_err(|flaw| {
        complain(flaw, text, "count", "a whole number such as `500`, `10k`, `2.5k` or `1M`")
    })
}

/// A length of time: `30` (seconds), `30s`, `250us`, `1.5ms`, `1m30s`. What is finer than a
/// nanosecond is cut off.
pub fn parse_duration(text: &str) -> Result<Nanos> {
    duration(text).map_err(|flaw| {
        complain(
            flaw,
            text,
            "duration",
            "seconds or a unit, such as `30`, `2m`, `1m30s` or `250us`",
        )
    })
}

/// So many per so long: `50k` (per second), `50/1s`, `1000/m`, `0.5`. The period is at least 1 ns;
/// the two numbers are the exact ratio that was written.
pub fn parse_rate(text: &str) -> Result<(u64, Nanos)> {
    rate(text).map_err(|flaw| {
        complain(flaw, text, "rate", "a number per second such as `500` or `50k`, or `1000/m`")
    })
}

/// A number of bytes: `512`, `10k` (10,000), `1MB` (1,000,000), `1MiB` (1,048,576).
pub fn parse_size(text: &str) -> Result<u64> {
    size(text).map_err(|flaw| {
        complain(flaw, text, "size", "whole bytes such as `512`, `10k`, `1M` or `1MiB`")
    })
}

/// A number that need not be whole: `49k`, `0.5`.
pub fn parse_amount(text: &str) -> Result<f64> {
    amount(text)
        .map_err(|flaw| complain(flaw, text, "number", "one such as `500`, `0.5` or `49.5k`"))
}

/// A share of at most all: `0.1%` is 0.001, to the last bit.
pub fn parse_percent(text: &str) -> Result<f64> {
    percent(text).map_err(|flaw| {
        complain(flaw, text, "share", "a percentage up to 100 such as `0.1%` or `99%`")
    })
}

/// Why a text is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Form,
    TooLarge,
}

type Parsed<T> = std::result::Result<T, Flaw>;

/// `digits / 10^places`, exact.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    digits: u64,
    /// At most 18, so that `10^places` fits.
    places: u32,
}

impl Decimal {
    /// Takes the number that `text` starts with, and gives it with the rest.
    fn take(text: &str) -> Parsed<(Decimal, &str)> {
        let is_part = |c: char| c.is_ascii_digit() || c == '_' || c == '.';
        let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (number, None),
        };
        let well_formed = match fraction {
            Some(fraction) => (whole.is_empty() || is_group(whole)) && is_group(fraction),
            None => is_group(whole),
        };
        if !well_formed {
            return Err(Flaw::Form);
        }
        let fraction = fraction.unwrap_or("").trim_end_matches(['0', '_']).replace('_', "");
        if fraction.len() > 18 {
            return Err(Flaw::Form);
        }
        let mut digits = whole.bytes().chain(fraction.bytes()).filter(u8::is_ascii_digit);
        let digits = digits
            .try_fold(0u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
        let digits = digits.ok_or(Flaw::TooLarge)?;
        Ok((Decimal { digits, places: fraction.len() as u32 }, rest))
    }

    fn denominator(self) -> u64 {
        10u64.pow(self.places)
    }

    /// Times `unit`; the remainder is cut off.
    fn times(self, unit: u64) -> Parsed<u64> {
        let product = u128::from(self.digits) * u128::from(unit);
        u64::try_from(product / u128::from(self.denominator())).map_err(|_| Flaw::TooLarge)
    }

    /// Times `unit`, where the result must be whole.
    fn times_exactly(self, unit: u64) -> Parsed<u64> {
        let product = u128::from(self.digits) * u128::from(unit);
        match product % u128::from(self.denominator()) {
            0 => self.times(unit),
            _ => Err(Flaw::Form),
        }
    }
}

/// `number * unit / 10^shift`. Both sides of the division are exact up to 2^53, so the quotient is
/// the closest there is.
fn closest(number: Decimal, unit: u64, shift: u32) -> f64 {
    let divisor = 10u128.pow(number.places + shift);
    (u128::from(number.digits) * u128::from(unit)) as f64 / divisor as f64
}

/// Digits, with underscores between them.
fn is_group(text: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    is_digit(bytes.first()) && is_digit(bytes.last()) && !text.contains('.')
}

fn count(text: &str) -> Parsed<u64> {
    let (number, suffix) = Decimal::take(text)?;
    number.times_exactly(multiplier(suffix)?)
}

fn multiplier(suffix: &str) -> Parsed<u64> {
    match suffix {
        "" => Ok(1),
        "k" | "K" => Ok(1_000),
        "M" => Ok(1_000_000),
        "G" => Ok(1_000_000_000),
        _ => Err(Flaw::Form),
    }
}

fn duration(text: &str) -> Parsed<Nanos> {
    let (number, rest) = Decimal::take(text)?;
    if rest.is_empty() {
        return number.times(SECOND_NS).map(Nanos);
    }
    let mut rest = text;
    let mut total = 0u64;
    while !rest.is_empty() {
        let (number, after) = Decimal::take(rest)?;
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let length = number.times(unit_ns(&after[..end])?)?;
        total = total.checked_add(length).ok_or(Flaw::TooLarge)?;
        rest = &after[end..];
    }
    Ok(Nanos(total))
}

fn unit_ns(unit: &str) -> Parsed<u64> {
    match unit {
        "ns" => Ok(1),
        "us" | "µs" | "μs" => Ok(1_000),
        "ms" => Ok(1_000_000),
        "s" => Ok(SECOND_NS),
        "m" => Ok(60 * SECOND_NS),
        "h" => Ok(3_600 * SECOND_NS),
        _ => Err(Flaw::Form),
    }
}

fn rate(text: &str) -> Parsed<(u64, Nanos)> {
    let (number, period) = match text.split_once('/') {
        None => (text, Nanos(SECOND_NS)),
        Some((number, unit)) if unit.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            (number, Nanos(unit_ns(unit)?))
        }
        Some((number, period)) => (number, duration(period)?),
    };
    let (number, suffix) = Decimal::take(number)?;
    let count = number.digits.checked_mul(multiplier(suffix)?).ok_or(Flaw::TooLarge)?;
    // `2.5` is 5 per 2 s: the power of ten goes to the period, in lowest terms.
    let common = greatest_common_divisor(count, number.denominator());
    let stretch = number.denominator() / common;
    match period.0.checked_mul(stretch) {
        Some(0) => Err(Flaw::Form),
        Some(period) => Ok((count / common, Nanos(period))),
        None => Err(Flaw::TooLarge),
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn size(text: &str) -> Parsed<u64> {
    let (number, suffix) = Decimal::take(text)?;
    let (prefix, step) = match suffix.strip_suffix("iB") {
        Some(prefix) => (prefix, 1_024u64),
        None => (suffix.strip_suffix('B').unwrap_or(suffix), 1_000),
    };
    let power = match prefix {
        "" if step == 1_000 => 0,
        "k" | "K" => 1,
        "M" => 2,
        "G" => 3,
        _ => return Err(Flaw::Form),
    };
    number.times_exactly(step.pow(power))
}

fn amount(text: &str) -> Parsed<f64> {
    let (number, suffix) = Decimal::take(text)?;
    Ok(closest(number, multiplier(suffix)?, 0))
}

fn percent(text: &str) -> Parsed<f64> {
    let (number, rest) = Decimal::take(text)?;
    let share = closest(number, 1, 2);
    match rest.trim_start() {
        "%" if share <= 1.0 => Ok(share),
        "%" => Err(Flaw::TooLarge),
        _ => Err(Flaw::Form),
    }
}

fn complain(flaw: Flaw, text: &str, what: &str, accepted: &str) -> Error {
    let given = quote(text);
    Error::usage(match flaw {
        Flaw::Form => format!("{given} is no {what}; write {accepted}"),
        Flaw::TooLarge => format!("{given} is too large for a {what}; write {accepted}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people mistype, and what a shell or another tool might leave.
    const ODD: [&str; 28] = [
        "", " ", "-5", "+5", "1e400", "1e3", "5 s", "NaN", "inf", "k", "s", ".", "1.", "_1", "1_",
        "1..2", "1.2.3", "0x10", "1,000", "5/", "/s", "5/0", "5/0s", "5//s", "1m30", "日本",
        "5\u{0}", "1kk",
    ];

    #[test]
    fn counts_take_suffixes_fractions_and_underscores() {
        for (text, expected) in [
            ("0", 0),
            ("7", 7),
            ("10k", 10_000),
            ("10K", 10_000),
            ("1M", 1_000_000),
            ("2G", 2_000_000_000),
            ("2.5k", 2_500),
            (".5k", 500),
            ("1.0", 1),
            ("1.000000000000000000000", 1),
            ("1_000", 1_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_count(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn durations_are_seconds_or_carry_their_unit() {
        for (text, expected) in [
            ("0", 0),
            ("30", 30_000_000_000),
            ("0.5", 500_000_000),
            ("30s", 30_000_000_000),
            ("2m", 120_000_000_000),
            ("250us", 250_000),
            ("250µs", 250_000),
            ("1.5ms", 1_500_000),
            ("100ns", 100),
            ("1h", 3_600_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1h1m1.5s", 3_661_500_000_000),
            ("0.1ns", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Nanos(expected)), "{text}");
        }
    }

    #[test]
    fn rates_are_the_ratio_that_was_written() {
        for (text, count, period) in [
            ("50k", 50_000, SECOND_NS),
            ("50k/s", 50_000, SECOND_NS),
            ("50/1s", 50, SECOND_NS),
            ("50/1", 50, SECOND_NS),
            ("1000/m", 1_000, 60 * SECOND_NS),
            ("1/10ms", 1, 10_000_000),
            ("2.5", 5, 2 * SECOND_NS),
            ("0.5k", 500, SECOND_NS),
            ("0.1", 1, 10 * SECOND_NS),
            ("0", 0, SECOND_NS),
        ] {
            assert_eq!(parse_rate(text), Ok((count, Nanos(period))), "{text}");
        }
    }

    #[test]
    fn sizes_are_decimal_unless_they_say_i() {
        for (text, expected) in [
            ("0", 0),
            ("512", 512),
            ("512B", 512),
            ("10k", 10_000),
            ("10kB", 10_000),
            ("1M", 1_000_000),
            ("1MiB", 1_048_576),
            ("1.5KiB", 1_536),
            ("2GiB", 2 << 30),
        ] {
            assert_eq!(parse_size(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn amounts_and_percentages_are_the_closest_floats() {
        for (text, expected) in
            [("0", 0.0), ("49000", 49e3), ("49.5k", 49_500.0), ("0.1", 0.1), ("1_000", 1e3)]
        {
            assert_eq!(parse_amount(text), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("0%", 0.0),
            ("0.1%", 0.001),
            ("0.1 %", 0.001),
            ("0.7%", 0.007),
            ("99.99%", 0.9999),
            ("100.0%", 1.0),
            (".001%", 0.000_01),
            ("0.000000000000000001%", 1e-20),
        ] {
            assert_eq!(parse_percent(text), Ok(expected), "{text}");
        }
        for text in ["100.1%", "1k%", "5", "%", "5%%", "-5%"] {
            assert!(parse_percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn odd_texts_get_one_sentence_that_repeats_them_and_gives_an_example() {
        for text in ODD {
            let errors = [
                parse_count(text).err(),
                parse_duration(text).err(),
                parse_rate(text).err(),
                parse_size(text).err(),
                parse_amount(text).err(),
                parse_percent(text).err(),
            ];
            for error in errors {
                let message = error.unwrap_or_else(|| panic!("{text:?} was accepted")).message;
                assert!(message.starts_with(&quote(text)), "{message}");
                assert!(message.contains("such as `"), "{message}");
                assert!(!message.contains('\n'), "{message}");
            }
        }
    }

    #[test]
    fn numbers_that_do_not_fit_say_so() {
        for text in ["99999999999999999999", "99999999999999999999.5k", "99999999999G"] {
            assert!(parse_count(text).unwrap_err().message.contains("is too large for a count"));
            assert!(parse_rate(text).unwrap_err().message.contains("is too large for a rate"));
        }
        assert!(parse_duration("9999999999h").unwrap_err().message.contains("too large"));
        assert!(parse_size("99999999999GiB").unwrap_err().message.contains("too large"));
        assert!(
            parse_rate("0.000000000000000001/9999h").unwrap_err().message.contains("too large")
        );
    }

    #[test]
    fn no_short_text_makes_a_parser_panic() {
        const LETTERS: &[u8] = b"09._kMm/-siBn ";
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            let longer = texts.iter().flat_map(|text| {
                LETTERS.iter().map(move |&letter| format!("{text}{}", letter as char))
            });
            texts = longer.collect();
            for text in &texts {
                let _ = parse_count(text);
                let _ = parse_duration(text);
                let _ = parse_size(text);
                let _ = parse_amount(text);
                let _ = parse_percent(text);
                if let Ok((_, period)) = parse_rate(text) {
                    assert!(period > Nanos::ZERO, "{text}");
                }
            }
        }
    }
}
