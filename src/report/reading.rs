//! Readings of gauges as people read them, by the unit that the document names.

use super::number::{cell, count, exact_per_second, exact_percent};
use crate::units::{format_bytes, format_count};

/// What a rule measured. Shares and rates are not rounded, so that they stand on their side of the
/// limit; times have the three digits that the histograms have.
pub fn of_unit(value: f64, unit: &str) -> String {
    match unit {
        "us" => cell(value),
        "share" => exact_percent(value),
        "per_s" => exact_per_second(value),
        unit => exactly(value, unit),
    }
}

/// For tables and axes: three digits that matter.
pub fn shown(value: f64, unit: &str) -> String {
    match unit {
        "percent" => format!("{} %", format_count(value)),
        "bytes" => format_bytes(value),
        "bytes_per_s" => format!("{}/s", format_bytes(value)),
        "per_s" => format!("{}/s", small(value)),
        _ => small(value),
    }
}

/// For rules: not rounded past its side of a limit that somebody would write.
pub fn exactly(value: f64, unit: &str) -> String {
    let (unit, per_min) = match unit.strip_suffix("_per_min") {
        Some(unit) => (unit, "/min"),
        None => (unit, ""),
    };
    let shown = match unit {
        "percent" => format!("{} %", plain(value)),
        "bytes" => format!("{} B", whole(value)),
        "bytes_per_s" => format!("{} B/s", whole(value)),
        "per_s" => format!("{}/s", plain(value)),
        _ => plain(value),
    };
    shown + per_min
}

/// A number below one keeps three digits.
fn small(value: f64) -> String {
    let size = value.abs();
    if size > 0.0 && size < 1.0 {
        let places = (-size.log10()).floor() as usize + 3;
        return trimmed(&format!("{value:.*}", places.min(12)));
    }
    format_count(value)
}

/// To six digits behind the point.
fn plain(value: f64) -> String {
    let whole = value.trunc();
    match value - whole {
        0.0 => self::whole(value),
        _ if value.abs() < 1e4 => trimmed(&format!("{value:.6}")),
        _ => format!("{value:.1}"),
    }
}

fn whole(value: f64) -> String {
    let sign = if value.round() < 0.0 { "-" } else { "" };
    format!("{sign}{}", count(value.abs().round() as u64))
}

fn trimmed(number: &str) -> String {
    match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_have_three_digits_and_their_unit() {
        for (value, unit, expected) in [
            (61.53, "percent", "61.5 %"),
            (1.042e9, "bytes", "1.04 GB"),
            (7.5e7, "bytes_per_s", "75.0 MB/s"),
            (12.0, "per_s", "12/s"),
            (0.25, "per_s", "0.25/s"),
            (20.0, "count", "20"),
            (0.000_421_7, "number", "0.000422"),
            (-0.5, "number", "-0.5"),
            (-12_345.0, "number", "-12.3k"),
        ] {
            assert_eq!(shown(value, unit), expected);
        }
    }

    #[test]
    fn the_value_of_a_rule_stands_on_its_side_of_the_limit() {
        for (value, unit, expected) in [
            (79.999_9, "percent", "79.9999 %"),
            (1_999_999_999.4, "bytes", "1,999,999,999 B"),
            (-1_500.0, "bytes_per_min", "-1,500 B/min"),
            (19.5, "count", "19.5"),
            (20.0, "count", "20"),
            (0.9, "number", "0.9"),
            (0.1 + 0.2, "number", "0.3"),
            (5.0, "per_s_per_min", "5/s/min"),
            (5.5, "count_per_min", "5.5/min"),
        ] {
            assert_eq!(exactly(value, unit), expected);
        }
    }
}
