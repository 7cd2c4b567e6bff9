//! Comparisons whose answer is known: of runs that are alike but for chance, and of runs that are
//! not.

use std::sync::LazyLock;

use super::*;
use crate::report::fixture::{self, Noise, noisy};
use crate::report::{PageOptions, comparison, console, html, markdown, schema};

fn saved(document: Document) -> Saved {
    Saved { file: "run.json".to_string(), document }
}

fn run(seed: u64, slower: f64, pace: f64) -> Saved {
    saved(noisy(Noise { seed, slower, pace }).document())
}

fn of_two(first: Saved, other: Saved) -> Comparison {
    compare(&[first, other], &[], &[]).unwrap()
}

fn metric<'a>(comparison: &'a Comparison, name: &str) -> &'a comparison::Metric {
    let found = comparison.metrics.iter().find(|metric| metric.name == name);
    found.unwrap_or_else(|| panic!("{name} is missing"))
}

fn difference<'a>(comparison: &'a Comparison, name: &str) -> &'a Difference {
    &metric(comparison, name).differences[0]
}

const NAMES: [&str; 6] = ["good_per_s", "mean", "p50", "p90", "p95", "p99"];

#[test]
fn in_19_of_20_comparisons_the_interval_holds_the_truth_which_may_be_nothing() {
    const TRIALS: u64 = 30;
    let (mut wrong, mut held) = ([0; NAMES.len()], [0; NAMES.len()]);
    for seed in 0..TRIALS {
        let others = [run(3 * seed, 1.0, 0.05), run(3 * seed + 1, 1.1, 0.05)];
        let runs: Vec<Saved> = [run(3 * seed + 2, 1.0, 0.05)].into_iter().chain(others).collect();
        let comparison = compare(&runs, &[], &[]).unwrap();
        for (at, name) in NAMES.into_iter().enumerate() {
            let [alike, longer] = &metric(&comparison, name).differences[..] else { panic!() };
            wrong[at] += usize::from(alike.significant == Some(true));
            // Every time is 10 % longer; the rate goes with the root.
            let truth = if name == "good_per_s" { (1.1f64.powf(-0.5) - 1.0) * 100.0 } else { 10.0 };
            let (low, high) = (longer.percent_low.unwrap(), longer.percent_high.unwrap());
            held[at] += usize::from(low <= truth && truth <= high);
        }
    }
    // 5 % of 30 are 1.5, and three standard deviations of 1.2 each.
    assert!(wrong.iter().all(|wrong| *wrong <= 5), "{wrong:?}");
    assert!(held.iter().all(|held| *held >= 25), "{held:?}");
}

#[test]
fn a_tenth_more_is_found_and_called_so() {
    for seed in 0..5 {
        let comparison = of_two(run(seed, 1.0, 0.02), run(seed + 100, 1.1, 0.02));
        for name in NAMES {
            let difference = difference(&comparison, name);
            assert_eq!(difference.significant, Some(true), "{seed} {name}: {difference:?}");
        }
    }
}

#[test]
fn seconds_that_differ_make_a_run_less_sure_than_its_count_of_requests() {
    let width = |pace: f64| {
        let comparison = of_two(run(1, 1.0, pace), run(2, 1.0, pace));
        let value = metric(&comparison, "p50").values[0].clone().unwrap();
        value.high.unwrap() - value.low.unwrap()
    };
    assert!(width(0.05) > 2.0 * width(0.0), "{} {}", width(0.05), width(0.0));
}

#[test]
fn four_seconds_that_differ_still_tell_times_that_are_far_apart() {
    for seed in 0..5 {
        let short = |slower| {
            let mut document = noisy(Noise { seed, slower, pace: 0.5 }).document();
            document.intervals.truncate(4);
            document
        };
        let comparison = of_two(saved(short(1.0)), saved(short(20.0)));
        let p50 = difference(&comparison, "p50");
        assert_eq!(p50.significant, Some(true), "{seed} {p50:?}");
    }
}

#[test]
fn a_run_beside_itself_is_the_same() {
    for (name, run) in fixture::all() {
        let comparison = of_two(saved(run.document()), saved(run.document()));
        for metric in &comparison.metrics {
            let difference = &metric.differences[0];
            assert!(difference.absolute.is_none_or(|change| change == 0.0), "{name}: {metric:?}");
            assert_ne!(difference.significant, Some(true), "{name}: {metric:?}");
        }
        let about_both = ["mode", "url", "load", "plan", "version"];
        let codes = comparison.warnings.iter().map(|caveat| caveat.code.as_str());
        assert!(codes.clone().all(|code| !about_both.contains(&code)), "{name}");
    }
}

#[test]
fn what_makes_runs_hard_to_compare_is_said() {
    let codes = |first: &str, other: &str| {
        let named = |name: &str| saved(fixture::named(name).document());
        let comparison = of_two(named(first), named(other));
        comparison.warnings.into_iter().map(|caveat| caveat.code).collect::<Vec<_>>()
    };
    assert!(codes("held", "closed").contains(&"mode".to_string()));
    assert!(codes("held", "behind").contains(&"load".to_string()));
    assert!(codes("held", "secured").contains(&"plan".to_string()));
    assert!(codes("held", "interrupted").contains(&"incomplete".to_string()));
    let mut other = fixture::held().document();
    other.plan.addresses = vec!["10.0.0.9:80".to_string()];
    other.blast_version = "0.0.9".to_string();
    other.audit.ok = false;
    other.verdict.limit = "client_cpu".to_string();
    other.intervals.truncate(2);
    let found = of_two(saved(fixture::held().document()), saved(other)).warnings;
    let codes: Vec<&str> = found.iter().map(|caveat| caveat.code.as_str()).collect();
    assert_eq!(codes, ["url", "version", "audit", "generator", "independent"]);
}

#[test]
fn of_what_is_only_a_lower_bound_no_difference_is_made_up() {
    // Most of it was never answered: its median is only a bound.
    let (held, refused) = (fixture::held().document(), fixture::behind().document());
    let bounded = |row: &mut Document| {
        let response = &mut row.latency.response;
        response.censored = response.count;
        response.good = 0;
    };
    let (mut first, mut other) = (held.clone(), refused.clone());
    bounded(&mut first);
    bounded(&mut other);
    let from_bound = of_two(saved(first), saved(refused));
    assert_eq!(difference(&from_bound, "p50").absolute, None);
    let to_bound = of_two(saved(held), saved(other));
    let found = difference(&to_bound, "p50");
    assert!(found.lower_bound && found.high.is_none(), "{found:?}");
    assert_eq!(found.significant, Some(true), "{found:?}");
}

#[test]
fn a_rule_fails_only_beyond_its_limit_and_for_sure() {
    let rule = |text: &str| Rule::parse(text).unwrap();
    let texts = ["p50>+5%", "p50>+15%", "p50>+100us", "p50<-5%", "good_per_s<-3%", "errors>+0.1%"];
    let rules = texts.map(rule);
    let comparison = compare(&[run(1, 1.0, 0.02), run(2, 1.1, 0.02)], &rules, &[]).unwrap();
    let failed: Vec<bool> = comparison.rules.iter().map(|rule| rule.failed).collect();
    assert_eq!(failed, [true, false, true, false, true, false]);
    assert!(comparison.has_failed());
    // 10 % more at the median, but of runs whose seconds differ by a third.
    let unsure = compare(&[run(5, 1.0, 0.4), run(6, 1.1, 0.4)], &rules, &[]).unwrap();
    assert!(!unsure.has_failed(), "{:?}", unsure.rules);
    // The slowest request says nothing of how sure it is.
    let max = [rule("max>+0%")];
    let comparison = compare(&[run(1, 1.0, 0.02), run(2, 2.0, 0.02)], &max, &[]).unwrap();
    assert_eq!((comparison.rules[0].beyond, comparison.rules[0].failed), (Some(true), false));
    // It is judged of each run but the first.
    let three = [run(1, 1.0, 0.02), run(1, 1.0, 0.02), run(2, 1.1, 0.02)];
    let comparison = compare(&three, &rules[..1], &[]).unwrap();
    let of: Vec<_> = comparison.rules.iter().map(|rule| (&*rule.run, rule.failed)).collect();
    assert_eq!(of, [("B", false), ("C", true)]);
}

#[test]
fn a_target_says_what_was_before_and_whether_it_is_reached() {
    let target = |text: &str| Target::parse(text).unwrap();
    let texts = ["p50=2.1ms", "p50=1ms", "good_per_s=240", "good_per_s=5k", "success=99.9%"];
    let targets = texts.map(target);
    let comparison = compare(&[run(1, 1.5, 0.0), run(2, 1.0, 0.0)], &[], &targets).unwrap();
    let reached: Vec<_> = comparison.targets.iter().map(|target| target.reached).collect();
    assert_eq!(reached, [Some(true), Some(false), Some(true), Some(false), Some(true)]);
    let first = &comparison.targets[0];
    assert!(first.before.unwrap() > 2_900.0 && first.after.unwrap() < 2_050.0, "{first:?}");
    assert_eq!(first.target, 2_100.0);
}

#[test]
fn what_is_no_rule_or_target_is_one_sentence() {
    for (text, expected) in [
        ("p99", "`p99` compares nothing"),
        ("p99>", "has no change; write one such as `+5%` or `+2ms`"),
        ("p99>+5", "has no change; write one such as `+5%` or `+2ms`"),
        ("p99>-5%", "asks for no change"),
        ("good_per_s<+3%", "asks for no change"),
        ("p98>+5%", "is about no figure"),
        ("rate>+5%", "is about no figure"),
        ("errors>+3ms", "in percent of the requests"),
        ("good_per_s<-3ms", "`-3%` or `-500`"),
    ] {
        let error = Rule::parse(text).unwrap_err();
        assert!(error.contains(expected) && !error.contains('\n'), "{text}: {error}");
    }
    for (text, expected) in [
        ("p95", "sets no target"),
        ("p95=150", "has no value; write one such as `p95=150ms`"),
        ("offered_per_s=5k", "is no target"),
        ("success=101%", "`success=99.9%`"),
        ("nothing=1", "is about no figure"),
    ] {
        let error = Target::parse(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    for text in ["p99>+5%", "p99 > 5%", "p99.9>+2ms", "good_per_s<-3%", "errors>+0.1%"] {
        assert!(Rule::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn a_damaged_histogram_is_told_by_its_file() {
    let mut document = fixture::held().document();
    document.latency.response.hdr = "AAAA".to_string();
    let good = saved(fixture::held().document());
    let bad = Saved { file: "bad.json".to_string(), document };
    assert_eq!(compare(&[good, bad], &[], &[]), Err("bad.json".to_string()));
}

/// Three runs, the last of them over another load, with everything that can be asked.
fn shown() -> Comparison {
    static SHOWN: LazyLock<Comparison> = LazyLock::new(compared);
    SHOWN.clone()
}

fn compared() -> Comparison {
    let mut runs = [run(1, 1.0, 0.02), run(2, 1.1, 0.02), run(3, 1.0, 0.02)];
    for (run, file) in runs.iter_mut().zip(["base.json", "new.json", "other.json"]) {
        run.file = file.to_string();
    }
    runs[2].document.plan.connections = 16;
    runs[2].document.complete = false;
    let rules = ["p99>+5%", "good_per_s<-3%", "max>+1%"].map(|text| Rule::parse(text).unwrap());
    let targets = ["p95=3.2ms", "success=99.9%"].map(|text| Target::parse(text).unwrap());
    compare(&runs, &rules, &targets).unwrap()
}

#[test]
fn the_golden_pages_are_printed() {
    let comparison = shown();
    let options = PageOptions::default();
    fixture::golden("compare.txt", &console::compare::page(&comparison, &options));
    fixture::golden("compare.md", &markdown::compare::text(&comparison));
    fixture::golden("compare.html", &html::compare::page(&comparison));
    let (first, other) = (saved(fixture::held().document()), saved(fixture::behind().document()));
    let two = compare(&[first, other], &[], &[]).unwrap();
    fixture::golden("compare-behind.txt", &console::compare::page(&two, &options));
}

#[test]
fn a_saved_comparison_prints_the_same_page() {
    let comparison = shown();
    let json = serde_json::to_value(&comparison).unwrap();
    schema::tests::assert_valid("compare", &json);
    let read: Comparison = serde_json::from_value(json).unwrap();
    let pages = |of: &Comparison| {
        let page = console::compare::page(of, &PageOptions::default());
        [page, html::compare::page(of), markdown::compare::text(of)]
    };
    assert_eq!(pages(&comparison), pages(&read));
}

#[test]
fn its_page_is_of_the_document_and_of_nothing_else() {
    for comparison in [shown(), of_two(saved(fixture::held().document()), unlike())] {
        let json = serde_json::to_value(comparison).unwrap();
        html::tests::assert_is_a_page_of(&json, |json| {
            html::compare::page(&serde_json::from_value(json.clone()).unwrap())
        });
    }
}

/// Slower by far, with errors, and known in part only as lower bounds.
fn unlike() -> Saved {
    saved(fixture::mixed().document())
}

#[test]
fn the_page_has_the_caveats_first_then_what_was_asked_then_the_differences() {
    let page = html::compare::page(&shown());
    let titles = ["Before you compare", "Rules", "Targets", "B against A", "C against A"];
    let titles = titles.into_iter().chain(["Distributions", "What was measured", "What ran"]);
    let places = titles.map(|title| page.find(&format!("<h2>{title}</h2>")).expect(title));
    assert!(places.collect::<Vec<_>>().is_sorted());
    assert!(page.contains("B is worse than A: good/s, mean, p50"), "{page}");
    assert!(page.contains("C does not differ from A by more than chance"));
    assert!(page.contains("FAILED: p99&gt;+5% in B"));
    // Two of the forests are in percent; a line a run in the distribution.
    assert_eq!(page.matches("svg class=\"forest\"").count(), 4);
    assert!(page.contains(">A</text>") && page.contains(">C</text>"));
}

#[test]
fn a_comparison_of_an_earlier_build_has_a_page_without_distributions() {
    let mut json = serde_json::to_value(shown()).unwrap();
    for run in json["runs"].as_array_mut().unwrap() {
        run.as_object_mut().unwrap().remove("response");
    }
    let page = html::compare::page(&serde_json::from_value(json).unwrap());
    assert!(!page.contains("Distributions") && page.contains("What was measured"));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let comparison = shown();
    for width in 80..160 {
        let options = PageOptions { width, ..PageOptions::default() };
        let page = console::compare::page(&comparison, &options);
        let widest = page.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= width, "{widest} at {width}:\n{page}");
    }
}
