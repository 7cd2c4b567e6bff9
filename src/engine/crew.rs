//! The crew: which of a worker's connections take part. In a steady load all of them; where the
//! number changes over time, the r-th connection of the run takes part while the level is above r.
//! A person may change it from a time on, up to what there is room for. Connection r belongs to worker `r mod W` as its slot `r / W`, so the number is exact over any
//! number of workers.

use super::edits::{Edit, Level};
use super::wire::Slot;
use crate::plan::Shape;
use crate::time::Nanos;

#[derive(Debug)]
pub struct Crew {
    users: Option<Shape>,
    /// Without a shape, over all workers; `None`: all that there are.
    usual: Option<u64>,
    /// What holds in the place of that, each from its instant of the clock on.
    edits: Vec<(Nanos, u64)>,
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
    pub fn new(
        users: Option<Shape>,
        usual: Option<u64>,
        (worker, workers): (usize, usize),
        slots: Slot,
    ) -> Crew {
        let mut crew = Crew {
            users,
            usual,
            edits: Vec::new(),
            worker: worker as u64,
            workers: workers as u64,
            slots,
            active: slots,
            most: 0,
            origin: Nanos::ZERO,
            changes_at: Nanos::MAX,
        };
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

    /// How many of its slots have their user, or get one later, as far as is known.
    pub fn expected(&self) -> Slot {
        if self.users.is_some() && self.edits.is_empty() { self.slots } else { self.active }
    }

    /// The number is as these changes make it. What it was up to `now` was carried out.
    pub fn steer(&mut self, edits: &[Edit], now: Nanos) {
        let change = |edit: &Edit| match edit.level {
            Level::Users(count) => Some((edit.at, u64::from(count))),
            Level::Rate(_) => None,
        };
        self.edits = edits.iter().filter_map(change).collect();
        let t = now - self.origin;
        match self.share_at(t) == self.active {
            true => self.look_ahead(t),
            false => self.changes_at = now,
        }
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
        let Some(level) = self.level_at(t) else { return self.slots };
        let share = (level + self.workers - 1 - self.worker) / self.workers;
        Slot::try_from(share).unwrap_or(Slot::MAX).min(self.slots)
    }

    /// Over all workers; `None`: all that there are.
    fn level_at(&self, t: Nanos) -> Option<u64> {
        let now = self.origin + t;
        let edited = self.edits.iter().rev().find(|(at, _)| *at <= now).map(|(_, level)| *level);
        edited.or_else(|| match &self.users {
            Some(users) => Some(users.in_use(t)),
            None => self.usual,
        })
    }

    fn look_ahead(&mut self, t: Nanos) {
        let now = self.origin + t;
        let edit = self.edits.iter().map(|(at, _)| *at).find(|at| *at > now);
        // Once it was changed, the shape has nothing to say.
        let is_edited = self.edits.first().is_some_and(|(at, _)| *at <= now);
        let users = self.users.as_ref().filter(|_| !is_edited);
        let change = users.and_then(|users| users.next_change(t)).map(|at| self.origin + at);
        self.changes_at = edit.into_iter().chain(change).fold(Nanos::MAX, Nanos::min);
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
                .map(|w| Crew::new(Some(shape.clone()), None, (w, workers), slots(w)))
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
        let mut crew = Crew::new(None, None, (0, 1), 9);
        crew.start(Nanos(5));
        assert_eq!((crew.active(), crew.changes_at()), (9, Nanos::MAX));
    }

    #[test]
    fn a_person_changes_the_number_up_to_what_there_is_room_for() {
        let second = Nanos::from_secs(1);
        let edit = |at: u64, count| Edit { at: Nanos::from_secs(at), level: Level::Users(count) };
        let shape = Shape::to_levels(0, &[(second, 10), (Nanos(3 * second.0), 4)]).unwrap();
        for (users, usual) in [(None, Some(3)), (Some(shape), None)] {
            let expected = |t: u64| match (t, &users) {
                (..2_500, None) => 3,
                (..2_500, Some(shape)) => shape.in_use(Nanos::from_millis(t)),
                (..3_000, _) => 8,
                _ => 2,
            };
            let of_worker = |w| Crew::new(users.clone(), usual, (w, 2), 5);
            let mut crews = [0, 1].map(of_worker);
            crews.iter_mut().for_each(|crew| crew.start(second));
            let edits = [edit(4, 2)];
            // At 2.5 s of the load, and at 3 s; told of the one while the other was known.
            let earlier = Edit { at: Nanos::from_millis(3_500), ..edit(0, 8) };
            for t in (0..5_000).step_by(10) {
                let now = second + Nanos::from_millis(t);
                for crew in crews.iter_mut() {
                    if t == 2_300 {
                        crew.steer(&[earlier, edits[0]], now);
                    }
                    while crew.changes_at() <= now {
                        crew.change(now);
                    }
                }
                let active: Slot = crews.iter().map(Crew::active).sum();
                assert_eq!(u64::from(active), expected(t), "{t} ms");
            }
        }
    }
}
