//! What a message is compiled from: pieces of a body, and what placeholders may refer to.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::escape::Escape;
use crate::plan::data::Table;

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// With placeholders; their values are made fit for what surrounds them.
    Text(String, Escape),
    /// Sent as it is.
    Fixed(Bytes),
}

/// What placeholders may refer to.
pub struct Scope<'a> {
    pub tables: &'a [Arc<Table>],
    /// Names of captured values; their places are the indices.
    pub captures: &'a [String],
    /// Values of `{{var.NAME}}`, put in at once.
    pub vars: &'a BTreeMap<String, String>,
    /// `{{env NAME}}`, put in at once. What it gives is a secret.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// There are users: `{{user.id}}` has a meaning.
    pub has_users: bool,
    /// Each user keeps cookies, and sends them back.
    pub has_cookies: bool,
}
