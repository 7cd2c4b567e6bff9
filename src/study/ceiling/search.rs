//! Which level is tried next: a rate, or a number of connections or users.
//!
//! ```text
//! bracket   from the first guess up or down until one level holds and a higher one fails
//! bisect    where an overload says what the server carries, there; else half way between the two;
//!           until they are `precision` apart
//! confirm   the lower one for longer; the higher one must fail again
//! insist    with the time that is left, on what is above
//! ```
//!
//! On a host with other work a server that can do it fails now and then, and none does what it cannot.
//! Near the answer a probe that fails is repeated, unless it fell clearly short or carried just what
//! an earlier overload did, and only [`Settings::tries`] failures count. Far from it one does: the
//! upper end is tried again at last. What confirms is repeated too.

mod insisting;
mod settings;
mod widening;

use super::probe::{CARRIED, Outcome, Probe};
use crate::error::Result;
use crate::time::Nanos;

pub use settings::Settings;

/// What the search asks of the world.
pub trait Prober {
    /// Good answers per second in a closed loop; `None`: there were none.
    fn burst(&mut self) -> Result<Option<f64>>;

    /// A run at this level, `times` as long as a probe is.
    fn probe(&mut self, level: f64, times: f64) -> Result<Probe>;

    /// The same, ended once it cannot hold any more: what it carried is then not known.
    fn insist(&mut self, level: f64, times: f64) -> Result<Probe>;

    /// About how long that takes, with all that belongs to it.
    fn takes(&self, level: f64, times: f64) -> Nanos;

    /// Waits until the server answers as before; false: it did not, in the time there is.
    fn settle(&mut self) -> Result<bool>;

    /// Goes on with twice the connections; false: there are as many as there may be.
    fn widen(&mut self) -> Result<bool>;

    /// Goes on with so many, as it did before.
    fn narrow(&mut self, connections: u32);

    /// Somebody wants it to end.
    fn is_interrupted(&self) -> bool;

    /// Since the search began.
    fn elapsed(&self) -> Nanos;
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Good answers per second of the closed loop.
    pub burst_per_s: Option<f64>,
    /// The highest level that held, in its longest run; `None`: none did.
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
    /// The last probe was too short to be judged, and may not be longer: another would tell no more.
    pub untold: bool,
    /// The time ran out before the two were near enough.
    pub hurried: bool,
    /// All, in the order of time.
    pub probes: Vec<Probe>,
}

/// Where the first probe is, of what the burst carried. The next one up is just above the burst:
/// where that was right, both ends are known after two probes.
const FIRST: f64 = 0.95;

/// How much further a bracket reaches at each step; at all others as at the last. A burst that says
/// little of the ceiling is far off.
const UP: [f64; 5] = [1.07, 1.12, 1.25, 1.5, 2.0];
const DOWN: [f64; 4] = [0.9, 0.85, 0.75, 0.5];

/// The same for a number of which nothing is known.
const TWICE: f64 = 2.0;

/// A rate this far below what an overload was carried at holds, and one this far above does not,
/// where that is what stops the server: together they are nearer than the precision, and the second
/// is farther above than what counts as carried.
const JUST_BELOW: f64 = 0.998;
const JUST_ABOVE: f64 = 1.0165;

/// A guess that cuts off less of the bracket is none.
const CUT: f64 = 1.002;

/// A failure this near to what holds counts when it is repeated.
const NEAR: f64 = 1.1;

/// Two overloads that carried the same, but for this share, are the server's limit.
const SAME: f64 = 0.01;

/// The length of the run that confirms, in probes.
const LONGER: f64 = 3.0;

/// No larger share of the budget is kept for that.
const CONFIRMING: f64 = 0.35;

/// Times that a confirmation may send the search back.
const RELAPSES: usize = 2;

pub fn search(prober: &mut dyn Prober, settings: &Settings) -> Result<Finding> {
    let mut search = Search::new(prober, *settings);
    search.run()?;
    Ok(search.finding)
}

struct Search<'a> {
    prober: &'a mut dyn Prober,
    settings: Settings,
    finding: Finding,
    /// More connections were tried, and carried no more.
    more_are_no_help: bool,
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
            untold: false,
            hurried: false,
            probes: Vec::new(),
        };
        Search { prober, settings, finding, more_are_no_help: false }
    }

    fn run(&mut self) -> Result<()> {
        let burst = self.prober.burst()?;
        self.finding.interrupted = self.prober.is_interrupted();
        let Some(burst) = burst else { return Ok(()) };
        self.finding.burst_per_s = Some(burst);
        self.settle()?;
        self.bracket(self.settings.first.unwrap_or(burst * FIRST))?;
        if self.finding.low.is_none() {
            return Ok(());
        }
        let mut relapses = 0;
        // While nothing holds there is no answer: then only the time ends it.
        while relapses <= RELAPSES || self.finding.low.is_none() {
            if let (None, Some(high)) = (&self.finding.low, &self.finding.high) {
                self.bracket(high.level * DOWN[0])?;
            }
            self.bisect()?;
            if self.is_over() || self.confirm()? {
                break;
            }
            relapses += 1;
        }
        self.insist()?;
        self.ask_for_more()
    }

    /// From `first` on, up while it holds or down while it does not.
    fn bracket(&mut self, first: f64) -> Result<()> {
        let Settings { least, most, .. } = self.settings;
        let mut level = self.settings.rounded(first);
        let mut steps = 0;
        loop {
            let holds = self.try_at(level)?;
            let is_last = if holds { level >= most } else { level <= least };
            let both = self.finding.low.is_some() && self.finding.high.is_some();
            if both || is_last || self.is_over() {
                return Ok(());
            }
            level = self.settings.rounded(level * self.reach(holds, steps));
            steps += 1;
            // While nothing holds there is nothing to confirm.
            let is_in_time = match self.finding.low {
                Some(_) => self.has_time_for(level),
                None => self.is_in_time(level, 1.0),
            };
            if !is_in_time {
                self.finding.hurried = true;
                return Ok(());
            }
        }
    }

    fn reach(&self, up: bool, steps: usize) -> f64 {
        match (self.settings.first, up) {
            (Some(_), true) => TWICE,
            (Some(_), false) => 1.0 / TWICE,
            (None, true) => UP[steps.min(UP.len() - 1)],
            (None, false) => DOWN[steps.min(DOWN.len() - 1)],
        }
    }

    fn bisect(&mut self) -> Result<()> {
        while let (Some(low), Some(high)) = (&self.finding.low, &self.finding.high) {
            let gap = high.level - low.level;
            let is_near = high.level / low.level <= 1.0 + self.settings.precision;
            if is_near || gap <= self.settings.step || self.is_over() {
                return Ok(());
            }
            let level = self.settings.rounded(between(low, high));
            if !self.has_time_for(level) {
                self.finding.hurried = true;
                return Ok(());
            }
            self.try_at(level)?;
        }
        Ok(())
    }

    /// True when nothing is left to do, or what insists goes on.
    fn confirm(&mut self) -> Result<bool> {
        let Some(low) = self.finding.low.clone() else { return Ok(true) };
        let Some(times) = self.time_to_confirm(low.level) else { return Ok(true) };
        let mut longer = self.probe(low.level, times)?;
        if !longer.holds() && !self.is_over() {
            self.settle()?;
            let again = self.time_to_confirm(low.level).filter(|_| !self.is_beyond_doubt(&longer));
            if let Some(times) = again {
                longer = self.probe(low.level, times)?;
            }
        }
        if self.is_over() {
            return Ok(true);
        }
        if !longer.holds() {
            self.fall_back(longer);
            return Ok(self.will_insist());
        }
        self.finding.low = Some(longer);
        let Some(high) = self.finding.high.clone() else {
            // Nothing above was to be tried.
            self.finding.confirmed = true;
            return Ok(true);
        };
        // A host that pauses makes blast look like the limit: it is one that is so both times.
        let again = self.probe(high.level, 1.0)?;
        if again.holds() {
            return self.go_on_from(again);
        }
        self.settle()?;
        if !self.is_over() {
            self.finding.high = Some(if high.fails() && !again.fails() { high } else { again });
            self.finding.confirmed = true;
        }
        Ok(true)
    }

    /// What failed before holds: that was noise, and the ceiling is higher.
    fn go_on_from(&mut self, again: Probe) -> Result<bool> {
        let next = again.level * (1.0 + self.settings.precision);
        let next = self.settings.rounded(next.max(again.level + self.settings.step));
        self.finding.low = Some(again.clone());
        self.finding.high = None;
        if self.is_over() || !self.has_time_for(next) {
            self.finding.hurried = true;
            self.finding.high = self.lowest_above(again.level);
            return Ok(true);
        }
        self.bracket(next)?;
        Ok(false)
    }

    /// The least that is known to have failed farther up; where only blast did, that.
    fn lowest_above(&self, level: f64) -> Option<Probe> {
        let above = self.finding.probes.iter().filter(|probe| probe.level > level);
        let by_level = |one: &&Probe, other: &&Probe| one.level.total_cmp(&other.level);
        let of_blast = above.clone().filter(|probe| matches!(probe.outcome, Outcome::Blast { .. }));
        let of_server = above.filter(|probe| probe.fails());
        of_server.min_by(by_level).or_else(|| of_blast.min_by(by_level)).cloned()
    }

    /// What held for a moment does not for longer: it is the upper end now.
    fn fall_back(&mut self, failed: Probe) {
        let below = |probe: &&Probe| probe.holds() && probe.level < failed.level;
        let held = self.finding.probes.iter().filter(below);
        let best = held.max_by(|a, b| a.level.total_cmp(&b.level)).cloned();
        self.finding.low = best;
        self.finding.high = Some(failed);
    }

    /// Whether the level holds; takes it into the bracket.
    fn try_at(&mut self, level: f64) -> Result<bool> {
        let probe = self.probe_with_doubts(level)?;
        if self.is_over() {
            return Ok(false);
        }
        let holds = probe.holds();
        let end = if holds { &mut self.finding.low } else { &mut self.finding.high };
        *end = Some(probe);
        Ok(holds)
    }

    /// The first that holds, or the last of the failures that count.
    fn probe_with_doubts(&mut self, level: f64) -> Result<Probe> {
        let mut tries = 0;
        loop {
            let probe = self.probe(level, 1.0)?;
            if probe.holds() || self.is_over() {
                return Ok(probe);
            }
            self.settle()?;
            tries += 1;
            let is_doubtful = self.is_near(level) && !self.is_beyond_doubt(&probe);
            if tries >= self.settings.tries || !is_doubtful || !self.has_time_for(level) {
                return Ok(probe);
            }
        }
    }

    /// Little above what holds.
    fn is_near(&self, level: f64) -> bool {
        let low = self.finding.low.as_ref();
        low.is_some_and(|low| level / low.level <= NEAR || level - low.level <= self.settings.step)
    }

    /// It fell far short, or carried what the burst or another overload did.
    fn is_beyond_doubt(&self, failed: &Probe) -> bool {
        if failed.clear {
            return true;
        }
        // The last probe is the failed one itself.
        let earlier = self.finding.probes.iter().rev().skip(1).filter_map(overload);
        let mut limits = earlier.chain(self.burst());
        overload(failed).is_some_and(|carried| limits.any(|limit| is_same(carried, limit)))
    }

    /// The first level was given where a burst says nothing of levels.
    fn burst(&self) -> Option<f64> {
        self.finding.burst_per_s.filter(|_| self.settings.first.is_none())
    }

    fn probe_once(&mut self, level: f64, times: f64) -> Result<Probe> {
        let probe = self.prober.probe(level, times)?;
        Ok(self.note(probe))
    }

    fn note(&mut self, probe: Probe) -> Probe {
        self.finding.interrupted |= probe.outcome == Outcome::Interrupted;
        self.finding.untold |= probe.is_unknown();
        self.finding.probes.push(probe.clone());
        probe
    }

    fn settle(&mut self) -> Result<()> {
        if !self.prober.settle()? {
            self.finding.recovered = false;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.finding.interrupted || self.finding.untold
    }

    /// And for what confirms it afterwards, or as much of that as a small budget has to spare.
    fn has_time_for(&self, level: f64) -> bool {
        let confirming = self.prober.takes(level, LONGER + 1.0);
        let spared = Nanos((self.settings.budget.0 as f64 * CONFIRMING) as u64);
        self.left() >= self.prober.takes(level, 1.0) + confirming.min(spared)
    }

    fn is_in_time(&self, level: f64, probes: f64) -> bool {
        self.left() >= self.prober.takes(level, probes)
    }

    /// How long the run may be that confirms, in probes, with one above it to fail again; `None`: it
    /// would be no longer than a probe.
    fn time_to_confirm(&self, level: f64) -> Option<f64> {
        let probe = self.prober.takes(level, 1.0).as_secs_f64();
        let times = self.left().as_secs_f64() / probe.max(1e-9) - 1.0;
        (times >= 1.5).then(|| times.min(LONGER))
    }

    fn left(&self) -> Nanos {
        self.settings.budget - self.prober.elapsed()
    }
}

/// Overloads that carried these were stopped by one limit.
fn is_same(one: f64, other: f64) -> bool {
    (one / other - 1.0).abs() <= SAME
}

/// What the server carried of a rate that was too much for it.
fn overload(probe: &Probe) -> Option<f64> {
    let carried = probe.carried.filter(|carried| *carried < CARRIED && *carried > 0.0)?;
    Some(probe.level * carried)
}

/// A level in the bracket.
fn between(low: &Probe, high: &Probe) -> f64 {
    let carried = overload(high).into_iter();
    let mut guesses = carried.flat_map(|carried| [carried * JUST_BELOW, carried * JUST_ABOVE]);
    let cuts = |guess: &f64| *guess > low.level * CUT && *guess < high.level / CUT;
    guesses.find(cuts).unwrap_or_else(|| (low.level * high.level).sqrt())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod unsteady;
