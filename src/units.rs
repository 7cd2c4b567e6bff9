//! Numbers as people write them.

use crate::time::Nanos;

pub fn format_duration(nanos: Nanos) -> String {
    format!("{:.2} ms", nanos.as_micros_f64() / 1e3)
}
