//! How a worker's snapshots reach the control thread: boxes that go back and forth, made before
//! the start barrier, so that publishing allocates nothing and copies nothing.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pulse::Pulse;
use super::tally::INTERVAL;
use crate::metrics::Snapshot;
use crate::time::Nanos;

/// Snapshots that can be under way between a worker and the control thread. One a second is
/// published, or four, and the control thread looks more often.
const SPARES: usize = 2;

/// A published snapshot.
#[derive(Debug)]
pub struct Letter {
    pub snapshot: Box<Snapshot>,
    /// The worker sends no more for this interval.
    pub last: bool,
    /// The share of the interval so far that the worker was busy.
    pub busy: f64,
}

/// One worker's mailbox.
#[derive(Debug)]
pub struct Mailbox {
    boxes: Mutex<Boxes>,
    /// That the snapshots tell of.
    names: usize,
    /// How often one is posted, at least; an interval is as long or some times as long.
    every: Nanos,
}

/// Boxed, because posting exchanges them with the worker's own.
#[derive(Debug)]
#[allow(clippy::vec_box)]
struct Boxes {
    full: VecDeque<Letter>,
    empty: Vec<Box<Snapshot>>,
    /// Where the interval began.
    pulse: Pulse,
}

impl Mailbox {
    /// `warmup`: there will be one to record. `aside`: users may be set up and taken down. `names`:
    /// so many are to be told of.
    pub fn new(warmup: bool, aside: bool, names: usize) -> Mailbox {
        let full = VecDeque::with_capacity(SPARES * 4);
        // One more, to be recorded into.
        let spare = |_| Box::new(Snapshot::reserved(warmup, aside, names));
        let empty = (0..=SPARES).map(spare).collect();
        let boxes = Mutex::new(Boxes { full, empty, pulse: Pulse::default() });
        Mailbox { boxes, names, every: INTERVAL }
    }

    /// Into which something is posted so often.
    pub fn every(self, every: Nanos) -> Mailbox {
        Mailbox { every, ..self }
    }

    /// The end of what is posted next, after so much of the load.
    pub fn next(&self, past: Nanos) -> Nanos {
        Nanos(self.every.0 * (past.0 / self.every.0 + 1))
    }

    /// One whose snapshots are made when they are needed.
    #[cfg(test)]
    pub fn bare() -> Mailbox {
        Mailbox::bare_of(0)
    }

    /// The same with names to be told of.
    #[cfg(test)]
    pub fn bare_of(names: usize) -> Mailbox {
        let (full, empty, pulse) = (VecDeque::new(), Vec::new(), Pulse::default());
        Mailbox { boxes: Mutex::new(Boxes { full, empty, pulse }), names, every: INTERVAL }
    }

    /// An empty snapshot to begin with.
    pub fn take(&self) -> Box<Snapshot> {
        self.lock().empty.pop().unwrap_or_else(|| self.another())
    }

    /// The worker's load begins. It has spun so long.
    pub fn begin(&self, spun: Nanos) {
        let pulse = Pulse::now(spun);
        self.lock().pulse = pulse;
    }

    /// Posts what is in `snapshot` and leaves an empty one there. Held up by nothing but the other
    /// side's move of a pointer; if all spares are under way (a control thread starved for
    /// seconds), a new one is made rather than two intervals joined.
    pub fn post(&self, snapshot: &mut Box<Snapshot>, last: bool) {
        // Before the lock: it takes three system calls.
        let pulse = Pulse::now(snapshot.spin_time);
        let mut boxes = self.lock();
        let empty = boxes.empty.pop().unwrap_or_else(|| self.another());
        let snapshot = std::mem::replace(snapshot, empty);
        let busy = pulse.busy_since(&boxes.pulse);
        if last {
            boxes.pulse = pulse;
        }
        boxes.full.push_back(Letter { snapshot, last, busy });
    }

    /// Takes the oldest letter.
    pub fn collect(&self) -> Option<Letter> {
        self.lock().full.pop_front()
    }

    /// Gives a snapshot back, emptied here and not on the worker.
    pub fn give_back(&self, mut snapshot: Box<Snapshot>) {
        snapshot.clear();
        self.lock().empty.push(snapshot);
    }

    fn another(&self) -> Box<Snapshot> {
        Box::new(Snapshot::of_names(self.names))
    }

    fn lock(&self) -> MutexGuard<'_, Boxes> {
        // A panic in another thread leaves the boxes whole: each push and pop is one step.
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
