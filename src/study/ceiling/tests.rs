//! Ceilings that are known, of servers that are all arithmetic.

use super::simulated::{Simulated, clock, plan, users};
use super::*;
use crate::metrics::Rejection;
use crate::plan::{Law, Load, Offered, Plan, Rate};
use crate::time::Nanos;

const BUDGET: Nanos = Nanos::from_secs(60);

struct Found {
    finding: Finding,
    took: f64,
}

impl Found {
    fn low(&self) -> f64 {
        self.finding.low.as_ref().map_or(0.0, |probe| probe.level)
    }

    fn stopped_by(&self) -> String {
        match self.finding.high.as_ref().map(|probe| &probe.outcome) {
            Some(Outcome::Fails { by, .. } | Outcome::Blast { by, .. }) => by.clone(),
            _ => String::new(),
        }
    }
}

fn look(mut server: Simulated, plan: Plan, over: Over, settings: &Settings) -> Found {
    let mut tell = |_: &Probe| {};
    let began = clock();
    let field = Field::new(&mut server, plan, false, &mut tell).over(over).within(settings.budget);
    let mut field = field.by(clock);
    let finding = search(&mut field, settings).expect("a search");
    Found { finding, took: (clock() - began).as_secs_f64() }
}

fn look_for_rate(server: Simulated, plan: Plan) -> Found {
    look(server, plan, Over::Rate, &Settings::rate(BUDGET))
}

#[test]
fn a_capacity_is_found_within_3_percent_in_nine_of_ten_and_in_a_minute() {
    for (capacity, rule, trials) in
        [(200.0, "p99<100ms", 10), (200.0, "errors<0.1%", 5), (1_000.0, "p99<50ms", 5)]
    {
        let (mut near, mut confirmed) = (0, 0);
        for seed in 0..trials {
            let server = Simulated {
                // A host that takes 20 ms from the server now and then.
                pauses: Some((4.0, 0.02)),
                ..Simulated::of(1.0 / capacity, seed)
            };
            let found = look_for_rate(server, plan(&[rule]));
            assert!(found.took <= 60.0, "{capacity} {seed}: {} s", found.took);
            near += u64::from((found.low() / capacity - 1.0).abs() <= 0.03);
            confirmed += u64::from(found.finding.confirmed);
        }
        assert!(near * 10 >= trials * 9, "{capacity}, {rule}: {near} of {trials}");
        assert!(confirmed * 10 >= trials * 7, "{capacity}, {rule}: {confirmed} of {trials}");
    }
}

/// The share that waits no longer than `t` in M/D/1 (Erlang, 1909): a sum that alternates, exact
/// enough for times of some services.
fn waits_at_most(t: f64, rate: f64, service: f64) -> f64 {
    let term = |k: u32| {
        let x = rate * (t - f64::from(k) * service);
        (1..=k).fold(x.exp(), |product, i| product * -x / f64::from(i))
    };
    (1.0 - rate * service) * (0..=(t / service) as u32).map(term).sum::<f64>()
}

#[test]
fn where_latency_rises_as_in_m_d_1_the_ceiling_is_where_theory_has_p99_at_the_threshold() {
    let (service, limit) = (0.001, 0.008);
    let (mut least, mut most) = (1.0, 999.0);
    while most - least > 0.01 {
        let rate = (least + most) / 2.0;
        let holds = waits_at_most(limit - service, rate, service) >= 0.99;
        *(if holds { &mut least } else { &mut most }) = rate;
    }
    assert!((600.0..900.0).contains(&least), "{least}");
    let near = (0..6).filter(|seed| {
        let law = Law::Poisson { seed: *seed * 1_000 };
        let load = Load::Open(Offered::steady(Rate::per_second(1), law));
        let plan = Plan { load, ..plan(&["p99<8ms"]) };
        let settings = Settings::rate(Nanos::from_secs(120));
        let found = look(Simulated::of(service, *seed), plan, Over::Rate, &settings);
        assert!(found.took <= 120.0, "{}", found.took);
        (found.low() / least - 1.0).abs() <= 0.05
    });
    assert!(near.count() >= 5);
}

#[test]
fn what_is_insisted_on_ends_when_it_is_lost_and_says_so() {
    let mut server = Simulated::of(0.001, 1);
    let (plan, mut told) = (plan(&["p99<50ms"]), Vec::new());
    let mut tell = |probe: &Probe| told.push(probe.clone());
    let mut field = Field::new(&mut server, plan, false, &mut tell).by(clock);
    field.burst().expect("a burst");
    let held = field.insist(900.0, 2.0).expect("a probe");
    assert!(held.holds() && held.length == Nanos::from_secs(2), "{held:?}");
    // A quarter of a second of warm-up and 0.3 s later they wait for 50 ms, which 22 of 2,200 may.
    let lost = field.insist(1_100.0, 2.0).expect("a probe");
    assert!(lost.fails() && lost.carried.is_none() && !lost.clear, "{lost:?}");
    assert_eq!(lost.length, Nanos::from_millis(500));
    let (by, why) = lost.outcome.cause();
    assert_eq!(by.as_deref(), Some("threshold p99<50ms"));
    let ended = "of 2,200 took longer than 50 ms when the run was ended";
    assert!(why.is_some_and(|why| why.ends_with(ended)), "{lost:?}");
    // A probe goes on to its end, for what it carried.
    let whole = field.probe(1_100.0, 2.0).expect("a probe");
    assert!(whole.fails() && whole.length == Nanos::from_secs(2), "{whole:?}");
    assert!(whole.carried.is_some_and(|carried| (carried * 1.1 - 1.0).abs() < 0.01));
    assert_eq!(told, [held, lost, whole]);
}

#[test]
fn errors_from_a_rate_on_are_the_ceiling_and_a_rate_limit_is_told_apart() {
    for (kind, by) in [(Rejection::Status5xx, "errors"), (Rejection::Status429, "rate_limit")] {
        for seed in 0..2 {
            let limit = Some((800.0, kind));
            let server = Simulated { limit, ..Simulated::of(0.000_1, seed) };
            let found = look_for_rate(server, plan(&["errors<0.1%"]));
            assert!((found.low() / 800.0 - 1.0).abs() <= 0.03, "{}", found.low());
            let stopped_by = found.stopped_by();
            assert!([by, "threshold errors<0.1%"].contains(&&*stopped_by), "{stopped_by}");
            assert!(by != "rate_limit" || stopped_by == by, "{stopped_by}");
            assert!(found.finding.confirmed);
        }
    }
}

#[test]
fn of_a_target_faster_than_blast_the_answer_is_that_blast_was_the_limit() {
    let server = Simulated { own: 3_000.0, ..Simulated::of(0.000_02, 1) };
    let found = look_for_rate(server, plan(&["p99<20ms"]));
    assert!(found.low() <= 3_000.0 && found.low() > 2_900.0, "{}", found.low());
    let high = found.finding.high.unwrap();
    assert!(matches!(&high.outcome, Outcome::Blast { by, .. } if by == "client_cpu"));
    assert_eq!(high.change.as_deref(), Some("give blast more cores"));
}

#[test]
fn connections_are_as_many_as_wait_no_longer_than_the_threshold() {
    // A closed loop of N has each wait for all others: N services.
    for (rule, service, most) in
        [("p99<10ms", 0.000_2, 49.0), ("p50<100ms", 0.000_2, 499.0), ("p95<3ms", 0.001, 2.0)]
    {
        let settings = Settings::number(BUDGET, 64, 10_000);
        let found = look(Simulated::of(service, 1), plan(&[rule]), Over::Connections, &settings);
        let (low, high) = (found.low(), found.finding.high.clone().unwrap().level);
        assert!(low <= most && most < high + 1.0, "{low} {most} {high}");
        assert!(high / low <= 1.03 || high - low <= 1.0, "{low} {high}");
        assert!(found.finding.confirmed && found.took <= 60.0, "{}", found.took);
        assert_eq!(found.finding.low.unwrap().connections, low as u32);
    }
}

#[test]
fn of_a_slow_server_the_probes_are_as_long_as_the_rule_takes() {
    let found = look_for_rate(Simulated::of(0.02, 1), plan(&["p99<500ms"]));
    assert!((found.low() / 50.0 - 1.0).abs() <= 0.06, "{}", found.low());
    assert!(found.finding.recovered && !found.finding.untold && found.took <= 62.0);
    // 12 s of 10/s are no 500: that is said, and no rate is said to have failed.
    let found = look_for_rate(Simulated::of(0.1, 1), plan(&["p99<5s"]));
    let Finding { low, high, untold, interrupted, .. } = &found.finding;
    assert!(low.is_none() && high.is_none() && *untold && !interrupted, "{:?}", found.finding);
    let last = found.finding.probes.last().unwrap();
    assert!(matches!(&last.outcome, Outcome::Unknown { why, .. } if why.starts_with("too few")));
    assert!(found.took < 30.0, "{}", found.took);
    let found = look_for_rate(Simulated::of(0.1, 1), plan(&["p90<5s"]));
    assert!((found.low() / 10.0 - 1.0).abs() <= 0.1 && found.finding.recovered, "{}", found.low());
}

#[test]
fn a_number_of_connections_is_looked_at_for_as_long_as_its_rule_takes() {
    // The few that look whether the server is calm send more per second than many do for long.
    let settings = Settings::number(BUDGET, 64, 10_000);
    let plan = plan(&["p99<100ms"]);
    let found = look(Simulated::of(0.005, 1), plan, Over::Connections, &settings);
    assert!((18.0..=20.0).contains(&found.low()), "{} {:?}", found.low(), found.finding);
    assert!(!found.finding.untold && found.took <= 62.0, "{}", found.took);
}

#[test]
fn users_who_think_are_as_many_as_a_long_run_with_them_bears() {
    let server = |seed| Simulated { think: (0.5, 1.5), ..Simulated::of(0.002, seed) };
    let rule = "p95<30ms";
    let holds = |number: u32| {
        let long = Nanos::from_secs(100);
        let load = Load::CLOSED;
        let plan = Plan { load, connections: number, duration: Some(long), ..plan(&[rule]) };
        let summary = crate::study::Runner::run(&mut server(99), &plan).unwrap();
        plan.thresholds[0].judge(&summary).ok
    };
    let (mut least, mut most) = (1, 2_000);
    while most - least > 1 {
        let number = (least + most) / 2;
        *(if holds(number) { &mut least } else { &mut most }) = number;
    }
    // One that services as fast as it can bears 502.
    assert!((300..=500).contains(&least), "{least}");
    for seed in 0..3 {
        let settings = Settings::number(Nanos::from_secs(120), 64, 10_000);
        let plan = users(&server(seed), &[rule]);
        let found = look(server(seed), plan, Over::Users, &settings);
        assert!((found.low() / f64::from(least) - 1.0).abs() <= 0.05, "{} {least}", found.low());
        assert_eq!(found.stopped_by(), "threshold p95<30ms");
    }
}
