//! The search in a world that is all arithmetic.

use super::*;
use crate::dice::Dice;

/// A server of known capacity, and a host that now and then disturbs a probe.
struct Model {
    capacity: f64,
    /// blast sends no more than this.
    own: f64,
    /// The share of probes that fail for no reason.
    noise: f64,
    /// The share of overloads in which blast looks like the limit.
    pauses: f64,
    /// Of the runs that confirm.
    noise_of_long: f64,
    dice: Dice,
    clock: Nanos,
    /// Interrupted at this probe.
    until: usize,
    /// Interrupted before the first one.
    is_interrupted: bool,
    probes: usize,
    connections: u32,
    per_connection: f64,
    /// What twice the connections carry of what these do.
    of_twice: f64,
    /// At its limit no connection is free.
    looks_narrow: bool,
}

impl Model {
    fn of(capacity: f64) -> Model {
        Model {
            capacity,
            own: f64::INFINITY,
            noise: 0.0,
            noise_of_long: 0.0,
            pauses: 0.0,
            dice: Dice::of(1, 0, 0),
            clock: Nanos::ZERO,
            until: usize::MAX,
            is_interrupted: false,
            probes: 0,
            connections: 64,
            per_connection: f64::INFINITY,
            of_twice: 1.0,
            looks_narrow: false,
        }
    }

    /// As many as there are connections for, and no more than it can.
    fn carries(&self) -> f64 {
        let doublings = (f64::from(self.connections) / 64.0).log2();
        let most = f64::from(self.connections) * self.per_connection;
        (self.capacity * self.of_twice.powf(doublings)).min(most)
    }

    fn outcome(&mut self, rate: f64) -> Outcome {
        let fails = |by: &str| Outcome::Fails { by: by.to_string(), why: String::new() };
        let few = rate > f64::from(self.connections) * self.per_connection;
        let full = rate > self.carries();
        match () {
            () if self.probes > self.until => Outcome::Interrupted,
            () if rate > self.own => {
                Outcome::Blast { by: "client_cpu".to_string(), why: String::new() }
            }
            () if few => fails("connections"),
            () if full && self.dice.unit() < self.pauses => {
                Outcome::Blast { by: "client_cpu".to_string(), why: String::new() }
            }
            () if full && self.looks_narrow => fails("connections"),
            () if full => fails("rate"),
            () if self.dice.unit() < self.noise => fails("threshold p99<10ms"),
            () => Outcome::Holds,
        }
    }
}

impl Prober for Model {
    fn burst(&mut self) -> Result<Option<f64>> {
        self.clock += Nanos::from_secs(2);
        // A burst is never quite what an open loop can carry.
        let most = self.capacity.min(self.own);
        Ok((most > 0.0).then(|| most * (0.8 + 0.4 * self.dice.unit())))
    }

    fn takes(&self, _: f64, times: f64) -> Nanos {
        Nanos::from_millis((1_300.0 * times) as u64 + 300)
    }

    fn probe(&mut self, rate_per_s: f64, times: f64) -> Result<Probe> {
        self.probes += 1;
        let length = Nanos::from_millis((1_300.0 * times) as u64);
        self.clock += length;
        let is_disturbed = times > 1.0 && self.dice.unit() < self.noise_of_long;
        let outcome = match self.outcome(rate_per_s) {
            Outcome::Holds if is_disturbed => {
                Outcome::Fails { by: "threshold p99<10ms".to_string(), why: String::new() }
            }
            outcome => outcome,
        };
        let carried = (self.carries() / rate_per_s).min(1.0);
        let (p50, p99, p99_9) = (None, None, None);
        let (connections, errors) = (self.connections, 0.0);
        let good_per_s = rate_per_s * carried;
        Ok(Probe {
            level: rate_per_s,
            rate_per_s,
            length,
            connections,
            good_per_s,
            errors,
            p50,
            p99,
            p99_9,
            outcome,
            carried: Some(carried),
            clear: carried < 0.9,
            change: None,
        })
    }

    fn insist(&mut self, rate_per_s: f64, times: f64) -> Result<Probe> {
        self.probe(rate_per_s, times)
    }

    fn settle(&mut self) -> Result<bool> {
        self.clock += Nanos::from_millis(300);
        Ok(true)
    }

    fn widen(&mut self) -> Result<bool> {
        self.connections *= 2;
        Ok(self.connections <= 1_024)
    }

    fn narrow(&mut self, connections: u32) {
        self.connections = connections;
    }

    fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    fn elapsed(&self) -> Nanos {
        self.clock
    }
}

const SETTINGS: Settings = Settings {
    budget: Nanos::from_secs(60),
    precision: 0.015,
    most: 1e7,
    least: 1.0,
    first: None,
    step: 0.0,
    tries: 3,
    insists: true,
};

#[test]
fn any_capacity_is_found_within_the_precision_and_the_budget() {
    for seed in 0..200 {
        let mut dice = Dice::of(seed, 0, 0);
        let capacity = 10f64.powf(1.0 + 5.0 * dice.unit());
        let mut model = Model { dice, ..Model::of(capacity) };
        let found = search(&mut model, &SETTINGS).unwrap();
        let (low, high) = (found.low.unwrap().rate_per_s, found.high.unwrap().rate_per_s);
        assert!(low <= capacity && capacity <= high, "{low} {capacity} {high}");
        assert!(high / low <= 1.015 && found.confirmed && !found.hurried);
        assert!(model.clock <= SETTINGS.budget, "{:?}", model.clock);
    }
}

#[test]
fn a_host_that_disturbs_one_probe_in_ten_hardly_moves_the_answer() {
    let near = (0..100).filter(|seed| {
        let mut model = Model { noise: 0.1, dice: Dice::of(*seed, 0, 0), ..Model::of(5_000.0) };
        let found = search(&mut model, &SETTINGS).unwrap();
        found.low.is_some_and(|low| (low.rate_per_s / 5_000.0 - 1.0).abs() < 0.03)
    });
    assert!(near.count() >= 90);
}

#[test]
fn a_host_that_disturbs_every_third_probe_leaves_an_answer_near_the_true_one() {
    let found = |seed: u64| {
        let mut model = Model { noise: 0.33, dice: Dice::of(seed, 0, 0), ..Model::of(5_000.0) };
        search(&mut model, &SETTINGS).unwrap().low.map(|low| low.rate_per_s)
    };
    let rates: Vec<f64> = (0..100).filter_map(found).collect();
    assert_eq!(rates.len(), 100, "some found none");
    let near = rates.iter().filter(|rate| (*rate / 5_000.0 - 1.0).abs() < 0.05).count();
    assert!(near >= 85, "{near} of 100 within 5 %: {rates:?}");
}

#[test]
fn a_host_that_disturbs_most_long_runs_leaves_an_answer_as_long_as_there_is_time() {
    let found = |seed: u64| {
        let dice = Dice::of(seed, 0, 0);
        let mut model = Model { noise_of_long: 0.8, noise: 0.1, dice, ..Model::of(5_000.0) };
        let found = search(&mut model, &SETTINGS).unwrap();
        assert!(model.clock <= SETTINGS.budget + Nanos::from_secs(5), "{:?}", model.clock);
        found.low.is_some()
    };
    let answers = (0..100).filter(|seed| found(*seed)).count();
    assert!(answers >= 99, "{answers} of 100");
}

#[test]
fn where_blast_is_the_limit_the_answer_says_so() {
    let mut model = Model { own: 3_000.0, ..Model::of(1e6) };
    let found = search(&mut model, &SETTINGS).unwrap();
    assert!(matches!(found.high.unwrap().outcome, Outcome::Blast { .. }));
    assert!(found.low.unwrap().rate_per_s <= 3_000.0);
}

#[test]
fn a_pause_of_the_host_does_not_make_blast_the_limit() {
    let own = |seed: u64, pauses: f64| {
        let model = Model { pauses, dice: Dice::of(seed, 0, 0), ..Model::of(1_000.0) };
        let found = search(&mut { model }, &SETTINGS).unwrap();
        matches!(found.high.unwrap().outcome, Outcome::Blast { .. })
    };
    let wrong = (0..100).filter(|seed| own(*seed, 0.1)).count();
    assert!(wrong <= 2, "{wrong} of 100");
    assert!((0..100).all(|seed| own(seed, 1.0)), "a host that always does is the limit");
}

#[test]
fn too_few_connections_become_more() {
    let mut model = Model { per_connection: 10.0, ..Model::of(5_000.0) };
    let found = search(&mut model, &SETTINGS).unwrap();
    let low = found.low.unwrap();
    assert!((low.rate_per_s / 5_000.0 - 1.0).abs() < 0.03 && low.connections >= 512);
    // What fewer did not carry is no sign of an unsteady host, which would take all the time.
    assert!(model.clock < Nanos::from_secs(45), "{:?}", model.clock);
}

#[test]
fn a_server_at_its_limit_that_leaves_no_connection_free_is_not_given_more() {
    for of_twice in [1.0, 0.85] {
        let model = Model::of(5_000.0);
        let mut model = Model { looks_narrow: true, of_twice, ..model };
        let found = search(&mut model, &SETTINGS).unwrap();
        let (low, high) = (found.low.unwrap(), found.high.unwrap());
        assert!((low.rate_per_s / 5_000.0 - 1.0).abs() < 0.02, "{}", low.rate_per_s);
        assert_eq!((low.connections, high.connections), (64, 64));
        let by = high.outcome.cause().0;
        assert_eq!((by.as_deref(), found.confirmed), (Some("rate"), true));
        // That it is no help is seen at the first step: no time is spent on further ones.
        let widest = found.probes.iter().map(|probe| probe.connections).max();
        assert_eq!(widest, Some(128));
    }
}

#[test]
fn arrivals_by_chance_are_not_insisted_on_and_a_limit_of_blasts_own_is_not() {
    let probes = |settings: Settings, own: bool| {
        let mut model = Model::of(5_000.0);
        let mut tried = |rate| model.probe(rate, 1.0).unwrap();
        let (low, mut high) = (tried(3_000.0), tried(5_100.0));
        if own {
            high.outcome = Outcome::Blast { by: "client_cpu".to_string(), why: String::new() };
        }
        let mut searched = Search::new(&mut model, settings);
        searched.finding.burst_per_s = Some(5_000.0);
        (searched.finding.low, searched.finding.high) = (Some(low), Some(high));
        searched.insist().unwrap();
        (searched.finding.probes.len(), searched.finding.low.unwrap().level)
    };
    let (tried, held) = probes(SETTINGS, false);
    assert!(tried >= 4 && held >= 4_900.0, "{tried} {held}");
    assert_eq!(probes(SETTINGS.by_chance(), false), (0, 3_000.0));
    assert_eq!(probes(SETTINGS, true), (0, 3_000.0));
}

#[test]
fn whatever_the_time_the_upper_end_is_the_lowest_that_failed_above() {
    let mut with_end = 0;
    for budget in (4_000..40_000).step_by(500).map(Nanos::from_millis) {
        let mut model = Model::of(5_000.0);
        let mut tried = |rate| model.probe(rate, 1.0).unwrap();
        let (low, high) = (tried(3_000.0), tried(5_100.0));
        // It had failed before, so the host is unsteady.
        let failed = Probe { outcome: high.outcome.clone(), ..low.clone() };
        let mut searched = Search::new(&mut model, Settings { budget, ..SETTINGS });
        searched.finding.probes = vec![failed, Probe { level: 3_030.0, ..high.clone() }];
        searched.finding.burst_per_s = Some(5_000.0);
        (searched.finding.low, searched.finding.high) = (Some(low.clone()), Some(high));
        searched.insist().unwrap();
        let Finding { low: Some(held), high, probes, .. } = searched.finding else { panic!() };
        if held == low {
            continue;
        }
        let above = probes.iter().filter(|probe| probe.fails() && probe.level > held.level);
        let least = above.min_by(|one, other| one.level.total_cmp(&other.level));
        assert_eq!(high.as_ref(), least, "{budget:?}");
        with_end += usize::from(high.is_some());
    }
    assert!(with_end > 40, "{with_end}");
}

#[test]
fn between_two_neighbours_there_is_nothing_to_insist_on_even_on_an_unsteady_host() {
    let settings = Settings { insists: true, ..Settings::number(Nanos::from_secs(60), 4, 100) };
    let mut model = Model::of(5.0);
    let mut tried = |level| model.probe(level, 1.0).unwrap();
    let (low, high) = (tried(5.0), tried(6.0));
    let mut searched = Search::new(&mut model, settings);
    searched.finding.confirmed = true;
    // It had failed at the same number.
    searched.finding.probes = vec![Probe { outcome: high.outcome.clone(), ..low.clone() }];
    (searched.finding.low, searched.finding.high) = (Some(low), Some(high));
    searched.insist().unwrap();
    assert_eq!((searched.finding.probes.len(), searched.finding.confirmed), (1, true));
}

#[test]
fn connections_stopped_it_only_if_more_of_them_carry_more() {
    for (per_connection, by, help) in [(10.0, "connections", true), (100.0, "rate", false)] {
        let mut model = Model { per_connection, looks_narrow: true, ..Model::of(1_200.0) };
        let low = model.probe(600.0, 1.0).unwrap();
        let lacking = Outcome::Fails { by: "connections".to_string(), why: String::new() };
        let high = Probe { outcome: lacking, ..model.probe(1_250.0, 1.0).unwrap() };
        // At 1,250/s 64 connections of 10/s each are too few, and twice as many are enough.
        model.capacity = if help { 2_000.0 } else { 1_200.0 };
        let mut searched = Search::new(&mut model, SETTINGS);
        (searched.finding.low, searched.finding.high) = (Some(low), Some(high));
        searched.finding.confirmed = true;
        searched.ask_for_more().unwrap();
        let stopped = searched.finding.high.unwrap().outcome.cause().0;
        assert_eq!((stopped.as_deref(), searched.finding.more_help), (Some(by), Some(help)));
    }
}

#[test]
fn an_interrupt_keeps_what_is_known() {
    for until in 0..7 {
        let mut model = Model { until, ..Model::of(5_000.0) };
        let found = search(&mut model, &SETTINGS).unwrap();
        assert!(found.interrupted && !found.confirmed && found.probes.len() == until + 1);
        let held = found.probes.iter().any(Probe::holds);
        assert_eq!(found.low.is_some(), held);
    }
    // Nothing is known before the first one, and that it was interrupted is.
    let mut model = Model { is_interrupted: true, ..Model::of(0.0) };
    let found = search(&mut model, &SETTINGS).unwrap();
    assert!(found.interrupted && found.burst_per_s.is_none() && found.probes.is_empty());
    // Nor is it lost by one in the confirmation: what failed, and why.
    let whole = search(&mut Model::of(5_000.0), &SETTINGS).unwrap();
    for until in 0..whole.probes.len() - 1 {
        let mut model = Model { until, ..Model::of(5_000.0) };
        let found = search(&mut model, &SETTINGS).unwrap();
        let is_known = |high: Probe| matches!(high.outcome, Outcome::Fails { .. });
        assert!(found.interrupted && found.high.is_none_or(is_known), "{until}");
        assert_eq!(found.more_help, None, "{until}");
    }
}

#[test]
fn what_holds_at_last_after_it_had_failed_leaves_what_failed_above_it() {
    let mut model = Model::of(5_000.0);
    let mut tried = |rate| model.probe(rate, 1.0).unwrap();
    let probes = vec![tried(6_000.0), tried(5_200.0), tried(4_900.0)];
    let again = tried(5_000.0);
    model.clock = SETTINGS.budget;
    let mut searched = Search::new(&mut model, SETTINGS);
    searched.finding.probes = probes;
    assert!(searched.go_on_from(again).unwrap());
    let ends = (searched.finding.low.unwrap().level, searched.finding.high.unwrap().level);
    assert_eq!((ends, searched.finding.hurried), ((5_000.0, 5_200.0), true));
}

#[test]
fn a_server_that_answers_nothing_has_no_ceiling_and_one_that_meets_nothing_no_low_end() {
    let found = search(&mut Model::of(0.0), &SETTINGS).unwrap();
    assert_eq!((found.burst_per_s, found.low, found.probes.len()), (None, None, 0));
    let mut hopeless = Model { noise: 1.0, ..Model::of(1_000.0) };
    let found = search(&mut hopeless, &SETTINGS).unwrap();
    assert!(found.low.is_none() && found.high.is_some() && !found.confirmed);
}
