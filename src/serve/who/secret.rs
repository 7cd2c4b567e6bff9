//! What is handed out once and known again: random, and kept only as its digest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// As long as nobody guesses.
const BYTES: usize = 32;

/// What a secret is found by. Random as secrets are, it needs no salt and no slow hash.
pub type Digest = [u8; 32];

/// A new one; the prefix is what those who look for leaked secrets know it by.
pub fn new(prefix: &str) -> Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::failed(format!("this host gives no random numbers ({error}); try again"))
    })?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

pub fn digest(secret: &str) -> Digest {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same_and_each_is_found_by_its_digest() {
        let (first, second) = (new("blast_").unwrap(), new("blast_").unwrap());
        assert_ne!(first, second);
        assert!(first.starts_with("blast_") && first.len() == 6 + 43, "{first}");
        assert_eq!(digest(&first), digest(&first.clone()));
        assert_ne!(digest(&first), digest(&second));
    }
}
