//! `blast report RUN.json`, `blast report ID`: a saved document as any of the views, offline. Without
//! `-o` and `--csv`: the page.

use std::io;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};

use super::outputs::{Format, Outputs};
use super::stored::Stored;
use super::{print, run, study, terminal};
use crate::error::{Error, Exit, Result};
use crate::report::views::{self, Known};
use crate::report::{PageOptions, document, schema, staged};
use crate::units::quote;

/// What `blast report` takes.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// What `-o RUN.json` or `--json` of a run wrote, - is stdin; or the number of a saved run,
    /// where no file is called so
    #[arg(value_name = "RUN.json|ID", value_hint = ValueHint::FilePath)]
    #[arg(required_unless_present = "schema")]
    pub document: Option<PathBuf>,

    /// The file of the history [default: BLAST_HISTORY, or blast/history.db in the user's folder of
    /// data]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub history: Option<PathBuf>,

    /// Write the result to FILE.json, .hgrm, .xml (JUnit), .md, .ndjson or, for tables of
    /// CSV, DIR/ (repeatable)
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(alias = "html")]
    pub files: Vec<PathBuf>,

    /// Write tables as Locust does: PREFIX_stats.csv, _failures, _stats_history, _exceptions
    #[arg(long, value_name = "PREFIX", value_hint = ValueHint::FilePath)]
    pub csv: Option<PathBuf>,

    /// Show the full latency spectrum
    #[arg(short = 'L', long)]
    pub latency: bool,

    /// Show the first failures of each kind
    #[arg(short, long)]
    pub verbose: bool,

    /// Print the JSON schema of what `--json` writes: of a run (result), or of another verb
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(schema::names()))]
    #[arg(exclusive = true)]
    pub schema: Option<String>,
}

pub fn run(args: ReportArgs) -> Result<Exit> {
    if let Some(schema) = args.schema.as_deref().and_then(schema::named) {
        return print(schema);
    }
    let word = args.document.as_deref().unwrap_or(Path::new(""));
    let how = How::new(&args.files, args.csv.as_deref(), args.latency, args.verbose)?;
    show(&Stored::find(word, args.history.as_deref())?, &how)
}

/// As what a document is wanted.
pub struct How {
    outputs: Outputs,
    csv: bool,
    latency: bool,
    verbose: bool,
}

impl How {
    pub fn new(files: &[PathBuf], csv: Option<&Path>, latency: bool, verbose: bool) -> Result<How> {
        Ok(How { outputs: outputs(files, csv)?, csv: csv.is_some(), latency, verbose })
    }
}

/// Refuses a file that could not be written, before anything is read.
fn outputs(files: &[PathBuf], csv: Option<&Path>) -> Result<Outputs> {
    let outputs = Outputs::to(files, csv)?;
    if let Some(log) = outputs.of_format(Format::Hlog).next() {
        return Err(Error::usage(format!(
            "--output: {} is written while a run goes on, a document does not hold it; leave it \
             away",
            quote(&log.to_string_lossy())
        )));
    }
    Ok(outputs)
}

/// Any document of blast as its page, or as the files that were asked for.
pub fn show(stored: &Stored, how: &How) -> Result<Exit> {
    let outputs = &how.outputs;
    if stored.schema == document::SCHEMA_NAME && !outputs.is_empty() {
        let document = stored.result()?;
        let streams = outputs.of_format(Format::Ndjson);
        let streams = streams.map(|path| views::RESULT.save_one(&document, path));
        let saved = outputs.save(&document).into_iter().chain(streams);
        return saved.fold(Ok(()), run::keep_first).map(|()| Exit::Done);
    }
    let Some(views) = views::of_schema(&stored.schema) else { return Err(stored.is_no_result()) };
    refuse_what_it_has_not(stored, views, how)?;
    if outputs.is_empty() {
        let options = PageOptions {
            spectrum: how.latency,
            verbose: how.verbose,
            color: terminal::color(),
            width: terminal::width(&io::stdout()),
        };
        return print(&stored.check(views.page(&stored.text, &options))?);
    }
    let save = |file: &PathBuf| {
        let format = Format::of(file).unwrap_or(Format::Json);
        staged::save(file, &stored.check(views.bytes(&stored.text, format))?)
    };
    outputs.files.iter().map(save).fold(Ok(()), run::keep_first).map(|()| Exit::Done)
}

/// Files that this document has no view for.
fn refuse_what_it_has_not(stored: &Stored, views: &dyn Known, how: &How) -> Result<()> {
    let has_tables = stored.schema == document::SCHEMA_NAME;
    if how.csv && !has_tables {
        return Err(Error::usage(format!(
            "--csv: {} is of `blast {}`, which has no such tables; leave it away",
            stored.name,
            views.verb()
        )));
    }
    let formats = views.formats();
    let is_other = |file: &&PathBuf| Format::of(file).is_none_or(|of| !formats.contains(&of));
    let others = how.outputs.files.iter().filter(is_other);
    let tables = how.outputs.tables.iter().filter(|_| !has_tables);
    match others.chain(tables).next() {
        None => Ok(()),
        Some(file) => Err(study::no_such_view(file, views.verb(), &formats)),
    }
}
