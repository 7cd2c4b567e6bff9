//! A load that is changed while it runs. The change is told of some time ahead and looked for with
//! each reading of the clock, before anything of that time is done: nothing that was due later than
//! the change has been handed out by then, so the schedule up to there stays what it was.

use super::super::edits;
use super::super::tally::Phases;
use super::Core;
use crate::metrics::Phase;
use crate::time::Nanos;

impl Core {
    /// `learned`: the start of measure is known from now on.
    #[inline]
    pub(super) fn look_at_edits(&mut self, learned: bool, now: Nanos) {
        let is_new = self.job.timeline.edited() != self.edits.len();
        if is_new || learned && !self.edits.is_empty() {
            self.take_edits(now);
        }
    }

    #[cold]
    fn take_edits(&mut self, now: Nanos) {
        let edits = self.job.timeline.edits();
        let first = edits.get(self.edits.len()).map_or(Nanos::MAX, |edit| edit.at);
        let Phases { origin, measure, end } = *self.phases();
        // One that slept over it, or over the end of a phase, has the old load up to there; what
        // comes after that is published when all that is new is taken in.
        let measure = if self.tally.phase() == Phase::Warmup { measure } else { Nanos::MAX };
        let until = [first, measure, end].into_iter().fold(Nanos::MAX, Nanos::min) - Nanos(1);
        let until = until.min(now).max(origin);
        self.publish_until(until);
        self.edits = edits;
        self.steer(until);
    }

    /// All up to `until` is published that was to be, and is as it was.
    fn steer(&mut self, until: Nanos) {
        let measure = self.phases().measure;
        let stage_ends = edits::stage_ends(&self.job.stage_ends, &self.edits, measure);
        self.pacer.steer(&self.edits, stage_ends.clone());
        self.crew.steer(&self.edits, until);
        self.tally.steer(stage_ends, until);
    }
}
