//! How sure a run is. Its samples are not independent: what slows one request down slows its
//! neighbours down too. So a run is looked at second by second: where the seconds differ by more
//! than chance alone would have them, the sample is worth fewer samples than it has.

/// The variance of the sum of these deviations from their mean, where neighbours may be alike: the
/// greater of their plain variance and the one that takes in the covariance with as many
/// neighbours as the cube root of their number. (Newey and West, A simple, positive semi-definite,
/// heteroskedasticity and autocorrelation consistent covariance matrix, Econometrica 55, 1987.)
pub fn variance_of_sum(deviations: &[f64]) -> f64 {
    let n = deviations.len();
    if n < 2 {
        return 0.0;
    }
    let lags = (n as f64).cbrt() as usize;
    let covariance =
        |lag: usize| -> f64 { deviations[lag..].iter().zip(deviations).map(|(a, b)| a * b).sum() };
    let neighbours: f64 = (1..=lags.min(n - 1))
        .map(|lag| 2.0 * (1.0 - lag as f64 / (lags + 1) as f64) * covariance(lag))
        .sum();
    // One degree of freedom went into their mean.
    (covariance(0) + neighbours.max(0.0)) * n as f64 / (n - 1) as f64
}

/// By what factor the variance of a mean is greater than that of independent samples; at least 1
/// (the design effect: Kish, Survey Sampling, 1965, sec. 8.2). Of each second: how many samples,
/// and their mean. `variance`: of one sample.
pub fn design_effect(seconds: &[(f64, f64)], variance: f64) -> f64 {
    let count: f64 = seconds.iter().map(|(count, _)| count).sum();
    if seconds.len() < 2 || count <= 0.0 || variance <= 0.0 {
        return 1.0;
    }
    let mean = seconds.iter().map(|(count, mean)| count * mean).sum::<f64>() / count;
    let deviations: Vec<f64> = seconds.iter().map(|(count, own)| count * (own - mean)).collect();
    (variance_of_sum(&deviations) / (count * variance)).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    /// Twelve uniform numbers, less their mean: near enough to normal.
    fn normal(dice: &mut Dice) -> f64 {
        (0..12).map(|_| dice.unit()).sum::<f64>() - 6.0
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn independent_seconds_have_a_design_effect_of_about_one() {
        let mut dice = Dice::of(1, 0, 0);
        let effects: Vec<f64> = (0..400)
            .map(|_| {
                let seconds: Vec<_> = (0..60).map(|_| (100.0, normal(&mut dice) / 10.0)).collect();
                design_effect(&seconds, 1.0)
            })
            .collect();
        let mean = mean(&effects);
        // Never below 1, so above it in the mean.
        assert!((1.0..1.35).contains(&mean), "{mean}");
    }

    #[test]
    fn seconds_that_differ_by_themselves_are_worth_fewer_samples() {
        let mut dice = Dice::of(2, 0, 0);
        let effects: Vec<f64> = (0..400)
            .map(|_| {
                // Beside the 0.1 of chance, 0.3 of their own: (0.01 + 0.09) / 0.01.
                let own = |dice: &mut Dice| normal(dice) / 10.0 + normal(dice) * 0.3;
                let seconds: Vec<_> = (0..60).map(|_| (100.0, own(&mut dice))).collect();
                design_effect(&seconds, 1.0)
            })
            .collect();
        let mean = mean(&effects);
        assert!((9.0..12.5).contains(&mean), "{mean}");
    }

    #[test]
    fn what_lasts_for_seconds_adds_up() {
        let mut dice = Dice::of(3, 0, 0);
        let (mut level, mut series) = (0.0, Vec::new());
        for _ in 0..4_000 {
            level = 0.5 * level + normal(&mut dice);
            series.push(level);
        }
        let mean = mean(&series);
        let deviations: Vec<f64> = series.iter().map(|value| value - mean).collect();
        // The sum of an AR(1) process has n / (1 - 0.5)^2.
        let found = variance_of_sum(&deviations) / 4_000.0;
        assert!((3.3..4.5).contains(&found), "{found}");
        assert_eq!(variance_of_sum(&[1.0]), 0.0);
    }
}
