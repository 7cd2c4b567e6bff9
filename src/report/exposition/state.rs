//! What is added up while a run goes on.

use super::buckets::Buckets;
use crate::failure::Kind;
use crate::metrics::counters::add_each;
use crate::metrics::{Counters, Events, Fates, Interval, Label, Links, Mode, Phase, Snapshot};
use crate::time::Nanos;

/// Before the load, its phases, and after it.
pub const PHASES: [&str; 5] = ["connecting", "warmup", "measure", "drain", "ended"];

/// What does not change in a run.
#[derive(Clone, Debug)]
pub struct About {
    /// Masked.
    pub url: String,
    pub engine: &'static str,
    pub mode: Mode,
}

#[derive(Debug)]
pub struct State {
    pub about: About,
    pub phase: &'static str,
    pub events: Events,
    /// Of warm-up and measure; `scheduled` is not kept (it stands in `events`).
    pub counters: Counters,
    pub response: Buckets,
    pub service: Buckets,
    /// Open loop only.
    pub send_lag: Buckets,
    pub offered_per_s: f64,
    pub gauges: Vec<(Label, Option<f64>)>,
    /// The end of the last interval.
    last_end: Nanos,
    workers: Vec<Worker>,
}

/// What one worker said last.
#[derive(Clone, Copy, Debug, Default)]
struct Worker {
    in_flight: u64,
    links: Links,
}

impl State {
    pub fn new(about: About) -> State {
        State {
            about,
            phase: PHASES[0],
            events: Events::default(),
            counters: Counters::default(),
            response: Buckets::default(),
            service: Buckets::default(),
            send_lag: Buckets::default(),
            offered_per_s: 0.0,
            gauges: Vec::new(),
            last_end: Nanos::ZERO,
            workers: Vec::new(),
        }
    }

    /// A worker's slice of the run. Each is given once, so that the sums are those of the summary.
    pub fn add(&mut self, worker: usize, snapshot: &Snapshot) {
        self.events.add(&snapshot.events);
        self.add_fates(&snapshot.warmup);
        self.add_fates(&snapshot.measure);
        if self.workers.len() <= worker {
            self.workers.resize(worker + 1, Worker::default());
        }
        let Snapshot { in_flight, links, .. } = *snapshot;
        self.workers[worker] = Worker { in_flight, links };
    }

    fn add_fates(&mut self, fates: &Fates) {
        self.counters.add(&fates.counters);
        self.response.add(&fates.good);
        self.response.add_above_all(&fates.censored);
        self.service.add(&fates.service(self.about.mode));
        self.send_lag.add(&fates.send_lag);
    }

    /// Another second is over, for all workers.
    pub fn second(&mut self, interval: &Interval) {
        self.phase = interval.phase.name();
        let length = (interval.end - self.last_end).as_secs_f64();
        self.last_end = interval.end;
        let releases = interval.phase != Phase::Drain && length > 0.0;
        let due = if releases { interval.events.scheduled as f64 / length } else { 0.0 };
        self.offered_per_s = due;
    }

    /// The workers are gone, and with them their connections.
    pub fn end(&mut self) {
        self.phase = PHASES[4];
        self.offered_per_s = 0.0;
        for worker in &mut self.workers {
            worker.in_flight = 0;
            worker.links.open = 0;
        }
    }

    pub fn in_flight(&self) -> u64 {
        self.workers.iter().map(|worker| worker.in_flight).sum()
    }

    pub fn open(&self) -> u64 {
        self.workers.iter().map(|worker| worker.links.open).sum()
    }

    pub fn opened(&self) -> u64 {
        self.workers.iter().map(|worker| worker.links.opened).sum()
    }

    pub fn connect_failures(&self) -> [u64; Kind::COUNT] {
        let mut failures = [0; Kind::COUNT];
        self.workers.iter().for_each(|worker| add_each(&mut failures, &worker.links.failures));
        failures
    }
}
