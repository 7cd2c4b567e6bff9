//! What varies in a text, and how a value of it is drawn.

use std::io::Write;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::placeholder::Clock;
use super::{Context, Escape, escape};
use crate::dice::Dice;
use crate::plan::data::Table;

#[derive(Clone, Debug)]
pub enum Slot {
    /// From `low`, up to so much more.
    Int {
        low: i64,
        span: u64,
    },
    /// The same, of a number that is written with a point before its last digits.
    Float {
        low: i64,
        span: u64,
        decimals: u32,
    },
    /// Escaped already.
    Choice(Arc<[Box<[u8]>]>),
    Uuid,
    Seq,
    SeqHex,
    Letters(usize),
    Hex(usize),
    Now(Clock),
    /// `place` is that of the table.
    Cell {
        table: Arc<Table>,
        place: usize,
        column: usize,
    },
    /// The place of a captured value.
    Capture(usize),
    User,
}

impl Slot {
    /// Appends a value, fit for its surroundings.
    #[inline]
    pub fn write(&self, escape: Escape, context: &mut Context, into: &mut Vec<u8>) {
        let from = into.len();
        match self {
            Slot::Int { low, span } => integer(drawn(context.dice, *low, *span), into),
            Slot::Float { low, span, decimals } => {
                decimal(drawn(context.dice, *low, *span), *decimals, into);
            }
            Slot::Choice(values) => {
                let place = context.dice.below(values.len() as u64) as usize;
                into.extend_from_slice(&values[place]);
            }
            Slot::Uuid => uuid(context.dice, into),
            Slot::Seq => integer(context.number, into),
            Slot::SeqHex => sixteen(context.id, into),
            Slot::Letters(length) => letters(*length, context.dice, into),
            Slot::Hex(length) => hex(*length, context.dice, into),
            Slot::Now(clock) => {
                now(*clock, SystemTime::now(), into);
                escape::in_place(into, from, escape);
            }
            Slot::Cell { table, place, column } => {
                table.cell(context.rows[*place], *column, into);
                escape::in_place(into, from, escape);
            }
            Slot::Capture(place) => {
                if let Some(Some(value)) = context.captures.get(*place) {
                    into.extend_from_slice(value);
                }
                escape::in_place(into, from, escape);
            }
            Slot::User => integer(context.user, into),
        }
    }

    /// How it is drawn, about as a plan writes it.
    pub fn outline(&self) -> String {
        match self {
            Slot::Int { low, span } => format!("{{{{int {low} +{span}}}}}"),
            Slot::Float { low, span, decimals } => {
                format!("{{{{float {low} +{span} {decimals}}}}}")
            }
            Slot::Choice(values) => {
                let values: Vec<_> =
                    values.iter().map(|value| String::from_utf8_lossy(value)).collect();
                format!("{{{{choice {}}}}}", values.join(" "))
            }
            Slot::Uuid => "{{uuid}}".to_string(),
            Slot::Seq => "{{seq}}".to_string(),
            Slot::SeqHex => "{{seq hex}}".to_string(),
            Slot::Letters(length) => format!("{{{{string {length}}}}}"),
            Slot::Hex(length) => format!("{{{{hex {length}}}}}"),
            Slot::Now(clock) => format!("{{{{now {}}}}}", clock.name()),
            Slot::Cell { table, column, .. } => {
                let column = table.columns().nth(*column).unwrap_or_default();
                format!("{{{{data.{}.{column}}}}}", table.name)
            }
            Slot::Capture(place) => format!("{{{{capture {place}}}}}"),
            Slot::User => "{{user.id}}".to_string(),
        }
    }

    /// Bytes of its longest value; of a captured one a guess.
    pub fn most(&self, escape: Escape) -> usize {
        const INTEGER: usize = 20;
        const CAPTURE: usize = 64;
        match self {
            Slot::Int { .. } | Slot::Seq | Slot::User => INTEGER,
            Slot::Float { .. } => INTEGER + 2,
            Slot::Choice(values) => values.iter().map(|value| value.len()).max().unwrap_or(0),
            Slot::Uuid => 36,
            Slot::SeqHex => 16,
            Slot::Letters(length) | Slot::Hex(length) => *length,
            Slot::Now(_) => 24 * escape::growth(escape),
            Slot::Cell { table, column, .. } => table.longest(*column) * escape::growth(escape),
            Slot::Capture(_) => CAPTURE * escape::growth(escape),
        }
    }
}

/// Any of the numbers, each as likely.
fn drawn(dice: &mut Dice, low: i64, span: u64) -> i64 {
    let step = match span.checked_add(1) {
        Some(count) => dice.below(count),
        None => dice.next(),
    };
    low.wrapping_add_unsigned(step)
}

fn integer(number: impl itoa::Integer, into: &mut Vec<u8>) {
    into.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn decimal(scaled: i64, decimals: u32, into: &mut Vec<u8>) {
    let unit = 10u64.pow(decimals);
    let magnitude = scaled.unsigned_abs();
    into.extend_from_slice(if scaled < 0 { b"-" } else { b"" });
    integer(magnitude / unit, into);
    if decimals > 0 {
        let mut buffer = itoa::Buffer::new();
        let fraction = buffer.format(magnitude % unit).as_bytes();
        into.push(b'.');
        into.resize(into.len() + decimals as usize - fraction.len(), b'0');
        into.extend_from_slice(fraction);
    }
}

/// RFC 9562, 5.4: 122 random bits.
fn uuid(dice: &mut Dice, into: &mut Vec<u8>) {
    let bits = (u128::from(dice.next()) << 64) | u128::from(dice.next());
    let bits = bits & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    for digit in (0..32u32).rev() {
        if matches!(digit, 23 | 19 | 15 | 11) {
            into.push(b'-');
        }
        into.push(DIGITS[(bits >> (4 * digit)) as usize & 15]);
    }
}

/// Eight to a number: what is left over of 2^64 makes no letter more likely by more than 10^-5.
fn letters(length: usize, dice: &mut Dice, into: &mut Vec<u8>) {
    const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut number = 0;
    for place in 0..length {
        if place % 8 == 0 {
            number = dice.below(62u64.pow(8));
        }
        into.push(ALPHABET[(number % 62) as usize]);
        number /= 62;
    }
}

/// All its digits of base 16.
fn sixteen(number: u64, into: &mut Vec<u8>) {
    into.extend((0..16u32).rev().map(|digit| DIGITS[(number >> (4 * digit)) as usize & 15]));
}

fn hex(length: usize, dice: &mut Dice, into: &mut Vec<u8>) {
    let mut number = 0;
    for place in 0..length {
        if place % 16 == 0 {
            number = dice.next();
        }
        into.push(DIGITS[(number & 15) as usize]);
        number >>= 4;
    }
}

fn now(clock: Clock, now: SystemTime, into: &mut Vec<u8>) {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    match clock {
        Clock::Seconds => integer(since.as_secs(), into),
        Clock::Milliseconds => integer(since.as_millis() as u64, into),
        // Writing to memory does not fail, nor does a time of this age.
        Clock::Rfc3339 => {
            let _ = write!(into, "{}", humantime::format_rfc3339_millis(UNIX_EPOCH + since));
        }
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut written = Vec::new();
        write(&mut written);
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn numbers_reach_both_ends_and_nothing_beyond() {
        for (low, high) in [(1, 3), (-2, 2), (7, 7), (i64::MIN, i64::MAX), (i64::MAX - 1, i64::MAX)]
        {
            let span = high.wrapping_sub(low) as u64;
            let mut dice = Dice::of(1, 2, 3);
            let all: Vec<i64> = (0..200).map(|_| drawn(&mut dice, low, span)).collect();
            assert!(all.iter().all(|number| (low..=high).contains(number)), "{low} {high}");
            if span < 10 {
                assert!(all.contains(&low) && all.contains(&high), "{low} {high}");
            } else {
                assert!(all.iter().any(|n| *n < 0) && all.iter().any(|n| *n > 0));
            }
        }
    }

    #[test]
    fn decimals_are_exact() {
        for (scaled, decimals, expected) in [
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (-150, 2, "-1.50"),
            (1_234, 0, "1234"),
            (i64::MIN, 3, "-9223372036854775.808"),
        ] {
            assert_eq!(text(|into| decimal(scaled, decimals, into)), expected);
        }
    }

    #[test]
    fn a_number_in_an_id_has_all_its_digits() {
        for number in [0, 1, 0xfeed_beef, u64::MAX] {
            assert_eq!(text(|into| sixteen(number, into)), format!("{number:016x}"));
        }
    }

    #[test]
    fn instants_are_written_in_three_ways() {
        let instant = UNIX_EPOCH + std::time::Duration::from_millis(1_700_000_000_042);
        for (clock, expected) in [
            (Clock::Rfc3339, "2023-11-14T22:13:20.042Z"),
            (Clock::Seconds, "1700000000"),
            (Clock::Milliseconds, "1700000000042"),
        ] {
            assert_eq!(text(|into| now(clock, instant, into)), expected);
        }
    }

    #[test]
    fn a_uuid_has_its_version_and_its_variant() {
        for number in 0..100 {
            let uuid = text(|into| uuid(&mut Dice::of(number, 0, 0), into));
            let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12]);
            assert!(
                uuid.as_bytes()[14] == b'4' && b"89ab".contains(&uuid.as_bytes()[19]),
                "{uuid}"
            );
        }
    }

    #[test]
    fn every_letter_and_digit_occurs() {
        let mut dice = Dice::of(1, 0, 0);
        let mut of = |write: fn(usize, &mut Dice, &mut Vec<u8>)| {
            let mut seen = Vec::new();
            write(5_003, &mut dice, &mut seen);
            assert_eq!(seen.len(), 5_003);
            seen.sort_unstable();
            seen.dedup();
            seen.len()
        };
        assert_eq!((of(letters), of(hex)), (62, 16));
    }
}
