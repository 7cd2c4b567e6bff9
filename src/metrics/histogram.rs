//! Latency distributions: HdrHistogram in nanoseconds, three significant digits, up to an hour.
//!
//! [`Histogram`] is what a worker records into. [`Distribution`] is what a report shows: the same,
//! with the censored samples ranked above every good one.

use std::sync::LazyLock;

use hdrhistogram::Histogram as Hdr;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

use crate::time::Nanos;

/// The longest time that is told apart; longer ones are recorded as this and counted.
pub const LONGEST: Nanos = Nanos::from_secs(3600);

/// Samples above a quantile without which it is not shown.
pub const SUPPORT: u64 = 5;

/// A distribution of times. Its room is made with the first sample, or before ([`reserved`]): most
/// of a run's histograms are never used.
///
/// [`reserved`]: Histogram::reserved
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    hdr: Option<Hdr<u64>>,
    saturated: u64,
    /// Two significant digits are enough for it.
    is_coarse: bool,
}

impl Histogram {
    /// One with its room made, for those who must not allocate when they record.
    pub fn reserved() -> Histogram {
        Histogram { hdr: Some(room(DIGITS)), ..Histogram::default() }
    }

    /// Recording allocates nothing.
    #[cfg(test)]
    pub fn has_room(&self) -> bool {
        self.hdr.is_some()
    }

    /// One of many, which are to take an eighth of the memory: with two significant digits.
    pub fn coarse() -> Histogram {
        Histogram { is_coarse: true, ..Histogram::default() }
    }

    #[inline]
    pub fn record(&mut self, time: Nanos) {
        self.record_many(time, 1);
    }

    #[inline]
    pub fn record_many(&mut self, time: Nanos, count: u64) {
        if time > LONGEST {
            self.saturated += count;
        }
        let digits = if self.is_coarse { COARSE } else { DIGITS };
        self.hdr.get_or_insert_with(|| room(digits)).saturating_record_n(time.0, count);
    }

    pub fn count(&self) -> u64 {
        self.hdr().len()
    }

    pub fn is_empty(&self) -> bool {
        self.hdr().is_empty()
    }

    /// How many samples were longer than [`LONGEST`].
    pub fn saturated(&self) -> u64 {
        self.saturated
    }

    pub fn min(&self) -> Nanos {
        Nanos(self.hdr().min())
    }

    pub fn max(&self) -> Nanos {
        Nanos(self.hdr().max())
    }

    pub fn mean(&self) -> Nanos {
        Nanos(self.hdr().mean() as u64)
    }

    pub fn stdev(&self) -> Nanos {
        Nanos(self.hdr().stdev() as u64)
    }

    /// The smallest recorded time that at least a share `q` of the samples does not exceed.
    /// Zero when there are none.
    pub fn quantile(&self, q: f64) -> Nanos {
        Nanos(self.hdr().value_at_quantile(q))
    }

    /// The same, or `None` where fewer than [`SUPPORT`] samples lie above it.
    pub fn supported_quantile(&self, q: f64) -> Option<Nanos> {
        is_supported(self.count(), q).then(|| self.quantile(q))
    }

    /// The time of the `rank`-th smallest sample, counted from 1, as [`Histogram::quantile`] would
    /// give it; `None` where there is no such sample. Counts in integers: a rank that goes through
    /// a share of a billion samples and back comes out one too high now and then.
    pub fn value_at_rank(&self, rank: u64) -> Option<Nanos> {
        let mut below = 0;
        let reached = |(time, count): (Nanos, u64)| {
            below += count;
            (below >= rank).then_some(time)
        };
        if rank == 0 { None } else { self.recorded().find_map(reached) }
    }

    pub fn add(&mut self, other: &Histogram) {
        if other.is_empty() {
            return;
        }
        self.saturated += other.saturated;
        // All have the same bounds, so the sum always fits.
        let sum = self.hdr.get_or_insert_with(|| Hdr::new_from(other.hdr())).add(other.hdr());
        debug_assert!(sum.is_ok());
    }

    /// Takes away what was added; the audit would tell of more than that.
    pub fn remove(&mut self, other: &Histogram) {
        if let Some(hdr) = &mut self.hdr
            && !other.is_empty()
        {
            self.saturated = self.saturated.saturating_sub(other.saturated);
            let _ = hdr.subtract(other.hdr());
        }
    }

    /// Keeps the room.
    pub fn clear(&mut self) {
        if let Some(hdr) = &mut self.hdr
            && !hdr.is_empty()
        {
            hdr.reset();
            self.saturated = 0;
        }
    }

    /// HdrHistogram's correction for coordinated omission: beside each sample longer than the
    /// interval, samples shorter than it by one interval, by two ... down to the interval itself.
    ///
    /// Counts down from the lower end of a sample's bucket. `Hdr::clone_correct` starts from the
    /// upper end, which is late by up to a thousandth: many intervals, where they are short.
    pub fn corrected(&self, interval: Nanos) -> Histogram {
        let mut hdr = Hdr::new_from(self.hdr());
        for step in self.hdr().iter_recorded() {
            let value = self.hdr().lowest_equivalent(step.value_iterated_to());
            // The bounds are the same, so every value fits.
            let added = hdr.record_n_correct(value, step.count_at_value(), interval.0);
            debug_assert!(added.is_ok());
        }
        Histogram { hdr: Some(hdr), saturated: self.saturated, is_coarse: self.is_coarse }
    }

    /// The recorded times, in order, each with its count.
    pub fn recorded(&self) -> impl Iterator<Item = (Nanos, u64)> + '_ {
        self.hdr()
            .iter_recorded()
            .map(|step| (Nanos(step.value_iterated_to()), step.count_since_last_iteration()))
    }

    /// V2 + DEFLATE, as HdrHistogram's interval logs hold it (before base64).
    pub fn serialised(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to memory cannot fail, and every count fits the format's 63 bits.
        let written = V2DeflateSerializer::new().serialize(self.hdr(), &mut bytes);
        debug_assert!(written.is_ok());
        bytes
    }

    /// What [`Histogram::serialised`] gave; `None`: these bytes hold no histogram.
    pub fn deserialised(bytes: &[u8]) -> Option<Histogram> {
        let hdr = Deserializer::new().deserialize(&mut &bytes[..]).ok()?;
        Some(Histogram { hdr: Some(hdr), ..Histogram::default() })
    }

    /// The crate's own, for its writers; all zero while there is no room for any.
    pub fn hdr(&self) -> &Hdr<u64> {
        self.hdr.as_ref().unwrap_or(&EMPTY)
    }
}

/// Significant digits, and those of a coarse one.
const DIGITS: u8 = 3;
const COARSE: u8 = 2;

static EMPTY: LazyLock<Hdr<u64>> = LazyLock::new(|| room(DIGITS));

/// About 280 KB; with two digits 36 KB.
fn room(digits: u8) -> Hdr<u64> {
    let hdr = Hdr::new_with_bounds(1, LONGEST.0, digits);
    hdr.expect("1 ns to one hour at 2 or 3 digits are valid bounds")
}

/// Whether so many samples say something of the quantile `q`.
pub fn is_supported(count: u64, q: f64) -> bool {
    count > 0 && above(count, q) >= SUPPORT
}

/// How many of `count` samples lie above the quantile `q`.
fn above(count: u64, q: f64) -> u64 {
    // A hair of tolerance: 1 - 0.999 is a little more than a thousandth in binary.
    ((1.0 - q) * count as f64 + 1e-6) as u64
}

/// A value read off a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    Exact(Nanos),
    /// It fell among the censored samples: the truth is this or more.
    AtLeast(Nanos),
}

impl Reading {
    pub fn value(self) -> Nanos {
        match self {
            Reading::Exact(value) | Reading::AtLeast(value) => value,
        }
    }
}

/// All samples of a summary's row. Censored ones (rejected, failed, abandoned, dropped) rank
/// above every good one, each at `max(slowest good, its age)`: an error, and least of all a fast
/// one, cannot make a quantile look better.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    all: Histogram,
    good: u64,
}

impl Distribution {
    /// One without censored samples.
    pub fn of(good: Histogram) -> Distribution {
        Distribution { good: good.count(), all: good }
    }

    /// One that is ranked already: of the samples above the first `good` only a lower bound is
    /// known.
    pub fn bounded(all: Histogram, good: u64) -> Distribution {
        Distribution { good: good.min(all.count()), all }
    }

    pub fn ranked(good: &Histogram, censored: &Histogram) -> Distribution {
        let slowest = good.max();
        let mut all = Histogram::default();
        all.add(good);
        for (age, count) in censored.recorded() {
            all.record_many(age.max(slowest), count);
        }
        Distribution { all, good: good.count() }
    }

    pub fn count(&self) -> u64 {
        self.all.count()
    }

    pub fn good(&self) -> u64 {
        self.good
    }

    pub fn censored(&self) -> u64 {
        self.count() - self.good
    }

    /// The share of the samples whose value is known: quantiles up to it are exact.
    pub fn exact_up_to(&self) -> f64 {
        if self.count() == 0 { 1.0 } else { self.good as f64 / self.count() as f64 }
    }

    /// The quantile, or `None` where the sample cannot support it.
    pub fn quantile(&self, q: f64) -> Option<Reading> {
        let value = self.all.supported_quantile(q)?;
        let rank = (q * self.count() as f64 - 1e-6).ceil() as u64;
        Some(self.reading(value, rank <= self.good))
    }

    pub fn max(&self) -> Option<Reading> {
        (self.count() > 0).then(|| self.reading(self.all.max(), self.censored() == 0))
    }

    /// The least of all is a good one's, if there is any.
    pub fn min(&self) -> Option<Reading> {
        (self.count() > 0).then(|| self.reading(self.all.min(), self.good > 0))
    }

    pub fn mean(&self) -> Option<Reading> {
        (self.count() > 0).then(|| self.reading(self.all.mean(), self.censored() == 0))
    }

    /// The histogram of all samples, ranked as described.
    pub fn histogram(&self) -> &Histogram {
        &self.all
    }

    fn reading(&self, value: Nanos, exact: bool) -> Reading {
        if exact { Reading::Exact(value) } else { Reading::AtLeast(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(samples: &[(u64, u64)]) -> Histogram {
        let mut histogram = Histogram::default();
        for (micros, count) in samples {
            histogram.record_many(Nanos::from_micros(*micros), *count);
        }
        histogram
    }

    /// Three digits: within a thousandth.
    fn close(reading: Option<Reading>, micros: u64) -> bool {
        let value = reading.expect("supported").value().as_micros_f64();
        (value - micros as f64).abs() <= micros as f64 / 1000.0
    }

    #[test]
    fn a_coarse_one_takes_an_eighth_and_keeps_two_digits_in_a_sum() {
        let (mut one, mut sum) = (Histogram::coarse(), Histogram::default());
        for time in [Nanos(1_234_567), Nanos(99_999_999_999), Nanos(7)] {
            one.record(time);
        }
        sum.add(&one);
        sum.add(&one);
        assert_eq!(sum.count(), 6);
        let near = |quantile: f64, time: u64| {
            let found = sum.quantile(quantile).0 as f64;
            assert!((found / time as f64 - 1.0).abs() < 0.01, "{found}, not {time}");
        };
        near(0.5, 1_234_567);
        near(1.0, 99_999_999_999);
        let room = |histogram: &Histogram| histogram.hdr().distinct_values();
        assert!(room(&sum) * 7 < room(&Histogram::reserved()));
    }

    #[test]
    fn merging_is_the_histogram_of_all_samples_not_the_mean_of_quantiles() {
        let mut fast = histogram(&[(100, 990), (200, 10)]);
        let slow = histogram(&[(10_000, 1000)]);
        fast.add(&slow);
        let merged = Distribution::of(fast);
        assert!(close(merged.quantile(0.50), 200));
        assert!(close(merged.quantile(0.51), 10_000));
    }

    #[test]
    fn a_fast_error_ranks_above_every_good_answer() {
        let distribution =
            Distribution::ranked(&histogram(&[(1_000, 900)]), &histogram(&[(1, 100)]));
        assert!(matches!(distribution.quantile(0.5), Some(Reading::Exact(_))));
        assert!(matches!(distribution.quantile(0.9), Some(Reading::Exact(_))));
        let p95 = distribution.quantile(0.95);
        assert!(matches!(p95, Some(Reading::AtLeast(_))));
        assert!(close(p95, 1_000));
        assert_eq!(distribution.exact_up_to(), 0.9);
        assert_eq!(distribution.censored(), 100);
    }

    #[test]
    fn one_percent_unanswered_puts_the_timeout_at_the_tail() {
        let distribution =
            Distribution::ranked(&histogram(&[(10_000, 9_900)]), &histogram(&[(1_000_000, 100)]));
        assert!(close(distribution.quantile(0.99), 10_000));
        assert!(close(distribution.quantile(0.995), 1_000_000));
        assert!(matches!(distribution.quantile(0.995), Some(Reading::AtLeast(_))));
        assert!(matches!(distribution.max(), Some(Reading::AtLeast(_))));
    }

    #[test]
    fn a_quantile_without_five_samples_above_it_is_not_given() {
        let thousand = Distribution::of(histogram(&[(1, 1_000)]));
        assert!(thousand.quantile(0.99).is_some());
        assert!(thousand.quantile(0.995).is_some());
        assert!(thousand.quantile(0.999).is_none());
        assert!(Distribution::of(histogram(&[(1, 5_000)])).quantile(0.999).is_some());
        assert!(Distribution::of(histogram(&[(1, 4_999)])).quantile(0.999).is_none());
        assert!(Distribution::default().quantile(0.5).is_none());
    }

    #[test]
    fn the_sample_at_a_rank_is_found_where_a_share_would_miss_it() {
        let n = 1_000_000_000;
        // A rank that does not survive the way through a share and back.
        let astray = |rank: &u64| (*rank as f64 / n as f64 * n as f64).ceil() as u64 != *rank;
        let rank = (n / 2..n).find(astray).expect("there are many");
        let split = histogram(&[(1_000, rank), (9_000, n - rank)]);
        assert!(split.quantile(rank as f64 / n as f64) > Nanos::from_micros(8_900));
        let value = |rank| split.value_at_rank(rank).map(|time| time > Nanos::from_micros(8_900));
        assert_eq!((value(0), value(1), value(rank)), (None, Some(false), Some(false)));
        assert_eq!((value(rank + 1), value(n), value(n + 1)), (Some(true), Some(true), None));
        assert_eq!(Histogram::default().value_at_rank(1), None);
    }

    #[test]
    fn the_sample_at_a_rank_is_the_quantile_there() {
        let histogram = histogram(&[(1_234, 50), (2_345, 40), (3_456, 10)]);
        for (rank, q) in [(50, 0.5), (51, 0.51), (90, 0.9), (91, 0.91), (100, 1.0)] {
            assert_eq!(histogram.value_at_rank(rank), Some(histogram.quantile(q)), "{rank}");
        }
    }

    #[test]
    fn no_sample_is_lost_at_either_end_of_the_range() {
        let mut histogram = Histogram::default();
        histogram.record(Nanos(200));
        histogram.record(Nanos::ZERO);
        histogram.record(Nanos::from_secs(200));
        assert_eq!(histogram.saturated(), 0);
        histogram.record(Nanos::from_secs(4_000));
        assert_eq!((histogram.count(), histogram.saturated()), (4, 1));
        assert!(histogram.max() >= LONGEST);
    }
}
