//! What the panel says of several saved runs, and of a job before it starts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::history::trend::{self, Which};
use crate::cli::{Parsed, doctor, parse, plan};
use crate::error::{Error, Result};
use crate::history::History;
use crate::monitor::{Destination, Readings, State};
use crate::report::{Checkup, Document, checkup, html, json};
use crate::serve::desk::Prepared;
use crate::serve::job::Job;
use crate::serve::reading::{Finding, Reading, Saved};
use crate::study::compare;

/// How long stolen time is looked for: somebody waits.
const GLANCE: Duration = Duration::from_millis(50);

pub struct OfSaved {
    history: PathBuf,
}

impl OfSaved {
    pub fn new(history: PathBuf) -> OfSaved {
        OfSaved { history }
    }
}

impl Reading for OfSaved {
    fn compare(&self, saved: &[Saved], as_page: bool) -> Result<Vec<u8>> {
        let named = |saved: &Saved| {
            let file = format!("{} {}", saved.id, saved.label).trim_end().to_string();
            Ok(compare::Saved { file, document: read(saved)? })
        };
        let saved = saved.iter().map(named).collect::<Result<Vec<_>>>()?;
        let comparison = compare::compare(&saved, &[], &[]).map_err(|name| {
            Error::failed(format!(
                "run {name} is damaged (its histogram cannot be read); delete it"
            ))
        })?;
        match as_page {
            true => Ok(html::compare::page(&comparison).into_bytes()),
            false => json::bytes(&comparison),
        }
    }

    fn trend(&self, id: i64, as_page: bool) -> Result<Vec<u8>> {
        let mut history = History::there(&self.history)?;
        let trend = trend::document(&mut history, &Which::Run(id))?;
        match as_page {
            true => Ok(html::trend::page(&trend).into_bytes()),
            false => json::bytes(&trend),
        }
    }

    /// Nothing is looked up and nobody is connected to: the run does that.
    fn doctor(&self, _: &Job, prepared: &Prepared) -> Result<Vec<Finding>> {
        let words = std::iter::once("blast").chain(prepared.words.iter().map(String::as_str));
        let words: Vec<OsString> = words.map(OsString::from).collect();
        let Parsed::Cli(cli) = parse(&words)? else { return Ok(Vec::new()) };
        if cli.verb.is_some() {
            return Ok(Vec::new());
        }
        let needs = doctor::needs(&plan(&cli.load)?);
        let checkup = Checkup::new(None, &Readings::take(GLANCE), &Destination::None, &needs);
        let rows = checkup.rows.into_iter().filter(|row| row.state != State::Ok);
        Ok(rows.map(finding).collect())
    }
}

fn finding(row: checkup::Finding) -> Finding {
    let checkup::Finding { id, state, here, needs, advice, .. } = row;
    let state = if state == State::Stop { "stop" } else { "warn" };
    Finding { id: id.to_string(), state: state.to_string(), here, needs, advice }
}

fn read(saved: &Saved) -> Result<Document> {
    serde_json::from_slice(&saved.document).map_err(|error| {
        Error::failed(format!("run {} has a damaged report ({error}); delete the run", saved.id))
    })
}
