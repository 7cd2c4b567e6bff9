//! One second of the run, as little of it as can be drawn.

use crate::metrics::{Distribution, Fates, Interval, Phase};
use crate::time::Nanos;

/// Steps of latency that are told apart, sixteen to a power of ten, from a microsecond on.
pub const STEPS: usize = 128;
const PER_DECADE: f64 = 16.0;
const LEAST_NS: f64 = 1e3;

#[derive(Clone, Debug, PartialEq)]
pub struct Second {
    /// Its end, from the start of warm-up, and its length.
    pub end: Nanos,
    pub length: Nanos,
    pub phase: Phase,
    pub stage: u16,
    /// A second.
    pub due: f64,
    pub good: f64,
    pub in_flight: u64,
    pub response_p50: Option<Nanos>,
    pub response_p99: Option<Nanos>,
    pub response_p99_9: Option<Nanos>,
    pub send_lag_p99: Option<Nanos>,
    /// How many requests ended in it, by the step of their response time.
    pub heat: [u32; STEPS],
}

impl Second {
    /// `measure` and `warmup`: the requests that ended in it, by the phase they were due in.
    pub fn of(interval: &Interval, length: Nanos, measure: &Fates, warmup: &Fates) -> Second {
        let Interval { end, phase, stage, events, in_flight, .. } = *interval;
        let seconds = length.max(Nanos(1)).as_secs_f64();
        Second {
            end,
            length,
            phase,
            stage,
            due: events.scheduled as f64 / seconds,
            good: events.good as f64 / seconds,
            in_flight,
            response_p50: interval.response_p50,
            response_p99: interval.response_p99,
            response_p99_9: high(measure, warmup),
            send_lag_p99: interval.send_lag_p99,
            heat: heat(&[measure, warmup]),
        }
    }
}

/// The 99.9th percentile, which an interval does not keep.
fn high(measure: &Fates, warmup: &Fates) -> Option<Nanos> {
    let both;
    let fates = if warmup.is_empty() {
        measure
    } else {
        both = warmup.joined(measure);
        &both
    };
    if fates.good.is_empty() && fates.censored.is_empty() {
        return None;
    }
    let response = Distribution::ranked(&fates.good, &fates.censored);
    response.quantile(0.999).map(|reading| reading.value())
}

fn heat(all: &[&Fates]) -> [u32; STEPS] {
    let mut heat = [0u32; STEPS];
    for histogram in all.iter().flat_map(|fates| [&fates.good, &fates.censored]) {
        if !histogram.is_empty() {
            for (time, count) in histogram.recorded() {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                let step = &mut heat[step_of(time)];
                *step = step.saturating_add(count);
            }
        }
    }
    heat
}

fn step_of(time: Nanos) -> usize {
    let step = (time.0 as f64 / LEAST_NS).max(1.0).log10() * PER_DECADE;
    (step as usize).min(STEPS - 1)
}

/// Where a step begins.
pub fn begins(step: usize) -> Nanos {
    Nanos((LEAST_NS * 10f64.powf(step as f64 / PER_DECADE)).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_begins_where_the_one_before_it_ends() {
        assert_eq!(step_of(Nanos::ZERO), 0);
        assert_eq!(step_of(Nanos::MAX), STEPS - 1);
        for step in 1..STEPS {
            assert_eq!(step_of(begins(step) + Nanos(1)), step);
            assert_eq!(step_of(begins(step) - Nanos(2)), step - 1);
        }
        assert_eq!(begins(48), Nanos::from_millis(1));
    }

    #[test]
    fn what_ended_badly_is_in_the_heat_too() {
        let mut fates = Fates::default();
        fates.good.record_many(Nanos::from_millis(1) + Nanos(1), 5);
        fates.censored.record_many(Nanos::from_secs(10) + Nanos(1), 2);
        let heat = heat(&[&fates, &Fates::default()]);
        assert_eq!((heat[48], heat[112], heat.iter().sum::<u32>()), (5, 2, 7));
    }
}
