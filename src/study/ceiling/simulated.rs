//! A server that is all arithmetic, behind the [`Runner`] of a search: one worker with a fixed
//! service time, first come first served, which may turn away what is beyond a rate.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::dice::Dice;
use crate::error::Result;
use crate::http::Request;
use crate::metrics::{Fates, Limit, Mode, Rejection, Stage, Summary, Worker, fixture};
use crate::plan::scenario::{Flow, Model, Scenario, Step, Steps, Think};
use crate::plan::{Law, Load, Offered, Plan, Threshold, Url};
use crate::study::{IsEnough, Runner};
use crate::time::Nanos;

thread_local! {
    static NOW: Cell<f64> = const { Cell::new(0.0) };
}

/// The clock of this test alone.
pub fn clock() -> Nanos {
    Nanos((NOW.get() * 1e9) as u64)
}

/// In seconds and per second.
#[derive(Clone, Debug)]
pub struct Simulated {
    pub service: f64,
    /// What is beyond so many a second is turned away, with this.
    pub limit: Option<(f64, Rejection)>,
    /// blast sends no more than this.
    pub own: f64,
    /// A pause of the host comes so often on average, and is so long.
    pub pauses: Option<(f64, f64)>,
    /// How long users think: between the two.
    pub think: (f64, f64),
    pub dice: Dice,
    /// When the worker is free, and the limit's bucket was last seen full.
    pub free: f64,
    pub full: f64,
}

/// How many requests beyond its rate the limit lets through at once.
const BUCKET: f64 = 10.0;

/// A request: due, sent, and done; `None`: turned away.
struct Fate {
    due: f64,
    sent: f64,
    done: Option<f64>,
}

impl Simulated {
    pub fn of(service: f64, seed: u64) -> Simulated {
        Simulated {
            service,
            limit: None,
            own: f64::INFINITY,
            pauses: None,
            think: (0.0, 0.0),
            dice: Dice::of(seed, 7, 0),
            free: 0.0,
            full: 0.0,
        }
    }

    /// What becomes of a request that comes now.
    fn serve(&mut self, now: f64) -> Option<f64> {
        if let Some((rate, _)) = self.limit {
            // The bucket lacks what would take until `full` to flow in.
            self.full = self.full.max(now);
            if (self.full - now) * rate > BUCKET - 1.0 {
                return None;
            }
            self.full += 1.0 / rate;
        }
        if let Some((every, length)) = self.pauses
            && self.dice.unit() < (self.service / every).min(1.0)
        {
            self.free = self.free.max(now) + length * self.dice.unit() * 2.0;
        }
        self.free = self.free.max(now) + self.service;
        Some(self.free)
    }

    fn open(&mut self, offered: &Offered, end: f64) -> Vec<Fate> {
        let rate = offered.per_s();
        let mut dice = match offered.law() {
            Law::Poisson { seed } => Some(Dice::of(seed, 8, 0)),
            _ => None,
        };
        let (mut due, mut last) = (0.0, 0.0_f64);
        let (start, mut fates) = (NOW.get(), Vec::new());
        while due < end {
            let sent = f64::max(due, last + 1.0 / self.own);
            let done = self.serve(start + sent).map(|done| done - start);
            fates.push(Fate { due, sent, done });
            last = sent;
            due += dice.as_mut().map_or(1.0, |dice| -(1.0 - dice.unit()).ln()) / rate;
        }
        fates
    }

    /// Users begin one by one until `coming`.
    fn closed(&mut self, number: u32, coming: f64, end: f64) -> Vec<Fate> {
        let (start, mut fates) = (NOW.get(), Vec::new());
        let first = |user: u32| ((coming * f64::from(user) / f64::from(number)) * 1e9) as u64;
        let mut next: BinaryHeap<_> = (0..number).map(|user| Reverse(first(user))).collect();
        let mut last = 0.0;
        while let Some(Reverse(at)) = next.pop() {
            let sent = f64::max(at as f64 / 1e9, last + 1.0 / self.own);
            last = sent;
            if sent >= end {
                break;
            }
            let done = self.serve(start + sent).map(|done| done - start);
            fates.push(Fate { due: sent, sent, done });
            let think = self.think.0 + (self.think.1 - self.think.0) * self.dice.unit();
            next.push(Reverse(((done.unwrap_or(sent + 1e-4) + think) * 1e9) as u64));
        }
        fates
    }

    fn book(&self, summary: &mut Summary, fates: &[Fate], from: f64, to: f64) {
        let time = |seconds: f64| Nanos((seconds * 1e9) as u64);
        summary.measured = time(to - from);
        let is_within = |at: f64| (from..to).contains(&at);
        for fate in fates {
            let events = &mut summary.measure_events;
            events.sent += u64::from(is_within(fate.sent));
            events.good += u64::from(fate.done.is_some_and(is_within));
            if !is_within(fate.due) {
                continue;
            }
            let (counters, open) = (&mut summary.measure.counters, summary.mode == Mode::Open);
            counters.scheduled += 1;
            counters.sent += 1;
            counters.completed += 1;
            match fate.done {
                Some(done) => {
                    counters.good += 1;
                    summary.measure.good.record(time(done - fate.due));
                    if open {
                        summary.measure.service.record(time(done - fate.sent));
                    }
                }
                None => {
                    let kind = self.limit.map_or(Rejection::Status5xx, |limit| limit.1);
                    counters.rejections[kind as usize] += 1;
                    summary.measure.censored.record(Nanos(100_000));
                }
            }
        }
    }
}

impl Runner for Simulated {
    /// It ends where it was told last, a quarter of a second after the time before.
    fn run_until(&mut self, plan: &Plan, is_enough: &mut IsEnough) -> Result<Summary> {
        let (before, began) = (self.clone(), NOW.get());
        let (mut told, mut past) = (Fates::default(), Nanos::ZERO);
        loop {
            past += Nanos::from_millis(250);
            let duration = plan.duration.map(|whole| whole.min(past));
            NOW.set(began);
            *self = before.clone();
            let summary = self.run(&Plan { duration, ..plan.clone() })?;
            let mut news = summary.measure.clone();
            news.remove(&told);
            if duration == plan.duration || is_enough(&news) {
                return Ok(summary);
            }
            told = summary.measure;
        }
    }

    fn run(&mut self, plan: &Plan) -> Result<Summary> {
        let warm = plan.warmup.length().unwrap_or_default().as_secs_f64();
        let end = warm + plan.duration.unwrap_or_default().as_secs_f64();
        let shape = plan.load.shape().map(|shape| shape.stages()[0].length.as_secs_f64());
        let coming = shape.unwrap_or(0.0);
        let (mode, fates) = match &plan.load {
            Load::Open(offered) => (Mode::Open, self.open(offered, end)),
            Load::Closed { .. } => (Mode::Closed, self.closed(plan.connections, coming, end)),
        };
        let mut summary = fixture::blank(mode);
        summary.target_per_s = plan.load.per_s();
        summary.warmup_length = plan.warmup.length().unwrap_or_default();
        self.book(&mut summary, &fates, warm, end);
        if shape.is_some() {
            let mut all_there = fixture::blank(mode);
            self.book(&mut all_there, &fates, coming, end);
            summary.stages = stages(plan, all_there);
        }
        if plan.load.per_s().is_some_and(|rate| rate > self.own) {
            let (cpu_time, wall_time) = (Nanos(98), Nanos(100));
            summary.client.workers = vec![Worker { cpu_time, wall_time, ..Worker::default() }];
            summary.verdict.limit = Limit::ClientCpu;
            summary.verdict.why = "a worker of blast was busy 98 % of the time".to_string();
            summary.verdict.change = "give blast more cores".to_string();
        }
        let last = fates.iter().filter_map(|fate| fate.done).fold(end, f64::max);
        NOW.set(NOW.get() + last.min(end + plan.drain.as_secs_f64()));
        Ok(summary)
    }

    fn reconnect(&mut self) {}
}

/// While they come, and when all are there.
fn stages(plan: &Plan, all_there: Summary) -> Vec<Stage> {
    let of = |stage: &crate::plan::shape::Stage| Stage {
        start: stage.start,
        length: stage.length,
        from: stage.from as f64,
        to: stage.to as f64,
        held: Nanos::ZERO,
        fates: Default::default(),
        events: Default::default(),
    };
    let mut stages: Vec<Stage> = plan.load.stages().iter().map(of).collect();
    if let Some(last) = stages.last_mut() {
        (last.fates, last.events) = (all_there.measure, all_there.measure_events);
    }
    stages
}

/// A plan of users who think as long as these.
pub fn users(server: &Simulated, rules: &[&str]) -> Plan {
    let time = |seconds: f64| Nanos((seconds * 1e9) as u64);
    let step = Step {
        what: Steps::One(0),
        repeat: (1, 1),
        probability: 1.0,
        weight: 1,
        think: Think::Uniform(time(server.think.0), time(server.think.1)),
    };
    let scenario = Scenario {
        requests: Vec::new(),
        entries: Vec::new(),
        model: Model::Users(Flow { steps: vec![step], ..Flow::default() }),
        run_setup: Vec::new(),
        run_teardown: Vec::new(),
        tables: Vec::new(),
        captures: Vec::new(),
        checks: Vec::new(),
        seed: 1,
        has_cookies: false,
        body_limit: 0,
        request_id: None,
    };
    Plan { scenario: Some(Arc::new(scenario)), ..plan(rules) }
}

/// A plan with these rules.
pub fn plan(rules: &[&str]) -> Plan {
    let url = Url::parse("http://localhost/").expect("a URL");
    let rule = |text: &&str| Threshold::parse(text).expect("a rule");
    let thresholds = rules.iter().map(rule).collect();
    Plan { thresholds, ..Plan::new(url, Request::new("GET", "/", "localhost")) }
}
