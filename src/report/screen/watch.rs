//! What the engine tells of each second, made small enough to be handed to whoever draws: on the
//! control thread, so nothing here waits for anything.

use super::second::Second;
use super::state::{Gauge, Standing, Update};
use crate::metrics::{Counters, Drop, Events, Fates, Interval, Label, Mode, Phase};
use crate::plan::Threshold;
use crate::plan::threshold::Figures;
use crate::report::reading;
use crate::time::Nanos;

/// Keeps the sums.
#[derive(Debug)]
pub struct Watch {
    mode: Mode,
    rules: Vec<Threshold>,
    /// The requests of measure that have ended, where a rule asks for them.
    so_far: Fates,
    events: Events,
    measured: Nanos,
    last_end: Nanos,
    counters: Counters,
}

impl Watch {
    pub fn new(mode: Mode, rules: &[Threshold]) -> Watch {
        Watch {
            mode,
            rules: rules.to_vec(),
            so_far: Fates::default(),
            events: Events::default(),
            measured: Nanos::ZERO,
            last_end: Nanos::ZERO,
            counters: Counters::default(),
        }
    }

    pub fn second(
        &mut self,
        interval: &Interval,
        [measure, warmup]: [&Fates; 2],
        busy: &[f64],
        gauges: Vec<(Label, Option<f64>)>,
    ) -> Update {
        let length = interval.end - self.last_end;
        self.last_end = interval.end;
        self.counters.add(&measure.counters);
        self.counters.add(&warmup.counters);
        if interval.phase == Phase::Measure {
            self.measured += length;
            self.events.add(&interval.events);
        }
        if !self.rules.is_empty() {
            self.so_far.add(measure);
        }
        let good = self.counters.good;
        Update {
            second: Second::of(interval, length, measure, warmup),
            good,
            ended: good + self.counters.errors(),
            failures: failures(&self.counters),
            busy: busy.to_vec(),
            gauges: gauges.into_iter().filter_map(Gauge::of).collect(),
            rules: self.standings(),
        }
    }

    fn standings(&self) -> Vec<Standing> {
        let figures = Figures::of_window(self.mode, &self.so_far, self.events, self.measured);
        self.rules.iter().map(|rule| standing(rule, &figures)).collect()
    }
}

/// How a rule stands by what is known; what only the whole run can tell is left open.
fn standing(rule: &Threshold, figures: &Figures) -> Standing {
    let outcome = rule.check_window().is_ok().then(|| rule.over(figures));
    let told = outcome.and_then(|outcome| Some((outcome.value?, outcome)));
    let Some((value, outcome)) = told else {
        return Standing { rule: rule.shown(), holds: None, value: "-".to_string() };
    };
    let bound = if outcome.lower_bound { ">=" } else { "" };
    let value = format!("{bound}{}", reading::of_unit(value, outcome.unit.name()));
    Standing { rule: rule.shown(), holds: Some(outcome.ok), value }
}

fn failures(counters: &Counters) -> Vec<(&'static str, u64)> {
    let failed = counters.failures().map(|(kind, count)| (kind.name(), count));
    let rejected = counters.rejections().map(|(kind, count)| (kind.name(), count));
    let dropped = Drop::ALL.iter().map(|why| (why.name(), counters.drops[*why as usize]));
    let abandoned = [("abandoned", counters.abandoned)];
    let all = failed.chain(rejected).chain(dropped).chain(abandoned);
    let mut all: Vec<_> = all.filter(|(_, count)| *count > 0).collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    all
}
