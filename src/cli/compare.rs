//! `blast compare A.json B.json ...`, `blast compare ID ID ...`: saved runs side by side, offline.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::stored::Stored;
use crate::error::{Error, Exit, Result};
use crate::report::comparison::Comparison;
use crate::report::views;
use crate::study::compare::{self, Rule, Saved, Target};
use crate::units::quote;

/// What `blast compare` takes.
#[derive(Clone, Debug, Args)]
pub struct CompareArgs {
    /// What `-o RUN.json` or `--json` of the runs wrote, or numbers of saved runs, where no file is
    /// called so; each is compared with the first
    #[arg(value_name = "RUN.json|ID", value_hint = ValueHint::FilePath)]
    pub documents: Vec<PathBuf>,

    /// The file of the history [default: BLAST_HISTORY, or blast/history.db in the user's folder of
    /// data]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub history: Option<PathBuf>,

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
    let files = views::COMPARE.accept(&args.files)?;
    let saved = args.documents.iter().map(|word| {
        let stored = Stored::find(word, args.history.as_deref())?;
        let file = word.to_string_lossy();
        // What is quoted is a file.
        let file =
            if stored.name.starts_with('`') { file.into_owned() } else { stored.name.clone() };
        Ok(Saved { file, document: stored.result()? })
    });
    let comparison = of(&saved.collect::<Result<Vec<Saved>>>()?, &args.fail_if, &args.targets)?;
    views::COMPARE.write(&comparison, args.json, &files)?;
    Ok(if comparison.has_failed() { Exit::Threshold } else { Exit::Done })
}

/// Saved results side by side.
pub fn of(saved: &[Saved], rules: &[Rule], targets: &[Target]) -> Result<Comparison> {
    compare::compare(saved, rules, targets).map_err(|file| {
        Error::usage(format!(
            "{} is a damaged result (its histogram cannot be read); name the file as `-o RUN.json` \
             wrote it",
            quote(&file)
        ))
    })
}
