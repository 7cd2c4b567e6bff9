//! Whether a series of runs changed its level, and where: a step is marked only where this test
//! says so.
//!
//! For each place the values before it are ranked against those after it (Wilcoxon's rank sum,
//! over its deviation); the largest of these is the statistic, and where it is lies the step (a
//! maximally selected rank statistic: Lausen and Schumacher, Biometrics 48, 1992; Pettitt's test of
//! 1979 is the same without the deviation, and hardly sees a step near an end). Were there no
//! change, every order of the values would be as likely: so the statistic is compared with that of
//! [`ORDERS`] orders drawn by chance from a fixed seed, and p is the share of those that reach it,
//! the found one counted in. No law of the values is assumed, and a single wild run moves a rank
//! and no more. What is assumed is that runs do not depend on the ones before; where they do (a
//! database that fills), the test finds what is there, but more often than it says.
//!
//! Below [`ALPHA`] it is a change, and the parts on both sides are looked at in the same way, until
//! they show nothing. Without any change the first look is the only one, so that chance is taken for
//! a change in at most ALPHA of all series. In the end a straight line (Theil and Sen's) that lies
//! closer to the values than all the levels do makes them a drift, which has no place. What goes up
//! and comes back as long after is seen less often than what stays.

use crate::dice::Dice;
use crate::metrics::trend::{median, slope};

/// How often chance may be taken for a change.
pub const ALPHA: f64 = 0.01;

/// Orders that are drawn.
pub const ORDERS: u64 = 1_999;

/// Of the dice that draw them.
pub const SEED: u64 = 1;

/// Fewer values than these cannot show anything at that level.
pub const LEAST: usize = 10;

/// So many values stand on each side of a step at least.
const SIDE: usize = 3;

/// Values that are looked at: of a longer series the last ones.
pub const MOST: usize = 1_000;

/// What a series does.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    /// Too few values to tell.
    Unknown,
    /// No change that chance would not make.
    Steady,
    /// In their order.
    Steps(Vec<Step>),
    Drift(Drift),
}

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The place of the first value of the new level.
    pub at: usize,
    /// Medians of the two levels, each as far as the next step.
    pub before: f64,
    pub after: f64,
    pub p: f64,
}

/// A change that goes on all the time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Of the line, at the first and at the last value.
    pub from: f64,
    pub to: f64,
    pub p: f64,
}

pub fn course(values: &[f64]) -> Course {
    if values.len() < LEAST {
        return Course::Unknown;
    }
    let mut places = Vec::new();
    steps(values, 0, &mut places);
    places.sort_by_key(|found| found.at);
    if places.is_empty() {
        return Course::Steady;
    }
    let steps = levels(values, &places);
    match line_that_lies_closer(values, &steps) {
        None => Course::Steps(steps),
        Some(Line { from, slope }) => {
            let to = from + slope * (values.len() - 1) as f64;
            let p = places.iter().map(|found| found.p).fold(1.0, f64::min);
            Course::Drift(Drift { from, to, p })
        }
    }
}

/// A place, and how likely chance makes one like it.
#[derive(Clone, Copy, Debug)]
struct Found {
    at: usize,
    p: f64,
}

/// All steps of this stretch, which begins at `start` of the whole.
fn steps(values: &[f64], start: usize, places: &mut Vec<Found>) {
    let Some(found) = find(values) else { return };
    places.push(Found { at: start + found.at, ..found });
    let (before, after) = values.split_at(found.at);
    steps(before, start, places);
    steps(after, start + found.at, places);
}

fn levels(values: &[f64], places: &[Found]) -> Vec<Step> {
    let level = |from: usize, to: usize| median(values[from..to].to_vec());
    let step = |(nth, found): (usize, &Found)| {
        let from = nth.checked_sub(1).map_or(0, |before| places[before].at);
        let to = places.get(nth + 1).map_or(values.len(), |next| next.at);
        let (before, after) = (level(from, found.at), level(found.at, to));
        Step { at: found.at, before, after, p: found.p }
    };
    places.iter().enumerate().map(step).collect()
}

/// Where it changes, if it does.
fn find(values: &[f64]) -> Option<Found> {
    if values.len() < LEAST {
        return None;
    }
    let mut ranks = ranks(values);
    let (at, largest) = largest(&ranks);
    // One too many, and the rest need not be drawn.
    let enough = (ALPHA * (ORDERS + 1) as f64) as u64;
    let mut dice = Dice::of(SEED, values.len() as u64, 0);
    let mut reached = 1;
    for _ in 0..ORDERS {
        shuffle(&mut ranks, &mut dice);
        if self::largest(&ranks).1 >= largest * (1.0 - 1e-12) {
            reached += 1;
        }
        if reached > enough {
            return None;
        }
    }
    Some(Found { at, p: reached as f64 / (ORDERS + 1) as f64 })
}

/// Equal values share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let mean = before as f64 + (equal.len() + 1) as f64 / 2.0;
        equal.iter().for_each(|at| ranks[*at] = mean);
        before += equal.len();
    }
    ranks
}

/// The place where the ranks on both sides differ most, and by how much: in deviations but for a
/// factor that every order has.
fn largest(ranks: &[f64]) -> (usize, f64) {
    let n = ranks.len();
    let mean = (n + 1) as f64 / 2.0;
    let (mut sum, mut best) = (0.0, (SIDE, 0.0));
    for (at, rank) in ranks.iter().enumerate().take(n - SIDE) {
        sum += rank - mean;
        let before = at + 1;
        let apart = f64::abs(sum) / ((before * (n - before)) as f64).sqrt();
        if before >= SIDE && apart > best.1 {
            best = (before, apart);
        }
    }
    best
}

/// Fisher and Yates's.
fn shuffle(values: &mut [f64], dice: &mut Dice) {
    for at in (1..values.len()).rev() {
        values.swap(at, dice.below(at as u64 + 1) as usize);
    }
}

struct Line {
    from: f64,
    slope: f64,
}

/// A line through all of them, if it lies closer to them than the levels do, of which there are
/// more to choose.
fn line_that_lies_closer(values: &[f64], steps: &[Step]) -> Option<Line> {
    let slope = slope(values);
    let on = |nth: usize| slope * nth as f64;
    let from = median(values.iter().enumerate().map(|(nth, value)| value - on(nth)).collect());
    let level = |nth: usize| {
        let first = steps.first().map_or(0.0, |step| step.before);
        steps.iter().rev().find(|step| step.at <= nth).map_or(first, |step| step.after)
    };
    let left = |of: &dyn Fn(usize) -> f64| -> f64 {
        values.iter().enumerate().map(|(nth, value)| (value - of(nth)).abs()).sum()
    };
    (left(&|nth| from + on(nth)) <= left(&level)).then_some(Line { from, slope })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// About 100, with a deviation of 2 %; one in twenty runs went wild, as runs on shared hosts do.
    fn noise(seed: u64, length: u64) -> Vec<f64> {
        let mut dice = Dice::of(seed, 7, length);
        let value = |_| {
            let normal = (0..12).map(|_| dice.unit()).sum::<f64>() - 6.0;
            let wild = if dice.below(20) == 0 { 30.0 } else { 0.0 };
            100.0 + 2.0 * normal + wild
        };
        (0..length).map(value).collect()
    }

    fn with(mut values: Vec<f64>, of: impl Fn(usize) -> f64) -> Vec<f64> {
        values.iter_mut().enumerate().for_each(|(at, value)| *value *= of(at));
        values
    }

    #[test]
    fn noise_has_a_change_in_hardly_any_series() {
        for length in [10, 12, 30, 80] {
            let alarms = (0..100).filter(|seed| course(&noise(*seed, length)) != Course::Steady);
            let alarms = alarms.count();
            assert!(alarms <= 5, "{alarms} of 100 at {length}");
        }
        // And over many: as often as it says, and four deviations of chance.
        let alarms = (0..1_000).filter(|seed| course(&noise(*seed, 20)) != Course::Steady).count();
        assert!(alarms <= 10 + 13, "{alarms} of 1,000");
    }

    #[test]
    fn a_step_of_a_tenth_is_found_where_it_is() {
        for (length, at, least) in [(30, 15, 92), (40, 30, 92), (60, 54, 85)] {
            let stepped = |seed| {
                let values = with(noise(seed, length), |nth| if nth < at { 1.0 } else { 1.1 });
                match course(&values) {
                    Course::Steps(steps) => steps
                        .iter()
                        .any(|step| step.at.abs_diff(at) <= 5 && step.after > 1.05 * step.before),
                    _ => false,
                }
            };
            let found = (0..100).filter(|seed| stepped(*seed)).count();
            assert!(found >= least, "{found} of 100 at {at} of {length}");
        }
    }

    #[test]
    fn each_of_two_steps_is_found() {
        let found = (0..50).filter(|seed| {
            let values = with(noise(*seed, 60), |nth| 1.0 + 0.1 * (nth / 20) as f64);
            match course(&values) {
                Course::Steps(steps) => {
                    [20, 40].iter().all(|at| steps.iter().any(|step| step.at.abs_diff(*at) <= 4))
                }
                _ => false,
            }
        });
        let found = found.count();
        assert!(found >= 40, "{found} of 50");
    }

    #[test]
    fn a_drift_is_no_step() {
        let found = (0..50).filter(|seed| {
            let values = with(noise(*seed, 40), |nth| 1.0 + 0.01 * nth as f64);
            match course(&values) {
                Course::Drift(drift) => (1.25..1.55).contains(&(drift.to / drift.from)),
                _ => false,
            }
        });
        let found = found.count();
        assert!(found >= 45, "{found} of 50");
    }

    #[test]
    fn what_is_too_short_or_always_the_same_has_no_change() {
        assert_eq!(course(&[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]), Course::Unknown);
        assert_eq!(course(&[0.0; 30]), Course::Steady);
        let mut one = vec![0.0; 30];
        one[17] = 9.0;
        assert_eq!(course(&one), Course::Steady);
        let stepped = [vec![0.0; 10], vec![5.0; 10]].concat();
        let Course::Steps(steps) = course(&stepped) else { panic!() };
        assert_eq!((steps.len(), steps[0].at, steps[0].before, steps[0].after), (1, 10, 0.0, 5.0));
    }

    #[test]
    fn equal_values_share_their_ranks() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(ranks(&[7.0; 3]), [2.0; 3]);
    }
}
