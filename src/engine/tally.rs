//! The tally: one worker's record of what happened, by phase and by interval.
//!
//! Each event is recorded once, into the current snapshot. [`Tally::roll`] is called with every
//! fresh clock reading before anything is recorded at that time, so a snapshot never spans the
//! end of an interval or of a phase.

mod flight;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::by_name::{ByName, Rows};
use super::mailbox::Mailbox;
use super::pacer::Due;
use super::pauses::Pauses;
use crate::failure::{Kind, Scope};
use crate::metrics::{
    Account, Connections, Drop, EXAMPLES, Events, Example, Fates, Links, Pause, Phase, Portion,
    Rejection, SessionEnd, Sightings, Slowest, Snapshot,
};
use crate::time::Nanos;

pub use flight::{Flight, Phases};

use flight::Place;

/// Sent no later than this after the intended time counts as on schedule.
const ON_SCHEDULE: Nanos = Nanos::from_millis(10);

/// The length of an interval.
pub const INTERVAL: Nanos = Nanos::from_secs(1);

/// Of what is published where that is told often. No oftener: to take it in, the control thread adds
/// up histograms, in time that a server on its core has to do without.
pub const OFTEN: Nanos = Nanos(INTERVAL.0 / 4);

#[derive(Debug)]
pub struct Tally {
    open_loop: bool,
    snapshot: Box<Snapshot>,
    mailbox: Arc<Mailbox>,
    phases: Phases,
    phase: Phase,
    /// The ends of the stages, from the start of measure, and what was due in each: empty unless
    /// there are several.
    stage_ends: Arc<[Nanos]>,
    stages: Vec<Fates>,
    /// What was due in each of them and then was not.
    taken_back: Vec<u64>,
    /// The same, where no interval is without it yet.
    to_take_back: u64,
    by_name: ByName,
    pauses: Pauses,
    /// The next end of an interval or phase, or where something is told before.
    boundary: Nanos,
    in_flight: u64,
    /// The area under `in_flight` up to `area_at`, and apart from it the sum of the times that
    /// requests were in flight: two ways to the same figure, compared by the audit.
    area: u128,
    area_at: Nanos,
    sent_to_end: u128,
    sent_early: u64,
    pub connections: Connections,
    /// Connections that are open.
    pub open: u64,
    /// Who takes part, as of the end of what is published next.
    pub users: Option<u64>,
    pub unsolicited_bytes: u64,
    /// What the driver has spun so far.
    pub spin_time: Nanos,
    /// Room for all there can be is made at the start.
    examples: Vec<Example>,
    example_counts: [u8; Kind::COUNT],
    pub slowest: Slowest,
}

/// What is left when the worker is done.
#[derive(Debug)]
pub struct Totals {
    pub area: u128,
    pub sent_to_end: u128,
    pub sent_early: u64,
    pub connections: Connections,
    pub unsolicited_bytes: u64,
    pub examples: Vec<Example>,
    pub slowest: Slowest,
    pub stages: Vec<Fates>,
    pub by_name: ByName,
    pub pauses: Vec<Pause>,
}

impl Tally {
    /// `stage_ends`: from the start of measure; empty unless the load has a shape. `rows`: of the
    /// scenario.
    pub fn new(
        open_loop: bool,
        mailbox: Arc<Mailbox>,
        stage_ends: Arc<[Nanos]>,
        rows: Rows,
    ) -> Tally {
        let phases = Phases { origin: Nanos::MAX, measure: Nanos::MAX, end: Nanos::MAX };
        Tally {
            open_loop,
            snapshot: mailbox.take(),
            mailbox,
            phases,
            phase: Phase::Warmup,
            stages: stage_ends.iter().map(|_| Fates::reserved_for_good(open_loop)).collect(),
            taken_back: vec![0; stage_ends.len()],
            to_take_back: 0,
            stage_ends,
            by_name: ByName::reserved(rows, open_loop),
            pauses: Pauses::new(),
            boundary: Nanos::MAX,
            in_flight: 0,
            area: 0,
            area_at: Nanos::ZERO,
            sent_to_end: 0,
            sent_early: 0,
            connections: Connections::default(),
            open: 0,
            users: None,
            unsolicited_bytes: 0,
            spin_time: Nanos::ZERO,
            examples: Vec::with_capacity(Kind::COUNT * usize::from(EXAMPLES)),
            example_counts: [0; Kind::COUNT],
            slowest: Slowest::reserved(),
        }
    }

    pub fn start(&mut self, phases: Phases) {
        self.mailbox.begin(self.spin_time);
        self.phases = phases;
        self.phase = phases.at(phases.origin);
        self.snapshot.phase = self.phase;
        self.boundary = self.next_boundary(phases.origin);
        self.slowest.turn(0, self.phase != Phase::Warmup);
    }

    /// Where the warm-up ends and measure begins.
    pub fn begin_measure(&mut self, measure: Nanos, end: Nanos) {
        let phases = Phases { measure, end, ..self.phases };
        if measure == phases.origin {
            // There is none: nothing lies before measure that could be published.
            return self.start(phases);
        }
        self.phases = phases;
        self.boundary = self.boundary.min(measure);
    }

    pub fn phases(&self) -> &Phases {
        &self.phases
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    pub fn stage(&self) -> u16 {
        self.snapshot.stage
    }

    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// The next time something has to be published.
    pub fn boundary(&self) -> Nanos {
        self.boundary
    }

    /// Measure ends now (an interrupt, or the budget of requests is used up).
    pub fn end_measure(&mut self, now: Nanos) {
        self.phases.end = self.phases.end.min(now);
        self.phases.measure = self.phases.measure.min(now);
        self.boundary = self.boundary.min(now);
    }

    /// Measure is to end at `end`, which is still to come, and not where it was to. All up to `now`
    /// is published that was to be.
    pub fn end_at(&mut self, end: Nanos, now: Nanos) {
        self.phases.end = end;
        self.boundary = self.next_boundary(now);
    }

    /// From some time after `now` on the load has other stages; those up to there are the same. All
    /// up to `now` is published that was to be.
    pub fn steer(&mut self, stage_ends: Arc<[Nanos]>, now: Nanos) {
        // What becomes due in the first stage of a load that had none is the rest of measure.
        while self.stages.len() < stage_ends.len() {
            let room = match self.stages.len() {
                0 if stage_ends.len() > 1 => Fates::default(),
                _ => Fates::reserved_for_good(self.open_loop),
            };
            self.stages.push(room);
            self.taken_back.push(0);
        }
        self.stage_ends = stage_ends;
        self.boundary = self.next_boundary(now);
    }

    /// True when `now` is past a boundary: publish with [`Tally::roll`] before recording.
    #[inline]
    pub fn is_over(&self, now: Nanos) -> bool {
        now >= self.boundary
    }

    /// Publishes what belongs to the slice of time that is over, and moves on to that of `now`.
    /// `scheduled`: how many became due in the slice.
    pub fn roll(&mut self, now: Nanos, scheduled: u64) {
        self.became_due(scheduled);
        let index = self.interval(now);
        self.publish(index != self.snapshot.interval);
        self.snapshot.interval = index;
        self.phase = self.phases.at(now);
        self.snapshot.phase = self.phase;
        self.snapshot.stage = self.stage_at(now);
        self.boundary = self.next_boundary(now);
        self.slowest.turn(index, self.phase != Phase::Warmup);
    }

    /// The last word: publishes what is left and hands over the totals.
    pub fn finish(&mut self, now: Nanos, scheduled: u64) -> Totals {
        self.settle_area(now);
        self.became_due(scheduled);
        for (stage, taken_back) in self.stages.iter_mut().zip(&self.taken_back) {
            let scheduled = &mut stage.counters.scheduled;
            *scheduled = scheduled.saturating_sub(*taken_back);
        }
        self.snapshot.is_final = true;
        self.publish(true);
        Totals {
            area: self.area,
            sent_to_end: self.sent_to_end,
            sent_early: self.sent_early,
            connections: std::mem::take(&mut self.connections),
            unsolicited_bytes: self.unsolicited_bytes,
            examples: std::mem::take(&mut self.examples),
            slowest: std::mem::take(&mut self.slowest),
            stages: std::mem::take(&mut self.stages),
            by_name: self.by_name.take(),
            pauses: self.pauses.take(),
        }
    }

    /// The worker did not run from `from` to `to`.
    pub fn was_paused(&mut self, from: Nanos, to: Nanos) {
        self.pauses.push(self.phases.origin, from, to);
    }

    /// Whether a request waits for a connection, and not for what a pause of blast left behind.
    #[inline]
    pub fn has_waited(&self, intended: Nanos, free_since: Nanos) -> bool {
        self.pauses.has_waited(intended, free_since)
    }

    // What happened to requests. In each, `now` is the reading that `roll` saw last.

    /// A request was written. `free_since`: when the connection it took had become free.
    #[inline]
    pub fn sent(&mut self, flight: &Flight, free_since: Nanos, bytes: u64) {
        self.settle_area(flight.sent);
        self.in_flight += 1;
        let lag = flight.sent - flight.intended;
        self.snapshot.events.bytes_sent += bytes;
        self.sent_early += u64::from(flight.sent < flight.intended);
        let shares = self.pauses.share_out(flight.intended, flight.sent, free_since);
        let open_loop = self.open_loop;
        let happened = |events: &mut Events| events.sent += 1;
        let told = |portion: &mut Portion| portion.sent += 1;
        self.book(Place::of(flight), happened, told, |fates| {
            fates.counters.sent += 1;
            fates.counters.on_schedule += u64::from(lag <= ON_SCHEDULE);
            if open_loop {
                fates.send_lag.record(lag);
            }
        });
        if open_loop {
            let fates = fates(&mut self.snapshot, flight.phase);
            fates.late.record(shares.late);
            if shares.blocked > Nanos::ZERO {
                fates.blocked.record(shares.blocked);
            }
        }
    }

    /// A request was answered in full, with a body so long, as expected or not.
    #[inline]
    pub fn answered(
        &mut self,
        flight: &Flight,
        (status, body_bytes): (u16, u64),
        rejection: Option<Rejection>,
        now: Nanos,
    ) {
        self.ended(flight, now);
        let (response, service) = (now - flight.intended, now - flight.sent);
        let open_loop = self.open_loop;
        let happened = |events: &mut Events| {
            events.completed += 1;
            events.body_bytes += body_bytes;
            events.good += u64::from(rejection.is_none());
        };
        let told = |portion: &mut Portion| {
            portion.answered(rejection.is_none(), response, body_bytes);
        };
        self.book(Place::of(flight), happened, told, |fates| {
            fates.counters.completed += 1;
            fates.counters.statuses[usize::from(status)] += 1;
            if let Some(rejection) = rejection {
                fates.counters.rejections[rejection as usize] += 1;
                fates.censored.record(response);
                fates.rejected.record(response);
                if open_loop {
                    fates.rejected_service.record(service);
                }
                return;
            }
            fates.counters.good += 1;
            fates.good.record(response);
            if open_loop {
                fates.service.record(service);
                let of = if flight.waited { &mut fates.waited } else { &mut fates.unwaited };
                of.record(service);
            }
        });
        if let Some(rejection) = rejection {
            self.seen(flight, now, |account| &mut account.rejections[rejection as usize]);
        }
    }

    /// A request failed after it was sent.
    pub fn failed(&mut self, flight: &Flight, kind: Kind, now: Nanos) {
        self.ended(flight, now);
        let happened = |events: &mut Events| events.failed += 1;
        let told = |portion: &mut Portion| portion.failed(now - flight.intended);
        self.book(Place::of(flight), happened, told, |fates| {
            fates.counters.failures[kind as usize] += 1;
            fates.censored.record(now - flight.intended);
            fates.failed.record(now - flight.intended);
            if kind == Kind::Timeout {
                fates.unanswered.record(now - flight.sent);
            }
        });
        self.seen(flight, now, |account| &mut account.failures[kind as usize]);
    }

    /// A request was still unanswered when the drain ended.
    pub fn abandoned(&mut self, flight: &Flight, now: Nanos) {
        self.ended(flight, now);
        self.book(
            Place::of(flight),
            |_| (),
            |portion| portion.failed(now - flight.intended),
            |fates| {
                fates.counters.abandoned += 1;
                fates.censored.record(now - flight.intended);
                fates.unanswered.record(now - flight.sent);
            },
        );
    }

    /// A request of that entry was due and never sent.
    pub fn dropped(&mut self, due: &Due, entry: u16, why: Drop, now: Nanos) {
        let place = Place { phase: due.phase, stage: due.stage, entry };
        let happened = |events: &mut Events| events.dropped += 1;
        let told = |portion: &mut Portion| portion.dropped(now - due.intended);
        self.book(place, happened, told, |fates| {
            fates.counters.dropped += 1;
            fates.counters.drops[why as usize] += 1;
            fates.censored.record(now - due.intended);
        });
    }

    /// A check was made of the answer to a request. `decides`: it is what that is rejected for.
    pub fn checked(
        &mut self,
        flight: &Flight,
        check: usize,
        holds: bool,
        decides: bool,
        now: Nanos,
    ) {
        if flight.phase == Phase::Warmup {
            return;
        }
        self.by_name.checked(check, holds);
        if decides {
            self.seen(flight, now, |account| &mut account.checks[check]);
        }
    }

    /// A session of a user ended, after this long.
    pub fn session_ended(&mut self, outcome: SessionEnd, length: Nanos) {
        if self.phase != Phase::Warmup {
            self.by_name.session_ended(outcome, length);
        }
    }

    /// What was due in this stage is due no more; `None`: it was due in warm-up.
    pub fn taken_back(&mut self, stage: Option<u16>) {
        self.to_take_back += 1;
        let Some(stage) = stage else { return };
        if let Some(taken_back) = self.taken_back.get_mut(usize::from(stage)) {
            *taken_back += 1;
        }
    }

    /// So many requests of a phase were due in the whole run.
    pub fn scheduled(&mut self, phase: Phase, count: u64) {
        fates(&mut self.snapshot, phase).counters.scheduled += count;
    }

    #[inline]
    pub fn received(&mut self, bytes: u64) {
        self.snapshot.events.bytes_received += bytes;
    }

    /// Whether a request that ends now may be one of the slowest.
    #[inline]
    pub fn may_be_slow(&self, flight: &Flight, now: Nanos) -> bool {
        self.slowest.may_be(now - flight.intended)
    }

    /// Only the first few of each kind are kept.
    #[inline]
    pub fn wants_example(&self, kind: Kind) -> bool {
        self.example_counts[kind as usize] < EXAMPLES
    }

    /// Keeps a failure that is wanted.
    pub fn example(&mut self, example: Example) {
        self.example_counts[example.kind as usize] += 1;
        self.examples.push(example);
    }

    /// The port of a connection of which there are examples without one.
    pub fn local_port_is(&mut self, connection: u64, port: u16) {
        let of_it = |e: &&mut Example| e.connection == connection && e.local_port.is_none();
        let failed = |e: &&mut Example| e.kind.scope() == Scope::Request;
        let latest = self.examples.iter_mut().rev().filter(of_it);
        latest.take_while(failed).for_each(|example| example.local_port = Some(port));
    }

    pub fn events(&self) -> &Events {
        &self.snapshot.events
    }

    /// Into the books of a phase; where the load has stages, of its stage; and with a scenario, of
    /// its entry. What is done aside is no event of the load.
    #[inline]
    fn book(
        &mut self,
        Place { phase, stage, entry }: Place,
        happened: impl Fn(&mut Events),
        told: impl Fn(&mut Portion),
        note: impl Fn(&mut Fates),
    ) {
        if phase != Phase::Aside {
            happened(&mut self.snapshot.events);
        }
        note(fates(&mut self.snapshot, phase));
        if matches!(phase, Phase::Measure | Phase::Drain)
            && let Some(fates) = self.stages.get_mut(usize::from(stage))
        {
            note(fates);
        }
        if let Some(account) = self.by_name.account(entry) {
            if self.phase == Phase::Measure {
                happened(&mut account.events);
            }
            if phase != Phase::Warmup {
                note(&mut account.fates);
                self.snapshot.names.get_mut(usize::from(entry)).map(told);
            }
        }
    }

    /// Notes when something happened to a request of a scenario.
    fn seen(&mut self, flight: &Flight, now: Nanos, what: impl Fn(&mut Account) -> &mut Sightings) {
        let at = now - self.phases.measure;
        if flight.phase != Phase::Warmup
            && let Some(account) = self.by_name.account(flight.entry)
        {
            what(account).see(at);
        }
    }

    /// So many became due in the slice of time that is over.
    fn became_due(&mut self, count: u64) {
        let snapshot = &mut self.snapshot;
        let taken_back = self.to_take_back.min(count);
        self.to_take_back -= taken_back;
        snapshot.events.scheduled += count - taken_back;
        if snapshot.phase != Phase::Warmup
            && let Some(fates) = self.stages.get_mut(usize::from(snapshot.stage))
        {
            fates.counters.scheduled += count;
        }
    }

    #[inline]
    fn ended(&mut self, flight: &Flight, now: Nanos) {
        self.settle_area(now);
        self.in_flight -= 1;
        self.sent_to_end += u128::from((now - flight.sent).0);
    }

    #[inline]
    fn settle_area(&mut self, now: Nanos) {
        if now != self.area_at {
            self.area += u128::from(self.in_flight) * u128::from((now - self.area_at).0);
            self.area_at = now;
        }
    }

    fn publish(&mut self, last: bool) {
        // Nothing of it is due by a clock.
        let aside = &mut self.snapshot.aside.counters;
        aside.scheduled = aside.sent + aside.dropped;
        (self.snapshot.in_flight, self.snapshot.users) = (self.in_flight, self.users);
        let Connections { opened, failures, .. } = self.connections;
        self.snapshot.links = Links { open: self.open, opened, failures };
        self.snapshot.spin_time = self.spin_time;
        self.mailbox.post(&mut self.snapshot, last);
    }

    fn interval(&self, now: Nanos) -> u32 {
        u32::try_from((now - self.phases.origin).0 / INTERVAL.0).unwrap_or(u32::MAX)
    }

    fn next_boundary(&self, now: Nanos) -> Nanos {
        let Phases { origin, measure, end } = self.phases;
        let told_at = origin + self.mailbox.next(now - origin);
        let stage_end = self.stage_ends.get(usize::from(self.stage_at(now)));
        let stage_end = stage_end.map_or(Nanos::MAX, |stage_end| measure + *stage_end);
        let ends = [measure, end, stage_end];
        ends.into_iter().filter(|at| *at > now).fold(told_at, Nanos::min)
    }

    /// The last stage has no end but that of measure, so what follows belongs to it.
    fn stage_at(&self, now: Nanos) -> u16 {
        let t = now - self.phases.measure;
        let ended = self.stage_ends.partition_point(|end| *end <= t);
        ended.min(self.stage_ends.len().saturating_sub(1)) as u16
    }
}

#[inline]
fn fates(snapshot: &mut Snapshot, phase: Phase) -> &mut Fates {
    match phase {
        Phase::Warmup => &mut snapshot.warmup,
        Phase::Measure | Phase::Drain => &mut snapshot.measure,
        Phase::Aside => &mut snapshot.aside,
    }
}
