//! Runs that never were, of servers that are all arithmetic.

use super::*;
use crate::dice::Dice;
use crate::metrics::{self, Events, Gauges, Heat, Label, Mode, Phase, Unit};
use crate::report::document::{SoakLimit, Trend};

const HOURS: u64 = 8;
/// The real thing reads once a second; its means over a block are all that is looked at.
const STEP_S: u64 = 120;
const SECONDS: u64 = HOURS * 3_600;

/// Twelve uniform numbers, less their mean: near enough to normal.
fn normal(dice: &mut Dice) -> f64 {
    (0..12).map(|_| dice.unit()).sum::<f64>() - 6.0
}

/// What a server does, from 0 to 1 over the run; each is added to its noise.
struct Server {
    p50_us: fn(f64) -> f64,
    rss_mb: fn(f64) -> f64,
    files: fn(f64) -> f64,
    errors: fn(f64) -> f64,
}

const CALM: Server = Server { p50_us: |_| 0.0, rss_mb: |_| 0.0, files: |_| 0.0, errors: |_| 0.0 };

fn soak(server: &Server, seed: u64) -> Soak {
    let mut dice = Dice::of(seed, 3, 0);
    let mut drift = Drift::new(Settings::of(Some(Nanos::from_secs(SECONDS)), None));
    let mut summary = metrics::fixture::blank(Mode::Open);
    summary.measured = Nanos::from_secs(SECONDS);
    summary.server = Some(metrics::Server { pid: 7, name: "app".to_string(), processes: 1 });
    summary.measure.counters.scheduled = SECONDS * 100;
    let label = |name, unit| Label::new(name, unit);
    let mut gauges = Gauges::new(
        Nanos::from_secs(STEP_S),
        vec![
            label("server.rss", Unit::Bytes),
            label("server.fds", Unit::Count),
            label("server.threads", Unit::Count),
            label("pool", Unit::Count),
            label("sample.orders", Unit::Number),
        ],
    );
    // What lasts for some minutes: neighbours keep 0.7 of each other.
    let mut lasting = [0.0; 3];
    for end in (STEP_S..=SECONDS).step_by(STEP_S as usize) {
        let x = end as f64 / SECONDS as f64;
        for level in &mut lasting {
            *level = 0.7 * *level + 0.7 * normal(&mut dice);
        }
        let p50 = 2_000.0 + 80.0 * lasting[0] + (server.p50_us)(x);
        let fates = answered(p50, &mut dice);
        let failed = (server.errors)(x).max(0.0) as u64 + dice.below(2);
        let interval = interval(end, failed);
        drift.interval(&interval, &fates);
        summary.intervals.push(interval);
        gauges.push(
            Nanos::from_secs(end),
            &[
                Some((500.0 + 6.0 * lasting[1] + (server.rss_mb)(x)) * 1e6),
                Some((300.0 + 3.0 * lasting[2] + (server.files)(x)).round()),
                Some(16.0),
                Some(10.0 + dice.below(3) as f64),
                Some(1e3 * x),
            ],
        );
    }
    summary.gauges = Some(gauges);
    drift.judge(&summary, &Limits { files: Some(1_024.0), memory_left: Some(1e9) })
}

/// A hundred good ones, some of them ten times as slow.
fn answered(p50_us: f64, dice: &mut Dice) -> Fates {
    let mut fates = Fates::default();
    for at in 0..500 {
        let by = if at % 20 == 0 { 10.0 } else { 1.0 };
        let us = p50_us * by * (0.9 + 0.2 * dice.unit());
        fates.good.record(Nanos::from_micros(us as u64));
    }
    fates
}

fn interval(end_s: u64, failed: u64) -> Interval {
    Interval {
        end: Nanos::from_secs(end_s),
        phase: Phase::Measure,
        stage: 0,
        events: Events { failed, ..Events::default() },
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

fn trend<'a>(soak: &'a Soak, name: &str) -> &'a Trend {
    soak.trends.iter().find(|trend| trend.name == name).unwrap()
}

#[test]
fn a_stable_server_is_called_so_in_nineteen_of_twenty_runs() {
    let verdicts: Vec<Soak> = (0..20).map(|seed| soak(&CALM, seed)).collect();
    let stable = verdicts.iter().filter(|soak| soak.verdict == "stable").count();
    assert!(stable >= 19, "{stable}: {:?}", verdicts.iter().map(|soak| &soak.sentences));
    let told = &verdicts[0];
    assert_eq!((told.block_s, told.settled_s), (240.0, 2_880.0));
    assert_eq!(trend(told, "server.rss").values.len(), 108);
    // What a user counts may grow as it likes.
    let own = trend(told, "sample.orders");
    assert_eq!((own.state.as_str(), own.growth_is.as_deref()), ("grows", None));
    assert!(
        told.sentences[0]
            .starts_with("in 7h 12m (the first 48m left out) nothing grew for certain"),
        "{told:?}"
    );
}

#[test]
fn a_leak_is_found_with_its_pace_and_with_when_it_ends() {
    // 2 % an hour: 80 MB over the run.
    let leaking = Server { rss_mb: |x| 80.0 * x, ..CALM };
    let found = (0..5).filter(|seed| {
        let soak = soak(&leaking, *seed);
        let rss = trend(&soak, "server.rss");
        let slope = rss.slope_per_h.unwrap() / 1e6;
        soak.verdict == "leaking" && (slope - 10.0).abs() < 2.5
    });
    assert_eq!(found.count(), 5);
    let soak = soak(&leaking, 1);
    let rss = trend(&soak, "server.rss");
    let (low, high) = (rss.slope_per_h_low.unwrap(), rss.slope_per_h_high.unwrap());
    assert!(low < 10e6 && 10e6 < high && high - low < 8e6, "{low} {high}");
    // A gigabyte at 10 MB an hour.
    let Some(SoakLimit { reached_in_h, .. }) = rss.limit else { panic!("{rss:?}") };
    assert!((80.0..125.0).contains(&reached_in_h), "{reached_in_h}");
    let sentence = &soak.sentences[0];
    assert!(sentence.starts_with("the server's memory grows by "), "{sentence}");
    assert!(sentence.contains("at this pace this host's memory is used up"), "{sentence}");
}

#[test]
fn files_that_are_never_closed_reach_their_limit() {
    let soak = soak(&Server { files: |x| 400.0 * x, ..CALM }, 5);
    assert_eq!(soak.verdict, "leaking");
    let limit = trend(&soak, "server.fds").limit.as_ref().unwrap();
    // 700 of 1,024 at the end, 50 more an hour.
    assert!((5.5..7.5).contains(&limit.reached_in_h), "{limit:?}");
    assert!(soak.sentences[0].contains("the limit of 1,024 is reached"), "{:?}", soak.sentences);
}

#[test]
fn what_only_fills_up_or_steps_is_no_leak() {
    type Shape = (&'static str, fn(f64) -> f64);
    let shapes: [Shape; 4] = [
        ("a step at the start", |x| if x > 0.05 { 200.0 } else { 0.0 }),
        ("a step in the middle", |x| if x > 0.5 { 200.0 } else { 0.0 }),
        ("a cache that fills", |x| 200.0 * (1.0 - (-6.0 * x).exp())),
        ("a cache that is given up", |x| -200.0 * x),
    ];
    for (name, shape) in shapes {
        let soak = soak(&Server { rss_mb: shape, ..CALM }, 2);
        assert_eq!(soak.verdict, "stable", "{name}: {:?}", soak.sentences);
    }
}

#[test]
fn answers_that_get_slower_or_worse_are_degrading_and_a_leak_beside_them_is_leaking() {
    let slower = Server { p50_us: |x| 1_000.0 * x, ..CALM };
    assert_eq!(soak(&slower, 1).verdict, "degrading");
    let found = soak(&slower, 1);
    let p50 = trend(&found, "response.p50");
    // 50 % of 2 ms over 8 h.
    assert!((100.0..150.0).contains(&p50.slope_per_h.unwrap()), "{p50:?}");
    // Of 100 requests a second none at first, and in the end one in 120.
    let worse = soak(&Server { errors: |x| 100.0 * (x - 0.4), ..CALM }, 1);
    assert_eq!(worse.verdict, "degrading", "{:?}", worse.sentences);
    assert!(trend(&worse, "errors").is_harm());
    let both = Server { rss_mb: |x| 200.0 * x, ..slower };
    let both = soak(&both, 1);
    assert_eq!((both.verdict.as_str(), both.sentences.len()), ("leaking", 3), "{both:?}");
}

#[test]
fn a_short_run_says_that_it_is_one() {
    let drift = Drift::new(Settings::of(Some(Nanos::from_secs(60)), None));
    let mut summary = metrics::fixture::blank(Mode::Open);
    summary.measured = Nanos::from_secs(60);
    let soak = drift.judge(&summary, &Limits::default());
    assert_eq!(soak.verdict, "too_short");
    assert_eq!(
        soak.sentences[0],
        "54 s are judged, after the first 6 s, and it takes 20 blocks of 10 s; run it for 4m or more"
    );
    assert!(soak.sentences[1].contains("no server was watched"), "{:?}", soak.sentences);
}

#[test]
fn what_is_left_out_at_the_start_comes_on_top_of_what_is_judged() {
    let settle = Some(Nanos::from_secs(600));
    let drift = Drift::new(Settings::of(Some(Nanos::from_secs(660)), settle));
    let mut summary = metrics::fixture::blank(Mode::Open);
    summary.measured = Nanos::from_secs(660);
    let soak = drift.judge(&summary, &Limits::default());
    assert!(soak.sentences[0].ends_with("run it for 14m or more"), "{:?}", soak.sentences);
}

#[test]
fn a_p99_of_too_few_requests_a_block_is_said_to_be_unjudged() {
    let mut drift = Drift::new(Settings::of(None, None));
    let mut summary = metrics::fixture::blank(Mode::Open);
    summary.measured = Nanos::from_secs(600);
    for end in 1..=600 {
        let mut fates = Fates::default();
        fates.good.record_many(Nanos::from_millis(5), 10);
        drift.interval(&interval(end, 0), &fates);
    }
    let soak = drift.judge(&summary, &Limits::default());
    let unjudged: Vec<&String> =
        soak.sentences.iter().filter(|one| one.contains("is not judged")).collect();
    assert!(soak.verdict == "stable" && unjudged.len() == 1, "{soak:?}");
    assert!(unjudged[0].contains("p99") && unjudged[0].contains("blocks of 10 s"), "{soak:?}");
}

#[test]
fn times_of_a_run_that_blast_could_not_keep_up_with_are_not_judged() {
    let mut drift = Drift::new(Settings::of(None, None));
    let mut summary = metrics::fixture::blank(Mode::Open);
    summary.measured = Nanos::from_secs(600);
    summary.verdict.limit = metrics::Limit::ClientCpu;
    for end in 1..=600 {
        let mut fates = Fates::default();
        fates.good.record_many(Nanos::from_millis(end), 100);
        drift.interval(&interval(end, 0), &fates);
    }
    let judged = drift.judge(&summary, &Limits::default());
    assert_eq!(trend(&judged, "response.p50").state, "grows");
    assert_eq!(judged.verdict, "stable");
    summary.verdict.limit = metrics::Limit::None;
    assert_eq!(drift.judge(&summary, &Limits::default()).verdict, "degrading");
}
