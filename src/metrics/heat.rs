//! The times of one interval in a few buckets: what a heat map is drawn from.
//!
//! The buckets are the same for every run, so that intervals, and runs, can be added and compared.
//! Six a decade, at the steps of the E6 series (1, 1.5, 2.2, 3.3, 4.7, 6.8): each is half again as
//! long as the one before, whole decades fall on bounds and so on the marks of a log axis, and a
//! run whose times span five decades uses thirty.

use super::Histogram;
use crate::time::Nanos;

/// Below a microsecond; nine decades of six; from a thousand seconds on.
pub const BUCKETS: usize = 2 + 9 * STEPS.len();

/// Where each bucket begins; it ends, exclusive, where the next one begins.
pub const BOUNDS: [Nanos; BUCKETS] = bounds();

const STEPS: [u64; 6] = [10, 15, 22, 33, 47, 68];

/// A tenth of the first bound, in ns.
const FIRST: u64 = 100;

const fn bounds() -> [Nanos; BUCKETS] {
    let mut bounds = [Nanos(0); BUCKETS];
    let mut at = 1;
    while at < BUCKETS {
        let decade = 10u64.pow(((at - 1) / STEPS.len()) as u32);
        bounds[at] = Nanos(STEPS[(at - 1) % STEPS.len()] * FIRST * decade);
        at += 1;
    }
    bounds
}

/// How many times fell into each bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heat([u64; BUCKETS]);

impl Heat {
    /// Of times to the three digits that a histogram keeps: one that lies on a bound to within
    /// them may be counted on its other side.
    pub fn of(times: &Histogram) -> Heat {
        let mut heat = Heat::default();
        for (time, count) in times.recorded() {
            heat.0[bucket(time)] += count;
        }
        heat
    }

    pub fn add(&mut self, other: &Heat) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }

    /// The buckets that are in use, in order, each with its count.
    pub fn used(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.0.iter().copied().enumerate().filter(|(_, count)| *count > 0)
    }

    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl Default for Heat {
    fn default() -> Heat {
        Heat([0; BUCKETS])
    }
}

fn bucket(time: Nanos) -> usize {
    // At least 1: the first bound is 0.
    BOUNDS.partition_point(|bound| *bound <= time) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_rise_by_half_and_meet_every_decade() {
        assert!(BOUNDS.is_sorted() && BOUNDS[0] == Nanos::ZERO);
        for pair in BOUNDS[1..].windows(2) {
            let by = pair[1].0 as f64 / pair[0].0 as f64;
            assert!((1.42..1.51).contains(&by), "{pair:?}");
        }
        for power in 0..=9 {
            assert!(BOUNDS.contains(&Nanos(1_000 * 10u64.pow(power))), "{power}");
        }
        assert_eq!(BOUNDS[BUCKETS - 1], Nanos::from_secs(1_000));
    }

    #[test]
    fn a_time_falls_between_its_bucket_s_bounds() {
        for (ns, expected) in [
            (0, 0),
            (999, 0),
            (1_000, 1),
            (1_499, 1),
            (1_500, 2),
            (10_000, 7),
            (999_999_999_999, BUCKETS - 2),
            (1_000_000_000_000, BUCKETS - 1),
            (u64::MAX, BUCKETS - 1),
        ] {
            assert_eq!(bucket(Nanos(ns)), expected, "{ns}");
        }
    }

    #[test]
    fn no_time_is_lost_and_sums_are_those_of_all_times() {
        let mut times = Histogram::default();
        let each = [0, 700, 41_000, 66_000, 66_000, 5_480_000, 10_000_000_000, 4_000_000_000_000];
        each.iter().for_each(|ns| times.record(Nanos(*ns)));
        let mut heat = Heat::of(&times);
        assert_eq!(heat.count(), 8);
        assert_eq!(heat.used().count(), 6);
        heat.add(&Heat::of(&times));
        assert_eq!(heat.count(), 16);
        assert!(heat.used().all(|(_, count)| count == 2 || count == 4));
        assert_eq!(Heat::of(&Histogram::default()).used().count(), 0);
    }
}
