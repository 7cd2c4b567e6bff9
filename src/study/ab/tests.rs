//! Turns on servers that are all arithmetic.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::SystemTime;

use super::*;
use crate::dice::Dice;
use crate::error::Result;
use crate::http::Request;
use crate::metrics::{Mode, Summary, fixture};
use crate::plan::{Plan, Url};
use crate::report::ab::AbDocument;
use crate::report::{PageOptions, console, fixture as views, html, markdown, schema};
use crate::study::Runner;
use crate::time::Nanos;

/// A server whose median is 2 ms times `slower`. Each run has a pace of its own, that of the round
/// among it: the noise is shared with the other side.
struct Simulated {
    slower: f64,
    dice: Dice,
    host: Rc<RefCell<Host>>,
    good: bool,
    /// Interrupted in this run, counted from 0.
    ends: Option<usize>,
    runs: usize,
}

/// What both sides run on: slow from time to time, for two runs at least.
struct Host {
    dice: Dice,
    runs: usize,
    pace: f64,
}

fn normal(dice: &mut Dice) -> f64 {
    ((0..4).map(|_| dice.unit()).sum::<f64>() - 2.0) * 3f64.sqrt()
}

impl Runner for Simulated {
    fn run(&mut self, plan: &Plan) -> Result<Summary> {
        let mut host = self.host.borrow_mut();
        if host.runs.is_multiple_of(2) {
            host.pace = (0.1 * normal(&mut host.dice)).exp();
        }
        host.runs += 1;
        let pace = host.pace * self.slower * (0.015 * normal(&mut self.dice)).exp();
        let mut summary = fixture::blank(Mode::Closed);
        summary.measured = plan.duration.unwrap();
        for _ in 0..300 {
            let time = Nanos((2e6 * pace * (0.1 * normal(&mut self.dice)).exp()) as u64);
            summary.measure.good.record(time);
        }
        let counters = &mut summary.measure.counters;
        (counters.scheduled, counters.sent, counters.completed) = (300, 300, 300);
        counters.good = if self.good { 300 } else { 0 };
        summary.measure_events.good = (5_000.0 / pace) as u64;
        summary.complete = self.ends != Some(self.runs);
        self.runs += 1;
        Ok(summary)
    }

    fn reconnect(&mut self) {}
}

fn sides(seed: u64, slower: f64) -> [Simulated; 2] {
    let host = Host { dice: Dice::of(seed, 2, 0), runs: 0, pace: 1.0 };
    let host = Rc::new(RefCell::new(host));
    let side = |number, slower| Simulated {
        slower,
        dice: Dice::of(seed, 3, number),
        host: host.clone(),
        good: true,
        ends: None,
        runs: 0,
    };
    [side(0, 1.0), side(1, slower)]
}

fn plans() -> [Plan; 2] {
    ["http://a.example/", "http://b.example/"].map(|url| {
        let request = Request::new("GET", "/", "example");
        let duration = Some(Nanos::from_secs(1));
        Plan { duration, ..Plan::new(Url::parse(url).unwrap(), request) }
    })
}

fn ab(sides: [Simulated; 2], rounds: u64, effect: f64) -> Result<AbDocument> {
    let [mut first, mut other] = sides;
    let (plans, settings) = (plans(), Settings { rounds, seed: 1 });
    let found = take_turns([&mut first, &mut other], &plans, &settings, &mut |_| {})?;
    let (started_at, took) = (SystemTime::UNIX_EPOCH, Nanos::from_secs(24));
    Ok(document(&found, &Told { plans: &plans, settings: &settings, effect, started_at, took }))
}

fn finds(document: &AbDocument) -> bool {
    document.metrics.iter().any(|metric| metric.significant == Some(true))
}

#[test]
fn a_server_against_itself_shows_no_difference_in_18_of_20_trials() {
    let wrong = (0..20).filter(|seed| finds(&ab(sides(*seed, 1.0), 10, 0.02).unwrap())).count();
    assert!(wrong <= 2, "{wrong}");
}

#[test]
fn one_that_is_5_percent_slower_is_found_in_18_of_20_trials_and_on_the_right_side() {
    let mut found = 0;
    for seed in 0..20 {
        let document = ab(sides(seed, 1.05), 10, 0.02).unwrap();
        let metric = |name: &str| document.metrics.iter().find(|metric| metric.name == name);
        let (p50, rate) = (metric("p50").unwrap(), metric("good_per_s").unwrap());
        let is_sure = p50.significant == Some(true) && rate.significant == Some(true);
        assert!(!is_sure || p50.percent > 0.0 && rate.percent < 0.0, "{seed}: {document:?}");
        found += usize::from(is_sure);
    }
    assert!(found >= 18, "{found}");
}

#[test]
fn the_order_within_the_rounds_is_drawn_and_the_same_for_the_same_seed() {
    let orders = || -> Vec<String> {
        let document = ab(sides(1, 1.0), 20, 0.02).unwrap();
        document.rounds.into_iter().map(|round| round.order).collect()
    };
    let first = orders().iter().filter(|order| *order == "ab").count();
    assert!((4..=16).contains(&first), "{first}");
    assert_eq!(orders(), orders());
}

#[test]
fn more_rounds_are_asked_for_where_the_effect_is_small() {
    let document = |effect| ab(sides(3, 1.0), 10, effect).unwrap();
    assert_eq!(document(0.1).rounds_needed, None);
    assert!(document(0.001).rounds_needed.unwrap() > 100);
}

#[test]
fn what_was_measured_before_an_interrupt_is_kept() {
    let [first, other] = sides(4, 1.0);
    // The warm-up and three rounds.
    let document = ab([first, Simulated { ends: Some(4), ..other }], 10, 0.02).unwrap();
    assert_eq!((document.complete, document.rounds.len()), (false, 3));
    assert!(document.metrics.iter().all(|metric| metric.significant.is_none()));
    let page = console::ab::page(&document, &PageOptions::default());
    assert!(page.contains("3 of 10 (interrupted)") && page.contains("too few rounds"), "{page}");
}

#[test]
fn a_side_without_a_good_answer_is_one_sentence() {
    let [first, other] = sides(5, 1.0);
    let error = ab([first, Simulated { good: false, ..other }], 10, 0.02).unwrap_err();
    assert!(error.message.contains("no good answer came from http://b.example/"), "{error}");
}

#[test]
fn the_golden_pages_are_printed() {
    let document = ab(sides(8, 1.05), 12, 0.005).unwrap();
    let pages = |of: &AbDocument| {
        let page = console::ab::page(of, &PageOptions::default());
        [page, markdown::ab::text(of), html::ab::page(of)]
    };
    for (file, page) in ["ab.txt", "ab.md", "ab.html"].iter().zip(pages(&document)) {
        views::golden(file, &page);
    }
    let widest = pages(&document)[0].lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 80, "{widest}");
    let json = serde_json::to_value(&document).unwrap();
    schema::tests::assert_valid("ab", &json);
    assert_eq!(pages(&document), pages(&serde_json::from_value(json).unwrap()));
}

#[test]
fn its_page_is_of_the_document_and_of_nothing_else() {
    let json = serde_json::to_value(ab(sides(8, 1.05), 12, 0.005).unwrap()).unwrap();
    html::tests::assert_is_a_page_of(&json, |json| {
        html::ab::page(&serde_json::from_value(json.clone()).unwrap())
    });
}

#[test]
fn the_page_of_html_says_what_was_found_and_what_was_not() {
    let page = |sides| html::ab::page(&ab(sides, 10, 0.02).unwrap());
    let slower = page(sides(8, 1.05));
    assert!(slower.contains("<h1>B is worse than A: good/s, mean, p50"), "{slower}");
    assert!(slower.contains("worse dot") && !slower.contains("better dot"));
    let faster = page(sides(8, 1.0 / 1.05));
    assert!(faster.contains("<h1>B is better than A: good/s, mean, p50"), "{faster}");
    assert!(!page(sides(3, 1.0)).contains("worse dot"));
    let [first, other] = sides(4, 1.0);
    let cut = page([first, Simulated { ends: Some(4), ..other }]);
    assert!(cut.contains("How B differs from A is not known"), "{cut}");
    assert!(cut.contains("INTERRUPTED after 3 of 10 rounds"), "{cut}");
    let [first, other] = sides(4, 1.0);
    let none = page([first, Simulated { ends: Some(1), ..other }]);
    assert!(none.contains("No round was finished"), "{none}");
}
