//! One connection's TLS: what the peer sends becomes plaintext, what is to be sent becomes records.
//!
//! Whole records are decrypted where they lie; only one that is cut by the end of a read is kept,
//! until its rest has come.

use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion};

use super::client::iana;
use super::identity::Asked;
use super::{Fault, Progress, certificate};
use crate::agreed::Agreed;
use crate::flaw::Flaw;

/// A record's head: type, version, length (RFC 8446, 5.1).
const HEAD: usize = 5;

/// The longest plaintext of a record, and more than what encryption adds to one.
const FRAGMENT: usize = 16 * 1024;
const OVERHEAD: usize = 64;

pub struct Session {
    connection: UnbufferedClientConnection,
    /// What rustls wants to see again, with the rest that is still to come.
    kept: Vec<u8>,
    established: bool,
    asked: Arc<Asked>,
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
        let mut session = Session { connection, kept: Vec::new(), established: false, asked };
        session.receive(&mut [], out, &mut |_| true)?;
        Ok(session)
    }

    pub fn is_established(&self) -> bool {
        self.established
    }

    /// It took up what an earlier one had agreed on.
    pub fn is_resumed(&self) -> bool {
        self.connection.handshake_kind() == Some(HandshakeKind::Resumed)
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
        let mut progress = None;
        if !self.kept.is_empty() {
            let mut kept = std::mem::take(&mut self.kept);
            let rest = complete(&mut kept, bytes);
            bytes = &mut bytes[rest..];
            let mut used;
            (used, progress) = self.process(&mut kept, out, plain)?;
            // Parts of one message in several records are seen together.
            if used < kept.len() && !bytes.is_empty() {
                kept.drain(..used);
                kept.extend_from_slice(bytes);
                bytes = &mut [];
                (used, progress) = self.process(&mut kept, out, plain)?;
            }
            kept.drain(..used);
            self.kept = kept;
        }
        if !bytes.is_empty() || progress.is_none() {
            let used;
            (used, progress) = self.process(bytes, out, plain)?;
            self.kept.extend_from_slice(&bytes[used..]);
        }
        Ok(progress.unwrap_or(Progress::Handshaking))
    }

    /// Encrypts. Only of an established session.
    pub fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        loop {
            let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut []);
            match state.map_err(|error| Fault::of(&error))? {
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

    /// What was agreed on.
    pub fn agreed(&self) -> Agreed {
        let suite = self.connection.negotiated_cipher_suite();
        let protocol = self.connection.alpn_protocol();
        Agreed {
            version: match self.connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "TLSv1.3",
            },
            cipher: suite.as_ref().map_or("unknown", iana),
            group: self
                .connection
                .negotiated_key_exchange_group()
                .map(|group| name_of(group.name())),
            protocol: protocol.map(|name| String::from_utf8_lossy(name).into_owned()),
            certificate: self.connection.peer_certificates().and_then(certificate::describe),
        }
    }

    /// Until nothing more comes of `bytes`: how many of them are done with.
    fn process(
        &mut self,
        bytes: &mut [u8],
        out: &mut Vec<u8>,
        plain: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(usize, Option<Progress>), Fault> {
        let mut used = 0;
        loop {
            let status = self.connection.process_tls_records(&mut bytes[used..]);
            let discard = status.discard;
            let state = match status.state {
                Ok(state) => state,
                Err(error) => {
                    self.alert(out);
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
                            return Ok((bytes.len(), Some(Progress::Established)));
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
                return Ok((used, Some(progress)));
            }
        }
    }

    /// The handshake is over. A server may have chosen what was offered and cannot be spoken.
    fn establish(&mut self) -> Result<(), Fault> {
        match self.connection.alpn_protocol() {
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

    /// What the peer is told about an error: best effort.
    #[cold]
    fn alert(&mut self, out: &mut Vec<u8>) {
        let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut []);
        if let Ok(ConnectionState::EncodeTlsData(mut data)) = state {
            let _ = encode(out, |into| data.encode(into));
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

    /// The server wanted to see a certificate. It may refuse what it was given (or that nothing
    /// was) only when the handshake is over for the client (RFC 8446, 4.4.2.4).
    pub fn may_be_refused(&self) -> bool {
        self.asked.asked() && self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
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
