//! The judge: what must hold when a run is over.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::books::{Books, Entries};
use super::life::Life;
use super::net::Net;
use super::outcome::Outcome;
use crate::engine::core::Finished;
use crate::engine::edits;
use crate::engine::job::{Arrivals, Job};
use crate::engine::tally::{INTERVAL, Phases};
use crate::engine::timeline::{Gate, Stop};
use crate::failure::Kind;
use crate::metrics::{Audit, Fates, Mode, Stage, fixture, slowest};
use crate::time::Nanos;

/// One worker's books against the other side's ledger and the servers' own counts.
pub fn worker(books: &Books, net: &Net, finished: &Finished) -> Result<(), String> {
    let (ledger, counters, totals) = (&net.ledger, books.counters(), &finished.totals);
    let happened = books.happened();
    let connections = &totals.connections;
    let of_both = |of: fn(&Entries) -> u64| of(&books.warmup) + of(&books.measure);
    let servers = |of: fn(&Life) -> u64| net.lives.iter().map(of).sum::<u64>();
    for (what, books, truth) in [
        ("sent", counters.sent, ledger.sent),
        ("completed", counters.completed, ledger.completed()),
        ("completed, by the connections", counters.completed, servers(|life| life.completed)),
        ("failed", counters.failed(), ledger.failures()),
        ("abandoned", counters.abandoned, ledger.abandoned),
        ("events failed", happened.failed, ledger.failures()),
        ("events good", happened.good, counters.good),
        ("events scheduled", happened.scheduled, counters.scheduled),
        ("events dropped", happened.dropped, counters.dropped),
        ("bytes sent", happened.bytes_sent, ledger.bytes_sent),
        ("bytes received", happened.bytes_received, ledger.bytes_received),
        ("unsolicited bytes", totals.unsolicited_bytes, ledger.unsolicited_bytes),
        ("opened", connections.opened, ledger.opened),
        ("reopened", connections.reopened, ledger.reopened),
        ("open peak", connections.open_peak, ledger.open_peak),
        ("connect times", connections.connect.count(), ledger.opened),
        ("reset while idle", connections.reset_idle, ledger.reset_idle),
        ("histogram of the rejected", of_both(|e| e.rejected), counters.rejected()),
        ("histogram of the failed", of_both(|e| e.failed), counters.failed()),
    ] {
        if books != truth {
            return Err(format!("{what}: the books say {books}, and it was {truth}"));
        }
    }
    if !counters.statuses().eq(ledger.statuses.iter().map(|(status, count)| (*status, *count))) {
        return Err(format!("statuses: {:?}", counters.statuses().collect::<Vec<_>>()));
    }
    same_kinds("failures", &counters.failures, &ledger.failures)?;
    if net.dead_address.is_none() {
        same_kinds("failed connects", &connections.failures, &ledger.refused)?;
    }
    let areas = [totals.area, totals.sent_to_end, ledger.in_flight_ns];
    if areas.iter().any(|area| *area != areas[0]) {
        return Err(format!("the time in flight is {areas:?} by three accounts"));
    }
    let series = series(net, &finished.phases);
    if books.series != series {
        return Err(format!(
            "interval by interval: {:?} by the books, and it was {series:?}",
            books.series
        ));
    }
    net.lives.iter().try_for_each(life)
}

/// What happened in each interval and phase, by the ledger.
fn series(net: &Net, phases: &Phases) -> BTreeMap<(u32, &'static str), (u64, u64)> {
    let mut series = BTreeMap::<_, (u64, u64)>::new();
    let key = |at: &Nanos| {
        let interval = (*at - phases.origin).0 / INTERVAL.0;
        (u32::try_from(interval).unwrap_or(u32::MAX), phases.at(*at).name())
    };
    net.ledger.sent_at.iter().for_each(|at| series.entry(key(at)).or_default().0 += 1);
    net.ledger.ended_at.iter().for_each(|at| series.entry(key(at)).or_default().1 += 1);
    series
}

/// A server's own count of one connection.
fn life(life: &Life) -> Result<(), String> {
    let server = &life.server;
    let received = server.requests <= life.sent;
    let answered = life.completed <= server.handled + server.extra && life.completed <= life.sent;
    if received && answered { Ok(()) } else { Err(format!("a server's count is off: {life:?}")) }
}

fn same_kinds(
    what: &str,
    books: &[u64; Kind::COUNT],
    truth: &[u64; Kind::COUNT],
) -> Result<(), String> {
    let differs = |kind: &&Kind| books[**kind as usize] != truth[**kind as usize];
    match Kind::ALL.iter().find(differs) {
        None => Ok(()),
        Some(kind) => {
            let (books, truth) = (books[*kind as usize], truth[*kind as usize]);
            Err(format!("{what}, {}: {books} by the books, and it was {truth}", kind.name()))
        }
    }
}

/// What holds for all workers together. True if the run was one that shows whether the rate
/// returns.
pub fn all(outcome: &Outcome) -> Result<bool, String> {
    let Outcome { scene, nets, finished, .. } = outcome;
    let mut books = Books::default();
    outcome.books.iter().for_each(|worker| books.join(worker));
    audit(&books, outcome)?;
    if scene.timeline.origin().is_some() {
        outcome.books.iter().zip(finished).zip(&scene.jobs).try_for_each(
            |((books, over), job)| all_that_was_due_is_scheduled(job, books, &over.phases),
        )?;
    }
    if scene.timeline.gate() == Gate::Refused || scene.timeline.stop() != Stop::No {
        return Ok(false);
    }
    let budget = |arrivals: &Arrivals| match arrivals {
        Arrivals::Closed { budget, .. } => *budget,
        Arrivals::Open(_) => u64::MAX,
    };
    let budget = scene.jobs.iter().map(|job| budget(&job.arrivals)).fold(0, u64::saturating_add);
    if books.measure.counters.sent > budget {
        return Err(format!("{} were sent of {budget}", books.measure.counters.sent));
    }
    the_slowest_are_kept(outcome)?;
    if scene.weather.is_calm() {
        nothing_went_wrong(&books, nets)?;
    }
    let end = finished.iter().map(|over| over.phases.end).min().unwrap_or_default();
    the_rate_has_returned(outcome, end)
}

/// In closed loop the slowest are those of the longest service; in open loop each is one that was.
fn the_slowest_are_kept(outcome: &Outcome) -> Result<(), String> {
    let Outcome { scene, nets, finished, .. } = outcome;
    let kept = slowest::of_run(finished.iter().map(|over| &over.totals.slowest));
    let service: Vec<Nanos> = kept.iter().map(|slow| slow.done - slow.sent).collect();
    let of_measure = |(net, over): (&Net, &Finished)| {
        let measure = over.phases.measure;
        let due = net.ledger.fates.iter().filter(|(sent, _)| *sent >= measure);
        due.map(|(sent, done)| *done - *sent).collect::<Vec<_>>()
    };
    let mut all: Vec<Nanos> = nets.iter().zip(finished).flat_map(of_measure).collect();
    all.sort_unstable_by_key(|time| Reverse(*time));
    let holds = match &scene.jobs[0].arrivals {
        Arrivals::Closed { .. } => {
            all.truncate(slowest::SLOWEST);
            all == service
        }
        // What was due in warm-up may be sent in measure.
        Arrivals::Open(_) => kept.len() <= all.len() && service.iter().all(|t| all.contains(t)),
    };
    if holds { Ok(()) } else { Err(format!("the slowest are {all:?}, and {service:?} were kept")) }
}

/// An interrupt ends measure, and what would have been due later never is.
fn all_that_was_due_is_scheduled(job: &Job, books: &Books, phases: &Phases) -> Result<(), String> {
    let Arrivals::Open(schedule) = &job.arrivals else { return Ok(()) };
    let mut walk = schedule.walks(job.worker as u64, job.workers as u64).1;
    let turns = edits::turns(&job.timeline.edits(), phases.measure);
    if !turns.is_empty()
        && let Some(steered) = schedule.measure_with(&turns)
    {
        walk.steer(steered);
    }
    // What is due at the very instant of the interrupt still is.
    let due = match phases.end - phases.measure {
        Nanos::ZERO => 0,
        length => walk.due_before(length + Nanos(1)),
    };
    let scheduled = books.measure.counters.scheduled;
    if scheduled == due {
        return Ok(());
    }
    Err(format!("{scheduled} were scheduled, and {due} were due; {phases:?}"))
}

fn audit(books: &Books, outcome: &Outcome) -> Result<(), String> {
    let finished = &outcome.finished;
    let mode = match outcome.scene.jobs[0].arrivals {
        Arrivals::Open(_) => Mode::Open,
        Arrivals::Closed { .. } => Mode::Closed,
    };
    let mut summary = fixture::blank(mode);
    (summary.warmup, summary.measure) = (books.warmup.fates(), books.measure.fates());
    [summary.warmup_events, summary.measure_events, summary.drain_events] = books.events;
    summary.sent_early = finished.iter().map(|over| over.totals.sent_early).sum();
    summary.in_flight_area_ns = finished.iter().map(|over| over.totals.area).sum();
    summary.sent_to_end_ns = finished.iter().map(|over| over.totals.sent_to_end).sum();
    let stages = finished.iter().map(|over| over.totals.stages.len()).max().unwrap_or(0);
    summary.stages = (0..stages).map(|index| stage(index, finished)).collect();
    if outcome.scene.jobs[0].stage_ends.is_empty()
        && let Some((first, others)) = summary.stages.split_first_mut()
    {
        // As `collect` has it: a load that was to have none. The books here know no times.
        first.fates = rest(&summary.measure, others);
    }
    let audit = Audit::of(&summary);
    let failed: Vec<_> = audit.failed().collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("the audit fails: {failed:?}")) }
}

fn rest(measure: &Fates, others: &[Stage]) -> Fates {
    let without = |of: fn(&Fates) -> u64| {
        of(measure).saturating_sub(others.iter().map(|other| of(&other.fates)).sum())
    };
    let mut rest = Fates { counters: measure.counters.clone(), ..Fates::default() };
    others.iter().for_each(|other| rest.counters.remove(&other.fates.counters));
    rest.good.record_many(Nanos(1), without(|fates| fates.good.count()));
    rest.censored.record_many(Nanos(1), without(|fates| fates.censored.count()));
    rest
}

fn stage(index: usize, finished: &[Finished]) -> Stage {
    let mut fates = Fates::default();
    let of_workers = finished.iter().filter_map(|over| over.totals.stages.get(index));
    of_workers.for_each(|of| fates.add(of));
    let (start, length, events) = (Nanos::ZERO, Nanos::ZERO, fixture::events_of(&fates));
    Stage { start, length, from: 0.0, to: 0.0, held: Nanos::ZERO, fates, events }
}

/// In a calm each request is received in full, and answered.
fn nothing_went_wrong(books: &Books, nets: &[Net]) -> Result<(), String> {
    let counters = books.counters();
    let received: u64 =
        nets.iter().flat_map(|net| &net.lives).map(|life| life.server.requests).sum();
    let ended = counters.good + counters.abandoned;
    let refused: u64 = nets.iter().map(|net| net.ledger.refused.iter().sum::<u64>()).sum();
    let dead = nets.iter().any(|net| net.dead_address.is_some());
    if received > counters.sent
        || received < counters.good
        || ended != counters.sent
        || refused > 0 && !dead
    {
        return Err(format!(
            "in a calm {} were sent, {received} received, {} good, {} failed",
            counters.sent,
            counters.good,
            counters.failed()
        ));
    }
    Ok(())
}

/// Liveness: once nothing goes wrong any more, every connection that takes part is answered again,
/// nothing fails, and the rate is the one that was asked for.
fn the_rate_has_returned(outcome: &Outcome, end: Nanos) -> Result<bool, String> {
    let scene = &outcome.scene;
    let job = &scene.jobs[0];
    let length = end - scene.tail_from;
    let origin = outcome.finished[0].phases.origin;
    if length < Nanos::from_millis(350).max(job.timeout) || end == Nanos::MAX {
        return Ok(false);
    }
    let mut answered = 0;
    for net in &outcome.nets {
        for (slot, tail) in net.tail.iter().enumerate() {
            answered += tail;
            if *tail == 0 && scene.is_used(net, length, origin) {
                let worker = net.job.worker;
                return Err(format!("slot {slot} of worker {worker} never comes back"));
            }
        }
    }
    match scene.steady_rate() {
        Some(rate) if (answered as f64) < 0.8 * rate * length.as_secs_f64() - 10.0 => {
            Err(format!("only {answered} are answered in {length:?} of fair weather"))
        }
        _ => Ok(true),
    }
}
