//! The page as it is (a golden file, written anew with `BLAST_GOLDEN=write cargo test golden`),
//! and its figures against the document's.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::report::fixture;

/// A figure of the page.
struct Figure {
    at: String,
    value: String,
    shown: String,
}

/// The text between two marks, at each place where both are.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).map(move |rest| rest.split(close).next().unwrap())
}

fn figures(page: &str) -> Vec<Figure> {
    let figure = |text: &str| {
        let (value, rest) = text.split_once("\" data-at=\"").unwrap();
        let (at, shown) = rest.split_once("\">").unwrap();
        Figure { at: at.to_string(), value: value.to_string(), shown: shown.to_string() }
    };
    between(page, "<data value=\"", "</data>").map(figure).collect()
}

/// A part of a long time, such as `7h`, in seconds.
fn long(part: &str) -> f64 {
    let (number, unit) = part.split_at(part.len() - 1);
    let seconds =
        [("h", 3_600.0), ("m", 60.0), ("s", 1.0)].into_iter().find(|(name, _)| *name == unit);
    number.parse::<f64>().unwrap() * seconds.unwrap().1
}

/// The number that people read, in the document's unit.
fn read(figure: &Figure, in_percent: bool) -> f64 {
    let shown = figure.shown.replace([',', '<'], "").replace("&lt;", "").replace("≥ ", "");
    if let Some(shown) = shown.strip_prefix('-') {
        let (at, value) = (figure.at.clone(), figure.value.clone());
        return -read(&Figure { at, value, shown: shown.to_string() }, in_percent);
    }
    if figure.at.starts_with("/soak/") && figure.at.ends_with("_s") {
        return shown.split(' ').map(long).sum();
    }
    let end = shown.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(shown.len());
    let number: f64 = shown[..end].parse().unwrap();
    let is_of_rule = figure.at.starts_with("/thresholds") && figure.at.ends_with("/value");
    let is_of_evidence = figure.at.starts_with("/verdict") && figure.at.ends_with("/value");
    let is_of_trend = figure.at.starts_with("/soak/trends");
    let in_us = figure.at.ends_with("_us") || is_of_rule || is_of_evidence || is_of_trend;
    match shown[end..].trim().trim_end_matches("/s") {
        "" => number,
        "%" if in_percent => number,
        // A gauge in percent has that in the document too.
        "%" if figure.at.starts_with("/rating") && figure.value.parse() == Ok(number) => number,
        "%" => number / 100.0,
        "ns" if in_us => number / 1e3,
        "us" if in_us => number,
        "ms" if in_us => number * 1e3,
        "s" if in_us => number * 1e6,
        "ns" => number / 1e9,
        "us" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "B" => number,
        "kB" | "k" => number * 1e3,
        "MB" | "M" => number * 1e6,
        "GB" => number * 1e9,
        unit => panic!("{}: {} has the unit {unit}", figure.at, figure.shown),
    }
}

#[test]
fn every_figure_is_the_document_s() {
    for (name, mut run) in fixture::all() {
        run.as_wrk = true;
        let document = run.document();
        let json = serde_json::to_value(&document).unwrap();
        let figures = figures(&page(&document));
        assert!(figures.len() > 20, "{name}");
        for figure in figures {
            let Figure { at, value, shown } = &figure;
            let expected = json.pointer(at).unwrap_or_else(|| panic!("{name}: no {at}"));
            let expected = expected.as_f64().unwrap_or_else(|| panic!("{name}: {at} is no number"));
            let value: f64 = value.parse().unwrap();
            assert!(value == expected, "{name}: {at} is {expected}, the page has {value}");
            // Three digits matter, and shares end at a hundredth of a percent.
            let unit = at.rsplit_once('/').map(|(place, _)| format!("{place}/unit"));
            let unit = unit.and_then(|place| json.pointer(&place));
            let in_percent = unit.is_some_and(|unit| unit == "percent");
            let off = (read(&figure, in_percent) - expected).abs();
            let most =
                (expected.abs() * 6e-3).max(if shown.contains('%') { 1e-4 } else { 5.1e-10 });
            assert!(off <= most, "{name}: {at} is {expected}, shown as {shown}");
        }
    }
}

#[test]
fn each_group_has_its_figures_and_its_value_is_no_markup() {
    let page = page(&fixture::grouped().document());
    for at in ["/groups/rows/2/completed", "/groups/rows/1/error_share", "/groups/unanswered"] {
        assert!(figures(&page).iter().any(|figure| figure.at == at), "{at}");
    }
    assert!(page.contains("back|end &lt;2&gt;") && !page.contains("<2>"));
}

#[test]
fn the_figures_that_people_ask_for_are_there() {
    let page = page(&fixture::mix().document());
    for at in [
        "/rate/good_per_s",
        "/requests/success_share",
        "/latency/response/p50_us",
        "/latency/response/p99_us",
        "/latency/send_lag/p99_us",
        "/names/1/requests/scheduled",
        "/names/1/latency/response/p95_us",
        "/names/1/failures/0/count",
        "/checks/1/failed",
        "/connections/opened",
        "/client/max_rss_bytes",
        "/client/workers/0/busy",
    ] {
        assert!(figures(&page).iter().any(|figure| figure.at == at), "{at}");
    }
}

#[test]
fn the_table_of_intervals_has_each_of_them() {
    for (name, run) in fixture::all() {
        let document = run.document();
        let page = page(&document);
        let table = page.split("id=\"intervals\"").nth(1).unwrap_or_default();
        let rows: Vec<_> = between(table, "<tr data-t=\"", "</tr>").collect();
        assert_eq!(rows.len(), document.intervals.len(), "{name}");
        for (row, interval) in rows.iter().zip(&document.intervals) {
            let cells: Vec<_> = between(row, "<td>", "</td>").collect();
            let count = |at: usize| cells[at].replace(',', "").parse::<u64>().unwrap();
            assert!(row.starts_with(&format!("{}\"", interval.t_s)), "{name}: {row}");
            assert_eq!((cells[1], count(2)), (&*interval.phase, interval.scheduled), "{name}");
            assert_eq!((count(4), count(5)), (interval.good, interval.rejected), "{name}");
            assert_eq!((count(6), count(8)), (interval.failed, interval.in_flight), "{name}");
            assert_eq!((cells[9] != "-").then(|| count(9)), interval.users, "{name}");
            let quantiles = [interval.response_p50_us, interval.response_p95_us];
            assert_eq!([10, 11].map(|at| cells[at] != "-"), quantiles.map(|us| us.is_some()));
        }
    }
}

#[test]
fn the_golden_page_is_written() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/golden/mix.html");
    let page = page(&fixture::mix().document());
    if std::env::var_os("BLAST_GOLDEN").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    let lines = page.split('>').zip(expected.split('>'));
    let differing = lines.filter(|(now, then)| now != then).take(5).collect::<Vec<_>>();
    assert!(page == expected, "{} differs: {differing:?}", file.display());
}

#[test]
fn it_asks_the_network_for_nothing() {
    for (_, run) in fixture::all() {
        assert_self_contained(&page(&run.document()));
    }
}

/// It refers to nothing beside itself.
fn assert_self_contained(page: &str) {
    for reference in ["src=", "href=", "url(", "@import", "fetch(", "<link"] {
        assert!(!page.contains(reference), "{reference}");
    }
    // A frame holds its page itself.
    assert_eq!(page.matches("<iframe").count(), page.matches(" srcdoc=\"").count());
}

#[test]
fn its_elements_are_closed_in_order() {
    for (_, run) in fixture::all() {
        assert_closed(&page(&run.document()));
    }
}

fn assert_closed(page: &str) {
    const VOID: [&str; 2] = ["meta", "br"];
    let whole = match page.split_once("<script>") {
        Some((head, rest)) => format!("{head}<script>{}", &rest[rest.find("</script>").unwrap()..]),
        None => page.to_string(),
    };
    let mut open: Vec<&str> = Vec::new();
    for tag in between(&whole, "<", ">").skip(1) {
        let element = tag.split(' ').next().unwrap();
        match element.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "<{tag}>"),
            None if VOID.contains(&element) => {}
            None => open.push(element),
        }
    }
    assert_eq!(open, [""; 0]);
}

/// What holds of the page of any document: it is whole, it refers to nothing, each figure is the
/// document's, and whatever the document says is text. `page_of` makes it of the JSON.
pub fn assert_is_a_page_of(json: &Value, page_of: impl Fn(&Value) -> String) {
    let page = page_of(json);
    assert_self_contained(&page);
    assert_closed(&page);
    let figures = figures(&page);
    assert!(!figures.is_empty());
    for Figure { at, value, shown } in figures {
        let expected = json.pointer(&at).unwrap_or_else(|| panic!("no {at}"));
        assert_eq!(Some(value.parse().unwrap()), expected.as_f64(), "{at}: {shown}");
    }
    let mut poisoned = json.clone();
    poison(&mut poisoned);
    let page = page_of(&poisoned);
    assert!(!page.contains("<img") && page.contains("&lt;img"));
    assert!(!page.contains("alert(1)>"), "nor does it end an attribute");
}

/// Puts a text that would be an element into every string of a document.
fn poison(value: &mut Value) {
    const KEPT: [&str; 4] = ["mode", "phase", "hdr", "model"];
    match value {
        Value::String(text) => text.push_str("<img src=x onerror=alert(1)>\"'&"),
        Value::Array(values) => values.iter_mut().for_each(poison),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if !KEPT.contains(&name.as_str()) {
                    poison(field);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn whatever_a_document_says_is_text() {
    for (name, run) in fixture::all() {
        let mut json = serde_json::to_value(run.document()).unwrap();
        poison(&mut json);
        let document: Document = serde_json::from_value(json).unwrap();
        let picture = crate::report::chart::picture::svg(&document);
        for view in [page(&document), picture] {
            assert!(!view.contains("<img") && view.contains("&lt;img"), "{name}");
            assert!(!view.contains("alert(1)>"), "{name}: nor does it end an attribute");
        }
    }
}

#[test]
fn an_hour_fits_five_megabytes() {
    let mut document = fixture::mixed().document();
    let sample = document.intervals.clone();
    document.intervals = (0..3_600)
        .map(|second| crate::report::document::Interval {
            t_s: f64::from(second + 1),
            response_p50_us: Some(1_234.567 + f64::from(second)),
            response_p95_us: Some(9_876.543 + f64::from(second)),
            response_p99_us: Some(98_765.432 + f64::from(second)),
            response_max_us: Some(998_765.432 + f64::from(second)),
            ..sample[second as usize % sample.len()].clone()
        })
        .collect();
    let watched = fixture::watched().document();
    let mut gauges = watched.gauges.clone().unwrap();
    gauges.t_s = (1..=3_600).map(f64::from).collect();
    let series: Vec<_> = (0..3).flat_map(|_| gauges.series.clone()).collect();
    gauges.series = series;
    for (place, gauge) in gauges.series.iter_mut().enumerate() {
        let wave = |t: i32| Some(1e8 + f64::from(t * 7_919 % 104_729) + place as f64 / 7.0);
        gauge.values = (1..=3_600).map(wave).collect();
    }
    document.gauges = Some(gauges);
    let page = page(&document);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    assert!(crate::report::chart::picture::svg(&document).len() < 5_000_000);
}

#[test]
fn a_failed_audit_and_an_early_end_stand_at_the_top() {
    let top =
        |run: fixture::Run| page(&run.document()).split("</header>").next().unwrap().to_string();
    assert!(top(fixture::mixed()).contains("THE AUDIT FAILED"));
    assert!(top(fixture::aborted()).contains("ABORTED after"));
    assert!(top(fixture::interrupted()).contains("INTERRUPTED after"));
    assert!(top(fixture::held()).contains("Verdict: no limit was reached"));
}
