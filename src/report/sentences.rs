//! What can be said of a run in three or four plain sentences: whether it was stable, how long
//! people waited, what went wrong, and whether there is room for more. Each has its evidence in
//! it; where there is none, nothing is said.

use super::Document;
use super::console::limit_in_words;
use super::document::{Interval, Sentence};
use super::number::{count, micros, per_second, percent, seconds};

/// A server whose answers are good to this share is one that works.
const WORKS: f64 = 0.99;

/// A second with less than this of what was due, or is usual, is one in which it did not keep up.
const KEPT_UP: f64 = 0.80;

/// Deviations by which a second falls short, for that to be more than chance: of answers that come
/// when users like, a second has as many more or fewer as the root of their number (Poisson).
const BEYOND_CHANCE: f64 = 3.0;

/// Answers that may end on the other side of a second's end.
const ON_THE_EDGE: f64 = 2.0;

/// Fewer whole seconds say nothing of stability.
const TELLING: usize = 3;

/// A host with less of its processors in use has room, in percent; `good` of the set `api`.
const ROOM: f64 = 70.0;

/// A thread that has this much of a core has all of it, in percent.
const WHOLE_CORE: f64 = 95.0;

pub fn of(document: &Document) -> Vec<Sentence> {
    if let Some(unfit) = unfit(document) {
        return vec![unfit];
    }
    if document.requests.scheduled == 0 {
        return Vec::new();
    }
    let trouble = errors(document).or_else(|| growth(document));
    let all = [Some(stability(document)), waiting(document), trouble, room(document)];
    all.into_iter().flatten().collect()
}

fn say(short: impl Into<String>, text: impl Into<String>) -> Sentence {
    Sentence { short: short.into(), text: text.into() }
}

/// Why nothing can be said of the server.
fn unfit(document: &Document) -> Option<Sentence> {
    let limit = document.verdict.limit.as_str();
    if !document.audit.ok {
        let failed = document.audit.checks.iter().filter(|check| !check.ok).count();
        let all = document.audit.checks.len();
        let text = format!(
            "Nothing can be said of the server: {failed} of {all} checks of the audit failed."
        );
        return Some(say("the audit failed", text));
    }
    if !document.complete {
        let asked = document.plan.duration_s.map(|asked| format!(" of {}", seconds(asked)));
        let length = seconds(document.duration_s) + &asked.unwrap_or_default();
        let text =
            format!("The run was cut short after {length}: this is a part of what was asked.");
        return Some(say(format!("cut short after {length}"), text));
    }
    matches!(limit, "client_cpu" | "ports" | "descriptors").then(|| {
        let why = document.verdict.why.trim_end_matches('.');
        let text = format!("This says little of the server: {why}.");
        say(limit_in_words(document), text)
    })
}

fn stability(document: &Document) -> Sentence {
    let requests = &document.requests;
    let (share, all) = (percent(requests.success_share), count(requests.scheduled));
    if requests.good == 0 {
        return say("no good answer", format!("None of {all} requests was answered as expected."));
    }
    if requests.success_share < WORKS {
        let text = format!("Not stable: only {share} of {all} requests were good.");
        return say(format!("not stable, {share} good"), text);
    }
    let good = format!("{share} good");
    let text = format!("{share} of {all} requests were good");
    let Some(pace) = Pace::of(document) else { return say(good, format!("{text}.")) };
    if pace.intervals < TELLING {
        let text = format!("{text}; the run was too short to tell whether it is stable.");
        return say(good, text);
    }
    let (worst, whole, what) = (percent(pace.worst), count(pace.intervals as u64), pace.what);
    let span = if document.interval_s == 1.0 { "seconds" } else { "intervals" };
    match pace.behind {
        0 => say(
            format!("stable, {good}"),
            format!("Stable: {text}, and the worst of {whole} {span} had {worst} of {what}."),
        ),
        behind => say(
            format!("not stable, {good}"),
            format!(
                "Not stable: {text}, but {} of {whole} {span} had less than {} of {what}, the worst \
                 {worst}.",
                count(behind as u64),
                percent(KEPT_UP)
            ),
        ),
    }
}

/// How evenly the good answers came.
struct Pace {
    intervals: usize,
    /// Those that did not keep up, by more than chance.
    behind: usize,
    /// The least share of `what`.
    worst: f64,
    what: &'static str,
}

impl Pace {
    /// `None`: users who come and go have no usual rate.
    fn of(document: &Document) -> Option<Pace> {
        let open_loop = document.is_open_loop();
        if !open_loop && !document.stages.is_empty() {
            return None;
        }
        let whole = whole(document);
        let mut good: Vec<u64> = whole.iter().map(|interval| interval.good).collect();
        good.sort_unstable();
        let usual = good.get(good.len() / 2).copied().unwrap_or(0);
        let due = |interval: &Interval| if open_loop { interval.scheduled } else { usual };
        let share = |interval: &Interval| match due(interval) {
            0 => 1.0,
            due => (interval.good as f64 / due as f64).min(1.0),
        };
        let chance = |due: u64| match open_loop {
            true => ON_THE_EDGE,
            false => ON_THE_EDGE.max(BEYOND_CHANCE * (due as f64).sqrt()),
        };
        let is_behind = |interval: &&&Interval| {
            let missing = due(interval).saturating_sub(interval.good) as f64;
            share(interval) < KEPT_UP && missing > chance(due(interval))
        };
        Some(Pace {
            intervals: whole.len(),
            behind: whole.iter().filter(is_behind).count(),
            worst: whole.iter().map(|interval| share(interval)).fold(1.0, f64::min),
            what: if open_loop {
                "the answers that were due"
            } else {
                "the usual number of answers"
            },
        })
    }
}

/// The intervals that lie in measure as a whole, from when the first answers can be there.
fn whole(document: &Document) -> Vec<&Interval> {
    let warmup = document.warmup.as_ref().map_or(0.0, |warmup| warmup.duration_s);
    let first_answers = document.latency.service.p95_us.unwrap_or(0.0) / 1e6;
    let end = warmup + document.duration_s;
    let is_whole = |interval: &&Interval| {
        let start = interval.t_s - document.interval_s;
        interval.phase == "measure" && start + 1e-9 >= warmup && interval.t_s <= end + 1e-3
    };
    let has_answers = |interval: &&Interval| {
        let start = interval.t_s - document.interval_s;
        start >= warmup + first_answers || first_answers < document.interval_s / 10.0
    };
    document.intervals.iter().filter(is_whole).filter(has_answers).collect()
}

fn waiting(document: &Document) -> Option<Sentence> {
    let response = &document.latency.response;
    if document.requests.good == 0 {
        return None;
    }
    let half = micros(response.p50_us?);
    let half = format!("{half} or {}", if response.is_exact(0.5) { "less" } else { "more" });
    let Some(most) = response.p95_us.map(micros) else {
        let text = format!("Half of the requests took {half}; there are too few to say more.");
        return Some(say(format!("half took {half}"), text));
    };
    let (subject, from) = match document.is_open_loop() {
        true => ("users waited", ""),
        false => ("answers took", " from when they were sent"),
    };
    Some(match response.is_exact(0.95) {
        true => say(
            format!("95 % within {most}"),
            format!("95 % of the {subject} {most} or less{from}, half of all {half}."),
        ),
        false => say(
            format!("p95 at least {most}"),
            format!("One in twenty of the {subject} {most} or more{from}, half of all {half}."),
        ),
    })
}

/// What went wrong with the requests, the most frequent first.
fn errors(document: &Document) -> Option<Sentence> {
    let requests = &document.requests;
    let bad = requests.scheduled.saturating_sub(requests.good);
    let counted = document.failures.iter().chain(&document.rejections);
    let mut kinds: Vec<(&str, u64)> = counted.map(|(kind, count)| (&**kind, *count)).collect();
    kinds.extend([("unanswered", requests.abandoned), ("never sent", requests.dropped)]);
    kinds.retain(|(_, count)| *count > 0);
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let named: Vec<String> = kinds
        .iter()
        .take(NAMED)
        .map(|(kind, number)| format!("{} {kind}", count(*number)))
        .collect();
    let more = if kinds.len() > NAMED { " and other kinds" } else { "" };
    let (worst, times) = kinds.first()?;
    let mostly =
        if 2 * times > bad { format!("mostly {worst}") } else { "of several kinds".into() };
    Some(say(
        format!("{} errors, {mostly}", count(bad)),
        format!("{} requests were no good: {}{more}.", count(bad), named.join(", ")),
    ))
}

/// Kinds of errors that are named one by one.
const NAMED: usize = 4;

/// Memory that grows, where the server is watched.
fn growth(document: &Document) -> Option<Sentence> {
    let grown = document.advice.iter().find(|advice| advice.sign == "memory_grows")?;
    let text = format!("It would not last for ever: {}.", grown.evidence.trim_end_matches('.'));
    Some(say("its memory grows", text))
}

/// Whether it could bear more.
fn room(document: &Document) -> Option<Sentence> {
    let rate = &document.rate;
    if document.requests.good == 0 {
        return None;
    }
    let target = rate.target_per_s.map(per_second);
    let good = per_second(rate.good_per_s);
    match (document.verdict.limit.as_str(), target) {
        ("none", Some(_)) => Some(held(document)),
        ("none", None) => {
            let why = document.verdict.why.trim_end_matches('.');
            let text = format!("How many more it bears was not looked at: {why}.");
            Some(say("no limit was reached", text))
        }
        ("server", Some(_))
            if document.requests.success_share < WORKS && is_on_schedule(document) =>
        {
            let share = percent(document.requests.success_share);
            let text =
                format!("More load makes no sense before the errors are gone: {share} good.");
            Some(say("errors first", text))
        }
        ("server", Some(target)) => Some(say(
            "at its limit",
            format!(
                "Cannot be scaled further as it is: {good} good answers/s of {target}/s asked."
            ),
        )),
        ("server", None) => {
            let connections = count(document.plan.connections);
            let text = format!(
                "{connections} connections that never paused got {good} good answers a second; \
                 how long users wait at a given rate, a run with --rps tells."
            );
            Some(say(format!("{good}/s without a pause"), text))
        }
        ("connections", _) => {
            let why = document.verdict.why.trim_end_matches('.');
            let text = format!("Whether the server bears more is not known: {why}.");
            Some(say("too few connections to tell more", text))
        }
        ("network", _) => {
            let why = document.verdict.why.trim_end_matches('.');
            Some(say("the network first", format!("The network has to be mended first: {why}.")))
        }
        _ => None,
    }
}

fn is_on_schedule(document: &Document) -> bool {
    document.rate.efficiency.is_some_and(|share| share >= WORKS)
}

/// The load was borne; with how much to spare is known where the server runs here.
fn held(document: &Document) -> Sentence {
    let shape = match document.rate.target_per_s {
        Some(target) if document.stages.is_empty() => {
            format!("the rate of {}/s was held", per_second(target))
        }
        _ => "the rate of each stage was held".to_string(),
    };
    let mean = |name: &str| document.gauges.as_ref()?.gauge(name)?.mean;
    let host = mean("host.cpu").filter(|_| document.runs_here());
    let shown = |used: f64| percent(used / 100.0);
    if let Some(core) = mean("server.core_max").filter(|core| *core >= WHOLE_CORE) {
        let used = shown(core);
        let text =
            format!("Little room is left: {shape}, with one of its threads at {used} of a core.");
        return say("little room left", text);
    }
    match host {
        Some(used) if used < ROOM => {
            let used = shown(used);
            let text = format!(
                "Can be scaled further: {shape}, with {used} of this host's processors in use, \
                 blast's share among them."
            );
            say("can be scaled further", text)
        }
        Some(used) => {
            let used = shown(used);
            let text = format!(
                "Little room is left: {shape}, with {used} of this host's processors in use, \
                 blast's share among them."
            );
            say("little room left", text)
        }
        None => {
            let text =
                format!("How much more it bears was not looked at: {shape}; raise it to see.");
            say("the load was held", text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// Of a run whose seconds had so many good answers, all of which were due.
    fn stability_of(name: &str, good: &[u64]) -> String {
        let mut document = fixture::named(name).document();
        (document.warmup, document.stages) = (None, Vec::new());
        (document.duration_s, document.interval_s) = (good.len() as f64, 1.0);
        document.requests.success_share = 1.0;
        document.latency.service.p95_us = Some(1_000.0);
        let usual = good.iter().copied().max().unwrap();
        let interval = document.intervals[0].clone();
        let second = |(at, good): (usize, &u64)| Interval {
            t_s: (at + 1) as f64,
            phase: "measure".to_string(),
            scheduled: usual,
            good: *good,
            ..interval.clone()
        };
        document.intervals = good.iter().enumerate().map(second).collect();
        stability(&document).short
    }

    #[test]
    fn seconds_that_differ_by_chance_are_stable() {
        // Users who think: 25 a second, each when it likes.
        let users = [25, 31, 19, 22, 28, 18, 25, 33];
        assert_eq!(stability_of("closed", &users), "stable, 100 % good");
        assert_eq!(stability_of("held", &[3, 3, 2, 3]), "stable, 100 % good");
        assert_eq!(stability_of("closed", &[25, 31, 5, 25, 28]), "not stable, 100 % good");
        assert_eq!(stability_of("closed", &[1000, 1000, 700, 1000]), "not stable, 100 % good");
        assert_eq!(stability_of("held", &[100, 100, 75, 100]), "not stable, 100 % good");
    }
}
