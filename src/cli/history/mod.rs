//! `blast history`: the runs that were saved.
//!
//! ```text
//! place  where the history is
//! trend  the figures of one plan, run after run
//! ```

mod place;
pub mod trend;

use clap::{Args, Subcommand};

use crate::error::{Exit, Result};

pub use place::place;

#[derive(Clone, Debug, Args)]
pub struct HistoryArgs {
    #[command(subcommand)]
    pub verb: HistoryVerb,
}

#[derive(Clone, Debug, Subcommand)]
pub enum HistoryVerb {
    /// Show how the figures of one plan went, run after run, and when they changed
    Trend(trend::TrendArgs),
}

pub fn run(args: HistoryArgs) -> Result<Exit> {
    match args.verb {
        HistoryVerb::Trend(args) => trend::run(&args),
    }
}
