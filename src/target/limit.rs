//! A limit of the rate, over all connections and threads of the target: a bucket of tokens. What
//! finds it empty is turned away at once.
//!
//! ```text
//! tokens(t) = min(B, tokens(s) + R (t - s))      each request that is served takes one
//! ```
//!
//! Kept as the instant at which the bucket will be full again, so that there is nothing to refill.

use std::sync::Mutex;
use std::sync::PoisonError;

use crate::time::Nanos;

/// How a limit is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// At least 1.
    pub per_s: u64,
    /// What is beyond it is answered with this.
    pub status: u16,
}

/// The bucket holds what flows in over this time, and at least one token.
const DEPTH: Nanos = Nanos::from_millis(20);

/// One bucket, behind a lock that nobody holds for longer than two sums take.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    full: Mutex<Nanos>,
}

impl Bucket {
    /// Whether a request that comes at `now` is served.
    pub fn takes(&self, now: Nanos, limit: Limited) -> bool {
        let token = Nanos(1_000_000_000 / limit.per_s.max(1));
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = *full - now;
        if missing + token > DEPTH.max(token) {
            return false;
        }
        *full = now + missing + token;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_rate_is_turned_away_whatever_comes() {
        let limit = Limited { per_s: 1_000, status: 429 };
        for every in [100_u64, 900, 1_000, 1_100, 5_000] {
            let bucket = Bucket::default();
            let come = 2_000_000 / every;
            let taken = (0..come).filter(|k| bucket.takes(Nanos(k * every * 1_000), limit));
            let expected = come.min(2_020);
            assert!(taken.count().abs_diff(expected as usize) <= 2, "{every} us");
        }
    }

    #[test]
    fn a_bucket_that_fills_slowly_lets_one_through_at_a_time() {
        let (limit, bucket) = (Limited { per_s: 10, status: 503 }, Bucket::default());
        let times =
            [0, 1, 99, 100, 150, 199, 200].map(|ms| bucket.takes(Nanos::from_millis(ms), limit));
        assert_eq!(times, [true, false, false, true, false, false, true]);
    }
}
