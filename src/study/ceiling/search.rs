//! Which rate is tried next.
//!
//! ```text
//! bracket   from the burst up or down until one rate holds and a higher one fails
//! bisect    half way between them, until they are `precision` apart
//! confirm   the lower one for longer; the higher one must fail again
//! ```
//!
//! On a host with other work a server that can do it fails now and then: a probe that fails is
//! repeated, unless it fell clearly short, and only two failures count.

use super::probe::{Outcome, Probe};
use crate::error::Result;
use crate::time::Nanos;

/// What the search asks of the world.
pub trait Prober {
    /// Good answers per second in a closed loop; `None`: there were none.
    fn burst(&mut self) -> Result<Option<f64>>;

    /// A run at this rate, `times` as long as a probe is.
    fn probe(&mut self, rate_per_s: f64, times: f64) -> Result<Probe>;

    /// Waits until the server answers as before; false: it did not, in the time there is.
    fn settle(&mut self) -> Result<bool>;

    /// Goes on with twice the connections; false: there are as many as there may be.
    fn widen(&mut self) -> Result<bool>;

    /// Since the search began.
    fn elapsed(&self) -> Nanos;
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// When the answer is due.
    pub budget: Nanos,
    /// How far apart the two ends may be, as a share.
    pub precision: f64,
    /// No rate above this is tried, nor one below.
    pub most: f64,
    pub least: f64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Good answers per second of the closed loop.
    pub burst_per_s: Option<f64>,
    /// The highest rate that held, in its longest run; `None`: none did.
    pub low: Option<Probe>,
    /// The lowest above it that did not; `None`: all did.
    pub high: Option<Probe>,
    /// `low` held for longer, and `high` failed again.
    pub confirmed: bool,
    /// Twice the connections carried what failed at the end; `None`: that was not tried.
    pub more_help: Option<bool>,
    /// The server answered as before after each overload.
    pub recovered: bool,
    pub interrupted: bool,
    /// The time ran out before the two were near enough.
    pub hurried: bool,
    /// All, in the order of time.
    pub probes: Vec<Probe>,
}

/// How much further a bracket reaches at each step.
const UP: f64 = 1.25;
const DOWN: f64 = 0.7;

/// Where the first probe is, of what the burst carried.
const FIRST: f64 = 0.95;

/// The length of the run that confirms, in probes.
const LONGER: f64 = 3.0;

/// The share of the budget after which the search confirms what it has.
const SEARCHING: f64 = 0.7;

/// Times that a confirmation may send the search back.
const RELAPSES: usize = 3;

pub fn search(prober: &mut dyn Prober, settings: &Settings) -> Result<Finding> {
    let mut search = Search::new(prober, *settings);
    search.run()?;
    Ok(search.finding)
}

struct Search<'a> {
    prober: &'a mut dyn Prober,
    settings: Settings,
    finding: Finding,
}

impl<'a> Search<'a> {
    fn new(prober: &'a mut dyn Prober, settings: Settings) -> Search<'a> {
        let finding = Finding {
            burst_per_s: None,
            low: None,
            high: None,
            confirmed: false,
            more_help: None,
            recovered: true,
            interrupted: false,
            hurried: false,
            probes: Vec::new(),
        };
        Search { prober, settings, finding }
    }

    fn run(&mut self) -> Result<()> {
        let Some(burst) = self.prober.burst()? else { return Ok(()) };
        self.finding.burst_per_s = Some(burst);
        self.settle()?;
        self.bracket(burst * FIRST)?;
        if self.finding.low.is_none() {
            return Ok(());
        }
        for _ in 0..=RELAPSES {
            if let (None, Some(high)) = (&self.finding.low, &self.finding.high) {
                self.bracket(high.rate_per_s * DOWN)?;
            }
            self.bisect()?;
            if self.is_over() || self.confirm()? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// From `first` on, up while it holds or down while it does not.
    fn bracket(&mut self, first: f64) -> Result<()> {
        let Settings { least, most, .. } = self.settings;
        let mut rate = first.clamp(least, most);
        loop {
            let holds = self.try_at(rate)?;
            let is_last = if holds { rate >= most } else { rate <= least };
            let both = self.finding.low.is_some() && self.finding.high.is_some();
            if both || is_last || self.is_over() || self.is_late() {
                return Ok(());
            }
            rate = (if holds { rate * UP } else { rate * DOWN }).clamp(least, most);
        }
    }

    fn bisect(&mut self) -> Result<()> {
        while let (Some(low), Some(high)) = (&self.finding.low, &self.finding.high) {
            let (low, high) = (low.rate_per_s, high.rate_per_s);
            if high / low <= 1.0 + self.settings.precision || self.is_over() {
                return Ok(());
            }
            if self.is_late() {
                self.finding.hurried = true;
                return Ok(());
            }
            self.try_at((low * high).sqrt())?;
        }
        Ok(())
    }

    /// True when nothing is left to do.
    fn confirm(&mut self) -> Result<bool> {
        let Some(low) = self.finding.low.clone() else { return Ok(true) };
        let longer = self.probe(low.rate_per_s, LONGER)?;
        if self.is_over() {
            return Ok(true);
        }
        if !longer.holds() {
            self.settle()?;
            self.fall_back(longer);
            return Ok(self.is_late());
        }
        self.finding.low = Some(longer);
        let Some(high) = self.finding.high.clone() else {
            // Nothing above was to be tried.
            self.finding.confirmed = true;
            return Ok(true);
        };
        if matches!(high.outcome, Outcome::Blast { .. }) {
            self.finding.confirmed = true;
            return Ok(true);
        }
        let again = self.probe(high.rate_per_s, 1.0)?;
        if again.holds() {
            // It was noise that made it fail: the ceiling is higher.
            self.finding.low = Some(again);
            self.finding.high = None;
            if !self.is_late() && !self.is_over() {
                self.bracket((high.rate_per_s * (1.0 + self.settings.precision)).max(1.0))?;
            }
            return Ok(self.is_late());
        }
        self.settle()?;
        self.finding.high = Some(again);
        self.finding.confirmed = !self.is_over();
        if self.finding.confirmed && !self.is_late() && self.prober.widen()? {
            let wider = self.probe(high.rate_per_s, 1.0)?;
            self.finding.more_help = Some(wider.holds());
        }
        Ok(true)
    }

    /// What held for a moment does not for longer: it is the upper end now.
    fn fall_back(&mut self, failed: Probe) {
        let below = |probe: &&Probe| probe.holds() && probe.rate_per_s < failed.rate_per_s;
        let held = self.finding.probes.iter().filter(below);
        let best = held.max_by(|a, b| a.rate_per_s.total_cmp(&b.rate_per_s)).cloned();
        self.finding.low = best;
        self.finding.high = Some(failed);
    }

    /// Whether the rate holds; takes it into the bracket.
    fn try_at(&mut self, rate: f64) -> Result<bool> {
        let mut probe = self.probe(rate, 1.0)?;
        if !probe.holds() && !self.is_over() {
            self.settle()?;
            if !probe.is_clear() {
                probe = self.probe(rate, 1.0)?;
                if !probe.holds() && !self.is_over() {
                    self.settle()?;
                }
            }
        }
        if self.is_over() {
            return Ok(false);
        }
        let holds = probe.holds();
        let end = if holds { &mut self.finding.low } else { &mut self.finding.high };
        *end = Some(probe);
        Ok(holds)
    }

    /// One run; where the connections were too few, again with more of them.
    fn probe(&mut self, rate: f64, times: f64) -> Result<Probe> {
        loop {
            let probe = self.prober.probe(rate, times)?;
            self.finding.interrupted |= probe.outcome == Outcome::Interrupted;
            self.finding.probes.push(probe.clone());
            let few = matches!(&probe.outcome, Outcome::Fails { by, .. } if by == "connections");
            if !few || !self.prober.widen()? {
                return Ok(probe);
            }
        }
    }

    fn settle(&mut self) -> Result<()> {
        if !self.prober.settle()? {
            self.finding.recovered = false;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.finding.interrupted
    }

    fn is_late(&self) -> bool {
        let budget = self.settings.budget.as_secs_f64();
        self.prober.elapsed().as_secs_f64() >= budget * SEARCHING
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    /// A server of known capacity, and a host that now and then disturbs a probe.
    struct Model {
        capacity: f64,
        /// blast sends no more than this.
        own: f64,
        /// The share of probes that fail for no reason.
        noise: f64,
        dice: Dice,
        clock: Nanos,
        /// Interrupted at this probe.
        until: usize,
        probes: usize,
        connections: u32,
        per_connection: f64,
    }

    impl Model {
        fn of(capacity: f64) -> Model {
            Model {
                capacity,
                own: f64::INFINITY,
                noise: 0.0,
                dice: Dice::of(1, 0, 0),
                clock: Nanos::ZERO,
                until: usize::MAX,
                probes: 0,
                connections: 64,
                per_connection: f64::INFINITY,
            }
        }

        fn outcome(&mut self, rate: f64) -> Outcome {
            let fails = |by: &str| Outcome::Fails { by: by.to_string(), why: String::new() };
            let few = rate > f64::from(self.connections) * self.per_connection;
            match () {
                () if self.probes > self.until => Outcome::Interrupted,
                () if rate > self.own => {
                    Outcome::Blast { by: "client_cpu".to_string(), why: String::new() }
                }
                () if few => fails("connections"),
                () if rate > self.capacity => fails("rate"),
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

        fn probe(&mut self, rate_per_s: f64, times: f64) -> Result<Probe> {
            self.probes += 1;
            let length = Nanos::from_millis((1_300.0 * times) as u64);
            self.clock += length;
            let outcome = self.outcome(rate_per_s);
            let carried = (self.capacity / rate_per_s).min(1.0);
            let (p50, p99, p99_9) = (None, None, None);
            let (connections, errors) = (self.connections, 0.0);
            let good_per_s = rate_per_s * carried;
            Ok(Probe {
                rate_per_s,
                length,
                connections,
                good_per_s,
                errors,
                p50,
                p99,
                p99_9,
                outcome,
                carried,
            })
        }

        fn settle(&mut self) -> Result<bool> {
            self.clock += Nanos::from_millis(300);
            Ok(true)
        }

        fn widen(&mut self) -> Result<bool> {
            self.connections *= 2;
            Ok(self.connections <= 1_024)
        }

        fn elapsed(&self) -> Nanos {
            self.clock
        }
    }

    const SETTINGS: Settings =
        Settings { budget: Nanos::from_secs(60), precision: 0.015, most: 1e7, least: 1.0 };

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
    fn where_blast_is_the_limit_the_answer_says_so() {
        let mut model = Model { own: 3_000.0, ..Model::of(1e6) };
        let found = search(&mut model, &SETTINGS).unwrap();
        assert!(matches!(found.high.unwrap().outcome, Outcome::Blast { .. }));
        assert!(found.low.unwrap().rate_per_s <= 3_000.0);
    }

    #[test]
    fn too_few_connections_become_more() {
        let mut model = Model { per_connection: 10.0, ..Model::of(5_000.0) };
        let found = search(&mut model, &SETTINGS).unwrap();
        let low = found.low.unwrap();
        assert!((low.rate_per_s / 5_000.0 - 1.0).abs() < 0.03 && low.connections >= 512);
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
    }

    #[test]
    fn a_server_that_answers_nothing_has_no_ceiling_and_one_that_meets_nothing_no_low_end() {
        let found = search(&mut Model::of(0.0), &SETTINGS).unwrap();
        assert_eq!((found.burst_per_s, found.low, found.probes.len()), (None, None, 0));
        let mut hopeless = Model { noise: 1.0, ..Model::of(1_000.0) };
        let found = search(&mut hopeless, &SETTINGS).unwrap();
        assert!(found.low.is_none() && found.high.is_some() && !found.confirmed);
    }
}
