//! The page of `blast ceiling`: the answer first, then the knee.

use super::PageOptions;
use super::text::{Sheet, Tone};
use crate::report::ceiling::{Ceiling, CeilingDocument, Point};
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
    match ceiling.is_number() {
        true => ready(&mut sheet, document),
        false => answer(&mut sheet, document),
    }
    stopped(&mut sheet, document);
    if let Some(connections) = ceiling.connections.filter(|_| !ceiling.is_number()) {
        let text = format!("{}{}", count(connections), more(ceiling));
        sheet.labelled("connections", Tone::Plain, &text);
    }
    if let Some(need) = &ceiling.need {
        let text = format!(
            "{}/s take {} such at {} of the ceiling",
            per_second(need.rate_per_s),
            count(need.instances),
            percent(need.load)
        );
        sheet.labelled("need", Tone::Plain, &text);
    }
    notes(&mut sheet, document);
    sheet.gap();
    curve(&mut sheet, ceiling);
    sheet.finish()
}

const NO_ANSWER: &str = "none: no good answer came, not even in a closed loop";
const NO_RATE: &str = "none: no rate that was tried met the thresholds";

fn answer(sheet: &mut Sheet, document: &CeilingDocument) {
    let ceiling = &document.ceiling;
    let (tone, text) = match (ceiling.rate_per_s, ceiling.high_per_s) {
        (None, _) if ceiling.burst_per_s.is_none() => (Tone::Bad, NO_ANSWER.to_string()),
        (None, _) => (Tone::Bad, NO_RATE.to_string()),
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
    };
    sheet.labelled("ceiling", tone, &text);
}

/// Of connections, or users.
fn ready(sheet: &mut Sheet, document: &CeilingDocument) {
    let ceiling = &document.ceiling;
    let unit = &ceiling.over;
    let (tone, text) = match (ceiling.ready_for, ceiling.fails_at) {
        (None, _) if ceiling.burst_per_s.is_none() => (Tone::Bad, NO_ANSWER.to_string()),
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
    };
    sheet.labelled("ready for", tone, &text);
    if let Some(rate) = ceiling.rate_per_s {
        let text = format!("{}/s at that number", per_second(rate));
        sheet.labelled("requests", Tone::Plain, &text);
    }
}

fn stopped(sheet: &mut Sheet, document: &CeilingDocument) {
    let ceiling = &document.ceiling;
    let (Some(by), Some(why)) = (&ceiling.stopped_by, &ceiling.why) else { return };
    let text = match document.is_blasts_own() {
        true => format!("blast itself ({by}): {why}; the server may do more"),
        false => format!("{by}: {why}"),
    };
    sheet.labelled("stopped by", Tone::Plain, &text);
    if by == "rate_limit" {
        let text = "a limit of the rate is a policy, and says nothing of what the server could do: \
                    have it raised to find that out";
        sheet.labelled("", Tone::Aside, text);
    }
    if let Some(change) = &ceiling.more_room {
        sheet.labelled("more room", Tone::Plain, change);
    }
}

fn more(ceiling: &Ceiling) -> &'static str {
    match ceiling.more_connections_help {
        Some(true) => "; twice as many carried more: raise --connections",
        Some(false) => "; twice as many carried no more",
        None => "",
    }
}

fn notes(sheet: &mut Sheet, document: &CeilingDocument) {
    let ceiling = &document.ceiling;
    let held = ceiling.confirmed_s.map(seconds).unwrap_or_default();
    let notes = [
        (!document.complete).then(|| "interrupted: this is what was known by then".to_string()),
        (ceiling.confirmed && !held.is_empty())
            .then(|| format!("confirmed: it held for {held}, and what is above it failed again")),
        (document.complete && !ceiling.confirmed && ceiling.rate_per_s.is_some())
            .then(|| "not confirmed: take it with care, or give it a longer --budget".to_string()),
        (!ceiling.recovered).then(|| {
            "after an overload the server did not answer as before within the time: what was \
             tried later may have suffered from it"
                .to_string()
        }),
    ];
    for note in notes.into_iter().flatten() {
        sheet.labelled("", Tone::Aside, &note);
    }
}

/// By rate: the knee is where the times rise and the good ones no longer do.
fn curve(sheet: &mut Sheet, ceiling: &Ceiling) {
    if ceiling.curve.is_empty() {
        return;
    }
    let (is_number, level) = match ceiling.is_number() {
        true => (true, &*ceiling.over),
        false => (false, "rate/s"),
    };
    let head = format!(
        "{:>11} {:>11} {:>8} {:>8} {:>8} {:>8}  {}",
        level, "good/s", "p50", "p99", "p99.9", "errors", "outcome"
    );
    let head = sheet.paint(Tone::Heading, &head);
    sheet.line(&head);
    let level = |point: &Point| match is_number {
        true => count(point.connections),
        false => per_second(point.rate_per_s),
    };
    let time = |us: Option<f64>| us.map_or("-".to_string(), cell);
    for point in &ceiling.curve {
        let outcome = match &point.by {
            Some(by) => format!("{}: {by}", point.outcome),
            None => point.outcome.clone(),
        };
        sheet.line(&format!(
            "{:>11} {:>11} {:>8} {:>8} {:>8} {:>8}  {outcome}",
            level(point),
            per_second(point.good_per_s),
            time(point.p50_us),
            time(point.p99_us),
            time(point.p99_9_us),
            percent(point.error_share),
        ));
    }
}
