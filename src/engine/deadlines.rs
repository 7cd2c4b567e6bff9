//! Deadlines that all lie the same time ahead: a queue, since they end in the order they began.
//!
//! Nothing is taken out when its matter is settled; the entry goes stale and is dropped when it
//! reaches the front, or all stale ones at once when the queue is full. The room is made at start
//! for twice as many as can be pending, so a sweep frees at least half of it.

use std::collections::VecDeque;

use super::wire::Slot;
use crate::time::Nanos;

#[derive(Debug)]
pub struct Deadlines {
    queue: VecDeque<Entry>,
    capacity: usize,
    after: Nanos,
}

/// `number` tells one matter of a slot from the next, so that a settled one is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub began: Nanos,
    pub slot: Slot,
    pub number: u32,
}

impl Deadlines {
    /// For at most `pending` matters at a time, each to be settled `after` it began.
    pub fn new(pending: usize, after: Nanos) -> Deadlines {
        let capacity = pending * 2 + 16;
        Deadlines { queue: VecDeque::with_capacity(capacity), capacity, after }
    }

    /// The bytes it takes.
    pub fn memory(&self) -> usize {
        self.queue.capacity() * size_of::<Entry>()
    }

    /// `pending` tells whether an entry's matter is still unsettled.
    #[inline]
    pub fn push(&mut self, entry: Entry, pending: impl Fn(&Entry) -> bool) {
        if self.queue.len() == self.capacity {
            self.queue.retain(pending);
        }
        self.queue.push_back(entry);
    }

    /// The next one that is over at `now` and still pending.
    #[inline]
    pub fn expired(&mut self, now: Nanos, pending: impl Fn(&Entry) -> bool) -> Option<Entry> {
        while let Some(front) = self.queue.front() {
            if !pending(front) {
                self.queue.pop_front();
            } else if front.began + self.after <= now {
                return self.queue.pop_front();
            } else {
                return None;
            }
        }
        None
    }

    #[cfg(test)]
    pub fn is_bounded(&self) -> bool {
        self.queue.len() <= self.capacity
    }

    #[cfg(test)]
    pub fn has(&self, is_it: impl Fn(&Entry) -> bool) -> bool {
        self.queue.iter().any(is_it)
    }

    /// When the next one may be over. May be early (a stale entry), never late.
    #[inline]
    pub fn next(&self) -> Option<Nanos> {
        self.queue.front().map(|front| front.began + self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(began: u64, number: u32) -> Entry {
        Entry { began: Nanos(began), slot: 0, number }
    }

    #[test]
    fn only_pending_ones_expire_and_in_order() {
        let mut deadlines = Deadlines::new(4, Nanos(100));
        for number in 0..4 {
            deadlines.push(entry(u64::from(number) * 10, number), |_| true);
        }
        let odd = |entry: &Entry| entry.number % 2 == 1;
        assert_eq!(deadlines.expired(Nanos(109), odd), None);
        assert_eq!(deadlines.expired(Nanos(110), odd), Some(entry(10, 1)));
        assert_eq!(deadlines.expired(Nanos(110), odd), None);
        assert_eq!(deadlines.next(), Some(Nanos(130)));
    }

    #[test]
    fn one_stuck_entry_does_not_make_the_queue_grow() {
        let mut deadlines = Deadlines::new(2, Nanos::from_secs(10));
        for number in 0..1_000_000 {
            deadlines.push(entry(number.into(), number), |e| e.number == 0 || e.number == number);
        }
        assert!(deadlines.queue.len() <= deadlines.capacity);
        assert_eq!(deadlines.expired(Nanos::from_secs(11), |e| e.number == 0), Some(entry(0, 0)));
    }
}
