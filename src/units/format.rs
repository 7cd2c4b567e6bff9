//! From numbers to text: three digits that matter, in the unit that fits.

use crate::time::Nanos;

const SECOND_NS: u64 = 1_000_000_000;

/// A count or a rate for people, three digits that matter: `0.5`, `1,234`, `49.8k`, `1.2M`.
pub fn format_count(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "-".to_string()
    } else if size < 99.95 {
        trimmed(&significant(value))
    } else if size < 9_999.5 {
        thousands(value)
    } else {
        let (scale, suffix) = scale_of(size / 1e3, &["k", "M", "G"]);
        trimmed(&significant(value / 1e3 / scale)) + suffix
    }
}

/// A whole number with all its digits: `500,000`.
pub fn format_exact(value: u64) -> String {
    let digits = value.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

/// A length of time for people, three digits that matter: `410 us`, `1.23 ms`, `12.3 s`, `2m 5s`.
/// A whole number of its unit has no decimals: `10 s`.
pub fn format_duration(length: Nanos) -> String {
    let ns = length.0;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..999_500 => in_unit(ns, 1_000, "us"),
        999_500..999_500_000 => in_unit(ns, 1_000_000, "ms"),
        999_500_000..119_950_000_000 => in_unit(ns, SECOND_NS, "s"),
        _ => long_duration((ns / SECOND_NS) + u64::from(ns % SECOND_NS >= SECOND_NS / 2)),
    }
}

/// A number of bytes, or of bytes per second, for people: `130 B`, `1.23 MB` (decimal units).
pub fn format_bytes(bytes: f64) -> String {
    let (scale, unit) = scale_of(bytes.abs(), &["B", "kB", "MB", "GB", "TB"]);
    if !bytes.is_finite() {
        "-".to_string()
    } else if unit == "B" {
        format!("{bytes:.0} B")
    } else {
        format!("{} {unit}", significant(bytes / scale))
    }
}

/// Three digits that matter, but never fewer than the whole part has.
fn significant(value: f64) -> String {
    match value.abs() {
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Without the zeros that end a fraction.
fn trimmed(number: &str) -> String {
    match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => number.to_string(),
    }
}

/// The step of 1,000 that leaves one to three digits before the point, and its name.
fn scale_of(size: f64, names: &[&'static str]) -> (f64, &'static str) {
    let mut scale = 1.0;
    let mut step = 0;
    while step + 1 < names.len() && size / scale >= 999.5 {
        scale *= 1e3;
        step += 1;
    }
    (scale, names[step])
}

/// A whole number with commas.
fn thousands(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    sign.to_string() + &format_exact(value.abs().round_ties_even() as u64)
}

fn in_unit(ns: u64, unit_ns: u64, unit: &str) -> String {
    match ns % unit_ns {
        0 => format!("{} {unit}", ns / unit_ns),
        _ => format!("{} {unit}", significant(ns as f64 / unit_ns as f64)),
    }
}

/// Minutes and hours, without the parts that are zero.
fn long_duration(seconds: u64) -> String {
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    parts.map(|(count, unit)| format!("{count}{unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_with_three_digits_that_matter() {
        for (value, expected) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (3.17159, "3.17"),
            (12.34, "12.3"),
            (99.96, "100"),
            (1_234.4, "1,234"),
            (9_999.4, "9,999"),
            (9_999.6, "10k"),
            (49_812.0, "49.8k"),
            (50_000.0, "50k"),
            (999_600.0, "1M"),
            (1_234_567.0, "1.23M"),
            (5e12, "5000G"),
            (-1_234.0, "-1,234"),
            (f64::NAN, "-"),
            (f64::INFINITY, "-"),
        ] {
            assert_eq!(format_count(value), expected, "{value}");
        }
    }

    #[test]
    fn durations_read_in_the_unit_that_fits() {
        for (ns, expected) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1 us"),
            (68_234, "68.2 us"),
            (410_000, "410 us"),
            (999_499, "999 us"),
            (999_500, "1.00 ms"),
            (1_234_567, "1.23 ms"),
            (5_000_000, "5 ms"),
            (999_600_000, "1.00 s"),
            (10_000_000_000, "10 s"),
            (12_345_000_000, "12.3 s"),
            (119_960_000_000, "2m"),
            (125_000_000_000, "2m 5s"),
            (3_600_000_000_000, "1h"),
            (3_661_000_000_000, "1h 1m 1s"),
        ] {
            assert_eq!(format_duration(Nanos(ns)), expected, "{ns}");
        }
        assert!(format_duration(Nanos::MAX).starts_with("5124095h"));
    }

    #[test]
    fn bytes_read_in_decimal_units() {
        for (bytes, expected) in [
            (0.0, "0 B"),
            (130.0, "130 B"),
            (999.6, "1.00 kB"),
            (1_234.0, "1.23 kB"),
            (6.2e6, "6.20 MB"),
            (1.5e13, "15.0 TB"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(format_bytes(bytes), expected, "{bytes}");
        }
    }
}
