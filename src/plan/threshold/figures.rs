//! What a rule is read from: a whole run, or a window of it.

use crate::metrics::{Account, CheckCount, Events, Fates, Mode, Named, Part, Stage, Summary};
use crate::time::Nanos;

/// A run or a window, as the table reads it.
#[derive(Clone, Debug)]
pub struct Figures<'a> {
    pub(super) mode: Mode,
    pub(super) fates: &'a Fates,
    /// What happened within `length`.
    pub(super) events: Events,
    pub(super) length: Nanos,
    /// What shares of requests are of. A run: all that were due (closed loop: sent). A window:
    /// all that ended in it.
    pub(super) requests: u64,
    /// What became due; the schedule's share is of these.
    pub(super) due: u64,
    /// The whole run, if it is one.
    pub(super) run: Option<&'a Summary>,
    /// The checks of the scenario, and the books that tell what each rejected.
    pub(super) checks: &'a [CheckCount],
    pub(super) accounts: Vec<&'a Account>,
}

impl<'a> Figures<'a> {
    pub fn of_run(summary: &'a Summary) -> Figures<'a> {
        let counters = &summary.measure.counters;
        Figures {
            mode: summary.mode,
            fates: &summary.measure,
            events: summary.measure_events,
            length: summary.measured,
            requests: match summary.mode {
                Mode::Open => counters.scheduled,
                Mode::Closed => counters.sent,
            },
            due: counters.scheduled,
            run: Some(summary),
            checks: &summary.checks,
            accounts: main_part(summary).map(|row| &row.account).collect(),
        }
    }

    /// What was sent from one place of a scenario.
    pub fn of_name(summary: &'a Summary, row: &'a Named) -> Figures<'a> {
        let account = &row.account;
        let counters = &account.fates.counters;
        let requests = match summary.mode {
            Mode::Open => counters.scheduled,
            Mode::Closed => counters.sent,
        };
        Figures {
            fates: &account.fates,
            events: account.events,
            requests,
            due: counters.scheduled,
            run: None,
            accounts: vec![account],
            ..Figures::of_run(summary)
        }
    }

    pub fn of_stage(mode: Mode, stage: &'a Stage) -> Figures<'a> {
        let counters = &stage.fates.counters;
        let (fates, events, length) = (&stage.fates, stage.events, stage.length);
        // In closed loop what is due in a stage is what is sent in it.
        let requests = counters.scheduled;
        Figures {
            mode,
            fates,
            events,
            length,
            requests,
            due: requests,
            run: None,
            checks: &[],
            accounts: Vec::new(),
        }
    }

    /// `fates` are the requests that ended in the window (and the counts of those sent in it).
    pub fn of_window(mode: Mode, fates: &'a Fates, events: Events, length: Nanos) -> Figures<'a> {
        let ended = fates.counters.good + fates.counters.errors();
        Figures {
            mode,
            fates,
            events,
            length,
            requests: ended,
            due: events.scheduled,
            run: None,
            checks: &[],
            accounts: Vec::new(),
        }
    }

    /// Attempts to connect that count as errors: those of a closed loop, where each stands for
    /// the requests that it kept from being sent.
    pub(super) fn failed_attempts(&self) -> u64 {
        let closed = self.run.filter(|run| run.mode == Mode::Closed);
        closed.map_or(0, |run| run.connections.failed())
    }

    pub(super) fn per_second(&self, count: u64) -> Option<f64> {
        (self.length > Nanos::ZERO).then(|| count as f64 / self.length.as_secs_f64())
    }
}

/// The rows that the headline is made of.
fn main_part(summary: &Summary) -> impl Iterator<Item = &Named> {
    summary.names.iter().filter(|row| row.part == Part::Main)
}
