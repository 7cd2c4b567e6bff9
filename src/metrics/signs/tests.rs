//! Each sign, by figures made up to have it, and to have it just not.

use super::super::{
    Account, Calibration, Events, Fates, Gauges, Heat, Histogram, Interval, Label, Limit, Mode,
    Named, Part, Pause, Phase, Rejection, Stage, Summary, Unit, fixture,
};
use super::*;
use crate::dice::Dice;
use crate::failure::Kind;
use crate::time::Nanos;

const MS: Nanos = Nanos::from_millis(1);

fn ms(time: f64) -> Nanos {
    Nanos((time * 1e6) as u64)
}

/// 1,000 requests a second for a minute, which took 10 ms each.
fn calm(mode: Mode) -> Summary {
    let mut measure = Fates::default();
    measure.good.record_many(ms(10.0), 60_000);
    if mode == Mode::Open {
        measure.service.record_many(ms(10.0), 60_000);
    }
    let counters = &mut measure.counters;
    (counters.scheduled, counters.sent, counters.on_schedule) = (60_000, 60_000, 60_000);
    (counters.completed, counters.good) = (60_000, 60_000);
    Summary {
        target_per_s: Some(1_000.0),
        measured: Nanos::from_secs(60),
        measure_events: fixture::events_of(&measure),
        measure,
        intervals: (1..=60).map(|second| interval(second, ms(10.0), ms(14.0))).collect(),
        ..fixture::blank(mode)
    }
}

fn interval(second: u64, median: Nanos, longest: Nanos) -> Interval {
    Interval {
        heat: Heat::default(),
        end: Nanos::from_secs(second),
        phase: Phase::Measure,
        stage: 0,
        events: Events::default(),
        in_flight: 0,
        users: None,
        response_p50: Some(median),
        response_p95: None,
        response_p99: Some(longest),
        response_max: Some(longest),
        service_p99: None,
        send_lag_p99: None,
    }
}

fn codes(summary: &Summary) -> Vec<&'static str> {
    of(summary, false).iter().map(Warning::code).collect()
}

/// The text of the only sign there is.
fn only(summary: &Summary, code: &str) -> String {
    let signs = of(summary, false);
    assert_eq!(signs.iter().map(Warning::code).collect::<Vec<_>>(), [code], "{signs:?}");
    signs[0].text()
}

/// One gauge, a reading a second.
fn gauges(summary: Summary, all: &[(&str, &dyn Fn(u64) -> f64)]) -> Summary {
    let labels = all.iter().map(|(name, _)| Label::new(*name, Unit::Number)).collect();
    let mut gauges = Gauges::new(Nanos::from_secs(1), labels);
    for second in 1..=60 {
        let row: Vec<_> = all.iter().map(|(_, value)| Some(value(second))).collect();
        gauges.push(Nanos::from_secs(second), &row);
    }
    Summary { gauges: Some(gauges), ..summary }
}

#[test]
fn a_calm_run_shows_nothing() {
    assert_eq!(codes(&calm(Mode::Open)), [""; 0]);
    assert_eq!(codes(&calm(Mode::Closed)), [""; 0]);
    assert_eq!(codes(&fixture::blank(Mode::Open)), [""; 0]);
}

#[test]
fn errors_have_three_levels_and_only_the_highest_is_told() {
    for (failed, code) in [
        (59, None),
        (60, Some("errors_0_1")),
        (599, Some("errors_0_1")),
        (600, Some("errors_1")),
        (3_000, Some("errors_5")),
    ] {
        let mut summary = calm(Mode::Open);
        summary.measure.counters.failures[Kind::ReceiveReset as usize] = failed;
        assert_eq!(codes(&summary), code.into_iter().collect::<Vec<_>>(), "{failed}");
    }
    // What an interrupt cut off is no error.
    let mut cut = calm(Mode::Open);
    cut.measure.counters.abandoned = 600;
    assert_eq!(only(&cut, "errors_1"), "1.0 % of the requests came to nothing good (600)");
    assert_eq!(codes(&Summary { complete: false, ..cut }), [""; 0]);
}

#[test]
fn timeouts_and_a_rate_limit_are_told_with_their_share() {
    let mut summary = calm(Mode::Closed);
    summary.measure.counters.failures[Kind::Timeout as usize] = 90;
    assert_eq!(codes(&summary), ["errors_0_1", "timeouts"]);
    let text = of(&summary, false)[1].text();
    assert_eq!(text, "0.15 % of the requests (90) had no answer within --timeout");
    let mut summary = calm(Mode::Open);
    summary.measure.counters.rejections[Rejection::Status429 as usize] = 3;
    assert!(only(&summary, "rate_limited").starts_with("0.01 % of the answers (3) were 429"));
}

#[test]
fn a_run_is_too_short_for_p99_or_for_its_rules() {
    let mut few = calm(Mode::Open);
    few.measure.counters.scheduled = 499;
    assert!(only(&few, "too_short").starts_with("of 499 requests no p99"));
    few.complete = false;
    assert_eq!(codes(&few), [""; 0]);
    let short = Summary { measured: ms(4_900.0), ..calm(Mode::Open) };
    assert_eq!(codes(&short), [""; 0]);
    let judged: Vec<_> = of(&short, true).iter().map(Warning::code).collect();
    assert_eq!(judged, ["too_short"]);
}

#[test]
fn a_p95_far_from_the_median_is_told_in_two_strengths() {
    let slow = |time: f64| {
        let mut summary = calm(Mode::Closed);
        summary.measure.good.record_many(ms(time), 4_000);
        summary
    };
    assert_eq!(codes(&slow(29.9)), [""; 0]);
    let text = only(&slow(31.0), "p95_far_from_median");
    assert!(text.starts_with("p95 is 3.1 times the median") && text.ends_with("uneven"), "{text}");
    let text = only(&slow(52.0), "p95_far_from_median");
    assert!(text.contains("pauses or queues"), "{text}");
    // Microseconds are the scheduler's; and past the errors nothing is known.
    let mut quick = calm(Mode::Closed);
    quick.measure.good = Histogram::default();
    quick.measure.good.record_many(Nanos::from_micros(100), 60_000);
    quick.measure.good.record_many(Nanos::from_micros(900), 4_000);
    assert_eq!(codes(&quick), [""; 0]);
    let mut failed = slow(31.0);
    failed.measure.censored.record_many(ms(50.0), 4_000);
    assert_eq!(codes(&failed), [""; 0]);
}

/// Requests of two names, 10 and 80 ms.
fn mix(mut quick: Fates, slow: f64) -> Summary {
    let named = |name: &str, fates| Named {
        name: name.to_string(),
        method: "GET".to_string(),
        part: Part::Main,
        weight: 0,
        share_asked: None,
        account: Account::new(fates, 0),
    };
    let mut other = Fates::default();
    other.good.record_many(ms(slow), 20_000);
    quick.good.record_many(ms(10.0), 40_000);
    let measure = quick.joined(&other);
    Summary {
        names: vec![named("/quick", quick), named("/slow", other)],
        measure: Fates { counters: calm(Mode::Closed).measure.counters, ..measure },
        ..calm(Mode::Closed)
    }
}

#[test]
fn names_are_compared_with_themselves() {
    assert_eq!(codes(&mix(Fates::default(), 80.0)), [""; 0]);
    let mut uneven = Fates::default();
    uneven.good.record_many(ms(55.0), 12_000);
    let summary = mix(uneven, 80.0);
    assert_eq!(codes(&summary), ["bimodal", "p95_far_from_median"]);
    for sign in of(&summary, false) {
        assert!(sign.text().starts_with("GET /quick: "), "{}", sign.text());
    }
}

#[test]
fn answers_of_two_kinds_are_told_with_both_times() {
    let mut summary = calm(Mode::Open);
    summary.measure.good.record_many(ms(25.0), 12_000);
    // The time of the server counts, and not the wait for a connection.
    assert_eq!(codes(&summary), [""; 0]);
    summary.measure.service.record_many(ms(25.0), 12_000);
    let text = only(&summary, "bimodal");
    assert!(text.contains("for 83.3 % of them, about"), "{text}");
}

/// Stages of these levels, in which answers took so long.
fn staged(stages: &[(f64, f64)]) -> Summary {
    let mut summary = calm(Mode::Closed);
    let length = Nanos(summary.measured.0 / stages.len() as u64);
    for (index, (level, time)) in stages.iter().enumerate() {
        let mut fates = Fates::default();
        fates.good.record_many(ms(*time), 1_000);
        fates.counters.scheduled = 1_000;
        let start = Nanos(length.0 * index as u64);
        let (from, to, events) = (*level, *level, Events::default());
        summary.stages.push(Stage { start, length, from, to, held: Nanos::ZERO, fates, events });
    }
    summary
}

#[test]
fn times_that_grow_with_the_load_are_told_apart_from_times_that_drift() {
    let text =
        only(&staged(&[(10.0, 10.0), (50.0, 20.0), (20.0, 11.0)]), "latency_grows_with_load");
    assert!(text.starts_with("p95 grew 2 times") && text.contains("at 50 connections"), "{text}");
    assert_eq!(codes(&staged(&[(10.0, 10.0), (50.0, 19.0)])), [""; 0]);
    assert_eq!(codes(&staged(&[(10.0, 10.0), (14.0, 30.0)])), [""; 0], "the same load, about");
    assert_eq!(codes(&staged(&[(10.0, 0.1), (50.0, 0.9)])), [""; 0], "too little to notice");
    // Within a stage nothing drifts, though the whole of it rises.
    let mut steps = staged(&[(10.0, 10.0), (20.0, 11.0)]);
    for (second, interval) in (1..).zip(&mut steps.intervals) {
        interval.response_p50 = Some(if second > 30 { ms(18.0) } else { ms(10.0) });
    }
    assert_eq!(codes(&steps), [""; 0]);
}

#[test]
fn medians_that_grow_under_the_same_load_drift() {
    let drifting = |mode, by: f64, noise: f64| {
        let mut summary = calm(mode);
        let mut dice = Dice::of(5, 5, 5);
        for (second, interval) in (1..).zip(&mut summary.intervals) {
            let median = 10.0 + by * f64::from(second) / 60.0 + noise * (dice.unit() - 0.5);
            interval.response_p50 = Some(ms(median));
        }
        summary
    };
    let text = only(&drifting(Mode::Closed, 5.0, 2.0), "latency_drifts");
    assert!(text.contains("of the same load"), "{text}");
    assert_eq!(codes(&drifting(Mode::Closed, 1.0, 0.0)), [""; 0], "a tenth");
    assert_eq!(codes(&drifting(Mode::Closed, 0.0, 8.0)), [""; 0], "noise");
    assert_eq!(codes(&drifting(Mode::Closed, -5.0, 1.0)), [""; 0], "it gets faster");
    // Seconds with so few answers that they have no median are no quick ones.
    let mut waking = drifting(Mode::Closed, -1.0, 1.0);
    waking.intervals[..30].iter_mut().for_each(|second| second.response_p50 = None);
    assert_eq!(codes(&waking), [""; 0]);
    // A backlog grows by itself.
    let mut behind = drifting(Mode::Open, 5.0, 2.0);
    behind.measure.counters.on_schedule = 50_000;
    assert_eq!(codes(&behind), [""; 0]);
}

#[test]
fn pauses_at_a_fixed_period_are_a_saw_tooth_unless_they_are_blasts() {
    let mut summary = calm(Mode::Closed);
    for interval in summary.intervals.iter_mut().step_by(7) {
        interval.response_max = Some(ms(300.0));
    }
    let text = only(&summary, "saw_tooth");
    assert_eq!(text, "the slowest answers peak every 7 s, 8 times: 300 ms against 14 ms otherwise");
    summary.client.pauses = vec![Pause { at: MS, length: ms(50.0) }];
    assert_eq!(codes(&summary), [""; 0]);
}

#[test]
fn where_blast_was_the_limit_times_show_nothing_of_the_server() {
    let mut summary = calm(Mode::Closed);
    summary.measure.good.record_many(ms(52.0), 4_000);
    summary.measure.counters.failures[Kind::Timeout as usize] = 90;
    summary.verdict.limit = Limit::ClientCpu;
    assert_eq!(codes(&summary), ["errors_0_1", "timeouts"]);
}

#[test]
fn one_full_core_among_idle_ones_asks_for_more_workers() {
    let watched = |thread: f64, other: f64| {
        gauges(
            calm(Mode::Closed),
            &[
                ("server.cpu", &|_| 120.0),
                ("server.core_max", &|_| thread),
                ("host.core0", &|_| 99.0),
                ("host.core1", &|_| other),
                ("host.core2", &|_| 60.0),
            ],
        )
    };
    let text = only(&watched(98.6, 40.0), "one_core_full");
    let expected = "the server's busiest thread used 99 % of a core, while 1.01 of this host's \
        cores were idle";
    assert_eq!(text, expected);
    assert_eq!(codes(&watched(90.0, 40.0)), [""; 0]);
    assert_eq!(codes(&watched(98.6, 90.0)), [""; 0], "no room");
    let unknown = gauges(calm(Mode::Closed), &[("server.core_max", &|_| 99.0)]);
    assert_eq!(codes(&unknown), [""; 0], "whether there is room");
    let processes = |used: f64| {
        let host: (&str, &dyn Fn(u64) -> f64) = ("host.core0", &|_| 10.0);
        codes(&gauges(calm(Mode::Closed), &[("server.cpu", &|_| used), host]))
    };
    assert_eq!(processes(99.0), ["one_core_full"]);
    assert_eq!(processes(180.0), [""; 0]);
}

#[test]
fn memory_that_grows_evenly_is_told_and_a_cache_that_fills_up_is_not() {
    let memory = |of: &dyn Fn(u64) -> f64| gauges(calm(Mode::Closed), &[("server.rss", of)]);
    let text = only(&memory(&|second| 2e8 + 1e6 * second as f64), "memory_grows");
    assert!(text.contains("grew by 59.0 MB from 201 MB in 59 s"), "{text}");
    assert_eq!(codes(&memory(&|second| 2e8 + 1e6 * second.min(30) as f64)), [""; 0], "it fills up");
    assert_eq!(codes(&memory(&|second| 2e9 + 5e5 * second as f64)), [""; 0], "one in a hundred");
    assert_eq!(codes(&memory(&|second| 2e8 + 3e7 * (second % 7) as f64)), [""; 0], "to and fro");
}

#[test]
fn a_pool_at_its_maximum_is_full_if_requests_take_longer_then() {
    let pool = |median: f64, held: &dyn Fn(u64) -> f64| {
        let mut summary = calm(Mode::Closed);
        for interval in &mut summary.intervals[20..] {
            interval.response_p50 = Some(ms(median));
        }
        gauges(summary, &[("pool", held)])
    };
    let rises = |second: u64| second.min(20) as f64;
    let text = of(&pool(30.0, &rises), false)[0].text();
    assert!(text.contains("stood at 20 connections for 68.3 % of the time"), "{text}");
    assert!(text.contains("30 ms then, 10 ms while"), "{text}");
    // Those that wait become more and more.
    let mut queue = pool(10.0, &rises);
    for (second, interval) in (0_u32..).zip(&mut queue.intervals[40..]) {
        interval.response_p50 = Some(ms(12.0 + f64::from(second)));
    }
    assert!(codes(&queue).contains(&"pool_full"), "slower in the end");
    assert!(!codes(&pool(12.0, &rises)).contains(&"pool_full"), "no slower");
    assert!(!codes(&pool(30.0, &|_| 20.0)).contains(&"pool_full"), "it never had room");
    let late = |second: u64| second.min(50) as f64;
    assert!(!codes(&pool(30.0, &late)).contains(&"pool_full"), "full for a sixth of the time");
}

#[test]
fn segments_sent_again_are_told_by_their_share() {
    let again = |per_s| gauges(calm(Mode::Closed), &[("host.retransmits", &|_| per_s)]);
    assert_eq!(codes(&again(0.9)), [""; 0]);
    let text = only(&again(1.5), "retransmits");
    assert!(text.starts_with("this host sent 90 segments again, 0.15 %"), "{text}");
}

#[test]
fn chance_makes_no_sign() {
    // Exponential times, the law with the longest tail among the even ones: minutes of them.
    let mut found = Vec::new();
    for seed in 0..1_000 {
        let mut dice = Dice::of(seed, 9, 0);
        let mut summary = calm(Mode::Closed);
        summary.measure.good = Histogram::default();
        for interval in &mut summary.intervals {
            let mut times: Vec<u64> =
                (0..100).map(|_| (-(1.0 - dice.unit()).ln() * 1e7) as u64).collect();
            times.sort_unstable();
            times.iter().for_each(|time| summary.measure.good.record(Nanos(*time)));
            interval.response_p50 = Some(Nanos(times[50]));
            interval.response_max = Some(Nanos(times[99]));
        }
        found.extend(codes(&summary));
    }
    // Its p95 is 4.3 times its median: that is no chance.
    let others: Vec<_> = found.iter().filter(|code| **code != "p95_far_from_median").collect();
    assert!(others.len() <= 10, "{others:?}");
    assert_eq!(found.len() - others.len(), 1_000);
}

#[test]
fn a_run_near_what_blast_can_send_is_told_so_where_nothing_else_was_the_limit() {
    let calibrated = |mode, per_worker_per_s, is_lower_bound| Summary {
        calibration: Some(Calibration {
            per_worker_per_s,
            is_lower_bound,
            cpu_us_per_request: 4.0,
            measured_at: "2026-11-21T20:00:00Z".to_string(),
            apart: None,
        }),
        ..calm(mode)
    };
    // 1,000 a second were sent.
    let text = only(&calibrated(Mode::Open, 1_100.0, false), "near_calibration");
    assert!(
        text.contains("sent 90.9 % of what it can send, as calibrated on 2026-11-21"),
        "{text}"
    );
    assert!(codes(&calibrated(Mode::Open, 1_112.0, false)).is_empty());
    assert!(codes(&calibrated(Mode::Open, 1_000.0, true)).is_empty(), "it may do more");
    for (mode, limit, told) in [
        (Mode::Closed, Limit::Server, true),
        (Mode::Open, Limit::Server, false),
        (Mode::Closed, Limit::ClientCpu, false),
    ] {
        let mut summary = calibrated(mode, 1_000.0, false);
        summary.verdict.limit = limit;
        assert_eq!(codes(&summary).contains(&"near_calibration"), told, "{mode:?} {limit:?}");
    }
}
