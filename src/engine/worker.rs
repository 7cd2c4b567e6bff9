//! A worker: one thread on one core, with one of the drivers.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::core::Finished;
use super::job::Job;
use super::relay::Relay;
use super::{epoll, ring, tokio_uring};
use crate::error::{Error, Result};
use crate::host;
use crate::plan::Engine;

/// A worker at work, or between two loads. Its connections end with it.
pub struct Running {
    /// `None`: it was waited for.
    thread: Option<JoinHandle<Result<()>>>,
    relay: Arc<Relay>,
}

impl Running {
    pub fn start(engine: Engine, job: Arc<Job>) -> Result<Running> {
        let relay = Arc::new(Relay::default());
        let lent = relay.clone();
        let thread = thread::Builder::new()
            // The kernel shows 15 characters.
            .name(format!("blast-worker-{}", job.worker))
            .spawn(move || {
                lent.sits_on(job.core.filter(|core| host::pin(*core)));
                match engine {
                    Engine::Ring => ring::run(job, &lent),
                    Engine::TokioUring => tokio_uring::run(job, lent),
                    Engine::Epoll => epoll::run(job, &lent),
                }
            })
            .map_err(|error| {
                Error::failed(format!(
                    "a worker thread could not be started ({error}); use fewer --threads"
                ))
            })?;
        Ok(Running { thread: Some(thread), relay })
    }

    /// Another load for one that has finished the last.
    pub fn go_on(&self, job: Arc<Job>) {
        self.relay.give(job);
    }

    /// Its load is over, well or not.
    pub fn is_finished(&self) -> bool {
        self.relay.has_finished() || self.has_ended()
    }

    /// It ended before its work was done, by an error or a panic.
    pub fn has_failed(&self) -> bool {
        // In this order: one that has ended well has left something before.
        self.has_ended() && !self.relay.has_finished()
    }

    fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// What the load came to, once it is over.
    pub fn finish(&mut self) -> Result<Finished> {
        match self.relay.take() {
            Some(finished) => Ok(finished),
            None => Err(self.end().err().unwrap_or_else(stopped)),
        }
    }

    /// Waits for it to end: there is no other load.
    fn end(&mut self) -> Result<()> {
        self.relay.close();
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(stopped()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What it had to say of its end was asked for before.
        let _ = self.end();
    }
}

fn stopped() -> Error {
    Error::failed("a worker stopped on a bug in blast; please report what it printed")
}
