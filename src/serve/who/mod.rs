//! Who asks, and what they may: users with passwords, tokens of programs, sessions of browsers.
//!
//! What is kept of a secret is only what it is known again by. Each request asks the file anew, so
//! that who was removed is out at once, by whichever process.
//!
//! ```text
//! store     users, tokens and sessions, in a file
//! password  as argon2id makes them
//! secret    what is handed out once
//! throttle  how fast somebody may guess
//! first     the way in while there is no user yet
//! ```

mod first;
pub mod password;
pub mod secret;
mod store;
mod throttle;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::refusal::Refusal;
use crate::error::{Error, Result};
use crate::units::quote;
use first::First;
pub use store::{Entry, Seconds, Store};
use throttle::Throttle;

/// What a browser's session is known by.
pub const COOKIE: &str = "blast_session";

/// Hashes at once: each takes 19 MiB.
const HASHES: usize = 2;

/// Whoever knows a name keeps its owner out no longer than this,
const LONGEST_OF_A_NAME: Duration = Duration::from_secs(60);

/// and no address is kept out for longer than this.
const LONGEST_OF_AN_ADDRESS: Duration = Duration::from_secs(15 * 60);

/// What somebody may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See everything.
    Viewer,
    /// Start, stop, edit and delete too.
    Admin,
}

impl Role {
    pub const ALL: [Role; 2] = [Role::Viewer, Role::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Admin => "admin",
        }
    }

    pub fn of(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    /// A user's, `token NAME`, or `local` while there is no user.
    pub name: String,
    pub role: Role,
}

/// The users' file of a history: beside it.
pub fn file_of(history: &Path) -> PathBuf {
    history.with_file_name("serve.db")
}

/// What may be a user's or a token's name, in one sentence where it may not.
pub fn accept_name(name: &str) -> Result<()> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
    match name {
        first::NAME => Err(Error::usage(format!(
            "`{name}` is who comes in while there is no user; choose another name"
        ))),
        _ if (1..=64).contains(&name.len()) && name.chars().all(is_fine) => Ok(()),
        _ => Err(Error::usage(format!(
            "{} is no name; write 1 to 64 letters, digits or any of `. _ - @`",
            quote(name)
        ))),
    }
}

/// Now, as the file has it.
pub fn now() -> Seconds {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_secs() as Seconds
}

/// All who may come in.
pub struct Who {
    store: Mutex<Store>,
    first: Mutex<First>,
    names: Mutex<Throttle<String>>,
    addresses: Mutex<Throttle<IpAddr>>,
    hashing: Semaphore,
}

/// Why somebody is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turned {
    Away(Refusal),
    /// After so many seconds.
    Later(u64),
}

impl From<Refusal> for Turned {
    fn from(refusal: Refusal) -> Turned {
        Turned::Away(refusal)
    }
}

impl Who {
    pub fn new(store: Store) -> Who {
        Who {
            store: Mutex::new(store),
            first: Mutex::default(),
            names: Mutex::new(Throttle::new(LONGEST_OF_A_NAME)),
            addresses: Mutex::new(Throttle::new(LONGEST_OF_AN_ADDRESS)),
            hashing: Semaphore::new(HASHES),
        }
    }

    /// A secret that lets one in as an admin, once; `None` where there are users.
    pub fn invite(&self) -> Result<Option<String>> {
        match held(&self.store).has_users()? {
            true => Ok(None),
            false => held(&self.first).invite().map(Some),
        }
    }

    /// The session that an invitation is good for, once.
    pub fn enter(&self, invitation: &str) -> Result<Option<String>> {
        match held(&self.store).has_users()? {
            true => Ok(None),
            false => held(&self.first).enter(invitation, now()),
        }
    }

    /// The session that a name and its password are good for.
    pub async fn login(
        &self,
        name: &str,
        password: &str,
        from: IpAddr,
    ) -> std::result::Result<String, Turned> {
        self.note_attempt(name, from)?;
        let failed = |error: Error| Turned::Away(error.into());
        let kept = held(&self.store).password(name).map_err(failed)?;
        let password = password.to_string();
        // It is never closed.
        let _turn = self.hashing.acquire().await;
        let checked = tokio::task::spawn_blocking(move || password::is(&password, kept.as_deref()));
        if !checked.await.unwrap_or(false) {
            return Err(wrong().into());
        }
        held(&self.names).forgive(&name.to_string());
        held(&self.addresses).forgive(&network(from));
        let session = secret::new("").map_err(failed)?;
        let begun = held(&self.store).begin_session(&secret::digest(&session), name, now());
        // Who was removed meanwhile has no row to belong to.
        begun.map_err(|_| Turned::Away(wrong()))?;
        Ok(session)
    }

    fn note_attempt(&self, name: &str, from: IpAddr) -> std::result::Result<(), Turned> {
        let (name, from, now) = (name.to_string(), network(from), Instant::now());
        let (mut names, mut addresses) = (held(&self.names), held(&self.addresses));
        let wait = names.wait(&name, now).max(addresses.wait(&from, now));
        if wait > Duration::ZERO {
            return Err(Turned::Later(wait.as_secs_f64().ceil() as u64));
        }
        names.note(&name, now);
        addresses.note(&from, now);
        Ok(())
    }

    pub fn of_session(&self, session: &str) -> Result<Option<Person>> {
        let digest = secret::digest(session);
        let mut store = held(&self.store);
        if let Some(person) = store.of_session(&digest, now())? {
            return Ok(Some(person));
        }
        let is_first = held(&self.first).is(&digest, now());
        Ok((is_first && !store.has_users()?).then(first::person))
    }

    pub fn of_token(&self, token: &str) -> Result<Option<Person>> {
        held(&self.store).of_token(&secret::digest(token), now())
    }

    pub fn logout(&self, session: &str) -> Result<()> {
        let digest = secret::digest(session);
        held(&self.first).leave(&digest);
        held(&self.store).end_session(&digest)
    }
}

/// Not which of the two: that would tell who is a user.
fn wrong() -> Refusal {
    let hint = "check both; an admin sets a new one with `blast serve user passwd NAME`";
    Refusal {
        hint: Some(hint.to_string()),
        ..Refusal::new(401, "wrong_login", "the name or the password is wrong")
    }
}

/// Who has one address of IPv6 has a network of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            [a, b, c, d, 0, 0, 0, 0].into()
        }
    }
}

/// Nobody leaves it half done.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// In a folder that goes with the test.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            Place(std::env::temp_dir().join(format!("blast-who-{}-{name}", std::process::id())))
        }

        fn store(&self) -> Store {
            Store::open(&self.0.join("serve.db")).unwrap()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn ada(store: &mut Store) {
        let ada = Person { name: "ada".to_string(), role: Role::Admin };
        let hash = password::hash("correct horse").unwrap();
        assert!(store.add_user(&ada, &hash, now()).unwrap());
    }

    #[test]
    fn an_invitation_is_good_once_and_void_once_there_is_a_user() {
        let place = Place::new("first");
        let who = Who::new(place.store());
        let invitation = who.invite().unwrap().unwrap();
        assert_eq!(who.enter("another").unwrap(), None);
        let session = who.enter(&invitation).unwrap().unwrap();
        assert_eq!(who.enter(&invitation).unwrap(), None);
        let local = who.of_session(&session).unwrap().unwrap();
        assert_eq!((&*local.name, local.role), ("local", Role::Admin));
        // By another process, in life.
        ada(&mut place.store());
        assert_eq!(who.of_session(&session).unwrap(), None);
        assert_eq!(who.invite().unwrap(), None);
    }

    #[tokio::test]
    async fn who_guesses_waits_whether_there_is_such_a_user_or_not() {
        let place = Place::new("guess");
        ada(&mut place.store());
        let who = Who::new(place.store());
        let from = |last| IpAddr::from(Ipv4Addr::new(10, 0, 0, last));
        let session = who.login("ada", "correct horse", from(1)).await.unwrap();
        assert_eq!(who.of_session(&session).unwrap().unwrap().name, "ada");
        for (name, password) in [("ada", "wrong horse"), ("eve", "correct horse")] {
            for attempt in 0..5 {
                // Each from another address.
                let turned = who.login(name, password, from(10 + attempt)).await.unwrap_err();
                assert_eq!(turned, Turned::Away(wrong()), "{attempt}");
            }
            let turned = who.login(name, "correct horse", from(20)).await.unwrap_err();
            assert!(matches!(turned, Turned::Later(1)), "{turned:?}");
        }
        // One address, many names.
        for name in ["a", "b", "c", "d", "e"] {
            who.login(name, "x", from(30)).await.unwrap_err();
        }
        let turned = who.login("f", "x", from(30)).await.unwrap_err();
        assert!(matches!(turned, Turned::Later(_)), "{turned:?}");
        who.logout(&session).unwrap();
        assert_eq!(who.of_session(&session).unwrap(), None);
    }

    #[test]
    fn names_are_such_that_they_can_be_typed() {
        for name in ["ada", "a.b@c", "x_1"] {
            accept_name(name).unwrap();
        }
        for name in ["", "local", "a b", "é", "<b>", &"x".repeat(65)] {
            assert!(accept_name(name).is_err(), "{name}");
        }
    }
}
