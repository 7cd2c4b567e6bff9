//! Passwords: kept as argon2id makes them, with the costs that OWASP names as the least (19 MiB,
//! two passes), which stand in the text beside the salt.

use std::sync::LazyLock;

use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Argon2, PasswordHasher, PasswordVerifier};

use crate::error::{Error, Result};

/// Shorter ones are guessed.
const SHORTEST: usize = 8;

/// What nobody needs is not worth the time to hash.
const LONGEST: usize = 1_024;

/// What the password of a user who is not there is held against, so that it takes as long.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash("of nobody").unwrap_or_default());

/// What may be a password, in one sentence where it may not.
pub fn accept(password: &str) -> Result<()> {
    match password.chars().count() {
        0..SHORTEST => Err(Error::usage(format!(
            "the password is too short; give {SHORTEST} characters or more"
        ))),
        _ if password.len() > LONGEST => {
            Err(Error::usage(format!("the password is too long; give {LONGEST} bytes or fewer")))
        }
        _ => Ok(()),
    }
}

pub fn hash(password: &str) -> Result<String> {
    let mut salt = [0; 16];
    let failed = |error: &dyn std::fmt::Display| {
        Error::failed(format!("the password cannot be hashed ({error}); try again"))
    };
    getrandom::fill(&mut salt).map_err(|error| failed(&error))?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| failed(&error))?;
    let hashed = Argon2::default().hash_password(password.as_bytes(), &salt);
    hashed.map(|hash| hash.to_string()).map_err(|error| failed(&error))
}

/// Whether it is the one; of a user who is not there it never is, and takes as long.
pub fn is(password: &str, hash: Option<&str>) -> bool {
    if password.len() > LONGEST {
        return false;
    }
    let Ok(kept) = PasswordHash::new(hash.unwrap_or(&NOBODYS)) else { return false };
    let is_it = Argon2::default().verify_password(password.as_bytes(), &kept).is_ok();
    is_it && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other_is() {
        let kept = hash("correct horse").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is("correct horse", Some(&kept)));
        for (password, hash) in [
            ("correct hors", Some(&*kept)),
            ("", Some(&*kept)),
            ("of nobody", None),
            ("correct horse", Some("no hash")),
        ] {
            assert!(!is(password, hash), "{password} {hash:?}");
        }
    }

    #[test]
    fn what_is_guessed_is_no_password() {
        assert!(accept("1234567").unwrap_err().message.contains("8 characters"));
        assert!(accept(&"x".repeat(1_025)).is_err());
        accept("12345678").unwrap();
    }
}
