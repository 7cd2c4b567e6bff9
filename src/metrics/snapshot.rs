//! A snapshot: what one worker did in one slice of the run. Workers record into one, publish it
//! once an interval and take an empty one; the whole run is the sum of all of them, so that each
//! event is recorded once.

use super::{Counters, Events, Histogram, Mode, Portion};
use crate::failure::Kind;
use crate::time::Nanos;

/// The phases of a run. Only *measure* is in the headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Warmup,
    Measure,
    Drain,
    /// No time of the run, but a kind of request: one that sets a user up or takes it down. It is
    /// counted apart, and in no headline.
    Aside,
}

impl Phase {
    pub fn name(self) -> &'static str {
        match self {
            Phase::Warmup => "warmup",
            Phase::Measure => "measure",
            Phase::Drain => "drain",
            Phase::Aside => "aside",
        }
    }
}

/// The requests that were due in one phase: where they ended, and when.
#[derive(Clone, Debug, Default)]
pub struct Fates {
    pub counters: Counters,
    /// Good, from intended (closed loop: sent) to done.
    pub good: Histogram,
    /// Rejected, failed, abandoned and dropped, from intended to their end.
    pub censored: Histogram,
    /// Good, from sent. Open loop only: in closed loop `good` is the same.
    pub service: Histogram,
    /// All sent, from intended to sent. Open loop only.
    pub send_lag: Histogram,
    /// blast's own share of the send lag: from the moment it was due and a connection was free,
    /// and whatever of the wait before that blast was paused.
    pub late: Histogram,
    /// The rest of it, of those sent late for it: no connection was free.
    pub blocked: Histogram,
    /// From intended to the end of the answer.
    pub rejected: Histogram,
    /// From intended to the failure.
    pub failed: Histogram,
    /// Timed out and abandoned, from sent.
    pub unanswered: Histogram,
    /// Rejected, from sent. Open loop only: in closed loop `rejected` is the same.
    pub rejected_service: Histogram,
    /// Sent after waiting for a connection, and the service times of these and of the others:
    /// tells a server that slows down from too few connections.
    pub waited: Service,
    pub unwaited: Service,
}

/// A sum of service times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Service {
    pub count: u64,
    pub total: Nanos,
}

impl Service {
    #[inline]
    pub fn record(&mut self, time: Nanos) {
        self.count += 1;
        self.total += time;
    }

    pub fn mean(&self) -> Option<Nanos> {
        self.total.0.checked_div(self.count).map(Nanos)
    }

    pub fn remove(&mut self, other: Service) {
        self.count = self.count.saturating_sub(other.count);
        self.total = self.total - other.total;
    }

    pub fn add(&mut self, other: Service) {
        self.count += other.count;
        self.total += other.total;
    }
}

/// Each of them, however they are borrowed.
macro_rules! all_histograms {
    ($fates:expr) => {{
        let Fates { counters: _, good, censored, service, send_lag, late, blocked, .. } = $fates;
        let Fates { rejected, failed, unanswered, rejected_service, .. } = $fates;
        [
            good,
            censored,
            service,
            send_lag,
            late,
            blocked,
            rejected,
            failed,
            unanswered,
            rejected_service,
        ]
    }};
}

impl Fates {
    /// With the room made for whatever happens to the requests of a phase.
    pub fn reserved() -> Fates {
        let mut fates = Fates::default();
        fates.histograms_mut().into_iter().for_each(|h| *h = Histogram::reserved());
        fates
    }

    /// With the room made for the good requests of a stage, in open loop or in closed loop. That
    /// for its errors is made when there are any: there may be a hundred stages.
    pub fn reserved_for_good(open_loop: bool) -> Fates {
        let mut fates = Fates { good: Histogram::reserved(), ..Fates::default() };
        if open_loop {
            (fates.service, fates.send_lag) = (Histogram::reserved(), Histogram::reserved());
        }
        fates
    }

    /// Of one of many names: coarse, and with the room made when it is needed.
    pub fn coarse() -> Fates {
        let mut fates = Fates::default();
        fates.histograms_mut().into_iter().for_each(|h| *h = Histogram::coarse());
        fates
    }

    pub fn add(&mut self, other: &Fates) {
        self.counters.add(&other.counters);
        for (to, from) in self.histograms_mut().into_iter().zip(other.histograms()) {
            to.add(from);
        }
        self.waited.add(other.waited);
        self.unwaited.add(other.unwaited);
    }

    /// Takes away what was added. Of what is left, the extremes are those of their buckets.
    pub fn remove(&mut self, other: &Fates) {
        self.counters.remove(&other.counters);
        for (to, from) in self.histograms_mut().into_iter().zip(other.histograms()) {
            to.remove(from);
        }
        self.waited.remove(other.waited);
        self.unwaited.remove(other.unwaited);
    }

    /// Those of a closed loop as an open one would have them, where each is sent when it is due.
    pub fn at_once(&self) -> Fates {
        let mut open = self.clone();
        (open.service, open.rejected_service) = (self.good.clone(), self.rejected.clone());
        (0..self.counters.sent).for_each(|_| open.send_lag.record(Nanos::ZERO));
        open
    }

    /// This and another one, as a third.
    pub fn joined(&self, other: &Fates) -> Fates {
        let mut both = Fates::default();
        both.add(self);
        both.add(other);
        both
    }

    /// Nothing was recorded.
    pub fn is_empty(&self) -> bool {
        let counters = &self.counters;
        counters.scheduled + counters.sent + counters.dropped == 0
            && self.good.is_empty()
            && self.censored.is_empty()
    }

    pub fn clear(&mut self) {
        self.counters.clear();
        self.histograms_mut().into_iter().for_each(Histogram::clear);
        self.waited = Service::default();
        self.unwaited = Service::default();
    }

    /// Service times of the good, the timed out and the abandoned.
    pub fn service(&self, mode: Mode) -> Histogram {
        let mut service = Histogram::default();
        service.add(&self.service);
        service.add(&self.unanswered);
        if mode == Mode::Closed {
            service.add(&self.good);
        }
        service
    }

    /// All answers, good or not, from sent: all that a closed-loop tool looks at.
    pub fn answered(&self, mode: Mode) -> Histogram {
        let (good, rejected) = match mode {
            Mode::Open => (&self.service, &self.rejected_service),
            Mode::Closed => (&self.good, &self.rejected),
        };
        let mut answered = Histogram::default();
        answered.add(good);
        answered.add(rejected);
        answered
    }

    /// Times too long for the histograms' range.
    pub fn saturated(&self) -> u64 {
        self.histograms().iter().map(|h| h.saturated()).sum()
    }

    fn histograms(&self) -> [&Histogram; 10] {
        all_histograms!(self)
    }

    fn histograms_mut(&mut self) -> [&mut Histogram; 10] {
        all_histograms!(self)
    }
}

/// One worker's connections when it published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Links {
    pub open: u64,
    /// Opened so far, the first time or again.
    pub opened: u64,
    /// Attempts that failed so far.
    pub failures: [u64; Kind::COUNT],
}

/// One worker's slice of the run. Never spans two phases.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Which interval it belongs to, counted from the start of warm-up.
    pub interval: u32,
    pub phase: Phase,
    /// The stage of the load's shape; never spans two.
    pub stage: u16,
    pub events: Events,
    /// Sent and unanswered when it was published.
    pub in_flight: u64,
    /// This worker's users when it was published; `None`: the load has none.
    pub users: Option<u64>,
    /// Of the worker's whole run so far.
    pub links: Links,
    /// The worker is done and sends no more.
    pub is_final: bool,
    /// What the worker has spun since it started, when it was published.
    pub spin_time: Nanos,
    pub warmup: Fates,
    pub measure: Fates,
    pub aside: Fates,
    /// By entry of the scenario; empty where nobody wants to be told by name.
    pub names: Vec<Portion>,
}

impl Snapshot {
    /// Of so many names.
    pub fn of_names(names: usize) -> Snapshot {
        Snapshot { names: vec![Portion::default(); names], ..Snapshot::default() }
    }

    /// With the room made for all that may be recorded, but for the times of the names.
    pub fn reserved(warmup: bool, aside: bool, names: usize) -> Snapshot {
        let warmup = if warmup { Fates::reserved() } else { Fates::default() };
        let aside = if aside { Fates::reserved_for_good(true) } else { Fates::default() };
        Snapshot { warmup, measure: Fates::reserved(), aside, ..Snapshot::of_names(names) }
    }

    pub fn clear(&mut self) {
        self.events = Events::default();
        self.is_final = false;
        self.warmup.clear();
        self.measure.clear();
        self.aside.clear();
        self.names.iter_mut().for_each(Portion::clear);
    }
}

impl Default for Snapshot {
    fn default() -> Snapshot {
        Snapshot {
            interval: 0,
            phase: Phase::Warmup,
            stage: 0,
            events: Events::default(),
            in_flight: 0,
            users: None,
            links: Links::default(),
            is_final: false,
            spin_time: Nanos::ZERO,
            warmup: Fates::default(),
            measure: Fates::default(),
            aside: Fates::default(),
            names: Vec::new(),
        }
    }
}
