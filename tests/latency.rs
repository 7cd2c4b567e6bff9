//! Times with known answers: runs whose figures follow from arithmetic. Each has the machine to
//! itself, and says where its tolerance comes from.

use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use blast::Nanos;
use blast::target::{Arrival, Behaviour, Options, Target};

use crate::support::{Blast, Document, Heard, Server, each_engine_alone, ok};

/// When a server under test has to answer what it heard, from the first request on.
fn paced(answer_at: impl Fn(&Heard, Duration) -> Duration + Send + Sync + 'static) -> Server {
    let start: OnceLock<Instant> = OnceLock::new();
    Server::start(move |peer| {
        while let Some(heard) = peer.request() {
            let start = *start.get_or_init(|| heard.at);
            let at = answer_at(&heard, heard.at.saturating_duration_since(start));
            thread::sleep((start + at).saturating_duration_since(Instant::now()));
            peer.write(ok());
        }
    })
}

/// Answers at once, but for one stall.
fn stalling(from: f64, until: f64) -> Server {
    let (from, until) = (Duration::from_secs_f64(from), Duration::from_secs_f64(until));
    paced(move |_, since| if since >= from && since < until { until } else { since })
}

fn seconds(document: &Document, path: &str) -> f64 {
    document.number(&format!("latency.{path}_us")) / 1e6
}

#[track_caller]
fn near(what: &str, found: f64, expected: f64, tolerance: f64) {
    let off = (found - expected).abs();
    assert!(off <= tolerance, "{what}: {found:.4} s and not {expected:.4} +/- {tolerance:.4} s");
}

#[test]
fn a_stall_of_the_server_shows_in_every_quantile_that_it_reached() {
    each_engine_alone(|engine| {
        // EXPERIMENTS E1: L(q) = s + D - (1 - q) T for q > 1 - D / T; else s. With 16 connections
        // most of what the stall holds up is never sent before its end, and it is due all the
        // same.
        let (stall, length) = (0.5, 2.0);
        let server = stalling(0.7, 0.7 + stall);
        let flags = "-R 500 -d 2s -c 16 -t 1 --drain 5s";
        let document = Blast::new(engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["scheduled", "good"]), [1_000, 1_000]);
        // 2 % of D, and 20 ms for the 250 answers of the backlog: threads of a debug build.
        let tolerance = 0.02 * stall + 0.02;
        for (name, q) in [("p90", 0.9), ("p95", 0.95), ("p99", 0.99)] {
            let expected = stall - (1.0 - q) * length;
            near(name, seconds(&document, &format!("response.{name}")), expected, tolerance);
        }
        near("p50", seconds(&document, "response.p50"), 0.0, tolerance);
        near("max", seconds(&document, "response.max"), stall, tolerance);
        let mean = stall * stall / (2.0 * length);
        near("mean", seconds(&document, "response.mean"), mean, tolerance);
        // Service tells another story: sixteen slow answers of a thousand.
        near("service p95", seconds(&document, "service.p95"), 0.0, tolerance);
        near("service max", seconds(&document, "service.max"), stall, tolerance);
        // What waited for a connection stands apart.
        assert!(seconds(&document, "send_lag.p95") > 0.3);
    });
}

#[test]
fn a_closed_loop_sees_a_stall_once_a_connection_and_says_from_where_it_counts() {
    each_engine_alone(|engine| {
        // EXPERIMENTS E2c: exactly one sample a connection.
        let server = paced(|_, since| {
            let answer = since + Duration::from_millis(5);
            let stall = Duration::from_millis(300)..Duration::from_millis(600);
            if stall.contains(&answer) { stall.end } else { answer }
        });
        let flags = "-d 1s -c 10 -t 1";
        let document = Blast::new(engine, &server.url()).args(flags).document();
        let [good] = document.fates(["good"]);
        assert!((800..=1_400).contains(&good), "10 x 0.7 s / 5 ms: {good}");
        // Ten of 1,400 are not a hundredth, so the p99 knows nothing of the stall.
        near("p95", seconds(&document, "response.p95"), 0.005, 0.005);
        assert!(seconds(&document, "response.max") > 0.25);
        assert_eq!(document.text("latency_from"), "sent");
        assert_eq!(document.count("latency.send_lag.count"), 0);
    });
}

/// One request at a time, each in so long: the k-th is done `service` after the one before it.
fn single(service: Duration, workers: usize) -> Server {
    let free = Mutex::new(vec![Duration::ZERO; workers]);
    paced(move |_, since| {
        let mut free = free.lock().unwrap();
        let next = free.iter_mut().min().unwrap();
        *next = since.max(*next) + service;
        *next
    })
}

#[test]
fn an_overloaded_server_is_behind_by_as_much_as_arithmetic_says() {
    each_engine_alone(|engine| {
        // EXPERIMENTS E4: R = 200/s at a server that does C = 100/s: L(q) = s + q T (R / C - 1),
        // the backlog lasts until T R / C.
        let server = single(Duration::from_millis(10), 1);
        let flags = "-R 200 -d 1s -c 20 -t 1 --drain 5s";
        let document = Blast::new(engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["scheduled", "good"]), [200, 200]);
        // 2 %, and 10 ms for what a sleeping thread oversleeps: it does not add up.
        for (name, q) in [("p50", 0.5), ("p75", 0.75), ("p90", 0.9), ("p95", 0.95)] {
            let expected = 0.01 + q;
            near(name, seconds(&document, &format!("response.{name}")), expected, 0.03);
        }
        near("max", seconds(&document, "response.max"), 1.005, 0.03);
        let done = document.number("rate.completed_per_s");
        assert!((95.0..=101.0).contains(&done), "{done}");
        assert_eq!(document.text("verdict.limit"), "server", "{}", document.at("verdict.why"));
        assert!(document.number("rate.efficiency") < 0.5);
    });
}

#[test]
fn a_closed_loop_obeys_its_law() {
    each_engine_alone(|engine| {
        // EXPERIMENTS E6: K = 2 workers of s = 10 ms, N = 6 connections: X = K / s = 200/s and
        // latency N s / K = 30 ms, but for the first round.
        let server = single(Duration::from_millis(10), 2);
        let document = Blast::new(engine, &server.url()).args("-d 1s -c 6 -t 1").document();
        let rate = document.number("rate.completed_per_s");
        // The first answers take 10 ms; 3 % for sleeps that a thread oversleeps.
        assert!((190.0..=202.0).contains(&rate), "{rate}");
        near("p50", seconds(&document, "response.p50"), 0.03, 0.003);
        near("p90", seconds(&document, "response.p90"), 0.03, 0.005);
    });
}

#[test]
fn a_stall_in_the_warm_up_is_no_matter_of_the_measure() {
    each_engine_alone(|engine| {
        let server = stalling(0.1, 0.3);
        let flags = "-R 200 --warmup 600ms -d 600ms -c 50 -t 1";
        let document = Blast::new(engine, &server.url()).args(flags).document();
        assert_eq!(document.fates(["scheduled", "good"]), [120, 120]);
        // Nothing stalls it; 50 ms are the machine's.
        assert!(seconds(&document, "response.max") < 0.05);
        // A third of the warm-up was held up, by 0.2 s at most.
        let warmup = |name: &str| document.number(&format!("warmup.latency.response.{name}"));
        near("warm-up max", warmup("max_us") / 1e6, 0.2, 0.03);
        assert!(warmup("p75_us") > 20_000.0);
    });
}

/// A time below `limit`, in one of ten tries: what else runs on the host may take the core of
/// the worker away in any of them.
#[track_caller]
fn below(limit: f64, mut measure: impl FnMut() -> f64) {
    let mut tries = Vec::new();
    while tries.len() < 10 {
        tries.push(measure());
        if tries.last().is_some_and(|time| *time < limit) {
            return;
        }
    }
    panic!("never below {limit} s: {tries:?}; is the host busy?");
}

#[test]
fn a_known_delay_is_measured_to_a_fraction_of_a_millisecond() {
    each_engine_alone(|engine| {
        let mut behaviour = Behaviour::default();
        behaviour.set("delay", "5ms").unwrap();
        let options = Options { behaviour, cores: Some(vec![0]), ..Options::default() };
        let target = Target::start(options).unwrap();
        let url = format!("http://{}/", target.address());
        // Never less than the delay, by the histogram's three digits. More by two hops over
        // loopback and two wake-ups: 0.1 to 0.2 ms in a release build, thrice that in a debug
        // build.
        below(0.0056, || {
            let flags = "-R 1000 -d 400ms -c 20 -t 1";
            let document = Blast::new(engine, &url).args(flags).document();
            assert_eq!(document.fates(["scheduled", "good"]), [400, 400]);
            assert!(seconds(&document, "response.min") >= 0.00499);
            seconds(&document, "response.p50")
        });
    });
}

#[test]
fn requests_arrive_when_they_were_due() {
    each_engine_alone(|engine| {
        // EXPERIMENTS E7, by the server's log: the k-th arrives k / R after the first. That is
        // late itself, so what counts is how far apart the k-ths are: half of them within 0.4 ms. A
        // clock that ticks once a millisecond would spread them over 0.5.
        below(0.0004, || {
            let options = Options { log: Some(1_000), cores: Some(vec![0]), ..Options::default() };
            let mut target = Target::start(options).unwrap();
            let url = format!("http://{}/", target.address());
            let document = Blast::new(engine, &url).args("-R 997 -d 500ms -c 7 -t 1").document();
            assert_eq!(document.fates(["scheduled", "good"]), [499, 499]);
            target.halt();
            let log = target.log();
            assert_eq!(log.len(), 499);
            let since = |arrived: Nanos| (arrived.0 - log[0].arrived.0) as f64 / 1e9;
            let late =
                |(arrival, k): (&Arrival, i32)| since(arrival.arrived) - f64::from(k) / 997.0;
            let mut late: Vec<f64> = log.iter().zip(0..).map(late).collect();
            late.sort_by(f64::total_cmp);
            assert!(late[250].abs() < 0.05, "the last of them drift by {}", late[250]);
            late[374] - late[125]
        });
    });
}

#[test]
fn a_freeze_of_blast_is_laid_at_its_own_door() {
    each_engine_alone(|engine| {
        // EXPERIMENTS E9b: as a stall in the response times, but not in the service times, and
        // the verdict names blast.
        let server = Server::answering(ok());
        let flags = "-R 500 -d 2s -c 16 -t 1";
        let running = Blast::new(engine, &server.url()).args(flags).start();
        server.heard(300);
        running.freeze(Duration::from_millis(500));
        let run = running.end();
        let document = run.document();
        assert_eq!(document.fates(["scheduled", "good"]), [1_000, 1_000]);
        // At least D, later by what the stop and the backlog of 250 take.
        let lag = seconds(&document, "send_lag.max");
        assert!((0.48..0.65).contains(&lag), "{lag}");
        // L(q) = D - (1 - q) T.
        near("p90", seconds(&document, "response.p90"), 0.3, 0.06);
        near("p99", seconds(&document, "response.p99"), 0.48, 0.06);
        // What was in flight when it froze is a few requests of a thousand.
        assert!(seconds(&document, "service.p95") < 0.05);
        assert_eq!(document.text("verdict.limit"), "client_cpu");
        assert_eq!(run.code(), Some(4));
    });
}

#[test]
fn latencies_do_not_depend_on_the_number_of_threads() {
    each_engine_alone(|engine| {
        let quantiles = |threads: &str| {
            let server = stalling(0.2, 0.4);
            let flags = "-R 400 -d 800ms -c 8 -t";
            let blast = Blast::calm(engine, &server.url()).args(flags).arg(threads);
            let document = blast.document();
            assert_eq!(document.fates(["scheduled", "good"]), [320, 320]);
            ["p75", "p90", "p95", "max"].map(|q| seconds(&document, &format!("response.{q}")))
        };
        // A quarter of the run is held up, by 0.2 s at most, in every worker alike: the union's
        // quantiles are the same. 30 ms are the machine's.
        for (one, two) in quantiles("1").into_iter().zip(quantiles("2")) {
            near("two threads", two, one, 0.03);
        }
    });
}

#[test]
fn the_in_flight_requests_of_an_interval_are_seen_in_the_series() {
    each_engine_alone(|engine| {
        let server = stalling(0.5, 1.2);
        let flags = "-R 100 -d 2s -c 100 -t 1";
        let document = Blast::new(engine, &server.url()).args(flags).document();
        let intervals = document.intervals();
        // Half of the first second is still in flight when it ends.
        let in_flight = intervals[0]["in_flight"].as_u64().unwrap();
        assert!((45..=55).contains(&in_flight), "{in_flight}");
        assert!(intervals[1]["in_flight"].as_u64().unwrap() <= 1);
        let scheduled: Vec<_> =
            intervals.iter().map(|i| i["scheduled"].as_u64().unwrap()).collect();
        assert_eq!(scheduled[..2], [100, 100]);
    });
}
