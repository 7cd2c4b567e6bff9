//! When a warm-up is over: the test behind `--warmup auto`.
//!
//! The answers are *steady* when over the last five seconds both the good answers of each second
//! and the median response time of each second lie within 10 % of their mean over the five (the
//! median also when it lies within 50 us), and the last two seconds are not slower than the first
//! two by more than half of that. It is the rule of Georges, Buytaert and Eeckhout (Statistically
//! Rigorous Java Performance Evaluation, OOPSLA 2007, 3.3: the coefficient of variation over a
//! sliding window under a bound), with the spread in place of the deviation, since five values
//! have little of one.

use super::Interval;
use crate::time::Nanos;

/// Seconds that are compared.
pub const WINDOW: usize = 5;

/// How far from their mean they may lie.
const SPREAD: f64 = 0.1;

/// A median this close to the mean is close enough on any host.
const NOISE: Nanos = Nanos::from_micros(50);

/// The longest a warm-up may last.
pub const LONGEST: Nanos = Nanos::from_secs(60);

/// The last seconds of a warm-up.
#[derive(Clone, Debug, Default)]
pub struct Steadiness {
    good: Vec<f64>,
    medians_ns: Vec<f64>,
}

impl Steadiness {
    /// Takes another second in; true when the last five were alike.
    pub fn push(&mut self, second: &Interval) -> bool {
        let Some(median) = second.response_p50 else {
            *self = Steadiness::default();
            return false;
        };
        keep(&mut self.good, second.events.good as f64);
        keep(&mut self.medians_ns, median.0 as f64);
        self.good.len() == WINDOW
            && is_even(&self.good, 0.0)
            && is_even(&self.medians_ns, NOISE.0 as f64)
    }
}

fn keep(values: &mut Vec<f64>, value: f64) {
    if values.len() == WINDOW {
        values.remove(0);
    }
    values.push(value);
}

/// All close to their mean, and without a trend.
fn is_even(values: &[f64], noise: f64) -> bool {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let allowed = (mean * SPREAD).max(noise);
    let close = values.iter().all(|value| (value - mean).abs() <= allowed);
    let trend = (values[WINDOW - 2] + values[WINDOW - 1] - values[0] - values[1]) / 2.0;
    close && trend.abs() <= allowed / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Events, Heat, Phase};

    fn second(good: u64, median_us: u64) -> Interval {
        Interval {
            end: Nanos::ZERO,
            phase: Phase::Warmup,
            stage: 0,
            events: Events { good, ..Events::default() },
            in_flight: 0,
            users: None,
            response_p50: (good > 0).then_some(Nanos::from_micros(median_us)),
            response_p95: None,
            response_p99: None,
            response_max: None,
            service_p99: None,
            send_lag_p99: None,
            heat: Heat::default(),
        }
    }

    /// After which second it is steady.
    fn steady_after(seconds: &[(u64, u64)]) -> Option<usize> {
        let mut steadiness = Steadiness::default();
        let found = seconds.iter().position(|(good, us)| steadiness.push(&second(*good, *us)));
        found.map(|index| index + 1)
    }

    #[test]
    fn five_seconds_alike_are_steady_and_four_are_not() {
        assert_eq!(steady_after(&[(1_000, 2_000); 4]), None);
        assert_eq!(steady_after(&[(1_000, 2_000); 5]), Some(5));
        assert_eq!(
            steady_after(&[
                (980, 1_950),
                (1_000, 2_000),
                (1_020, 2_040),
                (990, 1_980),
                (1_005, 2_010)
            ]),
            Some(5)
        );
    }

    #[test]
    fn a_server_that_still_gets_faster_is_not_steady() {
        let falling: Vec<_> = (0..12).map(|n| (1_000, 9_000 >> n.min(6))).collect();
        // 9,000 us, 4,500 ... until six halvings are done: 140 us five times.
        assert_eq!(steady_after(&falling), Some(11));
        let slow_trend: Vec<_> = (0..8).map(|n| (1_000, 10_000 - n * 300)).collect();
        assert_eq!(steady_after(&slow_trend), None);
    }

    #[test]
    fn a_second_without_answers_starts_over() {
        let mut seconds = vec![(1_000, 2_000); 4];
        seconds.push((0, 0));
        seconds.extend([(1_000, 2_000); 5]);
        assert_eq!(steady_after(&seconds), Some(10));
    }
}
