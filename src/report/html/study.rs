//! The pages of studies: figures as the documents have them, nothing from elsewhere, no markup that
//! a server or a user could have put in.

use serde::Serialize;

use super::{ceiling, ladder, trend};
use crate::report::chart::{knee, ladder as steps, timeline};
use crate::report::{PageOptions, console, fixture, markdown};

/// Each `data` element has the value that stands at its place.
fn compare(page: &str, document: &impl Serialize) {
    let json = serde_json::to_value(document).unwrap();
    let mut figures = 0;
    for element in page.split("<data value=\"").skip(1) {
        let (value, rest) = element.split_once('"').unwrap();
        let at = rest.split("data-at=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let there = json.pointer(at).unwrap_or_else(|| panic!("nothing at {at}"));
        assert_eq!(there.as_f64(), value.parse().ok(), "{at}");
        figures += 1;
    }
    assert!(figures > 20, "{figures}");
}

fn is_self_contained(page: &str) {
    for outside in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("prefers-color-scheme:dark") && page.contains("max-width:600px"));
}

#[test]
fn the_figures_of_a_page_are_those_of_its_document() {
    let (found, climbed, over) = (fixture::ceiling(), fixture::ladder(), fixture::trend());
    let pages = [ceiling::page(&found), ladder::page(&climbed), trend::page(&over)];
    compare(&pages[0], &found);
    compare(&pages[1], &climbed);
    compare(&pages[2], &over);
    for page in pages {
        is_self_contained(&page);
        for planted in ["<late>", "<contention>", "<v2>", "<lab>", "<0.1.0>"] {
            assert!(!page.contains(planted), "it is no markup");
        }
    }
}

#[test]
fn the_hockey_stick_has_each_rate_once_the_thresholds_the_bracket_and_the_collapse() {
    let found = fixture::ceiling();
    let charts = knee::charts(&found);
    let titles: Vec<_> = charts.iter().map(|chart| chart.title).collect();
    assert_eq!(titles, ["Response time", "Good answers", "Errors"]);
    let response = &charts[0];
    let named = |name: &str| response.lines.iter().find(|line| line.name == name).unwrap();
    let rates: Vec<f64> = named("p50").points.iter().flatten().map(|(rate, _)| *rate).collect();
    let expected =
        [450.0, 745.0, 900.0, 1_425.0, 1_490.0, 1_512.0, 1_781.0, 1_800.0, 2_160.0, 2_592.0];
    assert_eq!(rates, expected);
    assert!(named("p99<50ms").points.iter().flatten().all(|(_, us)| *us == 50_000.0));
    assert!(!response.lines.iter().any(|line| line.name == "errors<1%"), "it is no time");
    let spans: Vec<_> = response.spans.iter().map(|span| (&*span.name, span.from)).collect();
    assert_eq!(spans, [("ceiling", 1_490.0), ("collapse", 2_592.0)]);
    assert_eq!(response.bounds, [1_490.0, 1_512.0, 2_592.0]);
    // The same rate twice: the longer run is the surer one.
    let mut twice = found;
    let again = &twice.ceiling.curve[3];
    twice.ceiling.curve.push(crate::report::ceiling::Point { length_s: 3.0, ..again.clone() });
    twice.ceiling.curve[6].good_per_s = 1_477.0;
    let good = &knee::charts(&twice)[1].lines[0];
    let there = good.points.iter().flatten().find(|(rate, _)| *rate == 1_490.0);
    assert_eq!(there, Some(&(1_490.0, 1_477.0)));
}

#[test]
fn a_trend_has_a_line_where_a_figure_changed_and_a_gap_where_it_was_not_known() {
    let over = fixture::trend();
    let charts = timeline::charts(&over);
    let titles: Vec<_> = charts.iter().map(|chart| chart.title).collect();
    let expected = ["p95", "Good answers per second", "Errors", "Processor time of the server"];
    assert_eq!(titles, expected);
    assert_eq!(charts[0].bounds, [8.5]);
    let of = |chart: usize, name: &str| {
        let named = charts[chart].lines.iter().find(|line| line.name == name);
        named.map(|line| line.points.iter().flatten().copied().collect::<Vec<_>>())
    };
    assert_eq!(of(0, "each run").unwrap().len(), 11);
    let levels = [(1.0, 4_020.0), (8.5, 4_020.0), (8.5, 4_420.0), (12.0, 4_420.0)];
    assert_eq!(of(0, "level").unwrap(), levels);
    assert_eq!(of(0, "baseline").unwrap(), [(1.0, 4_040.0), (12.0, 4_040.0)]);
    assert_eq!(of(3, "level").unwrap(), [(1.0, 112.0), (12.0, 134.0)]);
    assert_eq!(timeline::answer(&over), "p95 worse from run 39, server CPU drifts");
}

#[test]
fn runs_that_failed_no_harder_than_the_answer_are_told() {
    let mut found = fixture::ceiling();
    let console = |found: &_| console::ceiling::page(found, &PageOptions::default());
    assert!(
        !ceiling::page(&found).contains("not steady") && !console(&found).contains("not steady")
    );
    for harmless in [0, 4] {
        found.ceiling.curve[harmless].outcome = "fails".to_string();
    }
    // The fifth is above the answer.
    let mut wider = found.clone();
    wider.ceiling.curve[0].connections = 64;
    assert!(!ceiling::page(&wider).contains("not steady"), "they were too few");
    let words = "not steady: 1 of 4 runs no harder than this failed";
    assert!(ceiling::page(&found).contains(words));
    assert!(console(&found).contains(words), "{}", console(&found));
}

#[test]
fn a_document_without_a_run_has_a_page_and_a_picture_too() {
    let mut found = fixture::ceiling();
    found.ceiling.curve.clear();
    (found.ceiling.rate_per_s, found.ceiling.failure) = (None, None);
    assert!(knee::charts(&found).is_empty() && ceiling::page(&found).contains("Ceiling: none"));
    assert!(knee::picture(&found).contains("</svg>"));
    let mut climbed = fixture::ladder();
    climbed.steps.clear();
    (climbed.last_held, climbed.first_failed) = (None, None);
    assert!(ladder::page(&climbed).contains("no step was taken"));
    assert!(steps::picture(&climbed).contains("</svg>"));
    let mut over = fixture::trend();
    (over.runs, over.figures) = (Vec::new(), Vec::new());
    assert!(trend::page(&over).contains("0 runs, too few to judge"));
    assert!(timeline::picture(&over).contains("</svg>"));
}

#[cfg(feature = "pictures")]
#[test]
fn a_picture_of_a_study_has_pixels() {
    use crate::report::chart::pixels::rendered;
    for svg in [
        knee::picture(&fixture::ceiling()),
        steps::picture(&fixture::ladder()),
        timeline::picture(&fixture::trend()),
    ] {
        assert!(rendered(&svg).is_ok_and(|png| png.len() > 10_000));
    }
}

#[test]
fn a_ceiling_of_an_earlier_build_is_read_and_shown() {
    let mut json = serde_json::to_value(fixture::ceiling()).unwrap();
    let old = json["ceiling"].as_object_mut().unwrap();
    for key in ["errors_begin_per_s", "collapse_per_s", "recovery_s", "failure"] {
        old.remove(key).unwrap();
    }
    let read: crate::report::ceiling::CeilingDocument = serde_json::from_value(json).unwrap();
    assert!(read.ceiling.failure.is_none() && !ceiling::page(&read).contains("To failure"));
}

#[test]
fn no_line_of_a_study_is_wider_than_the_terminal() {
    let (found, climbed) = (fixture::ceiling(), fixture::ladder());
    for width in 60..140 {
        let options = PageOptions { width, ..PageOptions::default() };
        for page in
            [console::ceiling::page(&found, &options), console::ladder::page(&climbed, &options)]
        {
            let widest = page.lines().max_by_key(|line| line.chars().count()).unwrap();
            assert!(widest.chars().count() <= width, "{width}: {widest}");
        }
    }
}

#[test]
fn the_golden_texts_are_written() {
    let options = PageOptions::default();
    let (found, climbed) = (fixture::ceiling(), fixture::ladder());
    fixture::golden("ceiling.txt", &console::ceiling::page(&found, &options));
    fixture::golden("ceiling.md", &markdown::ceiling::text(&found));
    fixture::golden("ladder.txt", &console::ladder::page(&climbed, &options));
    fixture::golden("ladder.md", &markdown::ladder::text(&climbed));
    fixture::golden("trend.txt", &console::trend::page(&fixture::trend(), &options));
    fixture::golden("trend.md", &markdown::trend::text(&fixture::trend()));
}
