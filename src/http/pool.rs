//! The worker's buffers for heads that were split over reads.
//!
//! A connection borrows one only between the reads of one head, so a few buffers serve thousands
//! of connections. The small ones are made before the start barrier; what has to be made later is
//! counted, and all of it together is bounded.

use std::num::NonZeroU32;

use crate::evidence::Evidence;

/// Buffers of one worker. A buffer keeps the size it once grew to.
#[derive(Debug)]
pub struct HeadPool {
    /// Every buffer, free or lent.
    slots: Vec<Vec<u8>>,
    /// Indices into `slots`. Last in, first out: the working set stays small.
    free: Vec<Lease>,
    /// The sum of the capacities in `slots`; at most `limit`.
    held: usize,
    limit: usize,
    grown: u64,
    /// Of the response that was last found broken, until it is asked for.
    noted: Option<Evidence>,
}

/// One borrowed buffer. Not `Clone`: it is given back once.
#[derive(Debug)]
pub(crate) struct Lease(NonZeroU32);

/// All memory a pool may hold.
const LIMIT: usize = 64 << 20;

/// A new buffer's size: most heads fit.
const SMALL: usize = 2 << 10;

impl HeadPool {
    /// A pool with `ready` small buffers.
    pub fn new(ready: usize) -> HeadPool {
        HeadPool::with_limit(ready, LIMIT)
    }

    /// How often memory was allocated since `new`: a further buffer, or a larger one.
    pub fn grown(&self) -> u64 {
        self.grown
    }

    /// An empty buffer, or `None` when the pool is exhausted.
    pub(crate) fn take(&mut self) -> Option<Lease> {
        let lease = match self.free.pop() {
            Some(lease) => lease,
            None => self.add_slot()?,
        };
        if self.reserve(&lease, SMALL) {
            return Some(lease);
        }
        self.free.push(lease);
        None
    }

    /// Appends to the buffer; false, and nothing appended, when the pool is exhausted.
    #[must_use]
    pub(crate) fn append(&mut self, lease: &Lease, bytes: &[u8]) -> bool {
        let fits = self.reserve(lease, self.bytes(lease).len() + bytes.len());
        if fits {
            self.slots[lease.index()].extend_from_slice(bytes);
        }
        fits
    }

    pub(crate) fn bytes(&self, lease: &Lease) -> &[u8] {
        &self.slots[lease.index()]
    }

    pub(crate) fn give(&mut self, lease: Lease) {
        self.slots[lease.index()].clear();
        self.free.push(lease);
    }

    pub(super) fn with_limit(ready: usize, limit: usize) -> HeadPool {
        let mut pool =
            HeadPool { slots: vec![], free: vec![], held: 0, limit, grown: 0, noted: None };
        let leases: Vec<Lease> = (0..ready).map_while(|_| pool.take()).collect();
        pool.free.extend(leases);
        pool.grown = 0;
        pool
    }

    /// Keeps what is known of a broken response: its reader forgets it.
    pub(super) fn note(&mut self, evidence: Evidence) {
        self.noted = Some(evidence);
    }

    /// What was noted since this was last asked.
    pub fn noted(&mut self) -> Option<Evidence> {
        self.noted.take()
    }

    fn add_slot(&mut self) -> Option<Lease> {
        let lease = Lease(NonZeroU32::new(u32::try_from(self.slots.len() + 1).ok()?)?);
        if self.held + SMALL > self.limit {
            return None;
        }
        self.slots.push(Vec::new());
        Some(lease)
    }

    /// Makes the buffer hold at least `wanted` bytes in all. Powers of two: a head that comes byte
    /// by byte is moved five times at most.
    fn reserve(&mut self, lease: &Lease, wanted: usize) -> bool {
        let (have, len) = (self.slots[lease.index()].capacity(), self.bytes(lease).len());
        if wanted <= have {
            return true;
        }
        let more = wanted.next_power_of_two() - have;
        if self.held + more > self.limit && !self.make_room(more) {
            return false;
        }
        let slot = &mut self.slots[lease.index()];
        slot.reserve_exact(have + more - len);
        self.held += slot.capacity() - have;
        self.grown += 1;
        true
    }

    /// Frees the memory of unused buffers until there is room for `more` bytes.
    fn make_room(&mut self, more: usize) -> bool {
        for lease in &self.free {
            let slot = &mut self.slots[lease.index()];
            self.held -= slot.capacity();
            *slot = Vec::new();
            if self.held + more <= self.limit {
                return true;
            }
        }
        false
    }

    /// Buffers that are not given back yet.
    #[cfg(test)]
    pub fn lent(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Every buffer was given back.
    #[cfg(test)]
    pub(super) fn is_whole(&self) -> bool {
        self.free.len() == self.slots.len()
    }
}

impl Lease {
    fn index(&self) -> usize {
        self.0.get() as usize - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_buffers_are_lent_again_and_again_without_growth() {
        let mut pool = HeadPool::new(2);
        for _ in 0..100 {
            let (a, b) = (pool.take().unwrap(), pool.take().unwrap());
            assert!(pool.append(&a, &[1; SMALL]) && pool.append(&b, b"b"));
            assert_eq!((pool.bytes(&a).len(), pool.bytes(&b)), (SMALL, &b"b"[..]));
            pool.give(a);
            pool.give(b);
        }
        assert_eq!((pool.grown(), pool.held), (0, 2 * SMALL));
        let lease = pool.take().unwrap();
        assert!(pool.bytes(&lease).is_empty());
    }

    #[test]
    fn growth_is_counted_and_kept() {
        let mut pool = HeadPool::new(0);
        for round in 0..3 {
            let lease = pool.take().unwrap();
            for _ in 0..64 << 10 {
                assert!(pool.append(&lease, b"x"));
            }
            pool.give(lease);
            assert_eq!((pool.grown(), pool.held), (6, 64 << 10), "round {round}");
        }
    }

    #[test]
    fn the_limit_holds_and_nothing_is_lost_at_it() {
        let mut pool = HeadPool::with_limit(9, 4 * SMALL);
        let mut leases: Vec<Lease> = (0..4).map(|_| pool.take().unwrap()).collect();
        assert!(pool.take().is_none());
        assert!(pool.append(&leases[0], &[7; SMALL]));
        assert!(!pool.append(&leases[0], &[7; 1]));
        assert_eq!(pool.bytes(&leases[0]).len(), SMALL);
        pool.give(leases.pop().unwrap());
        assert!(pool.append(&leases[0], &[7; 1]), "a free buffer makes room");
        assert!(pool.take().is_none());
        leases.drain(..).for_each(|lease| pool.give(lease));
        assert!(pool.is_whole() && pool.held <= pool.limit);
        assert!(pool.take().is_some());
    }

    #[test]
    fn an_exhausted_pool_serves_again_when_buffers_come_back() {
        let mut pool = HeadPool::with_limit(0, 2 * SMALL);
        let big = pool.take().unwrap();
        assert!(pool.append(&big, &[0; 2 * SMALL]));
        assert!(pool.take().is_none());
        pool.give(big);
        let (a, b) = (pool.take().unwrap(), pool.take());
        assert!(pool.append(&a, b"a") && b.is_none(), "a buffer keeps its size while it is lent");
    }
}
