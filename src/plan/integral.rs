//! How many requests a rate has made due: the integral of a rate that goes in straight lines, and
//! its inverse, both exact.
//!
//! A stage of length `L` ns goes from `a` to `b` requests per `P` ns. After `x` ns of it
//!
//! ```text
//! N(x) = S + (a x + (b - a) x^2 / 2L) / P          S: the number due before the stage
//! ```
//!
//! Times `2P`, every such number at the end of a stage is an integer: `2P N = 2P S + (a + b) L`.
//! So the k-th request is due where
//!
//! ```text
//! 2 L a x + (b - a) x^2 = L (2P k - 2P S)
//! ```
//!
//! which is solved in floats and then corrected in 128-bit integers: the result is the exact root,
//! rounded down to a nanosecond. The number due in `[0, t)` is `ceil(N(t))`.
//!
//! Where the rate is zero for a while, the request that would be due all that time is due at its
//! end: each stage starts with a request of its own.
//!
//! A rate that is changed at `T`, in the middle of a stage, cuts that one: `2P N(T)` need not be an
//! integer there, and is rounded up. A `k` is below the one exactly if it is below the other, so
//! that what is due before `T` stays as it was, and no request comes twice or never.

use std::sync::Arc;

use super::{Rate, Shape, shape};
use crate::error::{Error, Result};
use crate::time::Nanos;

/// The number due over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integral {
    /// `P` in nanoseconds.
    period: u64,
    pieces: Pieces,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pieces {
    /// So many in each period, for ever: the common case, one division a request.
    Steady(u64),
    Shaped(Arc<[Piece]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    start: u64,
    /// `L`, `a` and `b`.
    length: i128,
    from: i128,
    to: i128,
    /// `2P S`.
    before: i128,
}

impl Integral {
    pub fn steady(rate: Rate) -> Integral {
        Integral { period: rate.period.0, pieces: Pieces::Steady(rate.count) }
    }

    /// `shape`: counts in each `period`.
    pub fn shaped(shape: &Shape, period: Nanos) -> Result<Integral> {
        let mut before = 0;
        let pieces: Vec<Piece> =
            shape.stages().iter().map(|stage| Piece::after(&mut before, stage)).collect();
        let length = i128::from(shape.length().0);
        if !fits(before, length, period.0) {
            return Err(Error::usage(
                "so many requests over so long a time cannot be computed exactly; write the rates \
                 per second, or make the run shorter",
            ));
        }
        Ok(Integral { period: period.0, pieces: Pieces::Shaped(pieces.into()) })
    }

    /// The same with the last level of a shape held for `longer`; `None` where that would leave the
    /// range of the integers. What is steady has no end.
    pub fn held(&self, longer: Nanos) -> Option<Integral> {
        let Pieces::Shaped(pieces) = &self.pieces else { return Some(self.clone()) };
        let last = pieces.last()?;
        let end = Nanos(last.start).0 + last.length as u64;
        let hold = shape::Stage {
            start: Nanos(end),
            length: longer,
            from: u64::try_from(last.to).ok()?,
            to: u64::try_from(last.to).ok()?,
        };
        let mut before = last.before + last.doubled_total();
        let held = Piece::after(&mut before, &hold);
        fits(before, i128::from(end) + held.length, self.period).then(|| Integral {
            period: self.period,
            pieces: Pieces::Shaped(pieces.iter().copied().chain([held]).collect()),
        })
    }

    /// The same up to `at`, and from there to `reach` this rate in the place of what was to follow.
    /// `None` where that leaves the range of the integers.
    pub fn steered(&self, at: Nanos, rate: Rate, reach: Nanos) -> Option<Integral> {
        let finer = rate.period.0 / greatest_divisor(self.period, rate.period.0);
        let period = self.period.checked_mul(finer)?;
        let level = rate.count.checked_mul(period / rate.period.0)?;
        let mut pieces: Vec<Piece> = match &self.pieces {
            Pieces::Steady(count) => vec![Piece::level(Nanos::ZERO, reach, *count, 0)],
            Pieces::Shaped(pieces) => pieces.to_vec(),
        };
        pieces.retain(|piece| piece.start < at.0);
        for piece in &mut pieces {
            *piece = piece.in_finer(finer)?;
            fits(piece.checked_end()?, i128::from(reach.0), period).then_some(())?;
        }
        let length = Some(reach - at).filter(|length| *length > Nanos::ZERO)?;
        let before = pieces.last().map_or(0, |last| last.before_at(at));
        let steered = Piece::level(at, length, level, before);
        fits(steered.checked_end()?, i128::from(reach.0), period).then(|| Integral {
            period,
            pieces: Pieces::Shaped(pieces.into_iter().chain([steered]).collect()),
        })
    }

    /// When the k-th request is due; past the end of a shape it is its end.
    #[inline]
    pub fn due_at(&self, k: u64) -> Nanos {
        match &self.pieces {
            Pieces::Steady(count) => steady_at(*count, self.period, k),
            Pieces::Shaped(pieces) => {
                let target = (2 * i128::from(self.period)).saturating_mul(i128::from(k));
                let begun = pieces.partition_point(|piece| piece.before <= target);
                let piece = &pieces[begun.saturating_sub(1)];
                Nanos(piece.start + piece.reaches(target - piece.before))
            }
        }
    }

    /// How many are due in `[0, t)`.
    pub fn due_before(&self, t: Nanos) -> u64 {
        match &self.pieces {
            Pieces::Steady(count) => {
                let product = u128::from(t.0) * u128::from(*count);
                u64::try_from(product.div_ceil(u128::from(self.period))).unwrap_or(u64::MAX)
            }
            Pieces::Shaped(pieces) => {
                let begun = pieces.partition_point(|piece| piece.start < t.0);
                let Some(piece) = begun.checked_sub(1).map(|last| &pieces[last]) else { return 0 };
                let x = i128::from(t.0 - piece.start).min(piece.length);
                let doubled = piece.before * piece.length + piece.doubled(x);
                let unit = 2 * i128::from(self.period) * piece.length;
                u64::try_from(-(-doubled).div_euclid(unit)).unwrap_or(0)
            }
        }
    }

    /// When a number that need not be whole is reached: for arrivals at random. `None` past the
    /// end of a shape. To the nanosecond as long as floats are; never decreasing in `number` but
    /// for their rounding.
    pub fn reaches(&self, number: f64) -> Option<Nanos> {
        let period = self.period as f64;
        match &self.pieces {
            Pieces::Steady(count) => Some(Nanos((number * period / *count as f64) as u64)),
            Pieces::Shaped(pieces) => {
                let target = 2.0 * period * number;
                let last = pieces.last()?;
                if target >= (last.before + last.doubled_total()) as f64 {
                    return None;
                }
                let begun = pieces.partition_point(|piece| piece.before as f64 <= target);
                let piece = &pieces[begun.saturating_sub(1)];
                let x = piece.estimate(target - piece.before as f64);
                Some(Nanos(piece.start + x as u64))
            }
        }
    }
}

/// `floor(k p / n)`.
#[inline]
fn steady_at(count: u64, period: u64, k: u64) -> Nanos {
    // The common case, one division in 64 bits: k p fits for hours at any rate.
    Nanos(match k.checked_mul(period) {
        Some(product) => product / count,
        None => {
            let product = u128::from(k) * u128::from(period);
            u64::try_from(product / u128::from(count)).unwrap_or(u64::MAX)
        }
    })
}

/// Of two periods, none of them zero (Euclid).
fn greatest_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

/// The largest products of a shape; two more than they need, so none is close.
fn fits(before: i128, length: i128, period: u64) -> bool {
    before.checked_mul(length).and_then(|product| product.checked_mul(4)).is_some()
        && i128::from(period).checked_mul(length * 4).is_some()
}

impl Piece {
    /// `before` goes from its start to its end.
    fn after(before: &mut i128, stage: &shape::Stage) -> Piece {
        let piece = Piece {
            start: stage.start.0,
            length: i128::from(stage.length.0),
            from: i128::from(stage.from),
            to: i128::from(stage.to),
            before: *before,
        };
        *before += piece.doubled_total();
        piece
    }

    /// The same rate all the time.
    fn level(start: Nanos, length: Nanos, level: u64, before: i128) -> Piece {
        let (from, to) = (i128::from(level), i128::from(level));
        Piece { start: start.0, length: i128::from(length.0), from, to, before }
    }

    /// The same with so many times the period.
    fn in_finer(&self, finer: u64) -> Option<Piece> {
        let times = |number: i128| number.checked_mul(i128::from(finer));
        let (from, to, before) = (times(self.from)?, times(self.to)?, times(self.before)?);
        Some(Piece { from, to, before, ..*self })
    }

    /// `2P` times the number due up to its end, where that can be computed.
    fn checked_end(&self) -> Option<i128> {
        let rates = self.from.checked_add(self.to)?;
        rates.checked_mul(self.length)?.checked_add(self.before)
    }

    /// `2P` times the number due up to `at`, which is not before its start, rounded up.
    fn before_at(&self, at: Nanos) -> i128 {
        let x = i128::from(at.0 - self.start).min(self.length);
        self.before - (-self.doubled(x)).div_euclid(self.length)
    }

    /// `2P` times the number due in the whole of it.
    fn doubled_total(&self) -> i128 {
        (self.from + self.to) * self.length
    }

    /// `2PL` times the number due after `x` ns of it.
    #[inline]
    fn doubled(&self, x: i128) -> i128 {
        (2 * self.length * self.from + (self.to - self.from) * x) * x
    }

    /// The last whole `x` at which no more than `doubled / 2P` are due.
    fn reaches(&self, doubled: i128) -> u64 {
        if doubled >= self.doubled_total() {
            return self.length as u64;
        }
        if self.from == self.to && self.from > 0 {
            return (doubled / (2 * self.from)) as u64;
        }
        let target = doubled * self.length;
        let is_past = |x: i128| self.doubled(x) > target;
        // The float is off by a nanosecond at most, but where the rate comes close to zero.
        let guess = (self.estimate(doubled as f64) as i128).clamp(0, self.length);
        let (mut low, mut high, mut step) = (guess, guess + 1, 1);
        while low > 0 && is_past(low) {
            (low, high, step) = ((low - step).max(0), low, step * 2);
        }
        while high <= self.length && !is_past(high) {
            (low, high, step) = (high, high + step, step * 2);
        }
        high = high.min(self.length + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if is_past(middle) { high = middle } else { low = middle }
        }
        low as u64
    }

    /// The same in floats: the root in the form that loses no digits to cancellation.
    fn estimate(&self, doubled: f64) -> f64 {
        let (length, from, to) = (self.length as f64, self.from as f64, self.to as f64);
        let root = (from * from + (to - from) * doubled / length).max(0.0).sqrt();
        if from + root > 0.0 { (doubled / (from + root)).min(length) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = Nanos::from_secs(1);

    fn shaped(start: u64, levels: &[(u64, u64)]) -> Integral {
        let levels: Vec<_> = levels.iter().map(|(s, n)| (Nanos::from_secs(*s), *n)).collect();
        Integral::shaped(&Shape::to_levels(start, &levels).unwrap(), SECOND).unwrap()
    }

    #[test]
    fn a_ramp_is_the_textbooks() {
        // 100 to 1,000 in 30 s: 16,500 in all, the 5,000th at 15.2259 s.
        let ramp = shaped(100, &[(30, 1_000)]);
        assert_eq!(ramp.due_before(Nanos::from_secs(30)), 16_500);
        // t = T (-r0 + sqrt(r0^2 + 2 (r1 - r0) k / T)) / (r1 - r0) = (sqrt(310,000) - 100) / 30
        let exact = (310_000f64.sqrt() - 100.0) / 30.0;
        assert!((ramp.due_at(5_000).as_secs_f64() - exact).abs() < 2e-9);
        assert_eq!(ramp.due_at(0), Nanos::ZERO);
    }

    /// Each `due_at(k)` is the last nanosecond at which `N <= k`, in the integers of the formula.
    #[track_caller]
    fn assert_exact(from: u64, to: u64, length: Nanos, ks: impl Iterator<Item = u64>) {
        let shape = Shape::ramp(from, to, length).unwrap();
        let integral = Integral::shaped(&shape, SECOND).unwrap();
        let (a, b, l) = (i128::from(from), i128::from(to), i128::from(length.0));
        let number = |x: i128| 2 * l * a * x + (b - a) * x * x;
        for k in ks {
            let x = i128::from(integral.due_at(k).0);
            let target = 2 * l * 1_000_000_000 * i128::from(k);
            assert!(number(x) <= target, "{from}:{to} k {k} x {x} is late");
            assert!(x == l || number(x + 1) > target, "{from}:{to} k {k} x {x} is early");
        }
    }

    #[test]
    fn the_kth_of_a_ramp_is_exact_rational_arithmetic() {
        let minute = Nanos::from_secs(60);
        for (from, to) in [(0, 1), (1, 0), (0, 997), (997, 0), (100, 1_000), (50_000, 7), (1, 2)] {
            let count = (from + to) * 30;
            let step = (count / 1_000).max(1) as usize;
            assert_exact(from, to, minute, (0..count).step_by(step).chain([count - 1]));
        }
        // Two days up to a million a second.
        let days = Nanos::from_secs(2 * 24 * 3600);
        let count = 86_400_000_000u64;
        assert_exact(0, 1_000_000, days, (0..count).step_by(86_399_999).chain([count - 1]));
        assert_exact(1_000_000, 0, days, (0..count).step_by(86_399_999).chain([count - 1]));
    }

    #[test]
    fn the_count_before_is_the_inverse_of_the_time() {
        let levels = [(3, 1_000), (2, 1_000), (1, 0), (2, 0), (0, 500), (2, 500), (3, 997)];
        let integral = shaped(7, &levels);
        let count = integral.due_before(Nanos::MAX);
        for k in 0..count {
            let due = integral.due_at(k);
            assert!(integral.due_before(due) <= k, "k {k} at {due:?}");
            assert!(integral.due_before(due + Nanos(1)) > k, "k {k} at {due:?}");
        }
        assert!((0..count).map(|k| integral.due_at(k)).is_sorted());
    }

    #[test]
    fn stages_have_the_counts_of_their_areas() {
        // 30s:1k, 1m:10k, 30s:10k, 10s:0
        let integral = shaped(0, &[(30, 1_000), (60, 10_000), (30, 10_000), (10, 0)]);
        for (t, expected) in [(30, 15_000), (90, 345_000), (120, 645_000), (130, 695_000)] {
            assert_eq!(integral.due_before(Nanos::from_secs(t)), expected, "{t} s");
        }
    }

    #[test]
    fn a_shape_that_is_held_goes_on_at_its_last_level_and_is_the_same_up_to_there() {
        for (levels, each_second) in [(&[(2, 100), (3, 40)][..], 40), (&[(2, 100), (1, 0)], 0)] {
            let integral = shaped(7, levels);
            let held = integral.held(Nanos::from_secs(100)).unwrap();
            let end = Nanos::from_secs(levels.iter().map(|(s, _)| s).sum());
            let count = integral.due_before(end);
            (0..count).for_each(|k| assert_eq!(held.due_at(k), integral.due_at(k)));
            assert_eq!(held.due_before(end), count);
            assert_eq!(held.due_before(end + Nanos::from_secs(10)), count + 10 * each_second);
            assert!(held.due_at(count) >= end);
        }
        let vast = Shape::ramp(1, 1_000_000_000_000, Nanos::from_secs(1_000)).unwrap();
        let vast = Integral::shaped(&vast, SECOND).unwrap();
        assert_eq!(vast.held(Nanos::from_secs(30 * 24 * 3600)), None);
    }

    #[test]
    fn a_steered_rate_is_the_old_one_up_to_the_change_and_goes_on_without_a_gap() {
        let end = Nanos::from_secs(100);
        let steady = Integral::steady(Rate::per_second(100));
        let steered = steady.steered(Nanos::from_secs(2), Rate::per_second(300), end).unwrap();
        assert_eq!(steered.due_before(Nanos::from_secs(4)), 200 + 600);
        (0..200).for_each(|k| assert_eq!(steered.due_at(k), steady.due_at(k), "{k}"));
        assert_eq!(steered.due_at(200), Nanos::from_secs(2));
        assert_eq!(steered.due_at(201), Nanos(2_003_333_333));
        // In the middle of a gap: what is left of it passes at the new rate.
        let in_a_gap = steady.steered(Nanos::from_millis(5), Rate::per_second(1_000), end).unwrap();
        let due = [0, 1, 2].map(|k| in_a_gap.due_at(k));
        assert_eq!(due, [Nanos::ZERO, Nanos::from_micros(5_500), Nanos::from_micros(6_500)]);
    }

    #[test]
    fn a_ramp_that_is_cut_anywhere_counts_each_request_once() {
        let ramp = shaped(7, &[(3, 1_000), (2, 0), (0, 500), (2, 500)]);
        let rates = [Rate { count: 1, period: Nanos(333_333_333) }, Rate::per_second(997)];
        for at in [1, 999_999_937, 2_999_999_999, 3_000_000_001, 5_000_000_000, 6_123_456_789] {
            for rate in rates {
                let steered = ramp.steered(Nanos(at), rate, Nanos::from_secs(3_600)).unwrap();
                assert_eq!(steered.due_before(Nanos(at)), ramp.due_before(Nanos(at)));
                let count = steered.due_before(Nanos::from_secs(9));
                for k in 0..count {
                    let due = steered.due_at(k);
                    assert!(steered.due_before(due) <= k, "{at}: k {k} at {due:?}");
                    assert!(steered.due_before(due + Nanos(1)) > k, "{at}: k {k} at {due:?}");
                    assert!(due >= Nanos(at) || due == ramp.due_at(k), "{at}: k {k} at {due:?}");
                    let float = steered.reaches(k as f64).unwrap();
                    assert!(due.0.abs_diff(float.0) <= 10, "{at}: k {k}: {due:?}, {float:?}");
                }
                assert!((0..count).map(|k| steered.due_at(k)).is_sorted());
                let gap = steered.due_at(count) - steered.due_at(count - 1);
                assert!(gap.0.abs_diff(rate.period.0 / rate.count) <= 1, "{gap:?}");
            }
        }
    }

    #[test]
    fn a_change_takes_the_place_of_all_that_was_to_follow_and_of_one_at_the_same_time() {
        let (second, end) = (Nanos::from_secs(1), Nanos::from_secs(100));
        let ramp = shaped(100, &[(5, 100), (5, 900)]);
        let steered = |rate| ramp.steered(second, Rate::per_second(rate), end).unwrap();
        let twice = steered(7).steered(second, Rate::per_second(50), end).unwrap();
        assert_eq!(twice, steered(50));
        assert_eq!(twice.due_before(Nanos::from_secs(11)), 100 + 500);
        let huge = Rate { count: u64::MAX, period: Nanos(1) };
        assert_eq!(ramp.steered(second, huge, end), None);
        assert_eq!(ramp.steered(end, Rate::per_second(1), end), None);
        let odd = Rate { count: 1, period: Nanos(u64::MAX - 58) };
        assert_eq!(Integral::steady(huge).steered(second, odd, end), None);
    }

    #[test]
    fn nothing_is_due_while_the_rate_is_zero() {
        let integral = shaped(100, &[(1, 100), (0, 0), (10, 0), (0, 100), (1, 100)]);
        assert_eq!(integral.due_before(Nanos::from_secs(1)), 100);
        assert_eq!(integral.due_before(Nanos::from_secs(11)), 100);
        assert_eq!(integral.due_at(99), Nanos::from_millis(990));
        assert_eq!(integral.due_at(100), Nanos::from_secs(11));
        assert_eq!(integral.due_before(Nanos::from_secs(12)), 200);
    }

    #[test]
    fn the_float_inverse_agrees_with_the_exact_one() {
        let integral = shaped(0, &[(3, 10_000), (2, 10_000), (5, 0)]);
        for k in 0..integral.due_before(Nanos::from_secs(10)) {
            let (exact, float) = (integral.due_at(k), integral.reaches(k as f64).unwrap());
            assert!(exact.0.abs_diff(float.0) <= 10, "k {k}: {exact:?}, {float:?}");
        }
        assert_eq!(integral.reaches(60_000.0), None);
    }

    #[test]
    fn absurd_shapes_are_refused_and_do_not_overflow() {
        let highest = Shape::ramp(0, 1_000_000_000_000, Nanos::from_secs(30 * 24 * 3600)).unwrap();
        let period = Nanos::from_secs(1_000_000);
        match Integral::shaped(&highest, period) {
            Ok(integral) => assert!(integral.due_before(Nanos::MAX) > 0),
            Err(error) => assert!(error.message.contains("shorter")),
        }
    }
}
