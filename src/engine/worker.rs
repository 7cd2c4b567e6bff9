//! A worker: one thread on one core, with one of the drivers.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::job::Job;
use super::tally::{Phases, Totals};
use super::{host, ring, tokio_uring};
use crate::error::{Error, Result};
use crate::metrics;
use crate::plan::Engine;

/// What a worker leaves behind, besides its snapshots.
#[derive(Debug)]
pub struct Finished {
    pub totals: Totals,
    pub worker: metrics::Worker,
    pub phases: Phases,
}

/// A worker at work.
pub struct Running {
    thread: JoinHandle<Result<Finished>>,
}

impl Running {
    pub fn start(engine: Engine, job: Arc<Job>) -> Result<Running> {
        let thread = thread::Builder::new()
            // The kernel shows 15 characters.
            .name(format!("blast-worker-{}", job.worker))
            .spawn(move || {
                if let Some(core) = job.core {
                    host::pin(core);
                }
                match engine {
                    Engine::Ring => ring::run(job),
                    Engine::TokioUring => tokio_uring::run(job),
                }
            })
            .map_err(|error| {
                Error::failed(format!(
                    "a worker thread could not be started ({error}); use fewer --threads"
                ))
            })?;
        Ok(Running { thread })
    }

    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    pub fn join(self) -> Result<Finished> {
        self.thread.join().unwrap_or_else(|_| {
            Err(Error::failed("a worker stopped on a bug in blast; please report what it printed"))
        })
    }
}
