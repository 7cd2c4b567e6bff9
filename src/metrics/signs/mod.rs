//! Signs: warnings that teach. What the figures of a run show to somebody who has seen many of
//! them, each with its evidence, and with where to look next.
//!
//! Nothing is said that chance could have made: what each sign is tested by stands beside it. Where
//! blast itself was the limit, its figures show nothing of the server, and only the counts speak.
//!
//! ```text
//! answers     errors, timeouts, a rate limit         latency    how the times lie, and change
//! beside      what was read beside the load          lots       like with like: by name, by stage
//! groups      who answered, by one of the headers
//! own         how near blast was to what it can send
//! ```

mod answers;
mod beside;
mod groups;
mod latency;
mod lots;
mod own;
#[cfg(test)]
mod tests;

use super::{Summary, Warning};

/// The most important first.
pub const CODES: [&str; 21] = [
    "errors_5",
    "errors_1",
    "errors_0_1",
    "timeouts",
    "rate_limited",
    "group_errors",
    "group_slow",
    "groups_uneven",
    "groups_too_many",
    "groups_without_header",
    "one_core_full",
    "pool_full",
    "retransmits",
    "latency_grows_with_load",
    "latency_drifts",
    "memory_grows",
    "saw_tooth",
    "bimodal",
    "p95_far_from_median",
    "too_short",
    "near_calibration",
];

/// What a run shows. `is_judged`: rules are to hold of it.
pub fn of(summary: &Summary, is_judged: bool) -> Vec<Warning> {
    let trusted = !summary.verdict.limit.is_generator();
    let latency = || {
        [
            latency::grows_with_load(summary),
            latency::drifts(summary),
            latency::saw_tooth(summary),
            latency::bimodal(summary),
            latency::p95_far_from_median(summary),
            groups::slow(summary),
        ]
    };
    let counted = [
        answers::errors(summary),
        answers::timeouts(summary),
        answers::rate_limited(summary),
        beside::one_core_full(summary),
        beside::pool_full(summary),
        beside::retransmits(summary),
        beside::memory_grows(summary),
        answers::too_short(summary, is_judged),
        own::near_calibration(summary),
        groups::errors(summary),
        groups::uneven(summary),
        groups::too_many(summary),
        groups::without_header(summary),
    ];
    let shown = trusted.then(latency).into_iter().flatten();
    let mut found: Vec<Warning> = counted.into_iter().chain(shown).flatten().collect();
    // Who asks what tells two kinds of answers apart has been told.
    if found.iter().any(|sign| sign.code() == "group_slow") {
        found.retain(|sign| sign.code() != "bimodal");
    }
    found.sort_by_key(|sign| CODES.iter().position(|code| *code == sign.code()));
    found
}

fn sign(code: &'static str, text: String, hint: &'static str) -> Warning {
    debug_assert!(CODES.contains(&code));
    Warning::Sign { code, text, hint }
}

/// `1.2 %`, `0.05 %`.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 1.0 { format!("{percent:.2} %") } else { format!("{percent:.1} %") }
}
