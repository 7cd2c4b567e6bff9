//! How fast somebody may guess: a few attempts are free, and then each one waits twice as long as
//! the one before. An attempt counts when it begins, so that many at once are no way around.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Attempts that nobody waits for: people mistype.
const FREE: u32 = 5;

/// Whoever has been silent for so long begins anew.
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);

/// More are not kept apart: the oldest goes.
const MOST: usize = 4_096;

#[derive(Clone, Copy, Debug)]
struct Attempts {
    count: u32,
    last: Instant,
}

/// Attempts by whom they are made, or at whom.
#[derive(Debug)]
pub struct Throttle<Key> {
    attempts: HashMap<Key, Attempts>,
    /// Nobody waits longer: an account must not be locked by whoever knows its name.
    longest: Duration,
}

impl<Key: Clone + Eq + Hash> Throttle<Key> {
    pub fn new(longest: Duration) -> Throttle<Key> {
        Throttle { attempts: HashMap::new(), longest }
    }

    /// How long this one has to wait until the next attempt.
    pub fn wait(&self, key: &Key, now: Instant) -> Duration {
        let Some(attempts) = self.attempts.get(key) else { return Duration::ZERO };
        let due = attempts.last + self.pause(attempts.count);
        due.saturating_duration_since(now)
    }

    pub fn note(&mut self, key: &Key, now: Instant) {
        self.make_room(key, now);
        let anew = Attempts { count: 0, last: now };
        let attempts = self.attempts.entry(key.clone()).or_insert(anew);
        if now.saturating_duration_since(attempts.last) > FORGOTTEN {
            *attempts = anew;
        }
        attempts.count = attempts.count.saturating_add(1);
        attempts.last = now;
    }

    /// It was the right one.
    pub fn forgive(&mut self, key: &Key) {
        self.attempts.remove(key);
    }

    /// 1, 2, 4 s and so on from the first that is not free.
    fn pause(&self, count: u32) -> Duration {
        match count.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(beyond) => Duration::from_secs(1 << beyond.min(20)).min(self.longest),
        }
    }

    fn make_room(&mut self, key: &Key, now: Instant) {
        if self.attempts.len() < MOST || self.attempts.contains_key(key) {
            return;
        }
        self.attempts
            .retain(|_, attempts| now.saturating_duration_since(attempts.last) <= FORGOTTEN);
        if self.attempts.len() >= MOST {
            let oldest = self.attempts.iter().min_by_key(|(_, attempts)| attempts.last);
            let oldest = oldest.map(|(key, _)| key.clone());
            oldest.map(|key| self.attempts.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_few_attempts_are_free_and_each_further_one_waits_twice_as_long() {
        let (mut throttle, begin) = (Throttle::new(60 * SECOND), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..13 {
            throttle.note(&"ada", begin);
            waits.push(throttle.wait(&"ada", begin).as_secs());
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(throttle.wait(&"bob", begin), Duration::ZERO);
        assert_eq!(throttle.wait(&"ada", begin + 59 * SECOND), SECOND);
        assert_eq!(throttle.wait(&"ada", begin + 61 * SECOND), Duration::ZERO);
        throttle.forgive(&"ada");
        throttle.note(&"ada", begin);
        assert_eq!(throttle.wait(&"ada", begin), Duration::ZERO);
    }

    #[test]
    fn who_was_silent_begins_anew_and_memory_is_bounded() {
        let (mut throttle, begin) = (Throttle::new(60 * SECOND), Instant::now());
        (0..10).for_each(|_| throttle.note(&0, begin));
        throttle.note(&0, begin + FORGOTTEN + SECOND);
        assert_eq!(throttle.wait(&0, begin + FORGOTTEN + SECOND), Duration::ZERO);
        for key in 1..2 * MOST as u64 {
            throttle.note(&key, begin + FORGOTTEN + 2 * SECOND);
        }
        assert!(throttle.attempts.len() <= MOST);
    }
}
