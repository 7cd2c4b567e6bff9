//! One worker on real rings of odd sizes, against the embedded target: whatever runs out, nothing
//! is lost.

use std::thread;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::engine::job::Arrivals;
use crate::engine::relay::Relay;
use crate::metrics::{Counters, Fates};
use crate::target::{Options, Target};

/// What became of a closed loop of so many requests.
struct Outcome {
    counters: Counters,
    worker: metrics::Worker,
    received: u64,
}

/// `path`: what the target is asked for.
fn run(setup: &Setup, path: &str, connections: u32, requests: u64) -> Outcome {
    run_in_tables(setup, 1 << 20, path, connections, requests)
}

fn run_in_tables(
    setup: &Setup,
    longest_table: u32,
    path: &str,
    connections: u32,
    requests: u64,
) -> Outcome {
    let target = Target::start(Options::default()).expect("a target");
    let request = format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n");
    let arrivals = Arrivals::Closed { budget: requests, users: None };
    let job = Job::new(connections, Bytes::from(request), arrivals);
    let addresses = [target.address()].into();
    let job = Arc::new(Job { addresses, longest_table, ..job });
    let relay = Relay::closed();
    let worker = thread::spawn({
        let (job, relay, setup) = (job.clone(), relay.clone(), *setup);
        move || run_with(job, &relay, &setup)
    });
    while job.timeline.ready() == 0 && !worker.is_finished() {
        thread::sleep(Duration::from_millis(1));
    }
    job.timeline.start(time::now());
    let (mut fates, mut received) = (Fates::default(), 0);
    loop {
        let over = worker.is_finished();
        while let Some(letter) = job.mailbox.collect() {
            fates.add(&letter.snapshot.measure);
            received += letter.snapshot.events.bytes_received;
            job.mailbox.give_back(letter.snapshot);
        }
        if over {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    worker.join().expect("no panic").expect("a run");
    let finished = relay.take().expect("it was handed over");
    assert_eq!(target.stop().requests, requests);
    Outcome { counters: fates.counters, worker: finished.worker, received }
}

#[track_caller]
fn assert_all_good(outcome: &Outcome, requests: u64, least_bytes: u64) {
    let Counters { sent, good, .. } = outcome.counters;
    assert_eq!((sent, good), (requests, requests));
    assert!(outcome.received > requests * least_bytes, "{}", outcome.received);
}

#[test]
fn buffers_that_run_out_lose_nothing() {
    let setup = Setup { buffers: [1, 1], ..Setup::DEFAULT };
    let outcome = run(&setup, "/", 300, 6_000);
    assert_all_good(&outcome, 6_000, 50);
    assert!(outcome.worker.buffers_exhausted > 0);
    let outcome = run(&setup, "/?size=20k", 100, 1_000);
    assert_all_good(&outcome, 1_000, 20_000);
    assert!(outcome.worker.buffers_exhausted > 0);
}

#[test]
fn completions_that_overflow_their_queue_are_kept_and_counted() {
    let setup = Setup { submissions: 1, completions: 2, ..Setup::DEFAULT };
    for longest_table in [1 << 20, 64] {
        let outcome = run_in_tables(&setup, longest_table, "/", 1_000, 10_000);
        assert_all_good(&outcome, 10_000, 50);
        assert!(outcome.worker.cq_overflows > 0);
        assert_eq!(outcome.worker.rings, 1_000_u64.div_ceil(longest_table.into()));
    }
}

#[test]
fn a_submission_queue_of_one_entry_carries_every_operation() {
    let setup = Setup { submissions: 1, ..Setup::DEFAULT };
    let outcome = run(&setup, "/", 200, 4_000);
    assert_all_good(&outcome, 4_000, 50);
    // A system call for nearly every request.
    assert!(outcome.worker.enters > 2_000, "{}", outcome.worker.enters);
}

#[test]
fn an_older_kernel_does_without_what_it_has_not() {
    let mut setup = Setup::DEFAULT;
    setup.features.absolute_timer = false;
    setup.features.socket_options = false;
    assert_all_good(&run(&setup, "/", 50, 2_000), 2_000, 50);
    assert_all_good(&run(&setup, "/?size=1M", 4, 100), 100, 1_000_000);
}
