//! The schedule: when the k-th request is due, a pure function of k.
//!
//! Uniform arrivals at `n` per `p` nanoseconds: the k-th is due at `t(k) = floor(k p / n)`, so the
//! number due in `[0, t)` is `ceil(t n / p)`. Both are exact in 128-bit integers; nothing is
//! accumulated, so nothing drifts.
//!
//! Warm-up and measure are two such sequences, each from its own zero, so that the number of
//! requests due in measure is `ceil(T n / p)` whatever the warm-up was. Measure can be cut to a
//! given number of requests.
//!
//! Over `W` workers the sequence is striped: worker `w` owns each `k` with `k mod W = w`. The
//! union over the workers is the schedule itself, for any `W`.

use super::Rate;
use crate::time::Nanos;

/// Uniform arrivals over warm-up and measure, in nanoseconds from the start of warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    rate: Rate,
    warmup: Nanos,
    /// Arrivals in warm-up: the first index of measure.
    warmup_count: u64,
    /// All arrivals.
    count: u64,
    /// The end of measure.
    end: Nanos,
}

impl Schedule {
    /// Arrivals at `rate` for `warmup`, then until `duration` is over or `requests` were due in
    /// measure, whichever comes first. One of the two must be given: a schedule has an end.
    pub fn uniform(
        rate: Rate,
        warmup: Nanos,
        duration: Option<Nanos>,
        requests: Option<u64>,
    ) -> Schedule {
        let by_time = duration.map_or(u64::MAX, |d| due_before(rate, d));
        let measured = by_time.min(requests.unwrap_or(u64::MAX));
        // Cut short by the count, measure ends where the next request would have been due.
        let length = match duration {
            Some(d) if measured == by_time => d,
            _ => due_at(rate, measured),
        };
        let warmup_count = due_before(rate, warmup);
        Schedule {
            rate,
            warmup,
            warmup_count,
            count: warmup_count.saturating_add(measured),
            end: warmup + length,
        }
    }

    /// When the k-th request is due, from the start of warm-up.
    #[inline]
    pub fn intended(&self, k: u64) -> Nanos {
        match k.checked_sub(self.warmup_count) {
            Some(measured) => self.warmup + due_at(self.rate, measured),
            None => due_at(self.rate, k),
        }
    }

    /// How many requests are due at all.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many of them are due in warm-up; they come first.
    pub fn warmup_count(&self) -> u64 {
        self.warmup_count
    }

    /// The end of measure, from the start of warm-up. Nothing is due at or after it.
    pub fn end(&self) -> Nanos {
        self.end
    }

    /// How many are due in `[0, t)`, from the start of warm-up: the inverse of `intended`.
    pub fn due_before(&self, t: Nanos) -> u64 {
        if t <= self.warmup {
            due_before(self.rate, t).min(self.warmup_count)
        } else {
            let measured = due_before(self.rate, t - self.warmup);
            self.warmup_count.saturating_add(measured).min(self.count)
        }
    }
}

/// `floor(k p / n)`.
#[inline]
fn due_at(rate: Rate, k: u64) -> Nanos {
    let period = rate.period.0;
    // The common case, one division in 64 bits: k p fits for hours at any rate.
    let instant = match k.checked_mul(period) {
        Some(product) => product / rate.count,
        None => u64::try_from(u128::from(k) * u128::from(period) / u128::from(rate.count))
            .unwrap_or(u64::MAX),
    };
    Nanos(instant)
}

/// `ceil(t n / p)`: how many are due in `[0, t)`.
fn due_before(rate: Rate, t: Nanos) -> u64 {
    let product = u128::from(t.0) * u128::from(rate.count);
    u64::try_from(product.div_ceil(u128::from(rate.period.0))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = Nanos::from_secs(1);

    fn schedule(count: u64, period: Nanos, duration: Nanos) -> Schedule {
        Schedule::uniform(Rate { count, period }, Nanos::ZERO, Some(duration), None)
    }

    #[test]
    fn the_count_is_the_rate_times_the_time() {
        for (count, period, duration, expected) in [
            (1, SECOND, Nanos::from_secs(10), 10),
            (997, SECOND, Nanos::from_secs(10), 9_970),
            (100_000, SECOND, Nanos::from_secs(10), 1_000_000),
            (50_000, SECOND, Nanos::from_secs(10), 500_000),
            (1, Nanos::from_secs(3), Nanos::from_secs(10), 4),
            (3, Nanos::from_secs(2), SECOND, 2),
            (7, SECOND, Nanos::from_millis(100), 1),
        ] {
            let schedule = schedule(count, period, duration);
            assert_eq!(schedule.count(), expected, "{count} per {period:?} for {duration:?}");
            assert!(schedule.intended(expected - 1) < schedule.end());
            assert!(schedule.intended(expected) >= schedule.end());
        }
    }

    #[test]
    fn the_kth_is_exact_rational_arithmetic() {
        let schedule = schedule(997, SECOND, Nanos::from_secs(1_000_000));
        for k in [0u64, 1, 2, 996, 997, 998, 123_456_789, 996_999_999] {
            let exact = (k as u128 * 1_000_000_000 / 997) as u64;
            assert_eq!(schedule.intended(k), Nanos(exact));
        }
    }

    #[test]
    fn a_long_run_at_a_high_rate_does_not_overflow() {
        let schedule = schedule(1_000_000, SECOND, Nanos::from_secs(10_000_000));
        assert_eq!(schedule.intended(9_999_999_999_999), Nanos(9_999_999_999_999_000));
    }

    #[test]
    fn due_before_is_the_inverse_of_intended() {
        for rate in [1u64, 7, 997, 50_000, 3_000_001] {
            let warmup = Nanos::from_millis(333);
            let schedule = Schedule::uniform(Rate::per_second(rate), warmup, Some(SECOND), None);
            for k in (0..schedule.count()).step_by(1 + rate as usize / 100) {
                let instant = schedule.intended(k);
                assert_eq!(schedule.due_before(instant), k, "rate {rate}, before k {k}");
                assert_eq!(schedule.due_before(instant + Nanos(1)), k + 1, "rate {rate}, k {k}");
            }
        }
    }

    #[test]
    fn a_warm_up_does_not_shift_the_count_of_measure() {
        for warmup in [0, 1, 999, 1_000, 123_456] {
            let warmup = Nanos::from_micros(warmup);
            let rate = Rate::per_second(997);
            let schedule = Schedule::uniform(rate, warmup, Some(Nanos::from_secs(10)), None);
            assert_eq!(schedule.count() - schedule.warmup_count(), 9_970);
            assert_eq!(schedule.intended(schedule.warmup_count()), warmup);
        }
    }

    #[test]
    fn a_number_of_requests_ends_the_measure_early() {
        let rate = Rate::per_second(100);
        let schedule = Schedule::uniform(rate, Nanos::ZERO, Some(SECOND), Some(25));
        assert_eq!(schedule.count(), 25);
        assert_eq!(schedule.end(), Nanos::from_millis(250));
        let schedule = Schedule::uniform(rate, Nanos::ZERO, Some(SECOND), Some(1_000));
        assert_eq!(schedule.count(), 100);
        assert_eq!(schedule.end(), SECOND);
        let schedule = Schedule::uniform(rate, Nanos::ZERO, None, Some(1_000));
        assert_eq!(schedule.end(), Nanos::from_secs(10));
    }
}
