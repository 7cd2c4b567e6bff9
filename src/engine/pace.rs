//! The pace of a closed loop that is not to send more than so many a second: when the next request
//! may be sent at the earliest.
//!
//! Worker `w` of `W` may send its k-th (from 0) no earlier than `origin + (k W + w) / rate`, so that
//! all of them together keep to the rate exactly and none knows of the others. Time that nobody
//! used, as the answers were slower than the pace, is lost but for the last [`CREDIT`]: what a
//! server could not take is not thrown at it later.

use crate::plan::Rate;
use crate::time::Nanos;

/// Longer than a worker is kept waiting for its core on a busy host, so that such waits cost no
/// request (with 10 ms, a host whose cores were asked for five times over lost 9 % of 1,000/s); and
/// short beside the second that a rate is told by. The whole run never has more than the rate.
const CREDIT: Nanos = Nanos::from_millis(100);

#[derive(Clone, Debug)]
pub struct Pace {
    rate: Rate,
    worker: u64,
    workers: u64,
    /// The zero of the numbers below; moved on where time was lost.
    origin: Nanos,
    /// Sent since then.
    count: u64,
    next_at: Nanos,
}

impl Pace {
    pub fn new(rate: Rate, worker: usize, workers: usize) -> Pace {
        let (worker, workers) = (worker as u64, workers as u64);
        Pace { rate, worker, workers, origin: Nanos::ZERO, count: 0, next_at: Nanos::MAX }
    }

    pub fn start(&mut self, origin: Nanos) {
        (self.origin, self.count) = (origin, 0);
        self.next_at = origin + self.offset();
    }

    #[inline]
    pub fn next_at(&self) -> Nanos {
        self.next_at
    }

    /// Whether one may be sent at `now`; it is then.
    #[inline]
    pub fn passes(&mut self, now: Nanos) -> bool {
        if now < self.next_at {
            return false;
        }
        let unused = (now - self.next_at) - CREDIT;
        self.origin += unused;
        self.count += 1;
        self.next_at = self.origin + self.offset();
        true
    }

    fn offset(&self) -> Nanos {
        let number = u128::from(self.count) * u128::from(self.workers) + u128::from(self.worker);
        let nanos = (number * u128::from(self.rate.period.0)).div_ceil(self.rate.count.into());
        Nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Nanos = Nanos::from_secs(9);

    /// The instants at which all workers send whose connections are always free.
    fn sent(rate: Rate, workers: usize, length: Nanos) -> Vec<Nanos> {
        let mut sent = Vec::new();
        for worker in 0..workers {
            let mut pace = Pace::new(rate, worker, workers);
            pace.start(ORIGIN);
            while pace.next_at() < ORIGIN + length {
                sent.push(pace.next_at() - ORIGIN);
                let at = pace.next_at();
                assert!(pace.passes(at));
            }
        }
        sent.sort_unstable();
        sent
    }

    #[test]
    fn the_workers_together_send_exactly_the_rate_whatever_their_number() {
        for workers in [1, 2, 3, 7] {
            let all = sent(Rate::per_second(997), workers, Nanos::from_secs(10));
            assert_eq!(all.len(), 9_970, "{workers} workers");
            for (k, at) in (0u64..).zip(&all) {
                assert_eq!(at.0, (k * 1_000_000_000).div_ceil(997), "{workers} workers, {k}");
            }
        }
    }

    #[test]
    fn what_was_not_used_is_lost_but_for_a_moment() {
        let mut pace = Pace::new(Rate::per_second(1_000), 0, 1);
        pace.start(ORIGIN);
        assert!(!pace.passes(ORIGIN - Nanos(1)));
        // It is a second late: a hundred of them may follow at once, and not a thousand.
        let late = ORIGIN + Nanos::from_secs(1);
        let at_once = std::iter::from_fn(|| pace.passes(late).then_some(())).count();
        assert_eq!(at_once, 101);
        assert!(pace.next_at() > late);
    }
}
