//! What blast or its host ran out of, and how late it was by its own fault.

use super::super::{Mode, Summary, Worker};
use super::{Descriptors, Finding, percent};
use crate::failure::Kind;
use crate::metrics::Limit::{ClientCpu, Ports};
use crate::time::Nanos;
use crate::units::format_duration;

/// A worker this busy has nothing to spare.
const BUSY: f64 = 0.95;

/// How busy a worker is in a shorter run is how busy it is with beginning.
pub const TELLING: Nanos = Nanos::from_millis(100);

/// One that is this busy is the limit where answers pile up before it: the rest is the little it
/// waits for the kernel.
const NEARLY_BUSY: f64 = 0.85;

/// Of the answers that a worker can find at once, so many on average are a pile.
const PILED: f64 = 0.5;

/// Fewer connections than these are answered together by chance.
const FEW: u64 = 16;

/// What a worker handles before it looks again: more than these it never finds.
const SLICE: u64 = 64;

/// blast's own lateness at p99 is its fault past this, and past a tenth of the response p99.
const LATE: Nanos = Nanos::from_millis(1);

/// In a closed loop nothing is late: blast is the limit where it did not run for this share.
const IDLED: f64 = 0.05;

pub fn exhausted(summary: &Summary) -> Option<Finding> {
    let unfinished = summary.measure.counters.dropped > 0 || summary.mode == Mode::Closed;
    let short = |kind| Some(failed(summary, kind)).filter(|times| unfinished && *times > 0);
    if let Some(times) = short(Kind::PortsExhausted) {
        return Some((Ports, format!("{times} connects found no free local port")));
    }
    if let Some(times) = short(Kind::DescriptorsExhausted) {
        return Some((Descriptors, format!("{times} connects found no free descriptor")));
    }
    let busy = busiest(summary);
    (busy > BUSY && summary.measured >= TELLING).then(|| {
        let busy = percent(busy);
        (
            ClientCpu,
            format!("a worker of blast was busy {busy} of the time: the server may do more"),
        )
    })
}

/// blast sent late although a connection was free.
pub fn lateness(summary: &Summary) -> Option<Finding> {
    let late = late_p99(summary)?;
    let response = summary.response().quantile(0.99).map_or(Nanos::ZERO, |r| r.value());
    (late > LATE.max(Nanos(response.0 / 10))).then(|| {
        let longest = summary.client.pauses.iter().map(|pause| pause.length).max();
        let cause = longest.map_or(String::new(), |length| {
            format!("did not run for {}, and ", format_duration(length))
        });
        let late = format_duration(late);
        (ClientCpu, format!("blast itself {cause}sent 1 % of the requests {late} or more too late"))
    })
}

/// A closed loop that stood still because blast did.
pub fn idled(summary: &Summary) -> Option<Finding> {
    let share = paused(summary);
    (share > IDLED).then(|| {
        let share = percent(share);
        (ClientCpu, format!("blast itself did not run for {share} of the time"))
    })
}

/// The answers wait for blast, and not blast for them.
pub fn piled(summary: &Summary) -> Option<Finding> {
    let is_piled = |worker: &&Worker| {
        worker.busy() >= NEARLY_BUSY && backlog(worker).is_some_and(|share| share >= PILED)
    };
    let worker = summary.client.workers.iter().find(is_piled)?;
    let why = format!(
        "{:.0} answers at a time lay before a worker of blast whenever it looked, and it was busy \
         {} of the time: the server may do more",
        worker.completions as f64 / worker.enters.max(1) as f64,
        percent(worker.busy())
    );
    Some((ClientCpu, why))
}

/// Of the answers that the worker could find when it looked, the share that lay there on average;
/// `None` where the engine does not tell, or too few could.
pub fn backlog(worker: &Worker) -> Option<f64> {
    let most = worker.connections.min(SLICE);
    (worker.enters > 0 && worker.connections >= FEW)
        .then(|| (worker.completions as f64 / worker.enters as f64 / most as f64).min(1.0))
}

/// The share of measure in which blast itself did not run.
pub fn paused(summary: &Summary) -> f64 {
    let (start, end) = (summary.warmup_length, summary.warmup_length + summary.measured);
    let within = summary.client.pauses.iter().map(|pause| {
        let (from, to) = (pause.at.max(start), (pause.at + pause.length).min(end));
        (to - from).as_secs_f64()
    });
    let measured = summary.measured.as_secs_f64();
    if measured > 0.0 { within.sum::<f64>() / measured } else { 0.0 }
}

pub fn late_p99(summary: &Summary) -> Option<Nanos> {
    summary.measure.late.supported_quantile(0.99)
}

pub fn busiest(summary: &Summary) -> f64 {
    summary.client.workers.iter().map(|worker| worker.busy()).fold(0.0, f64::max)
}

/// Attempts to connect that ended so.
pub fn failed(summary: &Summary, kind: Kind) -> u64 {
    summary.connections.failures[kind as usize]
}
