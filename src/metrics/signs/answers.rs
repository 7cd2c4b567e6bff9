//! How many answers were no good, and whether there were enough of them.

use super::super::{Rejection, Summary, Warning};
use super::{percent, sign};
use crate::failure::Kind;
use crate::time::Nanos;
use crate::units::{format_duration, format_exact};

/// Errors: below the first nobody minds, past the last nothing else matters (the scale of the web
/// guides).
const LEVELS: [(f64, &str, &str); 3] = [
    (
        0.05,
        "errors_5",
        "critical: look at the errors by kind before you make anything of the times",
    ),
    (
        0.01,
        "errors_1",
        "a problem that users notice: look at the errors by kind and at the server's log",
    ),
    (0.001, "errors_0_1", "acceptable for most, not good: look at the errors by kind"),
];

/// Timeouts from this share on are no accident of one connection.
const TIMEOUTS: f64 = 0.001;

/// Five samples lie above the p99 of as many.
const FOR_P99: u64 = 500;

/// A rule should not be judged by less.
const SHORT: Nanos = Nanos::from_secs(5);

/// Of a run that was ended early, what was cut off is no error.
pub fn errors(summary: &Summary) -> Option<Warning> {
    let counters = &summary.measure.counters;
    let (share, count) = match summary.complete {
        true => (summary.error_share(), counters.errors()),
        false => {
            let count = counters.failed() + counters.rejected();
            (count as f64 / counters.scheduled.max(1) as f64, count)
        }
    };
    let (_, code, hint) = *LEVELS.iter().find(|(level, ..)| share >= *level)?;
    let text = match count {
        0 => {
            format!("{} of the attempts came to nothing good: connects that failed", percent(share))
        }
        _ => format!(
            "{} of the requests came to nothing good ({})",
            percent(share),
            format_exact(count)
        ),
    };
    Some(sign(code, text, hint))
}

pub fn timeouts(summary: &Summary) -> Option<Warning> {
    let counters = &summary.measure.counters;
    let count = counters.failures[Kind::Timeout as usize];
    let share = count as f64 / counters.sent.max(1) as f64;
    (share >= TIMEOUTS).then(|| {
        let text = format!(
            "{} of the requests ({}) had no answer within --timeout",
            percent(share),
            format_exact(count)
        );
        sign(
            "timeouts",
            text,
            "the server does not keep up: look at what the slow requests wait for",
        )
    })
}

/// Any of them: a limit is a decision of somebody.
pub fn rate_limited(summary: &Summary) -> Option<Warning> {
    let counters = &summary.measure.counters;
    let count = counters.rejections[Rejection::Status429 as usize];
    (count > 0).then(|| {
        let text = format!(
            "{} of the answers ({}) were 429: a rate limit was met, not the server's ceiling",
            percent(count as f64 / counters.completed.max(1) as f64),
            format_exact(count)
        );
        sign("rate_limited", text, "stay below the limit, or have it raised for the test")
    })
}

pub fn too_short(summary: &Summary, is_judged: bool) -> Option<Warning> {
    let requests = summary.measure.counters.scheduled;
    if !summary.complete || requests == 0 {
        return None;
    }
    let text = if requests < FOR_P99 {
        let requests = format_exact(requests);
        format!("of {requests} requests no p99 can be told: that takes {FOR_P99}")
    } else if is_judged && summary.measured < SHORT {
        let length = format_duration(summary.measured);
        format!("{length} are short for rules to be judged by: one pause decides")
    } else {
        return None;
    };
    Some(sign("too_short", text, "run longer, 30 s or more"))
}
