//! Two hundred seeds with each `cargo test`; more with `scripts/simulate`.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use std::{env, thread};

use super::simulate;
use super::trace::Seen;
use crate::failure::Kind;

/// Seeds that are run with each `cargo test`.
const USUAL: u64 = 200;

/// A run takes a twentieth of a second; one that takes this long hangs inside the core.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn whatever_the_network_does_each_request_has_one_fate_and_the_rate_returns() {
    let (count, first) = seeds();
    let seen = each(count, first);
    for (what, times) in &seen.counts {
        println!("{times:>10} {what}");
    }
    if count >= USUAL {
        nothing_is_missing(&seen);
    }
}

#[test]
fn a_seed_is_a_run() {
    for seed in 1..=8 {
        let run = || {
            let outcome = simulate(seed).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
            let nets = outcome.nets.into_iter();
            let traces: Vec<_> = nets.map(|net| (net.trace.fingerprint, net.ledger)).collect();
            (outcome.books, traces)
        };
        assert!(run() == run(), "seed {seed} is two runs");
    }
}

/// How many seeds, and the first one: `SIMULATE=N` or `SIMULATE=N,SEED`.
fn seeds() -> (u64, u64) {
    let Ok(asked) = env::var("SIMULATE") else { return (USUAL, 1) };
    let mut numbers = asked.split(',').map(|number| number.parse().expect("SIMULATE=N,SEED"));
    (numbers.next().unwrap_or(USUAL), numbers.next().unwrap_or(1))
}

/// Runs each seed, on all cores. Returns what happened in them.
fn each(count: u64, first: u64) -> Seen {
    let next = Arc::new(AtomicU64::new(0));
    let (done, results) = mpsc::channel();
    for _ in 0..thread::available_parallelism().map_or(1, |n| n.get()) {
        let (next, done) = (next.clone(), done.clone());
        thread::spawn(move || {
            while let number = next.fetch_add(1, Ordering::Relaxed)
                && number < count
            {
                let seed = first.wrapping_add(number);
                let seen = simulate(seed).map(|outcome| outcome.seen());
                if done.send((seed, seen)).is_err() {
                    return;
                }
            }
        });
    }
    let mut seen = Seen::default();
    let mut running: BTreeSet<u64> = (0..count).map(|number| first.wrapping_add(number)).collect();
    for _ in 0..count {
        let Ok((seed, result)) = results.recv_timeout(PATIENCE) else {
            let seed = running.first();
            panic!("seed {seed:?} does not end; to see it again: scripts/simulate 1 {seed:?}");
        };
        running.remove(&seed);
        match result {
            Ok(of_seed) => seen.add(&of_seed),
            Err(what) => panic!("seed {seed}: {what}\nto see it again: scripts/simulate 1 {seed}"),
        }
    }
    seen
}

/// A simulation that no longer meets something tests nothing of it.
fn nothing_is_missing(seen: &Seen) {
    // Its servers speak no TLS.
    let is_met = |name: &&str| *name != "buffers_exhausted" && !name.starts_with("tls_");
    let kinds = Kind::ALL.iter().map(|kind| kind.name()).filter(is_met);
    for what in kinds.chain(MUST) {
        assert!(seen.counts.get(what).is_some_and(|times| *times > 0), "{what} never happened");
    }
    for of in ["open failed", "receive failed", "send failed"] {
        let errnos = seen.errnos.get(of).map_or(0, |errnos| errnos.len());
        assert!(errnos >= 60, "{of} with {errnos} errors only");
    }
}

const MUST: [&str; 35] = [
    "a bound of requests in flight",
    "a calm",
    "a change of the load",
    "a closed loop",
    "a connect rate",
    "a dead address",
    "a deadline",
    "a limit of requests per connection",
    "a load with a shape",
    "a run that is called off",
    "a stall",
    "a warm-up",
    "a warm-up until the answers are steady",
    "an end at once",
    "an interrupt",
    "an open loop",
    "an outage",
    "connect without an answer",
    "death",
    "early answer",
    "fin",
    "HEAD",
    "idle death",
    "large requests",
    "pause",
    "pipelining",
    "receive failed",
    "sent",
    "several workers",
    "silence",
    "slow answer",
    "the path is cut",
    "the rate returns",
    "the server stops reading",
    "told before closed",
];
