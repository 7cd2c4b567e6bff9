//! Plans above the ceiling, carried out by a [`Runner`].

use std::time::Duration;

use super::failure::{End, Length, Moment, Overload};
use super::probe::{Outcome, Probe};
use crate::error::Result;
use crate::failure::Side;
use crate::metrics::Summary;
use crate::plan::{Load, Plan, Rate, Warmup};
use crate::report::ceiling::Push;
use crate::study::Runner;
use crate::time::{self, Nanos};

/// A step is at least and at most so long, in between long enough for [`SAMPLES`].
const STEP: Nanos = Nanos::from_millis(1_500);
const LONGEST: Nanos = Nanos::from_secs(5);
const SAMPLES: f64 = 300.0;

/// Before a step the server has time for what the one before left it, which nobody waits for any
/// more: it would look like a loss. It is at most a request a connection, at the ceiling's rate.
const LEAST_WARM_UP: Nanos = Nanos::from_millis(500);
const LONGEST_WARM_UP: Nanos = Nanos::from_secs(3);

/// The shortest window, and how many requests it has at least.
const WINDOW: Nanos = Nanos::from_millis(500);
const LEAST: f64 = 20.0;

/// What is unanswered after a run is waited for so many times the p99 at the ceiling, at least for
/// [`LEAST_DRAIN`]: not until all is worked off, which would be rest.
const DRAIN: f64 = 4.0;
const LEAST_DRAIN: Nanos = Nanos::from_millis(500);

/// As many connections as a rate of the highest step would open by itself: one for each request
/// that comes within 0.1 s.
const PER_CONNECTION: f64 = 10.0;
const MOST_CEILINGS: f64 = 4.0;
const MOST_CONNECTIONS: f64 = 10_000.0;

/// Between two looks at a server that nobody can connect to.
const REST: Duration = Duration::from_millis(250);

/// What is loaded, with what.
pub struct Rig<'a> {
    runner: &'a mut dyn Runner,
    plan: Plan,
    warm_up: Nanos,
    began: Nanos,
    tell: &'a mut dyn FnMut(&Push),
    /// The user wants it to end.
    is_over: fn() -> bool,
}

impl<'a> Rig<'a> {
    /// `low` held in the search. Where the number of connections was not asked for, there are more
    /// than it took there: too few would keep the load from the server.
    pub fn new(
        runner: &'a mut dyn Runner,
        plan: &Plan,
        low: &Probe,
        is_fixed: bool,
        tell: &'a mut dyn FnMut(&Push),
        is_over: fn() -> bool,
    ) -> Rig<'a> {
        let own = low.rate_per_s * MOST_CEILINGS / PER_CONNECTION;
        let connections = own.clamp(f64::from(low.connections), MOST_CONNECTIONS) as u32;
        let patience = low.p99.map_or(0.0, |p99| p99.0 as f64) * DRAIN;
        let plan = Plan {
            connections: if is_fixed { plan.connections } else { connections },
            drain: Nanos(patience as u64).max(LEAST_DRAIN).min(plan.drain),
            requests: None,
            thresholds: Vec::new(),
            abort_on: Vec::new(),
            ..plan.clone()
        };
        let owed = f64::from(plan.connections) / low.rate_per_s;
        let warm_up = Nanos((owed * 1.25e9) as u64).clamp(LEAST_WARM_UP, LONGEST_WARM_UP);
        runner.reconnect();
        Rig { runner, plan, warm_up, began: time::now(), tell, is_over }
    }

    fn length(&self, rate_per_s: f64, length: Length) -> Nanos {
        let for_samples = |samples: f64| Nanos((samples / rate_per_s * 1e9) as u64);
        match length {
            Length::Step => for_samples(SAMPLES).clamp(STEP, LONGEST),
            Length::Window => for_samples(LEAST).clamp(WINDOW, LONGEST),
        }
    }
}

impl Overload for Rig<'_> {
    fn run(&mut self, rate_per_s: f64, length: Length) -> Result<Moment> {
        let rate = Rate {
            count: ((rate_per_s * 100.0).round() as u64).max(1),
            period: Nanos::from_secs(100),
        };
        let duration = Some(self.length(rate_per_s, length));
        let warmup = Warmup::For(match length {
            Length::Step => self.warm_up,
            Length::Window => Nanos::ZERO,
        });
        let plan = Plan { load: Load::steady(rate), duration, warmup, ..self.plan.clone() };
        match self.runner.run(&plan) {
            Ok(summary) => Ok(moment(&summary, rate_per_s, plan.connections)),
            Err(_) if (self.is_over)() => Ok(missing(rate_per_s, End::Interrupted)),
            Err(error) => {
                self.runner.reconnect();
                std::thread::sleep(REST);
                Ok(missing(rate_per_s, End::Dead(error.message)))
            }
        }
    }

    fn elapsed(&self) -> Nanos {
        time::now() - self.began
    }

    fn tell(&mut self, push: &Push) {
        (self.tell)(push);
    }
}

fn moment(summary: &Summary, rate_per_s: f64, connections: u32) -> Moment {
    let counters = &summary.measure.counters;
    let of_target = |side| side != Side::Generator;
    let failed: u64 = counters.failures().filter(|(k, _)| of_target(k.side())).map(|f| f.1).sum();
    let errors = counters.rejected() + failed;
    let response = summary.response();
    let quantile = |q| response.quantile(q).map(|reading| reading.value().as_micros_f64());
    let end = match Probe::of(summary, &[], rate_per_s, connections).outcome {
        Outcome::Interrupted => End::Interrupted,
        Outcome::Blast { why, .. } => End::Blast(why),
        Outcome::Holds | Outcome::Fails { .. } | Outcome::Unknown { .. } => End::Done,
    };
    let share = |part: u64, of: u64| part as f64 / of.max(1) as f64;
    Moment {
        push: Push {
            rate_per_s,
            good_per_s: summary.good_per_s(),
            error_share: share(errors, counters.sent),
            p50_us: quantile(0.5),
            p99_us: quantile(0.99),
        },
        errors,
        answered: share(counters.good, counters.scheduled),
        end,
    }
}

/// A run that was none.
fn missing(rate_per_s: f64, end: End) -> Moment {
    let push = Push { rate_per_s, good_per_s: 0.0, error_share: 1.0, p50_us: None, p99_us: None };
    Moment { push, errors: 0, answered: 0.0, end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::http::Request;
    use crate::metrics::{Mode, Rejection, fixture};
    use crate::plan::Url;

    /// Answers a hundred requests, five of them with 503, or refuses.
    struct Simulated {
        refuses: bool,
        plans: Vec<Plan>,
        reconnected: usize,
    }

    impl Runner for Simulated {
        fn run(&mut self, plan: &Plan) -> Result<Summary> {
            self.plans.push(plan.clone());
            if self.refuses {
                return Err(Error::failed("connection refused"));
            }
            let mut summary = fixture::blank(Mode::Open);
            let counters = &mut summary.measure.counters;
            (counters.scheduled, counters.sent, counters.completed) = (125, 100, 100);
            counters.good = 95;
            counters.dropped = 25;
            counters.rejections[Rejection::Status5xx as usize] = 5;
            summary.measure_events.good = 95;
            Ok(summary)
        }

        fn reconnect(&mut self) {
            self.reconnected += 1;
        }
    }

    fn plan() -> Plan {
        let url = Url::parse("http://localhost:1/").unwrap();
        Plan { connections: 64, ..Plan::new(url, Request::new("GET", "/", "localhost:1")) }
    }

    fn low() -> Probe {
        let mut summary = fixture::blank(Mode::Open);
        summary.target_per_s = Some(3_000.0);
        Probe::of(&summary, &[], 3_000.0, 128)
    }

    #[test]
    fn errors_are_what_the_server_said_and_not_what_was_never_sent() {
        let mut runner = Simulated { refuses: false, plans: Vec::new(), reconnected: 0 };
        let mut tell = |_: &Push| {};
        let mut rig = Rig::new(&mut runner, &plan(), &low(), false, &mut tell, || false);
        let moment = rig.run(6_000.0, Length::Step).unwrap();
        assert_eq!((moment.push.error_share, moment.errors), (0.05, 5));
        assert_eq!((moment.answered, moment.end), (95.0 / 125.0, End::Done));
        rig.run(10.0, Length::Window).unwrap();
        let lengths: Vec<_> = runner.plans.iter().map(|plan| plan.duration.unwrap()).collect();
        assert_eq!(lengths, [STEP, Nanos::from_secs(2)]);
        assert_eq!((runner.plans[0].connections, runner.reconnected), (1_200, 1));
    }

    #[test]
    fn the_connections_that_were_asked_for_stay_and_one_that_is_refused_is_tried_again() {
        let mut runner = Simulated { refuses: true, plans: Vec::new(), reconnected: 0 };
        let mut tell = |_: &Push| {};
        let mut rig = Rig::new(&mut runner, &plan(), &low(), true, &mut tell, || false);
        let moment = rig.run(6_000.0, Length::Window).unwrap();
        assert_eq!(moment.end, End::Dead("connection refused".to_string()));
        assert_eq!((runner.plans[0].connections, runner.reconnected), (64, 2));
    }
}
