//! The queue keeps its law, over all connections and threads.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::thread;

use blast::Nanos;
use blast::target::{Arrival, Options, Target};

use super::{Client, logged, options};

/// By the definition, apart from the target's own code: how late the n-th answer left, in
/// nanoseconds; never early. By rank, because two requests that arrived at one instant may have
/// been admitted in either order.
fn late(log: &[Arrival], workers: usize, service: Nanos) -> Vec<u64> {
    let mut free: BinaryHeap<Reverse<Nanos>> = (0..workers).map(|_| Reverse(Nanos::ZERO)).collect();
    let mut done = Vec::new();
    for arrival in log {
        let Reverse(first) = free.pop().unwrap();
        done.push(first.max(arrival.arrived) + service);
        free.push(Reverse(done[done.len() - 1]));
    }
    let mut answered: Vec<Nanos> = log.iter().map(|arrival| arrival.answered).collect();
    answered.sort_unstable();
    let late = |(answered, done): (&Nanos, &Nanos)| answered.0.checked_sub(done.0);
    let late = answered.iter().zip(&done).map(|pair| late(pair).expect("never early"));
    let mut late: Vec<u64> = late.collect();
    late.sort_unstable();
    late
}

/// The server spins before the instant, so only being scheduled away makes it late: 30 us for the
/// median on a quiet machine, 200 us where tests share two cores.
#[track_caller]
fn on_time(late: &[u64]) {
    assert!(late[late.len() / 2] < 200_000, "{late:?}");
}

/// So many connections, each with a request at a time.
fn load(target: &Target, clients: usize, each: usize, path: &str) {
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                let mut client = Client::to(target);
                (0..each).for_each(|_| assert_eq!(client.get(path).status, 200));
            });
        }
    });
}

#[test]
fn a_worker_takes_exactly_its_service_and_all_connections_queue_for_it() {
    let target = logged("service=2ms");
    load(&target, 8, 20, "/");
    let log = target.log();
    assert_eq!(log.len(), 160);
    on_time(&late(&log, 1, Nanos::from_millis(2)));
}

#[test]
fn several_workers_serve_at_once_and_no_more_than_they_are() {
    let target = logged("service=5ms workers=4");
    load(&target, 16, 10, "/");
    let log = target.log();
    assert_eq!(log.len(), 160);
    on_time(&late(&log, 4, Nanos::from_millis(5)));
}

#[test]
fn the_threads_of_a_target_share_one_queue() {
    let options = Options { threads: 3, log: Some(10_000), ..options("service=2ms workers=2") };
    let target = Target::start(options).unwrap();
    load(&target, 12, 20, "/");
    let log = target.log();
    let mut answered: Vec<Nanos> = log.iter().map(|arrival| arrival.answered).collect();
    answered.sort_unstable();
    // Two workers of 2 ms: the n-th answer never leaves before n div 2 + 1 services are over.
    for (n, answered) in (0_u64..).zip(&answered) {
        let earliest = log[0].arrived + Nanos::from_millis(2 * (n / 2 + 1));
        assert!(*answered >= earliest, "answer {n} left {:?} early", earliest - *answered);
    }
    assert_eq!(answered.len(), 240);
}

#[test]
fn a_request_can_ask_for_a_queue_by_its_query() {
    let target = logged("");
    load(&target, 4, 10, "/?service=3ms&workers=2");
    load(&target, 1, 10, "/");
    let log = target.log();
    on_time(&late(&log[..40], 2, Nanos::from_millis(3)));
    assert!(log[40..].iter().all(|arrival| arrival.answered - arrival.arrived < Nanos(2_000_000)));
}

#[test]
fn a_request_that_shall_not_be_answered_is_logged_without_an_answer() {
    let target = logged("unanswered=3");
    let mut clients: Vec<Client> = (0..6).map(|_| Client::to(&target)).collect();
    for (turn, client) in (1..).zip(&mut clients) {
        client.send("GET / HTTP/1.1\r\n\r\n");
        super::until(&target, |stats| stats.requests == turn);
    }
    for client in clients.iter_mut().enumerate().filter(|(k, _)| k % 3 != 2).map(|(_, c)| c) {
        assert_eq!(client.answer(true).status, 200);
    }
    let log = target.log();
    let unanswered = log.iter().filter(|arrival| arrival.answered == Nanos::ZERO).count();
    assert_eq!((log.len(), unanswered), (6, 2));
}
