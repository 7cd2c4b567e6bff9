//! When to dial: at the start in an even stream, after a loss with a capped back-off.
//!
//! The first redial after a connection that had worked is immediate. Each further one without a
//! good answer in between waits twice as long as the last, up to [`CAP`]: a dead server costs a
//! handful of connects a second and slot, never a busy loop, and is found again within the cap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::wire::Slot;
use crate::plan::Rate;
use crate::time::Nanos;

/// The wait before the second attempt in a row.
const FIRST: Nanos = Nanos::from_millis(10);

/// The first wait for a listen queue that is full; the longest is 32 times as long.
const QUEUE_FIRST: Nanos = Nanos::from_millis(1);

/// The longest wait.
pub const CAP: Nanos = Nanos::from_millis(500);

/// Paced dials are made in batches of this long: waking for each of 20,000 a second cost more than
/// the connects themselves. It is also how late a turn may be without slowing the start down.
const BATCH: Nanos = Nanos::from_millis(1);

#[derive(Debug)]
pub struct Redial {
    /// By due time. Room for every slot is made at start.
    queue: BinaryHeap<Reverse<(Nanos, Slot)>>,
    /// Between two dials, when they are paced.
    gap: Nanos,
    /// No dial before this.
    open_at: Nanos,
}

impl Redial {
    pub fn new(slots: usize) -> Redial {
        Redial { queue: BinaryHeap::with_capacity(slots), gap: Nanos::ZERO, open_at: Nanos::ZERO }
    }

    /// From now on at most this many dials a second; `None`: no limit.
    pub fn pace(&mut self, rate: Option<Rate>) {
        self.gap = rate.map_or(Nanos::ZERO, |rate| Nanos(rate.period.0 / rate.count));
    }

    pub fn push(&mut self, slot: Slot, due: Nanos) {
        self.queue.push(Reverse((due, slot)));
    }

    /// The next slot to dial at `now`, if one is due.
    #[inline]
    pub fn due(&mut self, now: Nanos) -> Option<Slot> {
        let Reverse((due, slot)) = *self.queue.peek()?;
        if due > now || self.open_at > now {
            return None;
        }
        self.queue.pop();
        // What was missed while nothing was due is not caught up, but for a batch's.
        self.open_at = self.open_at.max(now - BATCH) + self.gap;
        Some(slot)
    }

    /// The bytes it takes.
    pub fn memory(&self) -> usize {
        self.queue.capacity() * size_of::<Reverse<(Nanos, Slot)>>()
    }

    #[cfg(test)]
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.queue.iter().map(|Reverse((_, slot))| *slot)
    }

    #[inline]
    pub fn next(&self) -> Option<Nanos> {
        let batch = if self.gap == Nanos::ZERO { Nanos::ZERO } else { BATCH - self.gap };
        self.queue.peek().map(|Reverse((due, _))| (*due).max(self.open_at + batch))
    }
}

/// How long to wait before asking again a listener whose queue was full this many times in a row.
/// A server that accepts at all takes a queue in a few milliseconds.
pub fn queue_wait(times: u32, slot: Slot) -> Nanos {
    let doubled = Nanos(QUEUE_FIRST.0 << times.saturating_sub(1).min(5));
    doubled - spread(slot, doubled)
}

/// How long to wait before dialling again after this many losses in a row. Slots are spread over
/// the last quarter of it, so that they do not all come back at once.
pub fn back_off(losses: u32, slot: Slot) -> Nanos {
    if losses <= 1 {
        return Nanos::ZERO;
    }
    let doubled = Nanos(FIRST.0 << (losses - 2).min(10)).min(CAP);
    doubled - spread(slot, doubled)
}

/// Up to a quarter of a wait. Fibonacci hashing: consecutive slots land far apart.
fn spread(slot: Slot, wait: Nanos) -> Nanos {
    Nanos((u64::from(slot.wrapping_mul(0x9E37_79B9)) * (wait.0 / 4)) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_doubles_up_to_the_cap() {
        assert_eq!(back_off(1, 7), Nanos::ZERO);
        for slot in 0..1_000 {
            let waits: Vec<_> = (2..60).map(|losses| back_off(losses, slot)).collect();
            assert!(waits.is_sorted() && waits[0] >= Nanos(FIRST.0 * 3 / 4));
            assert!(waits.iter().all(|wait| *wait <= CAP));
            assert!(waits[57] >= Nanos(CAP.0 * 3 / 4));
        }
    }

    #[test]
    fn a_paced_start_opens_at_the_rate() {
        let mut redial = Redial::new(100);
        redial.pace(Some(Rate::per_second(1_000)));
        (0..100).for_each(|slot| redial.push(slot, Nanos::ZERO));
        let start = Nanos::from_secs(5);
        let mut opened = 0;
        for step in 0..50 {
            let now = start + Nanos::from_millis(step);
            opened += std::iter::from_fn(|| redial.due(now)).count();
        }
        assert!((50..=53).contains(&opened), "{opened}");
    }

    #[test]
    fn a_slow_start_has_no_burst_at_its_beginning() {
        let mut redial = Redial::new(6);
        redial.pace(Some(Rate::per_second(5)));
        (0..6).for_each(|slot| redial.push(slot, Nanos::ZERO));
        let start = Nanos::from_secs(5);
        let opened: Vec<u64> = (0..1_000)
            .filter(|step| redial.due(start + Nanos::from_millis(*step)).is_some())
            .collect();
        assert_eq!(opened, [0, 199, 399, 599, 799, 999]);
    }
}
