//! What answers are expected to be: their status, the size of their body, what it holds. Whatever
//! differs is rejected: it is counted by kind and never as good.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::http::Pattern;
use crate::metrics::Rejection;
use crate::units::{parse_size, quote};

/// What makes an answer a good one.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// `None`: 200 to 399.
    pub statuses: Option<Statuses>,
    pub size: Option<Sizes>,
    /// One automaton for all workers.
    pub body: Option<Arc<Pattern>>,
}

impl Expected {
    /// The first thing about an answer that differs: its status, its size, its body. `found`:
    /// whether the body holds what it should.
    #[inline]
    pub fn judge(&self, status: u16, body_bytes: u64, found: bool) -> Option<Rejection> {
        let of_status = match &self.statuses {
            None => Rejection::of(status),
            Some(statuses) => (!statuses.has(status)).then_some(Rejection::UnexpectedStatus),
        };
        of_status.or_else(|| match &self.size {
            Some(sizes) if !sizes.has(body_bytes) => Some(Rejection::UnexpectedSize),
            _ => (!found).then_some(Rejection::UnexpectedBody),
        })
    }
}

/// A set of statuses, as it was typed: `200,201,3xx,500-504`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses {
    text: String,
    /// A bit for each of three digits.
    bits: [u64; 16],
}

impl Statuses {
    pub fn parse(text: &str) -> Result<Statuses> {
        let mut bits = [0; 16];
        for part in text.split(',') {
            let range = statuses(part.trim()).ok_or_else(|| {
                Error::usage(format!(
                    "{} is no status; write some such as `200,201`, `3xx` or `200-204`",
                    quote(part.trim())
                ))
            })?;
            range.for_each(|status| bits[usize::from(status / 64)] |= 1 << (status % 64));
        }
        Ok(Statuses { text: text.to_string(), bits })
    }

    #[inline]
    pub fn has(&self, status: u16) -> bool {
        let bits = self.bits.get(usize::from(status / 64)).copied().unwrap_or(0);
        bits >> (status % 64) & 1 == 1
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `200`, `2xx` or `200-204`.
fn statuses(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let lower = text.to_ascii_lowercase();
    if let Some(class) = lower.strip_suffix("xx") {
        let class = status(class, 1)?;
        return (1..=9).contains(&class).then_some(class * 100..=class * 100 + 99);
    }
    let (first, last) = lower.split_once('-').unwrap_or((&lower, &lower));
    let (first, last) = (status(first, 3)?, status(last, 3)?);
    (100 <= first && first <= last).then_some(first..=last)
}

/// A number of exactly so many digits.
fn status(text: &str, digits: usize) -> Option<u16> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// A range of sizes with both its ends, as it was typed: `512`, `1k..2k`, `1k..`, `..2k`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes {
    text: String,
    least: u64,
    most: u64,
}

impl Sizes {
    pub fn parse(text: &str) -> Result<Sizes> {
        let (least, most) = match text.split_once("..") {
            None => (parse_size(text)?, parse_size(text)?),
            Some(("", "")) => {
                return Err(Error::usage("`..` is any size; write one such as `512` or `1k..2k`"));
            }
            Some((least, "")) => (parse_size(least)?, u64::MAX),
            Some(("", most)) => (0, parse_size(most)?),
            Some((least, most)) => (parse_size(least)?, parse_size(most)?),
        };
        if least > most {
            let given = quote(text);
            return Err(Error::usage(format!("{given} holds no size; put the smaller one first")));
        }
        Ok(Sizes { text: text.to_string(), least, most })
    }

    #[inline]
    pub fn has(&self, size: u64) -> bool {
        (self.least..=self.most).contains(&size)
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_listed_one_by_one_by_class_or_in_ranges() {
        for (text, inside, outside) in [
            ("200", &[200][..], &[199, 201, 404, 999][..]),
            ("200,201", &[200, 201], &[202, 64, 136]),
            ("3xx", &[300, 399], &[299, 400]),
            ("2XX, 404", &[200, 299, 404], &[300, 403]),
            ("500-504", &[500, 504], &[499, 505]),
            ("999", &[999], &[998, 0]),
        ] {
            let statuses = Statuses::parse(text).unwrap_or_else(|error| panic!("{error}"));
            assert!(inside.iter().all(|status| statuses.has(*status)), "{text}");
            assert!(!outside.iter().any(|status| statuses.has(*status)), "{text}");
            assert_eq!(statuses.to_string(), text);
        }
        for text in ["", "20", "2000", "0xx", "x", "xx", "2x", "200-", "204-200", "099", "+20", "é"]
        {
            let message = Statuses::parse(text).expect_err(text).message;
            assert!(
                message.ends_with("is no status; write some such as `200,201`, `3xx` or `200-204`")
            );
        }
    }

    #[test]
    fn sizes_have_both_their_ends() {
        for (text, inside, outside) in [
            ("512", &[512][..], &[511, 513][..]),
            ("0", &[0], &[1]),
            ("1k..2k", &[1_000, 1_500, 2_000], &[999, 2_001]),
            ("1KiB..", &[1_024, u64::MAX], &[1_023]),
            ("..10", &[0, 10], &[11]),
        ] {
            let sizes = Sizes::parse(text).unwrap_or_else(|error| panic!("{error}"));
            assert!(inside.iter().all(|size| sizes.has(*size)), "{text}");
            assert!(!outside.iter().any(|size| sizes.has(*size)), "{text}");
        }
        for (text, expected) in [
            ("", "is no size"),
            ("..", "is any size"),
            ("2k..1k", "the smaller one first"),
            ("1..2..3", "is no size"),
            ("-1", "is no size"),
        ] {
            let message = Sizes::parse(text).expect_err(text).message;
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn the_first_thing_that_differs_is_the_kind() {
        let all = Expected {
            statuses: Some(Statuses::parse("200,404").unwrap()),
            size: Some(Sizes::parse("5").unwrap()),
            body: None,
        };
        for (expected, status, size, found, kind) in [
            (&Expected::default(), 200, 7, true, None),
            (&Expected::default(), 503, 7, true, Some(Rejection::Status5xx)),
            (&Expected::default(), 503, 7, false, Some(Rejection::Status5xx)),
            (&Expected::default(), 200, 7, false, Some(Rejection::UnexpectedBody)),
            (&all, 404, 5, true, None),
            (&all, 301, 9, false, Some(Rejection::UnexpectedStatus)),
            (&all, 503, 5, true, Some(Rejection::UnexpectedStatus)),
            (&all, 200, 6, false, Some(Rejection::UnexpectedSize)),
            (&all, 200, 5, false, Some(Rejection::UnexpectedBody)),
        ] {
            assert_eq!(expected.judge(status, size, found), kind, "{status} {size} {found}");
        }
    }
}
