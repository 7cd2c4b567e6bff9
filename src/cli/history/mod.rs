//! `blast history`: the runs that were saved. Without a verb it lists them.
//!
//! ```text
//! filter    which runs are meant
//! list      a line a run, as wide as the terminal
//! show      one run: its document in any view, or what arrived of it
//! trend     the figures of one plan, run after run
//! tidy      labels, notes, baselines; what is taken out
//! exchange  to and from another history
//! ```

mod exchange;
mod filter;
mod list;
mod show;
mod tidy;
pub mod trend;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::save;
use crate::error::{Exit, Result};
use crate::history::History;
use crate::units::format_exact;
use exchange::{ExportArgs, ImportArgs};
use list::ListArgs;
use show::ShowArgs;
use tidy::{BaselineArgs, DeleteArgs, PruneArgs, TextArgs};

/// What `blast history` takes.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(subcommand_help_heading = "Verbs")]
pub struct HistoryArgs {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    #[command(flatten)]
    pub list: ListArgs,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Show a run again, or write it to files
    #[command(override_usage = "blast history show [FLAGS] ID")]
    Show(ShowArgs),
    /// Take runs out, with all that is kept of them
    #[command(override_usage = "blast history delete [FLAGS] ID...")]
    Delete(DeleteArgs),
    /// Take out what is old; baselines stay
    #[command(override_usage = "blast history prune [FLAGS] --keep N|--older-than T")]
    Prune(PruneArgs),
    /// Write runs as lines of JSON, for another history
    #[command(override_usage = "blast history export [FLAGS] [FILE]")]
    Export(ExportArgs),
    /// Take in what `export` wrote; runs that are there already stay as they are
    #[command(override_usage = "blast history import [FLAGS] FILE")]
    Import(ImportArgs),
    /// Judge later runs of this one's plan by it
    #[command(override_usage = "blast history baseline [FLAGS] ID")]
    Baseline(BaselineArgs),
    /// Give a run another label
    #[command(override_usage = "blast history label [FLAGS] ID TEXT")]
    Label(TextArgs),
    /// Write something beside a run
    #[command(override_usage = "blast history note [FLAGS] ID TEXT")]
    Note(TextArgs),
    /// Show how the figures of one plan went, run after run, and when they changed
    #[command(override_usage = "blast history trend [FLAGS]")]
    Trend(trend::TrendArgs),
}

/// Which history.
#[derive(Clone, Debug, Default, Args)]
pub struct PlaceArgs {
    /// The file of the history [default: BLAST_HISTORY, or blast/history.db in the user's folder of
    /// data]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub history: Option<PathBuf>,
}

impl PlaceArgs {
    /// It has to be there.
    fn open(&self) -> Result<History> {
        History::there(&save::place(self.history.as_deref())?)
    }

    /// It is made where it is not.
    fn create(&self) -> Result<History> {
        History::open(&save::place(self.history.as_deref())?)
    }
}

/// So many, in words.
fn runs(count: u64) -> String {
    match count {
        1 => "1 run".to_string(),
        count => format!("{} runs", format_exact(count)),
    }
}

pub fn run(args: HistoryArgs) -> Result<Exit> {
    match args.verb {
        None => list::run(&args.list),
        Some(Verb::Show(args)) => show::run(&args),
        Some(Verb::Delete(args)) => tidy::delete(&args),
        Some(Verb::Prune(args)) => tidy::prune(&args),
        Some(Verb::Export(args)) => exchange::export(&args),
        Some(Verb::Import(args)) => exchange::import(&args),
        Some(Verb::Baseline(args)) => tidy::baseline(&args),
        Some(Verb::Label(args)) => tidy::label(&args),
        Some(Verb::Note(args)) => tidy::note(&args),
        Some(Verb::Trend(args)) => trend::run(&args),
    }
}
