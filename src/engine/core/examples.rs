//! The first failures of each kind, with what was known of them when they happened. All of this is
//! off the fast path: a kind that has its examples costs a comparison.

use super::super::wire::{Slot, Wire};
use super::Core;
use super::dialling::Mishap;
use super::slow::Purpose;
use crate::evidence::{Evidence, Reached};
use crate::failure::Kind;
use crate::metrics::Example;
use crate::time::Nanos;

impl Core {
    /// A request on an open connection failed, and is not taken off it yet. What is known of its
    /// answer.
    #[cold]
    pub(super) fn example(
        &mut self,
        slot: Slot,
        kind: Kind,
        errno: Option<i32>,
        now: Nanos,
        wire: &mut impl Wire,
    ) -> Evidence {
        // Asked for in any case, or it would be taken for the next failure's.
        let noted = self.pool.noted();
        let flaw = self.secure.as_mut().and_then(|secure| secure.broke());
        let connection = &self.connections[slot as usize];
        let mut evidence = noted.unwrap_or_else(|| connection.evidence(&self.pool));
        if matches!(kind, Kind::SendReset | Kind::SendFailed) {
            evidence.reached = Reached::Send;
        }
        evidence.flaw = flaw;
        if self.tally.wants_example(kind) {
            let found = self.ask(slot, Purpose::Example, wire);
            let connection = &self.connections[slot as usize];
            let carried = self.allowance() - connection.allowance;
            let example = Example {
                at: self.since_origin(now),
                kind,
                connection: self.number(slot),
                local_port: found.and_then(|found| found.local_port),
                errno,
                reused: carried > connection.in_flight(),
                evidence,
            };
            self.tally.example(example);
        }
        evidence
    }

    /// An attempt to connect failed.
    #[cold]
    pub(super) fn unopened_example(&mut self, slot: Slot, mishap: &Mishap, now: Nanos) {
        let Mishap { kind, errno, fault } = mishap;
        if self.tally.wants_example(*kind) {
            let reached = if fault.is_some() { Reached::Handshake } else { Reached::Connect };
            let flaw = fault.as_ref().map(|fault| fault.flaw);
            self.tally.example(Example {
                at: self.since_origin(now),
                kind: *kind,
                connection: self.number(slot),
                local_port: None,
                errno: *errno,
                reused: false,
                evidence: Evidence { flaw, ..Evidence::none(reached) },
            });
        }
    }

    /// Requests that a connection may carry in one life.
    pub(super) fn allowance(&self) -> u32 {
        let allowance = self.job.per_connection.unwrap_or(u64::MAX);
        u32::try_from(allowance).unwrap_or(u32::MAX)
    }

    /// The connection's number over all workers.
    pub(super) fn number(&self, slot: Slot) -> u64 {
        self.job.first_connection + u64::from(slot)
    }

    /// Zero while connecting.
    pub(super) fn since_origin(&self, now: Nanos) -> Nanos {
        now - self.tally.phases().origin
    }
}
