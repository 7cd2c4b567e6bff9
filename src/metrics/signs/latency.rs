//! How the times lie, and how they change with the load and with time.

use super::super::confidence::{Ranks, ranks};
use super::super::modes::Modes;
use super::super::period::Period;
use super::super::trend::{self, median};
use super::super::{Distribution, Fates, Mode, Reading, Stage, Summary, Warning};
use super::lots::{is_kept, lots, stretches};
use super::{percent, sign};
use crate::time::Nanos;
use crate::units::{format_count, format_duration};

/// p95 is far from the median from the first on, and very far from the second.
const FAR: f64 = 3.0;
const VERY_FAR: f64 = 5.0;

/// What is below it, the scheduler of any host makes.
const NOTICEABLE: Nanos = Nanos::from_millis(1);

/// A p95 of fewer samples has fewer than ten above it.
const FOR_P95: u64 = 200;

/// Two levels of load are apart from this factor on, and times have grown.
const APART: f64 = 1.5;
const GROWN: f64 = 2.0;

/// Medians drift if they grow by this share of what they were, and by so much.
const DRIFT: f64 = 0.2;
const LEAST_DRIFT: Nanos = Nanos::from_micros(100);

/// Of exact quantiles only: past the errors nothing is known.
pub fn p95_far_from_median(summary: &Summary) -> Option<Warning> {
    let lots = lots(summary);
    let kept = |fates: &Fates| is_kept(summary, fates);
    let far =
        lots.iter().filter(|lot| kept(&summary.measure) || kept(lot.fates)).filter_map(|lot| {
            let response = response(lot.fates);
            let exact = |q| match response.quantile(q)? {
                Reading::Exact(value) => Some(value),
                Reading::AtLeast(_) => None,
            };
            let (median, p95) = (exact(0.5)?, exact(0.95)?);
            let ratio = p95.0 as f64 / median.0.max(1) as f64;
            let far = response.count() >= FOR_P95 && ratio > FAR && p95 >= NOTICEABLE;
            far.then_some((ratio, median, p95, &lot.prefix))
        });
    let (ratio, median, p95, prefix) = far.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let what = match ratio > VERY_FAR {
        true => "some requests meet pauses or queues that most never see",
        false => "answers are uneven",
    };
    let text = format!(
        "{prefix}p95 is {ratio:.1} times the median ({} against {}): {what}",
        format_duration(p95),
        format_duration(median)
    );
    let hint = "look for pauses (garbage collection, flushes), locks, and requests that cost more \
        than others";
    Some(sign("p95_far_from_median", text, hint))
}

/// The p95 of the highest level against the lowest: twice as long or more, and the two intervals of
/// 95 % confidence apart.
pub fn grows_with_load(summary: &Summary) -> Option<Warning> {
    let level = |stage: &&Stage| stage.level();
    let enough = |stage: &&Stage| stage.fates.counters.scheduled >= FOR_P95;
    let by_level = |a: &&Stage, b: &&Stage| level(a).total_cmp(&level(b));
    let stages = || summary.stages.iter().filter(enough);
    let (low, high) = (stages().min_by(by_level)?, stages().max_by(by_level)?);
    let (quick, slow) = (response(&low.fates), response(&high.fates));
    let apart = bounds(&quick).zip(bounds(&slow)).is_some_and(|(quick, slow)| slow.0 > quick.1);
    let (before, after) = (quick.quantile(0.95)?.value(), slow.quantile(0.95)?.value());
    let factor = after.0 as f64 / before.0.max(1) as f64;
    let grown = apart && factor >= GROWN && after - before >= NOTICEABLE;
    (grown && level(&high) >= level(&low) * APART).then(|| {
        let unit = if summary.mode == Mode::Open { "/s" } else { " connections" };
        let text = format!(
            "p95 grew {} times with the load: {} at {}{unit}, {} at {}{unit}",
            format_count(factor),
            format_duration(before),
            format_count(level(&low)),
            format_duration(after),
            format_count(level(&high))
        );
        let hint = "a bottleneck in the code or its database: what does each request wait for that \
            others hold?";
        sign("latency_grows_with_load", text, hint)
    })
}

/// What p95 lies between, with 95 % confidence.
fn bounds(response: &Distribution) -> Option<(Nanos, Nanos)> {
    let Ranks { lower, upper } = ranks(response.count(), 0.95);
    let at = |rank: Option<u64>| response.histogram().value_at_rank(rank?);
    at(lower).zip(at(upper))
}

/// The medians of the intervals grow while the load does not (Mann and Kendall), by a fifth or
/// more.
pub fn drifts(summary: &Summary) -> Option<Warning> {
    let grown = stretches(summary).into_iter().filter_map(|stretch| {
        // One with too few answers for a median says nothing of how long they took.
        let medians = stretch.intervals.iter().filter_map(|interval| interval.response_p50);
        let medians: Vec<f64> = medians.map(|median| median.0 as f64).collect();
        let before = median(medians[..medians.len() / 3].to_vec());
        let growth = trend::growth(&medians)?;
        let least = (before * DRIFT).max(LEAST_DRIFT.0 as f64);
        (growth >= least).then_some((growth / before.max(1.0), before, growth, stretch))
    });
    let (_, before, growth, stretch) = grown.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let seconds = summary.interval_length.as_secs_f64() * stretch.intervals.len() as f64;
    let text = format!(
        "{}the median grew by {} from {} in {} of the same load",
        stretch.prefix,
        format_duration(Nanos(growth as u64)),
        format_duration(Nanos(before as u64)),
        format_duration(Nanos((seconds * 1e9) as u64))
    );
    let hint =
        "a leak, or something that piles up: memory, rows, connections, tasks that never end";
    Some(sign("latency_drifts", text, hint))
}

/// The slowest answers of the intervals peak at a fixed period. Not where blast itself paused.
pub fn saw_tooth(summary: &Summary) -> Option<Warning> {
    if !summary.client.pauses.is_empty() {
        return None;
    }
    let found = stretches(summary).into_iter().filter_map(|stretch| {
        // One without answers has no peak.
        let slowest = stretch.intervals.iter().map(|interval| interval.response_max);
        let slowest: Vec<f64> =
            slowest.map(|slowest| slowest.unwrap_or_default().0 as f64).collect();
        let period = Period::of(&slowest, NOTICEABLE.0 as f64)?;
        Some((period, stretch.prefix))
    });
    let (period, prefix) = found.max_by_key(|(period, _)| period.peaks)?;
    let length = period.length * summary.interval_length.0 as f64;
    let text = format!(
        "{prefix}the slowest answers peak every {}, {} times: {} against {} otherwise",
        format_duration(Nanos(length as u64)),
        period.peaks,
        format_duration(Nanos(period.height as u64)),
        format_duration(Nanos(period.usual as u64))
    );
    let hint = "something stops the server at a fixed period: a garbage collector, a checkpoint, a \
        timer";
    Some(sign("saw_tooth", text, hint))
}

/// Times of the server, as waiting for a connection makes a hill of its own.
pub fn bimodal(summary: &Summary) -> Option<Warning> {
    let lots = lots(summary);
    let found = lots.iter().filter_map(|lot| {
        let service = match summary.mode {
            Mode::Open => &lot.fates.service,
            Mode::Closed => &lot.fates.good,
        };
        Some((Modes::of(service)?, service.count(), &lot.prefix))
    });
    let (modes, _, prefix) = found.max_by_key(|(_, count, _)| *count)?;
    let text = format!(
        "{prefix}answers are of two kinds: about {} for {} of them, about {} for the others",
        format_duration(modes.fast),
        percent(1.0 - modes.slow_share),
        format_duration(modes.slow)
    );
    let hint = "find out what tells them apart: hits and misses of a cache, two instances, a lock, \
        a second query";
    Some(sign("bimodal", text, hint))
}

fn response(fates: &Fates) -> Distribution {
    Distribution::ranked(&fates.good, &fates.censored)
}
