//! The control thread: starts the workers, opens the start barrier, watches for signals, and
//! collects what the workers publish. It sits on a core that no worker has, where there is one.

mod editing;

use std::thread;
use std::time::{Duration, SystemTime};

use super::collect::{Collector, Run};
use super::core::Finished;
use super::edits::Edit;
use super::helm::{Bounds, Helm, Reach};
use super::names::Names;
use super::prepare::Prepared;
use super::refresh::Refresher;
use super::so_far::{self, Cut};
use super::tally::INTERVAL;
use super::timeline::{Gate, Refusal, Stop, Timeline};
use super::worker::Running;
use super::{Progress, SoFar, stop};
use crate::address::Address;
use crate::error::{Error, Result};
use crate::failure::Kind;
use crate::host;
use crate::metrics::{Ended, Interval, Mode, Steadiness, Summary, WarmupEnd, steady};
use crate::plan::answer::Captured;
use crate::plan::schedule::STRETCH;
use crate::plan::threshold::Guard;
use crate::plan::{Plan, Warmup};
use crate::time::{self, Nanos};
use crate::tls::Fault;

/// How often the control thread looks while connections are opened, and later.
const LOOK_CONNECTING: Duration = Duration::from_millis(2);
const LOOK: Duration = Duration::from_millis(40);

/// From the moment that all workers are ready to the start: time for each to see it.
const COUNTDOWN: Nanos = Nanos::from_millis(5);

/// From the moment that a warm-up is found to be over to the start of measure. A worker looks for
/// it at least every 50 ms.
const NOTICE: Nanos = Nanos::from_millis(100);

/// How often connecting is shown, in looks.
const SHOW_CONNECTING: u32 = 100;

/// The summary, and what the first user captured. `workers`: those of the load before this one, on
/// whose connections it goes on; where there are none, they are started. `heeded`: signals that
/// came before, and have had their effect.
pub fn run(
    plan: &Plan,
    prepared: &Prepared,
    workers: &mut Vec<Running>,
    heeded: u32,
    helm: &Helm,
    watch: &mut (dyn FnMut(Progress) + Send),
) -> Result<(Summary, Option<Captured>)> {
    // A thread of its own: pinning must not outlive the run on the caller's thread.
    thread::scope(|scope| {
        let control = thread::Builder::new().name("blast-control".to_string());
        let control = control
            .spawn_scoped(scope, || Control::new(plan, prepared, heeded, helm).run(workers, watch));
        let control = control.map_err(|error| {
            Error::failed(format!("the control thread could not be started ({error}); try again"))
        })?;
        control.join().unwrap_or_else(|_| {
            Err(Error::failed("the control thread stopped on a bug in blast; please report it"))
        })
    })
}

/// What the signals so far ask of this run. One that has ended the load does not keep what is to
/// follow the load from being sent; the second means it.
fn wish(signals: u32, heeded: u32) -> Stop {
    match signals {
        signals if signals == heeded => Stop::No,
        1 => Stop::Soon,
        _ => Stop::Now,
    }
}

/// Whether this second of warm-up was the last one needed, or allowed.
fn warm(steadiness: &mut Steadiness, second: &Interval) -> Option<WarmupEnd> {
    if steadiness.push(second) {
        return Some(WarmupEnd::Steady);
    }
    (second.end >= steady::LONGEST).then_some(WarmupEnd::Unsteady)
}

fn progress<'a>(
    interval: &Interval,
    Ended { warmup, measure }: Ended<'a>,
    errors: u64,
    origin: SystemTime,
    busy: &'a [f64],
) -> Progress<'a> {
    Progress::Interval { interval: *interval, errors, measure, warmup, origin, busy }
}

struct Control<'a> {
    plan: &'a Plan,
    prepared: &'a Prepared,
    heeded: u32,
    collector: Collector,
    guard: Guard,
    began: Nanos,
    /// When the load started, on both clocks, and how long the connections took until then.
    start: Option<Start>,
    /// Looks for the end of a warm-up without a given length, until it is found.
    steadiness: Option<Steadiness>,
    warmup_end: Option<WarmupEnd>,
    helm: &'a Helm,
    /// Of measure; where it may be changed, as it was last.
    length: Option<Nanos>,
    is_elastic: bool,
    /// How the load can be changed, and how it was: the changes, and who made each.
    bounds: Bounds,
    edited: Vec<(Edit, String)>,
    /// Where they are to be told of.
    names: Option<Names>,
    /// By worker: how busy it was in its latest interval.
    busy: Vec<f64>,
    /// The same over all of them.
    busy_time: Vec<Nanos>,
}

#[derive(Clone, Copy)]
struct Start {
    /// The start of the load.
    origin: SystemTime,
    /// The start of measure.
    wall: SystemTime,
    open_time: Nanos,
}

impl<'a> Control<'a> {
    fn new(plan: &'a Plan, prepared: &'a Prepared, heeded: u32, helm: &'a Helm) -> Control<'a> {
        let mode = if plan.load.offered().is_some() { Mode::Open } else { Mode::Closed };
        let collector = Collector::new(prepared.jobs.len(), mode, plan.load.stages().len());
        let steadiness = (plan.warmup == Warmup::Auto).then(Steadiness::default);
        let guard = Guard::new(plan.abort_on.clone(), mode, plan.warmup.length());
        let workers = prepared.jobs.len();
        Control {
            plan,
            prepared,
            heeded,
            collector,
            guard,
            began: time::now(),
            start: None,
            steadiness,
            warmup_end: None,
            helm,
            length: prepared.jobs.first().and_then(|job| job.length()),
            is_elastic: prepared.jobs.iter().all(|job| job.is_elastic()),
            bounds: Bounds::of(plan),
            edited: Vec::new(),
            names: Names::of(plan),
            busy: vec![0.0; workers],
            busy_time: vec![Nanos::ZERO; workers],
        }
    }

    fn run(
        mut self,
        workers: &mut Vec<Running>,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<(Summary, Option<Captured>)> {
        let put_to_work = self.put_to_work(workers);
        put_to_work.inspect_err(|_| self.timeline().request_stop(Stop::Now))?;
        if let Some(core) = self.prepared.control_core {
            host::pin(core);
        }
        let refresher = Refresher::start(self.plan, &self.prepared.addresses);
        let refresher = refresher.inspect_err(|_| self.timeline().request_stop(Stop::Now))?;
        self.watch(workers, watch);
        drop(refresher);
        let finished = workers.iter_mut().map(Running::finish).collect::<Result<Vec<_>>>()?;
        self.collect(watch);
        self.close(watch);
        match self.timeline().refusal() {
            Some(refusal) if self.start.is_none() => Err(self.refused(&refusal)),
            _ => {
                let captured = finished.iter().find_map(|finished| finished.captured.clone());
                Ok((self.summarise(finished), captured))
            }
        }
    }

    fn put_to_work(&self, workers: &mut Vec<Running>) -> Result<()> {
        let jobs = &self.prepared.jobs;
        if !workers.is_empty() {
            workers.iter().zip(jobs).for_each(|(worker, job)| worker.go_on(job.clone()));
            return Ok(());
        }
        for job in jobs {
            workers.push(Running::start(self.prepared.engine, job.clone())?);
        }
        Ok(())
    }

    fn timeline(&self) -> &Timeline {
        &self.prepared.timeline
    }

    /// Until the workers are done.
    fn watch(&mut self, workers: &[Running], watch: &mut dyn FnMut(Progress)) {
        let mut looks = 0;
        while !workers.iter().all(Running::is_finished) {
            self.timeline().request_stop(wish(stop::requests(), self.heeded));
            // A worker that gave up would leave the others waiting, or the load incomplete.
            if workers.iter().any(Running::has_failed) {
                self.timeline().request_stop(Stop::Now);
            }
            self.steer();
            self.edit(workers, watch);
            if self.start.is_some() {
                self.collect(watch);
                watch(Progress::Look { so_far: SoFar(&|| self.so_far()) });
                thread::sleep(LOOK);
            } else {
                if let Some(at) = self.start_if_ready() {
                    watch(Progress::Starting { at });
                }
                looks += 1;
                if looks % SHOW_CONNECTING == 0 {
                    let dialled = self.timeline().dialled() as u64;
                    let connections = self.plan.connections.into();
                    watch(Progress::Connecting { dialled, connections });
                }
                thread::sleep(LOOK_CONNECTING);
            }
        }
    }

    /// Changes the length of measure as somebody wishes, and tells how far the run is to go.
    fn steer(&mut self) {
        let timeline = self.timeline();
        let origin = timeline.origin();
        let given = origin.zip(self.plan.warmup.length()).map(|(origin, warmup)| origin + warmup);
        let measure = timeline.measure().or(given);
        let wish = self.length.and_then(|length| self.helm.wish(length));
        let asked = self.prepared.jobs.first().and_then(|job| job.length());
        if let Some((wish, asked)) = wish.zip(asked)
            && self.is_elastic
        {
            // Each worker has to hear of it before it is there.
            let past = measure.map_or(Nanos::ZERO, |measure| time::now() - measure);
            let wish = wish.max(past + NOTICE).min(asked + STRETCH);
            if timeline.change_length(wish) {
                self.length = Some(wish);
            }
        }
        let (length, is_elastic) = (self.length, self.is_elastic);
        self.helm.tell(Reach { origin, measure, length, is_elastic });
    }

    /// When the load begins, once that is decided.
    fn start_if_ready(&mut self) -> Option<Nanos> {
        let timeline = self.timeline();
        if timeline.ready() != self.prepared.jobs.len() || timeline.gate() != Gate::Open {
            return None;
        }
        let now = time::now();
        timeline.start(now + COUNTDOWN);
        let origin = SystemTime::now() + Duration::from(COUNTDOWN);
        let wall = origin + Duration::from(self.plan.warmup.length().unwrap_or_default());
        self.start = Some(Start { origin, wall, open_time: now - self.began });
        Some(now + COUNTDOWN)
    }

    fn origin(&self) -> SystemTime {
        self.start.map_or_else(SystemTime::now, |start| start.origin)
    }

    fn collect(&mut self, watch: &mut dyn FnMut(Progress)) {
        let origin = self.origin();
        // What never started has no interval to show.
        let started = self.start.is_some();
        for (worker, job) in self.prepared.jobs.iter().enumerate() {
            while let Some(letter) = job.mailbox.collect() {
                let errors = self.collector.errors_with(&letter.snapshot);
                if started {
                    watch(Progress::Slice { worker, snapshot: &letter.snapshot });
                }
                let (steadiness, warmup_end) = (&mut self.steadiness, &mut self.warmup_end);
                let (guard, names) = (&mut self.guard, &mut self.names);
                if let Some(names) = names {
                    names.push(&letter.snapshot);
                }
                if letter.last {
                    self.busy[worker] = letter.busy;
                    let nanos = letter.busy * INTERVAL.0 as f64;
                    // A float becomes an integer by saturation.
                    self.busy_time[worker] += Nanos(nanos as u64);
                }
                let busy = &self.busy[..];
                let mut completed = |interval: &Interval, ended: Ended| {
                    guard.push(interval, ended.measure);
                    if let Some(names) = names {
                        names.completed(interval, ended);
                    }
                    if started {
                        watch(progress(interval, ended, errors, origin, busy));
                    }
                    *warmup_end = warmup_end.or_else(|| warm(steadiness.as_mut()?, interval));
                };
                self.collector.push(worker, &letter.snapshot, letter.last, &mut completed);
                self.collector.links(worker, letter.snapshot.links);
                job.mailbox.give_back(letter.snapshot);
            }
        }
        self.tell_names(watch);
        if self.guard.aborted().is_some() {
            self.timeline().request_stop(Stop::Soon);
        }
        if self.steadiness.is_some() && self.warmup_end.is_some() {
            self.begin_measure();
        }
    }

    fn tell_names(&mut self, watch: &mut dyn FnMut(Progress)) {
        let names = self.names.as_mut().filter(|_| self.start.is_some());
        if let Some((at, rows, all)) = names.and_then(|names| names.news(&self.collector)) {
            watch(Progress::Names { at, rows: &rows, all: &all });
        }
    }

    /// The warm-up is over: tells the workers, some time ahead.
    fn begin_measure(&mut self) {
        self.steadiness = None;
        let at = time::now() + NOTICE;
        self.timeline().begin_measure(at);
        self.guard.measure_begins(at - self.timeline().origin().unwrap_or(at));
        if let Some(start) = &mut self.start {
            start.wall = SystemTime::now() + Duration::from(NOTICE);
        }
    }

    /// The workers are done: what is left of the series.
    fn close(&mut self, watch: &mut dyn FnMut(Progress)) {
        let (errors, origin) = (self.collector.errors(), self.origin());
        let (started, busy) = (self.start.is_some(), &self.busy[..]);
        let names = &mut self.names;
        self.collector.close(&mut |interval, ended| {
            if let Some(names) = names {
                names.completed(interval, ended);
            }
            if started {
                watch(progress(interval, ended, errors, origin, busy));
            }
        });
        self.tell_names(watch);
    }

    fn summarise(self, finished: Vec<Finished>) -> Summary {
        let origin = self.timeline().origin().unwrap_or(self.began);
        let run = self.told(origin);
        self.collector.summarise(&run, finished)
    }

    /// What is known of the run.
    fn told(&self, origin: Nanos) -> Run<'a> {
        Run {
            plan: self.plan,
            prepared: self.prepared,
            complete: self.timeline().stop() == Stop::No,
            aborted: self.guard.aborted().cloned(),
            started_at: self.start.map_or_else(SystemTime::now, |start| start.wall),
            origin,
            warmup_end: self.warmup_end,
            open_time: self.start.map_or(time::now() - self.began, |start| start.open_time),
            edits: self.edits().collect(),
            edited: self.edited.iter().map(|edited| self.told_of(edited, origin)).collect(),
        }
    }

    /// As if the load had been cut off where the workers last published.
    fn so_far(&self) -> Summary {
        let origin = self.timeline().origin().unwrap_or(self.began);
        let warmup = self.timeline().measure().map(|measure| measure - origin);
        let run = Run { complete: false, aborted: None, ..self.told(origin) };
        let cut = Cut {
            past: time::now() - origin,
            warmup: warmup.or(self.plan.warmup.length()),
            length: self.length,
            busy: &self.busy_time,
        };
        so_far::summary(&self.collector, &run, &cut)
    }

    fn refused(&self, refusal: &Refusal) -> Error {
        let others = self.prepared.addresses.count() - 1;
        let address = match others {
            0 => refusal.address.to_string(),
            1 => format!("{} and 1 other address", refusal.address),
            _ => format!("{} and {others} other addresses", refusal.address),
        };
        if let Some(Fault { flaw, detail }) = &refusal.fault {
            let detail = detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            let (kind, text) = (refusal.kind.name(), flaw.text());
            return Error::failed(format!("no TLS with {address} ({kind}): {text}{detail}"));
        }
        let is_unix = matches!(refusal.address, Address::Unix(_));
        let what = match refusal.kind {
            Kind::ConnectRefused if is_unix => {
                "nothing listens on that socket; start the server, or check the path"
            }
            Kind::ConnectTimeout if is_unix => {
                "its listen queue stayed full for all of --connect-timeout; check whether the \
                 server accepts connections"
            }
            Kind::ConnectRefused => "connection refused; start the server, or check the port",
            Kind::ConnectTimeout => {
                "no answer within --connect-timeout; check the address, the firewall, and whether \
                 the server accepts connections"
            }
            kind => return Error::failed(format!("cannot connect to {address}: {}", kind.hint())),
        };
        Error::failed(format!("cannot connect to {address}: {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_that_ended_the_load_does_not_end_what_follows_it() {
        let wishes = [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1)].map(|(all, old)| wish(all, old));
        assert_eq!(wishes, [Stop::No, Stop::Soon, Stop::Now, Stop::No, Stop::Now]);
    }
}
