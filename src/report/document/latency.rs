//! The distributions, in microseconds to the nanosecond.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::metrics::confidence::{self, Ranks};
use crate::metrics::{Backfill, Distribution, Fates, Histogram, Mode, Summary};
use crate::time::Nanos;

/// One distribution. Without samples its times are null; so is a quantile with fewer than five
/// samples above it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    pub count: u64,
    /// Samples that are good answers (`connect`: connections that opened).
    pub good: u64,
    /// Samples of which only a lower bound is known.
    pub censored: u64,
    /// A quantile above this share is a lower bound.
    pub exact_up_to: f64,
    pub min_us: Option<f64>,
    pub mean_us: Option<f64>,
    pub stdev_us: Option<f64>,
    pub p50_us: Option<f64>,
    pub p75_us: Option<f64>,
    pub p90_us: Option<f64>,
    pub p95_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub p99_9_us: Option<f64>,
    pub p99_99_us: Option<f64>,
    pub max_us: Option<f64>,
    /// How sure the quantiles are. Missing in documents of earlier builds.
    #[serde(default)]
    pub ci95: Ci95,
    /// The histogram in ns: V2 + DEFLATE, base64, as in HdrHistogram logs.
    pub hdr: String,
}

/// Lower and upper bound, in microseconds. Null where it is not known: no sample is far enough
/// out, or the one for the upper bound is itself known only as a lower bound.
pub type Bounds = [Option<f64>; 2];

/// The two-sided 95 % confidence intervals of the quantiles, from order statistics: see
/// [`confidence`]. Null with the quantile itself.
///
/// They suppose independent samples, and the latencies of a burst or a stall are not: there the
/// quantile is less sure than its interval says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ci95 {
    pub p50_us: Option<Bounds>,
    pub p75_us: Option<Bounds>,
    pub p90_us: Option<Bounds>,
    pub p95_us: Option<Bounds>,
    pub p99_us: Option<Bounds>,
    pub p99_9_us: Option<Bounds>,
    pub p99_99_us: Option<Bounds>,
}

impl Ci95 {
    /// The first `known` samples in order are more than lower bounds.
    fn new(histogram: &Histogram, known: u64) -> Ci95 {
        let micros = |rank| histogram.value_at_rank(rank).map(Nanos::as_micros_f64);
        let bounds = |q: f64| {
            histogram.supported_quantile(q)?;
            let Ranks { lower, upper } = confidence::ranks(histogram.count(), q);
            let upper = upper.filter(|rank| *rank <= known);
            Some([lower.and_then(micros), upper.and_then(micros)])
        };
        Ci95 {
            p50_us: bounds(0.50),
            p75_us: bounds(0.75),
            p90_us: bounds(0.90),
            p95_us: bounds(0.95),
            p99_us: bounds(0.99),
            p99_9_us: bounds(0.999),
            p99_99_us: bounds(0.9999),
        }
    }
}

impl Latency {
    /// `censored` of the histogram's samples are lower bounds; they rank above the others.
    pub(super) fn new(histogram: &Histogram, good: u64, censored: u64) -> Latency {
        let count = histogram.count();
        let known = |time: Nanos| (count > 0).then(|| time.as_micros_f64());
        let quantile = |q: f64| histogram.supported_quantile(q).map(Nanos::as_micros_f64);
        Latency {
            count,
            good,
            censored,
            exact_up_to: if count == 0 { 1.0 } else { (count - censored) as f64 / count as f64 },
            min_us: known(histogram.min()),
            mean_us: known(histogram.mean()),
            stdev_us: known(histogram.stdev()),
            p50_us: quantile(0.50),
            p75_us: quantile(0.75),
            p90_us: quantile(0.90),
            p95_us: quantile(0.95),
            p99_us: quantile(0.99),
            p99_9_us: quantile(0.999),
            p99_99_us: quantile(0.9999),
            max_us: known(histogram.max()),
            ci95: Ci95::new(histogram, count - censored),
            hdr: BASE64.encode(histogram.serialised()),
        }
    }

    pub(super) fn ranked(distribution: &Distribution) -> Latency {
        Latency::new(distribution.histogram(), distribution.good(), distribution.censored())
    }

    /// Good answers at their value; of the timed out and abandoned it is known how long they had
    /// been waited for.
    pub(super) fn service(fates: &Fates, mode: Mode) -> Latency {
        let histogram = fates.service(mode);
        let good = fates.counters.good.min(histogram.count());
        Latency::new(&histogram, good, histogram.count() - good)
    }

    pub(super) fn send_lag(fates: &Fates) -> Latency {
        let histogram = &fates.send_lag;
        Latency::new(histogram, fates.counters.good.min(histogram.count()), 0)
    }
}

impl Latency {
    /// All samples, with the censored ones ranked above every good one; `None`: it is damaged.
    pub fn histogram(&self) -> Option<Histogram> {
        Histogram::deserialised(&BASE64.decode(&self.hdr).ok()?)
    }

    /// Whether the quantile `q` is known in full. If not, its value is a lower bound.
    pub fn is_exact(&self, q: f64) -> bool {
        is_exact(q, self.count, self.censored)
    }
}

/// Whether a quantile of so many samples is more than a lower bound.
pub fn is_exact(q: f64, count: u64, censored: u64) -> bool {
    // The tolerance of `Distribution::quantile`.
    (q * count as f64 - 1e-6).ceil() <= count.saturating_sub(censored) as f64
}

/// The distributions of the requests due in measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// From intended (closed loop: sent), all requests that were due (closed loop: sent). What
    /// did not end well is censored and ranks above every good answer.
    pub response: Latency,
    /// The good ones of `response` alone.
    pub good_only: Latency,
    /// From sent: good, timed out, abandoned.
    pub service: Latency,
    /// From intended to sent; empty in closed loop.
    pub send_lag: Latency,
    /// Of the send lag, what blast itself was late: from due and a connection being free. A pause
    /// of blast counts here.
    pub send_lag_blast: Latency,
    /// Of the send lag, the time in which no connection was free; of those that waited for one.
    pub send_lag_connection: Latency,
    /// Of all connections that opened, in all phases.
    pub connect: Latency,
    /// To the end of the answer.
    pub rejected: Latency,
    /// To the failure.
    pub failed: Latency,
    /// As wrk would have it, from sent: all answers, and the samples it makes up (see
    /// [`Backfill`]). Null without `--as-wrk`; says nothing that is so.
    pub as_wrk: Option<Latency>,
    /// The interval that they were made up with; null also where there were too few answers.
    pub expected_interval_us: Option<f64>,
}

impl Latencies {
    pub(super) fn new(summary: &Summary) -> Latencies {
        let measure = &summary.measure;
        let connect = &summary.connections.connect;
        Latencies {
            response: Latency::ranked(&summary.response()),
            good_only: Latency::new(&measure.good, measure.good.count(), 0),
            service: Latency::service(measure, summary.mode),
            send_lag: Latency::send_lag(measure),
            send_lag_blast: Latency::new(&measure.late, measure.late.count(), 0),
            send_lag_connection: Latency::new(&measure.blocked, measure.blocked.count(), 0),
            connect: Latency::new(connect, connect.count(), 0),
            rejected: Latency::new(&measure.rejected, 0, 0),
            failed: Latency::new(&measure.failed, 0, 0),
            as_wrk: None,
            expected_interval_us: None,
        }
    }

    pub(super) fn back_fill(&mut self, summary: &Summary, connections: u64) {
        let Backfill { histogram, expected } = Backfill::of(summary, connections);
        let good = summary.measure.counters.good;
        // Samples that were made up support no confidence.
        let as_wrk = Latency { ci95: Ci95::default(), ..Latency::new(&histogram, good, 0) };
        self.as_wrk = Some(as_wrk);
        self.expected_interval_us = expected.map(Nanos::as_micros_f64);
    }
}
