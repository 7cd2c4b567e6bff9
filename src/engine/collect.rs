//! Collecting: the workers' snapshots become the series and the totals, and at the end, with what
//! each worker left behind, the summary.

use std::time::SystemTime;

use super::by_name;
use super::core::Finished;
use super::edits::{self, Edit, Leg};
use super::groups;
use super::job::Arrivals;
use super::prepare::Prepared;
use super::refresh;
use super::tally::INTERVAL;
use crate::address::Address;
use crate::failure::Kind;
use crate::host;
use crate::metrics::{
    self, Aborted, Audit, Client, Connections, Drop, EXAMPLES, Ended, Events, Example, Fates,
    Groups, Interval, Links, Mode, Pause, Phase, Series, Snapshot, Stage, Summary, Verdict,
    WarmupEnd, Warning, slowest,
};
use crate::plan::Plan;
use crate::time::Nanos;

/// A connect that took about as long as the first retransmission of a SYN (1 s, RFC 6298).
const SLOW_CONNECT: Nanos = Nanos::from_millis(950);

/// A share of requests that waited for a connection worth mentioning.
const WAITED: f64 = 0.01;

#[derive(Clone, Debug)]
pub struct Collector {
    mode: Mode,
    pub series: Series,
    pub measure: Fates,
    pub warmup: Fates,
    aside: Fates,
    pub measure_events: Events,
    pub warmup_events: Events,
    drain_events: Events,
    /// What happened in measure, by stage; empty for a steady load.
    stage_events: Vec<Events>,
    /// By worker: its connections when it published last.
    pub links: Vec<Links>,
    /// The most that were open then.
    pub open_peak: u64,
}

/// What the control thread knows of the run.
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub prepared: &'a Prepared,
    pub complete: bool,
    pub aborted: Option<Aborted>,
    pub started_at: SystemTime,
    pub origin: Nanos,
    pub open_time: Nanos,
    pub warmup_end: Option<WarmupEnd>,
    /// How the load was changed, as the workers have it and as the report has it.
    pub edits: Vec<Edit>,
    pub edited: Vec<metrics::Edit>,
}

impl Collector {
    pub fn new(workers: usize, mode: Mode, stages: usize) -> Collector {
        Collector {
            mode,
            series: Series::new(workers, INTERVAL, mode),
            measure: Fates::default(),
            warmup: Fates::default(),
            aside: Fates::default(),
            measure_events: Events::default(),
            warmup_events: Events::default(),
            drain_events: Events::default(),
            stage_events: vec![Events::default(); stages],
            links: vec![Links::default(); workers],
            open_peak: 0,
        }
    }

    /// Takes a snapshot in. `completed` is given the intervals that it completes, each with the
    /// requests that ended in it.
    pub fn push(
        &mut self,
        worker: usize,
        snapshot: &Snapshot,
        last: bool,
        completed: &mut dyn FnMut(&Interval, Ended),
    ) {
        self.measure.add(&snapshot.measure);
        self.warmup.add(&snapshot.warmup);
        self.aside.add(&snapshot.aside);
        let events = match snapshot.phase {
            Phase::Warmup => &mut self.warmup_events,
            Phase::Measure => &mut self.measure_events,
            Phase::Drain | Phase::Aside => &mut self.drain_events,
        };
        events.add(&snapshot.events);
        if snapshot.phase == Phase::Measure
            && let Some(events) = self.stage_events.get_mut(usize::from(snapshot.stage))
        {
            events.add(&snapshot.events);
        }
        self.series.push(worker, snapshot, last, completed);
    }

    /// Takes in how a worker's connections were when it published.
    pub fn links(&mut self, worker: usize, links: Links) {
        self.links[worker] = links;
        let open = self.links.iter().map(|links| links.open).sum();
        self.open_peak = self.open_peak.max(open);
    }

    /// The load comes to have so many stages, at most. If it had none, all so far was in the first.
    pub fn has_stages(&mut self, count: usize) {
        if self.stage_events.is_empty() {
            self.stage_events.push(self.measure_events);
        }
        if self.stage_events.len() < count {
            self.stage_events.resize(count, Events::default());
        }
    }

    /// No more snapshots come: what is still open is complete as it is.
    pub fn close(&mut self, completed: &mut dyn FnMut(&Interval, Ended)) {
        self.series.close(completed);
    }

    /// Requests so far that came to nothing good.
    pub fn errors(&self) -> u64 {
        self.measure.counters.errors() + self.warmup.counters.errors()
    }

    /// The same with a snapshot that is not taken in yet.
    pub fn errors_with(&self, next: &Snapshot) -> u64 {
        self.errors() + next.measure.counters.errors() + next.warmup.counters.errors()
    }

    /// The stages of a load with a shape, or of one that was changed, over all workers.
    fn stages(
        &self,
        run: &Run,
        finished: &[Finished],
        measure: Nanos,
        measured: Nanos,
    ) -> Vec<Stage> {
        let legs = edits::legs(run.plan, &run.edits, measure);
        let reached = legs.iter().zip(&self.stage_events).enumerate();
        let reached = reached.filter(|(_, (leg, _))| leg.start < measured);
        let mut stages: Vec<Stage> = reached
            .map(|(index, (leg, events))| {
                let of_workers = finished.iter().filter_map(|f| f.totals.stages.get(index));
                let mut fates = Fates::default();
                of_workers.for_each(|of| fates.add(of));
                let is_last = index + 1 == legs.len();
                stage(leg, is_last, measured, fates, *events)
            })
            .collect();
        // A load that was to have none has books from its first change on: before was the rest.
        if run.plan.load.stages().is_empty()
            && let Some((first, others)) = stages.split_first_mut()
        {
            first.fates = self.measure.clone();
            others.iter().for_each(|other| first.fates.remove(&other.fates));
        }
        stages
    }

    pub fn summarise(self, run: &Run, finished: Vec<Finished>) -> Summary {
        let mut connections = Connections::default();
        finished.iter().for_each(|f| connections.add(&f.totals.connections));
        connections.open_time = run.open_time;
        let longest =
            |of: fn(&Finished) -> Nanos| finished.iter().map(of).max().unwrap_or_default();
        let measured = longest(|f| f.phases.end - f.phases.measure);
        let warmed_up = longest(|f| f.phases.measure - f.phases.origin);
        let sum = |of: fn(&Finished) -> u128| finished.iter().map(of).sum::<u128>();
        let (area, sent_to_end) = (sum(|f| f.totals.area), sum(|f| f.totals.sent_to_end));
        let (addresses, opened_at) = used(run, &finished);
        let scenario = run.plan.scenario.as_deref();
        let books = finished.iter().map(|f| &f.totals.by_name);
        let mut summary = Summary {
            complete: run.complete,
            aborted: run.aborted.clone(),
            started_at: run.started_at,
            origin: run.origin,
            mode: self.mode,
            target_per_s: target_per_s(run, run.origin + warmed_up, measured),
            measured,
            warmup_length: warmed_up,
            warmup_end: run.warmup_end,
            stages: self.stages(run, &finished, run.origin + warmed_up, measured),
            edits: run.edited.iter().filter(|e| e.at < warmed_up + measured).cloned().collect(),
            peak_good_per_s: self.series.peak_good() as f64 / INTERVAL.as_secs_f64(),
            intervals: self.series.intervals().to_vec(),
            interval_length: self.series.interval(),
            measure: self.measure,
            warmup: self.warmup,
            aside: self.aside,
            model: scenario.map(|scenario| scenario.model.name()),
            names: scenario.map(|s| by_name::names(s, books.clone())).unwrap_or_default(),
            checks: scenario.map(|s| by_name::checks(s, books.clone())).unwrap_or_default(),
            sessions: by_name::sessions(books),
            groups: groups(run, &finished),
            measure_events: self.measure_events,
            warmup_events: self.warmup_events,
            drain_events: self.drain_events,
            connections,
            agreed: finished.iter().find_map(|f| f.agreed.clone()),
            unsolicited_bytes: finished.iter().map(|f| f.totals.unsolicited_bytes).sum(),
            examples: examples(&finished),
            slowest: slowest::of_run(finished.iter().map(|f| &f.totals.slowest)),
            slowest_by_interval: slowest::by_interval(finished.iter().map(|f| &f.totals.slowest)),
            addresses,
            opened_at,
            refreshes: refresh::is_wanted(run.plan).then(|| run.prepared.addresses.refreshes()),
            client: client(run, &finished),
            gauges: None,
            watched_log: None,
            profile: None,
            server: None,
            calibration: None,
            in_flight_area_ns: area,
            sent_to_end_ns: sent_to_end,
            sent_early: finished.iter().map(|f| f.totals.sent_early).sum(),
            verdict: Verdict::default(),
            audit: Audit::default(),
            warnings: Vec::new(),
        };
        // A run shorter than an interval has no whole second; its rate is its best.
        summary.peak_good_per_s = summary.peak_good_per_s.max(summary.good_per_s());
        summary.verdict = Verdict::of(&summary);
        summary.audit = Audit::of(&summary);
        let data_ran_out = finished.iter().any(|f| f.has_run_out);
        summary.warnings = warnings(run, &summary, data_ran_out);
        summary.warnings.extend(skipped(run, &finished));
        summary.warnings.extend(unpinned(run, &finished));
        summary
    }
}

/// The answers of all workers by what the plan tells them apart by.
fn groups(run: &Run, finished: &[Finished]) -> Option<Groups> {
    let by = run.plan.group_by.as_ref()?;
    Some(groups::of_run(by, finished.iter().filter_map(|f| f.groups.as_deref())))
}

/// The addresses that some worker used, and how many connections opened to each. One of those from
/// the start counts as used unless it was left out by all.
fn used(run: &Run, finished: &[Finished]) -> (Vec<Address>, Vec<u64>) {
    let left_out = |f: &Finished, index| f.skipped.iter().any(|(skipped, _)| *skipped == index);
    let opened = |index| -> u64 { finished.iter().filter_map(|f| f.opened.get(index)).sum() };
    let at_first = run.prepared.at_first;
    let all = run.prepared.addresses.all().enumerate();
    all.map(|(index, address)| (index, address, opened(index)))
        .filter(|(index, _, opened)| {
            *opened > 0 || *index < at_first && !finished.iter().all(|f| left_out(f, *index))
        })
        .map(|(_, address, opened)| (address.clone(), opened))
        .unzip()
}

/// The first few of each kind over all workers, in order of time.
fn examples(finished: &[Finished]) -> Vec<Example> {
    let all = finished.iter().flat_map(|f| f.totals.examples.iter().copied());
    let mut all: Vec<Example> = all.collect();
    all.sort_by_key(|example| example.at);
    let mut seen = [0; Kind::COUNT];
    all.retain(|example| {
        let seen = &mut seen[example.kind as usize];
        *seen += 1;
        *seen <= EXAMPLES
    });
    all
}

/// A warning for each address that some worker left out.
fn skipped(run: &Run, finished: &[Finished]) -> Vec<Warning> {
    let mut skipped: Vec<_> = finished.iter().flat_map(|f| f.skipped.iter().copied()).collect();
    skipped.sort_by_key(|(index, _)| *index);
    skipped.dedup_by_key(|(index, _)| *index);
    let warning = |(index, kind)| Warning::AddressSkipped {
        address: run.prepared.addresses.address(index).clone(),
        kind,
    };
    skipped.into_iter().map(warning).collect()
}

/// A warning for each core that a worker was meant to sit on and does not.
fn unpinned(run: &Run, finished: &[Finished]) -> Vec<Warning> {
    let pairs = run.prepared.jobs.iter().zip(finished);
    let missed = pairs.filter(|(_, f)| f.worker.core.is_none());
    missed.filter_map(|(job, _)| Some(Warning::NotPinned { core: job.core? })).collect()
}

fn client(run: &Run, finished: &[Finished]) -> Client {
    Client {
        engine: run.prepared.engine.name(),
        wait: run.prepared.wait.name(),
        overshoot: run.prepared.overshoot,
        max_rss_bytes: host::max_rss_bytes(),
        pauses: pauses(finished),
        workers: finished.iter().map(|f| f.worker).collect(),
    }
}

/// The end of the run cuts a stage; where measure was made longer, the last one was held.
fn stage(leg: &Leg, is_last: bool, measured: Nanos, fates: Fates, events: Events) -> Stage {
    let rest = measured - leg.start;
    let asked = leg.length.unwrap_or(rest);
    let length = if is_last { rest } else { rest.min(asked) };
    let (held, part) = (length - asked, length.as_secs_f64() / asked.as_secs_f64());
    let to = if part < 1.0 { leg.from + (leg.to - leg.from) * part } else { leg.to };
    Stage { start: leg.start, length, from: leg.from, to, held, fates, events }
}

/// Requests per second over measure, with what was changed; open loop only.
fn target_per_s(run: &Run, measure: Nanos, measured: Nanos) -> Option<f64> {
    let asked = run.plan.load.per_s()?;
    let Some(Arrivals::Open(schedule)) = run.prepared.jobs.first().map(|job| &job.arrivals) else {
        return Some(asked);
    };
    if run.edits.is_empty() || measured == Nanos::ZERO {
        return Some(asked);
    }
    let steered = schedule.measure_with(&edits::turns(&run.edits, measure))?;
    Some(steered.due_before(measured) as f64 / measured.as_secs_f64())
}

/// The pauses of all workers in order; those that overlap are one: the process did not run.
fn pauses(finished: &[Finished]) -> Vec<Pause> {
    let mut all: Vec<Pause> = finished.iter().flat_map(|f| f.totals.pauses.clone()).collect();
    all.sort_by_key(|pause| pause.at);
    let mut joined: Vec<Pause> = Vec::new();
    for pause in all {
        match joined.last_mut() {
            Some(last) if pause.at <= last.at + last.length => {
                let end = (pause.at + pause.length).max(last.at + last.length);
                last.length = end - last.at;
            }
            _ => joined.push(pause),
        }
    }
    joined
}

fn warnings(run: &Run, summary: &Summary, data_ran_out: bool) -> Vec<Warning> {
    let connections = &summary.connections;
    let client = &summary.client;
    let counters = &summary.measure.counters;
    let missing = connections.asked.saturating_sub(connections.open_peak);
    let slow = connections.connect.recorded().filter(|(time, _)| *time >= SLOW_CONNECT);
    let slow = slow.map(|(_, count)| count).sum::<u64>()
        + connections.failures[Kind::ConnectTimeout as usize];
    let (waited, unwaited) = (summary.measure.waited.count, summary.measure.unwaited.count);
    let waited = waited as f64 / (waited + unwaited).max(1) as f64;
    let unsent = counters.drops[Drop::Unsent as usize];
    let longest_pause = client.pauses.iter().copied().max_by_key(|pause| pause.length);
    let unsteady = run.warmup_end == Some(WarmupEnd::Unsteady);
    let refreshes = summary.refreshes.unwrap_or_default();
    let saturated = summary.measure.saturated() + summary.warmup.saturated();
    let per_connection = run.plan.keepalive && run.plan.requests_per_connection.is_none();
    let found = [
        (missing > 0 && per_connection && run.complete)
            .then_some(Warning::ConnectionsMissing { asked: connections.asked, failed: missing }),
        // A Unix socket's queue tells itself, and there is no SYN to lose.
        (slow > 0 && !run.prepared.addresses.is_unix()).then_some(Warning::ListenBacklog { slow }),
        longest_pause.map(|longest| Warning::Paused { longest, times: client.pauses.len() }),
        unsteady.then_some(Warning::WarmupUnsteady { after: summary.warmup_length }),
        (waited > WAITED).then_some(Warning::Waited { share: waited }),
        (run.complete && unsent + counters.abandoned > 0).then_some(Warning::Unfinished {
            dropped: unsent,
            abandoned: counters.abandoned,
            drain: run.plan.drain,
        }),
        nonzero(connections.queue_full, |times| Warning::QueueFull { times }),
        nonzero(refreshes.failed, |times| Warning::RefreshFailed {
            times,
            asked: refreshes.asked,
            why: run.prepared.addresses.last_failure(),
        }),
        nonzero(connections.reset_idle, |times| Warning::ResetIdle { times }),
        data_ran_out.then_some(Warning::DataRanOut),
        nonzero(client.buffers_exhausted(), |times| Warning::BuffersExhausted { times }),
        nonzero(client.cq_overflows(), |times| Warning::CqOverflow { times }),
        nonzero(summary.unsolicited_bytes, |bytes| Warning::UnsolicitedBytes { bytes }),
        nonzero(saturated, |samples| Warning::Saturated { samples }),
    ];
    run.prepared.warnings.iter().cloned().chain(found.into_iter().flatten()).collect()
}

fn nonzero(count: u64, warning: impl FnOnce(u64) -> Warning) -> Option<Warning> {
    (count > 0).then(|| warning(count))
}
