//! The records of an established session, one direction at a time: sealed into a buffer, opened
//! where they lie. Nothing is allocated for one.
//!
//! ```text
//! TLS 1.3          head(23, 3.3, length) encrypted(content, type, zeros) tag    (RFC 8446, 5.2)
//! TLS 1.2, GCM     head(type, 3.3, length) nonce(8) encrypted(content) tag      (RFC 5288, 3)
//! TLS 1.2, ChaCha  head(type, 3.3, length) encrypted(content) tag               (RFC 7905, 2)
//! ```
//!
//! The nonce is the initialisation vector, its last eight bytes xored with the record's number; but
//! what a server of TLS 1.2 seals with GCM brings its own eight bytes along.

use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce,
    UnboundKey,
};
use rustls::{ConnectionTrafficSecrets, Error, ProtocolVersion};

use super::KernelKeys;
use super::offload::Cipher;

/// A record's head: type, version, length (RFC 8446, 5.1).
pub const HEAD: usize = 5;

/// The longest plaintext of a record.
pub const FRAGMENT: usize = 16 * 1024;

/// The most that encryption may add to it (RFC 5246, 6.2.3; TLS 1.3 allows less).
const EXPANSION: usize = 2048;

const TAG: usize = 16;

/// The part of a nonce that a record of TLS 1.2 with GCM brings along.
const EXPLICIT: usize = 8;

/// What a record carries (RFC 8446, 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Content {
    Alert = 21,
    Handshake = 22,
    Application = 23,
}

impl Content {
    fn of(number: u8) -> Result<Content, Error> {
        match number {
            21 => Ok(Content::Alert),
            22 => Ok(Content::Handshake),
            23 => Ok(Content::Application),
            _ => Err(Error::General(format!("a record of type {number} came after the handshake"))),
        }
    }
}

/// How a record is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Tls13,
    Gcm12,
    ChaCha12,
}

/// One direction of a connection.
pub struct Half {
    key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    form: Form,
    /// Of the next record.
    number: u64,
}

impl Half {
    pub fn new(
        secrets: &ConnectionTrafficSecrets,
        number: u64,
        version: ProtocolVersion,
    ) -> Result<Half, Error> {
        let (algorithm, key, iv) = parts(secrets)?;
        let form = match (version, algorithm) {
            (ProtocolVersion::TLSv1_3, _) => Form::Tls13,
            (_, algorithm) if *algorithm == CHACHA20_POLY1305 => Form::ChaCha12,
            _ => Form::Gcm12,
        };
        let key = UnboundKey::new(algorithm, key).map_err(|_| Error::EncryptError)?;
        Ok(Half { key: LessSafeKey::new(key), iv, form, number })
    }

    /// How many records it has sealed or opened.
    #[inline]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Adds the records of `plain` to `out`.
    #[inline]
    pub fn seal(&mut self, content: Content, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        plain.chunks(FRAGMENT).try_for_each(|fragment| self.seal_record(content, fragment, out))
    }

    #[inline]
    fn seal_record(
        &mut self,
        content: Content,
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let (outer, around) = match self.form {
            Form::Tls13 => (Content::Application, 1 + TAG),
            Form::Gcm12 => (content, EXPLICIT + TAG),
            Form::ChaCha12 => (content, TAG),
        };
        let [high, low] = ((plain.len() + around) as u16).to_be_bytes();
        let head = [outer as u8, 3, 3, high, low];
        let nonce = self.nonce();
        out.reserve(HEAD + plain.len() + around);
        out.extend_from_slice(&head);
        if self.form == Form::Gcm12 {
            out.extend_from_slice(&nonce[NONCE_LEN - EXPLICIT..]);
        }
        let start = out.len();
        out.extend_from_slice(plain);
        if self.form == Form::Tls13 {
            out.push(content as u8);
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let (key, place) = (&self.key, &mut out[start..]);
        let tag = match self.form {
            Form::Tls13 => key.seal_in_place_separate_tag(nonce, Aad::from(head), place),
            _ => {
                let aad = Aad::from(self.additional(outer as u8, plain.len()));
                key.seal_in_place_separate_tag(nonce, aad, place)
            }
        };
        let tag = tag.map_err(|_| Error::EncryptError)?;
        out.extend_from_slice(tag.as_ref());
        self.number += 1;
        Ok(())
    }

    /// Decrypts a whole record, head included, where it lies.
    #[inline]
    pub fn open<'a>(&mut self, record: &'a mut [u8]) -> Result<(Content, &'a [u8]), Error> {
        let Some((head, body)) = record.split_first_chunk_mut::<HEAD>() else {
            return Err(Error::DecryptError);
        };
        let (content, plain) = match self.form {
            Form::Tls13 => self.open_tls13(*head, body)?,
            _ => (Content::of(head[0])?, self.open_tls12(head[0], body)?),
        };
        if plain.len() > FRAGMENT {
            return Err(Error::PeerSentOversizedRecord);
        }
        self.number += 1;
        Ok((content, plain))
    }

    #[inline]
    fn open_tls13<'a>(
        &self,
        head: [u8; HEAD],
        body: &'a mut [u8],
    ) -> Result<(Content, &'a [u8]), Error> {
        if head[0] != Content::Application as u8 {
            let kind = head[0];
            return Err(Error::General(format!("a record of type {kind} came in plain text")));
        }
        let nonce = Nonce::assume_unique_for_key(self.nonce());
        let opened = self.key.open_in_place(nonce, Aad::from(head), body);
        let inner = opened.map_err(|_| Error::DecryptError)?;
        // Zeros may follow the type, to hide the length.
        let end = inner.iter().rposition(|byte| *byte != 0);
        let end = end.ok_or_else(|| Error::General("a record had no type".to_string()))?;
        Ok((Content::of(inner[end])?, &inner[..end]))
    }

    #[inline]
    fn open_tls12<'a>(&self, kind: u8, body: &'a mut [u8]) -> Result<&'a [u8], Error> {
        let mut nonce = self.nonce();
        let mut body = body;
        if self.form == Form::Gcm12 {
            let (explicit, rest) =
                body.split_first_chunk_mut::<EXPLICIT>().ok_or(Error::DecryptError)?;
            nonce[NONCE_LEN - EXPLICIT..].copy_from_slice(explicit);
            body = rest;
        }
        let length = body.len().checked_sub(TAG).ok_or(Error::DecryptError)?;
        let aad = Aad::from(self.additional(kind, length));
        let opened = self.key.open_in_place(Nonce::assume_unique_for_key(nonce), aad, body);
        opened.map(|plain| &*plain).map_err(|_| Error::DecryptError)
    }

    #[inline]
    fn nonce(&self) -> [u8; NONCE_LEN] {
        let mut nonce = self.iv;
        let numbered = nonce[NONCE_LEN - 8..].iter_mut().zip(self.number.to_be_bytes());
        numbered.for_each(|(byte, number)| *byte ^= number);
        nonce
    }

    /// What is authenticated beside the content (RFC 5246, 6.2.3.3).
    #[inline]
    fn additional(&self, kind: u8, length: usize) -> [u8; 13] {
        let mut additional = [0; 13];
        additional[..8].copy_from_slice(&self.number.to_be_bytes());
        additional[8..11].copy_from_slice(&[kind, 3, 3]);
        additional[11..].copy_from_slice(&(length as u16).to_be_bytes());
        additional
    }
}

/// The length of the first record, head included, if it is there as a whole.
#[inline]
pub fn whole(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let Some([kind, major, _, high, low]) = bytes.first_chunk::<HEAD>() else { return Ok(None) };
    if !(20..=23).contains(kind) || *major != 3 {
        return Err(Error::General("what came is no record of TLS".to_string()));
    }
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > FRAGMENT + EXPANSION {
        return Err(Error::PeerSentOversizedRecord);
    }
    Ok(Some(HEAD + length).filter(|whole| *whole <= bytes.len()))
}

/// The secrets of the sending side, for the kernel.
pub fn kernel_keys(
    secrets: &ConnectionTrafficSecrets,
    number: u64,
    version: ProtocolVersion,
) -> Result<KernelKeys, Error> {
    let (algorithm, key, iv) = parts(secrets)?;
    let cipher = match algorithm {
        algorithm if *algorithm == CHACHA20_POLY1305 => Cipher::ChaCha20Poly1305,
        algorithm if *algorithm == AES_256_GCM => Cipher::Aes256Gcm,
        _ => Cipher::Aes128Gcm,
    };
    let is_tls13 = version == ProtocolVersion::TLSv1_3;
    Ok(KernelKeys::new(is_tls13, cipher, key, &iv, number))
}

/// The cipher, its key and its initialisation vector.
fn parts(
    secrets: &ConnectionTrafficSecrets,
) -> Result<(&'static Algorithm, &[u8], [u8; NONCE_LEN]), Error> {
    use ConnectionTrafficSecrets as Secrets;
    let (algorithm, key, iv) = match secrets {
        Secrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv),
        Secrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv),
        Secrets::Chacha20Poly1305 { key, iv } => (&CHACHA20_POLY1305, key, iv),
        _ => return Err(Error::General("the cipher agreed on is not known here".to_string())),
    };
    let iv = iv.as_ref().try_into().map_err(|_| Error::EncryptError)?;
    Ok((algorithm, key.as_ref(), iv))
}
