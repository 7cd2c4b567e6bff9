//! What a run leaves to look at: its last moments, a fingerprint of all of them, and which of the
//! things that can happen did.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use crate::engine::wire::Slot;
use crate::time::Nanos;

/// Moments that are kept for the eye.
const KEPT: usize = 60;

#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Nanos,
    worker: usize,
    slot: Slot,
    what: &'static str,
    number: i64,
}

#[derive(Debug)]
pub struct Trace {
    worker: usize,
    last: VecDeque<Moment>,
    /// FNV-1a over all moments: two runs that differ anywhere differ here.
    pub fingerprint: u64,
    pub moments: u64,
    pub seen: Seen,
}

/// How often each thing happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub counts: BTreeMap<&'static str, u64>,
    /// The errors of connects, receives and sends that came up.
    pub errnos: BTreeMap<&'static str, BTreeSet<i32>>,
}

impl Trace {
    pub fn new(worker: usize) -> Trace {
        let last = VecDeque::with_capacity(KEPT);
        let (fingerprint, moments) = (0xCBF2_9CE4_8422_2325, 0);
        Trace { worker, last, fingerprint, moments, seen: Seen::default() }
    }

    pub fn note(&mut self, at: Nanos, slot: Slot, what: &'static str, number: i64) {
        let moment = Moment { at, worker: self.worker, slot, what, number };
        for word in [at.0, u64::from(slot), what.len() as u64, number as u64] {
            self.fingerprint = (self.fingerprint ^ word).wrapping_mul(0x0100_0000_01B3);
        }
        self.moments += 1;
        self.seen.count(what, 1);
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(moment);
    }
}

impl Seen {
    pub fn count(&mut self, what: &'static str, times: u64) {
        *self.counts.entry(what).or_default() += times;
    }

    pub fn errno(&mut self, of: &'static str, errno: i32) {
        self.errnos.entry(of).or_default().insert(errno);
    }

    pub fn add(&mut self, other: &Seen) {
        for (what, count) in &other.counts {
            *self.counts.entry(what).or_default() += count;
        }
        for (of, errnos) in &other.errnos {
            self.errnos.entry(of).or_default().extend(errnos);
        }
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.last.iter().try_for_each(|Moment { at, worker, slot, what, number }| {
            writeln!(
                f,
                "  {:>15.9} worker {worker} slot {slot:>2} {what} {number}",
                at.as_secs_f64()
            )
        })
    }
}
