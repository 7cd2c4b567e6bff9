//! The page of `blast ceiling`: the answer first, then the knee.

use super::PageOptions;
use super::text::{Sheet, Tone};
use super::worded::Worded;
use crate::report::ceiling::{Ceiling, CeilingDocument, Failure, Point, Push};
use crate::report::head_room;
use crate::report::number::{cell, count, per_second, percent, seconds};

pub fn page(document: &CeilingDocument, options: &PageOptions) -> String {
    let mut sheet = Sheet::new(options);
    let ceiling = &document.ceiling;
    let rules = match document.thresholds.is_empty() {
        true => "the rate is to be carried".to_string(),
        false => document.thresholds.join(", "),
    };
    let ran = format!("{} {}, {rules}", document.method, document.url);
    sheet.labelled("ceiling of", Tone::Plain, &ran);
    let (tone, text) = answer_in_words(document);
    sheet.labelled(answer_label(document), tone, &text);
    for (label, text) in facts(document) {
        let tone = if label.is_empty() { Tone::Aside } else { Tone::Plain };
        sheet.labelled(label, tone, &text);
    }
    above(&mut sheet, ceiling);
    tables(&mut sheet, ceiling);
    sheet.finish()
}

const NO_ANSWER: &str = "none: no good answer came, not even in a closed loop";

const UNTOLD: &str = "not found: there was no time for as many requests as the thresholds need";

/// What the answer is called.
pub fn answer_label(document: &CeilingDocument) -> &'static str {
    if document.ceiling.is_number() { "ready for" } else { "ceiling" }
}

/// The rate, or how many connections or users, and between what it lies.
pub fn answer_in_words(document: &CeilingDocument) -> (Tone, String) {
    let ceiling = &document.ceiling;
    if ceiling.is_number() {
        return ready_in_words(document);
    }
    match (ceiling.rate_per_s, ceiling.high_per_s) {
        (None, _) if ceiling.burst_per_s.is_none() => (Tone::Bad, NO_ANSWER.to_string()),
        (None, None) if ceiling.untold().is_some() => (Tone::Doubtful, UNTOLD.to_string()),
        (None, _) => (Tone::Bad, "none: no rate that was tried met the thresholds".to_string()),
        (Some(rate), None) => {
            (Tone::Doubtful, format!("{}/s or more: nothing above it failed", per_second(rate)))
        }
        (Some(rate), Some(high)) => {
            let between = format!(
                "{}/s (it lies between {} and {})",
                per_second(rate),
                per_second(rate),
                per_second(high)
            );
            let own = document.is_blasts_own();
            (if own || !ceiling.confirmed { Tone::Doubtful } else { Tone::Good }, between)
        }
    }
}

/// Of connections, or users.
fn ready_in_words(document: &CeilingDocument) -> (Tone, String) {
    let ceiling = &document.ceiling;
    let unit = &ceiling.over;
    match (ceiling.ready_for, ceiling.fails_at) {
        (None, _) if ceiling.burst_per_s.is_none() => (Tone::Bad, NO_ANSWER.to_string()),
        (None, None) if ceiling.untold().is_some() => (Tone::Doubtful, UNTOLD.to_string()),
        (None, _) => {
            (Tone::Bad, format!("none: no number of {unit} that was tried met the thresholds"))
        }
        (Some(ready), None) => {
            (Tone::Doubtful, format!("{} {unit} or more: no larger number failed", count(ready)))
        }
        (Some(ready), Some(fails)) => {
            let own = document.is_blasts_own();
            let by = ceiling.stopped_by.as_deref().unwrap_or_default();
            let by = by.strip_prefix("threshold ").unwrap_or(by);
            let more = match own {
                true => format!("with {} blast itself was the limit", count(fails)),
                false => format!("{} fail {by}", count(fails)),
            };
            let tone = if own || !ceiling.confirmed { Tone::Doubtful } else { Tone::Good };
            (tone, format!("{} {unit}; {more}", count(ready)))
        }
    }
}

/// What is said below the answer, each with its label; notes have none.
pub fn facts(document: &CeilingDocument) -> Vec<(&'static str, String)> {
    let ceiling = &document.ceiling;
    let is_number = ceiling.is_number();
    let requests = ceiling.rate_per_s.filter(|_| is_number);
    let requests = requests.map(|rate| format!("{}/s at that number", per_second(rate)));
    let connections = ceiling.connections.filter(|_| !is_number);
    let connections = connections.map(|n| format!("{}{}", count(n), more(ceiling)));
    let need = ceiling.need.as_ref().map(|need| {
        format!(
            "{}/s take {} such at {} of the ceiling",
            per_second(need.rate_per_s),
            count(need.instances),
            percent(need.load)
        )
    });
    let told = [
        ("requests", requests),
        ("stopped by", stopped(document)),
        ("", policy(ceiling)),
        ("unknown", untold(ceiling)),
        ("more room", ceiling.more_room.clone()),
        ("head-room", head_room::of_ceiling(document)),
        ("connections", connections),
        ("need", need),
    ];
    let told = told.into_iter().filter_map(|(label, text)| Some((label, text?)));
    told.chain(notes(document).into_iter().map(|note| ("", note))).collect()
}

fn stopped(document: &CeilingDocument) -> Option<String> {
    let (by, why) = (document.ceiling.stopped_by.as_ref()?, document.ceiling.why.as_ref()?);
    Some(match document.is_blasts_own() {
        true => format!("blast itself ({by}): {why}; the server may do more"),
        false => format!("{by}: {why}"),
    })
}

fn untold(ceiling: &Ceiling) -> Option<String> {
    let point = ceiling.untold()?;
    let unit = if ceiling.is_number() { format!(" {}", ceiling.over) } else { "/s".to_string() };
    Some(format!(
        "{}{unit} was not judged by {} ({}); give it a longer --budget, or a rule about a lower \
         quantile",
        level(ceiling, point),
        point.by.as_deref().unwrap_or("the thresholds"),
        point.why.as_deref().unwrap_or("it was too short")
    ))
}

fn policy(ceiling: &Ceiling) -> Option<String> {
    let is_policy = ceiling.stopped_by.as_deref() == Some("rate_limit");
    is_policy.then(|| {
        "a limit of the rate is a policy, and says nothing of what the server could do: have it \
         raised to find that out"
            .to_string()
    })
}

fn more(ceiling: &Ceiling) -> &'static str {
    match ceiling.more_connections_help {
        Some(true) => "; twice as many carried more: raise --connections",
        Some(false) => "; twice as many carried no more",
        None => "",
    }
}

fn notes(document: &CeilingDocument) -> Vec<String> {
    let ceiling = &document.ceiling;
    let held = ceiling.confirmed_s.map(seconds).unwrap_or_default();
    let notes = [
        (!document.complete).then(|| "interrupted: this is what was known by then".to_string()),
        (ceiling.confirmed && !held.is_empty())
            .then(|| format!("confirmed: it held for {held}, and what is above it failed again")),
        (document.complete && !ceiling.confirmed && ceiling.rate_per_s.is_some())
            .then(|| "not confirmed: take it with care, or give it a longer --budget".to_string()),
        unsteady(ceiling),
        (!ceiling.recovered).then(|| {
            "after an overload the server did not answer as before within the time: what was \
             tried later may have suffered from it"
                .to_string()
        }),
    ];
    notes.into_iter().flatten().collect()
}

fn unsteady(ceiling: &Ceiling) -> Option<String> {
    let (all, failed) = ceiling.no_harder();
    (failed > 0).then(|| {
        format!(
            "not steady: {failed} of {all} runs no harder than this failed, by the server or by its \
             host; what it does day after day may be less"
        )
    })
}

/// What a narrow terminal goes without, the first to go first: p99.9, p50, errors.
const SPARE: [usize; 3] = [4, 2, 5];

/// By rate: the knee is where the times rise and the good ones no longer do. Below it what was above
/// the ceiling, in the same columns.
fn tables(sheet: &mut Sheet, ceiling: &Ceiling) {
    let tables = [probes(ceiling), pushes(ceiling)].into_iter().filter(|rows| rows.len() > 1);
    Worded { tables: tables.collect(), is_named: false, spare: &SPARE }.write(sheet);
}

fn probes(ceiling: &Ceiling) -> Vec<[String; 7]> {
    let head = [ceiling.level_name(), "good/s", "p50", "p99", "p99.9", "errors", "outcome"];
    let row = |point: &Point| {
        [
            level(ceiling, point),
            per_second(point.good_per_s),
            time(point.p50_us),
            time(point.p99_us),
            time(point.p99_9_us),
            percent(point.error_share),
            outcome(point),
        ]
    };
    let rows = ceiling.curve.iter().map(row);
    std::iter::once(head.map(str::to_string)).chain(rows).collect()
}

fn pushes(ceiling: &Ceiling) -> Vec<[String; 7]> {
    let head = ["rate/s", "good/s", "p50", "p99", "", "errors", "above the ceiling"];
    let row = |push: &Push| {
        [
            per_second(push.rate_per_s),
            per_second(push.good_per_s),
            time(push.p50_us),
            time(push.p99_us),
            String::new(),
            percent(push.error_share),
            String::new(),
        ]
    };
    let rows = ceiling.failure.iter().flat_map(|failure| &failure.curve).map(row);
    std::iter::once(head.map(str::to_string)).chain(rows).collect()
}

fn time(us: Option<f64>) -> String {
    us.map_or("-".to_string(), cell)
}

/// Where a probe was: its rate, or how many there were.
pub fn level(ceiling: &Ceiling, point: &Point) -> String {
    match ceiling.is_number() {
        true => count(point.connections),
        false => per_second(point.rate_per_s),
    }
}

/// With what made it so.
pub fn outcome(point: &Point) -> String {
    match &point.by {
        Some(by) => format!("{}: {by}", point.outcome),
        None => point.outcome.clone(),
    }
}

/// What `--to-failure` found: three figures and the way back.
fn above(sheet: &mut Sheet, ceiling: &Ceiling) {
    let Some(failure) = &ceiling.failure else { return };
    sheet.gap();
    for (label, tone, text) in above_in_words(ceiling, failure) {
        sheet.labelled(label, tone, &text);
    }
}

/// Each with its label.
pub fn above_in_words(ceiling: &Ceiling, failure: &Failure) -> Vec<(&'static str, Tone, String)> {
    let rate = |rate: f64| format!("{}/s", per_second(rate));
    let none = || format!("none up to {}", rate(failure.most_per_s));
    let meets = ceiling.rate_per_s.map_or("-".to_string(), rate);
    let begin = ceiling.errors_begin_per_s.map_or_else(none, |at| format!("from {} on", rate(at)));
    let collapse = match ceiling.collapse_per_s {
        Some(at) => (Tone::Bad, format!("at {}: {}", rate(at), failure.why)),
        None if failure.ended_by == "nothing" => (Tone::Good, failure.why.clone()),
        None => {
            let tried = rate(failure.most_per_s);
            (Tone::Doubtful, format!("not seen up to {tried}: {}", failure.why))
        }
    };
    vec![
        ("thresholds", Tone::Plain, format!("met up to {meets}")),
        ("errors", Tone::Plain, begin),
        ("collapse", collapse.0, collapse.1),
        ("recovery", recovery_tone(failure), recovery(ceiling, failure)),
    ]
}

fn recovery_tone(failure: &Failure) -> Tone {
    match failure.recovered {
        Some(true) => Tone::Good,
        Some(false) => Tone::Bad,
        None => Tone::Doubtful,
    }
}

fn recovery(ceiling: &Ceiling, failure: &Failure) -> String {
    let half = format!("half the ceiling ({}/s)", per_second(failure.calm.rate_per_s));
    match (failure.recovered, ceiling.recovery_s) {
        (Some(true), Some(took)) if took < 0.001 => {
            format!("{half} was answered as before at once")
        }
        (Some(true), Some(took)) => {
            format!("{half} was answered as before after {}", seconds(took))
        }
        (Some(_), _) => {
            format!("{half} was not answered as before within {}", seconds(failure.watched_s))
        }
        (None, _) => "not looked at".to_string(),
    }
}
