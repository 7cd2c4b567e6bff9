//! https: the TLS of each connection, between the driver, which carries records, and the rest of
//! the core, which sees plaintext. A connection counts as opening until its handshake is over.
//!
//! While a session decrypts it is lent out. An answer within makes room for the next request, which
//! goes out when the session is back: by then all that came with the answer is read, and what is
//! behind it cannot be taken for the answer to a request that was not even sent.

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

/// The plaintext that is sealed at a time, of requests whose writes are confirmed.
const CHUNK: usize = 64 * 1024;

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

    pub fn agreed(&mut self) -> Option<Agreed> {
        self.agreed.take()
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
    /// Writes requests, over TLS or not.
    #[inline]
    pub(super) fn send(&mut self, slot: Slot, copies: u32, now: Nanos, wire: &mut impl Wire) {
        #[cfg(test)]
        if self.delivers(slot, copies, now, wire) {
            return;
        }
        let Some(secure) = &mut self.secure else { return wire.send(slot, copies) };
        let line = &mut secure.lines[slot as usize];
        if line.sealer == Sealer::Kernel {
            return wire.send(slot, copies);
        }
        let length = self.job.request.length() * copies as usize;
        let before = if line.unsealed > 0 { line.sending } else { 0 };
        line.sending = before + length;
        line.unsealed += length;
        self.seal(slot, now, wire);
    }

    /// Writes one request, over TLS or not. (The kernel encrypts nothing where requests differ.)
    #[inline]
    pub(super) fn deliver(&mut self, slot: Slot, parcel: Parcel, now: Nanos, wire: &mut impl Wire) {
        let Some(secure) = &mut self.secure else { return wire.deliver(slot, parcel) };
        let line = &mut secure.lines[slot as usize];
        debug_assert!(self.job.offload.is_empty() && line.unsealed == 0);
        if line.sealer == Sealer::Open {
            self.seal_by(Sealer::Session, slot);
        }
        match parcel.confirmed {
            true => self.seal_in_chunks(slot, parcel, now, wire),
            false => self.seal_whole(slot, parcel, now, wire),
        }
    }

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

    /// Seals what is to be sent, as far as it may go out now; or leaves that to the kernel.
    fn seal(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        if let Some(secure) = &mut self.secure {
            secure.out.clear();
            let line = &secure.lines[slot as usize];
            let is_open = self.connections[slot as usize].state == State::Open;
            if line.unsealed == 0 || line.writing || line.session.is_none() || !is_open {
                return;
            }
            if line.sealer == Sealer::Open
                && let Err(fault) = self.choose_sealer(slot, wire)
            {
                return self.tls_failed(slot, fault, now, wire);
            }
        }
        let Some(secure) = &mut self.secure else { return };
        let line = &mut secure.lines[slot as usize];
        match line.sealer {
            Sealer::Session => self.seal_here(slot, now, wire),
            Sealer::Kernel => {
                let copies = line.unsealed / self.job.request.length();
                (line.sending, line.unsealed) = (0, 0);
                wire.send(slot, copies as u32);
            }
            Sealer::Open | Sealer::Asked => {}
        }
    }

    /// Decides who encrypts. Nothing is decided while the handshake has more to write: what the
    /// kernel is given after the keys it takes for plaintext.
    fn choose_sealer(&mut self, slot: Slot, wire: &mut impl Wire) -> Result<(), Fault> {
        let Some(secure) = &mut self.secure else { return Ok(()) };
        let Secure { lines, out, .. } = &mut **secure;
        let line = &mut lines[slot as usize];
        let Some(session) = &mut line.session else { return Ok(()) };
        if self.job.offload.is_empty() {
            self.seal_by(Sealer::Session, slot);
            return Ok(());
        }
        if line.unwritten {
            return Ok(());
        }
        let taken = match session.kernel_keys(out)? {
            Some(keys) if out.is_empty() && self.job.offload.contains(&keys.kind()) => {
                wire.offload(slot, keys)
            }
            _ => Some(false),
        };
        self.seal_by(
            match taken {
                Some(true) => Sealer::Kernel,
                Some(false) => Sealer::Session,
                None => Sealer::Asked,
            },
            slot,
        );
        Ok(())
    }

    fn seal_by(&mut self, sealer: Sealer, slot: Slot) {
        let Some(secure) = &mut self.secure else { return };
        let line = &mut secure.lines[slot as usize];
        line.sealer = sealer;
        let totals = &mut self.tally.connections;
        match (sealer, &mut line.session) {
            (Sealer::Kernel, Some(session)) => {
                session.offloaded();
                totals.kernel_sealed += 1;
            }
            (Sealer::Session, _) => totals.self_sealed += 1,
            _ => {}
        }
    }

    fn seal_here(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
        let Some(secure) = &mut self.secure else { return };
        let Secure { lines, out, .. } = &mut **secure;
        let line = &mut lines[slot as usize];
        let Some(session) = &mut line.session else { return };
        let confirms = line.parcel.is_some() || self.job.confirms_sends();
        let most = if confirms { CHUNK } else { usize::MAX };
        let chunk = line.unsealed.min(most);
        let end = line.sending - line.unsealed + chunk;
        while line.sending - line.unsealed < end {
            let start = line.sending - line.unsealed;
            let piece = match line.parcel {
                // SAFETY: not all of it is sealed, so its request has no fate yet; where it has one
                // all the same, its connection is being closed, and nothing is sealed.
                Some(parcel) => unsafe { parcel.piece(start) },
                None => {
                    let (bytes, range) = self.job.request.piece(start..end);
                    &bytes[range]
                }
            };
            let piece = &piece[..piece.len().min(end - start)];
            if let Err(fault) = session.seal(piece, out) {
                return self.tls_failed(slot, fault, now, wire);
            }
            line.unsealed -= piece.len();
        }
        if line.unsealed == 0 {
            line.parcel = None;
        }
        line.writing = confirms;
        wire.write(slot, out);
    }

    fn seal_in_chunks(&mut self, slot: Slot, parcel: Parcel, now: Nanos, wire: &mut impl Wire) {
        let Some(secure) = &mut self.secure else { return };
        let line = &mut secure.lines[slot as usize];
        line.parcel = Some(parcel);
        (line.sending, line.unsealed) = (parcel.length(), parcel.length());
        self.seal(slot, now, wire);
    }

    /// A parcel that fits the socket's buffer: nobody waits for its end, so the next one may follow
    /// at once.
    fn seal_whole(&mut self, slot: Slot, parcel: Parcel, now: Nanos, wire: &mut impl Wire) {
        let Some(secure) = &mut self.secure else { return };
        let Secure { lines, out, lent, .. } = &mut **secure;
        debug_assert!(lent.is_none_or(|(lent, _)| lent != slot), "served when it is back");
        let Some(session) = &mut lines[slot as usize].session else { return };
        out.clear();
        // SAFETY: it is delivered just now, so its request has no fate yet.
        let sealed = session.seal(unsafe { parcel.piece(0) }, out);
        match sealed {
            Ok(()) => wire.write(slot, out),
            Err(fault) => self.tls_failed(slot, fault, now, wire),
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
