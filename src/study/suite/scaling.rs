//! How a rate grows with the matrix: C(n)/(n C(1)), 1 where twice as many workers do twice as much.

use crate::plan::suite::Setting;
use crate::report::suite::ScalingPoint;

/// Of one run: C at each setting, `None` where it was not found.
pub fn points(rates: &[(&Setting, Option<f64>)]) -> Vec<ScalingPoint> {
    let numbers: Option<Vec<f64>> = rates.iter().map(|(setting, _)| number(setting)).collect();
    let base = base(rates, numbers.as_deref());
    let point = |(at, (setting, rate)): (usize, &(&Setting, Option<f64>))| {
        let n = numbers.as_ref().map(|numbers| numbers[at]);
        let speedup = (*rate).zip(base).map(|(rate, (of_base, _))| rate / of_base);
        let grown = n.zip(base).and_then(|(n, (_, of_base))| Some(n / of_base?));
        ScalingPoint {
            setting: setting.shown(),
            n,
            per_s: *rate,
            speedup,
            efficiency: speedup.zip(grown).map(|(speedup, grown)| speedup / grown),
        }
    };
    rates.iter().enumerate().map(point).collect()
}

/// n, of a matrix with one name.
fn number(setting: &Setting) -> Option<f64> {
    let [(_, value)] = &setting.0[..] else { return None };
    value.parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0)
}

/// C and n of what the others are compared with: n = 1, or else the first value.
fn base(rates: &[(&Setting, Option<f64>)], numbers: Option<&[f64]>) -> Option<(f64, Option<f64>)> {
    let one = numbers.and_then(|numbers| numbers.iter().position(|n| *n == 1.0)).unwrap_or(0);
    let rate = rates.get(one)?.1.filter(|rate| *rate > 0.0)?;
    Some((rate, numbers.map(|numbers| numbers[one])))
}
