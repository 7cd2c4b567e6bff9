//! The arrival log: what the server saw, to hold against what a client reports.
//!
//! Its memory is taken at the start; what arrives beyond the capacity is counted, not kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::time::Nanos;

/// One request as the server saw it. Both instants count from the server's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The request's last byte was read.
    pub arrived: Nanos,
    /// The answer's first byte was handed to the kernel; zero if that never happened.
    pub answered: Nanos,
    /// Which connection, numbered from 0 over all threads, no number used twice.
    pub connection: u64,
}

/// One thread's log. The thread writes, anyone may read.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pages: Arc<Mutex<Pages>>,
}

#[derive(Debug)]
struct Pages {
    kept: Vec<Arrival>,
    capacity: usize,
    beyond: u64,
}

/// Where an arrival stands; [`UNKEPT`] when there was no room.
pub(super) type Entry = u32;
pub(super) const UNKEPT: Entry = u32::MAX;

impl Log {
    pub fn with_capacity(capacity: usize) -> Log {
        let capacity = capacity.min(UNKEPT as usize - 1);
        let pages = Pages { kept: Vec::with_capacity(capacity), capacity, beyond: 0 };
        Log { pages: Arc::new(Mutex::new(pages)) }
    }

    pub fn arrived(&self, at: Nanos, connection: u64) -> Entry {
        let mut pages = self.lock();
        if pages.kept.len() == pages.capacity {
            pages.beyond += 1;
            return UNKEPT;
        }
        pages.kept.push(Arrival { arrived: at, answered: Nanos::ZERO, connection });
        pages.kept.len() as Entry - 1
    }

    pub fn answered(&self, entry: Entry, at: Nanos) {
        if entry != UNKEPT {
            self.lock().kept[entry as usize].answered = at;
        }
    }

    /// What is kept so far, and how many arrivals are not.
    pub fn read(&self) -> (Vec<Arrival>, u64) {
        let pages = self.lock();
        (pages.kept.clone(), pages.beyond)
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        // A reader that panicked while it held the lock changed nothing.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let log = Log::with_capacity(2);
        let entries: Vec<Entry> = (0..4).map(|at| log.arrived(Nanos(at), at)).collect();
        assert_eq!(entries, [0, 1, UNKEPT, UNKEPT]);
        for entry in entries {
            log.answered(entry, Nanos(9));
        }
        let (kept, beyond) = log.read();
        assert_eq!((kept.len(), beyond), (2, 2));
        assert_eq!(kept[1], Arrival { arrived: Nanos(1), answered: Nanos(9), connection: 1 });
    }
}
