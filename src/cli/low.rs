//! Flags, first step: what was typed, by verb; the groups of a load's are in `groups`. Each field is
//! one flag, with its value read but not yet judged beside the others (`high`).
//!
//! The long names of other tools are hidden aliases: they work, and `--help` stays short. Flags
//! that few need carry `hide_short_help`: `-h` leaves them out.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use super::ab::AbArgs;
use super::calibrate::CalibrateArgs;
use super::ceiling::CeilingArgs;
use super::compare::CompareArgs;
use super::groups::{EngineArgs, PageArgs, RuleArgs, SizeArgs};
#[cfg(feature = "history")]
use super::history::HistoryArgs;
use super::import::ImportArgs;
use super::monitor::MonitorArgs;
use super::profile::ProfileArgs;
use super::report::ReportArgs;
#[cfg(feature = "serve")]
use super::serve::ServeArgs;
use super::soak::SoakArgs;
use super::suite::SuiteArgs;
use super::target::TargetArgs;
use super::values;
use super::versus::VersusArgs;

pub use super::groups::LoadArgs;

/// The whole command line: `blast [FLAGS] URL`, or a verb.
#[derive(Debug, Parser)]
#[command(
    name = "blast",
    version,
    about = "blast: HTTP load at an exact rate, latencies that hide nothing, the limit named",
    override_usage = "blast [FLAGS] URL\n       blast VERB [FLAGS]",
    args_conflicts_with_subcommands = true,
    args_override_self = true,
    disable_help_subcommand = true,
    subcommand_help_heading = "Verbs",
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    #[command(flatten)]
    pub load: LoadArgs,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Carry out a plan file: mixes, data, logins, sessions, checks
    #[command(override_usage = "blast run [FLAGS] PLAN [URL]")]
    Run(Box<RunArgs>),
    /// Start the built-in server, to try things on
    Target(TargetArgs),
    /// Load the built-in server for a moment and show the page
    Demo(DemoArgs),
    /// Find the highest rate, or number of users, that meets the thresholds
    #[command(
        override_usage = "blast ceiling [FLAGS] URL\n       blast ceiling [FLAGS] PLAN [URL]"
    )]
    Ceiling(Box<CeilingArgs>),
    /// Run for hours, and say what leaks or gets slower
    #[command(
        override_usage = "blast soak [FLAGS] --duration T URL\n       blast soak [FLAGS] PLAN.toml [URL]"
    )]
    Soak(Box<SoakArgs>),
    /// Compare saved results: what changed, and whether it is more than chance
    #[command(override_usage = "blast compare [FLAGS] A.json|ID B.json|ID [C.json|ID ...]")]
    Compare(CompareArgs),
    /// Measure two servers in turns, and say which is faster and how sure that is
    #[command(override_usage = "blast ab [FLAGS] URL1 URL2")]
    Ab(Box<AbArgs>),
    /// Measure what blast itself can send from a core of this host, for reports to tell the head-room
    #[command(override_usage = "blast calibrate [FLAGS] [URL|PLAN]")]
    Calibrate(Box<CalibrateArgs>),
    /// Run the same load with wrk, k6, hey and others beside blast: rates, times, cost of each
    #[command(override_usage = "blast versus [FLAGS] [URL]")]
    Versus(VersusArgs),
    /// Carry out several runs in order, with one report and one exit code
    #[command(override_usage = "blast suite [FLAGS] FILE")]
    Suite(SuiteArgs),
    /// Check what this host has for a run, and what the run would need
    #[command(override_usage = "blast doctor [FLAGS] [URL]")]
    Doctor(Box<LoadArgs>),
    /// Turn a HAR, vegeta targets, URLs, a Postman collection or OpenAPI into a plan
    Import(ImportArgs),
    /// Turn a saved result into the page, or into other files
    Report(ReportArgs),
    /// List the runs that were saved, show one again, and keep the list tidy
    #[cfg(feature = "history")]
    #[command(override_usage = "blast history [FLAGS]\n       blast history VERB [FLAGS]")]
    History(Box<HistoryArgs>),
    /// Look at this host, and a server on it, without a load
    Monitor(MonitorArgs),
    /// Show where a program spent its time: collapsed stacks, or a file of Python's cProfile
    Profile(ProfileArgs),
    /// Start the panel: tests by a button, watched live and kept
    #[cfg(feature = "serve")]
    #[command(override_usage = "blast serve [FLAGS]", after_help = super::serve::HELP)]
    Serve(Box<ServeArgs>),
    /// Print completions for a shell: bash, zsh or fish
    Completions(CompletionsArgs),
    /// Print the manual page: `blast man | man -l -`
    Man,
}

/// What `blast run` takes: the first word is the plan.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub file: PlanArgs,
    #[command(flatten)]
    pub load: LoadArgs,
}

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Plan")]
pub struct PlanArgs {
    /// Read the plan, print what it would do, and send nothing
    #[arg(long)]
    pub check: bool,

    /// Print the first N requests as they would be sent, and send nothing
    #[arg(long, value_name = "N", value_parser = values::at_least_one)]
    pub show: Option<u64>,

    #[command(flatten)]
    pub aim: AimArgs,

    /// Divide each duration of the load: 10x is a tenth of the time, at the same rates and with as
    /// many users, who come as much faster
    #[arg(long, value_name = "Nx", value_parser = values::speed)]
    pub speed: Option<f64>,

    /// Print the JSON schema of plan files
    #[arg(long)]
    pub schema: bool,
}

/// Where a plan goes, with which values.
#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "Plan")]
pub struct AimArgs {
    /// The value of one of the plan's variables (repeatable)
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = values::variable)]
    #[arg(allow_hyphen_values = true)]
    pub vars: Vec<(String, String)>,

    /// Which of the targets that the plan names
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,

    /// The target in the plan's place, such as http://localhost:8080
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub host: Option<String>,

    /// That a target the plan protects is meant
    #[arg(long, value_name = "NAME")]
    pub yes: Option<String>,
}

impl AimArgs {
    /// One that was typed.
    pub fn flag(&self) -> Option<&'static str> {
        let typed = [
            ("--var", !self.vars.is_empty()),
            ("--target", self.target.is_some()),
            ("--host", self.host.is_some()),
            ("--yes", self.yes.is_some()),
        ];
        typed.iter().find(|(_, is)| *is).map(|(flag, _)| *flag)
    }
}

/// What `blast demo` takes: the groups that make sense for any target.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub size: SizeArgs,
    #[command(flatten)]
    pub rules: RuleArgs,
    #[command(flatten)]
    pub page: PageArgs,
    #[command(flatten)]
    pub engine: EngineArgs,
}

#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// bash, zsh or fish
    #[arg(value_name = "SHELL", value_parser = shells(), action = ArgAction::Set)]
    #[arg(hide_possible_values = true)]
    pub shell: Shell,
}

fn shells() -> impl TypedValueParser<Value = Shell> {
    PossibleValuesParser::new(["bash", "zsh", "fish"]).map(|name| match name.as_str() {
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => Shell::Bash,
    })
}
