//! A queue with a known law: `K` workers, each takes a request for exactly its service time, and
//! requests are taken in the order they came, over all connections and threads of the target.
//!
//! ```text
//! done(t) = max(t, when the first of the K is free) + S      for a request that came at t
//! ```
//!
//! Nothing works: that instant is all there is to know, so the answer is merely held until then.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Arc, Mutex, PoisonError};

use super::limit::Bucket;
use crate::time::Nanos;

/// The queues of one target, by their number of workers: requests that name the same number share
/// the same workers, whatever service each of them asks for. All share the bucket of a limit.
#[derive(Debug, Default)]
pub(super) struct Queues {
    by_workers: Mutex<BTreeMap<u32, Arc<Queue>>>,
    pub bucket: Arc<Bucket>,
}

/// One queue, behind a lock: shared by all threads, and no request holds it for longer than a
/// look-up in a heap takes.
#[derive(Debug)]
pub(super) struct Queue {
    workers: u32,
    /// When each worker that is not free becomes so: never more entries than workers, nor than
    /// requests that wait.
    busy: Mutex<BinaryHeap<Reverse<Nanos>>>,
}

impl Queues {
    pub fn of(&self, workers: u32) -> Arc<Queue> {
        let mut queues = self.by_workers.lock().unwrap_or_else(PoisonError::into_inner);
        let build = || Arc::new(Queue { workers: workers.max(1), busy: Mutex::default() });
        Arc::clone(queues.entry(workers).or_insert_with(build))
    }
}

impl Queue {
    /// Admits a request that came at `arrived`; says when it is done.
    pub fn admit(&self, arrived: Nanos, service: Nanos) -> Nanos {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        while busy.peek().is_some_and(|Reverse(until)| *until <= arrived) {
            busy.pop();
        }
        let mut begins = arrived;
        if busy.len() == self.workers as usize
            && let Some(Reverse(free)) = busy.pop()
        {
            begins = free;
        }
        let done = begins + service;
        busy.push(Reverse(done));
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: Nanos = Nanos(5_000_000);

    fn admit_all(workers: u32, arrivals: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let queue = Queues::default().of(workers);
        arrivals.into_iter().map(|at| queue.admit(Nanos(at), SERVICE).0).collect()
    }

    #[test]
    fn a_request_that_finds_a_worker_free_takes_its_service_and_no_more() {
        assert_eq!(admit_all(1, [0, 5_000_000, 20_000_000]), [5_000_000, 10_000_000, 25_000_000]);
        assert_eq!(admit_all(3, [7, 7, 7]), [5_000_007; 3]);
    }

    #[test]
    fn a_request_that_finds_none_free_begins_when_the_first_is() {
        let done = admit_all(2, [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000]);
        assert_eq!(done, [5_000_000, 6_000_000, 10_000_000, 11_000_000, 15_000_000]);
    }

    #[test]
    fn an_overload_waits_as_much_longer_as_arithmetic_says() {
        // 1,000/s at 4 workers of 5 ms, which do 800/s: the k-th, in its group of four, is done
        // k div 4 services after the first of its place.
        let done = admit_all(4, (0..30_000).map(|k| k * 1_000_000));
        for (k, done) in (0_u64..).zip(done) {
            assert_eq!(done, (k / 4 + 1) * SERVICE.0 + (k % 4) * 1_000_000, "k = {k}");
        }
    }

    #[test]
    fn a_number_of_workers_names_one_queue_that_services_of_any_length_share() {
        let queues = Queues::default();
        assert_eq!(queues.of(1).admit(Nanos(0), Nanos(10)), Nanos(10));
        assert_eq!(queues.of(1).admit(Nanos(4), Nanos(3)), Nanos(13));
        assert_eq!(queues.of(2).admit(Nanos(4), Nanos(3)), Nanos(7));
    }

    #[test]
    fn the_heap_holds_no_more_than_the_workers() {
        let queue = Queues::default().of(3);
        for at in 0..1_000 {
            queue.admit(Nanos(at), SERVICE);
            assert!(queue.busy.lock().unwrap().len() <= 3);
        }
        queue.admit(Nanos(u64::MAX / 2), SERVICE);
        assert_eq!(queue.busy.lock().unwrap().len(), 1);
    }
}
