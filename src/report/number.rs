//! Numbers as the page shows them: exact counts, table cells, and wrk's own transfer rate.

use crate::time::Nanos;
use crate::units::{format_count, format_duration};

/// An exact count: `500,000`.
pub use crate::units::format_exact as count;

/// A rate to the unit, small ones to three digits: `50,000`, `12.5`.
pub fn per_second(value: f64) -> String {
    if value < 100.0 { format_count(value) } else { count(value.round() as u64) }
}

/// A share, rounded down, so that `100 %` means all, and never to nothing: `99.99 %`, `<0.01 %`.
pub fn percent(share: f64) -> String {
    let hundredths = (share * 10_000.0 + 1e-6).floor();
    match hundredths {
        0.0 if share > 0.0 => "<0.01 %".to_string(),
        _ if hundredths % 100.0 == 0.0 => format!("{:.0} %", hundredths / 100.0),
        _ => format!("{:.2} %", hundredths / 100.0),
    }
}

/// A share to a ten-thousandth of a percent, rounded down: `99.9992 %`.
pub fn exact_percent(share: f64) -> String {
    let parts = (share * 1e6 + 1e-6).floor();
    match parts {
        0.0 if share > 0.0 => "<0.0001 %".to_string(),
        _ => format!("{} %", trimmed(&format!("{:.4}", parts / 1e4))),
    }
}

/// A rate to a tenth, rounded down: `49,999.9`.
pub fn exact_per_second(value: f64) -> String {
    let tenths = (value * 10.0 + 1e-6).floor();
    let whole = count((tenths / 10.0) as u64);
    match tenths % 10.0 {
        0.0 => whole,
        tenth => format!("{whole}.{tenth}"),
    }
}

/// Without the zeros that end a fraction.
fn trimmed(number: &str) -> &str {
    number.trim_end_matches('0').trim_end_matches('.')
}

/// A time in microseconds, for running text: `68.2 us`.
pub fn micros(us: f64) -> String {
    format_duration(nanos(us))
}

/// The same without the space, for a table: `68.2us`.
pub fn cell(us: f64) -> String {
    micros(us).replace(' ', "")
}

/// A length in seconds, for running text: `10 s`.
pub fn seconds(s: f64) -> String {
    // To the millisecond: a run of 10 s that ended 40 us late took 10 s.
    match s < 1e-3 {
        true => format_duration(Nanos((s * 1e9).round() as u64)),
        false => format_duration(Nanos::from_millis((s * 1e3).round() as u64)),
    }
}

fn nanos(us: f64) -> Nanos {
    Nanos((us * 1e3).round() as u64)
}

/// Bytes as wrk prints them in `Transfer/sec`: powers of 1,024, the next unit from 0.85 of it on.
pub fn binary(bytes: f64) -> String {
    let mut amount = bytes;
    let mut shown = "";
    for unit in ["K", "M", "G", "T"] {
        if amount < 1024.0 * 0.85 {
            break;
        }
        amount /= 1024.0;
        shown = unit;
    }
    format!("{amount:.2}{shown}B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_keep_every_digit() {
        for (value, expected) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(value), expected);
        }
    }

    #[test]
    fn a_length_is_told_to_the_millisecond_and_is_never_nothing() {
        for (s, expected) in
            [(10.000_04, "10 s"), (0.003_4, "3 ms"), (0.000_371_9, "372 us"), (0.0, "0 ns")]
        {
            assert_eq!(seconds(s), expected);
        }
    }

    #[test]
    fn a_share_is_all_or_nothing_only_when_it_is() {
        for (share, expected) in [
            (0.0, "0 %"),
            (0.000_001, "<0.01 %"),
            (0.29, "29 %"),
            (0.1234, "12.34 %"),
            (0.999_999, "99.99 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(share), expected);
        }
    }

    #[test]
    fn a_value_beside_its_limit_is_not_rounded_over_it() {
        for (share, expected) in [
            (0.0, "0 %"),
            (1e-9, "<0.0001 %"),
            (0.000_012, "0.0012 %"),
            (0.2, "20 %"),
            (0.999_992, "99.9992 %"),
            (0.999_999_99, "99.9999 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(exact_percent(share), expected);
        }
        for (value, expected) in
            [(0.0, "0"), (62.17, "62.1"), (49_999.96, "49,999.9"), (50_000.0, "50,000")]
        {
            assert_eq!(exact_per_second(value), expected);
        }
    }

    #[test]
    fn a_transfer_rate_steps_up_where_wrk_does() {
        for (bytes, expected) in [
            (0.0, "0.00B"),
            (870.0, "870.00B"),
            (871.0, "0.85KB"),
            (1024.0, "1.00KB"),
            (7_350_000.0, "7.01MB"),
            (5e9, "4.66GB"),
            (5e15, "4547.47TB"),
        ] {
            assert_eq!(binary(bytes), expected);
        }
    }

    #[test]
    fn a_run_that_ended_a_little_late_took_what_was_asked() {
        assert_eq!(seconds(10.000_04), "10 s");
        assert_eq!(seconds(3.217), "3.22 s");
    }
}
