//! The live line: the last second of a run in progress, as wide as the terminal at most.

use super::number::{cell, count, per_second};
use crate::metrics::Interval;
use crate::time::Nanos;

const BAR: usize = 10;

/// A run in progress.
#[derive(Clone, Copy, Debug)]
pub struct LiveState {
    /// From the start of warm-up.
    pub elapsed: Nanos,
    /// Warm-up and measure; `None`: until the requests are done.
    pub total: Option<Nanos>,
    /// Requests sent of those asked for, where a number was.
    pub requests: Option<(u64, u64)>,
    /// Requests become due by a clock: what was due is shown beside what came of it.
    pub open_loop: bool,
    /// The newest complete one.
    pub interval: Interval,
    pub interval_length: Nanos,
    /// Failed, rejected and dropped so far.
    pub errors: u64,
    /// Columns of the terminal.
    pub width: usize,
}

/// One line without a newline, filled up with spaces so that it covers the one before it. What
/// does not fit is left out from the right, whole pieces at a time.
pub fn line(state: &LiveState) -> String {
    // The last column stays free: writing into it wraps on some terminals.
    let width = state.width.saturating_sub(1);
    let mut line = bar(state);
    for piece in pieces(state) {
        if line.len() + 2 + piece.len() > width {
            break;
        }
        line += "  ";
        line += &piece;
    }
    line.truncate(width);
    format!("{line:<width$}")
}

fn bar(state: &LiveState) -> String {
    let by_time = state.total.map(|total| state.elapsed.as_secs_f64() / total.as_secs_f64());
    let by_count = state.requests.map(|(sent, asked)| sent as f64 / asked as f64);
    // Whichever comes first ends the run. An empty run has no share: NaN is no maximum.
    let done = by_time.unwrap_or(0.0).max(by_count.unwrap_or(0.0)).clamp(0.0, 1.0);
    let full = (done * BAR as f64) as usize;
    format!("[{}{}]", "#".repeat(full), "-".repeat(BAR - full))
}

/// The most important first.
fn pieces(state: &LiveState) -> Vec<String> {
    let Interval { events, phase, response_p50, response_p99, in_flight, .. } = state.interval;
    let whole = |length: Nanos| format!("{:.0}", length.as_secs_f64());
    let clock = match state.total {
        Some(total) => format!("{}/{}s", whole(state.elapsed), whole(total)),
        None => format!("{}s", whole(state.elapsed)),
    };
    let length = state.interval_length.max(Nanos(1)).as_secs_f64();
    let good = per_second(events.good as f64 / length);
    let rate = match state.open_loop && events.scheduled > 0 {
        true => format!("{good} of {}/s", per_second(events.scheduled as f64 / length)),
        false => format!("{good}/s"),
    };
    let time = |time: Option<Nanos>| time.map_or("-".to_string(), |t| cell(t.as_micros_f64()));
    vec![
        format!("{clock} {}", phase.name()),
        rate,
        format!("p50 {} p99 {}", time(response_p50), time(response_p99)),
        format!("errors {}", count(state.errors)),
        format!("in flight {}", count(in_flight)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn state(width: usize) -> LiveState {
        LiveState {
            elapsed: Nanos::from_secs(4),
            total: Some(Nanos::from_secs(10)),
            requests: None,
            open_loop: true,
            interval: fixture::held().summary.intervals[3],
            interval_length: Nanos::from_secs(1),
            errors: 12,
            width,
        }
    }

    #[test]
    fn the_line_says_how_far_how_fast_and_how_slow() {
        assert_eq!(
            line(&state(100)).trim_end(),
            "[####------]  4/10s measure  50,000 of 50,000/s  p50 70us p99 284us  \
             errors 12  in flight 5"
        );
    }

    #[test]
    fn the_line_covers_the_one_before_and_never_wraps() {
        for width in 0..140 {
            let line = line(&state(width));
            assert_eq!(line.len(), width.saturating_sub(1));
        }
        assert!(line(&state(50)).trim_end().ends_with("50,000 of 50,000/s"));
    }

    #[test]
    fn a_number_of_requests_moves_the_bar() {
        let state = LiveState { total: None, requests: Some((750, 1_000)), ..state(80) };
        assert!(line(&state).starts_with("[#######---]  4s measure"));
        let empty = LiveState { total: Some(Nanos::ZERO), elapsed: Nanos::ZERO, ..state };
        assert!(line(&LiveState { requests: None, ..empty }).starts_with("[----------]"));
    }
}
