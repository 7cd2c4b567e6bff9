//! Users who think: when each wants to go on. A nap that was given up stays in the heap until its
//! time; who wakes up looks whether it still holds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::engine::wire::Slot;
use crate::time::Nanos;

#[derive(Debug)]
pub struct Naps(BinaryHeap<Reverse<(Nanos, Slot)>>);

impl Naps {
    /// With the room for as many users, each with one nap that holds and one that does not.
    pub fn new(users: usize) -> Naps {
        Naps(BinaryHeap::with_capacity(users * 2))
    }

    #[inline]
    pub fn push(&mut self, until: Nanos, slot: Slot) {
        self.0.push(Reverse((until, slot)));
    }

    /// The end of the first one.
    #[inline]
    pub fn next(&self) -> Option<Nanos> {
        self.0.peek().map(|Reverse((until, _))| *until)
    }

    /// Whose nap is over, if one is.
    #[inline]
    pub fn over(&mut self, now: Nanos) -> Option<Slot> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, slot))| slot)
    }

    pub fn memory(&self) -> usize {
        self.0.capacity() * size_of::<Reverse<(Nanos, Slot)>>()
    }
}
