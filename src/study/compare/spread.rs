//! How much the seconds of a run differ, read off its document: by what factor the variance of a
//! quantile, of the mean or of a share is greater than that of independent requests.
//!
//! A second says two things of its response times: its own median and p99, to three digits; and
//! how many of them fell into each of the heat map's buckets, which are coarse. Where a second's
//! own quantile falls in the distribution of the whole run, and which share of the second lies
//! below the run's quantile, differ from second to second as much as each other. The greater of
//! what the two say counts.

use crate::metrics::Histogram;
use crate::report::Document;
use crate::report::document::Interval;
use crate::study::statistics::{design_effect, student, variance_of_sum};
use crate::time::Nanos;

/// Fewer seconds say nothing of how they differ.
const LEAST: usize = 3;

/// A second with fewer requests has no median to speak of.
const LEAST_OF_A_MEDIAN: f64 = 30.0;

/// An interval that is shorter than this share of the others was cut off.
const WHOLE: f64 = 0.95;

/// Up to this quantile the medians of the seconds count, and from this one on their p99.
const MEDIANS_UP_TO: f64 = 0.95;
const P99_FROM: f64 = 0.9;

pub struct Spread<'a> {
    /// The whole intervals of measure.
    pub seconds: Vec<&'a Interval>,
    /// The bounds of the buckets, in ns.
    bounds: &'a [f64],
    cumulative: Cumulative,
    of_medians: f64,
    of_p99: f64,
    of_mean: f64,
}

impl<'a> Spread<'a> {
    /// `stdev_us`: of all response times.
    pub fn of(document: &'a Document, response: &Histogram) -> Spread<'a> {
        let cumulative = Cumulative::of(response);
        let seconds = seconds(document);
        let bounds = &document.heat_bounds_us[..];
        let mut spread =
            Spread { seconds, bounds, cumulative, of_medians: 1.0, of_p99: 1.0, of_mean: 1.0 };
        spread.of_medians = spread.of_own(0.5, |second| second.response_p50_us);
        spread.of_p99 = spread.of_own(0.99, |second| second.response_p99_us);
        spread.of_mean = spread.of_means(document.latency.response.stdev_us.unwrap_or(0.0));
        spread
    }

    /// Whether there were seconds enough to see.
    pub fn is_known(&self) -> bool {
        self.seconds.len() >= LEAST
    }

    /// How many standard deviations an interval of 95 % reaches.
    pub fn reach(&self) -> f64 {
        student(if self.is_known() { self.seconds.len() - 1 } else { 0 })
    }

    pub fn of_quantile(&self, q: f64) -> f64 {
        let medians = if q <= MEDIANS_UP_TO { self.of_medians } else { 1.0 };
        let p99 = if q >= P99_FROM { self.of_p99 } else { 1.0 };
        medians.max(p99).max(self.of_heat(q))
    }

    /// By what factor the median may be off, from how the medians of the seconds differ (batch
    /// quantiles, on a scale of logarithms). `None`: too few requests in a second.
    pub fn factor_of_medians(&self) -> Option<f64> {
        let log = |second: &&Interval| {
            let is_median = ended(second) >= LEAST_OF_A_MEDIAN;
            Some(second.response_p50_us.filter(|us| is_median && *us > 0.0)?.ln())
        };
        let logs: Vec<f64> = self.seconds.iter().map(log).collect::<Option<_>>()?;
        if logs.len() < LEAST {
            return None;
        }
        let count = logs.len() as f64;
        let mean = logs.iter().sum::<f64>() / count;
        let off: Vec<f64> = logs.iter().map(|log| log - mean).collect();
        Some((self.reach() * variance_of_sum(&off).sqrt() / count).exp())
    }

    pub fn of_mean(&self) -> f64 {
        self.of_mean.max(self.of_medians)
    }

    /// Of the share of requests that were errors.
    pub fn of_errors(&self) -> f64 {
        let ended = |second: &&Interval| {
            let errors = second.rejected + second.failed + second.dropped;
            let all = second.good + errors;
            (all > 0).then(|| (all as f64, errors as f64 / all as f64))
        };
        let seconds: Vec<_> = self.seconds.iter().filter_map(ended).collect();
        let all: f64 = seconds.iter().map(|(all, _)| all).sum();
        let share = seconds.iter().map(|(all, share)| all * share).sum::<f64>() / all.max(1.0);
        self.effect(&seconds, share * (1.0 - share))
    }

    fn effect(&self, seconds: &[(f64, f64)], variance: f64) -> f64 {
        if seconds.len() < LEAST { 1.0 } else { design_effect(seconds, variance) }
    }

    /// By where the seconds' own quantile lies in the whole run.
    fn of_own(&self, q: f64, own: fn(&Interval) -> Option<f64>) -> f64 {
        let place = |second: &&Interval| {
            let time = own(second)? * 1e3;
            Some((ended(second), self.cumulative.amid(time)))
        };
        let seconds: Vec<_> = self.seconds.iter().filter_map(place).collect();
        self.effect(&seconds, q * (1.0 - q))
    }

    /// By the share of each second that lies below the run's quantile.
    fn of_heat(&self, q: f64) -> f64 {
        let time = self.cumulative.quantile(q);
        let Some(bucket) = self.bounds.iter().rposition(|bound| bound * 1e3 <= time) else {
            return 1.0;
        };
        let below = |bound: Option<&f64>| bound.map_or(1.0, |us| self.cumulative.below(us * 1e3));
        let (from, to) = (below(self.bounds.get(bucket)), below(self.bounds.get(bucket + 1)));
        // The share of the bucket that lies below it in the whole run.
        let part = if to > from { ((q - from) / (to - from)).clamp(0.0, 1.0) } else { 1.0 };
        let share = |second: &&Interval| {
            let heat = &second.heat.0;
            let all: u64 = heat.iter().map(|(_, count)| count).sum();
            let of = |(at, count): &(usize, u64)| match *at {
                at if at < bucket => *count as f64,
                at if at == bucket => *count as f64 * part,
                _ => 0.0,
            };
            (all > 0).then(|| (all as f64, heat.iter().map(of).sum::<f64>() / all as f64))
        };
        let seconds: Vec<_> = self.seconds.iter().filter_map(share).collect();
        self.effect(&seconds, q * (1.0 - q))
    }

    /// By the means of the seconds, each bucket at its mean in the whole run.
    fn of_means(&self, stdev_us: f64) -> f64 {
        let bounds = self.bounds.iter().map(|us| us * 1e3);
        let means = self.cumulative.means(bounds);
        let mean = |second: &&Interval| {
            let heat = &second.heat.0;
            let all: u64 = heat.iter().map(|(_, count)| count).sum();
            let of = |(at, count): &(usize, u64)| *count as f64 * means.get(*at).unwrap_or(&0.0);
            (all > 0).then(|| (all as f64, heat.iter().map(of).sum::<f64>() / all as f64))
        };
        let seconds: Vec<_> = self.seconds.iter().filter_map(mean).collect();
        self.effect(&seconds, (stdev_us * 1e3).powi(2))
    }
}

fn ended(second: &Interval) -> f64 {
    (second.good + second.rejected + second.failed + second.dropped) as f64
}

/// Those of measure that have their full length.
fn seconds(document: &Document) -> Vec<&Interval> {
    let mut before = 0.0;
    let mut seconds = Vec::new();
    for interval in &document.intervals {
        let length = interval.t_s - before;
        before = interval.t_s;
        if interval.phase == "measure" && length >= WHOLE * document.interval_s {
            seconds.push(interval);
        }
    }
    seconds
}

/// All samples of a run: each time in ns, and how many are not above it.
struct Cumulative {
    steps: Vec<(f64, f64)>,
    count: f64,
}

impl Cumulative {
    fn of(histogram: &Histogram) -> Cumulative {
        let mut count = 0;
        let steps = histogram.recorded().map(|(Nanos(time), more)| {
            count += more;
            (time as f64, count as f64)
        });
        Cumulative { steps: steps.collect(), count: histogram.count().max(1) as f64 }
    }

    /// How many lie below the `at`-th step.
    fn before(&self, at: usize) -> f64 {
        at.checked_sub(1).map_or(0.0, |at| self.steps[at].1)
    }

    /// The share of the samples below a time, and half of those at it.
    fn amid(&self, time: f64) -> f64 {
        let at = self.steps.partition_point(|(step, _)| *step < time);
        let upto = self.steps.get(at).filter(|(step, _)| *step == time);
        let below = self.before(at);
        (below + upto.map_or(below, |(_, upto)| *upto)) / 2.0 / self.count
    }

    fn below(&self, time: f64) -> f64 {
        self.before(self.steps.partition_point(|(step, _)| *step < time)) / self.count
    }

    fn quantile(&self, q: f64) -> f64 {
        let at = self.steps.partition_point(|(_, upto)| *upto < q * self.count - 1e-6);
        self.steps.get(at).or(self.steps.last()).map_or(0.0, |(time, _)| *time)
    }

    /// The mean of the samples from each of these bounds up to the next.
    fn means(&self, bounds: impl Iterator<Item = f64>) -> Vec<f64> {
        let starts: Vec<usize> =
            bounds.map(|bound| self.steps.partition_point(|(time, _)| *time < bound)).collect();
        let ends = starts.iter().skip(1).copied().chain([self.steps.len()]);
        let mean = |(from, to): (&usize, usize)| {
            let sum: f64 =
                (*from..to).map(|at| self.steps[at].0 * (self.steps[at].1 - self.before(at))).sum();
            let count = self.before(to) - self.before(*from);
            if count > 0.0 { sum / count } else { 0.0 }
        };
        starts.iter().zip(ends).map(mean).collect()
    }
}
