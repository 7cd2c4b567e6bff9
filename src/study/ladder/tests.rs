//! Ladders on a server that is all arithmetic.

use std::time::SystemTime;

use super::*;
use crate::error::{Error, Result};
use crate::http::Request;
use crate::metrics::{Audit, Mode, Summary, Verdict, fixture};
use crate::plan::{Load, Plan, Rate, Threshold, Url};
use crate::report::ladder::{LadderDocument, Step};
use crate::study::Runner;
use crate::time::Nanos;

/// Answers `capacity` a second, in 2 ms and, the more of it is used, the later.
struct Simulated {
    capacity: f64,
    /// Interrupted, or gone, in this run, counted from 0.
    interrupted: usize,
    gone: usize,
    runs: usize,
    /// Connections of each run, and how often they were opened anew.
    connections: Vec<u32>,
    reconnected: usize,
}

impl Runner for Simulated {
    fn run(&mut self, plan: &Plan) -> Result<Summary> {
        self.connections.push(plan.connections);
        self.runs += 1;
        if self.runs > self.gone {
            return Err(Error::failed("connection refused"));
        }
        let asked = plan.load.per_s().unwrap();
        let length = plan.duration.unwrap();
        let mut summary = fixture::blank(Mode::Open);
        summary.target_per_s = Some(asked);
        summary.measured = length;
        summary.complete = self.runs <= self.interrupted;
        let due = (asked * length.as_secs_f64()) as u64;
        let in_time = (asked.min(self.capacity) * length.as_secs_f64()) as u64;
        let used = (asked / self.capacity).min(1.0);
        for at in 0..due {
            let late = at.saturating_sub(in_time) as f64 / self.capacity;
            let time = Nanos((2e6 / (1.05 - used)) as u64 + (late * 1e9) as u64);
            summary.measure.good.record(time);
        }
        let counters = &mut summary.measure.counters;
        (counters.scheduled, counters.sent, counters.completed) = (due, due, due);
        counters.good = due;
        summary.measure_events.good = in_time;
        summary.audit = Audit::of(&summary);
        summary.verdict = Verdict::of(&summary);
        Ok(summary)
    }

    fn reconnect(&mut self) {
        self.reconnected += 1;
    }
}

fn server(capacity: f64) -> Simulated {
    Simulated {
        capacity,
        interrupted: usize::MAX,
        gone: usize::MAX,
        runs: 0,
        connections: Vec::new(),
        reconnected: 0,
    }
}

fn rungs(steps: &[(u32, u64)]) -> Vec<Rung> {
    let url = Url::parse("http://localhost:1/").unwrap();
    let plan = Plan::new(url, Request::new("GET", "/", "localhost:1"));
    let rung = |(workers, each): &(u32, u64)| Rung {
        name: format!("{workers}x{each}"),
        workers: Some(*workers),
        plan: Plan {
            load: Load::steady(Rate::per_second(u64::from(*workers) * each)),
            connections: *workers,
            duration: Some(Nanos::from_secs(10)),
            thresholds: vec![Threshold::parse("p95<500ms").unwrap()],
            ..plan.clone()
        },
    };
    steps.iter().map(rung).collect()
}

const SEEDS: [(u32, u64); 4] = [(2, 5), (5, 10), (10, 20), (20, 50)];

fn climbed(server: &mut Simulated, steps: &[(u32, u64)]) -> LadderDocument {
    let rungs = rungs(steps);
    let mut told = 0;
    let mut tell = |_: &Step| told += 1;
    let climbed = climb(server, &rungs, &mut tell).unwrap();
    assert_eq!(told, climbed.steps.len());
    let (started_at, took) = (SystemTime::UNIX_EPOCH, Nanos::from_secs(40));
    let told = Told { plan: &rungs[0].plan, threads: 1, started_at, took };
    document(climbed, &told)
}

fn name(mark: Option<&crate::report::ladder::Mark>) -> Option<&str> {
    mark.map(|mark| mark.name.as_str())
}

#[test]
fn the_last_step_that_holds_the_bend_and_the_way_on_are_told() {
    let mut server = server(400.0);
    let document = climbed(&mut server, &SEEDS);
    assert_eq!(name(document.last_held.as_ref()), Some("10x20"));
    assert_eq!(name(document.first_failed.as_ref()), Some("20x50"));
    assert_eq!(document.bend.as_ref().map(|bend| bend.name.as_str()), Some("20x50"));
    let failed = document.failed().unwrap();
    assert_eq!((failed.by.as_deref(), failed.good_per_s), (Some("threshold p95<500ms"), 400.0));
    assert!(document.suggestion.starts_with("the limit lies between 200/s and 1,000/s"));
    assert!(document.complete && document.steps[3].asked_per_s == 1_000.0);
    // As many connections as workers, opened anew for each step that has others.
    assert_eq!((server.connections, server.reconnected), (vec![2, 5, 10, 20], 3));
}

#[test]
fn the_order_in_which_steps_are_taken_does_not_change_what_holds() {
    let document = climbed(&mut server(400.0), &[(20, 50), (2, 5), (10, 20)]);
    assert_eq!(document.steps[0].name, "20x50");
    assert_eq!(name(document.last_held.as_ref()), Some("10x20"));
    assert_eq!(name(document.first_failed.as_ref()), Some("20x50"));
}

#[test]
fn all_that_hold_ask_for_more_and_none_for_less() {
    let document = climbed(&mut server(50_000.0), &SEEDS);
    assert_eq!((name(document.last_held.as_ref()), document.first_failed), (Some("20x50"), None));
    assert_eq!(document.bend, None);
    assert!(document.suggestion.contains("--ladder 2000,5000"), "{}", document.suggestion);
    let document = climbed(&mut server(4.0), &SEEDS);
    assert_eq!(document.last_held, None);
    assert!(document.suggestion.starts_with("not even 10/s held"), "{}", document.suggestion);
}

#[test]
fn a_step_with_too_few_samples_is_not_judged_and_stands_in_nobodys_way() {
    // 2 at 5/s for 10 s: p99 needs 500.
    let mut rungs = rungs(&SEEDS);
    for rung in &mut rungs {
        rung.plan.thresholds = vec![Threshold::parse("p99<500ms").unwrap()];
    }
    let climbed = climb(&mut server(400.0), &rungs, &mut |_| {}).unwrap();
    let outcomes: Vec<_> = climbed.steps.iter().map(|step| step.outcome.as_str()).collect();
    assert_eq!(outcomes, ["unknown", "holds", "holds", "fails"]);
    let (started_at, took) = (SystemTime::UNIX_EPOCH, Nanos::from_secs(40));
    let told = Told { plan: &rungs[0].plan, threads: 1, started_at, took };
    let document = document(climbed, &told);
    assert_eq!(name(document.last_held.as_ref()), Some("10x20"));
    assert_eq!(name(document.first_failed.as_ref()), Some("20x50"));
}

#[test]
fn an_interrupt_and_a_server_that_is_gone_keep_the_steps_before() {
    let mut interrupted = Simulated { interrupted: 2, ..server(400.0) };
    let document = climbed(&mut interrupted, &SEEDS);
    assert_eq!((document.complete, document.steps.len()), (false, 3));
    assert_eq!(document.steps[2].outcome, "interrupted");
    assert_eq!((document.first_failed, document.bend), (None, None), "nobody knows");
    assert!(document.suggestion.ends_with("it was interrupted"), "{}", document.suggestion);
    let mut gone = Simulated { gone: 2, ..server(400.0) };
    let document = climbed(&mut gone, &SEEDS);
    assert_eq!((document.complete, document.steps.len()), (false, 2));
    assert_eq!(document.cut_short.as_deref(), Some("connection refused"));
    let mut absent = Simulated { gone: 0, ..server(400.0) };
    assert!(climb(&mut absent, &rungs(&SEEDS), &mut |_| {}).is_err());
}
