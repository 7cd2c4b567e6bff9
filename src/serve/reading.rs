//! What is made of several saved runs, and of a job before it starts: the panel shows it, the command
//! line knows how.

use serde::Serialize;
use utoipa::ToSchema;

use super::desk::Prepared;
use super::job::Job;
use crate::error::Result;

/// A saved run, for views of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub id: i64,
    pub label: String,
    pub document: Vec<u8>,
}

/// A row of `blast doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    pub id: String,
    /// `ok`, `warn` or `stop`.
    pub state: String,
    pub here: String,
    pub needs: String,
    pub advice: Option<String>,
}

/// Implemented by the command line, which alone reaches studies and the engine.
pub trait Reading: Send + Sync + 'static {
    /// Two or more side by side: the document, or its page.
    fn compare(&self, saved: &[Saved], as_page: bool) -> Result<Vec<u8>>;

    /// How the figures of this run's plan went over time: the document, or its page.
    fn trend(&self, id: i64, as_page: bool) -> Result<Vec<u8>>;

    /// What this host has for the job: the rows that do not say ok.
    fn doctor(&self, job: &Job, prepared: &Prepared) -> Result<Vec<Finding>>;
}
