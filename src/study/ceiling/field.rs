//! Plans for probes, carried out by a [`Runner`].

use super::over::{self, Over, Putting};
use super::patience::Patience;
use super::probe::Probe;
use super::search::Prober;
use crate::error::{Exit, Result};
use crate::metrics::Summary;
use crate::plan::{Law, Offered, Plan};
use crate::study::Runner;
use crate::time::{self, Nanos};

/// The burst.
const BURST: Nanos = Nanos::from_millis(1_500);

/// What comes before it, and at least before each probe: a few of the server's answers long, or
/// what it has in hand would look like a debt.
const WARM_UP: Nanos = Nanos::from_millis(250);
const LONGEST_WARM_UP: Nanos = Nanos::from_secs(2);

/// A probe is at least and at most this long, and in between as long as its samples take.
const SHORTEST: Nanos = Nanos::from_secs(1);
const LONGEST: Nanos = Nanos::from_secs(5);

/// Where the rules need more samples than come in that time, this share of the budget; and so many
/// more samples than lie above the quantile.
const LONGEST_SHARE: f64 = 0.2;
const ABOVE: f64 = 6.0;

/// Enough for a p99 that means something: 5 samples above it, and some to spare.
const SAMPLES: f64 = 600.0;

/// The same of arrivals by chance: those that are slow come together, so each says less.
const SAMPLES_BY_CHANCE: f64 = 10_000.0;

/// Users are looked at for so many of their rounds, at most for [`LONGEST_OF_USERS`].
const ROUNDS: u64 = 2;
const LONGEST_OF_USERS: Nanos = Nanos::from_secs(15);

/// The load under which a server is seen to be calm: this share of the burst, for so long.
const CALM_SHARE: f64 = 0.2;
const CALM: Nanos = Nanos::from_millis(300);

/// It is when its median is at most this many times the one before any overload, and so much.
const AS_BEFORE: f64 = 2.0;
const SLACK: Nanos = Nanos::from_micros(200);

/// So many connections or users are little load.
const FEW: u32 = 16;

/// How often that is looked at.
const LOOKS: usize = 12;

/// What is unanswered after a probe is waited for so many times the burst's p99, at least for
/// [`LEAST_DRAIN`].
const DRAIN: u64 = 4;
const LEAST_DRAIN: Nanos = Nanos::from_millis(500);

/// What a probe takes at least besides its length and what comes before it: to connect, to end, and
/// to settle.
const BESIDE: Nanos = Nanos::from_millis(400);

/// The most connections that are opened unasked.
const MOST_CONNECTIONS: u32 = 10_000;

/// Where a ceiling is looked for.
pub struct Field<'a> {
    runner: &'a mut dyn Runner,
    /// What each probe is made from.
    plan: Plan,
    over: Over,
    /// The number of connections was given: it stays.
    is_fixed: bool,
    clock: fn() -> Nanos,
    began: Nanos,
    burst_per_s: f64,
    /// Requests per second of the last probe, or the burst, and at which level that was.
    pace: f64,
    paced_at: f64,
    /// What rules about rare answers may take.
    longest: Nanos,
    /// What a probe has shown to be too short for them.
    too_short: Nanos,
    /// How many runs there were.
    turn: u64,
    /// One of them ended before its time.
    is_interrupted: bool,
    warm_up: Nanos,
    drain: Nanos,
    /// What probes took besides, those that were last the most.
    beside: Nanos,
    /// The median under little load, before any overload.
    calm: Option<Nanos>,
    /// Told of each probe as it is over.
    tell: &'a mut dyn FnMut(&Probe),
}

impl<'a> Field<'a> {
    pub fn new(
        runner: &'a mut dyn Runner,
        plan: Plan,
        is_fixed: bool,
        tell: &'a mut dyn FnMut(&Probe),
    ) -> Field<'a> {
        let drain = plan.drain;
        Field {
            runner,
            plan,
            over: Over::Rate,
            is_fixed,
            clock: time::now,
            began: time::now(),
            burst_per_s: 0.0,
            pace: 0.0,
            paced_at: 0.0,
            longest: LONGEST,
            too_short: Nanos::ZERO,
            turn: 0,
            is_interrupted: false,
            warm_up: WARM_UP,
            drain,
            beside: BESIDE,
            calm: None,
            tell,
        }
    }

    /// Searched over this, and not over the rate.
    pub fn over(self, over: Over) -> Field<'a> {
        Field { over, ..self }
    }

    /// With this much time for all of it.
    pub fn within(self, budget: Nanos) -> Field<'a> {
        let share = Nanos((budget.as_secs_f64() * LONGEST_SHARE * 1e9) as u64);
        Field { longest: LONGEST.max(share), ..self }
    }

    /// With another clock than the machine's.
    #[cfg(test)]
    pub fn by(self, clock: fn() -> Nanos) -> Field<'a> {
        Field { clock, began: clock(), ..self }
    }

    /// A short run that is judged by nobody.
    fn run(&mut self, putting: Putting) -> Result<Summary> {
        self.run_with(putting, None)
    }

    /// The same, which ends with the patience for it.
    fn run_with(&mut self, putting: Putting, patience: Option<&mut Patience>) -> Result<Summary> {
        let plan = Plan {
            load: putting.load,
            connections: putting.connections,
            duration: Some(putting.duration),
            warmup: putting.warmup,
            requests: None,
            drain: self.drain,
            thresholds: Vec::new(),
            abort_on: Vec::new(),
            ..self.plan.clone()
        };
        self.turn += 1;
        let summary = match patience {
            None => self.runner.run(&plan)?,
            Some(patience) => self.runner.run_until(&plan, &mut |ended| patience.is_over(ended))?,
        };
        self.is_interrupted |= !summary.complete;
        Ok(summary)
    }

    fn at(&mut self, rate_per_s: f64, length: Nanos, warm_up: Nanos) -> Result<Summary> {
        self.run(self.rate(rate_per_s, length, warm_up))
    }

    fn rate(&self, rate_per_s: f64, length: Nanos, warm_up: Nanos) -> Putting {
        over::at_rate(&self.plan, rate_per_s, self.turn, length, warm_up)
    }

    /// On connections of their own.
    fn with(&mut self, number: u32, length: Nanos) -> Result<Summary> {
        self.runner.reconnect();
        if self.over == Over::Connections {
            return self.run(over::with_connections(number, length, self.warm_up));
        }
        let coming = over::coming(&self.plan);
        let summary = self.run(over::with_users(number, length, coming)?)?;
        Ok(of_all_there(summary, coming))
    }

    fn length(&self, level: f64) -> Nanos {
        let quantiles = self.plan.thresholds.iter().filter_map(|rule| rule.quantile());
        let judged = quantiles.map(|q| ABOVE / (1.0 - q)).fold(0.0, f64::max);
        let enough = if self.is_by_chance() { SAMPLES_BY_CHANCE } else { SAMPLES };
        let rate = self.requests_per_s(level).max(1e-3);
        let of = |samples: f64| Nanos((samples / rate * 1e9) as u64);
        let needed = of(enough).clamp(SHORTEST, LONGEST).max(of(judged).min(self.longest));
        let rounds = Nanos(over::round(&self.plan).0.saturating_mul(ROUNDS));
        needed.max(self.too_short).max(rounds.min(LONGEST_OF_USERS))
    }

    /// At least so many come: of fewer users, fewer, unless it is the server that sets the pace.
    fn requests_per_s(&self, level: f64) -> f64 {
        match self.over {
            Over::Rate => level,
            _ => self.pace * (level / self.paced_at.max(1.0)).min(1.0),
        }
    }

    fn paced(&mut self, summary: &Summary, level: f64) {
        self.pace = summary.per_second(summary.measure_events.sent);
        self.paced_at = level;
    }

    fn is_by_chance(&self) -> bool {
        matches!(self.plan.load.offered().map(Offered::law), Some(Law::Poisson { .. }))
    }

    /// What comes before each probe: for sessions, until as many leave as come.
    fn before(&self) -> Nanos {
        match self.over {
            Over::Users => over::coming(&self.plan),
            _ => self.warm_up.max(over::round(&self.plan).min(LONGEST_OF_USERS)),
        }
    }

    /// `is_whole`: it goes on to its end, although it be lost.
    fn once(&mut self, level: f64, times: f64, is_whole: bool) -> Result<Probe> {
        let length = Nanos((self.length(level).as_secs_f64() * times * 1e9) as u64);
        // A float becomes an integer by saturation.
        let number = level as u32;
        let connections = if self.over == Over::Rate { self.plan.connections } else { number };
        let (began, before) = ((self.clock)(), self.before());
        let due = level * length.as_secs_f64();
        let mut patience = (!is_whole).then(|| Patience::with(due, &self.plan.thresholds));
        let summary = match self.over {
            Over::Rate => self.run_with(self.rate(level, length, before), patience.as_mut()),
            Over::Connections | Over::Users => self.with(number, length),
        };
        let measured = summary.as_ref().map_or(length, |summary| summary.measured);
        let beside = (self.clock)() - began - measured - before + BESIDE;
        self.beside = Nanos((self.beside + beside).0 / 2);
        match summary {
            Ok(summary) => {
                self.paced(&summary, level);
                let lost = patience.filter(|_| measured < length).and_then(|it| it.lost());
                Ok(match lost {
                    Some(lost) => Probe::of_lost(&summary, lost, level, connections),
                    None => Probe::of(&summary, &self.plan.thresholds, level, connections),
                })
            }
            // It was there for the burst.
            Err(error) if error.exit == Exit::Failed => {
                Ok(Probe::of_none(level, connections, error.message))
            }
            Err(error) => Err(error),
        }
    }

    /// The median under little load.
    fn look(&mut self) -> Result<Summary> {
        if self.over != Over::Rate {
            let few = FEW.min(self.plan.connections).max(1);
            self.runner.reconnect();
            return self.run(over::with_connections(few, CALM, Nanos::ZERO));
        }
        let base = over::sessions_per_s(&self.plan).unwrap_or(self.burst_per_s);
        let rate = (base * CALM_SHARE).max(10.0).min(base);
        let few = Nanos((3e9 / rate) as u64).min(LONGEST);
        self.at(rate, CALM.max(few), Nanos::ZERO)
    }
}

impl Prober for Field<'_> {
    fn burst(&mut self) -> Result<Option<f64>> {
        let summary = match self.over {
            Over::Rate => match over::sessions_per_s(&self.plan) {
                Some(rate) => self.at(rate, BURST, WARM_UP)?,
                None => self.run(over::with_connections(self.plan.connections, BURST, WARM_UP))?,
            },
            Over::Connections | Over::Users => self.with(self.plan.connections, BURST)?,
        };
        self.burst_per_s = summary.good_per_s();
        self.paced(&summary, f64::from(self.plan.connections));
        let slowest = summary.service().quantile(0.99).map_or(Nanos::ZERO, |p99| p99.value());
        self.warm_up = (slowest + slowest).clamp(WARM_UP, LONGEST_WARM_UP);
        let patience = Nanos(slowest.0.saturating_mul(DRAIN));
        self.drain = patience.max(LEAST_DRAIN).min(self.plan.drain);
        Ok((self.burst_per_s > 0.0).then_some(self.burst_per_s))
    }

    fn probe(&mut self, level: f64, times: f64) -> Result<Probe> {
        let probe = self.once(level, times, true)?;
        (self.tell)(&probe);
        if !probe.is_unknown() || self.length(level) >= self.longest {
            return Ok(probe);
        }
        // The rule is about a part of the requests, or there were fewer than at the last level.
        self.too_short = self.longest;
        let longer = self.once(level, times, true)?;
        (self.tell)(&longer);
        Ok(longer)
    }

    fn insist(&mut self, level: f64, times: f64) -> Result<Probe> {
        // Of other levels nobody knows how many requests they come to.
        if self.over != Over::Rate || over::sessions_per_s(&self.plan).is_some() {
            return self.probe(level, times);
        }
        let probe = self.once(level, times, false)?;
        (self.tell)(&probe);
        Ok(probe)
    }

    fn takes(&self, level: f64, times: f64) -> Nanos {
        let beside = self.before() + self.beside;
        Nanos(((self.length(level) + beside).as_secs_f64() * times * 1e9) as u64)
    }

    fn settle(&mut self) -> Result<bool> {
        for _ in 0..LOOKS {
            let summary = self.look()?;
            if !summary.complete {
                return Ok(true);
            }
            // Of very few requests, what they took on average.
            let response = summary.response();
            let middle = response.quantile(0.5).or_else(|| response.mean());
            let median = middle.map(|reading| reading.value());
            let (Some(median), true) = (median, summary.error_share() == 0.0) else { continue };
            let limit = |calm: Nanos| Nanos((calm.0 as f64 * AS_BEFORE) as u64) + SLACK;
            match self.calm {
                Some(calm) if median > limit(calm) => {}
                _ => {
                    self.calm.get_or_insert(median);
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn widen(&mut self) -> Result<bool> {
        let more = self.plan.connections.saturating_mul(2).min(MOST_CONNECTIONS);
        if self.is_fixed || self.over != Over::Rate || more <= self.plan.connections {
            return Ok(false);
        }
        self.plan.connections = more;
        self.runner.reconnect();
        Ok(true)
    }

    fn narrow(&mut self, connections: u32) {
        self.plan.connections = connections;
        self.runner.reconnect();
    }

    fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    fn elapsed(&self) -> Nanos {
        (self.clock)() - self.began
    }
}

/// Of the time when all users were there, as if it were all.
fn of_all_there(mut summary: Summary, coming: Nanos) -> Summary {
    if let Some(stage) = summary.stages.pop() {
        let is_it = stage.start >= coming;
        summary.stages.clear();
        if is_it {
            summary.measure = stage.fates;
            summary.measure_events = stage.events;
            summary.measured = stage.length;
        }
    }
    summary
}
