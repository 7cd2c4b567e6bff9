//! Pauses: the times at which a worker did not run although it had to (it was stopped, or kept from
//! its core), and what they do to the send lag.

use crate::metrics::Pause;
use crate::time::Nanos;

/// Pauses that are kept; of more, the longest.
const KEPT: usize = 16;

#[derive(Debug)]
pub struct Pauses {
    kept: Vec<Pause>,
    /// From where to where the last one was, on the clock.
    last: (Nanos, Nanos),
}

/// How the time between due and sent is shared out. Its parts make up the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Blast did not get to it.
    pub late: Nanos,
    /// No connection was free.
    pub blocked: Nanos,
}

impl Pauses {
    pub fn new() -> Pauses {
        Pauses { kept: Vec::with_capacity(KEPT), last: (Nanos::ZERO, Nanos::ZERO) }
    }

    /// The worker did not run from `from` to `to`. `origin`: the start of warm-up.
    pub fn push(&mut self, origin: Nanos, from: Nanos, to: Nanos) {
        self.last = (from, to);
        let pause = Pause { at: from - origin, length: to - from };
        if self.kept.len() < KEPT {
            self.kept.push(pause);
        } else if let Some(shortest) = self.kept.iter_mut().min_by_key(|pause| pause.length)
            && shortest.length < pause.length
        {
            *shortest = pause;
        }
    }

    pub fn take(&mut self) -> Vec<Pause> {
        std::mem::take(&mut self.kept)
    }

    /// From the due time until a connection was free a request is blocked, from then on late; but
    /// while blast was paused, it was blast that could not see the connection become free.
    #[inline]
    pub fn share_out(&self, intended: Nanos, sent: Nanos, free_since: Nanos) -> Lag {
        let free = free_since.max(intended);
        let (from, to) = self.last;
        let unseen = free.min(to) - intended.max(from);
        Lag { late: (sent - free) + unseen, blocked: (free - intended) - unseen }
    }

    /// Whether a request waits for a connection, and not for what a pause of blast left behind.
    #[inline]
    pub fn has_waited(&self, intended: Nanos, free_since: Nanos) -> bool {
        free_since > intended && intended >= self.last.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pause from 100 to 200.
    fn paused() -> Pauses {
        let mut pauses = Pauses::new();
        pauses.push(Nanos(10), Nanos(100), Nanos(200));
        pauses
    }

    #[test]
    fn the_lag_is_shared_out_whole_and_a_pause_is_blasts() {
        for (intended, free_since, sent, late, blocked) in [
            // Free all the time: whatever the lag, it is blast's.
            (50, 20, 55, 5, 0),
            (150, 20, 205, 55, 0),
            // Before the pause, and after it: no connection was free.
            (20, 60, 61, 1, 40),
            (210, 250, 251, 1, 40),
            // Due before the pause, free when it was over: blocked until it began.
            (80, 205, 206, 101, 25),
            // Due within it: what is left after it is the backlog's.
            (150, 230, 231, 51, 30),
            // Due before it, sent long after: all of the pause is blast's.
            (20, 300, 301, 101, 180),
        ] {
            let lag = paused().share_out(Nanos(intended), Nanos(sent), Nanos(free_since));
            assert_eq!((lag.late.0, lag.blocked.0), (late, blocked), "{intended} {free_since}");
            assert_eq!(lag.late + lag.blocked, Nanos(sent - intended));
        }
    }

    #[test]
    fn what_was_due_before_a_pause_was_over_waits_for_blast_and_not_for_a_connection() {
        let waited = |intended, free| paused().has_waited(Nanos(intended), Nanos(free));
        assert_eq!([waited(210, 220), waited(150, 220), waited(210, 205)], [true, false, false]);
    }

    #[test]
    fn the_longest_pauses_are_kept() {
        let mut pauses = Pauses::new();
        (1..=40).for_each(|n| pauses.push(Nanos::ZERO, Nanos(n * 100), Nanos(n * 101)));
        let kept = pauses.take();
        assert_eq!(kept.len(), KEPT);
        assert!(kept.iter().all(|pause| pause.length > Nanos(24)), "{kept:?}");
    }
}
