//! How drift is worded, for every view.

use super::document::{Soak, Trend};
use super::number::micros;
use crate::units::{format_bytes, format_count};

pub fn verdict(soak: &Soak) -> &str {
    match soak.verdict.as_str() {
        "too_short" => "too short to say",
        verdict => verdict,
    }
}

pub fn state(trend: &Trend) -> &str {
    match trend.state.as_str() {
        "levels_off" => "levels off",
        "too_short" => "too short",
        state => state,
    }
}

/// A value of a trend, or a difference of two, in its unit.
pub fn amount(trend: &Trend, value: f64) -> String {
    match trend.unit.as_str() {
        "us" if value < 0.0 => format!("-{}", micros(-value)),
        "us" => micros(value),
        "bytes" => format_bytes(value),
        "bytes_per_s" => format!("{}/s", format_bytes(value)),
        _ => format_count(value),
    }
}
