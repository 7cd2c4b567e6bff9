//! The page of `blast ab`: what ran, each figure of both sides, and whether that was enough.

use super::PageOptions;
use super::compare::{in_points, in_words, points, shown};
use super::table::{Row, fits, write};
use super::text::{Sheet, Tone};
use crate::report::ab::{AbDocument, Metric};
use crate::report::number::{count, per_second, percent, seconds};
use crate::units::format_count;

pub fn page(document: &AbDocument, options: &PageOptions) -> String {
    let mut sheet = Sheet::new(options);
    for (label, url) in ["A", "B"].into_iter().zip(&document.urls) {
        sheet.labelled(label, Tone::Plain, &format!("{} {url}", document.method));
    }
    sheet.labelled("rounds", Tone::Plain, &what_ran(document));
    for caveat in &document.warnings {
        sheet.labelled("warning", Tone::Doubtful, &caveat.text);
    }
    sheet.gap();
    if document.metrics.is_empty() {
        sheet.line("no round was finished");
        return sheet.finish();
    }
    table(&mut sheet, document);
    sheet.gap();
    sheet.indented(0, Tone::Aside, &method(document));
    let (tone, text) = enough(document);
    sheet.labelled("enough", tone, &text);
    sheet.finish()
}

/// How sure the intervals are.
pub(in crate::report) fn method(document: &AbDocument) -> String {
    format!(
        "medians of the rounds; differences by pairs, all intervals together of {} (signed ranks)",
        percent(document.confidence)
    )
}

/// That it was cut short, if so.
pub(in crate::report) fn not_complete(document: &AbDocument) -> Option<String> {
    let (rounds, asked) = (document.rounds.len(), document.rounds_asked);
    (!document.complete).then(|| format!("INTERRUPTED after {rounds} of {asked} rounds"))
}

pub(in crate::report) fn what_ran(document: &AbDocument) -> String {
    let load = match document.rps {
        Some(rps) => format!("at {}/s", per_second(rps)),
        None => "closed loop".to_string(),
    };
    let length = document.length_s.map(seconds).map_or(String::new(), |s| format!(" of {s} each"));
    let (rounds, asked) = (document.rounds.len() as u64, document.rounds_asked);
    let of = if document.complete { String::new() } else { format!(" of {asked} (interrupted)") };
    let connections = count(document.connections);
    format!("{}{of}{length}, {load}, {connections} connections a side", count(rounds))
}

fn table(sheet: &mut Sheet, document: &AbDocument) {
    let head = ["A", "B", "B against A", "interval", ""].map(str::to_string).to_vec();
    let mut rows = vec![Row { label: String::new(), cells: head }];
    rows.extend(document.metrics.iter().map(|metric| Row {
        label: in_words(&metric.name).to_string(),
        cells: vec![
            shown(metric.a, &metric.unit),
            shown(metric.b, &metric.unit),
            in_points(&[points(metric.percent)]),
            interval(metric),
            meaning(metric).to_string(),
        ],
    }));
    let gap = if fits(sheet.width(), &rows, 2) { 2 } else { 1 };
    write(sheet, &rows, gap);
}

pub(in crate::report) fn interval(metric: &Metric) -> String {
    match (metric.percent_low, metric.percent_high) {
        (Some(low), Some(high)) => in_points(&[points(low), points(high)]),
        _ => "-".to_string(),
    }
}

pub(in crate::report) fn meaning(metric: &Metric) -> &'static str {
    match (metric.significant, tone(metric)) {
        (None, _) => "too few rounds to tell",
        (_, Tone::Good) => "B is better",
        (_, Tone::Bad) => "B is worse",
        _ => "no significant difference",
    }
}

/// Good: B is better.
pub(in crate::report) fn tone(metric: &Metric) -> Tone {
    match metric.significant {
        Some(true) if (metric.percent > 0.0) == (metric.better == "higher") => Tone::Good,
        Some(true) => Tone::Bad,
        _ => Tone::Plain,
    }
}

/// Whether what was asked for could have been seen.
pub(in crate::report) fn enough(document: &AbDocument) -> (Tone, String) {
    let effect = format!("{} %", format_count(document.effect_percent));
    match document.rounds_needed {
        Some(rounds) => (
            Tone::Doubtful,
            format!(
                "too few rounds to see a difference of {effect}: it takes about {}; give --rounds \
                 {rounds}, or a larger --effect",
                count(rounds)
            ),
        ),
        None if document.metrics.iter().all(|metric| metric.significant.is_none()) => {
            (Tone::Doubtful, "too few rounds to tell anything; give --rounds 10".to_string())
        }
        None if document.metrics.iter().any(|metric| metric.significant == Some(true)) => {
            (Tone::Good, "enough rounds: the difference is more than chance".to_string())
        }
        None => {
            (Tone::Good, format!("enough rounds to see a difference of {effect} in rate and p50"))
        }
    }
}
