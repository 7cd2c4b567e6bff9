//! The schedule of an open loop: the arrivals of warm-up and of measure.
//!
//! The two are sequences of their own, each from its own zero, so that what is due in measure does
//! not depend on the warm-up. Measure can be cut to a given number of requests.

use super::arrivals::{Arrivals, Law, Walk};
use super::integral::Integral;
use super::load::Offered;
use super::shape::Stage;
use super::{Rate, Shape, Warmup};
use crate::time::Nanos;

#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    warmup: Arrivals,
    measure: Arrivals,
    /// `None` while it is to be found in the run.
    warmup_length: Option<Nanos>,
    shape: Option<Shape>,
    is_elastic: bool,
}

/// A change of the rate: for good, from this time of its phase on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub at: Nanos,
    pub rate: Rate,
}

/// By how much a measure can be made longer while it goes on.
pub const STRETCH: Nanos = Nanos::from_secs(24 * 3600);

impl Schedule {
    /// What is offered in `warmup`, then until `duration` is over or `requests` were due in
    /// measure, whichever comes first. One of the two must be given, or a shape, which has a
    /// length: a schedule has an end.
    pub fn new(
        offered: &Offered,
        warmup: Warmup,
        duration: Option<Nanos>,
        requests: Option<u64>,
    ) -> Schedule {
        let shape = offered.shape().cloned();
        let length = duration.or(shape.as_ref().map(Shape::length));
        let held = offered.integral().held(STRETCH);
        // A number of requests is the end.
        let is_elastic = held.is_some() && requests.is_none();
        let integral = held.unwrap_or_else(|| offered.integral().clone());
        let measure = Arrivals::new(offered.law(), integral, requests, length);
        let (warmup_length, warmup) = (warmup.length(), before(offered, warmup));
        Schedule { warmup, measure, warmup_length, shape, is_elastic }
    }

    /// A steady rate, uniform arrivals.
    pub fn uniform(
        rate: Rate,
        warmup: Nanos,
        duration: Option<Nanos>,
        requests: Option<u64>,
    ) -> Schedule {
        let offered = Offered::steady(rate, Law::Uniform);
        Schedule::new(&offered, Warmup::For(warmup), duration, requests)
    }

    /// A worker's shares of warm-up and of measure.
    pub fn walks(&self, worker: u64, workers: u64) -> (Walk, Walk) {
        (self.warmup.walk(worker, workers), self.measure.walk(worker, workers))
    }

    /// `None` while it is to be found in the run.
    pub fn warmup_length(&self) -> Option<Nanos> {
        self.warmup_length
    }

    /// The length of measure. Nothing is due at its end or after it.
    pub fn length(&self) -> Nanos {
        self.measure.length()
    }

    /// The end of measure may be moved, by [`STRETCH`] at most.
    pub fn is_elastic(&self) -> bool {
        self.is_elastic
    }

    /// Of a shape; a steady load has none.
    pub fn stages(&self) -> &[Stage] {
        self.shape.as_ref().map_or(&[], Shape::stages)
    }

    /// How many are due in warm-up with these changes, each in the place of what was to follow.
    /// `None` where that is out of range.
    pub fn warmup_with(&self, turns: &[Turn]) -> Option<Integral> {
        steered(&self.warmup, self.warmup_length.unwrap_or_default(), turns)
    }

    /// The same of measure.
    pub fn measure_with(&self, turns: &[Turn]) -> Option<Integral> {
        steered(&self.measure, self.length(), turns)
    }
}

/// However long a phase becomes, it has a rate.
fn steered(arrivals: &Arrivals, length: Nanos, turns: &[Turn]) -> Option<Integral> {
    let reach = length + STRETCH;
    let before = arrivals.integral().clone();
    turns.iter().try_fold(before, |before, turn| before.steered(turn.at, turn.rate, reach))
}

fn before(offered: &Offered, warmup: Warmup) -> Arrivals {
    let law = match offered.law() {
        // Numbers of its own.
        Law::Poisson { seed } => Law::Poisson { seed: !seed },
        same => same,
    };
    let integral = Integral::steady(offered.first_rate());
    Arrivals::new(law, integral, None, warmup.length())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = Nanos::from_secs(1);

    /// All that is due in measure, over `workers`, in order.
    fn all(schedule: &Schedule, workers: u64) -> Vec<Nanos> {
        let mut all = Vec::new();
        for worker in 0..workers {
            let mut walk = schedule.walks(worker, workers).1;
            while let Some(at) = walk.peek() {
                all.push(at);
                walk.advance();
            }
        }
        all.sort_unstable();
        all
    }

    fn count(rate: u64, period: Nanos, duration: Nanos) -> u64 {
        let rate = Rate { count: rate, period };
        let schedule = Schedule::uniform(rate, Nanos::ZERO, Some(duration), None);
        let counts = (0..3).map(|w| schedule.walks(w, 3).1.due_before(Nanos::MAX));
        counts.sum()
    }

    fn shaped(shape: Shape, law: Law) -> Schedule {
        let offered = Offered::shaped(shape, SECOND, law).unwrap();
        Schedule::new(&offered, Warmup::For(Nanos::ZERO), None, None)
    }

    #[test]
    fn the_count_is_the_rate_times_the_time() {
        for (rate, period, duration, expected) in [
            (1, SECOND, Nanos::from_secs(10), 10),
            (997, SECOND, Nanos::from_secs(10), 9_970),
            (100_000, SECOND, Nanos::from_secs(10), 1_000_000),
            (50_000, SECOND, Nanos::from_secs(10), 500_000),
            (1, Nanos::from_secs(3), Nanos::from_secs(10), 4),
            (3, Nanos::from_secs(2), SECOND, 2),
            (7, SECOND, Nanos::from_millis(100), 1),
        ] {
            assert_eq!(count(rate, period, duration), expected, "{rate} per {period:?}");
        }
    }

    #[test]
    fn the_kth_is_exact_rational_arithmetic() {
        let schedule = Schedule::uniform(
            Rate::per_second(997),
            Nanos::ZERO,
            Some(Nanos::from_secs(100)),
            None,
        );
        for (k, at) in all(&schedule, 3).into_iter().enumerate() {
            assert_eq!(at, Nanos((k as u128 * 1_000_000_000 / 997) as u64));
        }
        let long = Some(Nanos::from_secs(10_000_000));
        let schedule = Schedule::uniform(Rate::per_second(1_000_000), Nanos::ZERO, long, None);
        let last = schedule.measure.walk(9_999_999_999_999, 10_000_000_000_000);
        assert_eq!(last.peek(), Some(Nanos(9_999_999_999_999_000)));
    }

    #[test]
    fn any_number_of_workers_has_the_same_arrivals_under_every_law() {
        let ramp = Shape::ramp(0, 2_000, Nanos::from_secs(3)).unwrap();
        for law in [Law::Uniform, Law::Burst(7), Law::Poisson { seed: 42 }] {
            let schedule = shaped(ramp.clone(), law);
            let one = all(&schedule, 1);
            for workers in [2, 3, 16] {
                assert_eq!(all(&schedule, workers), one, "{law:?} over {workers}");
            }
            if !matches!(law, Law::Poisson { .. }) {
                assert_eq!(one.len(), 3_000, "{law:?}");
            }
        }
    }

    #[test]
    fn bursts_come_at_once_and_in_the_number_that_the_rate_says() {
        let offered = Offered::steady(Rate::per_second(10), Law::Burst(4));
        let schedule = Schedule::new(&offered, Warmup::For(Nanos::ZERO), Some(SECOND), None);
        let millis: Vec<_> = all(&schedule, 2).iter().map(|at| at.0 / 1_000_000).collect();
        assert_eq!(millis, [0, 0, 0, 0, 400, 400, 400, 400, 800, 800]);
        let mut walk = schedule.walks(0, 1).1;
        let before = [1, 400, 401, 801, 2_000].map(|ms| walk.due_before(Nanos::from_millis(ms)));
        assert_eq!(before, [4, 4, 8, 10, 10]);
    }

    /// Kolmogorov and Smirnov: the largest distance of the gaps' distribution to the exponential
    /// one stays under 1.63 / sqrt(n) in 99 of 100 samples.
    #[test]
    fn poisson_gaps_are_exponential_and_their_number_is_the_rates() {
        for seed in [1, 2, 3] {
            let offered = Offered::steady(Rate::per_second(10_000), Law::Poisson { seed });
            let length = Some(Nanos::from_secs(20));
            let schedule = Schedule::new(&offered, Warmup::For(Nanos::ZERO), length, None);
            let arrivals = all(&schedule, 3);
            // The deviation of the number is its root, 447; three of them.
            assert!(arrivals.len().abs_diff(200_000) < 1_342, "{}", arrivals.len());
            let mut gaps: Vec<f64> =
                arrivals.windows(2).map(|pair| (pair[1] - pair[0]).0 as f64 / 1e5).collect();
            gaps.sort_unstable_by(f64::total_cmp);
            let n = gaps.len() as f64;
            let distance = |(index, gap): (usize, &f64)| {
                let exponential = 1.0 - (-gap).exp();
                let (below, above) = (index as f64 / n, (index + 1) as f64 / n);
                (exponential - below).abs().max((above - exponential).abs())
            };
            let largest = gaps.iter().enumerate().map(distance).fold(0.0, f64::max);
            assert!(largest < 1.63 / n.sqrt(), "seed {seed}: {largest}");
        }
    }

    #[test]
    fn a_poisson_ramp_has_the_ramps_number_in_each_part() {
        let ramp = Shape::ramp(0, 20_000, Nanos::from_secs(10)).unwrap();
        let arrivals = all(&shaped(ramp, Law::Poisson { seed: 7 }), 1);
        for part in 0..10u64 {
            let (from, to) = (Nanos::from_secs(part), Nanos::from_secs(part + 1));
            let seen = arrivals.iter().filter(|at| **at >= from && **at < to).count() as f64;
            let expected = 1_000.0 * (2 * part + 1) as f64;
            assert!((seen - expected).abs() < 4.0 * expected.sqrt(), "{part}: {seen}");
        }
    }

    #[test]
    fn the_same_seed_is_the_same_run_and_another_is_another() {
        let arrivals = |seed| {
            let ramp = Shape::ramp(1_000, 1_000, SECOND).unwrap();
            all(&shaped(ramp, Law::Poisson { seed }), 1)
        };
        assert_eq!(arrivals(5), arrivals(5));
        assert_ne!(arrivals(5), arrivals(6));
    }

    #[test]
    fn due_before_counts_what_a_walk_hands_out() {
        let ramp = Shape::ramp(100, 2_000, Nanos::from_secs(2)).unwrap();
        for law in [Law::Uniform, Law::Burst(16), Law::Poisson { seed: 9 }] {
            let schedule = shaped(ramp.clone(), law);
            for worker in 0..3 {
                let (mut walk, mut counter) =
                    (schedule.walks(worker, 3).1, schedule.walks(worker, 3).1);
                for ms in (0..2_100).step_by(70) {
                    let t = Nanos::from_millis(ms);
                    let mut handed_out = 0;
                    walk = schedule.walks(worker, 3).1;
                    while walk.peek().is_some_and(|at| at < t) {
                        walk.advance();
                        handed_out += 1;
                    }
                    assert_eq!(counter.due_before(t), handed_out, "{law:?} {worker} {ms} ms");
                }
                let _ = walk;
            }
        }
    }

    #[test]
    fn counts_that_leave_64_bits_stop_there() {
        let rate = Rate { count: u64::MAX, period: Nanos(3) };
        let schedule = Schedule::uniform(rate, Nanos::ZERO, Some(SECOND), None);
        let shares = (0..3).map(|worker| schedule.walks(worker, 3).1.due_before(SECOND));
        assert_eq!(shares.sum::<u64>(), u64::MAX);
        let mut walk = schedule.walks(u64::MAX - 1, u64::MAX).1;
        walk.advance();
        assert_eq!(walk.peek(), None);
    }

    #[test]
    fn a_number_of_requests_ends_the_measure_early() {
        let rate = Rate::per_second(100);
        let run = |duration, requests| {
            let schedule = Schedule::uniform(rate, Nanos::ZERO, duration, Some(requests));
            (all(&schedule, 2).len(), schedule.length())
        };
        assert_eq!(run(Some(SECOND), 25), (25, Nanos::from_millis(250)));
        assert_eq!(run(Some(SECOND), 1_000), (100, SECOND));
        assert_eq!(run(None, 1_000), (1_000, Nanos::from_secs(10)));
    }

    #[test]
    fn the_end_of_very_many_random_arrivals_is_known_at_once_and_to_a_thousandth() {
        let offered = Offered::steady(Rate::per_second(1_000_000), Law::Poisson { seed: 3 });
        let began = std::time::Instant::now();
        let schedule = Schedule::new(&offered, Warmup::NONE, None, Some(1_000_000_000_000));
        assert!(began.elapsed().as_millis() < 100);
        let expected = 1e6;
        let length = schedule.length().as_secs_f64();
        assert!(length > expected && length < expected * 1.001, "{length}");
    }

    #[test]
    fn a_number_of_random_arrivals_is_exact_and_ends_before_the_next() {
        let offered = Offered::steady(Rate::per_second(1_000), Law::Poisson { seed: 3 });
        let schedule = Schedule::new(&offered, Warmup::For(Nanos::ZERO), None, Some(500));
        let arrivals = all(&schedule, 3);
        assert_eq!(arrivals.len(), 500);
        let longer = Schedule::new(&offered, Warmup::For(Nanos::ZERO), None, Some(501));
        assert_eq!(all(&longer, 1)[500], schedule.length());
    }
}
