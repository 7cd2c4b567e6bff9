//! The time that is left is spent above the answer: levels half way up to the most that was carried
//! in any moment, each several times, until one holds. The runs are longer than a probe, and shorter
//! than what confirms.
//!
//! A host that changes its speed ends a search wherever it was slow, and the next search of the same
//! server elsewhere. What it is in its better moments is the same for both.

use super::super::probe::Probe;
use super::{SAME, Search, TWICE, is_same, overload};
use crate::error::Result;

/// The length of its runs, in probes. A host that pauses every second leaves few gaps of two or three,
/// and the search would end with whichever it met; there are many of one and a half.
const LONG: f64 = 1.5;

/// How often a level is tried.
const ATTEMPTS: usize = 4;

/// Of a host that was slow all the time so far, the most that was carried says too little.
const REACH: f64 = 1.1;

/// What held for a moment only, and nothing above it for longer, is tried for longer so often; and what
/// is just above an answer that nothing above had failed.
const AT_LAST: usize = 2;

#[derive(Clone, Debug, PartialEq)]
enum Attempt {
    /// For long.
    Held(Probe),
    Failed,
    /// It carried the same twice and never more, or turned requests away: that is no host's doing.
    Limited,
}

impl Search<'_> {
    pub(super) fn insist(&mut self) -> Result<()> {
        if !self.will_insist() {
            return Ok(());
        }
        let before = self.finding.low.clone();
        let mut is_told = self.climb(1.0)?;
        self.insist_on_what_held()?;
        // The host may have its better moments later.
        while !is_told && self.may_be_unsteady() {
            is_told = self.climb(REACH)?;
        }
        if self.finding.low != before {
            self.find_the_end()?;
            self.finding.confirmed = self.failed_again();
            self.finding.hurried = !self.failed_near();
        }
        Ok(())
    }

    /// Once through the levels above, at least to `reach` times the answer, and farther while they
    /// hold at once; true: another time is no use, or there is none.
    fn climb(&mut self, reach: f64) -> Result<bool> {
        let Some(mut most) = self.most(reach) else { return Ok(true) };
        // By which factor; `None` once a level did not hold at once.
        let mut further = Some(REACH);
        // Where there is no level that far either.
        let mut is_told = reach > 1.0;
        while let Some(level) = self.half_way(most) {
            if !self.has_time_to_insist(level) {
                return Ok(true);
            }
            let before = self.finding.probes.len();
            let attempt = self.attempt(level)?;
            is_told = attempt == Attempt::Limited;
            let is_at_once = self.finding.probes.len() == before + 1;
            further = further.filter(|_| is_at_once).map(|by| (by * by).min(TWICE));
            match attempt {
                Attempt::Held(probe) => {
                    self.take(probe);
                    most = further.map_or(most, |by| most.max(level * by));
                }
                Attempt::Failed | Attempt::Limited => most = level,
            }
        }
        Ok(is_told)
    }

    /// What held may be above all that failed.
    fn find_the_end(&mut self) -> Result<()> {
        let Some(low) = self.finding.low.as_ref().map(|low| low.level) else { return Ok(()) };
        let above = (low * (1.0 + self.settings.precision)).max(low + self.settings.step);
        let level = self.settings.rounded(above);
        // The last tries above may have failed, with no time left.
        self.finding.high = self.lowest_above(low);
        for _ in 0..AT_LAST {
            if self.failed_again() || self.is_over() || !self.is_in_time(level, 1.0) {
                break;
            }
            if !self.probe(level, 1.0)?.holds() {
                self.settle()?;
            }
            self.finding.high = self.lowest_above(low);
        }
        Ok(())
    }

    /// Something failed that was no harder than what holds.
    fn is_unsteady(&self) -> bool {
        let Some(low) = &self.finding.low else { return false };
        self.alike().any(|probe| probe.fails() && probe.level <= low.level)
    }

    /// Or no harder than what held for a moment.
    fn may_be_unsteady(&self) -> bool {
        let held = self.alike().filter(|probe| probe.holds()).map(|probe| probe.level);
        let most = held.fold(0.0, f64::max);
        self.alike().any(|probe| probe.fails() && probe.level <= most)
    }

    /// A rate that other connections did not carry is another matter.
    fn alike(&self) -> impl Iterator<Item = &Probe> {
        let is_rate = self.settings.step == 0.0;
        let own = self.finding.low.as_ref().filter(|_| is_rate).map(|low| low.connections);
        let probes = self.finding.probes.iter();
        probes.filter(move |probe| own.is_none_or(|own| probe.connections == own))
    }

    /// Something holds, and it is the server that failed above, if anything did.
    pub(super) fn will_insist(&self) -> bool {
        let is_the_servers = self.finding.high.as_ref().is_some_and(Probe::fails);
        self.settings.insists && self.finding.low.is_some() && is_the_servers
    }

    /// That was carried in any moment.
    fn most(&self, reach: f64) -> Option<f64> {
        let low = self.finding.low.as_ref()?.level;
        let overloads = self.finding.probes.iter().filter_map(overload);
        Some(overloads.chain(self.burst()).fold(low * reach, f64::max))
    }

    /// Between what holds and this; `None`: they are near enough.
    fn half_way(&self, most: f64) -> Option<f64> {
        let low = self.finding.low.as_ref()?.level;
        let is_apart = most > low * (1.0 + self.settings.precision);
        let level = self.settings.rounded((low * most).sqrt());
        (is_apart && most - low > self.settings.step).then_some(level)
    }

    /// Several runs, the first of which to hold is enough.
    fn attempt(&mut self, level: f64) -> Result<Attempt> {
        let mut earlier: Option<f64> = None;
        for _ in 0..ATTEMPTS {
            if !self.has_time_to_insist(level) {
                break;
            }
            let probe = self.run_long(level)?;
            if self.is_over() {
                break;
            }
            if probe.holds() {
                return Ok(Attempt::Held(probe));
            }
            self.settle()?;
            let carried = overload(&probe);
            let is_same = earlier.zip(carried).is_some_and(|(one, other)| is_same(one, other));
            if probe.is_turned_away() || is_same && self.none_carried_more(&probe) {
                return Ok(Attempt::Limited);
            }
            earlier = carried;
        }
        Ok(Attempt::Failed)
    }

    /// Of a host that is known to be unsteady, what a failure carried says little: there it takes no
    /// more time than it takes to be one. Nor does it say that there are too few connections, which a
    /// pause leaves none free of: that is asked at the end.
    fn run_long(&mut self, level: f64) -> Result<Probe> {
        if !self.is_unsteady() {
            return self.probe(level, LONG);
        }
        let probe = self.prober.insist(level, LONG)?;
        let probe = self.note(probe);
        Ok(if self.more_are_no_help { probe.with_enough_connections() } else { probe })
    }

    /// What held, or any other overload: it is no limit that was passed before.
    fn none_carried_more(&self, failed: &Probe) -> bool {
        let probes = self.finding.probes.iter();
        let held = probes.clone().filter(|probe| probe.holds()).map(|probe| probe.level);
        let most = held.chain(probes.filter_map(overload)).fold(0.0, f64::max);
        overload(failed).is_some_and(|carried| most <= carried * (1.0 + SAME))
    }

    fn insist_on_what_held(&mut self) -> Result<()> {
        let Some(level) = self.finding.low.as_ref().map(|low| low.level) else { return Ok(()) };
        for _ in 0..AT_LAST {
            if self.finding.confirmed || self.is_over() || !self.is_in_time(level, LONG) {
                break;
            }
            let probe = self.probe(level, LONG)?;
            if probe.holds() {
                self.take(probe);
            } else {
                self.settle()?;
            }
        }
        Ok(())
    }

    /// What held for long is the answer, below the least at which the server failed.
    fn take(&mut self, held: Probe) {
        self.finding.high = self.lowest_above(held.level);
        self.finding.low = Some(held);
        self.finding.confirmed = true;
    }

    /// As near above what held as was asked for.
    fn failed_near(&self) -> bool {
        let (Some(low), Some(high)) = (&self.finding.low, &self.finding.high) else { return false };
        let gap = high.level - low.level;
        gap <= self.settings.step || gap <= low.level * self.settings.precision
    }

    /// The server did, where it failed or little above.
    fn failed_again(&self) -> bool {
        let Some(high) = &self.finding.high else { return false };
        let near = high.level..=high.level * (1.0 + self.settings.precision);
        let probes = self.finding.probes.iter().filter(|probe| near.contains(&probe.level));
        probes.filter(|probe| probe.fails()).count() >= 2
    }

    fn has_time_to_insist(&self, level: f64) -> bool {
        !self.is_over() && self.is_in_time(level, LONG + 1.0)
    }
}
