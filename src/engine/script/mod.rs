//! The script: one worker's part of a scenario. It says which request is next, makes its bytes,
//! and looks at its answer; the core sends, waits and keeps the books as for any other request.
//!
//! ```text
//! cast      who acts: nobody in particular (a mix), users, sessions
//! turns     who does what next
//! user      one user: a place in its flow, and what it remembers
//! naps      users who think
//! buffers   what requests are made in
//! reading   what is kept of an answer
//! judging   expectations, checks, captures
//! ```

mod buffers;
mod cast;
mod judging;
mod naps;
pub mod reading;
mod turns;
mod user;

use std::sync::Arc;

use self::buffers::Buffers;
use self::cast::Cast;
use self::naps::Naps;
use self::reading::Readings;
use super::connection::Asked;
use super::job::Job;
use super::wire::{Parcel, SMALL, Slot};
use crate::plan::Scenario;
use crate::plan::answer::{Captured, Needs};
use crate::plan::scenario::{Entry, Part};
use crate::plan::template::Message;
use crate::time::Nanos;

pub use self::turns::Next;

pub struct Script {
    scenario: Arc<Scenario>,
    /// What was captured before the load, by the captures' places: everyone's.
    given: Captured,
    /// By entry.
    facets: Vec<Facet>,
    cast: Cast,
    buffers: Buffers,
    readings: Readings,
    naps: Naps,
    worker: u64,
    workers: u64,
    pipeline: usize,
    /// The end of each write is waited for, also that of a small request.
    confirms: bool,
    /// Requests made so far: each has a number of its own in the run.
    made: u64,
    /// What the numbers in ids come after.
    ids_after: u64,
    /// By flight, the number in the request's id; empty where nobody asks for it.
    numbers: Vec<u64>,
    /// Draws from each table so far.
    draws: Vec<u64>,
    /// Room for a body while its request is made.
    scratch: Vec<u8>,
    /// A table whose rows are not to be used twice had no more.
    pub has_run_out: bool,
}

/// What the loop asks of an entry.
#[derive(Clone, Copy, Debug)]
struct Facet {
    request: usize,
    part: Part,
    is_head: bool,
    /// What has to be kept of its answers.
    needs: Needs,
    /// Its answers are looked at: none of their bodies may be thrown away unread.
    looks: bool,
    /// A named check says which statuses are good.
    checks_status: bool,
}

impl Script {
    pub fn of(job: &Job) -> Option<Script> {
        let scenario = job.scenario.clone()?;
        let slots = job.connections as usize;
        let flights = slots * job.pipeline.next_power_of_two() as usize;
        let varying = scenario.requests.iter().filter(|request| request.message.fixed().is_none());
        let room = varying.map(|request| request.message.most()).max();
        let facets: Vec<Facet> = facets(&scenario);
        let keeps = facets.iter().any(|facet| facet.needs != Needs::default());
        let cast = Cast::of(&scenario, job);
        Some(Script {
            buffers: Buffers::new(flights, room.unwrap_or(0)),
            readings: Readings::new(if keeps { slots } else { 0 }, scenario.body_limit),
            naps: Naps::new(if cast.has_users() { slots } else { 0 }),
            scratch: Vec::with_capacity(room.unwrap_or(0)),
            worker: job.worker as u64,
            workers: job.workers as u64,
            pipeline: job.pipeline as usize,
            confirms: confirms(&scenario, job.pipeline as usize),
            made: 0,
            ids_after: scenario.request_id.as_ref().map_or(0, |id| id.after),
            numbers: if scenario.request_id.is_some() { vec![0; flights] } else { Vec::new() },
            draws: vec![0; scenario.tables.len()],
            given: job.given.clone(),
            has_run_out: false,
            facets,
            cast,
            scenario,
        })
    }

    pub fn part(&self, entry: u16) -> Part {
        self.facets[usize::from(entry)].part
    }

    /// What the answer to this entry's request is read with.
    #[inline]
    pub fn asked(&mut self, slot: Slot, entry: u16) -> Asked<'_> {
        let facet = &self.facets[usize::from(entry)];
        let body = self.scenario.requests[facet.request].expected.body.as_deref();
        let keeps = facet.needs != Needs::default();
        let keep = keeps.then(|| self.readings.of(slot as usize, facet.needs));
        Asked { head: facet.is_head, body, keep, sort: None }
    }

    /// Whether the bodies of its answers matter.
    #[inline]
    pub fn looks(&self, entry: u16) -> bool {
        self.facets[usize::from(entry)].looks
    }

    /// The bytes of the entry's next request. They stay until `release` or `forget`.
    #[inline]
    pub fn make(&mut self, slot: Slot, flight: usize, entry: u16) -> Parcel {
        let facet = &self.facets[usize::from(entry)];
        let message = &self.scenario.requests[facet.request].message;
        let sequence = self.made * self.workers + self.worker + 1;
        self.made += 1;
        let id = self.ids_after + sequence;
        if let Some(number) = self.numbers.get_mut(flight) {
            *number = id;
        }
        if let Some(payload) = message.fixed() {
            let (head, tail) = payload.parts();
            return parcel(head, tail, self.pipeline, self.confirms);
        }
        let buffer = self.buffers.lend(flight);
        let mut context = self.cast.context(slot, (sequence, id), &self.given);
        message.write(&mut context, &mut self.scratch, buffer);
        parcel(buffer, message.tail(), self.pipeline, self.confirms)
    }

    /// The number in the id of this flight's request, where requests have an id; else 0.
    pub fn number_of(&self, flight: usize) -> u64 {
        self.numbers.get(flight).copied().unwrap_or(0)
    }

    /// The request of this flight was answered.
    #[inline]
    pub fn release(&mut self, flight: usize) {
        self.buffers.give_back(flight);
    }

    /// The connection is closed: nobody reads what was sent on it, and what was being read of an
    /// answer is of no use.
    pub fn forget(&mut self, slot: Slot, flights: std::ops::Range<usize>) {
        flights.for_each(|flight| self.buffers.give_back(flight));
        let reading = self.readings.take(slot as usize);
        self.readings.give_back(reading);
    }

    pub fn grown(&self) -> u64 {
        self.buffers.grown()
    }

    /// When the first of those who think goes on.
    #[inline]
    pub fn next_nap(&self) -> Option<Nanos> {
        self.naps.next()
    }

    #[inline]
    pub fn nap_over(&mut self, now: Nanos) -> Option<Slot> {
        self.naps.over(now)
    }

    pub fn memory(&self) -> usize {
        self.buffers.memory() + self.readings.memory() + self.naps.memory() + self.cast.memory()
    }
}

/// A tail is written after the head, so its end is waited for.
#[inline]
fn parcel(head: &[u8], tail: &[u8], pipeline: usize, confirms: bool) -> Parcel {
    let confirmed = confirms || !tail.is_empty() || head.len() * pipeline > SMALL;
    Parcel::new(head, tail, confirmed)
}

/// Whether the end of small writes is waited for as well. Alone on its connection, a small request
/// finds room in the socket's buffer. In a pipeline it may stand behind a large one that fills the
/// buffer, and then the next could overtake it.
fn confirms(scenario: &Scenario, pipeline: usize) -> bool {
    let longest = |message: &Message| match message.fixed() {
        Some(payload) => payload.parts().0.len() + payload.parts().1.len(),
        None => message.most() + message.tail().len(),
    };
    let mut messages = scenario.requests.iter().map(|request| &request.message);
    messages.any(|message| longest(message) * pipeline > SMALL) && pipeline > 1
}

fn facets(scenario: &Scenario) -> Vec<Facet> {
    let facet = |entry: &Entry| {
        let exchange = &scenario.requests[entry.request];
        let mut needs = Needs { head: scenario.has_cookies, body: false };
        let of_checks = exchange.checks.iter().map(|check| check.needs());
        let of_captures = exchange.captures.iter().map(|capture| capture.from.needs());
        for more in of_checks.chain(of_captures) {
            (needs.head, needs.body) = (needs.head | more.head, needs.body | more.body);
        }
        Facet {
            request: entry.request,
            part: entry.part,
            is_head: exchange.request.is_head(),
            needs,
            looks: needs.body || exchange.expected.body.is_some(),
            checks_status: exchange.checks.iter().any(|check| check.is_of_status()),
        }
    };
    scenario.entries.iter().map(facet).collect()
}
