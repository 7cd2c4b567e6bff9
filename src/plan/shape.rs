//! A shape: a level that changes over time, in straight pieces. Of requests per second (open
//! loop) or of connections in use (closed loop). Pure: from a time to a level.
//!
//! Each piece is a *stage* of the run: it has a row of its own in the report.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::time::Nanos;
use crate::units::format_count;

/// The most stages a run has. Each keeps histograms of its own.
pub const MOST_STAGES: usize = 100;

/// The longest run with a shape. Together with the highest level it keeps the schedule's integers
/// in range.
pub const LONGEST: Nanos = Nanos::from_secs(30 * 24 * 3600);

/// The highest level, as a count in a shape's period.
const HIGHEST: u64 = 1_000_000_000_000;

/// A level over time, from its own zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// In order and without gaps; at least one, none of them empty.
    stages: Arc<[Stage]>,
}

/// A straight piece of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// From the start of the shape.
    pub start: Nanos,
    /// More than zero.
    pub length: Nanos,
    /// The level at its start and at its end.
    pub from: u64,
    pub to: u64,
}

impl Shape {
    /// From a level to another in a straight line.
    pub fn ramp(from: u64, to: u64, length: Nanos) -> Result<Shape> {
        Shape::of_pieces([(length, from, to)])
    }

    /// To each level in its time, beginning at `start`. A time of zero is a jump.
    pub fn to_levels(start: u64, levels: &[(Nanos, u64)]) -> Result<Shape> {
        let mut from = start;
        let pieces =
            levels.iter().map(|&(length, to)| (length, std::mem::replace(&mut from, to), to));
        Shape::of_pieces(pieces.collect::<Vec<_>>())
    }

    /// Each level held for the same time.
    pub fn steps(levels: &[u64], each: Nanos) -> Result<Shape> {
        Shape::of_pieces(levels.iter().map(|&level| (each, level, level)))
    }

    fn of_pieces(pieces: impl IntoIterator<Item = (Nanos, u64, u64)>) -> Result<Shape> {
        let mut start = Nanos::ZERO;
        let mut stages = Vec::new();
        for (length, from, to) in pieces {
            if length > Nanos::ZERO {
                stages.push(Stage { start, length, from, to });
                start += length;
            }
        }
        let highest = stages.iter().map(Stage::highest).max().unwrap_or(0);
        let wrong = |what: String| Err(Error::usage(what));
        match stages.len() {
            0 => wrong("no stage has a length; give one, as in `30s:1k`".to_string()),
            n if n > MOST_STAGES => {
                wrong(format!("{n} stages are too many; make it {MOST_STAGES} or fewer"))
            }
            _ if highest == 0 => {
                wrong("every level is 0, so nothing would ever be sent; raise one".to_string())
            }
            _ if highest > HIGHEST => {
                let most = format_count(HIGHEST as f64);
                wrong(format!("a level is out of range; keep them under {most}"))
            }
            _ if start > LONGEST => {
                wrong("the stages take over 30 days together; make them shorter".to_string())
            }
            _ => Ok(Shape { stages: stages.into() }),
        }
    }

    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    pub fn length(&self) -> Nanos {
        self.stages.last().map_or(Nanos::ZERO, Stage::end)
    }

    /// The same, held at its last level until `length`, if it is shorter.
    pub fn held_until(&self, length: Nanos) -> Shape {
        let mut stages = self.stages.to_vec();
        if let Some(last) = stages.last().copied()
            && last.end() < length
        {
            let start = last.end();
            stages.push(Stage { start, length: length - start, from: last.to, to: last.to });
        }
        Shape { stages: stages.into() }
    }

    pub fn highest(&self) -> u64 {
        self.stages.iter().map(Stage::highest).max().unwrap_or(0)
    }

    /// Which stage a time lies in; the last one's end belongs to it.
    #[inline]
    pub fn stage_at(&self, t: Nanos) -> usize {
        let begun = self.stages.partition_point(|stage| stage.start <= t);
        begun.saturating_sub(1)
    }

    /// How many of a thing in use the level means at `t`, in whole ones: the r-th (from zero)
    /// takes part while the level is above r. After the end: none.
    pub fn in_use(&self, t: Nanos) -> u64 {
        if t >= self.length() { 0 } else { self.stages[self.stage_at(t)].in_use(t) }
    }

    /// When [`Shape::in_use`] next differs from what it is at `t`.
    pub fn next_change(&self, t: Nanos) -> Option<Nanos> {
        let now = self.in_use(t);
        let rest = &self.stages[self.stage_at(t)..];
        let change = rest.iter().find_map(|stage| stage.first_other(now, t));
        change.or((t < self.length() && now > 0).then(|| self.length()))
    }
}

impl Stage {
    pub fn end(&self) -> Nanos {
        self.start + self.length
    }

    fn highest(&self) -> u64 {
        self.from.max(self.to)
    }

    /// `ceil(level)`.
    fn in_use(&self, t: Nanos) -> u64 {
        let (rise, length) = self.rise(t);
        let level = i128::from(self.from) + -(-rise).div_euclid(length);
        u64::try_from(level).unwrap_or(0)
    }

    /// By how much the level is above `from`, as a fraction.
    fn rise(&self, t: Nanos) -> (i128, i128) {
        let (from, to) = (i128::from(self.from), i128::from(self.to));
        let length = i128::from(self.length.0);
        ((to - from) * i128::from((t - self.start).0), length)
    }

    /// The first time after `t` in this stage at which another number than `now` is in use.
    fn first_other(&self, now: u64, t: Nanos) -> Option<Nanos> {
        let first = self.start.max(t + Nanos(u64::from(self.start <= t)));
        let last = self.end() - Nanos(1);
        if first > last {
            return None;
        }
        // After a jump it may be another at once, and pass the number that it was later.
        if self.in_use(first) != now {
            return Some(first);
        }
        if self.in_use(last) == now {
            return None;
        }
        // The number changes in one direction only, so the first other one is found by halving.
        let (mut low, mut high) = (first.0, last.0);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.in_use(Nanos(middle)) == now { low = middle + 1 } else { high = middle }
        }
        Some(Nanos(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = Nanos::from_secs(1);

    fn secs(secs: u64) -> Nanos {
        Nanos::from_secs(secs)
    }

    #[test]
    fn levels_are_reached_in_their_time_and_kept_by_the_next_stage() {
        let shape = Shape::to_levels(0, &[(secs(10), 100), (secs(5), 100), (secs(10), 0)]).unwrap();
        assert_eq!(shape.length(), secs(25));
        for (t, stage, in_use) in [(0, 0, 0), (1, 0, 10), (10, 1, 100), (15, 2, 100), (20, 2, 50)] {
            assert_eq!(shape.stage_at(secs(t)), stage, "{t} s");
            assert_eq!(shape.in_use(secs(t)), in_use, "{t} s");
        }
        assert_eq!(shape.in_use(Nanos(1)), 1);
        assert_eq!(shape.in_use(secs(25)), 0);
    }

    #[test]
    fn a_stage_of_no_time_is_a_jump() {
        let shape = Shape::to_levels(0, &[(Nanos::ZERO, 50), (secs(10), 100)]).unwrap();
        assert_eq!(shape.stages().len(), 1);
        assert_eq!(shape.in_use(Nanos::ZERO), 50);
    }

    #[test]
    fn each_change_is_found_where_the_number_changes_and_nowhere_else() {
        let levels = [(secs(3), 7), (secs(2), 7), (Nanos::ZERO, 3), (SECOND, 3), (secs(4), 0)];
        let shape = Shape::to_levels(0, &levels).unwrap();
        let (mut t, mut seen) = (Nanos::ZERO, vec![shape.in_use(Nanos::ZERO)]);
        while let Some(next) = shape.next_change(t) {
            assert!(next > t);
            assert_eq!(shape.in_use(next - Nanos(1)), shape.in_use(t), "{next:?}");
            assert_ne!(shape.in_use(next), shape.in_use(t), "{next:?}");
            seen.push(shape.in_use(next));
            t = next;
        }
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 7, 3, 2, 1, 0]);
        // The second of seven starts when the level passes 1: at 3/7 of a second.
        assert_eq!(shape.in_use(Nanos(428_571_428)), 1);
        assert_eq!(shape.in_use(Nanos(428_571_429)), 2);
    }

    #[test]
    fn a_jump_is_a_change_even_if_the_stage_after_it_passes_the_old_number() {
        let levels = [(secs(10), 5), (Nanos::ZERO, 1), (secs(10), 9)];
        let shape = Shape::to_levels(5, &levels).unwrap();
        assert_eq!(shape.next_change(Nanos::ZERO), Some(secs(10)));
        assert_eq!((shape.in_use(secs(10)), shape.in_use(secs(15))), (1, 5));
        // Down to six and back: six are in use for a nanosecond.
        let shape = Shape::to_levels(7, &[(secs(30), 6), (secs(30), 7)]).unwrap();
        assert_eq!(shape.next_change(Nanos::ZERO), Some(secs(30)));
        assert_eq!(shape.next_change(secs(30)), Some(secs(30) + Nanos(1)));
    }

    #[test]
    fn a_shape_that_is_too_short_is_held() {
        let shape = Shape::ramp(0, 100, secs(10)).unwrap();
        let held = shape.held_until(secs(15));
        assert_eq!((held.length(), held.stages().len()), (secs(15), 2));
        assert_eq!(held.in_use(secs(14)), 100);
        assert_eq!(shape.held_until(secs(10)), shape);
        assert_eq!(shape.held_until(secs(4)), shape);
    }

    #[test]
    fn what_cannot_be_a_shape_is_said_in_a_sentence() {
        let many: Vec<_> = (0..101).map(|_| (SECOND, 1)).collect();
        for levels in [&[][..], &[(Nanos::ZERO, 5)], &[(SECOND, 0)], &[(SECOND, u64::MAX)], &many] {
            assert!(Shape::to_levels(0, levels).is_err());
        }
        assert!(Shape::ramp(1, 2, secs(40 * 24 * 3600)).is_err());
    }
}
