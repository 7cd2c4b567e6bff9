//! The pacer: one worker's share of the load, as the answer to "may I send, and since when was
//! it due?".
//!
//! Open loop: the worker owns its part of each phase's arrivals. It hands them out in order and
//! never skips or re-anchors one: a request that waited keeps its intended time. The backlog needs
//! no memory, since it is just the distance between two walks over the same arrivals.

use std::sync::Arc;

use super::edits::{self, Edit};
use super::pace::Pace;
use crate::metrics::Phase;
use crate::plan::Schedule;
use crate::plan::arrivals::Walk;
use crate::plan::shape::Stage;
use crate::time::Nanos;

/// A request that may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub intended: Nanos,
    /// The phase and the stage it counts in.
    pub phase: Phase,
    pub stage: u16,
    /// How many this worker was given before it in the phase.
    pub number: u64,
}

// One a worker, so its size is no matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Pacer {
    Open(Stripe),
    /// As many as there is room for, until the budget of measure is spent (or the time is over).
    Closed {
        budget: u64,
        warmup: u64,
        measure: u64,
        running: bool,
        /// Where no more than so many may be sent.
        pace: Option<Pace>,
    },
}

impl Pacer {
    pub fn closed(budget: u64, pace: Option<Pace>) -> Pacer {
        Pacer::Closed { budget, warmup: 0, measure: 0, running: false, pace }
    }

    pub fn start(&mut self, origin: Nanos) {
        match self {
            Pacer::Open(stripe) => stripe.start(origin),
            Pacer::Closed { running, pace, .. } => {
                *running = true;
                pace.iter_mut().for_each(|pace| pace.start(origin));
            }
        }
    }

    /// Measure begins at `at`. Told before then, but maybe after the start.
    pub fn begin_measure(&mut self, at: Nanos) {
        if let Pacer::Open(stripe) = self {
            stripe.begin_measure(at);
        }
    }

    /// Measure is to end at `at` and not where it was to. What was due before now stays due.
    pub fn end_at(&mut self, at: Nanos) {
        if let Pacer::Open(stripe) = self {
            stripe.end_at(at);
        }
    }

    /// The rate is as these changes make it: all so far. No later reading of the clock was looked
    /// at than the first one that is new. `stage_ends`: those of measure, with them.
    pub fn steer(&mut self, edits: &[Edit], stage_ends: Arc<[Nanos]>) {
        if let Pacer::Open(stripe) = self {
            stripe.steer(edits, stage_ends);
        }
    }

    /// The next request, if one may be sent at `now`. In closed loop it is due now, in the phase
    /// and stage of the moment.
    #[inline]
    pub fn take(&mut self, now: Nanos, phase: Phase, stage: u16) -> Option<Due> {
        match self {
            Pacer::Open(stripe) => stripe.take(now),
            Pacer::Closed { running: false, .. } => None,
            Pacer::Closed { budget, warmup, measure, pace, .. } => {
                if pace.as_ref().is_some_and(|pace| now < pace.next_at()) {
                    return None;
                }
                let given = match phase {
                    Phase::Warmup => warmup,
                    Phase::Measure => {
                        *budget = budget.checked_sub(1)?;
                        measure
                    }
                    Phase::Drain | Phase::Aside => return None,
                };
                let number = *given;
                *given += 1;
                if let Some(pace) = pace {
                    pace.passes(now);
                }
                Some(Due { intended: now, phase, stage, number })
            }
        }
    }

    /// Whether something may be sent at `now` that is no part of the load; it counts for the pace.
    pub fn passes(&mut self, now: Nanos) -> bool {
        match self {
            Pacer::Closed { running: true, pace: Some(pace), .. } => pace.passes(now),
            _ => true,
        }
    }

    /// The next request, if it was due before `at`; open loop only.
    pub fn take_older(&mut self, at: Nanos) -> Option<Due> {
        match self {
            Pacer::Open(stripe) if stripe.next_at < at => stripe.take(at),
            _ => None,
        }
    }

    /// When the next request may be sent.
    #[inline]
    pub fn next_at(&self) -> Option<Nanos> {
        match self {
            Pacer::Open(stripe) => stripe.next_at(),
            Pacer::Closed { running, budget, pace, .. } => {
                let at = pace.as_ref().map_or(Nanos::ZERO, Pace::next_at);
                (*running && *budget > 0).then_some(at)
            }
        }
    }

    /// In closed loop a connection that has room is used at once, unless there is a pace to keep.
    #[inline]
    pub fn sends_at_once(&self) -> bool {
        matches!(self, Pacer::Closed { running: true, pace: None, .. })
    }

    /// In closed loop, a connection that has room may have to wait.
    pub fn is_paced(&self) -> bool {
        matches!(self, Pacer::Closed { running: true, pace: Some(_), .. })
    }

    /// Its times are those of a schedule, and worth spinning for.
    #[inline]
    pub fn is_open(&self) -> bool {
        matches!(self, Pacer::Open(_))
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

    /// How many were due before `now`, in warm-up and in measure; open loop only. `now` never
    /// goes back.
    pub fn due_before(&mut self, now: Nanos) -> Option<(u64, u64)> {
        match self {
            Pacer::Open(stripe) => Some(stripe.due_before(now)),
            Pacer::Closed { .. } => None,
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
#[derive(Clone, Debug)]
pub struct Stripe {
    warmup: Walk,
    measure: Walk,
    /// The same once more, to count what became due.
    due_in_warmup: Walk,
    due_in_measure: Walk,
    schedule: Schedule,
    stage_ends: Arc<[Nanos]>,
    /// The start of warm-up on the clock, and that of measure; `MAX` while it is not known.
    origin: Nanos,
    measure_at: Nanos,
    /// What the next request is; its time is `MAX` when there is none.
    phase: Phase,
    next_at: Nanos,
    /// Handed out so far in the phase.
    given: u64,
}

impl Stripe {
    pub fn new(schedule: &Schedule, worker: u64, workers: u64) -> Stripe {
        let (warmup, measure) = schedule.walks(worker, workers);
        Stripe {
            due_in_warmup: warmup.clone(),
            due_in_measure: measure.clone(),
            warmup,
            measure,
            stage_ends: schedule.stages().iter().map(Stage::end).collect(),
            schedule: schedule.clone(),
            origin: Nanos::ZERO,
            measure_at: Nanos::MAX,
            phase: Phase::Warmup,
            next_at: Nanos::MAX,
            given: 0,
        }
    }

    pub fn start(&mut self, origin: Nanos) {
        self.origin = origin;
        self.look_ahead();
    }

    /// The warm-up ends at `at` at the latest, and measure's own arrivals begin.
    pub fn begin_measure(&mut self, at: Nanos) {
        self.measure_at = at;
        self.warmup.cut(at - self.origin);
        self.due_in_warmup.cut(at - self.origin);
        self.look_ahead();
    }

    pub fn end_at(&mut self, at: Nanos) {
        for walk in [&mut self.measure, &mut self.due_in_measure] {
            walk.end_at(at - self.measure_at);
        }
        self.look_ahead();
    }

    /// As the changes make it: of those in warm-up, the last one holds in all of measure.
    pub fn steer(&mut self, edits: &[Edit], stage_ends: Arc<[Nanos]>) {
        self.stage_ends = stage_ends;
        // The control thread has computed the same before it told of them.
        if let Some(of_warmup) = self.schedule.warmup_with(&edits::turns(edits, self.origin)) {
            self.due_in_warmup.steer(of_warmup.clone());
            self.warmup.steer(of_warmup);
        }
        if let Some(of_measure) = self.schedule.measure_with(&edits::turns(edits, self.measure_at))
        {
            self.due_in_measure.steer(of_measure.clone());
            self.measure.steer(of_measure);
        }
        self.look_ahead();
    }

    /// Takes the next request if it is due at `now`.
    #[inline]
    pub fn take(&mut self, now: Nanos) -> Option<Due> {
        let (intended, phase) = (self.next_at, self.phase);
        if intended > now || intended == Nanos::MAX {
            return None;
        }
        if phase == Phase::Warmup {
            self.warmup.advance();
            self.due_in_warmup.keep_up(intended - self.origin);
        } else {
            self.measure.advance();
            self.due_in_measure.keep_up(intended - self.measure_at);
        }
        let number = self.given;
        self.given += 1;
        self.look_ahead();
        Some(Due { intended, phase, stage: self.stage(intended, phase), number })
    }

    /// The intended time of the next request.
    #[inline]
    pub fn next_at(&self) -> Option<Nanos> {
        (self.next_at != Nanos::MAX).then_some(self.next_at)
    }

    /// Releases nothing that is due at `now` or later: an interrupted run.
    pub fn stop(&mut self, now: Nanos) {
        for walk in [&mut self.warmup, &mut self.due_in_warmup] {
            walk.cut(now - self.origin);
        }
        for walk in [&mut self.measure, &mut self.due_in_measure] {
            walk.cut(now - self.measure_at);
        }
        self.look_ahead();
    }

    /// How many of this worker's requests were due before `now`, by phase: warm-up, measure.
    /// `now` never goes back.
    pub fn due_before(&mut self, now: Nanos) -> (u64, u64) {
        let measured = now - self.measure_at;
        (self.due_in_warmup.due_before(now - self.origin), self.due_in_measure.due_before(measured))
    }

    fn stage(&self, intended: Nanos, phase: Phase) -> u16 {
        // A steady load has none, and the last one no end of its own.
        if phase == Phase::Warmup || self.stage_ends.len() < 2 {
            return 0;
        }
        let t = intended - self.measure_at;
        let ended = self.stage_ends.partition_point(|end| *end <= t);
        ended.min(self.stage_ends.len() - 1) as u16
    }

    #[inline]
    fn look_ahead(&mut self) {
        let warmup = self.warmup.peek().map(|at| self.origin + at);
        // Until measure has a time, its arrivals have none.
        let measure = self.measure.peek().map_or(Nanos::MAX, |at| self.measure_at + at);
        let before = self.phase;
        (self.phase, self.next_at) = match warmup {
            Some(at) => (Phase::Warmup, at),
            None => (Phase::Measure, measure),
        };
        if self.phase != before {
            self.given = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Law, Offered, Rate, Warmup};

    const ORIGIN: Nanos = Nanos::from_secs(77);
    const LATE: Nanos = Nanos(u64::MAX - 1);

    fn stripes(rate: u64, warmup: Nanos, workers: u64) -> Vec<Stripe> {
        let seconds = Some(Nanos::from_secs(10));
        let schedule = Schedule::uniform(Rate::per_second(rate), warmup, seconds, None);
        let stripe = |worker| {
            let mut stripe = Stripe::new(&schedule, worker, workers);
            stripe.start(ORIGIN);
            stripe.begin_measure(ORIGIN + warmup);
            stripe
        };
        (0..workers).map(stripe).collect()
    }

    fn all(stripe: &mut Stripe, until: Nanos) -> Vec<Due> {
        std::iter::from_fn(|| stripe.take(until)).collect()
    }

    fn of(due: &[Due], phase: Phase) -> u64 {
        due.iter().filter(|due| due.phase == phase).count() as u64
    }

    #[test]
    fn the_union_of_the_stripes_is_the_schedule_for_any_number_of_workers() {
        for rate in [1, 7, 997, 10_000] {
            for workers in [1, 2, 3, 7] {
                let mut union = Vec::new();
                let stripes = stripes(rate, Nanos::from_millis(50), workers);
                for (worker, mut stripe) in (0..).zip(stripes) {
                    // A stripe's numbers are every so many of the schedule's.
                    union.extend(
                        all(&mut stripe, LATE)
                            .into_iter()
                            .map(|due| Due { number: due.number * workers + worker, ..due }),
                    );
                }
                union.sort_by_key(|due| due.intended);
                let expected = all(&mut self::stripes(rate, Nanos::from_millis(50), 1)[0], LATE);
                assert_eq!(union, expected, "{rate}/s over {workers}");
                assert_eq!(of(&union, Phase::Measure), rate * 10);
            }
        }
    }

    #[test]
    fn due_counts_what_take_hands_out() {
        let instant = ORIGIN + Nanos::from_millis(3_333);
        for mut stripe in stripes(997, Nanos::from_secs(1), 3) {
            let (warmup, measure) = stripe.due_before(instant);
            let taken = all(&mut stripe, instant - Nanos(1));
            assert_eq!(of(&taken, Phase::Warmup), warmup);
            assert_eq!(of(&taken, Phase::Measure), measure);
        }
    }

    #[test]
    fn a_stopped_stripe_still_hands_out_its_backlog() {
        let mut stripe = stripes(1_000, Nanos::ZERO, 1).remove(0);
        let stop = ORIGIN + Nanos::from_secs(1);
        stripe.stop(stop);
        assert_eq!(all(&mut stripe, stop + Nanos::from_secs(60)).len(), 1_000);
        assert_eq!(stripe.due_before(Nanos::MAX), (0, 1_000));
        assert_eq!(stripe.next_at(), None);
    }

    #[test]
    fn a_warm_up_without_an_end_goes_on_until_measure_is_told() {
        for law in [Law::Uniform, Law::Poisson { seed: 4 }] {
            let offered = Offered::steady(Rate::per_second(1_000), law);
            let length = Some(Nanos::from_secs(2));
            let schedule = Schedule::new(&offered, Warmup::Auto, length, None);
            let mut stripe = Stripe::new(&schedule, 0, 1);
            stripe.start(ORIGIN);
            let before = all(&mut stripe, ORIGIN + Nanos::from_secs(7));
            assert_eq!(of(&before, Phase::Warmup), before.len() as u64);
            let measure = ORIGIN + Nanos::from_millis(7_500);
            stripe.begin_measure(measure);
            let rest = all(&mut stripe, LATE);
            assert!(
                rest.iter().all(|due| (due.intended < measure) == (due.phase == Phase::Warmup))
            );
            // What is measured does not depend on how long the warm-up was.
            let mut at_once = Stripe::new(&schedule, 0, 1);
            at_once.start(ORIGIN);
            at_once.begin_measure(ORIGIN);
            let offsets = |taken: &[Due], zero: Nanos| -> Vec<Nanos> {
                let measured = taken.iter().filter(|due| due.phase == Phase::Measure);
                measured.map(|due| due.intended - zero).collect()
            };
            let expected = offsets(&all(&mut at_once, LATE), ORIGIN);
            assert_eq!(offsets(&rest, measure), expected);
            let warmed = before.len() as u64 + of(&rest, Phase::Warmup);
            assert_eq!(stripe.due_before(Nanos::MAX), (warmed, expected.len() as u64));
        }
    }
}
