//! Two hundred seeds with each `cargo test`; more with `scripts/simulate`.

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::simulate;
use super::trace::Seen;

/// How many seeds, and the first one: `SIMULATE=N` or `SIMULATE=N,SEED`.
fn seeds() -> (u64, u64) {
    let asked = env::var("SIMULATE").unwrap_or_default();
    let mut numbers = asked.split(',').map(|number| number.trim().parse().ok());
    (numbers.next().flatten().unwrap_or(200), numbers.next().flatten().unwrap_or(1))
}

/// Runs each seed; `done` is given what it saw.
fn each(count: u64, first: u64, done: impl Fn(&Seen) + Sync) {
    let (next, failure) = (AtomicU64::new(0), Mutex::new(None::<(u64, String)>));
    let work = || {
        while failure.lock().is_ok_and(|failure| failure.is_none()) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let seed = first.wrapping_add(number);
            match simulate(seed) {
                Ok(outcome) => outcome.nets.iter().for_each(|net| done(&net.trace.seen)),
                Err(what) => {
                    failure.lock().expect("no panic in between").get_or_insert((seed, what));
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, |n| n.get());
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    if let Some((seed, what)) = failure.into_inner().expect("no panic in between") {
        panic!("seed {seed}: {what}\nto see it again: scripts/simulate 1 {seed}");
    }
}

#[test]
fn whatever_the_network_does_each_request_has_one_fate_and_the_rate_returns() {
    let (count, first) = seeds();
    let seen = Mutex::new(Seen::default());
    each(count, first, |run| seen.lock().expect("no panic in between").add(run));
    let seen = seen.into_inner().expect("no panic in between");
    for (what, times) in &seen.counts {
        println!("{times:>10} {what}");
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
