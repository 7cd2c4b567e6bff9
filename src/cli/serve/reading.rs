//! What the panel shows of saved runs, and of a job before it starts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::{Parsed, doctor, parse, plan};
use crate::error::{Error, Result};
use crate::monitor::{Destination, Readings, State};
use crate::report::{
    Checkup, Document, chart, checkup, csv, hgrm, html, json, junit, markdown, ndjson,
};
use crate::serve::desk::Prepared;
use crate::serve::job::Job;
use crate::serve::page;
use crate::serve::reading::{Finding, Reading, Saved};
use crate::study::compare;

/// How long stolen time is looked for: somebody waits.
const GLANCE: Duration = Duration::from_millis(50);

pub struct OfSaved {
    #[expect(dead_code, reason = "the trend is read from it")]
    history: PathBuf,
}

impl OfSaved {
    pub fn new(history: PathBuf) -> OfSaved {
        OfSaved { history }
    }
}

impl Reading for OfSaved {
    fn view(&self, saved: &Saved, format: &str) -> Result<Vec<u8>> {
        if format == "json" {
            return Ok(saved.document.clone());
        }
        let document = read(saved)?;
        let table = |at: usize| csv::tables(&document)[at].clone();
        let text = match format {
            "html" => html::page(&document),
            "md" => markdown::text(&document),
            "svg" => chart::picture::svg(&document),
            "hgrm" => hgrm::lines(&document.latency.response).join("\n") + "\n",
            "xml" => junit::text(&document),
            "ndjson" => ndjson::text(&document),
            "csv-stats" => table(0),
            "csv-failures" => table(1),
            "csv-history" => table(2),
            "csv-exceptions" => table(3),
            _ => return Err(Error::usage(format!("this blast writes no {format}; take html"))),
        };
        Ok(text.into_bytes())
    }

    fn charts(&self, saved: &Saved) -> Result<String> {
        Ok(page::charts_of(&read(saved)?))
    }

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
        if as_page {
            return Ok(html::compare::page(&comparison).into_bytes());
        }
        let mut bytes = Vec::new();
        json::write(&comparison, &mut bytes)?;
        Ok(bytes)
    }

    fn trend(&self, _: i64) -> Result<Vec<u8>> {
        Err(Error::failed("this blast draws no trends; use a later one"))
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
