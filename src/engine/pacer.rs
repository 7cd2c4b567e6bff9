//! The pacer: one worker's share of the load, as the answer to "may I send, and since when was
//! it due?".
//!
//! Open loop: the worker owns each k-th request with `k mod W = w`. It hands them out in order
//! and never skips or re-anchors one: a request that waited keeps its intended time. The backlog
//! needs no memory, since it is just the distance between two indices.

use crate::metrics::Phase;
use crate::plan::Schedule;
use crate::time::Nanos;

#[derive(Clone, Copy, Debug)]
pub enum Pacer {
    Open(Stripe),
    /// As many as there is room for, until the budget of measure is spent (or the time is over).
    Closed {
        budget: u64,
        warmup: u64,
        measure: u64,
        running: bool,
    },
}

impl Pacer {
    pub fn closed(budget: u64) -> Pacer {
        Pacer::Closed { budget, warmup: 0, measure: 0, running: false }
    }

    pub fn start(&mut self, origin: Nanos) {
        match self {
            Pacer::Open(stripe) => stripe.start(origin),
            Pacer::Closed { running, .. } => *running = true,
        }
    }

    /// The next request, if one may be sent at `now`: its intended time and the phase it counts
    /// in. In closed loop both are those of the moment.
    #[inline]
    pub fn take(&mut self, now: Nanos, phase: Phase) -> Option<(Nanos, Phase)> {
        match self {
            Pacer::Open(stripe) => stripe.take(now),
            Pacer::Closed { running: false, .. } => None,
            Pacer::Closed { budget, warmup, measure, .. } => {
                match phase {
                    Phase::Warmup => *warmup += 1,
                    Phase::Measure => {
                        *budget = budget.checked_sub(1)?;
                        *measure += 1;
                    }
                    Phase::Drain => return None,
                }
                Some((now, phase))
            }
        }
    }

    /// When the next request may be sent.
    #[inline]
    pub fn next_at(&self) -> Option<Nanos> {
        match self {
            Pacer::Open(stripe) => stripe.next_at(),
            Pacer::Closed { running, budget, .. } => {
                (*running && *budget > 0).then_some(Nanos::ZERO)
            }
        }
    }

    /// In closed loop a connection that has room is used at once.
    #[inline]
    pub fn sends_at_once(&self) -> bool {
        matches!(self, Pacer::Closed { running: true, .. })
    }

    /// Measure is over: a closed loop sends no more, an open loop still sends its backlog.
    pub fn close(&mut self) {
        if let Pacer::Closed { running, .. } = self {
            *running = false;
        }
    }

    /// The run was interrupted: nothing becomes due at `now` or later.
    pub fn stop(&mut self, now: Nanos) {
        match self {
            Pacer::Open(stripe) => stripe.stop(now + Nanos(1)),
            Pacer::Closed { running, .. } => *running = false,
        }
    }

    /// The load never started: nothing was due.
    pub fn call_off(&mut self) {
        match self {
            Pacer::Open(stripe) => stripe.stop(stripe.origin),
            Pacer::Closed { running, .. } => *running = false,
        }
    }

    /// A closed loop has sent all it was allowed to.
    #[inline]
    pub fn is_spent(&self) -> bool {
        matches!(self, Pacer::Closed { budget: 0, .. })
    }

    /// After the end of measure: requests were due that are not sent yet.
    pub fn has_backlog(&self) -> bool {
        match self {
            Pacer::Open(stripe) => stripe.next_at().is_some(),
            Pacer::Closed { .. } => false,
        }
    }
}

/// A worker's stripe of the schedule.
#[derive(Clone, Copy, Debug)]
pub struct Stripe {
    schedule: Schedule,
    /// This worker's number, and how many there are.
    worker: u64,
    workers: u64,
    /// The start of warm-up on the clock.
    origin: Nanos,
    /// The next request to send, as an index into the whole schedule.
    next: u64,
    /// Its intended time; `MAX` when there is none.
    next_at: Nanos,
    /// Indices from here on are not released.
    end: u64,
}

impl Stripe {
    pub fn new(schedule: Schedule, worker: u64, workers: u64) -> Stripe {
        let end = schedule.count();
        let (origin, next_at) = (Nanos::ZERO, Nanos::MAX);
        Stripe { schedule, worker, workers, origin, next: worker, next_at, end }
    }

    pub fn start(&mut self, origin: Nanos) {
        self.origin = origin;
        self.look_ahead();
    }

    /// Takes the next request if it is due at `now`: its intended time and the phase of that.
    #[inline]
    pub fn take(&mut self, now: Nanos) -> Option<(Nanos, Phase)> {
        let intended = self.next_at;
        if intended > now {
            return None;
        }
        let phase = self.phase(self.next);
        self.next += self.workers;
        self.look_ahead();
        Some((intended, phase))
    }

    /// The intended time of the next request.
    #[inline]
    pub fn next_at(&self) -> Option<Nanos> {
        (self.next_at != Nanos::MAX).then_some(self.next_at)
    }

    /// Releases nothing that is due at `now` or later: an interrupted run.
    pub fn stop(&mut self, now: Nanos) {
        self.end = self.end.min(self.schedule.due_before(now - self.origin));
        self.look_ahead();
    }

    /// How many of this worker's requests were due before `now`, by phase: warm-up, measure.
    pub fn due_before(&self, now: Nanos) -> (u64, u64) {
        let due = self.schedule.due_before(now - self.origin).min(self.end);
        let warmup = self.owned(due.min(self.schedule.warmup_count()));
        (warmup, self.owned(due) - warmup)
    }

    fn phase(&self, k: u64) -> Phase {
        if k < self.schedule.warmup_count() { Phase::Warmup } else { Phase::Measure }
    }

    /// How many of the first `count` requests are this worker's.
    fn owned(&self, count: u64) -> u64 {
        (count + self.workers - 1 - self.worker) / self.workers
    }

    #[inline]
    fn look_ahead(&mut self) {
        self.next_at = if self.next < self.end {
            self.origin + self.schedule.intended(self.next)
        } else {
            Nanos::MAX
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Rate;

    const ORIGIN: Nanos = Nanos::from_secs(77);

    fn stripes(rate: u64, warmup: Nanos, workers: u64) -> Vec<Stripe> {
        let seconds = Some(Nanos::from_secs(10));
        let schedule = Schedule::uniform(Rate::per_second(rate), warmup, seconds, None);
        let mut stripes: Vec<_> = (0..workers).map(|w| Stripe::new(schedule, w, workers)).collect();
        stripes.iter_mut().for_each(|stripe| stripe.start(ORIGIN));
        stripes
    }

    #[test]
    fn the_union_of_the_stripes_is_the_schedule_for_any_number_of_workers() {
        for rate in [1, 7, 997, 10_000] {
            for workers in [1, 2, 3, 7] {
                let mut all = Vec::new();
                for mut stripe in stripes(rate, Nanos::from_millis(50), workers) {
                    all.extend(std::iter::from_fn(|| stripe.take(Nanos::MAX - Nanos(1))));
                }
                all.sort_by_key(|(intended, _)| *intended);
                let mut one = stripes(rate, Nanos::from_millis(50), 1).remove(0);
                let expected: Vec<_> =
                    std::iter::from_fn(|| one.take(Nanos::MAX - Nanos(1))).collect();
                assert_eq!(all, expected, "{rate}/s over {workers}");
                let measured = all.iter().filter(|(_, phase)| *phase == Phase::Measure).count();
                assert_eq!(measured as u64, rate * 10);
            }
        }
    }

    #[test]
    fn due_counts_what_take_hands_out() {
        let instant = ORIGIN + Nanos::from_millis(3_333);
        for mut stripe in stripes(997, Nanos::from_secs(1), 3) {
            let (warmup, measure) = stripe.due_before(instant);
            let taken: Vec<_> =
                std::iter::from_fn(|| stripe.take(instant - Nanos(1))).map(|t| t.1).collect();
            assert_eq!(taken.iter().filter(|p| **p == Phase::Warmup).count() as u64, warmup);
            assert_eq!(taken.iter().filter(|p| **p == Phase::Measure).count() as u64, measure);
        }
    }

    #[test]
    fn a_stopped_stripe_still_hands_out_its_backlog() {
        let mut stripe = stripes(1_000, Nanos::ZERO, 1).remove(0);
        let stop = ORIGIN + Nanos::from_secs(1);
        stripe.stop(stop);
        let taken = std::iter::from_fn(|| stripe.take(stop + Nanos::from_secs(60))).count();
        assert_eq!(taken, 1_000);
        assert_eq!(stripe.due_before(Nanos::MAX), (0, 1_000));
        assert_eq!(stripe.next_at(), None);
    }
}
