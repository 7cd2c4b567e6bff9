//! What is made of saved runs, and of a job before it starts: the panel shows it, the command line
//! knows how.

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
    /// A document as one of [`FORMATS`].
    fn view(&self, saved: &Saved, format: &str) -> Result<Vec<u8>>;

    /// The charts of a document, as HTML for a page of the panel.
    fn charts(&self, saved: &Saved) -> Result<String>;

    /// Two or more side by side: the document, or its page.
    fn compare(&self, saved: &[Saved], as_page: bool) -> Result<Vec<u8>>;

    /// How the figures of this run's plan went over time, as a document.
    fn trend(&self, id: i64) -> Result<Vec<u8>>;

    /// What this host has for the job: the rows that do not say ok.
    fn doctor(&self, job: &Job, prepared: &Prepared) -> Result<Vec<Finding>>;
}

/// A form that a document is given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    pub name: &'static str,
    pub mime: &'static str,
    /// What its file is called behind the run's number.
    pub ending: &'static str,
}

pub const FORMATS: [Format; 12] = [
    form("html", "text/html; charset=utf-8", ".html"),
    form("json", "application/json", ".json"),
    form("md", "text/markdown; charset=utf-8", ".md"),
    form("png", "image/png", ".png"),
    form("svg", "image/svg+xml", ".svg"),
    form("hgrm", "text/plain; charset=utf-8", ".hgrm"),
    form("xml", "application/xml", ".xml"),
    form("ndjson", "application/x-ndjson", ".ndjson"),
    form("csv-stats", "text/csv; charset=utf-8", "_stats.csv"),
    form("csv-failures", "text/csv; charset=utf-8", "_failures.csv"),
    form("csv-history", "text/csv; charset=utf-8", "_stats_history.csv"),
    form("csv-exceptions", "text/csv; charset=utf-8", "_exceptions.csv"),
];

const fn form(name: &'static str, mime: &'static str, ending: &'static str) -> Format {
    Format { name, mime, ending }
}
