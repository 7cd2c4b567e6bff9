//! `blast compare A.json B.json ...`: saved runs side by side, offline.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::outputs::Format;
use super::report::read;
use super::study::Views;
use crate::error::{Error, Exit, Result};
use crate::report::comparison::Comparison;
use crate::report::{console, html, markdown};
use crate::study::compare::{self, Rule, Saved, Target};
use crate::units::quote;

pub const VIEWS: Views<Comparison> = Views {
    verb: "compare",
    page: console::compare::page,
    files: &[(Format::Html, html::compare::page), (Format::Markdown, markdown::compare::text)],
};

/// What `blast compare` takes.
#[derive(Clone, Debug, Args)]
pub struct CompareArgs {
    /// What `-o RUN.json` or `--json` of the runs wrote; each is compared with the first
    #[arg(value_name = "RUN.json", value_hint = ValueHint::FilePath)]
    pub documents: Vec<PathBuf>,

    /// Exit with 3 when a change is beyond this and significant: p99>+5%, good_per_s<-3%
    /// (repeatable)
    #[arg(long, value_name = "CHANGE", value_parser = Rule::parse, allow_hyphen_values = true)]
    pub fail_if: Vec<Rule>,

    /// Show what was before, what is after, and whether this is reached: p95=150ms (repeatable)
    #[arg(long = "target", value_name = "VALUE", value_parser = Target::parse)]
    pub targets: Vec<Target>,

    /// Print the comparison as JSON, nothing else on stdout
    #[arg(long, short = 'j')]
    pub json: bool,

    /// Write the comparison to FILE.json, .html or .md (repeatable)
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
}

pub fn run(args: &CompareArgs) -> Result<Exit> {
    if args.documents.len() < 2 {
        return Err(Error::usage(
            "`blast compare` takes two results or more; name what `-o RUN.json` of the runs wrote",
        ));
    }
    let files = VIEWS.accept(&args.files)?;
    let saved = args
        .documents
        .iter()
        .map(|path| Ok(Saved { file: path.to_string_lossy().into_owned(), document: read(path)? }));
    let saved = saved.collect::<Result<Vec<Saved>>>()?;
    let comparison = compare::compare(&saved, &args.fail_if, &args.targets).map_err(|file| {
        Error::usage(format!(
            "{} is a damaged result (its histogram cannot be read); name the file as `-o RUN.json` \
             wrote it",
            quote(&file)
        ))
    })?;
    VIEWS.write(&comparison, args.json, &files)?;
    Ok(if comparison.has_failed() { Exit::Threshold } else { Exit::Done })
}
