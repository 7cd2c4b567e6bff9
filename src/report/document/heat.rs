//! The response times of an interval in a few buckets.

use serde::{Deserialize, Serialize};

use crate::metrics::{self, heat};
use crate::time::Nanos;

/// The buckets in use, in order, each with its count: an hour has 3,600 intervals, and most of the
/// buckets are empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heat(pub Vec<(usize, u64)>);

/// The lower bounds of the buckets, in microseconds.
pub fn heat_bounds_us() -> Vec<f64> {
    heat::BOUNDS.iter().copied().map(Nanos::as_micros_f64).collect()
}

impl Heat {
    pub(super) fn new(heat: &metrics::Heat) -> Heat {
        Heat(heat.used().collect())
    }
}
