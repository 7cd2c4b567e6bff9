//! Whether peaks of a series come at a fixed period, as those of a garbage collector do.
//!
//! A peak is a run of values above three times the median. Were peaks chance, they would come as
//! those of a Poisson process, and the distances between them would differ about as much as they
//! are long. A period shows where
//! - there are at least five distances, and one is three values or more on average,
//! - each peak lies within a sixth of the period, or what the grid of the values makes of it, of
//!   where an even series through all of them has it (least squares),
//! - and no distance is more than a quarter off the period.
//!
//! Chance has six peaks stand like that about once in some hundred series that have so many peaks
//! at all, and more of them almost never.

use super::trend::median;

/// Distances between peaks, at least.
const DISTANCES: usize = 5;

/// A shorter one cannot be told from noise on a grid.
const SHORTEST: f64 = 3.0;

/// A peak is so many times as high as the median.
const HIGH: f64 = 3.0;

/// Off its place by this share of the period, or by three quarters of a value: half a one comes
/// from the grid.
const OFF: f64 = 1.0 / 6.0;
const GRID: f64 = 0.75;

/// The distance of two peaks may be this share of the period off.
const UNEVEN: f64 = 1.0 / 4.0;

/// Peaks at a fixed period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Period {
    /// In values of the series.
    pub length: f64,
    pub peaks: usize,
    /// The median of their heights, and that of all values.
    pub height: f64,
    pub usual: f64,
}

impl Period {
    /// `least`: how far above the median a peak has to be to matter.
    pub fn of(values: &[f64], least: f64) -> Option<Period> {
        let usual = median(values.to_vec());
        let bound = (usual * HIGH).max(usual + least);
        let peaks = peaks(values, bound);
        if peaks.len() <= DISTANCES {
            return None;
        }
        let places: Vec<f64> = peaks.iter().map(|(place, _)| *place).collect();
        let (first, length) = line(&places);
        let expected = |number: usize| first + length * number as f64;
        let off = |(number, place): (usize, &f64)| (place - expected(number)).abs();
        let even = places.iter().enumerate().map(off).all(|off| off <= GRID.max(length * OFF));
        let uneven = |pair: &[f64]| (pair[1] - pair[0] - length).abs() > length * UNEVEN;
        if length < SHORTEST || !even || places.windows(2).any(uneven) {
            return None;
        }
        let height = median(peaks.iter().map(|(_, height)| *height).collect());
        Some(Period { length, peaks: peaks.len(), height, usual })
    }
}

/// Neighbours above the bound are one peak, which lies in their middle.
fn peaks(values: &[f64], bound: f64) -> Vec<(f64, f64)> {
    let mut peaks = Vec::new();
    let mut start = 0;
    for group in values.chunk_by(|one, next| (*one > bound) == (*next > bound)) {
        if group[0] > bound {
            let middle = start as f64 + (group.len() - 1) as f64 / 2.0;
            peaks.push((middle, group.iter().copied().fold(0.0, f64::max)));
        }
        start += group.len();
    }
    peaks
}

/// Through the places by their numbers, by least squares: where it begins, and its slope.
fn line(places: &[f64]) -> (f64, f64) {
    let n = places.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let mean = places.iter().sum::<f64>() / n;
    let numbered = || (0..).map(f64::from).zip(places);
    let product: f64 = numbered().map(|(number, place)| (number - middle) * (place - mean)).sum();
    let square: f64 = numbered().map(|(number, _)| (number - middle).powi(2)).sum();
    let slope = product / square.max(f64::MIN_POSITIVE);
    (mean - slope * middle, slope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    /// Seconds whose slowest answer takes 10 ms or so, and 200 ms where there is a pause.
    fn seconds(count: usize, is_pause: impl Fn(usize) -> bool) -> Vec<f64> {
        let usual = |second: usize| 10.0 + (second % 4) as f64;
        (0..count).map(|second| if is_pause(second) { 200.0 } else { usual(second) }).collect()
    }

    #[test]
    fn pauses_at_a_fixed_period_are_told_with_it() {
        for period in [3.0, 4.3, 7.5, 10.0] {
            let at = |second: usize| {
                let (from, to) = (second as f64, second as f64 + 1.0);
                (0..100).any(|k| (from..to).contains(&(f64::from(k) * period + 1.2)))
            };
            let found = Period::of(&seconds(80, at), 1.0).unwrap_or_else(|| panic!("{period}"));
            assert!((found.length - period).abs() < 0.15, "{period}: {found:?}");
            assert_eq!((found.height, found.usual > 9.0), (200.0, true));
        }
    }

    #[test]
    fn a_pause_across_two_seconds_is_one() {
        let found = Period::of(&seconds(60, |second| second % 8 < 2), 1.0).unwrap();
        assert_eq!((found.length, found.peaks), (8.0, 8));
    }

    #[test]
    fn fewer_than_five_periods_and_pauses_without_one_are_no_saw_tooth() {
        assert_eq!(Period::of(&seconds(40, |second| second % 9 == 0), 1.0), None);
        let odd = [2, 5, 16, 20, 33, 37, 52, 60];
        assert_eq!(Period::of(&seconds(70, |second| odd.contains(&second)), 1.0), None);
        assert_eq!(Period::of(&seconds(40, |second| second % 2 == 0), 1.0), None, "too short");
        assert_eq!(Period::of(&seconds(40, |_| false), 1.0), None);
        assert_eq!(Period::of(&[], 1.0), None);
    }

    #[test]
    fn what_is_too_low_to_matter_is_no_peak() {
        let series = seconds(60, |second| second % 6 == 0);
        assert!(Period::of(&series, 100.0).is_some());
        assert_eq!(Period::of(&series, 300.0), None);
    }

    #[test]
    fn chance_is_hardly_ever_taken_for_a_period() {
        // The slowest of 1,000 exponential times, and pauses that come as a Poisson process, at any
        // rate.
        let slowest = |dice: &mut Dice| {
            let longest = |longest: f64, _| longest.max(-(1.0 - dice.unit()).ln());
            (0..1_000).fold(0.0, longest)
        };
        let calm = |seed: &u64| {
            let mut dice = Dice::of(*seed, 3, 0);
            let values: Vec<f64> = (0..60).map(|_| slowest(&mut dice)).collect();
            Period::of(&values, 0.0).is_some()
        };
        assert_eq!((0..300).filter(calm).count(), 0);
        for each in [0.06, 0.1, 0.15, 0.2, 0.3] {
            for length in [30, 60, 120] {
                let paused = |seed: &u64| {
                    let mut dice = Dice::of(*seed, 4, length);
                    let value = |_| if dice.unit() < each { 200.0 } else { 10.0 };
                    let values: Vec<f64> = (0..length).map(value).collect();
                    Period::of(&values, 1.0).is_some()
                };
                let found = (0..1_000).filter(paused).count();
                assert!(found <= 10, "{found} of 1,000 at {each} in {length}");
            }
        }
    }
}
