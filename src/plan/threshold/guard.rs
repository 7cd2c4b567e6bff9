//! The guard: rules over the last seconds of measure, the first of which to become true ends the
//! run.
//!
//! The window is [`WINDOW`] complete seconds of *measure* and slides by one. Before it is full
//! nothing is judged. In it, shares are of the requests that ended, and a rule that cannot be told
//! (too few samples, say) is not true: against a server that is gone, where no request ends, only
//! rates can be.

use super::{Figures, Threshold};
use crate::metrics::{Aborted, Events, Fates, Interval, Mode, Phase};
use crate::time::Nanos;

/// The length of the window.
pub const WINDOW: Nanos = Nanos::from_secs(SECONDS as u64);

const SECONDS: usize = 5;
const SECOND: Nanos = Nanos::from_secs(1);

#[derive(Debug)]
pub struct Guard {
    rules: Vec<Threshold>,
    window: Window,
    aborted: Option<Aborted>,
}

impl Guard {
    /// `measure`: when that starts, from the start of warm-up, where it is known.
    pub fn new(rules: Vec<Threshold>, mode: Mode, measure: Option<Nanos>) -> Guard {
        let window = Window::new(mode, measure.unwrap_or(Nanos::MAX));
        Guard { rules, window, aborted: None }
    }

    /// A warm-up without a given length ends: when measure starts, from the start of warm-up.
    pub fn measure_begins(&mut self, at: Nanos) {
        self.window.start = first_whole_second(at);
    }

    /// Another second is over; `fates` are the requests of measure that ended in it. Without
    /// rules, and once one was true, this does nothing.
    pub fn push(&mut self, interval: &Interval, fates: &Fates) {
        if self.rules.is_empty() || self.aborted.is_some() {
            return;
        }
        if !self.window.push(interval, fates) {
            return;
        }
        let Some(figures) = self.window.figures() else { return };
        let mut outcomes = self.rules.iter().map(|rule| rule.over(&figures));
        self.aborted = outcomes.find(|outcome| outcome.ok).map(|outcome| Aborted {
            at: interval.end,
            window: WINDOW,
            value: outcome.value.unwrap_or_default(),
            unit: outcome.unit.name(),
            expr: outcome.expr,
        });
    }

    /// The rule that became true.
    pub fn aborted(&self) -> Option<&Aborted> {
        self.aborted.as_ref()
    }
}

/// The last seconds of measure.
#[derive(Debug)]
struct Window {
    mode: Mode,
    /// The start of the first whole second of measure.
    start: Nanos,
    /// A ring: the second that ends at `t` has the place `t mod SECONDS`. Its histograms are large
    /// and are filled over and over.
    seconds: Vec<Second>,
    /// All of them, as one.
    fates: Fates,
    events: Events,
    /// It ends with the newest second.
    end: Nanos,
}

fn first_whole_second(measure: Nanos) -> Nanos {
    Nanos(measure.0.div_ceil(SECOND.0).saturating_mul(SECOND.0))
}

#[derive(Debug, Default)]
struct Second {
    end: Nanos,
    events: Events,
    fates: Fates,
}

impl Window {
    fn new(mode: Mode, measure: Nanos) -> Window {
        Window {
            mode,
            start: first_whole_second(measure),
            seconds: Vec::new(),
            fates: Fates::default(),
            events: Events::default(),
            end: Nanos::ZERO,
        }
    }

    /// Takes a second in, if all of it lies in measure, and tells whether it does.
    fn push(&mut self, interval: &Interval, fates: &Fates) -> bool {
        let starts = interval.end - SECOND;
        if interval.phase != Phase::Measure || starts < self.start {
            return false;
        }
        self.seconds.resize_with(SECONDS, Second::default);
        let place = (interval.end.0 / SECOND.0) as usize % SECONDS;
        let second = &mut self.seconds[place];
        second.end = interval.end;
        second.events = interval.events;
        second.fates.clear();
        second.fates.add(fates);
        self.end = interval.end;
        true
    }

    /// What is in it, once it is full. A second in which nothing was heard of any worker (the
    /// process was stopped) is an empty one.
    fn figures(&mut self) -> Option<Figures<'_>> {
        let start = self.end - WINDOW;
        if self.end < self.start + WINDOW {
            return None;
        }
        self.fates.clear();
        self.events = Events::default();
        for second in self.seconds.iter().filter(|second| second.end > start) {
            self.fates.add(&second.fates);
            self.events.add(&second.events);
        }
        Some(Figures::of_window(self.mode, &self.fates, self.events, WINDOW))
    }
}
