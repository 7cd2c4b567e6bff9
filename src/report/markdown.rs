//! `-o FILE.md`: the run in short, for a pull request. The figures people ask for first, the table
//! by name, the thresholds with their marks, then plain sentences.

pub mod ab;
pub mod ceiling;
pub mod compare;
mod groups;
pub mod ladder;
pub mod suite;
pub mod trend;
pub mod versus;

use std::collections::BTreeMap;
use std::path::Path;

use super::console::{limit_in_words, load_in_words, threshold_said, threshold_value};
use super::document::{Advice, Gauge, Latency, Requests};
use super::number::{count, micros, per_second, percent, seconds};
use super::{Document, drift, grade, head_room, reading, staged};
use crate::error::Result;
use crate::plan::Threshold;

/// Writes the file, which is either whole or untouched.
pub fn save(document: &Document, path: &Path) -> Result<()> {
    staged::save(path, text(document).as_bytes())
}

pub fn text(document: &Document) -> String {
    let what = match &document.by_name {
        Some(_) => document.plan.url.clone(),
        None => format!("{} {}", document.plan.method, document.plan.url),
    };
    let mut text = format!("## blast: {}\n\n", plain(&what));
    text += &figures(document);
    text += &by_name(document);
    text += &groups::groups(document);
    text += &thresholds(document);
    text += &soak(document);
    text += &grades(document);
    for sentence in sentences(document) {
        text += &format!("- {sentence}\n");
    }
    text + &advice(document)
}

fn figures(document: &Document) -> String {
    let response = &document.latency.response;
    let cells = [
        count(document.requests.scheduled),
        percent(document.requests.success_share),
        average(response),
        p95(response),
        format!("{}/s", per_second(document.rate.good_per_s)),
        seconds(document.duration_s),
    ];
    let head = ["total requests", "success rate", "average", "p95", "rate", "duration"];
    format!("{}{}{}\n", row(&head), row(&["---:"; 6]), row(&cells))
}

fn by_name(document: &Document) -> String {
    let Some(by_name) = &document.by_name else { return String::new() };
    let head = ["method", "name", "requests", "failures", "average", "p95", "good/s"];
    let sides = ["---", "---", "---:", "---:", "---:", "---:", "---:"];
    let mut text = row(&head) + &row(&sides);
    for named in &by_name.names {
        let part = if named.part == "main" { "" } else { &format!(" ({})", named.part) };
        let name = format!("{}{part}", plain(named.without_method()));
        let cells = figures_of(&named.requests, &named.latency.response, named.rate.good_per_s);
        text += &row(&[&[plain(&named.method), name][..], &cells].concat());
    }
    let response = &document.latency.response;
    let cells = figures_of(&document.requests, response, document.rate.good_per_s);
    let whole = ["", "**Aggregated**"].map(str::to_string);
    text + &row(&[&whole[..], &cells].concat()) + "\n"
}

fn figures_of(requests: &Requests, response: &Latency, good_per_s: f64) -> [String; 5] {
    [
        count(requests.scheduled),
        count(bad(requests)),
        average(response),
        p95(response),
        per_second(good_per_s),
    ]
}

fn thresholds(document: &Document) -> String {
    if document.thresholds.is_empty() {
        return String::new();
    }
    let mut text = row(&["", "threshold", "measured", ""]) + &row(&["---", "---", "---:", "---"]);
    for threshold in &document.thresholds {
        let mark = if threshold.ok { "✅" } else { "❌" };
        let why = threshold_said(threshold).as_deref().map(plain).unwrap_or_default();
        let expr = plain(&threshold.expr);
        text += &row(&[mark, &expr, &plain(&threshold_value(threshold)), &why]);
    }
    text + "\n"
}

/// What drifted, and what did not.
fn soak(document: &Document) -> String {
    let Some(soak) = &document.soak else { return String::new() };
    let said: Vec<String> = soak.sentences.iter().map(|sentence| plain(sentence)).collect();
    let mut text = format!("**Soak: {}**: {}\n\n", drift::verdict(soak), said.join("; "));
    if soak.trends.is_empty() {
        return text;
    }
    text += &row(&["trend", "first", "last", "an hour", "state"]);
    text += &row(&["---", "---:", "---:", "---:", "---"]);
    for trend in &soak.trends {
        let cell =
            |value: Option<f64>| value.map_or("-".to_string(), |value| drift::amount(trend, value));
        let [first, last, slope] = [trend.first, trend.last, trend.slope_per_h].map(cell);
        text += &row(&[plain(&trend.name), first, last, slope, drift::state(trend).to_string()]);
    }
    text + "\n"
}

/// The grade, and each measure with its mark and the limits it is marked by.
fn grades(document: &Document) -> String {
    let Some(rating) = &document.rating else { return String::new() };
    let set = plain(&rating.set);
    let mut text = format!("**Grade: {}** (by {set})", grade::name(rating));
    if let Some(why) = &rating.why {
        return format!("{text}: {}\n\n", plain(why));
    }
    let head = ["measure", "measured", "mark", "limits"];
    text += &format!("\n\n{}{}", row(&head), row(&["---", "---:", "---", "---"]));
    for mark in &rating.measures {
        let cells = [grade::label(mark), grade::value_of(mark), mark.grade.clone()];
        let limits = plain(&grade::limits(mark));
        text += &row(&[&cells.map(|cell| plain(&cell))[..], &[limits]].concat());
    }
    for absent in &rating.absent {
        let name = plain(grade::in_words(&absent.measure));
        text += &row(&[&name, "-", "absent", &plain(&absent.why)]);
    }
    text + "\n"
}

/// What may be done, each with what shows that it should be.
fn advice(document: &Document) -> String {
    if document.advice.is_empty() {
        return String::new();
    }
    let mut text = "\n**Advice**\n\n".to_string();
    for Advice { evidence, cause, remedy, .. } in &document.advice {
        text += &format!("- {}: {}. {}.\n", plain(evidence), plain(cause), capital(&plain(remedy)));
    }
    text
}

fn sentences(document: &Document) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(ended) = ended(document) {
        sentences.push(ended);
    }
    sentences.push(format!("The load was {}.", plain(&load_in_words(document))));
    if document.sentences.is_empty() || !document.complete {
        sentences.push(answered(document));
        sentences.extend(waited(document));
    } else {
        sentences.extend(document.sentences.iter().map(|sentence| plain(&sentence.text)));
    }
    sentences.extend(kept(document));
    sentences.extend(read_beside(document));
    let (limit, why) = (limit_in_words(document), &document.verdict.why);
    sentences.push(format!("Verdict: {limit}; {}.", plain(why.trim_end_matches('.'))));
    let head_room = head_room::of_run(document);
    sentences.extend(head_room.map(|text| format!("Head-room: {}.", plain(&text))));
    let change = super::console::change_in_words(document);
    sentences.extend(change.map(|change| format!("To change: {}.", plain(change))));
    if !document.audit.ok {
        sentences.push("**The audit failed: do not trust these figures.**".to_string());
    }
    let warnings = document.warnings.iter();
    sentences
        .extend(warnings.map(|warning| {
            format!("Warning: {}; {}.", plain(&warning.text), plain(&warning.hint))
        }));
    sentences
}

/// How a run that is not complete came to its end.
fn ended(document: &Document) -> Option<String> {
    let length = seconds(document.duration_s);
    match &document.aborted {
        Some(aborted) => {
            let shown = plain(&super::console::aborted(aborted));
            Some(format!("**The run was ended by a rule after {length}: {shown}.**"))
        }
        None if document.complete => None,
        None => Some(format!("**The run was interrupted after {length}.**")),
    }
}

fn answered(document: &Document) -> String {
    let requests = &document.requests;
    match bad(requests) {
        _ if requests.scheduled == 0 => "No request was due.".to_string(),
        0 => format!("All {} requests were answered as expected.", count(requests.scheduled)),
        bad => {
            let share = percent(bad as f64 / requests.scheduled as f64);
            let (bad, all) = (count(bad), count(requests.scheduled));
            let kinds = kinds(document).join(", ");
            format!("{bad} of {all} requests ({share}) were not answered as expected: {kinds}.")
        }
    }
}

/// What went wrong with the requests, the most frequent first.
fn kinds(document: &Document) -> Vec<String> {
    let requests = &document.requests;
    let counted = |kinds: &BTreeMap<String, u64>| {
        kinds.iter().map(|(kind, count)| (kind.clone(), *count)).collect::<Vec<_>>()
    };
    let mut kinds = [counted(&document.failures), counted(&document.rejections)].concat();
    kinds.push(("unanswered".to_string(), requests.abandoned));
    kinds.push(("never sent".to_string(), requests.dropped));
    kinds.retain(|(_, count)| *count > 0);
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    kinds.into_iter().map(|(kind, number)| format!("{} {}", count(number), plain(&kind))).collect()
}

fn waited(document: &Document) -> Option<String> {
    let response = &document.latency.response;
    let (half, most) = (response.p50_us?, response.p95_us?);
    let at_least = |q| if response.is_exact(q) { "" } else { "at least " };
    let from = if document.is_open_loop() { "due" } else { "sent" };
    Some(format!(
        "Half of the requests took {}{} from when they were {from}, 95 % of them {}{} or less.",
        at_least(0.50),
        micros(half),
        at_least(0.95),
        micros(most)
    ))
}

fn kept(document: &Document) -> Option<String> {
    let (all, failed) = (
        document.thresholds.len(),
        document.thresholds.iter().filter(|threshold| !threshold.ok).count(),
    );
    match (all, failed) {
        (0, _) => None,
        (1, 0) => Some("The threshold holds.".to_string()),
        (1, _) => Some("The threshold failed.".to_string()),
        (all, 0) => Some(format!("All {all} thresholds hold.")),
        (all, failed) => Some(format!("{failed} of {all} thresholds failed.")),
    }
}

/// One of each gauge that a threshold is about.
fn read_beside(document: &Document) -> Vec<String> {
    let rules = document.thresholds.iter().filter_map(|rule| Threshold::parse(&rule.expr).ok());
    let mut names: Vec<String> =
        rules.filter_map(|rule| Some(rule.gauge()?.name.clone())).collect();
    let mut told: Vec<String> = Vec::new();
    names.retain(|name| {
        let is_new = !told.contains(name);
        told.push(name.clone());
        is_new
    });
    let gauge = |name: &String| document.gauges.as_ref()?.gauge(name);
    let sentence = |name: String| {
        let shown = plain(&name);
        let Some(Gauge { unit, min: Some(min), mean: Some(mean), max: Some(max), .. }) =
            gauge(&name)
        else {
            return format!("{shown} was not read in the measured time.");
        };
        let [min, mean, max] = [min, mean, max].map(|value| reading::shown(*value, unit));
        format!("{shown} was {mean} on average, between {min} and {max}.")
    };
    names.into_iter().map(sentence).collect()
}

fn bad(requests: &Requests) -> u64 {
    requests.scheduled.saturating_sub(requests.good)
}

fn average(row: &Latency) -> String {
    time(row.mean_us, row.censored == 0)
}

fn p95(row: &Latency) -> String {
    time(row.p95_us, row.is_exact(0.95))
}

/// `-`: it cannot be told.
fn time(us: Option<f64>, exact: bool) -> String {
    match us {
        None => "-".to_string(),
        Some(us) if exact => micros(us),
        Some(us) => format!("≥ {}", micros(us)),
    }
}

pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn row(cells: &[impl AsRef<str>]) -> String {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The text as it is, whatever it holds: nothing in it is markup, a link or a mention.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// The cells of the table that has this column, the head first; escaped bars are no borders.
    fn table(text: &str, column: &str) -> Vec<Vec<String>> {
        let cells = |line: &str| {
            let line = line.replace("\\|", "\u{1}");
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().replace('\u{1}', "\\|")).collect::<Vec<_>>()
        };
        let rows = text.lines().skip_while(|line| !cells(line).iter().any(|cell| cell == column));
        let rows = rows.take_while(|line| line.starts_with('|')).map(cells);
        rows.enumerate().filter(|(at, _)| *at != 1).map(|(_, row)| row).collect()
    }

    /// Microseconds of a cell such as `≥ 97.1 us`.
    fn us(cell: &str) -> Option<f64> {
        let cell = cell.trim_start_matches("≥ ");
        let (number, unit) = cell.split_once(' ')?;
        let scale = match unit {
            "ns" => 1e-3,
            "us" => 1.0,
            "ms" => 1e3,
            "s" => 1e6,
            "m" | "min" => 6e7,
            unit => panic!("{unit} in {cell}"),
        };
        Some(number.replace(',', "").parse::<f64>().unwrap() * scale)
    }

    fn number(cell: &str) -> f64 {
        cell.trim_end_matches("/s").replace(',', "").parse().unwrap()
    }

    /// Times have three digits.
    fn is_near(cell: &str, expected: Option<f64>) -> bool {
        match (us(cell), expected) {
            (Some(found), Some(expected)) => (found - expected).abs() <= expected * 0.005 + 1e-3,
            (found, expected) => found.is_none() && expected.is_none(),
        }
    }

    #[test]
    fn the_golden_files_are_written() {
        for (name, run) in fixture::all() {
            fixture::golden(&format!("{name}.md"), &text(&run.document()));
        }
    }

    #[test]
    fn the_figures_are_the_documents() {
        for (name, run) in fixture::all() {
            let document = run.document();
            let text = text(&document);
            let row = table(&text, "success rate").remove(1);
            let response = &document.latency.response;
            assert_eq!(number(&row[0]) as u64, document.requests.scheduled, "{name}");
            assert_eq!(row[1], percent(document.requests.success_share), "{name}");
            assert!(is_near(&row[2], response.mean_us), "{name}: {}", row[2]);
            assert!(is_near(&row[3], response.p95_us), "{name}: {}", row[3]);
            let rate = document.rate.good_per_s;
            assert!((number(&row[4]) - rate).abs() <= 0.5 + rate * 0.005, "{name}: {}", row[4]);
        }
    }

    #[test]
    fn the_table_by_name_has_the_documents_figures_and_aggregated_last() {
        for name in ["mix", "users"] {
            let document = fixture::named(name).document();
            let text = text(&document);
            let rows = table(&text, "method");
            let names = &document.by_name.as_ref().unwrap().names;
            assert_eq!(rows.len(), names.len() + 2);
            for (row, named) in rows[1..].iter().zip(names) {
                let (requests, response) = (&named.requests, &named.latency.response);
                assert_eq!(row[0], named.method);
                assert_eq!(number(&row[2]) as u64, requests.scheduled);
                assert_eq!(number(&row[3]) as u64, requests.scheduled - requests.good);
                assert!(is_near(&row[4], response.mean_us), "{row:?}");
                assert!(is_near(&row[5], response.p95_us), "{row:?}");
            }
            let last = &rows[rows.len() - 1];
            assert_eq!(last[1], "**Aggregated**");
            assert_eq!(number(&last[2]) as u64, document.requests.scheduled);
        }
    }

    #[test]
    fn the_table_of_groups_has_the_documents_figures() {
        let document = fixture::grouped().document();
        let rows = table(&text(&document), "no good");
        let groups = &document.groups.as_ref().unwrap().rows;
        assert_eq!(rows.len(), groups.len() + 1);
        assert_eq!(rows[2][0], "back\\|end &lt;2&gt;");
        for (row, group) in rows[1..].iter().zip(groups) {
            assert_eq!(
                [&row[1], &row[3]].map(|cell| number(cell) as u64),
                [group.completed, group.rejected]
            );
            assert!(is_near(&row[6], group.latency.response.p95_us), "{row:?}");
        }
    }

    #[test]
    fn each_threshold_has_its_mark() {
        for (name, run) in fixture::all() {
            let document = run.document();
            let text = text(&document);
            let rows = table(&text, "threshold");
            let marks: Vec<bool> = rows.iter().skip(1).map(|row| row[0] == "✅").collect();
            let expected: Vec<bool> = document.thresholds.iter().map(|t| t.ok).collect();
            assert_eq!(marks, expected, "{name}");
        }
    }

    #[test]
    fn a_name_is_no_markup_and_does_not_break_the_table() {
        let mut document = fixture::mix().document();
        let names = &mut document.by_name.as_mut().unwrap().names;
        names[0].name = "a|b <img src=x> `c`\n# @all".to_string();
        let text = text(&document);
        let row = &table(&text, "method")[1];
        assert_eq!(row[1], "a\\|b &lt;img src=x&gt; \\`c\\` \\# &#64;all");
        assert_eq!(row.len(), 7);
    }
}
