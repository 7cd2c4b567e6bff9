//! A run that goes on, told as if it had been cut off where the workers last published: what is in
//! flight then is abandoned, and what waits for a connection is dropped, as at the end of a run
//! that was interrupted. Only the books of the control thread are read: no worker hears of it.

use super::collect::{Collector, Run};
use super::tally::INTERVAL;
use crate::metrics::{
    Audit, Connections, Drop, Events, Fates, Links, Phase, Snapshot, Summary, Verdict, Worker,
};
use crate::time::Nanos;

/// How far a run has come.
pub struct Cut<'a> {
    /// Since the start of warm-up.
    pub past: Nanos,
    /// The length of warm-up; `None`: it is not over.
    pub warmup: Option<Nanos>,
    /// The length that measure is to have.
    pub length: Option<Nanos>,
    /// By worker: how long it was busy.
    pub busy: &'a [Nanos],
}

pub fn summary(collector: &Collector, run: &Run, cut: &Cut) -> Summary {
    let mut collector = collector.clone();
    let warmup = cut.warmup.unwrap_or(cut.past).min(cut.past);
    // A warm-up is published when it is over, though its last interval goes on.
    let end = collector.series.reported().unwrap_or(cut.past).min(cut.past).max(warmup);
    let measured = (end - warmup).min(cut.length.unwrap_or(Nanos::MAX));
    let phase = if measured > Nanos::ZERO { Phase::Measure } else { Phase::Warmup };
    let cut_off = cut_off(&collector, phase);
    collector.push(0, &cut_off, false, &mut |_, _| {});
    collector.close(&mut |_, _| {});
    let connections = connections(&collector.links, collector.open_peak, run);
    let mut summary = collector.summarise(run, Vec::new());
    (summary.warmup_length, summary.measured) = (warmup, measured);
    summary.peak_good_per_s = summary.peak_good_per_s.max(summary.good_per_s());
    summary.connections = connections;
    let jobs = run.prepared.jobs.iter().zip(cut.busy);
    let worker = |(job, busy): (&std::sync::Arc<super::job::Job>, &Nanos)| Worker {
        core: job.core,
        cpu_time: *busy,
        wall_time: end,
        ..Worker::default()
    };
    summary.client.workers = jobs.map(worker).collect();
    summary.addresses = run.prepared.addresses.all().take(run.prepared.at_first).cloned().collect();
    summary.opened_at = vec![0; summary.addresses.len()];
    // The books by name lie with the workers.
    (summary.model, summary.sessions) = (None, None);
    (summary.names, summary.checks) = (Vec::new(), Vec::new());
    summary.verdict = Verdict::of(&summary);
    summary.audit = Audit::of(&summary);
    summary
}

/// What would become of the requests whose end is not known.
fn cut_off(collector: &Collector, phase: Phase) -> Snapshot {
    let mut snapshot = Snapshot {
        interval: collector.series.reported().map_or(0, |end| (end.0 / INTERVAL.0) as u32),
        phase,
        ..Snapshot::default()
    };
    let Snapshot { warmup, measure, events, .. } = &mut snapshot;
    let of_warmup = (&collector.warmup, collector.warmup_events.scheduled, warmup);
    let of_measure = (&collector.measure, collector.measure_events.scheduled, measure);
    for (open, due, to) in [of_warmup, of_measure] {
        end_all(open, due, to, events);
    }
    snapshot
}

/// `due`: in the intervals so far. Whoever counts the requests of a phase does so at its end.
fn end_all(open: &Fates, due: u64, to: &mut Fates, events: &mut Events) {
    let counters = &open.counters;
    let ended = counters.completed + counters.failed() + counters.abandoned;
    let in_flight = counters.sent.saturating_sub(ended);
    let known = counters.sent + counters.dropped;
    // A session says that a request is due when it sends it.
    let unheard_of = known.saturating_sub(due);
    let unsent = (due + unheard_of) - known;
    to.counters.scheduled = (due + unheard_of).saturating_sub(counters.scheduled);
    to.counters.abandoned = in_flight;
    to.counters.dropped = unsent;
    to.counters.drops[Drop::Unsent as usize] = unsent;
    // How old they are, the workers know.
    to.censored.record_many(Nanos(1), in_flight + unsent);
    to.unanswered.record_many(Nanos(1), in_flight);
    events.scheduled += unheard_of;
    events.dropped += unsent;
}

fn connections(links: &[Links], open_peak: u64, run: &Run) -> Connections {
    let mut connections = Connections {
        asked: run.plan.connections.into(),
        open_peak,
        open_time: run.open_time,
        ..Connections::default()
    };
    for of_worker in links {
        connections.opened += of_worker.opened;
        let failures = connections.failures.iter_mut().zip(of_worker.failures);
        failures.for_each(|(sum, failures)| *sum += failures);
    }
    connections.reopened = connections.opened.saturating_sub(open_peak);
    connections
}
