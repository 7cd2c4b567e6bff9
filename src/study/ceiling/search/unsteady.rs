//! The search on a host whose speed changes, as was seen on a virtual machine: by some percent from
//! one tenth of a second to the next, and by a third for some tenths every few seconds. Whatever the
//! server cannot serve at once waits, in one queue.

use super::*;
use crate::dice::Dice;

/// The server's, per second, at the host's full speed.
const CAPACITY: f64 = 75_000.0;

/// In seconds: one step of the model; how long the host keeps a speed; how long it is slow at most.
const STEP: f64 = 0.005;
const KEPT: f64 = 0.1;
const SLOW: f64 = 0.7;

/// What more than one answer in a hundred must not take.
const LIMIT: f64 = 0.02;

/// Before each probe, and a probe.
const WARM_UP: f64 = 0.25;
const LENGTH: f64 = 1.0;
const BESIDE: f64 = 0.4;

const BUDGET: Nanos = Nanos::from_secs(60);

struct Unsteady {
    dice: Dice,
    /// How often it is slow, in seconds on average.
    between: f64,
    now: f64,
    speed: f64,
    changes_at: f64,
    slow_until: f64,
    slow_by: f64,
}

impl Unsteady {
    fn of(between: f64, seed: u64) -> Unsteady {
        let (dice, now, changes_at, slow_until) = (Dice::of(seed, 0, 0), 0.0, 0.0, 0.0);
        Unsteady { dice, between, now, speed: 1.0, changes_at, slow_until, slow_by: 1.0 }
    }

    /// Goes on by a step; what the server can serve in it.
    fn step(&mut self) -> f64 {
        self.now += STEP;
        if self.now >= self.changes_at {
            self.changes_at = self.now + KEPT;
            self.speed = 0.83 + 0.08 * self.dice.unit();
        }
        if self.now >= self.slow_until {
            let begins = self.dice.unit() < STEP / self.between;
            self.slow_by = if begins { 0.62 + 0.15 * self.dice.unit() } else { 1.0 };
            self.slow_until = if begins { self.now + SLOW * self.dice.unit() } else { 0.0 };
        }
        CAPACITY * self.speed * self.slow_by * STEP
    }

    fn rest(&mut self, seconds: f64) {
        let until = self.now + seconds;
        while self.now < until {
            self.step();
        }
    }

    /// Served, and late, as shares of what was due.
    fn serve(&mut self, rate: f64, seconds: f64, queue: &mut f64) -> (f64, f64) {
        let (mut served, mut late) = (0.0, 0.0);
        let until = self.now + seconds;
        while self.now < until {
            *queue += rate * STEP;
            let can = self.step();
            let done = queue.min(can);
            *queue -= done;
            served += done;
            if *queue / can * STEP > LIMIT {
                late += STEP;
            }
        }
        (served / (rate * seconds), late / seconds)
    }
}

impl Prober for Unsteady {
    fn burst(&mut self) -> Result<Option<f64>> {
        let mut served = 0.0;
        let until = self.now + 1.5;
        while self.now < until {
            served += self.step();
        }
        Ok(Some(served / 1.5))
    }

    fn takes(&self, _: f64, times: f64) -> Nanos {
        Nanos(((LENGTH + WARM_UP + BESIDE) * times * 1e9) as u64)
    }

    fn probe(&mut self, level: f64, times: f64) -> Result<Probe> {
        let mut queue = 0.0;
        self.serve(level, WARM_UP, &mut queue);
        let (carried, late) = self.serve(level, LENGTH * times, &mut queue);
        self.rest(BESIDE);
        let fails = |by: &str| Outcome::Fails { by: by.to_string(), why: String::new() };
        let outcome = match () {
            () if late > 0.01 => fails("threshold p99<20ms"),
            () if carried < CARRIED => fails("rate"),
            () => Outcome::Holds,
        };
        let length = Nanos((LENGTH * times * 1e9) as u64);
        let (good_per_s, clear) = (level * carried, carried < 0.9 || late > 0.5);
        Ok(Probe {
            level,
            length,
            good_per_s,
            outcome,
            carried: carried.min(1.0),
            clear,
            ..Probe::of_none(0.0, 64, String::new())
        })
    }

    fn settle(&mut self) -> Result<bool> {
        self.rest(0.5);
        Ok(true)
    }

    fn widen(&mut self) -> Result<bool> {
        Ok(false)
    }

    fn narrow(&mut self, _: u32) {}

    fn is_interrupted(&self) -> bool {
        false
    }

    fn elapsed(&self) -> Nanos {
        Nanos((self.now * 1e9) as u64)
    }
}

/// How many of 100 pairs of searches end within 5 %, and of how many searches the upper end is known.
fn agreeing(between: f64) -> (usize, usize) {
    let found = |seed: u64| {
        let mut host = Unsteady::of(between, seed);
        let found = search(&mut host, &Settings::rate(BUDGET)).unwrap();
        assert!(host.elapsed() <= BUDGET, "{:?}", host.elapsed());
        (found.low.expect("an answer").level, found.high.is_some())
    };
    let all: Vec<_> = (0..200).map(found).collect();
    let agrees = |pair: &&[(f64, bool)]| {
        let (one, other) = (pair[0].0, pair[1].0);
        one.max(other) / one.min(other) <= 1.05
    };
    (all.chunks(2).filter(agrees).count(), all.iter().filter(|(_, ends)| *ends).count())
}

#[test]
fn two_searches_of_one_server_agree_although_the_host_changes_its_speed() {
    // Without what is done with the time that is left: 89 and 80.
    let [calm, busy] = [8.0, 5.0].map(agreeing);
    assert!(calm.0 >= 97 && busy.0 >= 90, "{calm:?} and {busy:?}");
    assert!(calm.1 >= 195 && busy.1 >= 195, "{calm:?} and {busy:?}");
}
