//! What was found, in sentences: first what grows and must not, then what was watched besides, then
//! what was not.

use super::series::{self, Rule};
use super::{LEAST, SETTLING};
use crate::metrics::Summary;
use crate::report::document::{Soak, Trend};
use crate::time::Nanos;
use crate::units::{format_bytes, format_count, format_duration};

static RULES: [Rule; 7] = [
    series::RSS,
    series::FILES,
    series::THREADS,
    series::POOL,
    series::P50,
    series::P99,
    series::ERRORS,
];

/// Further away than this, nobody plans for it.
const FAR_H: f64 = 10_000.0;

pub fn sentences(soak: &Soak, summary: &Summary) -> Vec<String> {
    let harm = soak.trends.iter().filter(|trend| trend.is_harm()).map(grows);
    let levels = soak.trends.iter().filter(|trend| trend.state == "levels_off").map(levels_off);
    let mut all: Vec<String> = harm.chain(levels).collect();
    match soak.verdict.as_str() {
        "too_short" => all.push(too_short(soak)),
        "stable" => all.push(stable(soak)),
        _ => {}
    }
    if soak.verdict != "too_short" {
        all.extend(soak.trends.iter().filter(|trend| has_too_few_answers(trend)).map(|trend| {
            format!(
                "{} is not judged: blocks of {} with answers enough for it are too few",
                words(trend),
                length(soak.block_s)
            )
        }));
    }
    let unjudged =
        soak.trends.iter().any(|trend| trend.name == series::P50.name && trend.growth_is.is_none());
    if unjudged {
        all.push(
            "blast itself was the limit, so its times and errors say nothing of the server".into(),
        );
    }
    if summary.server.is_none() {
        all.push(
            "no server was watched, so nothing is known of its memory, files and threads; run blast \
             on its host, or name it with --watch"
                .into(),
        );
    }
    all
}

/// A time that would be judged, of a run that is long enough.
fn has_too_few_answers(trend: &Trend) -> bool {
    let is_time = [series::P50.name, series::P99.name].contains(&trend.name.as_str());
    is_time && trend.growth_is.is_some() && trend.state == "too_short"
}

/// As a sentence has it; of the user's own, its name.
fn words(trend: &Trend) -> &str {
    rule(trend).map_or(trend.name.as_str(), |rule| rule.words)
}

fn rule(trend: &Trend) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == trend.name)
}

fn grows(trend: &Trend) -> String {
    let slope = trend.slope_per_h.unwrap_or(0.0);
    let ends = trend.slope_per_h_low.zip(trend.slope_per_h_high);
    let sure = ends.map_or(String::new(), |(low, high)| {
        format!(" (95 % sure: {} to {})", amount(trend, low), amount(trend, high))
    });
    let from = trend.first.unwrap_or(0.0);
    let to = trend.last.unwrap_or(0.0);
    let verb = rule(trend).map_or("grows", |rule| rule.verb);
    format!(
        "{} {verb} by {} an hour{sure}, from {} to {}{}",
        words(trend),
        amount(trend, slope),
        amount(trend, from),
        amount(trend, to),
        limit(trend)
    )
}

fn limit(trend: &Trend) -> String {
    let Some(limit) = &trend.limit else { return String::new() };
    let what = match trend.name.as_str() {
        "server.rss" => {
            format!("this host's memory is used up (at {})", amount(trend, limit.value))
        }
        _ => format!("the limit of {} is reached", amount(trend, limit.value)),
    };
    match limit.reached_in_h {
        far if far > FAR_H => String::new(),
        hours => format!("; at this pace {what} {} after the run", length(hours * 3_600.0)),
    }
}

fn levels_off(trend: &Trend) -> String {
    format!(
        "{} grew from {} to {} and levels off: that is no leak",
        words(trend),
        amount(trend, trend.first.unwrap_or(0.0)),
        amount(trend, trend.last.unwrap_or(0.0))
    )
}

fn stable(soak: &Soak) -> String {
    let judged = soak
        .trends
        .iter()
        .filter(|trend| trend.growth_is.is_some() && trend.matters_from.is_some());
    let names: Vec<&str> = judged.map(words).collect();
    let left_out = format_duration(Nanos::from_millis((soak.settled_s * 1e3) as u64));
    format!(
        "in {} (the first {left_out} left out) nothing grew for certain by as much as matters: {}",
        length(soak.judged_s),
        if names.is_empty() { "nothing could be judged".to_string() } else { names.join(", ") }
    )
}

fn too_short(soak: &Soak) -> String {
    format!(
        "{} are judged, after the first {}, and it takes {LEAST} blocks of {}; run it for {} or more",
        length(soak.judged_s),
        length(soak.settled_s),
        length(soak.block_s),
        length(enough_s(soak))
    )
}

/// How long a run has enough blocks, in whole minutes. One more, as the first may be cut.
fn enough_s(soak: &Soak) -> f64 {
    let blocks = (LEAST + 1) as f64 * soak.block_s;
    let enough = (blocks / (1.0 - SETTLING)).max(soak.settled_s + blocks);
    (enough / 60.0).ceil() * 60.0
}

/// A value of a trend, or a difference of two, in its unit.
fn amount(trend: &Trend, value: f64) -> String {
    match trend.unit.as_str() {
        "us" if value < 0.0 => format!("-{}", length(-value / 1e6)),
        "us" => length(value / 1e6),
        "bytes" => format_bytes(value),
        "bytes_per_s" => format!("{}/s", format_bytes(value)),
        _ => format_count(value),
    }
}

fn length(seconds: f64) -> String {
    // A float becomes an integer by saturation.
    format_duration(Nanos((seconds.max(0.0) * 1e9) as u64))
}
