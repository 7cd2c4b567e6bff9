//! Changes of the load: what somebody at the helm wishes is judged here, and told to the workers.

use super::super::Progress;
use super::super::edits::{self, Edit};
use super::super::helm::{Order, Reach};
use super::super::job::Arrivals;
use super::super::timeline::Stop;
use super::super::worker::Running;
use super::{Control, NOTICE};
use crate::metrics;
use crate::time::{self, Nanos};

/// Only a rate that is no whole number, changed in a load whose own rate is an odd one.
const OUT_OF_RANGE: &str = "a load with that rate cannot be computed exactly; give a whole number of \
                            requests a second";

impl Control<'_> {
    /// Changes the load as somebody wishes.
    pub(super) fn edit(&mut self, workers: &[Running], watch: &mut dyn FnMut(Progress)) {
        let ends = workers.iter().any(Running::is_finished) || self.timeline().stop() != Stop::No;
        let Reach { measure, length, .. } = self.helm.reach();
        let end = measure.zip(length).map_or(Nanos::MAX, |(measure, length)| measure + length);
        self.bounds.is_over = ends || time::now() + NOTICE >= end;
        self.helm.bound(self.bounds);
        for order in self.helm.orders() {
            let refusal = self.bounds.refuse(order.level);
            match refusal.map_or_else(|| self.carry_out(order.clone()), Err) {
                Ok(edit) => watch(Progress::Edited { edit: &edit }),
                Err(why) => watch(Progress::EditRefused { why: &why, who: &order.who }),
            }
        }
    }

    /// Tells the workers of a change, some time ahead. One from before the start is there from the
    /// start.
    fn carry_out(&mut self, order: Order) -> std::result::Result<metrics::Edit, String> {
        let origin = self.timeline().origin();
        let at = if origin.is_some() { time::now() + NOTICE } else { self.began };
        let edit = Edit { at, level: order.level };
        let edits: Vec<Edit> = self.edits().chain([edit]).collect();
        if !self.can_be_computed(&edits) {
            return Err(OUT_OF_RANGE.to_string());
        }
        self.timeline().edit(edit);
        self.edited.push((edit, order.who));
        self.bounds.left -= 1;
        self.helm.bound(self.bounds);
        let stages = self.plan.load.stages().len().max(1) + self.edited.len();
        self.collector.has_stages(stages);
        Ok(self.told_of(&self.edited[self.edited.len() - 1], origin.unwrap_or(at)))
    }

    pub(super) fn edits(&self) -> impl Iterator<Item = Edit> {
        self.edited.iter().map(|(edit, _)| *edit)
    }

    /// Whether the workers can tell when each request is due with these changes.
    fn can_be_computed(&self, edits: &[Edit]) -> bool {
        let Some(Arrivals::Open(schedule)) = self.prepared.jobs.first().map(|job| &job.arrivals)
        else {
            return true;
        };
        let origin = self.timeline().origin().unwrap_or(Nanos::MAX);
        let measure = self.helm.reach().measure.unwrap_or(Nanos::MAX);
        schedule.warmup_with(&edits::turns(edits, origin)).is_some()
            && schedule.measure_with(&edits::turns(edits, measure)).is_some()
    }

    /// As the report has it.
    pub(super) fn told_of(&self, (edit, who): &(Edit, String), origin: Nanos) -> metrics::Edit {
        metrics::Edit { at: edit.at - origin, level: edit.level.into(), who: who.clone() }
    }
}
