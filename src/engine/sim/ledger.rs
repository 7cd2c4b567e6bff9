//! The ledger: what a worker's books must say at the end, kept by the other side of the wire.

use std::collections::BTreeMap;

use super::life::Meaning;
use crate::failure::Kind;
use crate::time::Nanos;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub sent: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub unsolicited_bytes: u64,
    pub statuses: BTreeMap<u16, u64>,
    pub failures: [u64; Kind::COUNT],
    pub abandoned: u64,
    pub opened: u64,
    pub reopened: u64,
    pub open_now: u64,
    pub open_peak: u64,
    pub reset_idle: u64,
    /// Connects that came to nothing, by kind; those to a dead address among them.
    pub refused: [u64; Kind::COUNT],
    /// When requests were sent, and when they were answered or failed.
    pub sent_at: Vec<Nanos>,
    pub ended_at: Vec<Nanos>,
    /// When each that has its fate was sent, and had it.
    pub fates: Vec<(Nanos, Nanos)>,
    /// How long all requests together were in flight, in nanoseconds.
    pub in_flight_ns: u128,
}

impl Ledger {
    pub fn opened(&mut self, again: bool) {
        self.opened += 1;
        self.reopened += u64::from(again);
        self.open_now += 1;
        self.open_peak = self.open_peak.max(self.open_now);
    }

    pub fn read(&mut self, meaning: &Meaning, now: Nanos) {
        self.unsolicited_bytes += meaning.unsolicited;
        for (status, sent) in &meaning.answers {
            *self.statuses.entry(*status).or_default() += 1;
            self.ended_at.push(now);
            self.ended(*sent, now);
        }
    }

    /// Requests sent at these times fail: the oldest for the first reason, the others for the
    /// second.
    pub fn failed(&mut self, sent: impl Iterator<Item = Nanos>, why: (Kind, Kind), now: Nanos) {
        let mut kind = why.0;
        for sent in sent {
            self.failures[kind as usize] += 1;
            self.ended_at.push(now);
            self.ended(sent, now);
            kind = why.1;
        }
    }

    pub fn abandoned(&mut self, sent: Nanos, now: Nanos) {
        self.abandoned += 1;
        self.ended(sent, now);
    }

    pub fn completed(&self) -> u64 {
        self.statuses.values().sum()
    }

    pub fn failures(&self) -> u64 {
        self.failures.iter().sum()
    }

    fn ended(&mut self, sent: Nanos, now: Nanos) {
        self.fates.push((sent, now));
        self.in_flight_ns += u128::from((now - sent).0);
    }
}
