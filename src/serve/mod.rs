//! The panel: tests that are started with a button, watched live and kept. It serves; what it
//! shows is the history's and the report's, and a run is a process of its own.
//!
//! ```text
//! listen      connections: TLS, limits of time and size
//! guard       what holds for every request: Host, Origin, headers of answers
//! who         users, tokens, sessions
//! routes      the API and the pages, one declaration for both the router and its document
//! input       what is read of a request, and how it is refused
//! refusal     why something is not done
//! runs        the seam to what carries runs out
//! reading     the seam to what is made of saved runs
//! job, desk   what is asked for, and what it means
//! aim         where a load may go
//! supervisor  runs as children of the panel
//! plans       plans by name
//! catalogue   what there is of them, for people to choose from
//! page        the pages
//! ```

mod catalogue;
mod guard;
mod input;
mod listen;
mod routes;

pub mod aim;
pub mod desk;
pub mod job;
pub mod page;
pub mod plans;
pub mod reading;
pub mod refusal;
pub mod runs;
pub mod supervisor;
pub mod who;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::{Semaphore, watch};
use utoipa::ToSchema;

use crate::error::Result;
use crate::history::History;
use reading::Reading;
use refusal::Refusal;
use runs::Runs;
use who::Who;

pub use crate::plan::Limits;
pub use guard::Doors;
pub use listen::{Door, serve};
pub use routes::document;

/// Streams of events at once.
pub const MOST_STREAMS: usize = 64;

/// What the panel lets people choose from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offer {
    pub limits: Limits,
    pub targets: Vec<Target>,
    /// A folder of plans.
    pub plans: Option<PathBuf>,
}

/// A target of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Target {
    pub name: String,
    /// Without its secrets.
    pub url: String,
    /// Its name has to be typed in.
    pub protected: bool,
}

impl Target {
    pub fn of(aim: &aim::Target) -> Target {
        let (name, url) = (aim.name.clone(), aim.url.shown.to_string());
        Target { name, url, protected: aim.protected }
    }
}

/// All that the routes need.
pub struct Panel {
    pub runs: Arc<dyn Runs>,
    pub reading: Arc<dyn Reading>,
    pub history: Mutex<History>,
    pub who: Who,
    pub doors: Doors,
    pub offer: Offer,
    pub counts: Counts,
    streams: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

/// What has happened since the panel was started.
#[derive(Debug, Default)]
pub struct Counts {
    pub logins: AtomicU64,
    pub logins_refused: AtomicU64,
    pub starts: AtomicU64,
    pub starts_refused: AtomicU64,
}

impl Counts {
    pub fn one(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
}

impl Panel {
    pub fn new(
        runs: Arc<dyn Runs>,
        reading: Arc<dyn Reading>,
        history: History,
        who: Who,
        doors: Doors,
        offer: Offer,
    ) -> Panel {
        Panel {
            runs,
            reading,
            history: Mutex::new(history),
            who,
            doors,
            offer,
            counts: Counts::default(),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            closing: watch::Sender::new(false),
        }
    }

    /// Ends what goes on, stores it, and lets everybody go.
    pub async fn close(&self) {
        self.runs.close().await;
        self.closing.send_replace(true);
    }

    /// Something that takes a while, on a thread beside: a disk, a hash, a drawing.
    pub async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&Panel) -> std::result::Result<T, Refusal> + Send + 'static,
    ) -> std::result::Result<T, Refusal> {
        let panel = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || act(&panel)).await;
        done.unwrap_or_else(|_| Err(Refusal::failed("the panel has a fault; look at its log")))
    }

    /// The same with the history.
    pub async fn of_history<T: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&mut History) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Refusal> {
        self.aside(move |panel| Ok(panel.with_history(act)?)).await
    }

    pub fn with_history<T>(&self, act: impl FnOnce(&mut History) -> Result<T>) -> Result<T> {
        // SQLite leaves nothing half done.
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut history)
    }
}
