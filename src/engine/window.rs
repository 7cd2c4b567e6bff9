//! The connects under way at a time, bounded: a server whose listen queue is full answers none of
//! them, and what is thrown at it beyond that comes back a second later all at once.
//!
//! Only the young ones count. A connect that hangs (its SYN was lost, its host is gone) makes room
//! for others after [`PATIENCE`], so a dead address holds nobody up.

use super::deadlines::{Deadlines, Entry};
use super::wire::Slot;
use crate::time::Nanos;

/// Connects under way, over all workers: what the listen queues of common servers hold (511 to
/// 4,096), and enough for 20,000 a second at 50 ms each.
const MOST: u32 = 1_024;

/// Longer than a handshake around the world takes, shorter than a lost SYN (1 s).
const PATIENCE: Nanos = Nanos::from_millis(250);

/// Handshakes of TLS under way: a server has a processor to do each for a millisecond or less, and
/// what waits for it longer than that only looks slow.
const HANDSHAKES: u32 = 128;

/// Longer than a server takes that is busy with them.
const PATIENCE_WITH_TLS: Nanos = Nanos::from_secs(1);

#[derive(Debug)]
pub struct Window {
    most: u32,
    count: u32,
    young: Deadlines,
}

impl Window {
    /// `tls`: what is under way is a handshake as well.
    pub fn new(workers: usize, tls: bool) -> Window {
        let (most, patience) = if tls { (HANDSHAKES, PATIENCE_WITH_TLS) } else { (MOST, PATIENCE) };
        let most = (most / workers as u32).max(1);
        Window { most, count: 0, young: Deadlines::new(most as usize, patience) }
    }

    #[inline]
    pub fn has_room(&self) -> bool {
        self.count < self.most
    }

    pub fn begin(&mut self, entry: Entry, pending: impl Fn(&Entry) -> bool) {
        self.count += 1;
        self.young.push(entry, pending);
    }

    /// A connect that was counted is over.
    pub fn end(&mut self) {
        self.count -= 1;
    }

    /// A connect that has taken too long to be counted any further.
    #[inline]
    pub fn overdue(&mut self, now: Nanos, pending: impl Fn(&Entry) -> bool) -> Option<Slot> {
        self.young.expired(now, pending).map(|entry| entry.slot)
    }

    /// When there may be room again, if no connect ends before.
    pub fn next(&self) -> Option<Nanos> {
        self.young.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_shared_out_and_comes_back_when_a_connect_ends_or_hangs() {
        let mut window = Window::new(512, false);
        let entry = |slot, began| Entry { began: Nanos::from_millis(began), slot, number: 1 };
        window.begin(entry(0, 0), |_| true);
        assert!(window.has_room());
        window.begin(entry(1, 100), |_| true);
        assert!(!window.has_room());
        window.end();
        assert!(window.has_room());
        window.begin(entry(2, 200), |_| true);
        assert_eq!(window.next(), Some(Nanos::from_millis(250)));
        // The first has ended; the second hangs.
        let pending = |entry: &Entry| entry.slot > 0;
        assert_eq!(window.overdue(Nanos::from_millis(349), pending), None);
        assert_eq!(window.overdue(Nanos::from_millis(350), pending), Some(1));
        assert_eq!(window.overdue(Nanos::from_millis(350), pending), None);
    }
}
