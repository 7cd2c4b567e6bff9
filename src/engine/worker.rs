//! A worker: one thread on one core, with one of the drivers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};

use super::core::Finished;
use super::job::Job;
use super::{epoll, ring, tokio_uring};
use crate::error::{Error, Result};
use crate::host;
use crate::plan::Engine;

/// A worker at work.
pub struct Running {
    thread: JoinHandle<Result<Finished>>,
    succeeded: Arc<AtomicBool>,
}

impl Running {
    pub fn start(engine: Engine, job: Arc<Job>) -> Result<Running> {
        let succeeded = Arc::new(AtomicBool::new(false));
        let flag = succeeded.clone();
        let thread = thread::Builder::new()
            // The kernel shows 15 characters.
            .name(format!("blast-worker-{}", job.worker))
            .spawn(move || {
                let pinned = job.core.filter(|core| host::pin(*core));
                let mut finished = match engine {
                    Engine::Ring => ring::run(job),
                    Engine::TokioUring => tokio_uring::run(job),
                    Engine::Epoll => epoll::run(job),
                };
                if let Ok(finished) = &mut finished {
                    finished.worker.core = pinned;
                }
                flag.store(finished.is_ok(), SeqCst);
                finished
            })
            .map_err(|error| {
                Error::failed(format!(
                    "a worker thread could not be started ({error}); use fewer --threads"
                ))
            })?;
        Ok(Running { thread, succeeded })
    }

    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// It ended before its work was done, by an error or a panic.
    pub fn has_failed(&self) -> bool {
        self.thread.is_finished() && !self.succeeded.load(SeqCst)
    }

    pub fn join(self) -> Result<Finished> {
        self.thread.join().unwrap_or_else(|_| {
            Err(Error::failed("a worker stopped on a bug in blast; please report what it printed"))
        })
    }
}
