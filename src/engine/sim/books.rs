//! A worker's books: the sum of its snapshots.

use std::collections::BTreeMap;

use crate::metrics::{Counters, Events, Fates, Phase, Snapshot};
use crate::time::Nanos;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    pub warmup: Entries,
    pub measure: Entries,
    /// What happened inside warm-up, measure and drain.
    pub events: [Events; 3],
    /// By interval, and phase: how many were sent, and how many were answered or failed.
    pub series: BTreeMap<(u32, &'static str), (u64, u64)>,
}

/// One phase's counters, and how many samples its histograms hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    pub counters: Counters,
    pub good: u64,
    pub censored: u64,
    pub send_lag: u64,
    pub rejected: u64,
    pub failed: u64,
}

impl Books {
    pub fn add(&mut self, snapshot: &Snapshot) {
        self.warmup.add(&Entries::of(&snapshot.warmup));
        self.measure.add(&Entries::of(&snapshot.measure));
        let events = match snapshot.phase {
            Phase::Warmup => &mut self.events[0],
            Phase::Measure => &mut self.events[1],
            Phase::Drain | Phase::Aside => &mut self.events[2],
        };
        events.add(&snapshot.events);
        let Events { sent, completed, failed, .. } = snapshot.events;
        if sent + completed + failed > 0 {
            let of = self.series.entry((snapshot.interval, snapshot.phase.name())).or_default();
            *of = (of.0 + sent, of.1 + completed + failed);
        }
    }

    pub fn join(&mut self, other: &Books) {
        self.warmup.add(&other.warmup);
        self.measure.add(&other.measure);
        self.events.iter_mut().zip(&other.events).for_each(|(to, from)| to.add(from));
    }

    /// Of both phases.
    pub fn counters(&self) -> Counters {
        let mut both = self.warmup.counters.clone();
        both.add(&self.measure.counters);
        both
    }

    pub fn happened(&self) -> Events {
        let mut all = Events::default();
        self.events.iter().for_each(|events| all.add(events));
        all
    }
}

impl Entries {
    fn of(fates: &Fates) -> Entries {
        Entries {
            counters: fates.counters.clone(),
            good: fates.good.count(),
            censored: fates.censored.count(),
            send_lag: fates.send_lag.count(),
            rejected: fates.rejected.count(),
            failed: fates.failed.count(),
        }
    }

    fn add(&mut self, other: &Entries) {
        self.counters.add(&other.counters);
        self.good += other.good;
        self.censored += other.censored;
        self.send_lag += other.send_lag;
        self.rejected += other.rejected;
        self.failed += other.failed;
    }

    /// Fates with as many samples, all of the same time: adding up whole histograms of hundreds of
    /// runs would take most of the simulation's time, and the audit looks at the counts.
    pub fn fates(&self) -> Fates {
        let mut fates = Fates { counters: self.counters.clone(), ..Fates::default() };
        for (histogram, count) in [
            (&mut fates.good, self.good),
            (&mut fates.censored, self.censored),
            (&mut fates.send_lag, self.send_lag),
        ] {
            if count > 0 {
                histogram.record_many(Nanos(1), count);
            }
        }
        fates
    }
}
