//! The keys of the sending side as Linux takes them, for kernels that encrypt by themselves what is
//! written to a socket (linux/tls.h, `struct tls12_crypto_info_*`). Plain bytes: who hands them over
//! is the engine's business.

use std::fmt;

/// Of the longest of the structs.
const MOST: usize = 56;

/// For the option `TLS_TX` of a socket.
#[derive(Clone, PartialEq, Eq)]
pub struct KernelKeys {
    bytes: [u8; MOST],
    length: usize,
}

/// A version of TLS and a cipher: a kernel has it or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelKind([u8; 4]);

/// By its number in linux/tls.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    Aes128Gcm = 51,
    Aes256Gcm = 52,
    ChaCha20Poly1305 = 54,
}

const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;

impl KernelKeys {
    /// `number`: of the next record.
    pub(super) fn new(
        is_tls13: bool,
        cipher: Cipher,
        key: &[u8],
        iv: &[u8; 12],
        number: u64,
    ) -> KernelKeys {
        let version = if is_tls13 { TLS_1_3 } else { TLS_1_2 };
        let mut keys = KernelKeys { bytes: [0; MOST], length: 0 };
        keys.append(&version.to_ne_bytes());
        keys.append(&(cipher as u16).to_ne_bytes());
        if cipher == Cipher::ChaCha20Poly1305 {
            keys.append(iv);
            keys.append(key);
        } else {
            let (salt, rest) = iv.split_at(4);
            let rest = <[u8; 8]>::try_from(rest).unwrap_or_default();
            keys.append(&if is_tls13 { rest } else { unused(rest) });
            keys.append(key);
            keys.append(salt);
        }
        keys.append(&number.to_be_bytes());
        keys
    }

    /// One of each kind, to see whether a kernel takes it.
    pub fn trials() -> impl Iterator<Item = KernelKeys> {
        let ciphers = [Cipher::Aes128Gcm, Cipher::Aes256Gcm, Cipher::ChaCha20Poly1305];
        let both = ciphers.into_iter().flat_map(|cipher| [(true, cipher), (false, cipher)]);
        both.map(|(is_tls13, cipher)| {
            let key = [1; 32];
            let key = if cipher == Cipher::Aes128Gcm { &key[..16] } else { &key };
            KernelKeys::new(is_tls13, cipher, key, &[2; 12], 0)
        })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub fn kind(&self) -> KernelKind {
        let [a, b, c, d, ..] = self.bytes;
        KernelKind([a, b, c, d])
    }

    fn append(&mut self, bytes: &[u8]) {
        self.bytes[self.length..][..bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

impl fmt::Debug for KernelKeys {
    /// The keys stay hidden.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("KernelKeys")
    }
}

/// With GCM in TLS 1.2 the kernel counts the second part of the nonce up from here, whatever the
/// record's number. Those of the records before, of which there are few, are this one xored with
/// their numbers: none may come again.
fn unused(of_record_0: [u8; 8]) -> [u8; 8] {
    (u64::from_be_bytes(of_record_0) | 0xffff).wrapping_add(1).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_where_linux_looks_for_them() {
        let iv = *b"saltnonce_12";
        let aes = KernelKeys::new(true, Cipher::Aes128Gcm, &[7; 16], &iv, 258);
        let mut expected = vec![4, 3, 51, 0];
        expected.extend(b"nonce_12");
        expected.extend([7; 16]);
        expected.extend(b"salt");
        expected.extend([0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(aes.bytes(), expected);
        let chacha = KernelKeys::new(false, Cipher::ChaCha20Poly1305, &[7; 32], &iv, 1);
        assert_eq!(chacha.bytes()[..16], *b"\x03\x03\x36\x00saltnonce_12");
        assert_eq!(chacha.bytes().len(), 56);
    }

    #[test]
    fn no_nonce_of_an_earlier_record_comes_again() {
        for start in [[0; 8], [0xff; 8], *b"nonce_12"] {
            let first = u64::from_be_bytes(unused(start));
            for number in 0..0x1_0000 {
                let earlier = u64::from_be_bytes(start) ^ number;
                assert!(earlier.wrapping_sub(first) > 1 << 32, "record {number} of {start:?}");
            }
        }
    }

    #[test]
    fn keys_are_not_printed_and_each_kind_is_tried_once() {
        let trials: Vec<KernelKeys> = KernelKeys::trials().collect();
        assert_eq!(format!("{:?}", trials[0]), "KernelKeys");
        for (index, keys) in trials.iter().enumerate() {
            assert!(trials[..index].iter().all(|other| other.kind() != keys.kind()));
        }
        assert_eq!(trials.len(), 6);
    }
}
