//! Rules in tables: which can be judged where, and which hold over what run or window.

use super::*;
use crate::failure::Kind;
use crate::metrics::{
    Aborted, Account, CheckCount, Client, Events, Fates, Heat, Interval, Mode, Named, Part, Phase,
    Rejection, Summary, Worker, fixture,
};
use crate::time::Nanos;
use crate::units::quote;

const MS: Nanos = Nanos::from_millis(1);

fn rule(text: &str) -> Threshold {
    Threshold::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_operator_compares_as_it_says() {
    for (op, holds) in [
        ("<", [true, false, false]),
        ("<=", [true, true, false]),
        (">", [false, false, true]),
        (">=", [false, true, true]),
        ("==", [false, true, false]),
        ("!=", [true, false, true]),
    ] {
        let rule = rule(&format!("errors{op}5"));
        assert_eq!([4.0, 5.0, 6.0].map(|value| rule.op.holds(value, rule.limit)), holds, "{op}");
    }
}

#[test]
fn a_closed_loop_refuses_what_it_does_not_have() {
    for text in ["efficiency>99%", "send_lag.p99<1ms", "offered_per_s>5"] {
        let message = rule(text).check_closed_loop().unwrap_err().message;
        assert!(message.starts_with(&quote(text)) && message.contains("`--rps`"), "{message}");
        assert!(rule(text).check_window().is_ok());
    }
    for text in ["p99<1ms", "errors<1%", "connect.max<1s", "busy<90%"] {
        assert!(rule(text).check_closed_loop().is_ok(), "{text}");
    }
}

#[test]
fn a_window_refuses_what_is_known_only_at_the_end() {
    for text in [
        "connect.p50<1ms",
        "busy>90%",
        "cpu_us_per_request>20",
        "abandoned>5",
        "dropped>5",
        "peak_1s_per_s<5",
        "failures.connect_refused>5",
    ] {
        let message = rule(text).check_window().unwrap_err().message;
        assert!(
            message.starts_with(&quote(text)) && message.contains("`--threshold`"),
            "{message}"
        );
    }
    for text in ["p99>1s", "errors>50%", "failures.timeout>5", "rejections.status_5xx>1%"] {
        assert!(rule(text).check_window().is_ok(), "{text}");
    }
}

/// So many good answers at 1 ms, errors that came after 0.1 ms, and requests that never left.
fn fates(good: u64, errors: u64, dropped: u64) -> Fates {
    let mut fates = Fates::default();
    fates.good.record_many(MS, good);
    fates.service.record_many(MS, good);
    fates.censored.record_many(Nanos::from_micros(100), errors + dropped);
    fates.rejected.record_many(Nanos::from_micros(100), errors);
    fates.send_lag.record_many(Nanos::from_micros(10), good + errors);
    let counters = &mut fates.counters;
    (counters.scheduled, counters.sent) = (good + errors + dropped, good + errors);
    (counters.completed, counters.good) = (good + errors, good);
    (counters.statuses[200], counters.statuses[503]) = (good, errors);
    counters.rejections[Rejection::Status5xx as usize] = errors;
    (counters.dropped, counters.on_schedule) = (dropped, good);
    fates
}

/// Of 10 s, with two workers.
fn summary(mode: Mode, measure: Fates) -> Summary {
    let worker = |millis| Worker {
        cpu_time: Nanos::from_millis(millis),
        wall_time: Nanos::from_secs(10),
        ..Worker::default()
    };
    Summary {
        target_per_s: (mode == Mode::Open).then_some(100.0),
        measure_events: fixture::events_of(&measure),
        measure,
        peak_good_per_s: 120.0,
        client: Client { workers: vec![worker(1_000), worker(2_500)], ..Client::default() },
        ..fixture::blank(mode)
    }
}

#[track_caller]
fn assert_judged(summary: &Summary, table: &[(&str, bool)]) {
    for (text, ok) in table {
        let outcome = rule(text).judge(summary);
        assert_eq!(outcome.ok, *ok, "{outcome:?}");
    }
}

#[test]
fn totals_and_rates_are_compared_exactly() {
    let summary = summary(Mode::Open, fates(990, 8, 2));
    assert_judged(
        &summary,
        &[
            ("errors==1%", true),
            ("errors<1%", false),
            ("errors==10", true),
            ("errors<10", false),
            ("success>=99%", true),
            ("success==990", true),
            ("rejections.status_5xx==0.8%", true),
            ("rejections.status_5xx<=8", true),
            ("rejections.status_4xx==0", true),
            ("failures.timeout==0%", true),
            ("dropped==2", true),
            ("dropped<0.2%", false),
            ("abandoned==0", true),
            ("efficiency==99%", true),
            ("good_per_s>=99", true),
            ("good_per_s>99", false),
            ("sent_per_s==99.8", true),
            ("completed_per_s==99.8", true),
            ("offered_per_s==100", true),
            ("peak_1s_per_s>119", true),
            ("busy<=25%", true),
            ("busy<25%", false),
            // 3.5 s over 998 answers.
            ("cpu_us_per_request<3.51ms", true),
            ("cpu_us_per_request<3500", false),
        ],
    );
}

#[test]
fn an_error_leaves_a_lower_bound_that_proves_only_what_lies_below_it() {
    // Errors rank above the good ones: p99 is theirs, at the slowest good one's 1 ms or more.
    let summary = summary(Mode::Open, fates(900, 100, 0));
    assert_judged(
        &summary,
        &[
            ("p90<2ms", true),
            ("p90<=0.5ms", false),
            ("p99<10s", false),
            ("p99<=10s", false),
            ("p99==1ms", false),
            ("p99!=5s", false),
            ("p99>0.9ms", true),
            ("p99>=0.9ms", true),
            ("p99>2ms", false),
            ("max<10s", false),
            ("max>0.9ms", true),
            ("mean<10s", false),
            ("mean>0.9ms", true),
            ("min<2ms", true),
            ("stdev<10s", false),
            ("stdev>=0ms", false),
            ("good_only.p99<2ms", true),
            ("good_only.max<2ms", true),
            ("good_only.stdev<2ms", true),
            ("rejected.max<1ms", true),
            ("send_lag.p99<1ms", true),
            ("service.p99<2ms", true),
        ],
    );
    let outcome = rule("p99<10s").judge(&summary);
    assert!(outcome.lower_bound && outcome.value.is_some_and(|us| us >= 1_000.0), "{outcome:?}");
    assert!(outcome.why.is_some_and(|why| why.contains("among the errors")));
    let outcome = rule("p99>0.9ms").judge(&summary);
    assert_eq!((outcome.lower_bound, outcome.why), (true, None));
}

#[test]
fn a_timeout_is_a_lower_bound_of_the_service_time() {
    for mode in [Mode::Open, Mode::Closed] {
        let mut fates = fates(990, 0, 0);
        if mode == Mode::Closed {
            // The good ones stand in `good` alone.
            fates.service.clear();
        }
        fates.counters.failures[Kind::Timeout as usize] = 10;
        (fates.counters.sent, fates.counters.scheduled) = (1_000, 1_000);
        fates.service.record_many(Nanos::from_secs(10), 10);
        let summary = summary(mode, fates);
        assert_judged(
            &summary,
            &[
                ("service.p99<2ms", true),
                ("service.p99.5<20s", false),
                ("service.p99.5>5s", true),
                ("service.max<20s", false),
                ("failures.timeout==1%", true),
                ("failures.timeout<=10", true),
            ],
        );
    }
}

#[test]
fn what_cannot_be_told_does_not_hold() {
    let few = summary(Mode::Open, fates(100, 0, 0));
    assert_judged(&few, &[("p95<1s", true), ("p99<1s", false), ("p99>0ms", false)]);
    let outcome = rule("p99<1s").judge(&few);
    assert_eq!((outcome.value, outcome.lower_bound), (None, false));
    assert!(outcome.why.unwrap().starts_with("too few samples: of 100, 5 must"));
    for text in ["failed.max<1s", "connect.mean<1s", "rejected.p50<1s"] {
        let outcome = rule(text).judge(&few);
        assert!(!outcome.ok && outcome.value.is_none(), "{outcome:?}");
        assert_eq!(outcome.why.as_deref(), Some("there were no samples"));
    }
    let mut nothing = summary(Mode::Closed, Fates::default());
    nothing.measured = Nanos::ZERO;
    nothing.client.workers.clear();
    for text in ["errors<5%", "errors==0", "success>=0%", "failures.timeout==0", "p50<1s"]
        .into_iter()
        .chain(["good_per_s>=0", "busy<90%", "cpu_us_per_request<1s", "stdev<1s"])
    {
        let outcome = rule(text).judge(&nothing);
        assert!(!outcome.ok && outcome.value.is_none() && outcome.why.is_some(), "{outcome:?}");
    }
}

#[test]
fn failed_connects_are_errors_of_a_closed_loop_alone() {
    for (mode, errors) in [(Mode::Open, "errors==0"), (Mode::Closed, "errors==50%")] {
        let mut summary = summary(mode, fates(100, 0, 0));
        summary.connections.failures[Kind::ConnectRefused as usize] = 100;
        assert_judged(
            &summary,
            &[
                (errors, true),
                ("failures.connect_refused==100", true),
                ("failures.connect_refused==100%", true),
                ("failures.connect_timeout==0", true),
            ],
        );
    }
}

#[test]
fn the_errors_judged_are_the_errors_reported() {
    for mode in [Mode::Open, Mode::Closed] {
        let mut summary = summary(mode, fates(700, 77, 0));
        summary.connections.failures[Kind::ConnectReset as usize] = 13;
        let value = |text| rule(text).judge(&summary).value;
        assert_eq!(value("errors<1%"), Some(summary.error_share()));
        assert_eq!(value("success>1%"), Some(summary.success_share()));
        assert_eq!(value("good_per_s>1"), Some(summary.good_per_s()));
        assert_eq!(value("efficiency>1%").filter(|_| mode == Mode::Open), summary.efficiency());
    }
}

fn second(end: u64, fates: &Fates) -> Interval {
    let ended = fates.counters.completed;
    Interval {
        end: Nanos::from_secs(end),
        phase: Phase::Measure,
        stage: 0,
        events: Events {
            scheduled: ended,
            sent: ended,
            completed: ended,
            good: fates.counters.good,
            ..Events::default()
        },
        in_flight: 0,
        users: None,
        response_p50: None,
        response_p95: None,
        response_p99: None,
        response_max: None,
        service_p99: None,
        send_lag_p99: None,
        heat: Heat::default(),
    }
}

/// Pushes seconds, given as good answers and errors, and gives the one that ends the run.
fn guarded(rules: &[&str], seconds: impl IntoIterator<Item = (u64, u64)>) -> Option<Aborted> {
    let rules = rules.iter().map(|text| rule(text)).collect();
    let mut guard = Guard::new(rules, Mode::Open, Some(Nanos::ZERO));
    for (end, (good, errors)) in (1..).zip(seconds) {
        let fates = fates(good, errors, 0);
        guard.push(&second(end, &fates), &fates);
    }
    guard.aborted().cloned()
}

#[test]
fn nothing_ends_a_run_before_the_window_is_full() {
    assert_eq!(guarded(&["errors>50%"], vec![(0, 100); 4]), None);
    let aborted = guarded(&["errors>50%"], vec![(0, 100); 9]).unwrap();
    assert_eq!((aborted.at, aborted.value, aborted.unit), (WINDOW, 1.0, "share"));
    assert_eq!((aborted.expr.as_str(), aborted.window), ("errors>50%", WINDOW));
    assert_eq!(guarded(&[], vec![(0, 100); 9]), None);
}

#[test]
fn the_window_slides_and_forgets() {
    // Bad seconds become the majority of five in the eighth second, and not before.
    let seconds = [(100, 0); 5].into_iter().chain([(0, 100); 5]);
    let aborted = guarded(&["errors>50%"], seconds).unwrap();
    assert_eq!((aborted.at, aborted.value), (Nanos::from_secs(8), 0.6));
    // Four bad seconds at the start are forgotten one by one.
    let seconds = [(0, 100); 4].into_iter().chain([(100, 0); 20]);
    assert_eq!(guarded(&["errors>80%"], seconds), None);
}

#[test]
fn the_first_rule_that_is_true_is_the_one() {
    let rules = ["p99>1h", "good_per_s<10", "errors>1%"];
    let aborted = guarded(&rules, vec![(5, 5); 5]).unwrap();
    assert_eq!((aborted.expr.as_str(), aborted.value), ("good_per_s<10", 5.0));
    assert_eq!(aborted.unit, "per_s");
}

#[test]
fn a_quantile_of_too_few_ends_nothing_and_a_bound_only_what_it_proves() {
    assert_eq!(guarded(&["p99>0ms"], vec![(20, 0); 9]), None);
    assert!(guarded(&["p99>0.5ms"], vec![(100, 0); 5]).is_some());
    assert!(guarded(&["p99>0.5ms"], vec![(50, 50); 5]).is_some(), "the bound is 1 ms");
    assert_eq!(guarded(&["p99>5ms", "p99<5ms"], vec![(50, 50); 5]), None);
    assert_eq!(guarded(&["errors<1%", "success<1%"], vec![(0, 0); 9]), None, "nothing ended");
    assert!(guarded(&["good_per_s==0"], vec![(0, 0); 9]).is_some());
}

#[test]
fn only_whole_seconds_of_measure_count() {
    // Measure starts at 1.5 s: the first whole second ends at 3 s, the fifth at 7 s.
    let bad = fates(0, 100, 0);
    let mut guard =
        Guard::new(vec![rule("errors>50%")], Mode::Open, Some(Nanos::from_millis(1_500)));
    for end in 1..=6 {
        guard.push(&second(end, &bad), &bad);
        assert_eq!(guard.aborted(), None);
    }
    guard.push(&Interval { phase: Phase::Drain, ..second(7, &bad) }, &bad);
    assert_eq!(guard.aborted(), None);
    guard.push(&second(7, &bad), &bad);
    assert_eq!(guard.aborted().unwrap().at, Nanos::from_secs(7));
}

#[test]
fn a_second_of_which_nothing_was_heard_is_empty() {
    let good = fates(100, 0, 0);
    let mut guard = Guard::new(vec![rule("errors>50%")], Mode::Open, Some(Nanos::ZERO));
    for end in 1..=5 {
        guard.push(&second(end, &good), &good);
    }
    // The process was stopped from 5 s to 8 s: of the window only the fifth second and the ninth
    // were heard of, and the older ones in the ring do not count.
    let more = fates(0, 101, 0);
    guard.push(&second(9, &more), &more);
    assert_eq!(guard.aborted().unwrap().value, 101.0 / 201.0);
}

/// A request whose check rejected 5 of 100 answers, beside 900 that were good, and a login of
/// which one of 10 failed.
fn named() -> Summary {
    let row = |name: &str, part, good, rejected| {
        let mut fates = fates(good, rejected, 0);
        fates.counters.rejections = [0; Rejection::COUNT];
        fates.counters.rejections[Rejection::Check as usize] = rejected;
        let mut account = Account { events: fixture::events_of(&fates), ..Account::new(fates, 1) };
        (0..rejected).for_each(|_| account.checks[0].see(MS));
        let (name, method) = (name.to_string(), "GET".to_string());
        Named { name, method, part, weight: 1, share_asked: None, account }
    };
    let rows = vec![
        row("login", Part::Setup, 9, 1),
        row("POST /patient", Part::Main, 95, 5),
        row("list", Part::Main, 900, 0),
        row("never", Part::Main, 0, 0),
    ];
    let mut measure = Fates::default();
    rows[1..].iter().for_each(|row| measure.add(&row.account.fates));
    let checks = vec![CheckCount { name: "has an id".to_string(), passed: 104, failed: 6 }];
    Summary { names: rows, checks, ..summary(Mode::Closed, measure) }
}

#[test]
fn a_rule_about_one_request_looks_at_that_alone() {
    assert_judged(
        &named(),
        &[
            ("errors==0.5%", true),
            ("'POST /patient'.errors==5%", true),
            ("POST /patient.errors<5", false),
            ("login.errors==1", true),
            ("list.errors==0", true),
            ("list.p99<2ms", true),
            ("POST /patient.p50<2ms", true),
            ("POST /patient.p95<2ms", true),
            ("POST /patient.p99<10s", false),
            ("POST /patient.max<10s", false),
            ("POST /patient.max>0.9ms", true),
            ("list.success==100%", true),
            ("list.good_per_s==90", true),
            ("POST /patient.completed_per_s==10", true),
            ("POST /patient.rejections.check==5", true),
            ("POST /patient.check:has an id==5%", true),
            ("check:has an id==5", true),
            ("rejections.check:has an id==0.5%", true),
            ("list.check:has an id==0", true),
        ],
    );
    let outcome = rule("never.p99<1s").judge(&named());
    assert_eq!((outcome.ok, outcome.why.as_deref()), (false, Some("there were no samples")));
    let outcome = rule("nobody.errors<1%").judge(&named());
    assert_eq!(outcome.why.as_deref(), Some("no request has that name"));
}
