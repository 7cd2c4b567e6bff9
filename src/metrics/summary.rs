//! The summary: the whole run in figures. Every view and every verdict is made from it.

use std::time::SystemTime;

use super::{
    Audit, Calibration, CheckCount, Course, Distribution, Events, Fates, Gauges, Groups, Histogram,
    Interval, Named, Profile, Server, Sessions, Slow, Verdict, Warning, WatchedLog,
};
use crate::address::Address;
use crate::agreed::Agreed;
use crate::evidence::Evidence;
use crate::failure::Kind;
use crate::time::Nanos;

/// What decided when a request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Latency is counted from the intended time.
    Open,
    /// Latency is counted from the send: it is no user's waiting time.
    Closed,
}

/// One finished run.
#[derive(Clone, Debug)]
pub struct Summary {
    /// False when it was interrupted, or ended by a rule.
    pub complete: bool,
    /// The rule that ended it.
    pub aborted: Option<Aborted>,
    /// Wall clock at the start of measure.
    pub started_at: SystemTime,
    /// The start of warm-up on the clock of [`crate::time`]: what is read beside the run is
    /// told from there.
    pub origin: Nanos,
    pub mode: Mode,
    /// The rate asked for, over a shape on average; open loop only.
    pub target_per_s: Option<f64>,
    /// The length of measure as it was.
    pub measured: Nanos,
    pub warmup_length: Nanos,
    /// How a warm-up without a given length ended.
    pub warmup_end: Option<WarmupEnd>,
    /// Requests due in measure.
    pub measure: Fates,
    /// The same by stage; empty for a steady load.
    pub stages: Vec<Stage>,
    /// How the load was changed while it ran, in order; each begins a stage.
    pub edits: Vec<Edit>,
    /// Requests due in warm-up.
    pub warmup: Fates,
    /// Requests that set users up and took them down, in all phases.
    pub aside: Fates,
    /// Whose requests they were; `None` without a scenario. So it is with the rows by name, the
    /// checks and the sessions.
    pub model: Option<&'static str>,
    pub names: Vec<Named>,
    pub checks: Vec<CheckCount>,
    pub sessions: Option<Sessions>,
    /// The answers by one of their headers; `None`: nobody asked.
    pub groups: Option<Groups>,
    /// What happened inside measure, inside warm-up, and in the drain.
    pub measure_events: Events,
    pub warmup_events: Events,
    pub drain_events: Events,
    /// The best second of good responses in measure.
    pub peak_good_per_s: f64,
    pub intervals: Vec<Interval>,
    pub interval_length: Nanos,
    pub connections: Connections,
    /// What TLS agreed on, by the first connection.
    pub agreed: Option<Agreed>,
    pub unsolicited_bytes: u64,
    pub examples: Vec<Example>,
    /// The slowest requests of measure, slowest first, and that of each interval in order.
    pub slowest: Vec<Slow>,
    pub slowest_by_interval: Vec<Slow>,
    /// The addresses of the target that were connected to, all used round robin.
    pub addresses: Vec<Address>,
    /// How many connections opened to each of them.
    pub opened_at: Vec<u64>,
    /// How asking again for the target's name went; `None`: that was not asked for.
    pub refreshes: Option<Refreshes>,
    pub client: Client,
    /// What was read beside the load; `None` where nobody looked.
    pub gauges: Option<Gauges>,
    /// The log that was followed; `None` where none was.
    pub watched_log: Option<WatchedLog>,
    /// Who was watched beside it; `None`: nobody.
    pub server: Option<Server>,
    /// Of the watched server, where one was taken.
    pub profile: Option<Profile>,
    /// What blast can send, as it was measured before; `None`: it was not, of a load like this.
    pub calibration: Option<Calibration>,
    /// Two sums over the same time, accumulated apart: see [`Audit`].
    pub in_flight_area_ns: u128,
    pub sent_to_end_ns: u128,
    /// Times that could not be: `sent < intended`.
    pub sent_early: u64,
    pub verdict: Verdict,
    pub audit: Audit,
    pub warnings: Vec<Warning>,
}

/// How a warm-up that was to last until the answers are steady came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmupEnd {
    /// They were steady.
    Steady,
    /// They were not, in the longest time it may take.
    Unsteady,
}

/// The connections of the run, all phases.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    pub asked: u64,
    /// Opened, the first time or again.
    pub opened: u64,
    /// Opened again after an earlier one had ended.
    pub reopened: u64,
    pub open_peak: u64,
    /// From the start until each connection was open or had failed once.
    pub open_time: Nanos,
    /// Closed or reset by the server while no request was on them.
    pub reset_idle: u64,
    /// Connects that found the listen queue of a Unix socket full, and were tried again.
    pub queue_full: u64,
    pub failures: [u64; Kind::COUNT],
    /// Connect times of all that opened, without TLS.
    pub connect: Histogram,
    /// Handshake times of TLS, of those that began anew and of those that took up an earlier one.
    pub full_handshakes: Histogram,
    pub resumed_handshakes: Histogram,
    /// TLS connections that the server closed without saying so first.
    pub cut: u64,
    /// TLS connections with requests, by who encrypted these: the kernel, or blast.
    pub kernel_sealed: u64,
    pub self_sealed: u64,
}

impl Connections {
    pub fn failed(&self) -> u64 {
        self.failures.iter().sum()
    }

    /// Adds another worker's.
    pub fn add(&mut self, other: &Connections) {
        self.asked += other.asked;
        self.opened += other.opened;
        self.reopened += other.reopened;
        self.open_peak += other.open_peak;
        self.open_time = self.open_time.max(other.open_time);
        self.reset_idle += other.reset_idle;
        self.queue_full += other.queue_full;
        super::counters::add_each(&mut self.failures, &other.failures);
        self.connect.add(&other.connect);
        self.full_handshakes.add(&other.full_handshakes);
        self.resumed_handshakes.add(&other.resumed_handshakes);
        self.cut += other.cut;
        self.kernel_sealed += other.kernel_sealed;
        self.self_sealed += other.self_sealed;
    }
}

/// How looking up the target's name again went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshes {
    pub asked: u64,
    /// Times that other addresses were found.
    pub changes: u64,
    pub failed: u64,
}

/// How many failures of one kind are kept as examples.
pub const EXAMPLES: u8 = 5;

/// One of the first failures of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// From the start of warm-up (zero: while connecting).
    pub at: Nanos,
    pub kind: Kind,
    /// The connection's number over all workers.
    pub connection: u64,
    /// Where it can be known.
    pub local_port: Option<u16>,
    pub errno: Option<i32>,
    /// The connection had carried an answer before.
    pub reused: bool,
    pub evidence: Evidence,
}

/// A stretch of the load's shape.
#[derive(Clone, Debug)]
pub struct Stage {
    /// From the start of measure.
    pub start: Nanos,
    /// As it was: the end of the run cuts it.
    pub length: Nanos,
    /// The level at its two ends: requests per second, or connections.
    pub from: f64,
    pub to: f64,
    /// How long, at its end, the level was held: where measure was made longer than its shape.
    pub held: Nanos,
    /// Requests due in it, wherever they ended.
    pub fates: Fates,
    /// What happened in it.
    pub events: Events,
}

impl Stage {
    /// The level on average.
    pub fn level(&self) -> f64 {
        let (all, held) = (self.length.as_secs_f64(), self.held.as_secs_f64());
        let between = (self.from + self.to) / 2.0;
        if all > 0.0 { (between * (all - held) + self.to * held) / all } else { between }
    }
}

/// A change of the load while it ran: for good, and in the place of what was to follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// From the start of warm-up, or of measure where there is none; zero for before.
    pub at: Nanos,
    pub level: Level,
    pub who: String,
}

/// What the load was changed to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// Requests per second.
    Rate(f64),
    /// Connections that take part; of a scenario, users.
    Users(u32),
}

/// A time at which blast itself did not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// From the start of warm-up.
    pub at: Nanos,
    pub length: Nanos,
}

/// How a rule came to end the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Aborted {
    pub expr: String,
    /// The end of the window in which it was true, from the start of warm-up.
    pub at: Nanos,
    /// The length of that window.
    pub window: Nanos,
    /// What was measured in it.
    pub value: f64,
    pub unit: &'static str,
}

/// What the load cost this host, in measure.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub engine: &'static str,
    pub wait: &'static str,
    /// How late a blocking wait wakes here, measured at start; the hybrid wait spins this long.
    pub overshoot: Nanos,
    pub max_rss_bytes: u64,
    /// When some worker did not run although it had to; the longest ones.
    pub pauses: Vec<Pause>,
    pub workers: Vec<Worker>,
}

impl Client {
    /// Processor time of the workers in measure.
    pub fn cpu(&self) -> Nanos {
        self.workers.iter().fold(Nanos::ZERO, |sum, worker| sum + worker.cpu_time)
    }

    pub fn rings(&self) -> u64 {
        self.workers.iter().map(|w| w.rings).sum()
    }

    /// Bytes of blast's own memory that a connection takes.
    pub fn memory_per_connection(&self) -> u64 {
        let connections: u64 = self.workers.iter().map(|w| w.connections).sum();
        let memory: u64 = self.workers.iter().map(|w| w.memory).sum();
        memory.div_ceil(connections.max(1))
    }

    pub fn enters(&self) -> u64 {
        self.workers.iter().map(|w| w.enters).sum()
    }

    pub fn completions(&self) -> u64 {
        self.workers.iter().map(|w| w.completions).sum()
    }

    pub fn buffers_exhausted(&self) -> u64 {
        self.workers.iter().map(|w| w.buffers_exhausted).sum()
    }

    pub fn cq_overflows(&self) -> u64 {
        self.workers.iter().map(|w| w.cq_overflows).sum()
    }
}

/// One worker's readings, in measure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Worker {
    /// The core it is pinned to.
    pub core: Option<usize>,
    pub connections: u64,
    /// Rings it waits on; 0 on an engine that does not tell.
    pub rings: u64,
    /// What it keeps in its own memory for all its connections.
    pub memory: u64,
    pub cpu_time: Nanos,
    /// Processor time spent spinning for the next due time.
    pub spin_time: Nanos,
    /// Time it was ready to run but another thread had the core.
    pub starved_time: Nanos,
    /// Length of measure for it.
    pub wall_time: Nanos,
    pub enters: u64,
    pub completions: u64,
    /// Provided buffers or head buffers ran out.
    pub buffers_exhausted: u64,
    pub cq_overflows: u64,
}

impl Worker {
    /// The share of its time neither waiting nor spinning. Time taken by others counts as busy:
    /// it was not there for the load.
    pub fn busy(&self) -> f64 {
        if self.wall_time == Nanos::ZERO {
            return 0.0;
        }
        let busy = (self.cpu_time - self.spin_time) + self.starved_time;
        (busy.as_secs_f64() / self.wall_time.as_secs_f64()).min(1.0)
    }
}

impl Summary {
    /// From intended (closed loop: sent), all requests due, errors ranked above every good one.
    pub fn response(&self) -> Distribution {
        Distribution::ranked(&self.measure.good, &self.measure.censored)
    }

    /// How a gauge went over measure.
    pub fn gauge(&self, name: &str) -> Option<Course> {
        let start = self.warmup_length;
        self.gauges.as_ref()?.course(name, start, start + self.measured)
    }

    pub fn service(&self) -> Distribution {
        Distribution::of(self.measure.service(self.mode))
    }

    pub fn send_lag(&self) -> Distribution {
        Distribution::of(self.measure.send_lag.clone())
    }

    pub fn per_second(&self, count: u64) -> f64 {
        if self.measured == Nanos::ZERO { 0.0 } else { count as f64 / self.measured.as_secs_f64() }
    }

    pub fn good_per_s(&self) -> f64 {
        self.per_second(self.measure_events.good)
    }

    /// Sent on schedule, of what was due in measure; open loop only.
    pub fn efficiency(&self) -> Option<f64> {
        self.efficiency_of(&self.measure)
    }

    /// The same of either phase.
    pub fn efficiency_of(&self, fates: &Fates) -> Option<f64> {
        let counters = &fates.counters;
        (self.mode == Mode::Open && counters.scheduled > 0)
            .then(|| share(counters.on_schedule, counters.scheduled))
    }

    /// `good / scheduled`.
    pub fn success_share(&self) -> f64 {
        share(self.measure.counters.good, self.measure.counters.scheduled)
    }

    /// Open loop: errors of all that were due. Closed loop: failed attempts to connect count as
    /// well, since there each of them stands for the requests it kept from being sent.
    pub fn error_share(&self) -> f64 {
        let counters = &self.measure.counters;
        match self.mode {
            Mode::Open => share(counters.errors(), counters.scheduled),
            Mode::Closed => {
                let attempts = self.connections.failed();
                share(counters.errors() + attempts, counters.sent + attempts)
            }
        }
    }

    /// Client processor time per completed request, in microseconds.
    pub fn cpu_us_per_request(&self) -> Option<f64> {
        let completed = self.measure_events.completed;
        (completed > 0).then(|| self.client.cpu().as_micros_f64() / completed as f64)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
