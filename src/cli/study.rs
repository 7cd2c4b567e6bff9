//! What the verbs of many runs share: runs on connections that stay, and a document of their own
//! that goes to the page and to files of JSON.

use std::io;
use std::path::PathBuf;

use serde::Serialize;

use super::groups::LoadArgs;
use super::outputs::Format;
use super::{Outputs, print, terminal};
use crate::engine::{self, Session};
use crate::error::{Error, Result};
use crate::metrics::Summary;
use crate::monitor::{Sampler, Watched, sampler};
use crate::plan::Plan;
use crate::report::{PageOptions, json};
use crate::study::Runner;
use crate::units::quote;

/// Runs on connections that stay.
#[derive(Default)]
pub struct Runs {
    session: Option<Session>,
    watches: bool,
}

impl Runs {
    /// The server is watched beside them, where it runs here.
    pub fn watched() -> Runs {
        Runs { session: None, watches: true }
    }

    fn carry_out(
        &mut self,
        plan: &Plan,
        watch: &mut (dyn FnMut(engine::Progress) + Send),
    ) -> Result<Summary> {
        let session = match self.session.take() {
            Some(session) => session,
            None => Session::open(plan)?,
        };
        self.session.insert(session).run(plan, watch)
    }
}

impl Runner for Runs {
    fn run(&mut self, plan: &Plan) -> Result<Summary> {
        if !self.watches {
            return self.carry_out(plan, &mut |_| {});
        }
        let addresses = || engine::addresses(plan).unwrap_or_default();
        let Watched { probes, server, .. } = Watched::find(&plan.watch, addresses, None)?;
        let sampler = Sampler::start(probes, sampler::STEP)?;
        let summary = self.carry_out(plan, &mut |progress| {
            if let engine::Progress::Starting { at } = progress {
                sampler.begin_at(at);
            }
        });
        let gauges = sampler.end();
        let mut summary = summary?;
        summary.gauges = Some(gauges.since(summary.origin));
        summary.server = server;
        Ok(summary)
    }

    fn reconnect(&mut self) {
        self.session = None;
    }
}

/// Their documents have no place for it.
pub fn refuse_groups(verb: &str, load: &LoadArgs) -> Result<()> {
    match load.output.group_by {
        None => Ok(()),
        Some(_) => Err(Error::usage(format!(
            "--group-by: `blast {verb}` shows no groups; look at them in a run: `blast URL --group-by \
             header:NAME`"
        ))),
    }
}

/// JSON is what there is to be written.
pub fn files(verb: &str, files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let outputs = Outputs::to(files, None)?;
    let others = outputs.files.iter().filter(|file| Format::of(file) != Some(Format::Json));
    match others.chain(&outputs.tables).next() {
        None => Ok(outputs.files),
        Some(other) => Err(Error::usage(format!(
            "--output: {}: `blast {verb}` writes JSON; name a file that ends in `.json`",
            quote(&other.to_string_lossy())
        ))),
    }
}

/// To the files, and as JSON or as its page to stdout.
pub fn write<D: Serialize>(
    document: &D,
    page: fn(&D, &PageOptions) -> String,
    as_json: bool,
    files: &[PathBuf],
) -> Result<()> {
    for file in files {
        json::save(document, file)?;
    }
    if as_json {
        return json::write(document, &mut io::stdout().lock());
    }
    let (color, width) = (terminal::color(), terminal::width(&io::stdout()));
    let options = PageOptions { color, width, ..PageOptions::default() };
    print(&page(document, &options)).map(drop)
}
