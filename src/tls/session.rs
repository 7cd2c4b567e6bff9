//! One connection's TLS: what the peer sends becomes plaintext, what is to be sent becomes records.
//!
//! Whole records are decrypted where they lie; only one that is cut by the end of a read is kept,
//! until its rest has come.
//!
//! The handshake is rustls's, to its end. From the first request on the records are opened and
//! sealed by [`Traffic`]: nothing is allocated for one, a request is sealed in two thirds of the
//! time, and the kernel can be given what seals them.

use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion};

use super::client::iana;
use super::identity::Asked;
use super::records::{FRAGMENT, HEAD};
use super::traffic::Traffic;
use super::{Fault, KernelKeys, Progress, certificate};
use crate::agreed::Agreed;
use crate::flaw::Flaw;

/// More than what encryption adds to a record.
const OVERHEAD: usize = 64;

pub struct Session {
    stage: Stage,
    /// What is to be seen again, with the rest that is still to come.
    kept: Vec<u8>,
    established: bool,
    asked: Arc<Asked>,
}

/// Who reads and writes the records.
#[expect(clippy::large_enum_variant, reason = "a session spends its life in the largest")]
enum Stage {
    /// rustls: until the first request.
    Handshake(UnbufferedClientConnection),
    Traffic(Traffic),
    /// It could not be handed over.
    Lost,
}

impl Session {
    pub(super) fn begin(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        asked: Arc<Asked>,
        out: &mut Vec<u8>,
    ) -> Result<Session, Fault> {
        let connection = UnbufferedClientConnection::new(config, name);
        let connection = connection.map_err(|error| Fault::of(&error))?;
        let stage = Stage::Handshake(connection);
        let mut session = Session { stage, kept: Vec::new(), established: false, asked };
        session.receive(&mut [], out, &mut |_| true)?;
        Ok(session)
    }

    pub fn is_established(&self) -> bool {
        self.established
    }

    /// The bytes it keeps beside itself.
    pub fn memory(&self) -> usize {
        size_of::<Session>() + self.kept.capacity()
    }

    /// Takes the peer's bytes. `plain` is given the plaintext, piece by piece, and says whether
    /// more of it is wanted; `out` gets what is to be sent.
    pub fn receive(
        &mut self,
        bytes: &mut [u8],
        out: &mut Vec<u8>,
        plain: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Progress, Fault> {
        let mut bytes = bytes;
        if !self.kept.is_empty() {
            let mut kept = std::mem::take(&mut self.kept);
            let rest = complete(&mut kept, bytes);
            bytes = &mut bytes[rest..];
            let (mut used, mut progress) = self.process(&mut kept, out, plain)?;
            // Parts of one message in several records are seen together.
            if used < kept.len() && !bytes.is_empty() {
                kept.drain(..used);
                kept.extend_from_slice(bytes);
                bytes = &mut [];
                (used, progress) = self.process(&mut kept, out, plain)?;
            }
            kept.drain(..used);
            self.kept = kept;
            // Nothing that comes behind the end is looked at.
            if bytes.is_empty() || progress == Progress::Ended {
                return Ok(progress);
            }
        }
        let (used, progress) = self.process(bytes, out, plain)?;
        self.kept.extend_from_slice(&bytes[used..]);
        Ok(progress)
    }

    /// Encrypts. Only of an established session.
    #[inline]
    pub fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        if !matches!(self.stage, Stage::Traffic(_)) {
            self.hand_over(out)?;
        }
        match &mut self.stage {
            Stage::Traffic(traffic) => traffic.seal(plain, out).map_err(|error| Fault::of(&error)),
            Stage::Handshake(connection) => seal(connection, plain, out),
            Stage::Lost => Err(Flaw::Garbled.into()),
        }
    }

    /// What a kernel needs to seal instead; told once, before anything was sealed here. `out` may
    /// get what is to be sent before.
    pub fn kernel_keys(&mut self, out: &mut Vec<u8>) -> Result<Option<KernelKeys>, Fault> {
        self.hand_over(out)?;
        match &mut self.stage {
            Stage::Traffic(traffic) => Ok(traffic.kernel_keys()),
            _ => Ok(None),
        }
    }

    /// The kernel seals from now on.
    pub fn offloaded(&mut self) {
        if let Stage::Traffic(traffic) = &mut self.stage {
            traffic.offloaded();
        }
    }

    /// From rustls to [`Traffic`], if rustls has not begun with what is kept: a message that
    /// several records share is decrypted one by one, and seen again when all of it is there.
    fn hand_over(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let Stage::Handshake(connection) = &mut self.stage else { return Ok(()) };
        if !self.established || has_whole_record(&self.kept) {
            return Ok(());
        }
        seal(connection, &[], out)?;
        if let Stage::Handshake(connection) = std::mem::replace(&mut self.stage, Stage::Lost) {
            let traffic = Traffic::of(connection).map_err(|error| Fault::of(&error))?;
            self.stage = Stage::Traffic(traffic);
        }
        Ok(())
    }

    /// What was agreed on; `None` unless the handshake has just ended.
    pub fn agreed(&self) -> Option<Agreed> {
        let Stage::Handshake(connection) = &self.stage else { return None };
        let suite = connection.negotiated_cipher_suite();
        let protocol = connection.alpn_protocol();
        let group = connection.negotiated_key_exchange_group();
        Some(Agreed {
            version: match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "TLSv1.3",
            },
            cipher: suite.as_ref().map_or("unknown", iana),
            group: group.map(|group| name_of(group.name())),
            protocol: protocol.map(|name| String::from_utf8_lossy(name).into_owned()),
            certificate: connection.peer_certificates().and_then(certificate::describe),
        })
    }

    /// It took up what an earlier one had agreed on. Told like [`Session::agreed`].
    pub fn is_resumed(&self) -> bool {
        match &self.stage {
            Stage::Handshake(connection) => {
                connection.handshake_kind() == Some(HandshakeKind::Resumed)
            }
            _ => false,
        }
    }

    /// The server wanted to see a certificate. It may refuse what it was given (or that nothing
    /// was) only when the handshake is over for the client (RFC 8446, 4.4.2.4).
    pub fn may_be_refused(&self) -> bool {
        let version = match &self.stage {
            Stage::Handshake(connection) => connection.protocol_version(),
            _ => None,
        };
        self.asked.asked() && version == Some(ProtocolVersion::TLSv1_3)
    }

    /// Until nothing more comes of `bytes`: how many of them are done with.
    #[inline]
    fn process(
        &mut self,
        bytes: &mut [u8],
        out: &mut Vec<u8>,
        plain: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(usize, Progress), Fault> {
        match &mut self.stage {
            Stage::Traffic(traffic) => {
                let received = traffic.receive(bytes, out, plain);
                received.map_err(|error| self.fault(&error, &[]))
            }
            _ => self.shake_hands(bytes, out, plain),
        }
    }

    fn shake_hands(
        &mut self,
        bytes: &mut [u8],
        out: &mut Vec<u8>,
        plain: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(usize, Progress), Fault> {
        let mut used = 0;
        loop {
            let Stage::Handshake(connection) = &mut self.stage else {
                return Err(Flaw::Garbled.into());
            };
            let status = connection.process_tls_records(&mut bytes[used..]);
            let discard = status.discard;
            let state = match status.state {
                Ok(state) => state,
                Err(error) => {
                    alert(connection, out);
                    return Err(self.fault(&error, &bytes[used..]));
                }
            };
            let progress = match state {
                ConnectionState::ReadTraffic(_) if !self.established => {
                    // A server may speak before it is asked, if only to say that it speaks h2.
                    drop(state);
                    self.establish()?;
                    return Err(Flaw::Garbled.into());
                }
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(|error| Fault::of(&error))?;
                        if !plain(record.payload) {
                            return Ok((bytes.len(), Progress::Established));
                        }
                    }
                    None
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    encode(out, |into| data.encode(into))?;
                    None
                }
                ConnectionState::TransmitTlsData(data) => {
                    data.done();
                    None
                }
                ConnectionState::WriteTraffic(_) => {
                    self.establish()?;
                    Some(Progress::Established)
                }
                ConnectionState::PeerClosed | ConnectionState::Closed => Some(Progress::Ended),
                _ => Some(Progress::Handshaking),
            };
            used += discard;
            if let Some(progress) = progress {
                return Ok((used, progress));
            }
        }
    }

    /// The handshake is over. A server may have chosen what was offered and cannot be spoken.
    fn establish(&mut self) -> Result<(), Fault> {
        let Stage::Handshake(connection) = &self.stage else { return Ok(()) };
        match connection.alpn_protocol() {
            Some(chosen) if !self.established && !chosen.starts_with(b"http/1.") => {
                let chosen = chosen.escape_ascii();
                let detail = Some(format!("it chose {chosen}, and blast speaks HTTP/1.1"));
                Err(Fault { flaw: Flaw::NoCommonProtocol, detail })
            }
            _ => {
                self.established = true;
                Ok(())
            }
        }
    }

    #[cold]
    fn fault(&self, error: &rustls::Error, bytes: &[u8]) -> Fault {
        let mut fault = Fault::of(error);
        // An older server says no more than that the handshake failed.
        if fault.flaw == Flaw::NoCommonCipher && self.asked.in_vain() {
            fault.flaw = Flaw::ClientCertificateRequired;
        }
        if fault.flaw == Flaw::Plain && self.established {
            fault.flaw = Flaw::Garbled;
        }
        if fault.flaw == Flaw::Plain && !bytes.is_empty() {
            let shown = &bytes[..bytes.len().min(24)];
            fault.detail = Some(format!("it answered `{}`", shown.escape_ascii()));
        }
        fault
    }
}

/// Adds to `kept` what completes its last record, as far as it is there: how many bytes.
fn complete(kept: &mut Vec<u8>, bytes: &[u8]) -> usize {
    let mut taken = 0;
    loop {
        let missing = missing(kept).min(bytes.len() - taken);
        if missing == 0 {
            return taken;
        }
        kept.extend_from_slice(&bytes[taken..taken + missing]);
        taken += missing;
    }
}

/// How many bytes the last record lacks; of one without its head, the rest of the head.
fn missing(bytes: &[u8]) -> usize {
    let mut start = 0;
    while let Some(head) = bytes.get(start..start + HEAD) {
        let end = start + HEAD + usize::from(u16::from_be_bytes([head[3], head[4]]));
        if end > bytes.len() {
            return end - bytes.len();
        }
        start = end;
    }
    match bytes.len() - start {
        0 => 0,
        of_head => HEAD - of_head,
    }
}

/// The first record is whole.
fn has_whole_record(bytes: &[u8]) -> bool {
    match bytes {
        [_, _, _, high, low, rest @ ..] => {
            rest.len() >= usize::from(u16::from_be_bytes([*high, *low]))
        }
        _ => false,
    }
}

/// Encrypts by rustls, behind what else it has to send.
fn seal(
    connection: &mut UnbufferedClientConnection,
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    loop {
        let UnbufferedStatus { state, .. } = connection.process_tls_records(&mut []);
        match state.map_err(|error| Fault::of(&error))? {
            ConnectionState::WriteTraffic(_) if plain.is_empty() => return Ok(()),
            ConnectionState::WriteTraffic(mut traffic) => {
                let room = plain.len() + (plain.len() / FRAGMENT + 1) * OVERHEAD;
                return encrypt(out, room, |into| traffic.encrypt(plain, into));
            }
            ConnectionState::EncodeTlsData(mut data) => {
                encode(out, |into| data.encode(into))?;
            }
            ConnectionState::TransmitTlsData(data) => data.done(),
            _ => return Err(Flaw::Garbled.into()),
        }
    }
}

/// What the peer is told about an error: best effort.
#[cold]
fn alert(connection: &mut UnbufferedClientConnection, out: &mut Vec<u8>) {
    let UnbufferedStatus { state, .. } = connection.process_tls_records(&mut []);
    if let Ok(ConnectionState::EncodeTlsData(mut data)) = state {
        let _ = encode(out, |into| data.encode(into));
    }
}

fn encode(
    out: &mut Vec<u8>,
    mut into: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>,
) -> Result<(), Fault> {
    grow(out, 0, |room| match into(room) {
        Ok(length) => Ok(length),
        Err(EncodeError::InsufficientSize(size)) => Err(Some(size.required_size)),
        Err(EncodeError::AlreadyEncoded) => Err(None),
    })
}

fn encrypt(
    out: &mut Vec<u8>,
    room: usize,
    mut into: impl FnMut(&mut [u8]) -> Result<usize, EncryptError>,
) -> Result<(), Fault> {
    grow(out, room, |room| match into(room) {
        Ok(length) => Ok(length),
        Err(EncryptError::InsufficientSize(size)) => Err(Some(size.required_size)),
        Err(EncryptError::EncryptExhausted) => Err(None),
    })
}

/// Writes behind what is in `out`; where `room` is not enough, with what it turns out to take.
fn grow(
    out: &mut Vec<u8>,
    room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> Result<(), Fault> {
    let start = out.len();
    let mut room = room;
    loop {
        out.resize(start + room, 0);
        match write(&mut out[start..]) {
            Ok(length) => {
                out.truncate(start + length);
                return Ok(());
            }
            Err(Some(required)) if required > room => room = required,
            Err(_) => {
                out.truncate(start);
                return Err(Flaw::Garbled.into());
            }
        }
    }
}

fn name_of(group: rustls::NamedGroup) -> &'static str {
    match group {
        rustls::NamedGroup::X25519 => "x25519",
        rustls::NamedGroup::secp256r1 => "secp256r1",
        rustls::NamedGroup::secp384r1 => "secp384r1",
        _ => "other",
    }
}

#[cfg(test)]
impl Session {
    pub fn wear_out_at(&mut self, records: u64) {
        if let Stage::Traffic(traffic) = &mut self.stage {
            traffic.wear_out_at(records);
        }
    }
}
