//! `blast suite FILE`: runs in order against one server, with one report and one exit code.
//!
//! ```text
//! words     what each run is: the file's keys as words of the command line
//! hands     carries it out: starts, waits, runs, stops (the order is `study::suite`'s)
//! server    the commands around the runs      ready    whether the server answers, and if not, why
//! readings  what is read from the first run to the last
//! folder    where it all goes
//! ```

mod folder;
mod hands;
mod readings;
mod ready;
mod server;
mod words;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::{Args, ValueHint};

use super::save::{self, Recorder, SaveArgs};
use super::source::{Source, Sources};
use super::{print, run_plan, terminal};
use crate::engine::stop;
use crate::error::{Error, Exit, Result};
use crate::plan::suite::{self, Suite, Written};
use crate::report::suite::SuiteDocument;
use crate::report::{PageOptions, console, json};
use crate::study::suite::{Course, Told, carry_out, document};
use crate::time;
use crate::units::format_duration;
use folder::Folder;
use hands::Crew;
use words::{Meant, Wishes, Work};

/// What `blast suite` takes.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct SuiteArgs {
    /// The suite file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "schema")]
    pub file: Option<String>,

    /// Read the suite and its plans, print what would be run, and send nothing
    #[arg(long, help_heading = "Suite")]
    pub check: bool,

    /// That a target which a plan protects is meant
    #[arg(long, value_name = "NAME", help_heading = "Suite")]
    pub yes: Option<String>,

    /// Print the JSON schema of suite files
    #[arg(long, help_heading = "Suite")]
    pub schema: bool,

    /// The folder of the report [default: blast-suite-DATE]
    #[arg(short = 'o', long = "output", value_name = "DIR", value_hint = ValueHint::DirPath)]
    #[arg(help_heading = "Output")]
    pub output: Option<PathBuf>,

    /// Pictures as SVG, which takes less time than PNG
    #[arg(long, help_heading = "Output")]
    pub svg: bool,

    /// Print the result as JSON, and nothing else, on stdout
    #[arg(long, short_alias = 'j', help_heading = "Output")]
    pub json: bool,

    /// Nothing on stderr while it goes on
    #[arg(long, help_heading = "Output")]
    pub quiet: bool,

    #[command(flatten)]
    pub save: SaveArgs,
}

pub fn run(args: &SuiteArgs) -> Result<Exit> {
    if args.schema {
        return print(suite::SCHEMA);
    }
    let name = args.file.as_deref().unwrap_or_default();
    let written = Written::read(name, text(name)?)?;
    let suite = Suite::of(&written)?;
    let parent = Path::new(name).parent().unwrap_or(Path::new("")).to_path_buf();
    let wishes = Wishes { is_check: args.check, quiet: args.quiet, yes: args.yes.clone() };
    if !args.check {
        words::make_log(&written, &parent)?;
    }
    let meant = words::mean(&written, &suite, &parent, &wishes)?;
    if args.check {
        return print(&check_text(&written, &suite, &meant));
    }
    let saving = args.save.saving()?;
    let (started_at, began) = (SystemTime::now(), time::now());
    let folder = Folder::create(args.output.as_deref(), started_at, &suite, args.svg)?;
    stop::install();
    let target = meant.ready.url.shown.clone();
    let mut recorder =
        Recorder::begin(saving.as_ref(), || save::begun_without_plan("suite", name, &target))?;
    let mut crew = Crew::new(&written, &suite, &meant, &parent, &folder, args.quiet);
    let course = carry_out(&suite, &mut crew);
    let readings = crew.readings.end(began, started_at);
    let told = Told {
        file: name,
        started_at,
        began,
        took: time::now() - began,
        files: folder.files(readings.is_some()),
    };
    let document = document(&suite, &course, told);
    let saved = folder.save(&document, readings);
    recorder.end_study(&document, save::of_suite, course.exit);
    show(&document, args)?;
    exit(&course, saved, &folder, args.quiet)
}

fn text(name: &str) -> Result<String> {
    let read = Sources::default().text("suite", &Source::File(name.to_string()));
    read.map_err(|error| {
        let message = error.message.strip_prefix("suite: ").unwrap_or(&error.message);
        Error::usage(message)
    })
}

fn show(document: &SuiteDocument, args: &SuiteArgs) -> Result<()> {
    if args.json {
        return json::write(document, &mut io::stdout().lock());
    }
    let (color, width) = (terminal::color(), terminal::width(&io::stdout()));
    let options = PageOptions { color, width, ..PageOptions::default() };
    print(&console::suite::page(document, &options)).map(drop)
}

/// What could not be written is worse than whatever was measured, and no worse than Ctrl-C.
fn exit(course: &Course, saved: Result<()>, folder: &Folder, quiet: bool) -> Result<Exit> {
    if let Err(error) = saved {
        let is_cut = matches!(course.exit, Exit::Interrupted | Exit::Terminated);
        return Err(if is_cut { Error { exit: course.exit, ..error } } else { error });
    }
    if !quiet {
        hands::tell(&format!("the report is {}", folder.report().display()));
    }
    Ok(course.exit)
}

/// What would be run, for a person to look over.
fn check_text(written: &Written, suite: &Suite, meant: &Meant) -> String {
    let mut lines = vec![format!("{} is a valid suite", written.name), String::new()];
    if suite.has_matrix() {
        let settings: Vec<String> = suite.settings.iter().map(|one| one.shown()).collect();
        lines.push(format!("for each of   {}", settings.join(", ")));
    }
    let within = format_duration(suite.ready_within);
    lines.push(format!("ready         {} answers within {within}", meant.ready.url.shown));
    for (turn, work) in suite.turns.iter().zip(&meant.work) {
        let what = match work {
            Work::Load(load) => {
                let rules: Vec<&str> =
                    load.plan.thresholds.iter().map(|rule| &*rule.expr).collect();
                let rules = if rules.is_empty() { String::new() } else { rules.join(", ") };
                let totals = run_plan::guard::totals(&load.plan);
                format!("{} {totals}; {rules}", load.plan.url.shown)
            }
            Work::Ceiling(args) => {
                let url = args.load.words.first().map_or("", |word| word);
                format!("the ceiling of {}", crate::plan::url::masked(url))
            }
        };
        let required = if turn.required { " (required)" } else { "" };
        lines.push(format!("{:<12}  {}{required}", turn.name, what.trim_end_matches("; ")));
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}
