//! Whether times come in two kinds: a distribution with two hills and a valley between them.
//!
//! The histogram is cut into four bins an octave, as times differ by factors. A valley divides two
//! hills if
//! - at least a tenth of all samples lies on either side of it,
//! - the tops of the hills are a factor of two or more apart,
//! - it holds at most half of what the lower top holds, and
//! - that is no chance: counts of bins are Poisson, so their difference has the variance of their
//!   sum, and has to be five deviations or more. (Of some 30 bins, chance has many pairs to pick.)

use super::Histogram;
use crate::time::Nanos;

/// Fewer samples show no shape.
pub const LEAST: u64 = 1_000;

const PER_OCTAVE: f64 = 4.0;
const BINS: usize = 43 * PER_OCTAVE as usize;
const EITHER_SIDE: f64 = 0.1;
const APART: usize = PER_OCTAVE as usize;
const VALLEY: f64 = 0.5;
const SIGNIFICANT: f64 = 5.0;

/// Two kinds of times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Modes {
    pub fast: Nanos,
    pub slow: Nanos,
    /// Of all samples, those on the slow side of the valley.
    pub slow_share: f64,
}

impl Modes {
    pub fn of(times: &Histogram) -> Option<Modes> {
        if times.count() < LEAST {
            return None;
        }
        let mut bins = vec![0_u64; BINS];
        times.recorded().for_each(|(time, count)| bins[bin(time)] += count);
        let (left, right) = (tops(&bins, false), tops(&bins, true));
        let mut below = 0;
        let mut deepest: Option<(f64, Modes)> = None;
        for (valley, count) in bins.iter().enumerate() {
            let (fast, slow) = (left[valley], right[valley]);
            let above = times.count() - below - count;
            let depth = depth(*count, bins[fast].min(bins[slow]));
            let shares = below.min(above) as f64 / times.count() as f64;
            if shares >= EITHER_SIDE
                && slow >= fast + APART
                && depth > deepest.as_ref().map_or(0.0, |(depth, _)| *depth)
            {
                let slow_share = above as f64 / times.count() as f64;
                deepest =
                    Some((depth, Modes { fast: middle(fast), slow: middle(slow), slow_share }));
            }
            below += count;
        }
        deepest.map(|(_, modes)| modes)
    }
}

/// In deviations; 0 where it is no valley.
fn depth(valley: u64, top: u64) -> f64 {
    let (valley, top) = (valley as f64, top as f64);
    let deviations = (top - valley) / (top + valley).sqrt().max(1.0);
    if valley <= top * VALLEY && deviations >= SIGNIFICANT { deviations } else { 0.0 }
}

/// For each bin the highest one before it, or after it; the bin itself where there is none.
fn tops(bins: &[u64], after: bool) -> Vec<usize> {
    let mut tops = vec![0; bins.len()];
    let mut highest = if after { bins.len() - 1 } else { 0 };
    for place in 0..bins.len() {
        let at = if after { bins.len() - 1 - place } else { place };
        tops[at] = highest;
        if bins[at] > bins[highest] {
            highest = at;
        }
    }
    tops
}

fn bin(time: Nanos) -> usize {
    (((time.0.max(1) as f64).log2() * PER_OCTAVE) as usize).min(BINS - 1)
}

fn middle(bin: usize) -> Nanos {
    Nanos(((bin as f64 + 0.5) / PER_OCTAVE).exp2() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    type Law = fn(&mut Dice) -> f64;

    /// So many times each of a law.
    fn sample(count: u64, seed: u64, mut draw: impl FnMut(&mut Dice) -> f64) -> Histogram {
        let mut times = Histogram::default();
        let mut dice = Dice::of(seed, 7, count);
        (0..count).for_each(|_| times.record(Nanos((draw(&mut dice) * 1e6) as u64)));
        times
    }

    /// Of mean 1.
    fn exponential(dice: &mut Dice) -> f64 {
        -(1.0 - dice.unit()).ln()
    }

    /// The logarithm is normal with this deviation (Box and Muller).
    fn lognormal(dice: &mut Dice, deviation: f64) -> f64 {
        let (radius, angle) = ((-2.0 * (1.0 - dice.unit()).ln()).sqrt(), dice.unit());
        (radius * (angle * std::f64::consts::TAU).cos() * deviation).exp()
    }

    #[test]
    fn two_kinds_of_answers_are_told_with_their_times() {
        // A cache that three of four answers come from.
        let times = sample(20_000, 1, |dice| {
            let hit = dice.unit() < 0.75;
            (if hit { 2.0 } else { 40.0 }) * lognormal(dice, 0.3)
        });
        let modes = Modes::of(&times).unwrap();
        assert!((1.7..2.4).contains(&(modes.fast.0 as f64 / 1e6)), "{modes:?}");
        assert!((33.0..48.0).contains(&(modes.slow.0 as f64 / 1e6)), "{modes:?}");
        assert!((modes.slow_share - 0.25).abs() < 0.02, "{modes:?}");
    }

    #[test]
    fn few_slow_answers_are_a_tail_and_close_ones_a_hill() {
        let mixed = |share: f64, slow: f64| {
            let times = sample(20_000, 2, |dice| {
                let factor = if dice.unit() < share { slow } else { 1.0 };
                factor * lognormal(dice, 0.2)
            });
            Modes::of(&times).is_some()
        };
        assert!(mixed(0.15, 10.0));
        assert!(!mixed(0.08, 10.0));
        assert!(!mixed(0.4, 1.5));
    }

    #[test]
    fn a_law_with_one_hill_is_hardly_ever_taken_for_two() {
        let laws: [(&str, Law); 4] = [
            ("exponential", exponential),
            ("lognormal", |dice| lognormal(dice, 1.0)),
            ("wide lognormal", |dice| lognormal(dice, 2.0)),
            // A fixed time and an exponential one behind it.
            ("queue", |dice| 5.0 + exponential(dice)),
        ];
        for (name, law) in laws {
            for count in [1_000, 4_000] {
                let two = |seed: &u64| Modes::of(&sample(count, *seed, law)).is_some();
                let found = (0..1_000).filter(two).count();
                assert!(found <= 2, "{found} of 1,000 {name} of {count}");
            }
        }
    }

    #[test]
    fn too_few_samples_have_no_shape() {
        let mut times = Histogram::default();
        times.record_many(Nanos::from_millis(1), 500);
        times.record_many(Nanos::from_millis(50), 499);
        assert_eq!(Modes::of(&times), None);
        times.record(Nanos::from_millis(1));
        assert!(Modes::of(&times).is_some());
    }
}
