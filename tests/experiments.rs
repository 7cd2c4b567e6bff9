//! Experiments with known answers, in short: each run's numbers follow from arithmetic (`law`), on
//! the embedded target over loopback. `scripts/experiments` has them in full length.
//!
//! A machine that runs tests is shared, so whatever is a time has a tolerance that says where it
//! comes from, and two more tries. A count is exact at the first.

mod arithmetic;
mod arrivals;
mod freezes;
mod law;
mod limits;
mod queues;
mod waits;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use blast::Nanos;
use blast::target::{Arrival, Behaviour, Options, Target};

use crate::support::{Blast, Document};

/// A target on the lowest core, as the load takes the highest. `stall=1s/3s delay=10ms`.
fn target(words: &str) -> Target {
    let mut behaviour = Behaviour::default();
    for (key, value) in words.split_whitespace().filter_map(|pair| pair.split_once('=')) {
        assert_eq!(behaviour.set(key, value), Ok(true), "{key}={value}");
    }
    let cores = Some(vec![blast::host::allowed_cores()[0]]);
    Target::start(Options { behaviour, cores, log: Some(100_000), ..Options::default() }).unwrap()
}

fn blast(engine: &str, target: &Target, flags: &str) -> Document {
    Blast::new(engine, &format!("http://{}/", target.address())).args(flags).document()
}

/// Instants of a log, in seconds and in order.
fn arrived(log: &[Arrival]) -> Vec<f64> {
    log.iter().map(|arrival| arrival.arrived.as_secs_f64()).collect()
}

/// A time of the document's `latency`, in seconds.
fn seconds(document: &Document, path: &str) -> f64 {
    document.number(&format!("latency.{path}_us")) / 1e6
}

/// What was not as it should be, in one try.
#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn near(&mut self, what: &str, found: f64, expected: f64, tolerance: f64) {
        self.within(what, found, expected - tolerance, expected + tolerance);
    }

    fn within(&mut self, what: &str, found: f64, least: f64, most: f64) {
        if !(least..=most).contains(&found) {
            self.0.push(format!("{what}: {found:.6} is not in {least:.6} to {most:.6}"));
        }
    }
}

/// Times are measured up to three times: what else runs here may spoil any of them.
#[track_caller]
fn measured(mut measure: impl FnMut(&mut Found)) {
    let mut tries = Vec::new();
    while tries.len() < 3 {
        let mut found = Found::default();
        measure(&mut found);
        if found.0.is_empty() {
            return;
        }
        tries.push(found.0);
    }
    panic!("out of tolerance three times: {tries:#?}");
}

/// A target that can be stopped by a signal: a process of its own.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start() -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blast"));
        command.args(["target", "--port", "0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("blast target listens on ").unwrap().to_owned();
        Process { child, url }
    }

    /// For how long it really was, in seconds.
    fn freeze(&self, time: Duration) -> f64 {
        let began = Instant::now();
        self.signal(libc::SIGSTOP);
        thread::sleep(time);
        self.signal(libc::SIGCONT);
        began.elapsed().as_secs_f64()
    }

    fn signal(&self, signal: i32) {
        // SAFETY: signals our own child, which has not been waited for.
        unsafe { libc::kill(self.child.id() as i32, signal) };
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a request was held up: 0 where the answer never left.
fn held(arrival: &Arrival) -> Nanos {
    arrival.answered - arrival.arrived
}
