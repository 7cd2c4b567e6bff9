//! The flags of what is read beside the load, from elsewhere: what was typed becomes what is read.

use clap::{Args, ValueHint};

use super::low::LoadArgs;
use crate::error::{Error, Result};
use crate::monitor::Elsewhere;
use crate::monitor::elsewhere::{Log, Sample, Scrape};
use crate::monitor::profile::Tool;
use crate::plan::Watch;
use crate::plan::threshold::Watched;

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Beside the load")]
pub struct ElsewhereArgs {
    /// A number that a command prints, once a second: 'db=psql -tAc "select ..."' (repeatable)
    #[arg(long = "sample", value_name = "NAME=COMMAND", value_parser = Sample::parse)]
    #[arg(hide_short_help = true)]
    pub samples: Vec<Sample>,

    /// A metric of a page for Prometheus, once a second: [NAME=]URL#metric{label="x"} (repeatable)
    #[arg(long = "scrape", value_name = "URL#METRIC", value_parser = Scrape::parse)]
    #[arg(hide_short_help = true)]
    pub scrapes: Vec<Scrape>,

    /// Count the lines that are written to a file, those that match, and keep the first ten
    #[arg(long, value_name = "FILE[:REGEX]", value_hint = ValueHint::FilePath)]
    #[arg(hide_short_help = true)]
    pub watch_log: Option<String>,

    /// Profile the watched server while it is measured: perf, py-spy, or a command that prints
    /// collapsed stacks, with {pid}, {seconds}, {out} in it [default: what this host has for it]
    #[arg(long, value_name = "TOOL", value_parser = Tool::parse)]
    pub profile: Option<Tool>,
}

/// Looks which part of `--watch-log` is a file that is there.
pub fn elsewhere(args: &ElsewhereArgs) -> Result<Elsewhere> {
    let in_flag = |error: Error| Error { message: format!("--watch-log: {error}"), ..error };
    let log = args.watch_log.as_deref().map(Log::parse).transpose().map_err(in_flag)?;
    Elsewhere::new(args.samples.clone(), args.scrapes.clone(), log)
}

/// What rules may be about.
pub fn watched(args: &LoadArgs) -> Watched<'_> {
    let (watch, elsewhere) = (&args.watch, &args.elsewhere);
    Watched {
        // Where nobody says who, it is whoever listens on the target's port, if that is here.
        server: watch.watch != Some(Watch::Off),
        pool: watch.watch_pool.is_some(),
        log: elsewhere.watch_log.is_some(),
        samples: elsewhere.samples.iter().map(|sample| &*sample.name).collect(),
        scrapes: elsewhere.scrapes.iter().map(|scrape| &*scrape.name).collect(),
    }
}
