//! The run as other programs watch it while it goes on: counters that only grow, distributions,
//! and what is the case at the moment. `prometheus` serves it, `otlp` sends it.
//!
//! It counts all that happened from the start of warm-up, in all phases, so that nothing is ever
//! set back: at the end the counters are the sums of the document's phases. It is fed a second at
//! a time by the thread that watches the workers; these know nothing of it.
//!
//! ```text
//! state      what is added up          family     the metrics, with name, help and values
//! buckets    a distribution, as counts below bounds
//! ```

mod buckets;
mod family;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::metrics::{Interval, Label, Snapshot};

pub use buckets::{BOUNDS, Buckets, Native, SCHEMA};
pub use family::{Family, Labels, Values};
pub use state::About;

use state::State;

/// Shared by who feeds it and those who show it. Held only while a second is added or copied.
#[derive(Clone, Debug)]
pub struct Exposition(Arc<Mutex<State>>);

impl Exposition {
    pub fn new(about: About) -> Exposition {
        Exposition(Arc::new(Mutex::new(State::new(about))))
    }

    /// A worker's slice of the run is in.
    pub fn add(&self, worker: usize, snapshot: &Snapshot) {
        self.lock().add(worker, snapshot);
    }

    /// Another second is over, with what was read beside the load.
    pub fn second(&self, interval: &Interval, gauges: Vec<(Label, Option<f64>)>) {
        let mut state = self.lock();
        state.second(interval);
        state.gauges = gauges;
    }

    /// The load is over, and all slices are in.
    pub fn end(&self) {
        self.lock().end();
    }

    /// All metrics, of one moment.
    pub fn families(&self) -> Vec<Family> {
        family::all(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
