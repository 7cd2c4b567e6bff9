//! The page of `blast ceiling`: the answer first, then the knee.

use super::PageOptions;
use super::text::{Sheet, Tone};
use crate::report::ceiling::{Ceiling, CeilingDocument, Point};
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
    answer(&mut sheet, document);
    stopped(&mut sheet, document);
    if let Some(text) = head_room::of_ceiling(document) {
        sheet.labelled("head-room", Tone::Plain, &text);
    }
    if let Some(connections) = ceiling.connections {
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
    curve(&mut sheet, &ceiling.curve);
    sheet.finish()
}

fn answer(sheet: &mut Sheet, document: &CeilingDocument) {
    let ceiling = &document.ceiling;
    let (tone, text) = match (ceiling.rate_per_s, ceiling.high_per_s) {
        (None, _) if ceiling.burst_per_s.is_none() => {
            (Tone::Bad, "none: no good answer came, not even in a closed loop".to_string())
        }
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
    };
    sheet.labelled("ceiling", tone, &text);
}

fn stopped(sheet: &mut Sheet, document: &CeilingDocument) {
    let ceiling = &document.ceiling;
    let (Some(by), Some(why)) = (&ceiling.stopped_by, &ceiling.why) else { return };
    let text = match document.is_blasts_own() {
        true => format!("blast itself ({by}): {why}; the server may do more"),
        false => format!("{by}: {why}"),
    };
    sheet.labelled("stopped by", Tone::Plain, &text);
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
fn curve(sheet: &mut Sheet, curve: &[Point]) {
    if curve.is_empty() {
        return;
    }
    let head = format!(
        "{:>11} {:>11} {:>8} {:>8} {:>8} {:>8}  {}",
        "rate/s", "good/s", "p50", "p99", "p99.9", "errors", "outcome"
    );
    let head = sheet.paint(Tone::Heading, &head);
    sheet.line(&head);
    let time = |us: Option<f64>| us.map_or("-".to_string(), cell);
    for point in curve {
        let outcome = match &point.by {
            Some(by) => format!("{}: {by}", point.outcome),
            None => point.outcome.clone(),
        };
        sheet.line(&format!(
            "{:>11} {:>11} {:>8} {:>8} {:>8} {:>8}  {outcome}",
            per_second(point.rate_per_s),
            per_second(point.good_per_s),
            time(point.p50_us),
            time(point.p99_us),
            time(point.p99_9_us),
            percent(point.error_share),
        ));
    }
}
