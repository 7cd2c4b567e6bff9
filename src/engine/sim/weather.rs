//! The weather of a run: when the servers are down or stalled, how much goes wrong, and when it
//! ends. Drawn once; from then on a function of time, so that all workers live under the same sky.

use super::START;
use super::dice::Dice;
use crate::time::Nanos;

#[derive(Clone, Debug)]
pub struct Weather {
    /// From here on nothing goes wrong any more.
    pub heals: Nanos,
    pub outages: Vec<Outage>,
    /// Within these the servers answer nothing.
    pub stalls: Vec<(Nanos, Nanos)>,
    /// Answers, connects and sends that go wrong, in a thousand.
    pub bad_answers: u64,
    pub bad_connects: u64,
    pub bad_sends: u64,
    /// Connections that the server ends while they are idle, in a thousand answers.
    pub idle_deaths: u64,
    /// The very first connect may fail as well, and calls the run off.
    pub fragile: bool,
    /// One way through the network, in microseconds at the most.
    pub latency_us: u64,
    /// What the server takes for an answer, in microseconds at the most.
    pub service_us: u64,
    /// How often the worker is kept from running, in a hundred thousand turns.
    pub pauses: u64,
    /// How late it usually wakes, in microseconds at the most.
    pub lateness_us: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Outage {
    pub from: Nanos,
    pub to: Nanos,
    pub how: Death,
}

/// How a server dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// The process: its kernel resets what is open and refuses what comes.
    Reset,
    /// In order: it says FIN, and refuses what comes.
    Fin,
    /// The host: silence.
    Silence,
}

impl Weather {
    /// For a run of about this length.
    pub fn draw(dice: &mut Dice, length: Nanos, service_us: u64) -> Weather {
        let calm = dice.percent(15);
        let wild = |dice: &mut Dice, of: &[u64]| if calm { 0 } else { dice.one(of) };
        let instant = |dice: &mut Dice| START + Nanos(dice.below(length.0));
        let outages = (0..wild(dice, &[0, 0, 1, 1, 2, 3])).map(|_| {
            let from = instant(dice);
            let to = from + if dice.percent(30) { length } else { dice.millis(5..=1_500) };
            Outage { from, to, how: dice.one(&[Death::Reset, Death::Fin, Death::Silence]) }
        });
        let outages = outages.collect();
        let stalls = (0..wild(dice, &[0, 0, 1, 2])).map(|_| {
            let from = instant(dice);
            (from, from + dice.millis(1..=800))
        });
        let stalls = stalls.collect();
        Weather {
            heals: if calm || dice.percent(70) { instant(dice) } else { Nanos::MAX },
            outages,
            stalls,
            bad_answers: wild(dice, &[0, 3, 20, 60, 200, 600]),
            bad_connects: wild(dice, &[0, 0, 60, 300]),
            bad_sends: wild(dice, &[0, 2, 10, 100]),
            idle_deaths: wild(dice, &[0, 5, 50]),
            fragile: !calm && dice.percent(20),
            latency_us: dice.one(&[0, 20, 500]),
            service_us,
            pauses: wild(dice, &[0, 0, 20, 100]),
            lateness_us: dice.one(&[0, 20, 300, 5_000]),
        }
    }

    /// Nobody is there for so long that patience is at its end.
    pub fn black_out(&mut self, from: Nanos, to: Nanos) {
        self.outages = vec![Outage { from, to, how: Death::Reset }];
        self.heals = to;
    }

    /// Nothing ever goes wrong.
    pub fn is_calm(&self) -> bool {
        let Weather { bad_answers, bad_connects, bad_sends, idle_deaths, pauses, .. } = self;
        bad_answers + bad_connects + bad_sends + idle_deaths + pauses == 0
            && self.outages.is_empty()
            && self.stalls.is_empty()
    }

    pub fn is_bad(&self, at: Nanos) -> bool {
        at < self.heals
    }

    /// The outage that rules at this time.
    pub fn outage(&self, at: Nanos) -> Option<Outage> {
        let rules = |outage: &&Outage| outage.from <= at && at < outage.to && self.is_bad(at);
        self.outages.iter().find(rules).copied()
    }

    /// The next one to begin after this time.
    pub fn next_outage(&self, at: Nanos) -> Option<Outage> {
        let later = |outage: &&Outage| outage.from > at && self.is_bad(outage.from);
        self.outages.iter().filter(later).min_by_key(|outage| outage.from).copied()
    }

    /// When the server gets to what reaches it now.
    pub fn awake(&self, at: Nanos) -> Nanos {
        let stall = self.stalls.iter().find(|(from, to)| *from <= at && at < *to);
        stall.map_or(at, |(_, to)| (*to).min(self.heals).max(at))
    }
}
