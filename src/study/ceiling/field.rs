//! Plans for probes, carried out by a [`Runner`].

use super::probe::Probe;
use super::search::Prober;
use crate::error::Result;
use crate::metrics::Summary;
use crate::plan::{Load, Plan, Rate, Warmup};
use crate::study::Runner;
use crate::time::{self, Nanos};

/// The burst.
const BURST: Nanos = Nanos::from_millis(1_500);

/// What comes before it, and at least before each probe: a few of the server's answers long, or
/// what it has in hand would look like a debt.
const WARM_UP: Nanos = Nanos::from_millis(250);
const LONGEST_WARM_UP: Nanos = Nanos::from_secs(2);

/// A probe is at least and at most this long, and in between as long as its samples take.
const SHORTEST: Nanos = Nanos::from_secs(1);
const LONGEST: Nanos = Nanos::from_secs(5);

/// Enough for a p99 that means something: 5 samples above it, and some to spare.
const SAMPLES: f64 = 600.0;

/// The load under which a server is seen to be calm: this share of the burst, for so long.
const CALM_SHARE: f64 = 0.2;
const CALM: Nanos = Nanos::from_millis(300);

/// It is when its median is at most this many times the one before any overload, and so much.
const AS_BEFORE: f64 = 2.0;
const SLACK: Nanos = Nanos::from_micros(200);

/// How often that is looked at.
const LOOKS: usize = 12;

/// What is unanswered after a probe is waited for so many times the burst's p99, at least for
/// [`LEAST_DRAIN`].
const DRAIN: u64 = 4;
const LEAST_DRAIN: Nanos = Nanos::from_millis(500);

/// The most connections that are opened unasked.
const MOST_CONNECTIONS: u32 = 10_000;

/// Where a ceiling is looked for.
pub struct Field<'a> {
    runner: &'a mut dyn Runner,
    /// What each probe is made from.
    plan: Plan,
    /// The number of connections was given: it stays.
    is_fixed: bool,
    began: Nanos,
    burst_per_s: f64,
    warm_up: Nanos,
    drain: Nanos,
    /// The median under little load, before any overload.
    calm: Option<Nanos>,
    /// Told of each probe as it is over.
    tell: &'a mut dyn FnMut(&Probe),
}

impl<'a> Field<'a> {
    pub fn new(
        runner: &'a mut dyn Runner,
        plan: Plan,
        is_fixed: bool,
        tell: &'a mut dyn FnMut(&Probe),
    ) -> Field<'a> {
        let drain = plan.drain;
        Field {
            runner,
            plan,
            is_fixed,
            began: time::now(),
            burst_per_s: 0.0,
            warm_up: WARM_UP,
            drain,
            calm: None,
            tell,
        }
    }

    /// A short run that is judged by nobody.
    fn run(&mut self, load: Load, length: Nanos, warm_up: Nanos) -> Result<Summary> {
        let plan = Plan {
            load,
            duration: Some(length),
            warmup: Warmup::For(warm_up),
            requests: None,
            drain: self.drain,
            thresholds: Vec::new(),
            abort_on: Vec::new(),
            ..self.plan.clone()
        };
        self.runner.run(&plan)
    }

    fn at(&mut self, rate_per_s: f64, length: Nanos, warm_up: Nanos) -> Result<Summary> {
        self.run(Load::steady(rate_of(rate_per_s)), length, warm_up)
    }

    fn length(&self, rate_per_s: f64) -> Nanos {
        let rarest = self.plan.thresholds.iter().filter_map(|rule| rule.quantile());
        let samples = rarest.map(|q| 6.0 / (1.0 - q)).fold(SAMPLES, f64::max);
        let needed = Nanos((samples / rate_per_s * 1e9) as u64);
        needed.clamp(SHORTEST, LONGEST)
    }
}

impl Prober for Field<'_> {
    fn burst(&mut self) -> Result<Option<f64>> {
        let summary = self.run(Load::CLOSED, BURST, WARM_UP)?;
        self.burst_per_s = summary.good_per_s();
        let slowest = summary.service().quantile(0.99).map_or(Nanos::ZERO, |p99| p99.value());
        self.warm_up = (slowest + slowest).clamp(WARM_UP, LONGEST_WARM_UP);
        let patience = Nanos(slowest.0.saturating_mul(DRAIN));
        self.drain = patience.max(LEAST_DRAIN).min(self.plan.drain);
        Ok((self.burst_per_s > 0.0).then_some(self.burst_per_s))
    }

    fn probe(&mut self, rate_per_s: f64, times: f64) -> Result<Probe> {
        let length = self.length(rate_per_s).as_secs_f64() * times;
        let summary = self.at(rate_per_s, Nanos((length * 1e9) as u64), self.warm_up)?;
        let connections = self.plan.connections;
        let probe = Probe::of(&summary, &self.plan.thresholds, rate_per_s, connections);
        (self.tell)(&probe);
        Ok(probe)
    }

    fn settle(&mut self) -> Result<bool> {
        let rate = (self.burst_per_s * CALM_SHARE).max(10.0).min(self.burst_per_s);
        for _ in 0..LOOKS {
            let summary = self.at(rate, CALM, Nanos::ZERO)?;
            if !summary.complete {
                return Ok(true);
            }
            let median = summary.response().quantile(0.5).map(|p50| p50.value());
            let (Some(median), true) = (median, summary.error_share() == 0.0) else { continue };
            let limit = |calm: Nanos| Nanos((calm.0 as f64 * AS_BEFORE) as u64) + SLACK;
            match self.calm {
                Some(calm) if median > limit(calm) => {}
                _ => {
                    self.calm.get_or_insert(median);
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn widen(&mut self) -> Result<bool> {
        let more = self.plan.connections.saturating_mul(2).min(MOST_CONNECTIONS);
        if self.is_fixed || more == self.plan.connections {
            return Ok(false);
        }
        self.plan.connections = more;
        self.runner.reconnect();
        Ok(true)
    }

    fn elapsed(&self) -> Nanos {
        time::now() - self.began
    }
}

/// To a hundredth of a request a second.
fn rate_of(per_s: f64) -> Rate {
    let count = ((per_s * 100.0).round() as u64).max(1);
    Rate { count, period: Nanos::from_secs(100) }
}
