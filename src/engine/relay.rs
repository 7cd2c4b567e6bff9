//! Where a worker hands over what its load came to, and waits for another one: it keeps its
//! connections open meanwhile. Where there is none, it is told so and ends.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::core::Finished;
use super::job::Job;

#[derive(Debug, Default)]
pub struct Relay {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The core that the worker is pinned to.
    core: Option<usize>,
    finished: Option<Finished>,
    next: Option<Arc<Job>>,
    /// There is no other load.
    closed: bool,
}

impl Relay {
    /// Of a worker that ends with its load.
    #[cfg(test)]
    pub fn closed() -> Arc<Relay> {
        let relay = Relay::default();
        relay.close();
        Arc::new(relay)
    }

    pub fn sits_on(&self, core: Option<usize>) {
        self.lock().core = core;
    }

    /// The worker's side: its load is over. Blocks until there is another one; `None`: there is
    /// none.
    pub fn hand_over(&self, mut finished: Finished) -> Option<Arc<Job>> {
        let mut state = self.lock();
        finished.worker.core = state.core;
        state.finished = Some(finished);
        while !state.closed && state.next.is_none() {
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.next.take()
    }

    /// The other side: the load is over, and what it came to lies here.
    pub fn has_finished(&self) -> bool {
        self.lock().finished.is_some()
    }

    pub fn take(&self) -> Option<Finished> {
        self.lock().finished.take()
    }

    pub fn give(&self, job: Arc<Job>) {
        self.lock().next = Some(job);
        self.wake.notify_all();
    }

    pub fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is one step: a panic in between leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
