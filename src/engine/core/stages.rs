//! The stages of a worker's life, and what ends each.

use super::super::tally::Phases;
use super::super::timeline::{Gate, Stop};
use super::{BRIEF, Core, PAUSE, Stage, share};
use crate::time::Nanos;

impl Core {
    #[inline]
    pub(super) fn proceed(&mut self, now: Nanos) {
        match self.stage {
            Stage::Connecting => self.connect_or_start(now),
            Stage::Running => {
                if self.job.timeline.stop() != Stop::No {
                    self.interrupt(now);
                } else if now >= self.phases().end {
                    self.drain(self.phases().end + self.job.drain);
                } else if self.is_spent() && self.tally.in_flight() == 0 {
                    self.end_measure(now);
                    self.drain(now);
                }
            }
            Stage::Draining => {
                let unfinished =
                    self.tally.in_flight() > 0 || self.pacer.has_backlog() || self.has_teardown();
                let stop = self.job.timeline.stop();
                if !unfinished || now >= self.drain_end || stop == Stop::Now {
                    self.stage = Stage::Done;
                } else if stop == Stop::Soon {
                    self.drain_end = self.drain_end.min(now + BRIEF);
                }
            }
            Stage::Done => {}
        }
    }

    pub(super) fn connect_or_start(&mut self, now: Nanos) {
        let timeline = &self.job.timeline;
        if timeline.stop() != Stop::No || timeline.gate() == Gate::Refused {
            self.pacer.call_off();
            self.stage = Stage::Done;
            return;
        }
        self.gate_open = timeline.gate() == Gate::Open;
        if let Some(origin) = timeline.origin()
            && now >= origin
        {
            self.tally.start(Phases { origin, measure: Nanos::MAX, end: Nanos::MAX });
            self.pacer.start(origin);
            self.crew.start(origin);
            match self.job.warmup.length() {
                Some(warmup) => self.begin_measure(origin + warmup),
                None => self.seeks_measure = true,
            }
            self.redial.pace(self.job.connect_rate.map(|rate| share(rate, self.job.workers)));
            self.stage = Stage::Running;
            // A worker that was paused over the start may be past more than that.
            self.roll(now);
        }
    }

    /// A warm-up without a given length: its end, once the control thread has set it. That is told
    /// some time ahead, and looked for before anything of a later time is done. True once it is set.
    pub(super) fn learn_measure(&mut self) -> bool {
        let Some(at) = self.job.timeline.measure() else { return false };
        self.seeks_measure = false;
        self.begin_measure(at);
        true
    }

    fn begin_measure(&mut self, at: Nanos) {
        let length = self.job.length();
        self.pacer.begin_measure(at);
        self.tally.begin_measure(at, length.map_or(Nanos::MAX, |length| at + length));
    }

    /// Before anything of a later time is done: whether a person has changed the length of measure;
    /// and once its end has come, that nobody does any more.
    #[inline]
    pub(super) fn look_at_length(&mut self, now: Nanos) {
        let end = self.phases().end;
        let told = if now < end {
            self.job.timeline.length()
        } else {
            self.length_is_settled = true;
            self.job.timeline.settle_length()
        };
        // While measure has not begun there is no end to move.
        if told != self.length && end != Nanos::MAX {
            self.length = told;
            self.change_length(end, now);
        }
    }

    /// What was due up to now may have been sent already, so measure ends after now.
    fn change_length(&mut self, end: Nanos, now: Nanos) {
        let Some(length) = self.length else { return };
        let new = (self.phases().measure + length).max(now + Nanos(1));
        // One that was told of it after the old end has nothing of later to publish yet.
        let now = now.min(end - Nanos(1));
        self.publish_until(now);
        self.pacer.end_at(new);
        self.crew.hold_until(new, now);
        self.tally.end_at(new, now);
    }

    /// Notices that the worker did not run although it had to.
    #[inline]
    pub(super) fn look_for_pause(&mut self, now: Nanos) {
        if now - self.awaited >= PAUSE && matches!(self.stage, Stage::Running | Stage::Draining) {
            self.tally.was_paused(self.awaited, now);
        }
    }

    /// The user wants it to end: nothing more becomes due.
    pub(super) fn interrupt(&mut self, now: Nanos) {
        self.seeks_measure = false;
        self.pacer.stop(now);
        self.end_measure(now);
        let drain = self.job.drain.min(BRIEF);
        self.drain(if self.job.timeline.stop() == Stop::Now { now } else { now + drain });
    }

    pub(super) fn end_measure(&mut self, now: Nanos) {
        // Whoever wishes for another end now wishes too late.
        self.length_is_settled = true;
        self.tally.end_measure(now);
        self.roll(now);
    }

    pub(super) fn drain(&mut self, until: Nanos) {
        self.stage = Stage::Draining;
        self.drain_end = until;
        self.pacer.close();
    }
}
