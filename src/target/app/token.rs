//! Tokens that say who has logged in, without a list of those who have: the user's name and a
//! keyed hash of it. So a million logins take no memory.
//!
//! This guards a demonstration: the key is the process's own and lives as long as the target.

use std::hash::{BuildHasher, RandomState};

/// Longer names do not log in: their tokens go into heads.
const LONGEST: usize = 128;

/// The key of one target.
#[derive(Debug, Default)]
pub(super) struct Seal(RandomState);

impl Seal {
    /// Letters, digits and a dot alone, so that it fits any header, cookie or JSON. A user has one
    /// token.
    pub fn token(&self, user: &str) -> Option<String> {
        let is_fit = (1..=LONGEST).contains(&user.len());
        let hex: String = user.bytes().map(|byte| format!("{byte:02x}")).collect();
        is_fit.then(|| format!("{hex}.{:016x}", self.0.hash_one(user)))
    }

    /// The user who was given this token.
    pub fn user(&self, token: &str) -> Option<String> {
        let (hex, _) = token.split_once('.').filter(|(hex, _)| hex.len() <= 2 * LONGEST)?;
        let digits =
            |at: usize| hex.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(digits).collect();
        let user = String::from_utf8(bytes?).ok()?;
        (self.token(&user).as_deref() == Some(token)).then_some(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_its_users_and_no_one_elses() {
        let (seal, other) = (Seal::default(), Seal::default());
        for user in ["user-1", "é", "a.b", &"x".repeat(LONGEST)] {
            let token = seal.token(user).unwrap();
            assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'));
            assert_eq!(seal.user(&token).as_deref(), Some(user));
            assert_eq!(seal.token(user), Some(token.clone()), "the same each time");
            assert_eq!(other.user(&token), None, "another target's");
            for wrong in [&token[1..], &token[..token.len() - 1], &token.replace('.', "")] {
                assert_eq!(seal.user(wrong), None, "{wrong}");
            }
        }
        let (one, two) = (seal.token("one").unwrap(), seal.token("two").unwrap());
        let mixed =
            format!("{}.{}", one.split('.').next().unwrap(), two.split('.').nth(1).unwrap());
        for wrong in ["", ".", "0", "zz.0", "é.0", "+1.0", &mixed] {
            assert_eq!(seal.user(wrong), None, "{wrong}");
        }
        assert_eq!((seal.token(""), seal.token(&"x".repeat(LONGEST + 1))), (None, None));
    }
}
