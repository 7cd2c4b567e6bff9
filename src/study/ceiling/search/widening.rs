//! Whether there are enough connections, and whether more would carry more.

use std::slice;

use super::super::probe::Probe;
use super::Search;
use crate::error::Result;

/// Probes that had too few connections until there are more of them; and how often that is so at one
/// level: thirty-two times as many.
const FEW: usize = 2;
const MOST_WIDER: usize = 5;

/// More connections that carry more than the fewer did carry this many times as much.
const MORE: f64 = 1.02;

impl Search<'_> {
    /// One run; where the connections were too few, again with more of them. A host that pauses leaves
    /// no connection free either, so they are too few when they were so twice. A server at its limit
    /// does too: where more of them carried no more, the search goes on with the fewer, and what fails
    /// is the rate.
    pub(super) fn probe(&mut self, level: f64, times: f64) -> Result<Probe> {
        let mut lacking: Vec<Probe> = Vec::new();
        let probe = loop {
            let probe = self.probe_once(level, times)?;
            if !probe.lacks_connections() || self.more_are_no_help {
                break probe;
            }
            lacking.push(probe.clone());
            let (tries, rest) = (lacking.len() / FEW, lacking.len() % FEW);
            let is_enough = || tries > MOST_WIDER || carried_no_more(&lacking, &probe);
            if rest == 0 && (is_enough() || !self.prober.widen()?) {
                break probe;
            }
        };
        if carried_no_more(&lacking, &probe) {
            self.prober.narrow(lacking[0].connections);
            self.more_are_no_help = true;
        }
        Ok(if self.more_are_no_help { probe.with_enough_connections() } else { probe })
    }

    /// Whether twice the connections carry what failed at the end.
    pub(super) fn ask_for_more(&mut self) -> Result<()> {
        let failed = self.finding.high.clone().filter(Probe::fails);
        let Some(failed) = failed.filter(|_| self.finding.confirmed) else { return Ok(()) };
        if !self.is_over() && self.is_in_time(failed.level, 1.0) && self.prober.widen()? {
            let wider = self.probe(failed.level, 1.0)?;
            self.finding.more_help = (!self.is_over()).then(|| wider.holds());
            if carried_no_more(slice::from_ref(&failed), &wider) {
                self.finding.high = Some(failed.with_enough_connections());
            }
        }
        Ok(())
    }
}

/// Not each of those with the most connections carried more than all with the fewest: one that did may
/// have met a better moment. Not so where it was not the server that kept `last` from it, or there
/// were no more connections to try.
fn carried_no_more(lacking: &[Probe], last: &Probe) -> bool {
    let Some(first) = lacking.first() else { return false };
    let carried = |connections: u32| {
        let tried = lacking.iter().chain([last]);
        tried.filter(move |probe| probe.connections == connections).map(|probe| probe.good_per_s)
    };
    let most = carried(first.connections).fold(0.0, f64::max);
    let least = carried(last.connections).fold(f64::INFINITY, f64::min);
    let is_wider = last.connections > first.connections;
    last.fails() && is_wider && least <= most * MORE
}
