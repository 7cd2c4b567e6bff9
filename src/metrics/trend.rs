//! Whether a series grows, and by how much: tests that neither outliers nor a law of the values can
//! mislead.
//!
//! Mann and Kendall count the pairs of which the later one is larger against the others; were the
//! order of the values chance, their difference S would be normal about 0 with the variance
//! n(n-1)(2n+5)/18 (ties make it smaller, so that leaving them out is on the safe side). Theil's
//! and Sen's slope is the median of the slopes of all pairs.

/// How far S has to be from 0, in deviations: chance gets there once in 3,000 times.
const SIGNIFICANT: f64 = 3.4;

/// Fewer values than these show nothing.
pub const LEAST: usize = 10;

/// More values than these are averaged in groups first: the pairs are as many as their square.
const MOST: usize = 300;

/// The growth of values of equal distance from the first to the last of them, by Theil's and Sen's
/// slope; `None` where it is no more than chance makes of values that do not grow.
pub fn growth(values: &[f64]) -> Option<f64> {
    let values = thinned(values);
    if values.len() < LEAST || deviations(&values) < SIGNIFICANT {
        return None;
    }
    Some(slope(&values) * (values.len() - 1) as f64)
}

/// S over its deviation, one closer to 0 for the steps in which it goes.
fn deviations(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let larger = |(at, value): (usize, &f64)| {
        values[at + 1..].iter().map(|later| sign(later - value)).sum::<f64>()
    };
    let s: f64 = values.iter().enumerate().map(larger).sum();
    (s - sign(s)) / (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt()
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

/// Theil's and Sen's, per value.
pub fn slope(values: &[f64]) -> f64 {
    let pairs = values.iter().enumerate().flat_map(|(at, value)| {
        let later = values[at + 1..].iter().zip(1..);
        later.map(move |(later, distance)| (later - value) / f64::from(distance))
    });
    median(pairs.collect())
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

fn thinned(values: &[f64]) -> Vec<f64> {
    let group = values.len().div_ceil(MOST).max(1);
    let whole = values.chunks_exact(group);
    whole.map(|group| group.iter().sum::<f64>() / group.len() as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    #[test]
    fn a_series_that_grows_is_told_by_its_growth_whatever_else_is_in_it() {
        let line: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(growth(&line), Some(19.0));
        let mut spiked = line.clone();
        (spiked[3], spiked[11]) = (1e6, -1e6);
        let found = growth(&spiked).unwrap();
        assert!((found - 19.0).abs() < 2.0, "{found}");
        assert_eq!(growth(&line[..9]), None, "too few");
        let falling: Vec<f64> = line.iter().rev().copied().collect();
        assert_eq!(growth(&falling), None);
        assert_eq!(growth(&[5.0; 40]), None);
    }

    #[test]
    fn a_long_series_is_averaged_and_keeps_its_growth() {
        let long: Vec<f64> = (0..3_600).map(f64::from).collect();
        let found = growth(&long).unwrap();
        assert!((found / 3_599.0 - 1.0).abs() < 0.01, "{found}");
    }

    #[test]
    fn chance_grows_less_than_once_in_a_thousand_times() {
        for length in [10, 60, 600] {
            let grows = |seed: &u64| {
                let mut dice = Dice::of(*seed, 1, length);
                let values: Vec<f64> = (0..length).map(|_| -dice.unit().ln()).collect();
                growth(&values).is_some()
            };
            let found = (0..3_000).filter(grows).count();
            assert!(found <= 3, "{found} of 3,000 at {length}");
        }
    }

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
    }
}
