//! The most that may be asked of a target by those who cannot be asked back: how many connections,
//! how many requests a second, for how long.
//!
//! They bind what a load comes to at its worst moment, in whichever way it is written: a steady
//! rate, the highest of a ramp or of stages, the largest number of users, warm-up and measure
//! together. A closed loop has no rate to be checked; it gets the highest as its cap
//! ([`Limits::cap`]).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::scenario::{Flow, Model, Step, Steps};
use super::{Load, Plan, Rate, Schedule, Warmup};
use crate::error::{Error, Result};
use crate::metrics::steady;
use crate::time::Nanos;
use crate::units::{format_count, format_duration, format_exact};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Connections.
    pub workers: u32,
    /// Requests per second, over all of them.
    pub rps: f64,
    /// Of warm-up and measure.
    pub duration_s: f64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { workers: 100, rps: 10_000.0, duration_s: 600.0 }
    }
}

/// What is over a limit, and by how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excess {
    pub of: Measure,
    /// Infinite: it has no end.
    pub asked: f64,
    pub limit: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Workers,
    Rate,
    Duration,
}

impl Measure {
    /// The field that asks for it.
    pub fn field(self) -> &'static str {
        match self {
            Measure::Workers => "workers",
            Measure::Rate => "rps",
            Measure::Duration => "duration",
        }
    }

    /// Who may raise it, and how.
    pub fn hint(self) -> &'static str {
        match self {
            Measure::Workers => {
                "ask for fewer; who starts the panel raises it with --max-workers or \
                 STRESS_TEST_MAX_WORKERS"
            }
            Measure::Rate => {
                "ask for less; who starts the panel raises it with --max-rps or \
                 STRESS_TEST_MAX_RPS"
            }
            Measure::Duration => {
                "ask for less; who starts the panel raises it with --max-duration or \
                 STRESS_TEST_MAX_DURATION"
            }
        }
    }

    fn shown(self, value: f64) -> String {
        match self {
            _ if value.is_infinite() => "no end".to_string(),
            // A float becomes an integer by saturation.
            Measure::Workers => format!("{} workers", format_exact(value as u64)),
            Measure::Rate => format!("{} requests per second", format_count(value)),
            Measure::Duration => format_duration(seconds(value)),
        }
    }
}

impl Excess {
    /// What was asked for, and the limit.
    pub fn shown(&self) -> (String, String) {
        (self.of.shown(self.asked), self.of.shown(self.limit))
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (asked, limit) = self.shown();
        write!(f, "{asked} is over the limit of {limit}")
    }
}

impl From<Excess> for Error {
    fn from(excess: Excess) -> Error {
        Error::usage(format!("{excess}; {}", excess.of.hint()))
    }
}

impl Limits {
    pub fn check(&self, plan: &Plan) -> Result<()> {
        self.excess(plan).map_or(Ok(()), |excess| Err(excess.into()))
    }

    /// The first thing that is too much.
    pub fn excess(&self, plan: &Plan) -> Option<Excess> {
        let rate = highest_per_s(plan).and_then(|per_s| self.excess_of_rate(per_s));
        let workers = self.excess_of_workers(plan.connections);
        workers.or(rate).or_else(|| self.excess_of_length(length(plan)))
    }

    pub fn excess_of_workers(&self, count: u32) -> Option<Excess> {
        let (of, asked, limit) = (Measure::Workers, f64::from(count), f64::from(self.workers));
        (count > self.workers).then_some(Excess { of, asked, limit })
    }

    /// A rate that is no number is over any limit.
    pub fn excess_of_rate(&self, per_s: f64) -> Option<Excess> {
        let excess = Excess { of: Measure::Rate, asked: per_s, limit: self.rps };
        (per_s.is_nan() || per_s > self.rps).then_some(excess)
    }

    /// `None`: nothing ends it but its requests.
    pub fn excess_of_length(&self, length: Option<Nanos>) -> Option<Excess> {
        let asked = length.map_or(f64::INFINITY, Nanos::as_secs_f64);
        let excess = Excess { of: Measure::Duration, asked, limit: self.duration_s };
        (asked > self.duration_s).then_some(excess)
    }

    /// A closed loop sends no faster than the highest rate, nor faster than it asks to itself; the
    /// rate is returned if it is this that caps it.
    pub fn cap(&self, plan: &mut Plan) -> Option<Rate> {
        let cap = self.rate();
        let is_capped = plan.at_most.is_some_and(|rate| rate.per_s() <= cap.per_s());
        if plan.load.offered().is_some() || is_capped {
            return None;
        }
        plan.at_most = Some(cap);
        Some(cap)
    }

    /// The highest rate, exact to a thousandth of a request.
    pub fn rate(&self) -> Rate {
        // A float becomes an integer by saturation.
        let thousandths = ((self.rps * 1e3).floor() as u64).max(1);
        match thousandths % 1_000 {
            0 => Rate::per_second(thousandths / 1_000),
            _ => Rate { count: thousandths, period: Nanos::from_secs(1_000) },
        }
    }

    pub fn duration(&self) -> Nanos {
        seconds(self.duration_s)
    }
}

/// Requests per second at the most; `None` in closed loop. A session is as many as it may send.
fn highest_per_s(plan: &Plan) -> Option<f64> {
    let offered = plan.load.offered()?;
    let each = match plan.scenario.as_ref().map(|scenario| &scenario.model) {
        Some(Model::Sessions(flow)) => of_flow(flow),
        _ => 1.0,
    };
    Some(offered.highest_per_s() * each)
}

/// The most requests that somebody sends in one round, with what is done once.
fn of_flow(flow: &Flow) -> f64 {
    let steps = flow.steps.iter().map(of_step);
    let round = if flow.weighted { steps.fold(0.0, f64::max) } else { steps.sum() };
    (flow.setup.len() + flow.teardown.len()) as f64 + round
}

fn of_step(step: &Step) -> f64 {
    let once = match &step.what {
        Steps::One(_) => 1.0,
        Steps::Group(steps) => steps.iter().map(of_step).sum(),
        Steps::OneOf(steps) => steps.iter().map(of_step).fold(0.0, f64::max),
    };
    once * f64::from(step.repeat.1)
}

/// Of warm-up and measure at the most; `None`: it has none.
fn length(plan: &Plan) -> Option<Nanos> {
    let warmup = match plan.warmup {
        Warmup::For(length) => length,
        Warmup::Auto => steady::LONGEST,
    };
    let measure = match &plan.load {
        Load::Open(offered) => {
            Some(Schedule::new(offered, plan.warmup, plan.duration, plan.requests).length())
        }
        Load::Closed { .. } => plan.duration,
    };
    measure.map(|measure| warmup + measure)
}

fn seconds(seconds: f64) -> Nanos {
    // A float becomes an integer by saturation.
    Nanos((seconds * 1e9).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::plan::scenario::Think;
    use crate::plan::{Law, Offered, Shape, Url};

    const LIMITS: Limits = Limits { workers: 10, rps: 100.0, duration_s: 60.0 };
    const SECOND: Nanos = Nanos::from_secs(1);

    fn plan(load: Load) -> Plan {
        let url = Url::parse("http://127.0.0.1/").unwrap();
        let (connections, duration) = (10, Some(Nanos::from_secs(60)));
        Plan { load, connections, duration, ..Plan::new(url, Request::new("GET", "/", "h")) }
    }

    fn steady(per_s: u64) -> Plan {
        plan(Load::steady(Rate::per_second(per_s)))
    }

    fn shaped(start: u64, levels: &[(Nanos, u64)]) -> Plan {
        let shape = Shape::to_levels(start, levels).unwrap();
        let length = shape.length();
        let offered = Offered::shaped(shape, SECOND, Law::Uniform).unwrap();
        Plan { duration: Some(length), ..plan(Load::Open(offered)) }
    }

    fn over(plan: &Plan) -> Option<Measure> {
        LIMITS.excess(plan).map(|excess| excess.of)
    }

    #[test]
    fn each_limit_may_be_reached_and_not_passed() {
        let longer = Some(Nanos::from_secs(60) + Nanos(1));
        let minute = Nanos::from_secs(60);
        for (what, plan, expected) in [
            ("all at their limits", steady(100), None),
            ("a rate", steady(101), Some(Measure::Rate)),
            ("workers", Plan { connections: 11, ..steady(1) }, Some(Measure::Workers)),
            ("a length", Plan { duration: longer, ..steady(1) }, Some(Measure::Duration)),
            (
                "a warm-up before all of it",
                Plan { warmup: Warmup::For(SECOND), ..steady(1) },
                Some(Measure::Duration),
            ),
            ("a ramp to the limit", shaped(0, &[(minute, 100)]), None),
            ("a ramp beyond it", shaped(0, &[(minute, 101)]), Some(Measure::Rate)),
            ("a ramp down to it", shaped(101, &[(minute, 1)]), Some(Measure::Rate)),
            (
                "one stage of several",
                shaped(1, &[(SECOND, 50), (SECOND, 101), (SECOND, 1)]),
                Some(Measure::Rate),
            ),
            ("stages that last", shaped(1, &[(minute, 5), (SECOND, 5)]), Some(Measure::Duration)),
            ("a closed loop", plan(Load::CLOSED), None),
            (
                "requests without an end",
                Plan { duration: None, requests: Some(5), ..plan(Load::CLOSED) },
                Some(Measure::Duration),
            ),
            (
                "requests that a rate brings to an end",
                Plan { duration: None, requests: Some(6_000), ..steady(100) },
                None,
            ),
            (
                "too many of them",
                Plan { duration: None, requests: Some(6_002), ..steady(100) },
                Some(Measure::Duration),
            ),
        ] {
            assert_eq!(over(&plan), expected, "{what}");
        }
    }

    #[test]
    fn a_session_counts_as_the_most_requests_that_it_may_send() {
        let step =
            |what| Step { what, repeat: (1, 3), probability: 0.1, weight: 1, think: Think::Not };
        let steps = vec![
            step(Steps::One(0)),
            step(Steps::OneOf(vec![
                step(Steps::One(0)),
                step(Steps::Group(vec![step(Steps::One(0)), step(Steps::One(0))])),
            ])),
        ];
        let flow = Flow { setup: vec![0], teardown: vec![0], steps, ..Flow::default() };
        // 3, and 3 times 3 of the larger one, which is 3 and 3.
        assert_eq!(of_flow(&flow), 2.0 + 3.0 + 3.0 * 3.0 * 6.0);
    }

    #[test]
    fn a_closed_loop_gets_the_highest_rate_as_its_cap_unless_its_own_is_lower() {
        let mut closed = plan(Load::CLOSED);
        assert_eq!(LIMITS.cap(&mut closed), Some(Rate::per_second(100)));
        assert_eq!(closed.at_most, Some(Rate::per_second(100)));
        for (own, expected) in [(5, 5), (100, 100), (101, 100)] {
            closed.at_most = Some(Rate::per_second(own));
            let was_capped = LIMITS.cap(&mut closed).is_some();
            assert_eq!(closed.at_most, Some(Rate::per_second(expected)));
            assert_eq!(was_capped, own > 100);
        }
        let mut open = steady(5);
        assert_eq!(LIMITS.cap(&mut open), None);
        assert_eq!(open.at_most, None);
        assert_eq!(Limits { rps: 0.5, ..LIMITS }.rate().per_s(), 0.5);
    }

    #[test]
    fn an_excess_says_which_limit_how_much_it_is_and_who_may_raise_it() {
        let message = LIMITS.check(&steady(5_000)).unwrap_err().message;
        for part in ["5,000 requests per second", "100 requests per second", "--max-rps"] {
            assert!(message.contains(part), "{message}");
        }
        let endless = LIMITS.excess_of_length(None).unwrap().to_string();
        assert_eq!(endless, "no end is over the limit of 60 s");
        assert!(LIMITS.excess_of_rate(f64::NAN).is_some());
    }
}
