//! The scene of a run, drawn from its seed: what is asked of the core, and under which sky.

use std::sync::Arc;

use super::START;
use super::dice::Dice;
use super::load::{self, Load};
use super::net::Net;
use super::weather::Weather;
use crate::engine::core::tests;
use crate::engine::edits::{Edit, Level};
use crate::engine::job::{Arrivals, Job};
use crate::engine::mailbox::Mailbox;
use crate::engine::redial::CAP;
use crate::engine::timeline::{Gate, Stop, Timeline};
use crate::http::Payload;
use crate::plan::{Rate, Warmup};
use crate::time::Nanos;

pub struct Scene {
    pub jobs: Vec<Arc<Job>>,
    pub timeline: Arc<Timeline>,
    /// Requests a second of a steady open loop.
    pub rate: Option<u64>,
    pub weather: Arc<Weather>,
    /// When the user interrupts the run.
    pub interrupts: Vec<(Nanos, Stop)>,
    /// When the workers are told of a change of the load, and when it comes.
    pub edits: Vec<(Nanos, Edit)>,
    /// When a warm-up without a given length is found to be over, from its start.
    pub steady_after: Nanos,
    /// From here on the load must be as if nothing had ever gone wrong.
    pub tail_from: Nanos,
    /// The longest it can take.
    pub deadline: Nanos,
    pub dice: Dice,
}

pub fn draw(seed: u64) -> Scene {
    let mut dice = Dice::new(seed);
    let workers = dice.one(&[1, 1, 2, 3]);
    let connections = workers + dice.one(&[0, 1, 5, 12, 40]);
    let pipeline = dice.one(&[1, 1, 1, 2, 3, 8]);
    let open_loop = dice.percent(60);
    // A closed loop would send as fast as it is answered.
    let service_us =
        if open_loop { dice.one(&[50, 500, 3_000]) } else { 2_000 * connections.max(4) };
    let slowest = Nanos::from_micros(pipeline * (service_us + 4_000) * 4) + Nanos::from_millis(30);
    let timeout = slowest + dice.millis(0..=if open_loop { 600 } else { 100 });
    let connect_timeout = dice.millis(20..=400);
    let blackout = dice.percent(8);
    let base = dice.millis(if blackout { 4_000..=8_000 } else { 300..=1_500 });
    let mut warmup = match dice.below(10) {
        0..=4 => Warmup::NONE,
        5..=7 => Warmup::For(dice.millis(1..=1_200)),
        _ => Warmup::Auto,
    };
    let mut weather = Weather::draw(&mut dice, base, service_us);
    if blackout {
        weather.black_out(START + dice.millis(0..=500), START + base);
    }
    let settled = timeout + connect_timeout + Nanos::from_millis(1_200);
    let tail_from = weather.heals + settled;
    // Half of the runs that heal are long enough to see the rate return.
    let sees_tail = blackout || weather.heals < Nanos::MAX && dice.percent(60);
    let length = if sees_tail {
        base + settled + timeout.max(Nanos::from_millis(if blackout { 1_500 } else { 400 }))
    } else {
        base
    };
    let load = load::draw(&mut dice, open_loop, blackout, warmup, length, connections, workers);
    if load.users.is_some() {
        warmup = Warmup::NONE;
    }
    let request_len = request_len(&mut dice);
    let per_connection = dice.percent(25).then(|| dice.one(&[1, 1, 2, 7]));
    let connect_rate = (per_connection.is_none() && dice.percent(20))
        .then(|| Rate::per_second(dice.within(200..=5_000)));
    let drain = if dice.percent(30) { dice.millis(0..=50) } else { timeout };
    let deadline = (open_loop && dice.percent(20)).then(|| dice.millis(5..=500));
    let max_in_flight = (open_loop && dice.percent(20)).then(|| dice.within(1..=30));
    let two_addresses = weather.bad_connects == 0
        && weather.outages.is_empty()
        && !weather.fragile
        && load.users.is_none()
        && dice.percent(20);
    // Without a length it lasts as long as the budget takes, on one connection if need be.
    let budgeted = match load.duration {
        None => Nanos(load.budget * (timeout + connect_timeout + CAP).0),
        Some(_) => Nanos::ZERO,
    };
    let timeline = Arc::new(Timeline::default());
    let request = Payload::of(&vec![b'r'; request_len as usize], pipeline as u32);
    let is_head = dice.percent(10);
    let mut first_connection = 0;
    let jobs = (0..workers).map(|worker| {
        let part = |whole: u64| whole / workers + u64::from(worker < whole % workers);
        let mut job = tests::job(part(connections) as u32, load.arrivals(part));
        if two_addresses {
            job.addresses = [([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into()].into();
        }
        let job = Job {
            worker: worker as usize,
            workers: workers as usize,
            first_connection,
            request: request.clone(),
            is_head,
            pipeline: pipeline as u32,
            per_connection,
            timeout,
            connect_timeout,
            connect_rate,
            warmup,
            stage_ends: load.stage_ends(),
            duration: load.duration,
            drain,
            deadline,
            max_in_flight: max_in_flight.map_or(u64::MAX, |most| part(most).max(1)),
            timeline: timeline.clone(),
            mailbox: Arc::new(Mailbox::bare()),
            ..job
        };
        first_connection += u64::from(job.connections);
        Arc::new(job)
    });
    let edits = if blackout { vec![] } else { edits(&mut dice, &load, length, connections) };
    Scene {
        jobs: jobs.collect(),
        timeline,
        rate: load.rate.filter(|_| edits.is_empty()),
        edits,
        interrupts: if blackout { vec![] } else { interrupts(&mut dice, length) },
        steady_after: dice.millis(100..=1_500),
        tail_from,
        // Dialling at the slowest rate, the longest warm-up, the drain, and some more.
        deadline: START + length + connect_timeout + drain + Nanos::from_secs(15) + budgeted,
        weather: Arc::new(weather),
        dice,
    }
}

impl Scene {
    /// The rate at which requests are due, if it is the same all the time and none is turned away.
    pub fn steady_rate(&self) -> Option<f64> {
        let all_sent = self.jobs[0].max_in_flight == u64::MAX;
        self.rate.filter(|_| all_sent).map(|rate| rate as f64)
    }

    /// What is special about it, by name.
    pub fn features(&self) -> impl Iterator<Item = &'static str> {
        let job = &self.jobs[0];
        let open_loop = matches!(job.arrivals, Arrivals::Open(_));
        [
            (open_loop, "an open loop"),
            (!open_loop, "a closed loop"),
            (!job.stage_ends.is_empty(), "a load with a shape"),
            (self.timeline.edited() > 0, "a change of the load"),
            (self.jobs.len() > 1, "several workers"),
            (job.pipeline > 1, "pipelining"),
            (job.per_connection.is_some(), "a limit of requests per connection"),
            (job.confirms_sends(), "large requests"),
            (job.is_head, "HEAD"),
            (job.warmup != Warmup::NONE, "a warm-up"),
            (job.warmup == Warmup::Auto, "a warm-up until the answers are steady"),
            (job.deadline.is_some(), "a deadline"),
            (job.max_in_flight < u64::MAX, "a bound of requests in flight"),
            (job.connect_rate.is_some(), "a connect rate"),
            (job.addresses.count() > 1, "a dead address"),
            (self.timeline.stop() == Stop::Soon, "an interrupt"),
            (self.timeline.stop() == Stop::Now, "an end at once"),
            (self.timeline.gate() == Gate::Refused, "a run that is called off"),
            (self.weather.is_calm(), "a calm"),
            (!self.weather.outages.is_empty(), "an outage"),
            (!self.weather.stalls.is_empty(), "a stall"),
        ]
        .into_iter()
        .filter_map(|(is_so, what)| is_so.then_some(what))
    }

    /// Whether every connection of a worker has work in a stretch of this length at the end.
    pub fn is_used(&self, net: &Net, length: Nanos, origin: Nanos) -> bool {
        match &net.job.arrivals {
            Arrivals::Open(_) => self.steady_rate().is_some_and(|rate| {
                let due = rate * length.as_secs_f64() / self.jobs.len() as f64;
                due >= 4.0 * f64::from(net.job.connections) + 10.0
            }),
            Arrivals::Closed { .. } if !self.edits.is_empty() => false,
            Arrivals::Closed { budget: u64::MAX, users: None } => true,
            Arrivals::Closed { users: Some(shape), .. } => shape
                .stages()
                .last()
                .is_some_and(|last| origin + last.start + Nanos::from_millis(100) < self.tail_from),
            Arrivals::Closed { .. } => false,
        }
    }
}

/// Small ones mostly; the others are confirmed when they are written.
fn request_len(dice: &mut Dice) -> u64 {
    match dice.below(10) {
        0..=6 => dice.within(40..=400),
        7 => dice.within(2_000..=6_000),
        _ => dice.within(16_000..=150_000),
    }
}

/// A tenth of a second ahead. Bursts are whole whether or not they were to be cut, which a worker
/// knows that has heard of a change; so they are left alone.
fn edits(dice: &mut Dice, load: &Load, length: Nanos, connections: u64) -> Vec<(Nanos, Edit)> {
    if load.budget < u64::MAX || load.is_in_bursts || !dice.percent(30) {
        return vec![];
    }
    let mut at: Vec<Nanos> = (0..dice.within(1..=3)).map(|_| Nanos(dice.below(length.0))).collect();
    at.sort_unstable();
    let edit = |told: Nanos| {
        let level = match load.is_open() {
            true => Level::Rate(Rate::per_second(dice.within(1..=(connections * 30).min(250)))),
            false => Level::Users(dice.within(1..=connections) as u32),
        };
        (START + told, Edit { at: START + told + Nanos::from_millis(100), level })
    };
    at.into_iter().map(edit).collect()
}

fn interrupts(dice: &mut Dice, length: Nanos) -> Vec<(Nanos, Stop)> {
    if !dice.percent(25) {
        return vec![];
    }
    let at = START + Nanos(dice.below(length.0 + length.0 / 4));
    let first = dice.one(&[Stop::Soon, Stop::Soon, Stop::Now]);
    vec![(at, first), (at + dice.millis(0..=1_200), dice.one(&[Stop::Soon, Stop::Now]))]
}
