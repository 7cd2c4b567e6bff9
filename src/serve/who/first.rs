//! The way in while there is no user: a secret that is printed where the panel was started, good
//! for one session. Both are gone with the panel, and void once there is a user.

use super::secret::{self, Digest};
use super::{Person, Role, Seconds};
use crate::error::Result;

/// Who came in by it.
pub const NAME: &str = "local";

/// The session ends after so long, used or not.
const LONGEST_S: Seconds = 12 * 3_600;

#[derive(Debug, Default)]
pub struct First {
    invitation: Option<Digest>,
    session: Option<(Digest, Seconds)>,
}

impl First {
    /// The latest one is good.
    pub fn invite(&mut self) -> Result<String> {
        let invitation = secret::new("")?;
        self.invitation = Some(secret::digest(&invitation));
        Ok(invitation)
    }

    pub fn enter(&mut self, invitation: &str, now: Seconds) -> Result<Option<String>> {
        if self.invitation != Some(secret::digest(invitation)) {
            return Ok(None);
        }
        let session = secret::new("")?;
        self.invitation = None;
        self.session = Some((secret::digest(&session), now));
        Ok(Some(session))
    }

    pub fn is(&self, session: &Digest, now: Seconds) -> bool {
        self.session.is_some_and(|(digest, began)| digest == *session && now < began + LONGEST_S)
    }

    pub fn leave(&mut self, session: &Digest) {
        self.session = self.session.filter(|(digest, _)| digest != session);
    }
}

pub fn person() -> Person {
    Person { name: NAME.to_string(), role: Role::Admin }
}
