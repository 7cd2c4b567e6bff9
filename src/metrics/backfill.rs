//! What wrk would have printed for the same run: to teach, and for nothing else. No figure,
//! threshold or verdict depends on it.
//!
//! wrk is a closed loop. When the server stalls, its connections send nothing, so the requests
//! that would have seen the stall do not exist. To make up for them it back-fills its histogram
//! when the run is over: it takes the mean time between two answers of one connection,
//! `runtime / (complete / connections)`, for the interval at which each connection "should" have
//! sent, and for each longer answer adds samples that are shorter by one interval, by two, and so
//! on (wg/wrk, src/wrk.c `main` and src/stats.c `stats_correct`). It is the correction that
//! HdrHistogram calls `copyCorrectedForCoordinatedOmission`, with an interval that follows from
//! the outcome instead of from a schedule.
//!
//! Two differences remain. wrk counts in whole microseconds, here it is nanoseconds; and it leaves
//! out the sample that equals the interval exactly, which HdrHistogram adds.

use super::{Histogram, Summary};
use crate::time::Nanos;

/// The times of all answers from their send, and the samples made up beside them.
#[derive(Clone, Debug)]
pub struct Backfill {
    pub histogram: Histogram,
    /// The interval that wrk derives; `None`: fewer answers than connections, and it adds nothing.
    pub expected: Option<Nanos>,
}

impl Backfill {
    pub fn of(summary: &Summary, connections: u64) -> Backfill {
        let completed = summary.measure_events.completed;
        let expected = expected_interval(summary.measured, completed, connections);
        let answered = summary.measure.answered(summary.mode);
        let histogram = expected.map(|expected| answered.corrected(expected));
        Backfill { histogram: histogram.unwrap_or(answered), expected }
    }
}

/// The length of the run over the answers of one connection, both divisions in integers, as wrk
/// has them.
fn expected_interval(measured: Nanos, completed: u64, connections: u64) -> Option<Nanos> {
    let of_each = completed.checked_div(connections)?;
    measured.0.checked_div(of_each).filter(|interval| *interval > 0).map(Nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EXPERIMENTS E10, HdrHistogram's own example: 100 s of answers in 1 ms, then one of 100 s.
    fn stalled() -> Histogram {
        let mut histogram = Histogram::default();
        histogram.record_many(Nanos::from_millis(1), 10_000);
        histogram.record(Nanos::from_secs(100));
        histogram
    }

    #[track_caller]
    fn near(found: Nanos, expected_ms: f64) {
        let found = found.as_micros_f64() / 1e3;
        let off = (found - expected_ms).abs() / expected_ms;
        assert!(off <= 0.001, "{found} ms and not {expected_ms} ms");
    }

    #[track_caller]
    fn near_count(found: u64, expected: u64) {
        assert!(found.abs_diff(expected) <= expected / 1_000, "{found} and not {expected}");
    }

    #[test]
    fn the_golden_figures_of_hdr_histogram_come_out() {
        let raw = stalled();
        assert_eq!(raw.count(), 10_001);
        near(raw.quantile(0.9999), 1.0);
        near(raw.mean(), 10.998);
        let corrected = raw.corrected(Nanos::from_millis(10));
        near_count(corrected.count(), 20_000);
        for (q, ms) in [(0.5, 1.0), (0.75, 50e3), (0.9, 80e3), (0.99, 98e3), (1.0, 100e3)] {
            near(corrected.quantile(q), ms);
        }
        near(corrected.max(), 100e3);
        near(corrected.mean(), 25_000.5);
    }

    #[test]
    fn the_interval_is_wrks_integer_division() {
        let second = Nanos::from_secs(1);
        for (completed, connections, expected) in [
            (125_068, 64, Some(Nanos(1_000_000_000 / 1_954))),
            (64, 64, Some(second)),
            (127, 64, Some(second)),
            (63, 64, None),
            (0, 64, None),
        ] {
            assert_eq!(expected_interval(second, completed, connections), expected, "{completed}");
        }
        assert_eq!(expected_interval(Nanos::ZERO, 10, 1), None);
        assert_eq!(expected_interval(second, 10, 0), None);
    }

    #[test]
    fn what_is_no_slower_than_the_interval_is_left_alone() {
        let mut steady = Histogram::default();
        steady.record_many(Nanos::from_millis(1), 1_000);
        let corrected = steady.corrected(Nanos::from_millis(2));
        assert_eq!((corrected.count(), corrected.mean()), (1_000, steady.mean()));
    }
}
