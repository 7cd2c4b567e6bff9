//! What is sent over TLS: sealed by the session or left to the kernel, whole or, where the end of the
//! write is waited for, chunk by chunk.

use super::super::super::connection::State;
use super::super::super::wire::{Parcel, Slot, Wire};
use super::super::Core;
use super::{Sealer, Secure};
use crate::time::Nanos;
use crate::tls::Fault;

/// The plaintext that is sealed at a time, of requests whose writes are confirmed.
const CHUNK: usize = 64 * 1024;

impl Core {
    /// Writes requests, over TLS or not.
    #[inline]
    pub(in crate::engine::core) fn send(
        &mut self,
        slot: Slot,
        copies: u32,
        now: Nanos,
        wire: &mut impl Wire,
    ) {
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
    pub(in crate::engine::core) fn deliver(
        &mut self,
        slot: Slot,
        parcel: Parcel,
        now: Nanos,
        wire: &mut impl Wire,
    ) {
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

    /// Seals what is to be sent, as far as it may go out now; or leaves that to the kernel.
    pub(super) fn seal(&mut self, slot: Slot, now: Nanos, wire: &mut impl Wire) {
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

    pub(super) fn seal_by(&mut self, sealer: Sealer, slot: Slot) {
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
}
