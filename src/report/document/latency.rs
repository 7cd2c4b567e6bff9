//! The distributions, in microseconds to the nanosecond.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::metrics::{Distribution, Fates, Histogram, Mode, Summary};
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
    /// The histogram in ns: V2 + DEFLATE, base64, as in HdrHistogram logs.
    pub hdr: String,
}

impl Latency {
    /// `censored` of the histogram's samples are lower bounds; they rank above the others.
    fn new(histogram: &Histogram, good: u64, censored: u64) -> Latency {
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
    /// Whether the quantile `q` is known in full. If not, its value is a lower bound.
    pub fn is_exact(&self, q: f64) -> bool {
        // The tolerance of `Distribution::quantile`.
        (q * self.count as f64 - 1e-6).ceil() <= (self.count - self.censored) as f64
    }
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
        }
    }
}
