//! Each limit of each set from both sides, the worst mark, what is absent, and files.

use super::*;
use crate::address::Address;
use crate::metrics::{self, Check, Gauges, Label, Limit as Bound, Mode, Summary, Unit, fixture};
use crate::time::Nanos;

use Grade::{Acceptable, Critical, Excellent, Good, Poor};

/// 10,000 requests, all good after 1 ms and on schedule, at a server of this host.
fn run(mode: Mode) -> Summary {
    let mut summary = fixture::blank(mode);
    summary.measure.good.record_many(Nanos::from_millis(1), 10_000);
    let counters = &mut summary.measure.counters;
    (counters.scheduled, counters.sent) = (10_000, 10_000);
    (counters.completed, counters.good, counters.on_schedule) = (10_000, 10_000, 10_000);
    summary.measure_events.good = 10_000;
    summary.addresses = vec![Address::from(std::net::SocketAddr::from(([127, 0, 0, 1], 80)))];
    summary
}

/// The same with one figure as it is wanted: times in ms, shares and gauges in percent.
fn with(measure: &str, value: f64) -> Summary {
    let mut summary = run(Mode::Open);
    let part = (value * 100.0).round() as u64;
    let counters = &mut summary.measure.counters;
    match measure {
        "success" | "errors" => {
            let good = if measure == "success" { part } else { 10_000 - part };
            (counters.good, counters.completed) = (good, good);
            counters.abandoned = 10_000 - good;
        }
        "efficiency" => counters.on_schedule = part,
        "good_per_s" => summary.measure_events.good = (value * 10.0) as u64,
        "host.cpu" | "host.memory" => read(&mut summary, measure, Unit::Percent, &[value]),
        _ => {
            summary.measure.good = metrics::Histogram::default();
            summary.measure.good.record_many(Nanos((value * 1e6) as u64), 10_000);
        }
    }
    summary
}

fn read(summary: &mut Summary, gauge: &str, unit: Unit, values: &[f64]) {
    let mut gauges = Gauges::new(Nanos::from_secs(1), vec![Label::new(gauge, unit)]);
    for (second, value) in (1..).zip(values) {
        gauges.push(Nanos::from_secs(second), &[Some(*value)]);
    }
    summary.gauges = Some(gauges);
}

fn mark_of(set: &str, measure: &str, value: f64) -> Grade {
    let rated = Set::named(set).unwrap().rate(&with(measure, value));
    let mark = rated.marks.iter().find(|mark| mark.measure == measure);
    mark.unwrap_or_else(|| panic!("{set} has no {measure}: {rated:?}")).grade
}

fn set_of(text: &str) -> Set {
    Set::read("own.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

/// A set, a measure, and what values of it are worth.
type Row = (&'static str, &'static str, &'static [(f64, Grade)]);

/// The figures of the guides: just below, at and just above each limit. Times are told apart to a
/// thousandth, so theirs are not tried at the limit itself.
#[test]
fn every_limit_of_every_set_divides_where_the_guides_say() {
    let limits: [Row; 19] = [
        (
            "api",
            "success",
            &[
                (100.0, Excellent),
                (99.0, Excellent),
                (98.99, Good),
                (95.0, Good),
                (94.99, Acceptable),
                (90.0, Acceptable),
                (89.99, Poor),
                (0.0, Poor),
            ],
        ),
        ("api", "p95", &[(499.0, Excellent), (501.0, Good), (999.0, Good), (1_002.0, Acceptable)]),
        ("api", "p95", &[(1_998.0, Acceptable), (2_003.0, Poor), (60_000.0, Poor)]),
        ("api", "good_per_s", &[(1_000.0, Excellent), (999.9, Good), (500.0, Good)]),
        ("api", "good_per_s", &[(499.9, Acceptable), (100.0, Acceptable), (99.9, Poor)]),
        ("api", "host.cpu", &[(49.99, Excellent), (50.0, Good), (69.99, Good), (70.0, Acceptable)]),
        ("api", "host.cpu", &[(84.99, Acceptable), (85.0, Poor), (100.0, Poor)]),
        ("api", "host.memory", &[(69.99, Excellent), (70.0, Good), (79.99, Good)]),
        ("api", "host.memory", &[(80.0, Acceptable), (89.99, Acceptable), (90.0, Poor)]),
        (
            "web",
            "errors",
            &[
                (0.0, Excellent),
                (0.09, Excellent),
                (0.1, Acceptable),
                (1.0, Acceptable),
                (1.01, Poor),
                (5.0, Poor),
                (5.01, Critical),
            ],
        ),
        ("web", "good_only.mean", &[(199.0, Excellent), (201.0, Acceptable), (499.0, Acceptable)]),
        ("web", "good_only.mean", &[(501.0, Poor)]),
        (
            "web",
            "p50",
            &[(99.8, Excellent), (100.3, Acceptable), (499.0, Acceptable), (501.0, Poor)],
        ),
        ("web", "p95", &[(499.0, Good), (501.0, Acceptable), (999.0, Acceptable), (1_002.0, Poor)]),
        ("web", "p99", &[(499.0, Good), (501.0, Acceptable), (999.0, Acceptable), (1_002.0, Poor)]),
        (
            "stress",
            "success",
            &[(99.01, Excellent), (99.0, Acceptable), (95.0, Acceptable), (94.99, Poor)],
        ),
        (
            "stress",
            "good_only.mean",
            &[(99.8, Excellent), (100.3, Acceptable), (499.0, Acceptable), (501.0, Poor)],
        ),
        (
            "stress",
            "p95",
            &[(199.0, Excellent), (201.0, Acceptable), (999.0, Acceptable), (1_002.0, Poor)],
        ),
        (
            "stress",
            "efficiency",
            &[(90.01, Excellent), (90.0, Acceptable), (70.0, Acceptable), (69.99, Poor)],
        ),
    ];
    for (set, measure, values) in limits {
        for (value, grade) in values {
            assert_eq!(mark_of(set, measure, *value), *grade, "{measure} {value} by {set}");
        }
    }
}

#[test]
fn the_usual_set_is_made_of_the_others() {
    let names = |set: &str| -> Vec<String> {
        Set::named(set).unwrap().measures.iter().map(|measure| measure.name.clone()).collect()
    };
    let usual = ["success", "p95", "errors", "efficiency", "host.cpu", "host.memory"];
    assert_eq!(names("default"), usual);
    for (of, measures) in [
        ("api", &["success", "p95", "host.cpu", "host.memory"][..]),
        ("web", &["errors"]),
        ("stress", &["efficiency"]),
    ] {
        let (of, usual) = (Set::named(of).unwrap(), Set::usual());
        let measure = |set: &Set, name: &str| {
            set.measures.iter().find(|measure| measure.name == name).cloned().unwrap()
        };
        for name in measures {
            assert_eq!(measure(&usual, name).limits, measure(&of, name).limits, "{name}");
        }
    }
    assert_eq!(Set::named("apy"), None);
}

#[test]
fn the_grade_is_the_worst_mark() {
    let set = Set::usual();
    assert_eq!(set.rate(&run(Mode::Open)).grade, Some(Excellent));
    let mut summary = with("errors", 0.5);
    assert_eq!(set.rate(&summary).grade, Some(Acceptable));
    read(&mut summary, "host.cpu", Unit::Percent, &[99.0]);
    assert_eq!(set.rate(&summary).grade, Some(Poor));
    assert_eq!(set.rate(&with("errors", 50.0)).grade, Some(Critical));
}

#[test]
fn what_was_not_measured_is_absent_and_marks_nothing() {
    let absent = |summary: &Summary| -> Vec<(String, String)> {
        let absent = Set::usual().rate(summary).absent;
        absent.into_iter().map(|absent| (absent.measure, absent.why)).collect()
    };
    let of = |measure: &str, why: &str| (measure.to_string(), why.to_string());
    let unread = "it was not read";
    let gauges = [of("host.cpu", unread), of("host.memory", unread)];
    assert_eq!(absent(&run(Mode::Open)), gauges);
    let mut closed = absent(&run(Mode::Closed));
    assert_eq!(closed.remove(0), of("efficiency", "a closed loop has no schedule"));
    assert_eq!(closed, gauges);
    let mut few = run(Mode::Open);
    few.measure.good = metrics::Histogram::default();
    few.measure.good.record_many(Nanos::from_secs(9), 99);
    let [(measure, why), ..] = &absent(&few)[..] else { panic!("p95 is known") };
    assert_eq!((&**measure, &**why), ("p95", "too few samples: of 99, 5 must lie above it"));
    let mut none = fixture::blank(Mode::Closed);
    assert_eq!(Set::usual().rate(&none).grade, None);
    assert!(Set::usual().rate(&none).why.unwrap().contains("none of its measures"));
    // What connects in vain keeps requests from being sent.
    none.connections.failures[crate::Kind::ConnectRefused as usize] = 3;
    assert_eq!(Set::usual().rate(&none).grade, Some(Critical));
}

#[test]
fn the_host_is_graded_only_where_the_server_runs_on_it() {
    let mut summary = with("host.cpu", 99.0);
    assert_eq!(Set::usual().rate(&summary).grade, Some(Poor));
    summary.addresses = vec![Address::from(std::net::SocketAddr::from(([10, 0, 0, 7], 80)))];
    let rated = Set::usual().rate(&summary);
    assert_eq!(rated.grade, Some(Excellent));
    assert!(rated.absent[0].why.contains("another host"), "{:?}", rated.absent);
    // A process of the server's that can be watched is here.
    let labels = ["host.cpu", "server.cpu"].map(|name| Label::new(name, Unit::Percent));
    let mut gauges = Gauges::new(Nanos::from_secs(1), labels.to_vec());
    gauges.push(Nanos::from_secs(1), &[Some(99.0), Some(5.0)]);
    summary.gauges = Some(gauges);
    assert_eq!(Set::usual().rate(&summary).grade, Some(Poor));
}

#[test]
fn a_quantile_among_the_errors_is_poor_however_quick_they_were() {
    let mut summary = run(Mode::Open);
    summary.measure.censored.record_many(Nanos::from_micros(10), 1_000);
    summary.measure.counters.scheduled += 1_000;
    let rated = Set::named("stress").unwrap().rate(&summary);
    let mark = rated.marks.iter().find(|mark| mark.measure == "p95").unwrap();
    assert_eq!((mark.grade, mark.lower_bound), (Poor, true));
    let average = rated.marks.iter().find(|mark| mark.measure == "good_only.mean").unwrap();
    assert_eq!((average.grade, average.lower_bound), (Excellent, false));
}

#[test]
fn a_run_that_measured_something_else_has_no_grade() {
    let refused = |change: fn(&mut Summary)| {
        let mut summary = run(Mode::Open);
        change(&mut summary);
        let rated = Set::usual().rate(&summary);
        assert_eq!((rated.grade, rated.marks.len()), (None, 0));
        rated.why.unwrap()
    };
    assert!(refused(|summary| summary.complete = false).contains("interrupted"));
    assert!(refused(|summary| summary.verdict.limit = Bound::ClientCpu).contains("blast was"));
    assert!(refused(|summary| summary.verdict.limit = Bound::Ports).contains("this host was"));
    assert!(refused(|summary| summary.verdict.limit = Bound::Descriptors).contains("this host"));
    let audit = |summary: &mut Summary| {
        let check = Check { name: "conservation_sent", ok: false, left: 1, right: 2 };
        summary.audit.checks = vec![check];
    };
    assert!(refused(audit).contains("audit"));
    for limit in [Bound::Server, Bound::Connections, Bound::Network, Bound::None] {
        let mut summary = run(Mode::Open);
        summary.verdict.limit = limit;
        assert_eq!(Set::usual().rate(&summary).grade, Some(Excellent));
    }
}

#[test]
fn a_file_has_any_figure_that_thresholds_know_and_gauges() {
    let set = set_of(
        "[p95]\nexcellent = \"0.5ms\"\ngood = \"2ms\"\n\
         [service.p99.9]\nacceptable = \"<1s\"\n\
         [\"p99.9\"]\ngood = \"5s\"\n\
         [success]\nexcellent = \"99.9%\"\ngood = \"50%\"\n\
         [failures.timeout]\nexcellent = 0\npoor = 10\n\
         [good_per_s]\nexcellent = \"10k\"\ngood = 900\n\
         [server.rss.max]\ngood = \"2G\"\n\
         [pool]\nexcellent = 19.5\n\
         [sample.hit_rate]\ngood = \">=0.9\"\n",
    );
    let names: Vec<&str> = set.measures.iter().map(|measure| &*measure.name).collect();
    let expected = [
        "p95",
        "service.p99.9",
        "p99.9",
        "success",
        "failures.timeout",
        "good_per_s",
        "server.rss.max",
        "pool",
        "sample.hit_rate",
    ];
    assert_eq!(names, expected);
    let mut summary = run(Mode::Open);
    let labels = [
        Label::new("server.rss", Unit::Bytes),
        Label::new("pool", Unit::Count),
        Label::new("sample.hit_rate", Unit::Number),
    ];
    let mut gauges = Gauges::new(Nanos::from_secs(1), labels.to_vec());
    gauges.push(Nanos::from_secs(1), &[Some(1.0e9), Some(19.0), Some(0.8)]);
    gauges.push(Nanos::from_secs(2), &[Some(2.1e9), Some(20.0), Some(0.9)]);
    summary.gauges = Some(gauges);
    let rated = set.rate(&summary);
    let marks: Vec<(&str, Grade)> =
        rated.marks.iter().map(|mark| (&*mark.measure, mark.grade)).collect();
    let expected = [
        ("p95", Good),
        ("p99.9", Good),
        ("success", Excellent),
        ("failures.timeout", Excellent),
        ("good_per_s", Good),
        ("server.rss.max", Poor),
        ("pool", Excellent),
        ("sample.hit_rate", Poor),
    ];
    assert_eq!(marks, expected);
    // Nothing was recorded of the service.
    assert_eq!(rated.absent[0].measure, "service.p99.9");
    summary.measure.counters.failures[crate::Kind::Timeout as usize] = 11;
    let rated = set.rate(&summary);
    assert_eq!(rated.marks[3].grade, Critical, "it is beyond what is only poor");
}

#[test]
fn a_wrong_file_is_one_sentence_with_line_and_column() {
    for (text, expected) in [
        ("", "own.toml:1:1: no measure stands there; write a table for each"),
        ("[p95", "own.toml:1:5: this is no TOML"),
        ("[p95]", "own.toml:1:2: the measure has no limits; give `excellent`"),
        (
            "[p95]\nexcelent = \"1s\"",
            "own.toml:2:1: unknown key \"excelent\" in [p95]; did you mean \"excellent\"?",
        ),
        ("[p95]\ngood = \"500\"", "own.toml:2:8: `p95<=500` gives a time without its unit"),
        ("[p95]\ngood = 5", "own.toml:2:8: `p95<=5` gives a time without its unit"),
        ("[p95]\ngood = [5]", "own.toml:2:8: a limit is a text or a number"),
        ("[p95]\ngood = \"==1s\"", "own.toml:2:8: `==1s` compares with no operator of a limit"),
        ("[success]\ngood = \"150%\"", "own.toml:2:8: `success<=150%` compares a share"),
        ("[latency]\ngood = \"1s\"", "own.toml:2:8: `latency<=1s` names no metric; there are"),
        (
            "[host.cpu]\ngood = \"much\"",
            "own.toml:2:8: `host.cpu<=much` compares a percentage with what is none",
        ),
        (
            "[host.cup]\ngood = \"50%\"",
            "own.toml:2:8: `host.cup<=50%` names no gauge; did you mean `host.cpu`?",
        ),
        (
            "[p95]\ngood = \"1s\"\nexcellent = \"2s\"",
            "own.toml:2:8: \"good\" asks for more than \"excellent\" does",
        ),
        (
            "[success]\ngood = \"99%\"\nacceptable = \">99.5%\"",
            "own.toml:3:14: \"acceptable\" asks for more than \"good\"",
        ),
        (
            "[success]\ngood = \"99%\"\nacceptable = \"<95%\"",
            "own.toml:3:14: \"acceptable\" points the other way",
        ),
        (
            "[errors]\ngood = \"1%\"\nacceptable = \"50\"",
            "own.toml:3:14: \"acceptable\" is in another unit",
        ),
        ("p95 = \"1s\"", "own.toml:1:1: unknown key \"p95\" in the file's first lines"),
    ] {
        let message = Set::read("own.toml", text).expect_err(text).message;
        assert!(message.starts_with(expected), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn a_set_that_a_run_could_never_be_measured_by_is_refused() {
    assert!(set_of("[stage3.p95]\ngood = \"1s\"\n").check(3, None).is_ok());
    let message = set_of("[stage4.p95]\ngood = \"1s\"\n").check(3, None).unwrap_err().message;
    assert!(message.contains("this load has 3"), "{message}");
    let message = set_of("[\"GET /\".p95]\ngood = \"1s\"\n").check(0, None).unwrap_err().message;
    assert!(message.contains("names no metric"), "{message}");
}
