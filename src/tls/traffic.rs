//! What follows a handshake: requests and answers in records, and between them what a server says
//! about the session itself. Keys and tickets stay rustls's business; the records are ours.

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::kernel::KernelConnection;
use rustls::{AlertDescription, Error, ProtocolVersion, SupportedCipherSuite};

use super::records::{Content, Half, kernel_keys, whole};
use super::{KernelKeys, Progress};

/// The longest message about the session.
const MESSAGE: usize = 64 * 1024;

// Types of messages (RFC 8446, 4) and the levels and numbers of alerts (6).
const HELLO_REQUEST: u8 = 0;
const NEW_SESSION_TICKET: u8 = 4;
const KEY_UPDATE: u8 = 24;
const WARNING: u8 = 1;
const FATAL: u8 = 2;
const CLOSE_NOTIFY: u8 = 0;
const UNEXPECTED_MESSAGE: u8 = 10;
const BAD_RECORD_MAC: u8 = 20;
const USER_CANCELED: u8 = 90;

pub struct Traffic {
    reading: Half,
    /// `None`: the kernel seals.
    writing: Option<Half>,
    /// For the kernel, until anything was sealed here.
    unused: Option<KernelKeys>,
    /// Derives the next keys, and stores tickets.
    keys: KernelConnection<ClientConnectionData>,
    /// A message about the session whose rest is still to come.
    message: Vec<u8>,
    /// So many records may be sealed with one key.
    worn_at: u64,
}

impl Traffic {
    /// Takes over after the handshake.
    pub fn of(connection: UnbufferedClientConnection) -> Result<Traffic, Error> {
        let (secrets, keys) = connection.dangerous_into_kernel_connection()?;
        let version = keys.protocol_version();
        let reading = Half::new(&secrets.rx.1, secrets.rx.0, version)?;
        let writing = Some(Half::new(&secrets.tx.1, secrets.tx.0, version)?);
        let unused = Some(kernel_keys(&secrets.tx.1, secrets.tx.0, version)?);
        let worn_at = endurance(keys.negotiated_cipher_suite());
        Ok(Traffic { reading, writing, unused, keys, message: Vec::new(), worn_at })
    }

    /// Adds the records of `plain` to `out`.
    #[inline]
    pub fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.unused = None;
        if self.writing.as_ref().is_some_and(|writing| writing.number() >= self.worn_at) {
            self.renew(out)?;
        }
        let writing = self.writing.as_mut().ok_or(Error::EncryptError)?;
        writing.seal(Content::Application, plain, out)
    }

    /// What a kernel needs to seal instead: told once, before anything was sealed here.
    pub fn kernel_keys(&mut self) -> Option<KernelKeys> {
        self.unused.take()
    }

    /// The kernel seals from now on.
    pub fn offloaded(&mut self) {
        self.writing = None;
    }

    /// Takes whole records: how many bytes of them are done with. `plain` is given what they hold,
    /// piece by piece, and says whether more of it is wanted; `out` gets what is to be sent.
    #[inline]
    pub fn receive(
        &mut self,
        bytes: &mut [u8],
        out: &mut Vec<u8>,
        plain: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(usize, Progress), Error> {
        let received = self.open(bytes, out, plain);
        if let Err(error) = &received {
            self.complain(error, out);
        }
        received
    }

    #[inline]
    fn open(
        &mut self,
        bytes: &mut [u8],
        out: &mut Vec<u8>,
        plain: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(usize, Progress), Error> {
        let mut used = 0;
        while let Some(length) = whole(&bytes[used..])? {
            let (content, piece) = self.reading.open(&mut bytes[used..used + length])?;
            used += length;
            match content {
                _ if !self.message.is_empty() && content != Content::Handshake => {
                    return Err(misplaced("a record came between the parts of a message"));
                }
                Content::Application if piece.is_empty() => {}
                Content::Application if plain(piece) => {}
                Content::Application => return Ok((bytes.len(), Progress::Established)),
                Content::Handshake => {
                    self.message.extend_from_slice(piece);
                    self.messages(out)?;
                }
                Content::Alert if self.is_the_end(piece)? => return Ok((used, Progress::Ended)),
                Content::Alert => {}
            }
        }
        Ok((used, Progress::Established))
    }

    /// What an alert means: the end of what the server sends, nothing, or an error.
    #[cold]
    fn is_the_end(&self, alert: &[u8]) -> Result<bool, Error> {
        let &[level, number] = alert else { return Err(misplaced("an alert was garbled")) };
        // Only TLS 1.2 knows warnings; the newer one has an exception.
        let may_warn = !self.is_tls13() || number == USER_CANCELED;
        match (level, number) {
            (_, CLOSE_NOTIFY) => Ok(true),
            (WARNING, _) if may_warn => Ok(false),
            _ => Err(Error::AlertReceived(AlertDescription::from(number))),
        }
    }

    /// The messages about the session that are there as a whole.
    #[cold]
    fn messages(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let message = std::mem::take(&mut self.message);
        let mut rest = &message[..];
        while let [kind, a, b, c, after @ ..] = rest {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            if length > MESSAGE {
                return Err(misplaced("a message of the handshake is too long"));
            }
            let Some((body, after)) = after.split_at_checked(length) else { break };
            rest = after;
            self.obey(*kind, body, rest.is_empty(), out)?;
        }
        self.message = rest.to_vec();
        Ok(())
    }

    /// `is_last`: nothing follows it in its record.
    fn obey(
        &mut self,
        kind: u8,
        body: &[u8],
        is_last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match (kind, body) {
            (NEW_SESSION_TICKET, _) if self.is_tls13() => self.keys.handle_new_session_ticket(body),
            (KEY_UPDATE, [asks @ (0 | 1)]) if self.is_tls13() && is_last => {
                let (number, secrets) = self.keys.update_rx_secret()?;
                self.reading = Half::new(&secrets, number, ProtocolVersion::TLSv1_3)?;
                if *asks == 1 { self.renew(out) } else { Ok(()) }
            }
            // A client need not answer (RFC 5246, 7.4.1.1).
            (HELLO_REQUEST, []) if !self.is_tls13() => Ok(()),
            _ => Err(misplaced(&format!("a handshake message of type {kind} came unasked"))),
        }
    }

    /// New keys for what is sent. TLS 1.2 knows no such thing.
    #[cold]
    fn renew(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if !self.is_tls13() {
            return Err(Error::EncryptError);
        }
        let Some(writing) = &mut self.writing else {
            return Err(misplaced(
                "the server asks for new keys, and the kernel keeps the old ones; use --ktls off",
            ));
        };
        self.unused = None;
        writing.seal(Content::Handshake, &[KEY_UPDATE, 0, 0, 1, 0], out)?;
        let (number, secrets) = self.keys.update_tx_secret()?;
        *writing = Half::new(&secrets, number, ProtocolVersion::TLSv1_3)?;
        Ok(())
    }

    /// Tells the server what was wrong with it: best effort.
    #[cold]
    fn complain(&mut self, error: &Error, out: &mut Vec<u8>) {
        let number = match error {
            Error::AlertReceived(_) => return,
            Error::DecryptError => BAD_RECORD_MAC,
            _ => UNEXPECTED_MESSAGE,
        };
        if let Some(writing) = &mut self.writing {
            let _ = writing.seal(Content::Alert, &[FATAL, number], out);
        }
    }

    fn is_tls13(&self) -> bool {
        self.keys.protocol_version() == ProtocolVersion::TLSv1_3
    }
}

/// After so many records a key gives its plaintext away (RFC 8446, 5.5).
fn endurance(suite: SupportedCipherSuite) -> u64 {
    match suite {
        SupportedCipherSuite::Tls12(suite) => suite.common.confidentiality_limit,
        SupportedCipherSuite::Tls13(suite) => suite.common.confidentiality_limit,
    }
}

fn misplaced(text: &str) -> Error {
    Error::General(text.to_string())
}

#[cfg(test)]
impl Traffic {
    /// As if so many records had been all that a key is good for.
    pub fn wear_out_at(&mut self, records: u64) {
        self.worn_at = records;
    }
}
