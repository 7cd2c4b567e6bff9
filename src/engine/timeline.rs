//! The timeline: the few things the workers and the control thread tell each other. Written a
//! handful of times in a run; in between a worker only reads a cache line that nobody writes.

use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use super::edits::Edit;
use crate::address::Address;
use crate::failure::Kind;
use crate::time::Nanos;
use crate::tls::Fault;

#[derive(Debug, Default)]
pub struct Timeline {
    /// Workers whose connections are each open or have failed once.
    ready: AtomicUsize,
    /// Connections that are open or have failed once, over all workers: progress to show.
    dialled: AtomicUsize,
    /// The start of warm-up on the clock; zero while it is not set.
    origin: AtomicU64,
    /// The start of measure on the clock, where it is found in the run; zero until then.
    measure: AtomicU64,
    /// The length of measure where it is not the plan's (zero: it is), and [`SETTLED`].
    length: AtomicU64,
    stop: AtomicU8,
    gate: AtomicU8,
    /// How the load was changed, in order of time, and how often.
    edits: Mutex<Vec<Edit>>,
    edited: AtomicUsize,
    refusal: Mutex<Option<Refusal>>,
}

/// Some worker has come to the end of measure: the length stays as it is.
const SETTLED: u64 = 1 << 63;

/// What a worker is asked to do about the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub enum Stop {
    /// Go on.
    No,
    /// Release nothing more, drain briefly.
    Soon,
    /// End at once, with what there is.
    Now,
}

/// Whether the target can be reached at all. The run's first connection is the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The first connection is under way; the others wait.
    Shut,
    Open,
    /// It failed at every address: the run is off.
    Refused,
}

/// How the first connection failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub address: Address,
    pub kind: Kind,
    /// Of TLS.
    pub fault: Option<Fault>,
}

impl Timeline {
    pub fn worker_is_ready(&self) {
        self.ready.fetch_add(1, SeqCst);
    }

    pub fn ready(&self) -> usize {
        self.ready.load(SeqCst)
    }

    pub fn connection_is_dialled(&self) {
        self.dialled.fetch_add(1, SeqCst);
    }

    pub fn dialled(&self) -> usize {
        self.dialled.load(SeqCst)
    }

    pub fn start(&self, origin: Nanos) {
        self.origin.store(origin.0, SeqCst);
    }

    pub fn origin(&self) -> Option<Nanos> {
        let origin = self.origin.load(SeqCst);
        (origin != 0).then_some(Nanos(origin))
    }

    pub fn begin_measure(&self, at: Nanos) {
        self.measure.store(at.0, SeqCst);
    }

    #[inline]
    pub fn measure(&self) -> Option<Nanos> {
        let measure = self.measure.load(SeqCst);
        (measure != 0).then_some(Nanos(measure))
    }

    /// The length of measure where it is not the plan's.
    #[inline]
    pub fn length(&self) -> Option<Nanos> {
        let length = self.length.load(SeqCst) & !SETTLED;
        (length != 0).then_some(Nanos(length))
    }

    /// A worker has come to the end of measure, as far as it knows: the length that holds, for
    /// good and for all of them.
    pub fn settle_length(&self) -> Option<Nanos> {
        let length = self.length.fetch_or(SETTLED, SeqCst) & !SETTLED;
        (length != 0).then_some(Nanos(length))
    }

    /// Measure is to be so long. False if some worker has come to its end: whoever is told that
    /// measure goes on has not ended it. Only one thread changes it.
    pub fn change_length(&self, to: Nanos) -> bool {
        let before = self.length.load(SeqCst) & !SETTLED;
        let to = to.0.clamp(1, SETTLED - 1);
        self.length.compare_exchange(before, to, SeqCst, SeqCst).is_ok()
    }

    /// The load changes, at a time that is still to come: what is due before then stays as it was.
    pub fn edit(&self, edit: Edit) {
        self.edits.lock().unwrap_or_else(PoisonError::into_inner).push(edit);
        self.edited.fetch_add(1, SeqCst);
    }

    /// How often the load was changed. Cheap: asked with every reading of the clock.
    #[inline]
    pub fn edited(&self) -> usize {
        self.edited.load(SeqCst)
    }

    pub fn edits(&self) -> Vec<Edit> {
        self.edits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn request_stop(&self, stop: Stop) {
        self.stop.fetch_max(stop as u8, SeqCst);
    }

    #[inline]
    pub fn stop(&self) -> Stop {
        match self.stop.load(SeqCst) {
            0 => Stop::No,
            1 => Stop::Soon,
            _ => Stop::Now,
        }
    }

    pub fn open_gate(&self) {
        self.gate.store(Gate::Open as u8, SeqCst);
    }

    pub fn refuse(&self, refusal: Refusal) {
        if let Ok(mut slot) = self.refusal.lock() {
            *slot = Some(refusal);
        }
        self.gate.store(Gate::Refused as u8, SeqCst);
    }

    pub fn gate(&self) -> Gate {
        match self.gate.load(SeqCst) {
            0 => Gate::Shut,
            1 => Gate::Open,
            _ => Gate::Refused,
        }
    }

    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal.lock().ok().and_then(|slot| slot.clone())
    }
}
