//! Bursts and probes.
//!
//! A burst is a closed loop: the worker sends as fast as answers come. Where it had nothing to
//! spare, what it reached is what it can send. Elsewhere the server, the host or the network was
//! the limit, and processor time per request is what is left to go by.

use std::sync::Arc;

use crate::error::Result;
use crate::metrics::Summary;
use crate::plan::scenario::Model;
use crate::plan::{Load, Plan, Rate, Warmup};
use crate::study::Runner;
use crate::time::Nanos;

/// Before each burst and probe: the caches fill, and the connections open before the first.
const WARM_UP: Nanos = Nanos::from_millis(200);

/// What is under way when one ends is answered in this time, or the server has gone.
const DRAIN: Nanos = Nanos::from_secs(1);

/// Shares of what a burst reached that are tried in open loop, until one is sent on time.
const SHARES: [f64; 5] = [0.95, 0.85, 0.7, 0.5, 0.3];

/// On time: all but a thousandth on schedule, and blast's own lateness under this at p99.
const ON_SCHEDULE: f64 = 0.999;
const LATE: Nanos = Nanos::from_millis(1);

pub struct Settings {
    /// Of the closed loop.
    pub rounds: usize,
    /// Of each burst.
    pub length: Nanos,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    pub bursts: Vec<Burst>,
    pub on_time: Option<OnTime>,
    pub interrupted: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    pub rate_per_s: f64,
    pub cpu_us_per_request: f64,
    /// Shares of the worker's time: on its core, and ready to be while others had it.
    pub worker_share: f64,
    pub starved_share: f64,
    /// Of one, with its head.
    pub answer_bytes: u64,
}

/// An open loop that was.
#[derive(Clone, Debug, PartialEq)]
pub struct OnTime {
    pub rate_per_s: f64,
    pub share: f64,
    pub late_p99: Option<Nanos>,
}

/// Whether requests are due when the plan's users say, and not at a rate that could be set.
pub fn has_pace_of_its_own(plan: &Plan) -> bool {
    let model = plan.scenario.as_ref().map(|scenario| &scenario.model);
    matches!(model, Some(Model::Users(_) | Model::Sessions(_)))
}

/// The plan of one of so many workers, with nothing in it that is about the server or about this
/// run: no rules, no addresses, no time to think, nothing that is sent only once.
pub fn of_one_worker(plan: &Plan, workers: usize) -> Plan {
    let mut scenario = plan.scenario.as_deref().cloned();
    if let Some(scenario) = &mut scenario {
        scenario.run_setup.clear();
        scenario.run_teardown.clear();
        if let Model::Users(flow) | Model::Sessions(flow) = &mut scenario.model {
            flow.steps.iter_mut().for_each(|step| step.hasten());
            flow.rounds = None;
            scenario.model = Model::Users(flow.clone());
        }
    }
    Plan {
        scenario: scenario.map(Arc::new),
        connections: plan.connections.div_ceil(workers.max(1) as u32),
        threads: Some(1),
        bind: Vec::new(),
        route: Default::default(),
        expected: Default::default(),
        deadline: None,
        max_in_flight: None,
        requests: None,
        connect_rate: None,
        thresholds: Vec::new(),
        abort_on: Vec::new(),
        notes: Vec::new(),
        rating: None,
        ..plan.clone()
    }
}

/// Bursts, and then probes where the rate can be set. `tell`: what is done next.
pub fn measure(
    runner: &mut dyn Runner,
    plan: &Plan,
    settings: &Settings,
    tell: &mut dyn FnMut(&str),
) -> Result<Finding> {
    let mut finding = Finding::default();
    for round in 1..=settings.rounds {
        tell(&format!("closed loop, {round} of {}", settings.rounds));
        let summary = runner.run(&with(plan, Load::CLOSED, settings.length))?;
        if !summary.complete {
            finding.interrupted = true;
            return Ok(finding);
        }
        finding.bursts.extend(Burst::of(&summary));
    }
    if has_pace_of_its_own(plan) || finding.bursts.is_empty() {
        return Ok(finding);
    }
    let reached = finding.reached_per_s();
    // Half a burst is enough to see whether a rate is held.
    let length = Nanos(settings.length.0 * 2 / 3);
    for share in SHARES {
        let rate_per_s = reached * share;
        tell(&format!("open loop at {:.0} % of it", share * 100.0));
        let rate =
            Rate { count: ((rate_per_s * 100.0) as u64).max(1), period: Nanos::from_secs(100) };
        let summary = runner.run(&with(plan, Load::steady(rate), length))?;
        if !summary.complete {
            finding.interrupted = true;
            return Ok(finding);
        }
        let late_p99 = summary.measure.late.supported_quantile(0.99);
        if is_on_time(&summary, late_p99) {
            finding.on_time = Some(OnTime { rate_per_s: rate.per_s(), share, late_p99 });
            break;
        }
    }
    Ok(finding)
}

fn with(plan: &Plan, load: Load, length: Nanos) -> Plan {
    Plan {
        load,
        duration: Some(length),
        warmup: Warmup::For(WARM_UP),
        drain: DRAIN.min(plan.drain),
        ..plan.clone()
    }
}

fn is_on_time(summary: &Summary, late_p99: Option<Nanos>) -> bool {
    let on_schedule = summary.efficiency().is_some_and(|share| share >= ON_SCHEDULE);
    on_schedule && late_p99.is_none_or(|late| late < LATE)
}

impl Burst {
    /// `None`: nothing was answered.
    fn of(summary: &Summary) -> Option<Burst> {
        let cpu_us_per_request = summary.cpu_us_per_request()?;
        let worker = summary.client.workers.first()?;
        let events = &summary.measure_events;
        let share = |time: Nanos| time.as_secs_f64() / worker.wall_time.as_secs_f64().max(1e-9);
        Some(Burst {
            rate_per_s: summary.per_second(events.completed),
            cpu_us_per_request,
            worker_share: share(worker.cpu_time).min(1.0),
            starved_share: share(worker.starved_time).min(1.0),
            answer_bytes: events.bytes_received / events.completed.max(1),
        })
    }
}

impl Finding {
    pub fn reached_per_s(&self) -> f64 {
        self.median(|burst| burst.rate_per_s)
    }

    /// Of the bursts; 0 where there are none.
    pub fn median(&self, figure: impl Fn(&Burst) -> f64) -> f64 {
        match self.bursts.is_empty() {
            true => 0.0,
            false => crate::metrics::trend::median(self.bursts.iter().map(figure).collect()),
        }
    }
}
