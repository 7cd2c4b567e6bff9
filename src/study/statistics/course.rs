//! Whether values drift over time, by how much, and how sure that is.
//!
//! Mann and Kendall's S (pairs of which the later value is larger, less the others) needs no law of
//! the values; but neighbours that are alike make it wander further than its variance says. That
//! variance is made larger by the factor of Hamed and Rao (A modified Mann-Kendall trend test for
//! autocorrelated data, Journal of Hydrology 204, 1998): of the ranks of what is left when the slope
//! is taken out, with the autocorrelation rho_k,
//!
//! ```text
//! 1 + 2 / (n (n-1) (n-2)) * sum over k of (n-k) (n-k-1) (n-k-2) rho_k
//! ```
//!
//! The slope is taken out of each half apart: what is left of a trend that bends would look like
//! neighbours that are alike. Lags are taken as long as they are positive (Geyer's initial sequence, Statistical Science 7,
//! 1992), and up to a quarter of the values; the factor is never below 1.
//!
//! The slope is Theil's and Sen's, and its interval is Sen's (Estimates of the regression
//! coefficient based on Kendall's tau, JASA 63, 1968) with that variance. Of what is 0 most of the
//! time, as errors are, most pairs have no slope: there it is that of the least squares.

use super::Estimate;
use crate::metrics::trend::median;

/// The normal distribution's 97.5 % quantile.
const NORMAL: f64 = 1.959_963_985;

/// When, and what.
pub type Point = (f64, f64);

/// How values go over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// Per unit of the time, with its 95 % interval.
    pub slope: Estimate,
    /// How far S lies from 0, in deviations; with the slope's sign.
    pub deviations: f64,
    /// The line at the first and at the last of them.
    pub first: f64,
    pub last: f64,
}

/// How the slope is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Medians,
    Squares,
}

/// Of values in the order of their time; `None`: there are fewer than three.
pub fn course(points: &[Point], by: By) -> Option<Course> {
    if points.len() < 3 {
        return None;
    }
    let slopes = slopes(points);
    let slope = match by {
        By::Medians => median(slopes.clone()),
        By::Squares => least_squares(points),
    };
    let rest: Vec<f64> = points.iter().map(|(at, value)| value - slope * at).collect();
    let factor = factor(&ranks(&left_by_halves(points)));
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let deviation = (variance(&values) * factor).sqrt();
    let estimate = match by {
        By::Medians => sen(slopes, slope, (variance_without_ties(points.len()) * factor).sqrt()),
        By::Squares => Estimate::symmetric(slope, NORMAL * error(points, &rest) * factor.sqrt()),
    };
    let level = match by {
        By::Medians => median(rest),
        By::Squares => rest.iter().sum::<f64>() / rest.len() as f64,
    };
    let at = |point: &Point| level + slope * point.0;
    Some(Course {
        slope: estimate,
        deviations: deviations(&values, deviation),
        first: at(&points[0]),
        last: at(&points[points.len() - 1]),
    })
}

/// What is left of each half without its own line.
fn left_by_halves(points: &[Point]) -> Vec<f64> {
    let (early, late) = points.split_at(points.len() / 2);
    let of_half = |half: &[Point]| {
        let slope = median(slopes(half));
        let rest: Vec<f64> = half.iter().map(|(at, value)| value - slope * at).collect();
        let level = median(rest.clone());
        rest.into_iter().map(move |rest| rest - level)
    };
    of_half(early).chain(of_half(late)).collect()
}

/// Of all pairs that are apart in time.
fn slopes(points: &[Point]) -> Vec<f64> {
    let of = |(place, first): (usize, &Point)| {
        let (at, value) = *first;
        let later = points[place + 1..].iter().filter(move |later| later.0 > at);
        later.map(move |later| (later.1 - value) / (later.0 - at)).collect::<Vec<f64>>()
    };
    points.iter().enumerate().flat_map(of).collect()
}

/// So many ranks to each side of the median lie the ends, as far as S is uncertain.
fn sen(mut slopes: Vec<f64>, slope: f64, deviation: f64) -> Estimate {
    slopes.sort_by(f64::total_cmp);
    let (count, reach) = (slopes.len() as f64, NORMAL * deviation);
    // Counted from 1; a float becomes an integer by saturation.
    let (low, high) = ((count - reach) / 2.0, (count + reach) / 2.0 + 1.0);
    let end = |rank: f64| slopes.get((rank.round() as usize).wrapping_sub(1)).copied();
    Estimate { value: slope, low: end(low), high: end(high) }
}

fn least_squares(points: &[Point]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&Point) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (middle, level) = (mean(|point| point.0), mean(|point| point.1));
    let product: f64 = points.iter().map(|(at, value)| (at - middle) * (value - level)).sum();
    let spread = spread(points);
    if spread > 0.0 { product / spread } else { 0.0 }
}

/// Of the times about their middle: the sum of the squares.
fn spread(points: &[Point]) -> f64 {
    let middle = points.iter().map(|(at, _)| at).sum::<f64>() / points.len() as f64;
    points.iter().map(|(at, _)| (at - middle).powi(2)).sum()
}

/// Of the slope of the least squares, for values that are independent.
fn error(points: &[Point], rest: &[f64]) -> f64 {
    let level = rest.iter().sum::<f64>() / rest.len() as f64;
    let squares: f64 = rest.iter().map(|rest| (rest - level).powi(2)).sum();
    let spread = spread(points);
    if spread > 0.0 { (squares / (rest.len() - 2) as f64 / spread).sqrt() } else { 0.0 }
}

/// S over its deviation, one closer to 0 for the steps in which it goes.
fn deviations(values: &[f64], deviation: f64) -> f64 {
    let larger = |(at, value): (usize, &f64)| {
        values[at + 1..].iter().map(|later| sign(later - value)).sum::<f64>()
    };
    let s: f64 = values.iter().enumerate().map(larger).sum();
    if deviation > 0.0 { (s - sign(s)) / deviation } else { 0.0 }
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

/// Of S, for independent values: n(n-1)(2n+5)/18, less the same of each group of equal ones.
fn variance(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties = sorted.chunk_by(|a, b| a == b).map(|equal| variance_without_ties(equal.len()));
    (variance_without_ties(values.len()) - ties.sum::<f64>()).max(0.0)
}

fn variance_without_ties(count: usize) -> f64 {
    let n = count as f64;
    n * (n - 1.0) * (2.0 * n + 5.0) / 18.0
}

/// The place of each among all; equal ones share theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = |value: &f64| {
        let below = sorted.partition_point(|other| other < value);
        let up_to = sorted.partition_point(|other| other <= value);
        (below + up_to) as f64 / 2.0
    };
    values.iter().map(rank).collect()
}

/// Hamed's and Rao's.
fn factor(ranks: &[f64]) -> f64 {
    let n = ranks.len() as f64;
    let mean = ranks.iter().sum::<f64>() / n;
    let rest: Vec<f64> = ranks.iter().map(|rank| rank - mean).collect();
    let product = |lag: usize| rest.iter().zip(&rest[lag..]).map(|(a, b)| a * b).sum::<f64>();
    let all = product(0);
    if all <= 0.0 {
        return 1.0;
    }
    let weight = |lag: f64| (n - lag) * (n - lag - 1.0) * (n - lag - 2.0);
    let lags = (1..=ranks.len() / 4).map(|lag| (lag as f64, product(lag) / all));
    let sum: f64 =
        lags.take_while(|(_, alike)| *alike > 0.0).map(|(lag, alike)| weight(lag) * alike).sum();
    1.0 + 2.0 / weight(0.0) * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    fn points(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
        values.into_iter().enumerate().map(|(at, value)| (at as f64, value)).collect()
    }

    /// Twelve uniform numbers, less their mean: near enough to normal.
    fn normal(dice: &mut Dice) -> f64 {
        (0..12).map(|_| dice.unit()).sum::<f64>() - 6.0
    }

    /// Each value keeps `alike` of the one before.
    fn autoregressive(seed: u64, count: usize, alike: f64) -> Vec<f64> {
        let mut dice = Dice::of(seed, 9, 0);
        let mut level = 0.0;
        let mut next = || {
            level = alike * level + normal(&mut dice) * (1.0 - alike * alike).sqrt();
            level
        };
        (0..50 + count).map(|_| next()).skip(50).collect()
    }

    #[test]
    fn a_line_is_its_slope_and_its_ends() {
        for by in [By::Medians, By::Squares] {
            let found = course(&points((0..40).map(|at| 5.0 + 2.0 * f64::from(at))), by).unwrap();
            assert!((found.slope.value - 2.0).abs() < 1e-9, "{by:?}");
            assert!((found.first - 5.0).abs() < 1e-9 && (found.last - 83.0).abs() < 1e-9);
            assert!(found.deviations > 8.0, "{found:?}");
        }
        assert_eq!(course(&points([1.0, 2.0]), By::Medians), None);
        let flat = course(&points([7.0; 30]), By::Medians).unwrap();
        assert_eq!((flat.slope.value, flat.deviations), (0.0, 0.0));
    }

    #[test]
    fn the_interval_of_independent_values_holds_the_slope_in_nineteen_of_twenty() {
        for by in [By::Medians, By::Squares] {
            let holds = |seed: &u64| {
                let values = autoregressive(*seed, 60, 0.0).into_iter().zip(0..);
                let values = values.map(|(noise, at)| noise + 0.02 * f64::from(at));
                let slope = course(&points(values), by).unwrap().slope;
                slope.low.unwrap() <= 0.02 && 0.02 <= slope.high.unwrap()
            };
            let held = (0..100).filter(holds).count();
            // Lags that are alike by chance make it a little wider.
            assert!((90..=100).contains(&held), "{held} of 100 by {by:?}");
        }
    }

    #[test]
    fn neighbours_that_are_alike_make_no_trend() {
        for alike in [0.3, 0.8] {
            let found = |seed: &u64| {
                let values = autoregressive(*seed, 108, alike);
                course(&points(values), By::Medians).unwrap().deviations.abs() > 3.3
            };
            let wrong = (0..60).filter(found).count();
            // Without the factor it is one in four of the most alike ones.
            assert!(wrong <= 3, "{wrong} of 60 at {alike}");
        }
    }

    #[test]
    fn errors_that_come_late_have_a_slope_by_squares_alone() {
        let late: Vec<Point> = points((0..100).map(|at| if at < 70 { 0.0 } else { 30.0 }));
        assert_eq!(course(&late, By::Medians).unwrap().slope.value, 0.0);
        let found = course(&late, By::Squares).unwrap();
        assert!(found.slope.value > 0.2 && found.last > 20.0, "{found:?}");
    }
}
