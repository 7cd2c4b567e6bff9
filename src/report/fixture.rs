//! Synthetic runs: whole plans and summaries whose figures agree with each other, for the tests of
//! every view. A secret stands wherever one can be planted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::Document;
use crate::failure::Kind;
use crate::http::Request;
use crate::metrics::{
    Audit, Client, Connections, Events, Example, Fates, Interval, Mode, Phase, Summary, Verdict,
    Warning, Worker,
};
use crate::plan::{Engine, Load, Pin, Plan, Rate, Url, Wait};
use crate::time::Nanos;

/// No output may contain it.
pub const SECRET: &str = "planted-s3cr3t";

/// A run that never was.
pub struct Run {
    pub plan: Plan,
    pub summary: Summary,
}

impl Run {
    pub fn document(&self) -> Document {
        Document::new(&self.plan, &self.summary)
    }

    /// Puts in what follows from the figures.
    fn judged(mut self) -> Run {
        self.summary.audit = Audit::of(&self.summary);
        self.summary.verdict = Verdict::of(&self.summary);
        self
    }
}

/// Every preset with its name.
pub fn all() -> Vec<(&'static str, Run)> {
    vec![
        ("held", held()),
        ("behind", behind()),
        ("closed", closed()),
        ("refused", refused()),
        ("mixed", mixed()),
        ("empty", empty()),
        ("interrupted", interrupted()),
        ("warmed_up", warmed_up()),
    ]
}

/// Open loop, 50,000/s over 10,000 connections for 10 s, held.
pub fn held() -> Run {
    let mut run = blank(open(50_000), 10_000);
    let measure = &mut run.summary.measure;
    for (due_us, lag_ns, count) in QUICK {
        answer(measure, Nanos::from_micros(due_us), Nanos(lag_ns), count, 200);
    }
    steady(&mut run.summary, 10);
    connected(&mut run.summary, 10_000);
    run.summary.client = client(&[(1, 4_310, 230, 10_000)], 31_200_000);
    run.judged()
}

/// Open loop, 20,000/s for 10 s over 64 connections; the server answers 4,870/s.
pub fn behind() -> Run {
    const RATE: u64 = 20_000;
    const ANSWERED: u64 = 4_870;
    let mut run = blank(open(RATE), 64);
    let fates = &mut run.summary.measure;
    let batch = 100;
    for k in (0..10 * RATE).step_by(batch as usize) {
        let due = Nanos(k * 1_000_000_000 / RATE);
        let service = Nanos::from_micros(11_800 + k / batch % 23 * 120);
        let done = Nanos(k * 1_000_000_000 / ANSWERED + 150) + service;
        if done < Nanos::from_secs(20) {
            answer(fates, done - due, done - due - service, batch, 200);
        } else {
            drop_unsent(fates, Nanos::from_secs(20) - due, batch);
        }
    }
    fates.waited.count = fates.counters.sent;
    fates.waited.total = Nanos(fates.counters.sent * 13_120_000);
    fates.unwaited.count = 64;
    fates.unwaited.total = Nanos::from_micros(64 * 450);
    backlogged(&mut run.summary, RATE, ANSWERED);
    connected(&mut run.summary, 64);
    run.summary.client = client(&[(1, 610, 170, 64)], 9_800_000);
    run.summary.warnings = vec![Warning::Waited { share: 0.9997 }];
    run.judged()
}

/// Closed loop over 64 connections on two workers for 10 s.
pub fn closed() -> Run {
    let mut run = blank(Load::Closed, 64);
    run.plan.request.method = "POST".to_string();
    run.plan.request.body = Bytes::from_static(b"{\"a\": 1}");
    for (due_us, _, count) in QUICK {
        let time = Nanos::from_micros(due_us * 4);
        answer(&mut run.summary.measure, time, Nanos::ZERO, count, 200);
    }
    steady(&mut run.summary, 10);
    connected(&mut run.summary, 64);
    run.summary.client = client(&[(3, 3_350, 0, 32), (2, 3_290, 0, 32)], 9_100_000);
    run.judged()
}

/// Open loop; the server died before measure began.
pub fn refused() -> Run {
    let mut run = blank(open(1_000), 100);
    for k in (0..10_000).step_by(100) {
        let age = Nanos::from_secs(20) - Nanos(k * 1_000_000);
        drop_unsent(&mut run.summary.measure, age, 100);
    }
    steady(&mut run.summary, 10);
    run.summary.connections.asked = 100;
    run.summary.connections.failures[Kind::ConnectRefused as usize] = 12_400;
    run.summary.client = client(&[(1, 90, 10, 100)], 9_100_000);
    run.summary.warnings = vec![Warning::ConnectionsMissing { asked: 100, failed: 100 }];
    run.judged()
}

/// Open loop with one of each trouble, and a broken audit.
pub fn mixed() -> Run {
    let mut run = blank(open(50_000), 1_000);
    run.plan.pipeline = 4;
    let fates = &mut run.summary.measure;
    for (due_us, lag_ns, count) in QUICK {
        let count = if count == QUICK[2].2 { count - 12_345 } else { count };
        answer(fates, Nanos::from_micros(due_us), Nanos(lag_ns), count, 200);
    }
    let quick = Nanos::from_micros(40);
    for (status, count) in [(429, 9_000), (404, 120), (400, 20), (503, 1_900), (500, 100)] {
        answer(fates, quick, Nanos(300), count, status);
    }
    fail(fates, Kind::Timeout, Nanos::from_secs(10), 400);
    fail(fates, Kind::ReceiveReset, Nanos::from_millis(3), 320);
    fail(fates, Kind::Truncated, Nanos::from_millis(9), 30);
    fail(fates, Kind::ReceiveFailed, Nanos::from_millis(2), 12);
    fail(fates, Kind::BuffersExhausted, Nanos::from_millis(2), 3);
    abandon(fates, Nanos::from_millis(9_000), Nanos(400), 40);
    drop_unsent(fates, Nanos::from_millis(11_000), 400);
    steady(&mut run.summary, 10);
    connected(&mut run.summary, 1_000);
    trouble(&mut run.summary);
    run.summary.client = client(&[(3, 4_950, 20, 500), (2, 4_890, 30, 500)], 120_400_000);
    let mut run = run.judged();
    run.summary.audit.checks[1].ok = false;
    run.summary.audit.checks[1].right -= 7;
    run
}

/// Nothing was asked and nothing happened.
pub fn empty() -> Run {
    let mut run = blank(Load::Closed, 1);
    run.summary.measured = Nanos::ZERO;
    run.judged()
}

/// Closed loop, stopped by Ctrl-C.
pub fn interrupted() -> Run {
    let mut run = blank(Load::Closed, 8);
    run.summary.complete = false;
    run.summary.measured = Nanos::from_millis(3_217);
    answer(&mut run.summary.measure, Nanos::from_micros(410), Nanos::ZERO, 30, 200);
    answer(&mut run.summary.measure, Nanos::from_micros(310), Nanos::ZERO, 170, 200);
    abandon(&mut run.summary.measure, Nanos::from_millis(120), Nanos::ZERO, 2);
    steady(&mut run.summary, 3);
    connected(&mut run.summary, 8);
    run.summary.client = client(&[(1, 12, 0, 8)], 8_400_000);
    run.judged()
}

/// Open loop after 2 s of warm-up; two addresses, local ones bound.
pub fn warmed_up() -> Run {
    let mut run = held();
    run.plan.warmup = Nanos::from_secs(2);
    run.plan.bind = vec![IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))];
    run.plan.pin = Pin::List(vec![1, 0]);
    let summary = &mut run.summary;
    summary.warmup_length = Nanos::from_secs(2);
    summary.addresses.push(SocketAddr::from(([127, 0, 0, 1], 8081)));
    answer(&mut summary.warmup, Nanos::from_micros(900), Nanos(500), 100_000, 200);
    summary.warmup_events = events_of(&summary.warmup, 1);
    let length = summary.warmup_length;
    summary.intervals.iter_mut().for_each(|interval| interval.end += length);
    let half = events_of(&summary.warmup, 2);
    let early = [1, 2].map(|t| interval(t, Phase::Warmup, half));
    summary.intervals.splice(0..0, early);
    run.judged()
}

/// Response time in us, send lag in ns, how many: half a million in all, the shape of a quick
/// server on the same host.
const QUICK: [(u64, u64, u64); 10] = [
    (41, 110, 40_000),
    (58, 180, 140_000),
    (66, 260, 200_000),
    (81, 340, 70_000),
    (97, 900, 30_000),
    (142, 2_100, 14_000),
    (288, 9_800, 5_000),
    (910, 31_000, 890),
    (2_310, 84_000, 90),
    (5_480, 310_000, 20),
];

fn open(rate: u64) -> Load {
    Load::Open { rate: Rate::per_second(rate) }
}

fn blank(load: Load, connections: u32) -> Run {
    let mode = if load.rate().is_some() { Mode::Open } else { Mode::Closed };
    let plan = plan(load, connections);
    let summary = Summary {
        complete: true,
        started_at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_772_366_400_250),
        mode,
        target_per_s: load.rate().map(Rate::per_s),
        measured: Nanos::from_secs(10),
        warmup_length: Nanos::ZERO,
        measure: Fates::default(),
        warmup: Fates::default(),
        measure_events: Events::default(),
        warmup_events: Events::default(),
        drain_events: Events::default(),
        peak_good_per_s: 0.0,
        intervals: Vec::new(),
        interval_length: Nanos::from_secs(1),
        connections: Connections::default(),
        unsolicited_bytes: 0,
        examples: Vec::new(),
        addresses: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
        client: Client { engine: "ring", wait: "hybrid", ..Client::default() },
        in_flight_area_ns: 0,
        sent_to_end_ns: 0,
        sent_early: 0,
        verdict: Verdict { limit: crate::metrics::Limit::None, why: String::new() },
        audit: Audit::default(),
        warnings: Vec::new(),
    };
    Run { plan, summary }
}

fn plan(load: Load, connections: u32) -> Plan {
    let url = format!("http://blast:{SECRET}@127.0.0.1:8080/items?api_key={SECRET}&page=2");
    let url = Url::parse(&url).unwrap();
    let target = url.target.clone();
    let header = |name: &str, value: String| (name.to_string(), value);
    let headers = vec![
        header("Host", "127.0.0.1:8080".to_string()),
        header("User-Agent", "blast".to_string()),
        header("Authorization", url.authorization.clone().unwrap()),
        header("Proxy-Authorization", format!("Bearer {SECRET}")),
        header("Cookie", format!("session={SECRET}")),
        header("X-Api-Key", SECRET.to_string()),
    ];
    Plan {
        url,
        request: Request { method: "GET".to_string(), target, headers, body: Bytes::new() },
        load,
        connections,
        threads: None,
        pipeline: 1,
        keepalive: true,
        requests_per_connection: None,
        connect_rate: None,
        timeout: Nanos::from_secs(10),
        connect_timeout: Nanos::from_secs(5),
        warmup: Nanos::ZERO,
        duration: Some(Nanos::from_secs(10)),
        requests: None,
        drain: Nanos::from_secs(10),
        engine: Engine::Ring,
        wait: Wait::Hybrid,
        pin: Pin::Auto,
        bind: Vec::new(),
    }
}

/// `count` answers, `response` after they were due, which were sent `lag` after that. No lag at all
/// stands for a closed loop.
fn answer(fates: &mut Fates, response: Nanos, lag: Nanos, count: u64, status: usize) {
    fates.counters.completed += count;
    fates.counters.statuses[status] += count;
    if status < 400 {
        fates.counters.good += count;
        fates.good.record_many(response, count);
        if lag > Nanos::ZERO {
            fates.service.record_many(response - lag, count);
        }
    } else {
        fates.censored.record_many(response, count);
        fates.rejected.record_many(response, count);
    }
    send(fates, lag, count);
}

fn fail(fates: &mut Fates, kind: Kind, age: Nanos, count: u64) {
    fates.counters.failures[kind as usize] += count;
    fates.censored.record_many(age, count);
    fates.failed.record_many(age, count);
    if kind == Kind::Timeout {
        fates.service.record_many(age, count);
    }
    send(fates, Nanos(400), count);
}

fn abandon(fates: &mut Fates, age: Nanos, lag: Nanos, count: u64) {
    fates.counters.abandoned += count;
    fates.censored.record_many(age, count);
    fates.service.record_many(age - lag, count);
    send(fates, lag, count);
}

fn send(fates: &mut Fates, lag: Nanos, count: u64) {
    fates.counters.scheduled += count;
    fates.counters.sent += count;
    if lag > Nanos::ZERO {
        fates.send_lag.record_many(lag, count);
    }
}

fn drop_unsent(fates: &mut Fates, age: Nanos, count: u64) {
    fates.counters.scheduled += count;
    fates.counters.dropped += count;
    fates.censored.record_many(age, count);
}

/// Everything happened inside measure, evenly; what was dropped, when the drain ended.
fn steady(summary: &mut Summary, seconds: u64) {
    summary.measure_events = events_of(&summary.measure, 1);
    summary.drain_events.dropped = summary.measure.counters.dropped;
    let each = events_of(&summary.measure, seconds);
    summary.intervals = (1..=seconds).map(|t| interval(t, Phase::Measure, each)).collect();
    summary.peak_good_per_s = each.good as f64 * 1.0024;
    areas(summary);
}

fn events_of(fates: &Fates, parts: u64) -> Events {
    let counters = &fates.counters;
    Events {
        scheduled: counters.scheduled / parts,
        sent: counters.sent / parts,
        on_schedule: counters.sent / parts,
        completed: counters.completed / parts,
        good: counters.good / parts,
        failed: counters.failed() / parts,
        dropped: 0,
        bytes_received: counters.completed / parts * 147,
        bytes_sent: counters.sent / parts * 61,
    }
}

/// Measure and drain of a server that answers at its own rate.
fn backlogged(summary: &mut Summary, offered: u64, answered: u64) {
    let counters = summary.measure.counters.clone();
    let each = Events {
        scheduled: offered,
        sent: answered,
        on_schedule: 3,
        completed: answered,
        good: answered,
        bytes_received: answered * 147,
        bytes_sent: answered * 61,
        ..Events::default()
    };
    for t in 1..=20 {
        let scheduled = if t > 10 { 0 } else { offered };
        let phase = if t > 10 { Phase::Drain } else { Phase::Measure };
        let mut interval = interval(t, phase, Events { scheduled, ..each });
        interval.in_flight = 64;
        let waits = |share: u64| Some(Nanos::from_millis(t * 757 * share / 100));
        (interval.response_p50, interval.response_p99) = (waits(92), waits(99));
        (interval.response_max, interval.send_lag_p99) = (waits(100), waits(98));
        interval.service_p99 = Some(Nanos::from_micros(13_140));
        summary.intervals.push(interval);
        if phase == Phase::Measure {
            summary.measure_events.add(&summary.intervals[t as usize - 1].events);
        }
    }
    let measured = summary.measure_events;
    summary.drain_events = Events {
        sent: counters.sent - measured.sent,
        completed: counters.completed - measured.completed,
        good: counters.good - measured.good,
        dropped: counters.dropped,
        ..Events::default()
    };
    summary.peak_good_per_s = 4_902.0;
    areas(summary);
}

fn areas(summary: &mut Summary) {
    summary.in_flight_area_ns = u128::from(summary.measure.counters.sent) * 70_000;
    summary.sent_to_end_ns = summary.in_flight_area_ns;
}

fn interval(t: u64, phase: Phase, events: Events) -> Interval {
    let some = |us: u64| (events.sent > 0).then(|| Nanos::from_micros(us + t));
    Interval {
        end: Nanos::from_secs(t),
        phase,
        events,
        in_flight: events.sent / 10_000,
        response_p50: some(66),
        response_p99: some(280),
        response_max: some(5_400),
        service_p99: some(270),
        send_lag_p99: some(9),
    }
}

fn connected(summary: &mut Summary, count: u64) {
    let connections = &mut summary.connections;
    connections.asked = count;
    connections.opened = count;
    connections.open_peak = count;
    connections.open_time = Nanos::from_micros(21_200 * count / 1_000 + 900);
    connections.connect.record_many(Nanos::from_micros(180), count - count / 10);
    connections.connect.record_many(Nanos::from_micros(2_900), count / 10);
}

fn trouble(summary: &mut Summary) {
    let connections = &mut summary.connections;
    connections.opened += 752;
    connections.reopened = 752;
    connections.reset_idle = 40;
    connections.failures[Kind::ConnectRefused as usize] = 1_200;
    connections.failures[Kind::ConnectTimeout as usize] = 17;
    summary.addresses.push(SocketAddr::from(([10, 0, 0, 7], 8080)));
    summary.unsolicited_bytes = 12;
    summary.examples = vec![Example {
        at: Nanos::from_millis(1_203),
        kind: Kind::ReceiveReset,
        connection: 17,
        errno: Some(libc::ECONNRESET),
    }];
    summary.warnings = vec![
        Warning::ResetIdle { times: 40 },
        Warning::UnsolicitedBytes { bytes: 12 },
        Warning::Waited { share: 0.012 },
    ];
}

/// Core, processor and spin time in ms, connections, one after the other; resident bytes.
fn client(workers: &[(usize, u64, u64, u64)], max_rss_bytes: u64) -> Client {
    let worker = |&(core, cpu, spin, connections): &(usize, u64, u64, u64)| Worker {
        core: Some(core),
        connections,
        cpu_time: Nanos::from_millis(cpu),
        spin_time: Nanos::from_millis(spin),
        starved_time: Nanos::from_millis(20),
        wall_time: Nanos::from_secs(10),
        enters: cpu * 40,
        completions: cpu * 120,
        ..Worker::default()
    };
    Client {
        engine: "ring",
        wait: "hybrid",
        overshoot: Nanos::from_micros(38),
        max_rss_bytes,
        workers: workers.iter().map(worker).collect(),
    }
}
