//! Edits: changes of the load while it runs. Each is for good, from an instant on that every worker
//! hears of ahead of time, and takes the place of all that was to follow, stages included. What
//! they come to is a pure function of the list, so all workers agree on it whenever they hear.

use std::sync::Arc;

use crate::metrics;
use crate::plan::schedule::Turn;
use crate::plan::shape::Stage;
use crate::plan::{Load, OfferedRate, Plan, Rate};
use crate::time::Nanos;

/// A change of the load. Instants are by the clock of [`crate::time`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    pub at: Nanos,
    pub level: Level,
}

/// What the load is changed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Rate(Rate),
    /// Connections that take part; of a scenario, users.
    Users(u32),
}

impl Level {
    /// As the report has it: requests per second, or users.
    fn number(self) -> f64 {
        match self {
            Level::Rate(rate) => rate.per_s(),
            Level::Users(count) => count.into(),
        }
    }
}

impl From<Level> for metrics::Level {
    fn from(level: Level) -> metrics::Level {
        match level {
            Level::Rate(rate) => metrics::Level::Rate(rate.per_s()),
            Level::Users(count) => metrics::Level::Users(count),
        }
    }
}

/// The changes of the rate, by the clock of a phase that begins at `zero`. One from before then
/// holds in all of it.
pub fn turns(edits: &[Edit], zero: Nanos) -> Vec<Turn> {
    let turn = |edit: &Edit| match edit.level {
        Level::Rate(rate) => Some(Turn { at: edit.at - zero, rate }),
        Level::Users(_) => None,
    };
    edits.iter().filter_map(turn).collect()
}

/// The ends of the stages from the start of measure. `asked`: as they were to be, none for a steady
/// load. The last one has no end of its own.
pub fn stage_ends(asked: &Arc<[Nanos]>, edits: &[Edit], measure: Nanos) -> Arc<[Nanos]> {
    if edits.is_empty() {
        return asked.clone();
    }
    let all_but_the_last = asked.len().saturating_sub(1);
    let mut ends = asked[..all_but_the_last].to_vec();
    for at in edits.iter().map(|edit| edit.at - measure) {
        ends.retain(|end| *end < at);
        // One from the very start on cuts no stage off.
        ends.extend((at > Nanos::ZERO).then_some(at));
    }
    ends.push(Nanos::MAX);
    ends.into()
}

/// A stage of a load that was changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// From the start of measure.
    pub start: Nanos,
    /// `None`: to the end of measure.
    pub length: Option<Nanos>,
    /// Requests per second, or connections.
    pub from: f64,
    pub to: f64,
}

/// The stages as they came to be; empty for a steady load that nobody changed.
pub fn legs(plan: &Plan, edits: &[Edit], measure: Nanos) -> Vec<Leg> {
    let mut legs: Vec<Leg> =
        plan.load.stages().iter().map(|stage| leg(&plan.load, stage)).collect();
    if legs.is_empty() && !edits.is_empty() {
        let level = plan.load.per_s().unwrap_or(plan.connections.into());
        legs.push(Leg { start: Nanos::ZERO, length: None, from: level, to: level });
    }
    for edit in edits {
        let (at, level) = (edit.at - measure, edit.level.number());
        legs.retain(|leg| leg.start < at);
        if let Some(last) = legs.last_mut() {
            last.cut(at);
        }
        legs.push(Leg { start: at, length: None, from: level, to: level });
    }
    legs
}

fn leg(load: &Load, stage: &Stage) -> Leg {
    let per_s = load.offered().map_or(1.0, |offered| match offered.rate() {
        OfferedRate::Steady(_) => 1.0,
        OfferedRate::Shaped { period, .. } => 1.0 / period.as_secs_f64(),
    });
    let (from, to) = (stage.from as f64 * per_s, stage.to as f64 * per_s);
    Leg { start: stage.start, length: Some(stage.length), from, to }
}

impl Leg {
    /// It ends at `at`, at the level that it has there.
    fn cut(&mut self, at: Nanos) {
        let cut = at - self.start;
        if let Some(length) = self.length.filter(|length| *length > cut) {
            let part = cut.as_secs_f64() / length.as_secs_f64();
            self.to = self.from + (self.to - self.from) * part;
        }
        self.length = Some(cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::plan::{Law, Offered, Shape, Url};

    const SECOND: Nanos = Nanos::from_secs(1);
    const MEASURE: Nanos = Nanos::from_secs(50);

    fn edit(at: u64, rate: u64) -> Edit {
        let level = Level::Rate(Rate::per_second(rate));
        Edit { at: Nanos::from_secs(at), level }
    }

    fn plan(load: Load) -> Plan {
        let url = Url::parse("http://127.0.0.1/").expect("a URL");
        Plan { load, ..Plan::new(url, Request::new("GET", "/", "127.0.0.1")) }
    }

    fn ends(asked: &[u64], edits: &[Edit]) -> Vec<u64> {
        let asked: Arc<[Nanos]> = asked.iter().map(|end| Nanos::from_secs(*end)).collect();
        let ends = stage_ends(&asked, edits, MEASURE);
        ends.iter().map(|end| end.0 / SECOND.0).collect()
    }

    #[test]
    fn a_change_cuts_the_stage_it_comes_in_and_takes_the_place_of_those_after_it() {
        let open = u64::MAX / SECOND.0;
        assert_eq!(ends(&[5, 9, 14], &[]), [5, 9, 14]);
        assert_eq!(ends(&[5, 9, 14], &[edit(57, 3)]), [5, 7, open]);
        assert_eq!(ends(&[5, 9, 14], &[edit(55, 3), edit(58, 4)]), [5, 8, open]);
        assert_eq!(ends(&[], &[edit(52, 3), edit(54, 4)]), [2, 4, open]);
        // Of two at the same time the later one counts.
        assert_eq!(ends(&[], &[edit(52, 3), edit(52, 4)]), [2, open]);
        // In warm-up, or before.
        assert_eq!(ends(&[5, 9], &[edit(49, 3)]), [open]);
    }

    #[test]
    fn a_leg_for_each_stage_end_has_the_levels_at_its_ends() {
        let levels = [(Nanos::from_secs(4), 100), (Nanos::from_secs(4), 500)];
        let shape = Shape::to_levels(100, &levels).expect("a shape");
        let offered = Offered::shaped(shape, SECOND, Law::Uniform).expect("small numbers");
        let ramp = plan(Load::Open(offered));
        for (plan, edits, expected) in [
            (&ramp, &[edit(55, 7)][..], &[(0, 100.0, 100.0), (4, 100.0, 200.0), (5, 7.0, 7.0)][..]),
            (&ramp, &[edit(49, 7), edit(60, 8)], &[(0, 7.0, 7.0), (10, 8.0, 8.0)]),
            (&plan(Load::CLOSED), &[], &[]),
            (
                &plan(Load::CLOSED),
                &[Edit { at: Nanos::from_secs(53), level: Level::Users(9) }],
                &[(0, 64.0, 64.0), (3, 9.0, 9.0)],
            ),
        ] {
            let legs = legs(plan, edits, MEASURE);
            let told: Vec<_> = legs.iter().map(|l| (l.start.0 / SECOND.0, l.from, l.to)).collect();
            assert_eq!(told, expected);
            let asked: Arc<[Nanos]> = plan.load.stages().iter().map(Stage::end).collect();
            assert_eq!(stage_ends(&asked, edits, MEASURE).len(), legs.len());
        }
    }
}
