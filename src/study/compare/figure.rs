//! The figures that are compared, each read off a document with its interval.

use super::spread::Spread;
use crate::metrics::Histogram;
use crate::metrics::confidence::{self, Ranks};
use crate::report::Document;
use crate::report::document::Latency;
use crate::study::statistics::{Estimate, share, student, variance_of_sum};
use crate::time::Nanos;

pub struct Metric {
    pub name: &'static str,
    pub unit: Unit,
    pub better: Better,
    pub read: fn(&Source) -> Option<Figure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Micros,
    Share,
    PerSecond,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Unit::Micros => "us",
            Unit::Share => "share",
            Unit::PerSecond => "per_s",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    Lower,
    Higher,
    Neither,
}

/// A figure of one run.
pub struct Figure {
    pub estimate: Estimate,
    /// The value is that or more.
    pub is_bound: bool,
}

/// In the order in which they are shown.
pub const METRICS: [Metric; 15] = [
    Metric {
        name: "offered_per_s",
        unit: Unit::PerSecond,
        better: Better::Neither,
        read: |source| {
            let offered = Estimate::bare(source.document.rate.offered_per_s);
            source.document.is_open_loop().then(|| exact(offered))
        },
    },
    Metric {
        name: "good_per_s",
        unit: Unit::PerSecond,
        better: Better::Higher,
        read: |source| Some(exact(source.good_per_s())),
    },
    Metric {
        name: "success",
        unit: Unit::Share,
        better: Better::Higher,
        read: |source| source.share(source.document.requests.success_share),
    },
    Metric {
        name: "errors",
        unit: Unit::Share,
        better: Better::Lower,
        read: |source| source.share(source.document.requests.error_share),
    },
    time("mean", |source| source.mean()),
    time("p50", |source| source.quantile(0.5, |row| row.p50_us)),
    time("p75", |source| source.quantile(0.75, |row| row.p75_us)),
    time("p90", |source| source.quantile(0.9, |row| row.p90_us)),
    time("p95", |source| source.quantile(0.95, |row| row.p95_us)),
    time("p99", |source| source.quantile(0.99, |row| row.p99_us)),
    time("p99.9", |source| source.quantile(0.999, |row| row.p99_9_us)),
    time("p99.99", |source| source.quantile(0.9999, |row| row.p99_99_us)),
    // One sample, which says nothing of how sure it is.
    time("max", |source| {
        let row = source.row();
        let max = Estimate::bare(row.max_us?);
        Some(Figure { estimate: max, is_bound: row.censored > 0 })
    }),
    time("cpu_us_per_request", |source| {
        source.per_request(source.document.client.cpu_us_per_request?, "client.cpu")
    }),
    time("server_us_per_request", |source| {
        let server = source.document.server.as_ref()?;
        source.per_request(server.cpu_us_per_request?, "server.cpu")
    }),
];

const fn time(name: &'static str, read: fn(&Source) -> Option<Figure>) -> Metric {
    Metric { name, unit: Unit::Micros, better: Better::Lower, read }
}

fn exact(estimate: Estimate) -> Figure {
    Figure { estimate, is_bound: false }
}

/// A document, and what its figures' intervals are made from.
pub struct Source<'a> {
    pub document: &'a Document,
    response: Histogram,
    pub spread: Spread<'a>,
}

impl<'a> Source<'a> {
    /// `None`: its histogram is damaged.
    pub fn new(document: &'a Document) -> Option<Source<'a>> {
        let response = document.latency.response.histogram()?;
        let spread = Spread::of(document, &response);
        Some(Source { document, response, spread })
    }

    fn row(&self) -> &Latency {
        &self.document.latency.response
    }

    /// Rates are counted second by second.
    fn good_per_s(&self) -> Estimate {
        let value = self.document.rate.good_per_s;
        let seconds = &self.spread.seconds;
        if !self.spread.is_known() {
            return Estimate::bare(value);
        }
        let count = seconds.len() as f64;
        let mean = seconds.iter().map(|second| second.good as f64).sum::<f64>() / count;
        let off: Vec<f64> = seconds.iter().map(|second| second.good as f64 - mean).collect();
        let deviation = variance_of_sum(&off).sqrt() / count / self.document.interval_s;
        Estimate::symmetric(value, self.spread.reach() * deviation)
    }

    fn share(&self, value: f64) -> Option<Figure> {
        let scheduled = self.document.requests.scheduled as f64;
        let worth = scheduled / self.spread.of_errors();
        (scheduled > 0.0).then(|| exact(share(value, worth, self.spread.reach())))
    }

    fn mean(&self) -> Option<Figure> {
        let row = self.row();
        let (mean, stdev) = (row.mean_us?, row.stdev_us?);
        let deviation = stdev * (self.spread.of_mean() / row.count as f64).sqrt();
        let mut estimate = Estimate::symmetric(mean, self.spread.reach() * deviation);
        // What is added to some of the samples may be anything.
        let is_bound = row.censored > 0;
        estimate.high = estimate.high.filter(|_| !is_bound);
        Some(Figure { estimate, is_bound })
    }

    fn quantile(&self, q: f64, read: fn(&Latency) -> Option<f64>) -> Option<Figure> {
        let row = self.row();
        let value = read(row)?;
        let count = self.response.count();
        // Independent samples that would be as sure.
        let wider = (self.spread.reach() / student(0)).powi(2);
        let worth = (count as f64 / self.spread.of_quantile(q) / wider).max(1.0);
        let Ranks { lower, upper } = confidence::ranks(worth as u64, q);
        let scale = count as f64 / worth.floor();
        let micros = |rank: u64| self.response.value_at_rank(rank).map(Nanos::as_micros_f64);
        let lower = lower.map(|rank| ((rank as f64 * scale) as u64).max(1));
        let upper = upper.map(|rank| ((rank as f64 * scale).ceil() as u64).min(count));
        let known = count - row.censored.min(count);
        let low = lower.and_then(micros).map(|low| low.min(value));
        let high = upper.filter(|rank| *rank <= known).and_then(micros);
        // So few samples as that have no rank for an end.
        let factor = (q == 0.5).then(|| self.spread.factor_of_medians()).flatten();
        let low = low.or(factor.map(|factor| value / factor));
        let high = high.or(factor.map(|factor| value * factor).filter(|_| row.censored == 0));
        let estimate = Estimate { value, low, high: high.map(|high| high.max(value)) };
        Some(Figure { estimate, is_bound: !row.is_exact(q) })
    }

    /// Processor time over requests; how sure, by the readings of this gauge beside the seconds.
    fn per_request(&self, value: f64, gauge: &str) -> Option<Figure> {
        let reach = self.uncertain_share(gauge).map(|share| share * value);
        let estimate = reach.map(|reach| Estimate::symmetric(value, reach));
        Some(exact(estimate.unwrap_or(Estimate::bare(value))))
    }

    /// How far the interval reaches, as a share of the value: the ratio of two sums (Cochran,
    /// Sampling Techniques, 3rd ed. 1977, sec. 2.11).
    fn uncertain_share(&self, gauge: &str) -> Option<f64> {
        let gauges = self.document.gauges.as_ref()?;
        let readings = &gauges.gauge(gauge)?.values;
        let step = self.document.interval_s;
        if (gauges.step_s - step).abs() > step / 10.0 {
            return None;
        }
        let beside = |t: f64| {
            let at = gauges.t_s.iter().position(|read| (read - t).abs() < step / 4.0)?;
            readings.get(at).copied().flatten()
        };
        let seconds = self.spread.seconds.iter().filter_map(|second| {
            Some((beside(second.t_s)?, (second.good + second.rejected) as f64))
        });
        let seconds: Vec<(f64, f64)> = seconds.collect();
        let sum = |of: fn(&(f64, f64)) -> f64| seconds.iter().map(of).sum::<f64>();
        let (spent, requests) = (sum(|second| second.0), sum(|second| second.1));
        if seconds.len() < 3 || spent <= 0.0 || requests <= 0.0 {
            return None;
        }
        let off: Vec<f64> =
            seconds.iter().map(|(cpu, count)| cpu - spent / requests * count).collect();
        Some(student(seconds.len() - 1) * variance_of_sum(&off).sqrt() / spent)
    }
}
