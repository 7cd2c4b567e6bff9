//! The crew: which of a worker's connections take part. In a steady load all of them; where the
//! number changes over time, the r-th connection of the run takes part while the level is above r.
//! Connection r belongs to worker `r mod W` as its slot `r / W`, so the number is exact over any
//! number of workers.

use super::wire::Slot;
use crate::plan::Shape;
use crate::time::Nanos;

#[derive(Debug)]
pub struct Crew {
    users: Option<Shape>,
    worker: u64,
    workers: u64,
    /// All slots of the worker.
    slots: Slot,
    /// Slots below this take part.
    active: Slot,
    /// The most that ever did.
    most: Slot,
    /// The start of the shape on the clock, and the next change; `MAX` when there is none.
    origin: Nanos,
    changes_at: Nanos,
}

impl Crew {
    pub fn new(users: Option<Shape>, worker: usize, workers: usize, slots: Slot) -> Crew {
        let (worker, workers) = (worker as u64, workers as u64);
        let (origin, changes_at) = (Nanos::ZERO, Nanos::MAX);
        let mut crew =
            Crew { users, worker, workers, slots, active: slots, most: 0, origin, changes_at };
        crew.active = crew.share_at(Nanos::ZERO);
        // The run's first connection proves that the target is there, whoever takes part.
        if worker == 0 {
            crew.active = crew.active.max(1);
        }
        crew.most = crew.active;
        crew
    }

    /// The first connection has done its duty as the check: it takes part when its turn comes.
    pub fn start(&mut self, origin: Nanos) {
        self.origin = origin;
        self.active = self.share_at(Nanos::ZERO);
        self.look_ahead(Nanos::ZERO);
    }

    #[inline]
    pub fn has(&self, slot: Slot) -> bool {
        slot < self.active
    }

    pub fn active(&self) -> Slot {
        self.active
    }

    pub fn most(&self) -> Slot {
        self.most
    }

    #[inline]
    pub fn changes_at(&self) -> Nanos {
        self.changes_at
    }

    /// Moves on to `now`: how many took part before, and how many do now.
    pub fn change(&mut self, now: Nanos) -> (Slot, Slot) {
        let before = self.active;
        let t = now - self.origin;
        self.active = self.share_at(t);
        self.most = self.most.max(self.active);
        self.look_ahead(t);
        (before, self.active)
    }

    /// The load goes on until `at` at least, with those that take part in the end.
    pub fn hold_until(&mut self, at: Nanos, now: Nanos) {
        self.users = self.users.take().map(|users| users.held_until(at - self.origin));
        // A change that is due is made first.
        if self.changes_at > now {
            self.look_ahead(now - self.origin);
        }
    }

    /// This worker's part of those that take part at `t`.
    fn share_at(&self, t: Nanos) -> Slot {
        let Some(users) = &self.users else { return self.slots };
        let share = (users.in_use(t) + self.workers - 1 - self.worker) / self.workers;
        Slot::try_from(share).unwrap_or(Slot::MAX).min(self.slots)
    }

    fn look_ahead(&mut self, t: Nanos) {
        let next = self.users.as_ref().and_then(|users| users.next_change(t));
        self.changes_at = next.map_or(Nanos::MAX, |at| self.origin + at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crews_of_all_workers_are_the_level_at_any_time() {
        let second = Nanos::from_secs(1);
        let shape = Shape::to_levels(0, &[(second, 23), (second, 23), (second, 0)]).unwrap();
        for workers in [1usize, 2, 3, 7] {
            let slots = |w: usize| (23 / workers + usize::from(w < 23 % workers)) as Slot;
            let mut crews: Vec<Crew> = (0..workers)
                .map(|w| Crew::new(Some(shape.clone()), w, workers, slots(w)))
                .collect();
            assert_eq!(crews.iter().map(Crew::active).sum::<Slot>(), 1, "the first is the check");
            crews.iter_mut().for_each(|crew| crew.start(second));
            for step in 0..3_000u64 {
                let t = Nanos::from_millis(step);
                let active: Slot = crews.iter_mut().map(|crew| crew.change(second + t).1).sum();
                assert_eq!(u64::from(active), shape.in_use(t), "{workers} workers, {step} ms");
            }
            assert_eq!(crews.iter().map(Crew::most).sum::<Slot>(), 23);
        }
    }

    #[test]
    fn a_steady_crew_is_everyone_and_never_changes() {
        let mut crew = Crew::new(None, 0, 1, 9);
        crew.start(Nanos(5));
        assert_eq!((crew.active(), crew.changes_at()), (9, Nanos::MAX));
    }
}
