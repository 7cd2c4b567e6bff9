//! A figure: what is shown, beside the document's own value and its place there (a JSON pointer,
//! RFC 6901).

use maud::{Markup, html};

use crate::report::document::Latency;
use crate::report::number::{self, micros, percent};
use crate::units::{format_bytes, format_count};

/// What a figure's value is.
pub fn exactly(at: &str, value: f64, shown: &str) -> Markup {
    html! { data value=(value) data-at=(at) { (shown) } }
}

pub fn count(at: &str, value: u64) -> Markup {
    // Not by way of a float: a count has every digit.
    html! { data value=(value) data-at=(at) { (number::count(value)) } }
}

pub fn per_second(at: &str, value: f64) -> Markup {
    exactly(at, value, &number::per_second(value))
}

pub fn share(at: &str, value: f64) -> Markup {
    exactly(at, value, &percent(value))
}

pub fn seconds(at: &str, value: f64) -> Markup {
    exactly(at, value, &number::seconds(value))
}

pub fn bytes(at: &str, value: f64) -> Markup {
    exactly(at, value, &format_bytes(value))
}

pub fn plain(at: &str, value: f64) -> Markup {
    exactly(at, value, &format_count(value))
}

/// A time in microseconds; null is a dash.
pub fn time(at: &str, us: Option<f64>) -> Markup {
    match us {
        Some(us) => exactly(at, us, &micros(us)),
        None => html! { "-" },
    }
}

/// One of a distribution: null is a dash, and a lower bound says that it is one.
pub fn of_latency(at: &str, row: &Latency, column: &Column) -> Markup {
    let us = (column.value)(row);
    let bound = us.is_some() && !(column.exact)(row);
    html! { @if bound { "≥ " } (time(&format!("{at}/{}", column.key), us)) }
}

/// A column of a distribution.
pub struct Column {
    pub name: &'static str,
    /// In the document.
    pub key: &'static str,
    pub value: fn(&Latency) -> Option<f64>,
    /// Whether it is known in full.
    pub exact: fn(&Latency) -> bool,
}

#[rustfmt::skip]
mod columns {
    use super::{Column, Latency};

    const fn column(
        name: &'static str,
        key: &'static str,
        value: fn(&Latency) -> Option<f64>,
        exact: fn(&Latency) -> bool,
    ) -> Column {
        Column { name, key, value, exact }
    }

    // The least of all is a good one's, if there is any.
    pub const MIN: Column = column("min", "min_us", |l| l.min_us, |l| l.censored < l.count);
    pub const MEAN: Column = column("mean", "mean_us", |l| l.mean_us, |l| l.censored == 0);
    pub const P50: Column = column("p50", "p50_us", |l| l.p50_us, |l| l.is_exact(0.50));
    pub const P90: Column = column("p90", "p90_us", |l| l.p90_us, |l| l.is_exact(0.90));
    pub const P95: Column = column("p95", "p95_us", |l| l.p95_us, |l| l.is_exact(0.95));
    pub const P99: Column = column("p99", "p99_us", |l| l.p99_us, |l| l.is_exact(0.99));
    pub const P99_9: Column = column("p99.9", "p99_9_us", |l| l.p99_9_us, |l| l.is_exact(0.999));
    pub const P99_99: Column = column("p99.99", "p99_99_us", |l| l.p99_99_us, |l| l.is_exact(0.9999));
    pub const MAX: Column = column("max", "max_us", |l| l.max_us, |l| l.censored == 0);
}

pub use columns::*;
