//! https: the TLS of each connection, between the driver, which carries records, and the rest of
//! the core, which sees plaintext. A connection counts as opening until its handshake is over.
//!
//! While a session decrypts it is lent out. An answer within makes room for the next request, which
//! goes out when the session is back: by then all that came with the answer is read, and what is
//! behind it cannot be taken for the answer to a request that was not even sent.

mod sealing;

use std::sync::Arc;

use super::super::connection::State;
use super::super::job::Job;
use super::super::wire::{Event, Parcel, Slot, Wire};
use super::Core;
use super::dialling::Mishap;
use crate::agreed::Agreed;
use crate::failure::Kind;
use crate::flaw::Flaw;
use crate::time::Nanos;
use crate::tls::{Client, Fault, Progress, Session};

/// How long a server has to refuse the certificate of the run's first connection, after the
/// handshake: for it is over for the client before the server has looked at it.
const PROBATION: Nanos = Nanos::from_millis(300);

/// The TLS of a worker.
pub(super) struct Secure {
    client: Client,
    lines: Vec<Line>,
    /// What a session gives, on its way to the driver.
    out: Vec<u8>,
    agreed: Option<Agreed>,
    /// The connection whose session is lent out, and whether it has gained room since.
    lent: Option<(Slot, bool)>,
    /// The run's first connection, and until when the server may still refuse it.
    probation: Option<(Slot, Nanos)>,
    /// Why the last connection broke, for its example.
    broke: Option<Flaw>,
}

/// The TLS of a connection.
#[derive(Default)]
struct Line {
    session: Option<Box<Session>>,
    /// The bytes of the requests that were given together, and how many are not sealed yet.
    sending: usize,
    unsealed: usize,
    /// What they are a part of, if not copies of the request: it is confirmed.
    parcel: Option<Parcel>,
    /// The end of a write is waited for.
    writing: bool,
    /// Not all that the handshake had to say is written.
    unwritten: bool,
    sealer: Sealer,
}

/// Who encrypts what is sent. It is decided when the first request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sealer {
    #[default]
    Open,
    /// The kernel was asked, and has not answered.
    Asked,
    Kernel,
    Session,
}

impl Secure {
    pub fn of(job: &Arc<Job>) -> Option<Secure> {
        let client = job.tls.clone()?;
        let lines = (0..job.connections).map(|_| Line::default()).collect();
        Some(Secure {
            client,
            lines,
            out: Vec::new(),
            agreed: None,
            lent: None,
            probation: None,
            broke: None,
        })
    }

    /// Why the last connection broke, if TLS was the reason.
    pub fn broke(&mut self) -> Option<Flaw> {
        self.broke.take()
    }

    pub fn agreed(&self) -> Option<Agreed> {
        self.agreed.clone()
    }

    pub fn memory(&self) -> usize {
        let session = |line: &Line| line.session.as_ref().map_or(0, |session| session.memory());
        size_of_val(&*self.lines) + self.lines.iter().map(session).sum::<usize>()
    }

    /// A session begins: what it has to say first is in `out`.
    fn begin(&mut self, slot: Slot) -> Result<(), Fault> {
        self.out.clear();
        let session = self.client.session(&mut self.out)?;
        self.lines[slot as usize].session = Some(Box::new(session));
        Ok(())
    }
}

impl Core {
    /// The session is lent out: it is told when the connection may send again.
    #[inline]
    pub(super) fn is_lent(&mut self, slot: Slot) -> bool {
        let Some(secure) = &mut self.secure else { return false };
        match &mut secure.lent {
            Some((lent, gained_room)) if *lent == slot => {
                *gained_room = true;
                true
            }
            _ => false,
        }
    }

    /// The attempt to open the connection has come as far as its handshake.
    pub(super) fn is_shaking_hands(&self, slot: Slot) -> bool {
        let has_session = |secure: &Secure| secure.lines[slot as usize].session.is_some();
        self.connections[slot as usize].state == State::Opening
            && self.secure.as_deref().is_some_and(has_session)
    }

    pub(super) fn on_secured(
        &mut self,
        slot: Slot,
        event: Event,
        now: Nanos,
        wire: &mut impl Wire,
    ) {
        match event {
            Event::Opened => self.begin_handshake(slot, now, wire),
            Event::Sent => {
                let Some(secure) = &mut self.secure else { return };
                let line = &mut secure.lines[slot as usize];
                line.unwritten = false;
                let by_kernel = line.sealer == Sealer::Kernel && self.job.confirms_sends();
                let awaited = std::mem::take(&mut line.writing) || by_kernel;
                if line.unsealed > 0 {
                    self.seal(slot, now, wire);
                } else if awaited {
                    self.apply(slot, event, now, wire);
                }
            }
            Event::Offloaded(taken) => {
                let sealer = if taken { Sealer::Kernel } else { Sealer::Session };
                self.seal_by(sealer, slot);
                self.seal(slot, now, wire);
            }
            Event::Fin | Event::ReceiveFailed(_) | Event::SendFailed(_)
                if self.is_shaking_hands(slot) =>
            {
                let flaw = if event == Event::Fin { Flaw::Closed } else { Flaw::Reset };
                self.handshake_failed(slot, flaw.into(), super::errno(event), now, wire);
            }
            Event::Fin => {
                let is_open = self.connections[slot as usize].state == State::Open;
                self.tally.connections.cut += u64::from(is_open);
                self.apply(slot, Event::Cut, now, wire);
            }
            Event::Closed => {
                if let Some(secure) = &mut self.secure {
                    secure.lines[slot as usize] = Line::default();
                }
                self.apply(slot, event, now, wire);
            }
            _ => self.apply(slot, event, now, wire),
        }
    }

    fn begin_handshake(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        let Some(secure) = &mut self.secure else { return };
        let connection = &mut self.connections[slot as usize];
        if connection.state != State::Opening {
            return;
        }
        connection.connected = now;
        match secure.begin(slot) {
            Ok(()) => {
                secure.lines[slot as usize].unwritten = true;
                wire.write(slot, &secure.out);
            }
            Err(fault) => self.handshake_failed(slot, fault, None, now, wire),
        }
    }

    /// What came off the connection: decrypted, read, and answered.
    pub(super) fn unseal(
        &mut self,
        slot: Slot,
        bytes: &mut [u8],
        now: Nanos,
        wire: &mut impl Wire,
    ) {
        let Some(secure) = &mut self.secure else { return };
        if self.connections[slot as usize].state == State::Closing {
            return;
        }
        let Some(mut session) = secure.lines[slot as usize].session.take() else { return };
        secure.lent = Some((slot, false));
        let mut out = std::mem::take(&mut secure.out);
        out.clear();
        let was_established = session.is_established();
        let mut is_early = false;
        let mut outcome = session.receive(bytes, &mut out, &mut |plain| {
            // Before the handshake is over nobody has asked for anything.
            is_early = self.connections[slot as usize].state == State::Opening;
            if is_early {
                return false;
            }
            self.apply(slot, Event::Received(plain), now, wire);
            self.connections[slot as usize].state == State::Open
        });
        if is_early {
            outcome = Err(Flaw::Garbled.into());
        }
        if !out.is_empty() && self.connections[slot as usize].state != State::Closing {
            if let Some(secure) = &mut self.secure {
                secure.lines[slot as usize].unwritten = true;
            }
            wire.write(slot, &out);
        }
        let is_established = session.is_established();
        let mut gained_room = false;
        if let Some(secure) = &mut self.secure {
            secure.out = out;
            secure.lines[slot as usize].session = Some(session);
            gained_room = secure.lent.take().is_some_and(|(_, gained_room)| gained_room);
        }
        match outcome {
            Err(fault) => self.tls_failed(slot, fault, now, wire),
            Ok(progress) => {
                if is_established && !was_established {
                    self.agreed(slot, now, wire);
                } else if was_established && self.is_shaking_hands(slot) {
                    // It has more to say than that it refuses: the probation is over.
                    self.secured(slot, now, wire);
                }
                if progress == Progress::Ended && self.is_shaking_hands(slot) {
                    self.handshake_failed(slot, Flaw::Closed.into(), None, now, wire);
                } else if progress == Progress::Ended {
                    self.apply(slot, Event::Fin, now, wire);
                } else if gained_room && self.connections[slot as usize].state == State::Open {
                    self.serve(slot, now, wire);
                }
            }
        }
    }

    /// The handshake is over, as far as the client can tell.
    fn agreed(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        let Some(secure) = &mut self.secure else { return };
        let Some(session) = &secure.lines[slot as usize].session else { return };
        let took = now - self.connections[slot as usize].connected;
        let totals = &mut self.tally.connections;
        match session.is_resumed() {
            true => totals.resumed_handshakes.record(took),
            false => totals.full_handshakes.record(took),
        }
        if secure.agreed.is_none() {
            secure.agreed = session.agreed();
        }
        if !self.gate_open && session.may_be_refused() {
            secure.probation = Some((slot, now + PROBATION));
            return;
        }
        self.secured(slot, now, wire);
    }

    /// Requests may be sent on it.
    fn secured(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        if let Some(secure) = &mut self.secure {
            secure.probation = None;
        }
        self.apply(slot, Event::Opened, now, wire);
    }

    #[inline]
    pub(super) fn end_probation(&mut self, now: Nanos, wire: &mut impl Wire) {
        if let Some(secure) = &self.secure
            && let Some((slot, until)) = secure.probation
            && now >= until
        {
            self.secured(slot, now, wire);
        }
    }

    #[cold]
    fn tls_failed(&mut self, slot: Slot, fault: Fault, now: Nanos, wire: &mut impl Wire) {
        let connection = &self.connections[slot as usize];
        match connection.state {
            State::Opening => self.handshake_failed(slot, fault, None, now, wire),
            State::Open if connection.in_flight() > 0 => {
                if let Some(secure) = &mut self.secure {
                    secure.broke = Some(fault.flaw);
                }
                self.lost(slot, Kind::TlsBroken, None, now, wire);
            }
            State::Open => {
                self.tally.connections.reset_idle += 1;
                self.close_unused(slot, wire);
            }
            _ => {}
        }
    }

    #[cold]
    fn handshake_failed(
        &mut self,
        slot: Slot,
        fault: Fault,
        errno: Option<i32>,
        now: Nanos,
        wire: &mut impl Wire,
    ) {
        if let Some(secure) = &mut self.secure {
            secure.probation = None;
        }
        self.connect_failed(slot, Mishap::of_tls(fault, errno), now);
        self.close(slot, wire);
    }
}
