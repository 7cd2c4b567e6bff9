//! The series: the run second by second.
//!
//! Bounded: at most [`LIMIT`] intervals are kept; past that neighbours merge and the interval's
//! length doubles. Quantiles cannot be merged, so a merged interval keeps the worse of the two;
//! its [`Heat`] is the sum.

use super::{Distribution, Events, Fates, Heat, Mode, Phase, Snapshot};
use crate::time::Nanos;

/// The most intervals a run keeps.
pub const LIMIT: usize = 3_600;

/// One second of the run (or two, four ... in long ones).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its end, from the start of warm-up.
    pub end: Nanos,
    /// The phase and the stage it ended in.
    pub phase: Phase,
    pub stage: u16,
    pub events: Events,
    pub in_flight: u64,
    /// How many the load asked for at its end; `None`: it is one without users.
    pub users: Option<u64>,
    /// Of the requests that ended in it; `None` where the sample cannot support the quantile.
    pub response_p50: Option<Nanos>,
    pub response_p95: Option<Nanos>,
    pub response_p99: Option<Nanos>,
    pub response_max: Option<Nanos>,
    pub service_p99: Option<Nanos>,
    pub send_lag_p99: Option<Nanos>,
    /// The same times that the quantiles of the response are of.
    pub heat: Heat,
}

/// The requests that ended in an interval, by the phase they were due in.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    pub warmup: &'a Fates,
    pub measure: &'a Fates,
}

/// Collects the workers' snapshots into intervals.
#[derive(Clone, Debug)]
pub struct Series {
    length: Nanos,
    mode: Mode,
    /// By worker: the first interval it may still report on.
    progress: Vec<u32>,
    /// Intervals that some worker may still report on, oldest first.
    open: Vec<Open>,
    /// One that is over, to be filled again: its histograms are large.
    spare: Option<Open>,
    done: Vec<Interval>,
    /// The most good responses within measure in one length.
    peak_good: u64,
    /// How many lengths one kept interval spans.
    stride: u32,
    /// The first part of an interval whose stride is not over yet.
    part: Option<Interval>,
}

#[derive(Clone, Debug)]
struct Open {
    index: u32,
    phase: Phase,
    stage: u16,
    events: Events,
    /// Of `events.good`, those within measure.
    measured_good: u64,
    in_flight: u64,
    users: Option<u64>,
    /// The requests that ended in it, by the phase they were due in.
    warmup: Fates,
    measure: Fates,
}

impl Series {
    pub fn new(workers: usize, length: Nanos, mode: Mode) -> Series {
        Series {
            length,
            mode,
            progress: vec![0; workers],
            open: Vec::new(),
            spare: None,
            done: Vec::new(),
            peak_good: 0,
            stride: 1,
            part: None,
        }
    }

    /// Takes one worker's snapshot in. `last`: the worker sends no more for this interval.
    /// `completed` is given the intervals that this completes, in order, each with the requests
    /// that ended in it.
    pub fn push(
        &mut self,
        worker: usize,
        snapshot: &Snapshot,
        last: bool,
        completed: &mut dyn FnMut(&Interval, Ended),
    ) {
        let open = self.open_at(snapshot.interval);
        open.phase = snapshot.phase;
        open.stage = snapshot.stage;
        open.events.add(&snapshot.events);
        if snapshot.phase == Phase::Measure {
            open.measured_good += snapshot.events.good;
        }
        open.warmup.add(&snapshot.warmup);
        open.measure.add(&snapshot.measure);
        if !last {
            return;
        }
        open.in_flight += snapshot.in_flight;
        if let Some(users) = snapshot.users {
            *open.users.get_or_insert(0) += users;
        }
        let next = if snapshot.is_final { u32::MAX } else { snapshot.interval + 1 };
        self.progress[worker] = self.progress[worker].max(next);
        let complete = self.progress.iter().copied().min().unwrap_or(0);
        while self.open.first().is_some_and(|open| open.index < complete) {
            let open = self.open.remove(0);
            self.finish(open, completed);
        }
    }

    /// Ends the series: what is still open becomes intervals as it is.
    pub fn close(&mut self, completed: &mut dyn FnMut(&Interval, Ended)) {
        for open in std::mem::take(&mut self.open) {
            self.finish(open, completed);
        }
        self.done.extend(self.part.take());
        if self.done.len() > LIMIT {
            self.double();
            self.done.extend(self.part.take());
        }
    }

    /// Up to where each worker has reported, from the start of warm-up; `None`: all are done.
    pub fn reported(&self) -> Option<Nanos> {
        let complete = self.progress.iter().copied().min().unwrap_or(0);
        (complete < u32::MAX).then(|| Nanos(self.length.0 * u64::from(complete)))
    }

    /// The best second of good responses.
    pub fn peak_good(&self) -> u64 {
        self.peak_good
    }

    pub fn intervals(&self) -> &[Interval] {
        &self.done
    }

    /// The length of one interval, after any doubling.
    pub fn interval(&self) -> Nanos {
        Nanos(self.length.0 * u64::from(self.stride))
    }

    fn open_at(&mut self, index: u32) -> &mut Open {
        let at = match self.open.binary_search_by_key(&index, |open| open.index) {
            Ok(at) => at,
            Err(at) => {
                let spare = self.spare.take().unwrap_or_default();
                self.open.insert(at, Open { index, ..spare });
                at
            }
        };
        &mut self.open[at]
    }

    /// The end of a drain in which nothing happened is no interval.
    fn finish(&mut self, mut open: Open, completed: &mut dyn FnMut(&Interval, Ended)) {
        let end = Nanos(self.length.0 * (u64::from(open.index) + 1));
        let idle = open.phase == Phase::Drain && open.is_empty();
        if !idle {
            let interval = open.interval(end, self.mode);
            self.keep(interval);
            completed(&interval, Ended { warmup: &open.warmup, measure: &open.measure });
        }
        self.peak_good = self.peak_good.max(open.measured_good);
        open.clear();
        self.spare = Some(open);
    }

    fn keep(&mut self, interval: Interval) {
        let merged = match self.part.take() {
            Some(part) => part.merge(&interval),
            None => interval,
        };
        let full = (merged.end.0 / self.length.0).is_multiple_of(u64::from(self.stride));
        if full {
            self.done.push(merged);
        } else {
            self.part = Some(merged);
        }
        if self.done.len() > LIMIT {
            self.double();
        }
    }

    fn double(&mut self) {
        self.stride *= 2;
        let pairs = std::mem::take(&mut self.done);
        for pair in pairs.chunks(2) {
            match pair {
                [a, b] => self.done.push(a.merge(b)),
                [a] => self.part = Some(*a),
                _ => {}
            }
        }
    }
}

impl Open {
    /// Nothing happened in it. Requests that were given up are no events, but have their end.
    fn is_empty(&self) -> bool {
        let none_ended = |fates: &Fates| fates.good.is_empty() && fates.censored.is_empty();
        self.events == Events::default() && none_ended(&self.warmup) && none_ended(&self.measure)
    }

    fn clear(&mut self) {
        self.events = Events::default();
        self.measured_good = 0;
        self.in_flight = 0;
        self.users = None;
        self.warmup.clear();
        self.measure.clear();
    }

    fn interval(&self, end: Nanos, mode: Mode) -> Interval {
        let mut interval = Interval {
            end,
            phase: self.phase,
            stage: self.stage,
            events: self.events,
            in_flight: self.in_flight,
            users: self.users,
            response_p50: None,
            response_p95: None,
            response_p99: None,
            response_max: None,
            service_p99: None,
            send_lag_p99: None,
            heat: Heat::default(),
        };
        let both;
        let fates = if self.warmup.is_empty() {
            &self.measure
        } else {
            both = self.warmup.joined(&self.measure);
            &both
        };
        interval.send_lag_p99 = fates.send_lag.supported_quantile(0.99);
        if !fates.good.is_empty() || !fates.censored.is_empty() {
            let response = Distribution::ranked(&fates.good, &fates.censored);
            interval.response_p50 = response.quantile(0.5).map(|r| r.value());
            interval.response_p95 = response.quantile(0.95).map(|r| r.value());
            interval.response_p99 = response.quantile(0.99).map(|r| r.value());
            interval.response_max = response.max().map(|r| r.value());
            interval.heat = Heat::of(response.histogram());
            interval.service_p99 = fates.service(mode).supported_quantile(0.99);
        }
        interval
    }
}

impl Default for Open {
    fn default() -> Open {
        Open {
            index: 0,
            phase: Phase::Warmup,
            stage: 0,
            events: Events::default(),
            measured_good: 0,
            in_flight: 0,
            users: None,
            warmup: Fates::default(),
            measure: Fates::default(),
        }
    }
}

impl Interval {
    /// Two neighbours as one: sums of what was counted, the worse of what was ranked.
    fn merge(&self, later: &Interval) -> Interval {
        let mut events = self.events;
        events.add(&later.events);
        let mut heat = self.heat;
        heat.add(&later.heat);
        Interval {
            end: later.end,
            phase: later.phase,
            stage: later.stage,
            events,
            in_flight: later.in_flight,
            users: later.users,
            response_p50: self.response_p50.max(later.response_p50),
            response_p95: self.response_p95.max(later.response_p95),
            response_p99: self.response_p99.max(later.response_p99),
            response_max: self.response_max.max(later.response_max),
            service_p99: self.service_p99.max(later.service_p99),
            send_lag_p99: self.send_lag_p99.max(later.send_lag_p99),
            heat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = Nanos::from_secs(1);

    fn snapshot(interval: u32, sent: u64) -> Snapshot {
        let mut snapshot = Snapshot { interval, phase: Phase::Measure, ..Snapshot::default() };
        snapshot.events.sent = sent;
        snapshot
    }

    #[test]
    fn an_interval_is_complete_when_each_worker_has_reported_it() {
        let mut series = Series::new(2, SECOND, Mode::Open);
        let mut completed = Vec::new();
        for (worker, sent, last) in [(0, 10, true), (1, 5, false), (1, 7, true)] {
            assert_eq!(completed, []);
            series.push(worker, &snapshot(0, sent), last, &mut |interval, _| {
                completed.push((interval.events.sent, interval.end));
            });
        }
        assert_eq!(completed, [(22, SECOND)]);
    }

    #[test]
    fn a_worker_that_slept_through_an_interval_does_not_hold_it_open() {
        let mut series = Series::new(2, SECOND, Mode::Open);
        series.push(0, &snapshot(0, 1), true, &mut |_, _| {});
        series.push(1, &snapshot(3, 1), true, &mut |_, _| {});
        assert_eq!(series.intervals().len(), 1);
        series.push(0, &snapshot(3, 1), true, &mut |_, _| {});
        assert_eq!(series.intervals().len(), 2);
    }

    #[test]
    fn a_worker_that_is_done_holds_nothing_open() {
        let mut series = Series::new(2, SECOND, Mode::Closed);
        let done = Snapshot { is_final: true, ..snapshot(0, 1) };
        series.push(0, &done, true, &mut |_, _| {});
        for index in 0..3 {
            series.push(1, &snapshot(index, 1), true, &mut |_, _| {});
            assert_eq!(series.intervals().len(), index as usize + 1);
        }
    }

    #[test]
    fn the_users_of_all_workers_are_added_up_and_without_any_there_is_no_number() {
        let mut series = Series::new(2, SECOND, Mode::Closed);
        let of = |index, users| Snapshot { users, ..snapshot(index, 1) };
        // The end of a stage within the second is not the end of the second.
        for (worker, snapshot, last) in [
            (0, of(0, Some(9)), false),
            (0, of(0, Some(4)), true),
            (1, of(0, Some(3)), true),
            (0, of(1, None), true),
            (1, of(1, None), true),
        ] {
            series.push(worker, &snapshot, last, &mut |_, _| {});
        }
        let users: Vec<_> = series.intervals().iter().map(|interval| interval.users).collect();
        assert_eq!(users, [Some(7), None]);
    }

    #[test]
    fn a_pair_has_the_worse_quantiles_and_the_users_of_the_later_one() {
        let mut series = Series::new(1, SECOND, Mode::Closed);
        for index in 0..=LIMIT as u32 {
            let mut snapshot = Snapshot { users: Some(index.into()), ..snapshot(index, 1) };
            if index < 2 {
                // Of the first second 6 % took 8 s, of the second one 4 %.
                let slow = 6 - u64::from(index) * 2;
                snapshot.measure.good.record_many(Nanos::from_secs(8), slow * 10);
                snapshot.measure.good.record_many(SECOND, 1_000 - slow * 10);
            }
            series.push(0, &snapshot, true, &mut |_, _| {});
        }
        let first = series.intervals()[0];
        assert_eq!((first.end, first.users), (Nanos::from_secs(2), Some(1)));
        let seconds = |time: Option<Nanos>| time.map(|time| time.as_secs_f64().round());
        assert_eq!([first.response_p50, first.response_p95].map(seconds), [Some(1.0), Some(8.0)]);
        assert_eq!(series.intervals()[1].users, Some(3));
    }

    #[test]
    fn a_drain_in_which_requests_were_only_given_up_is_an_interval_and_an_idle_one_is_not() {
        let mut series = Series::new(1, SECOND, Mode::Open);
        let mut ended = Vec::new();
        for (index, given_up) in [(0, 0), (1, 3)] {
            let mut snapshot = Snapshot { phase: Phase::Drain, ..snapshot(index, 0) };
            snapshot.measure.censored.record_many(SECOND, given_up);
            series.push(0, &snapshot, true, &mut |interval, fates| {
                ended.push((interval.end, fates.measure.censored.count()));
            });
        }
        assert_eq!(ended, [(Nanos::from_secs(2), 3)]);
        assert_eq!(series.intervals().len(), 1);
    }

    #[test]
    fn what_is_left_at_the_end_takes_the_series_past_no_limit() {
        let mut series = Series::new(1, SECOND, Mode::Open);
        // As many pairs as there may be, and half of another one.
        (0..2 * LIMIT as u32 + 1).for_each(|index| {
            series.push(0, &snapshot(index, 1), true, &mut |_, _| {});
        });
        series.close(&mut |_, _| {});
        assert_eq!(
            (series.intervals().len(), series.interval()),
            (LIMIT / 2 + 1, Nanos::from_secs(4))
        );
        let sent: u64 = series.intervals().iter().map(|i| i.events.sent).sum();
        assert_eq!(sent, 2 * LIMIT as u64 + 1);
    }

    #[test]
    fn a_ten_hour_run_keeps_a_bounded_series_and_loses_no_count() {
        let mut series = Series::new(1, SECOND, Mode::Open);
        let mut snapshot = snapshot(0, 3);
        let mut answered = snapshot.clone();
        answered.measure.good.record_many(SECOND, 2);
        answered.measure.censored.record(Nanos(1));
        for index in 0..36_001 {
            // Histograms take their time.
            let snapshot = if index % 100 == 0 { &mut answered } else { &mut snapshot };
            snapshot.interval = index;
            series.push(0, snapshot, true, &mut |_, _| {});
        }
        series.close(&mut |_, _| {});
        assert!(series.intervals().len() <= LIMIT);
        assert_eq!(series.interval(), Nanos::from_secs(16));
        let sent: u64 = series.intervals().iter().map(|i| i.events.sent).sum();
        assert_eq!(sent, 3 * 36_001);
        let ended: u64 = series.intervals().iter().map(|i| i.heat.count()).sum();
        assert_eq!(ended, 3 * 361);
        assert!(series.intervals().is_sorted_by_key(|i| i.end));
    }
}
