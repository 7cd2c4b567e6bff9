//! A distribution that only grows, in the two forms that Prometheus knows: counts at or below a few
//! fixed times (classic), and counts in many slots that are each a little wider than the one before
//! (native, or exponential).
//!
//! What came to nothing good has no time that would do it justice: it stands above every bound, so
//! that an error can make no percentile look better. Its time until the end is in the sum.

use std::collections::BTreeMap;

use crate::metrics::Histogram;
use crate::time::Nanos;

/// The bounds of the classic form, 100 us to 60 s.
pub const BOUNDS: [Nanos; 18] = [
    Nanos::from_micros(100),
    Nanos::from_micros(200),
    Nanos::from_micros(500),
    Nanos::from_millis(1),
    Nanos::from_millis(2),
    Nanos::from_millis(5),
    Nanos::from_millis(10),
    Nanos::from_millis(20),
    Nanos::from_millis(50),
    Nanos::from_millis(100),
    Nanos::from_millis(200),
    Nanos::from_millis(500),
    Nanos::from_secs(1),
    Nanos::from_secs(2),
    Nanos::from_secs(5),
    Nanos::from_secs(10),
    Nanos::from_secs(30),
    Nanos::from_secs(60),
];

/// 2^4 slots of the native form between a time and its double: 4.4 % each.
pub const SCHEMA: i32 = 4;

/// The slot of what is infinite: one past that of the largest float, which is under 2^1024.
const ABOVE_ALL: i32 = (1024 << SCHEMA) + 1;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets {
    /// At or below each bound and above the one before; the last: above all of them.
    counts: [u64; BOUNDS.len() + 1],
    /// By slot; slot `i` ends at 2^(i / 2^SCHEMA) seconds.
    slots: BTreeMap<i32, u64>,
    /// In no slot: they took no time.
    zero: u64,
    sum_ns: u128,
}

/// Slots as they are written: stretches of neighbours, and each count less the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Native {
    /// The gap before the stretch (of the first: its slot), and its length.
    pub spans: Vec<(i32, u32)>,
    pub deltas: Vec<i64>,
    pub zero: u64,
}

impl Buckets {
    /// Times of what went well. They are the upper ends of their slots, a thousandth too long at
    /// the most.
    pub fn add(&mut self, times: &Histogram) {
        self.add_sum(times);
        for (time, count) in times.recorded() {
            self.counts[BOUNDS.partition_point(|bound| *bound < time)] += count;
            match time {
                Nanos::ZERO => self.zero += count,
                time => *self.slots.entry(slot(time)).or_default() += count,
            }
        }
    }

    /// Times until it was known that nothing good comes.
    pub fn add_above_all(&mut self, times: &Histogram) {
        if times.is_empty() {
            return;
        }
        self.add_sum(times);
        self.counts[BOUNDS.len()] += times.count();
        *self.slots.entry(ABOVE_ALL).or_default() += times.count();
    }

    fn add_sum(&mut self, times: &Histogram) {
        self.sum_ns += u128::from(times.mean().0) * u128::from(times.count());
    }

    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub fn sum_s(&self) -> f64 {
        self.sum_ns as f64 / 1e9
    }

    /// Each bound in seconds with what lies between it and the one before; the last is infinite.
    pub fn classic(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS.iter().map(|bound| bound.as_secs_f64()).chain([f64::INFINITY]);
        bounds.zip(self.counts).collect()
    }

    pub fn native(&self) -> Native {
        let mut native = Native { zero: self.zero, ..Native::default() };
        let (mut next, mut before) = (0, 0);
        for (slot, count) in &self.slots {
            match native.spans.last_mut() {
                Some((_, length)) if *slot == next => *length += 1,
                _ => native.spans.push((slot - next, 1)),
            }
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            native.deltas.push(count - before);
            (next, before) = (slot + 1, count);
        }
        native
    }
}

/// The one whose upper end is the first at or above `time`.
fn slot(time: Nanos) -> i32 {
    (time.as_secs_f64().log2() * f64::from(1 << SCHEMA)).ceil() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(of: &[(Nanos, u64)]) -> Histogram {
        let mut histogram = Histogram::default();
        of.iter().for_each(|(time, count)| histogram.record_many(*time, *count));
        histogram
    }

    #[test]
    fn each_time_is_below_the_bounds_that_it_is_below() {
        let mut buckets = Buckets::default();
        let some = [(Nanos(99_000), 3), (Nanos::from_millis(3), 2), (Nanos::from_secs(70), 1)];
        buckets.add(&times(&some));
        let counted: Vec<_> =
            buckets.classic().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [(0.0001, 3), (0.005, 2), (f64::INFINITY, 1)]);
        assert_eq!(buckets.count(), 6);
        let sum = 3.0 * 99e-6 + 2.0 * 3e-3 + 70.0;
        assert!((buckets.sum_s() / sum - 1.0).abs() < 0.001, "{}", buckets.sum_s());
    }

    #[test]
    fn what_failed_fast_is_slower_than_anything() {
        let mut buckets = Buckets::default();
        buckets.add_above_all(&times(&[(Nanos(5_000), 4)]));
        buckets.add_above_all(&Histogram::default());
        assert_eq!(buckets.classic().last(), Some(&(f64::INFINITY, 4)));
        assert_eq!(buckets.native().spans, [(ABOVE_ALL, 1)]);
        assert!((buckets.sum_s() - 20e-6).abs() < 1e-7);
    }

    #[test]
    fn a_slot_ends_where_the_specification_says() {
        for exponent in -20..6 {
            // A power of two is the end of its slot, and what is longer is in the next.
            let end = (2f64.powi(exponent) * 1e9).floor() as u64;
            assert_eq!(slot(Nanos(end)), exponent << SCHEMA, "2^{exponent}");
            assert_eq!(slot(Nanos(end + end / 100)), (exponent << SCHEMA) + 1, "2^{exponent}");
        }
    }

    #[test]
    fn spans_and_differences_give_the_slots_back() {
        let mut buckets = Buckets::default();
        let some = [(1, 5), (100, 7), (103, 1), (106, 4), (5_000, 2)];
        let some = some.map(|(micros, count)| (Nanos::from_micros(micros), count));
        buckets.add(&times(&some));
        buckets.add(&times(&[(Nanos::ZERO, 9)]));
        let native = buckets.native();
        let (mut slots, mut at, mut count) = (BTreeMap::new(), 0, 0);
        let mut deltas = native.deltas.iter();
        for (gap, length) in &native.spans {
            at += gap;
            for _ in 0..*length {
                count += deltas.next().unwrap();
                slots.insert(at, count as u64);
                at += 1;
            }
        }
        assert_eq!(deltas.next(), None);
        assert_eq!((slots, native.zero), (buckets.slots, 9));
        assert!(native.spans.len() < native.deltas.len(), "neighbours share a span");
    }
}
