//! Which runs are meant: the flags of the list and of an export.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::history::{Filter, Status};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which runs")]
pub struct FilterArgs {
    /// Whose target has this in it
    #[arg(long, value_name = "TEXT")]
    pub target: Option<String>,

    /// Whose plan file has this in its name, or whose plan's hash begins so
    #[arg(long, value_name = "TEXT")]
    pub plan: Option<String>,

    /// Whose label has this in it
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,

    /// pending, running, completed, failed or stopped
    #[arg(long, value_name = "STATUS", value_parser = statuses(), hide_possible_values = true)]
    pub status: Option<Status>,

    /// excellent, good, acceptable, poor or critical
    #[arg(long, value_name = "GRADE")]
    #[arg(value_parser = ["excellent", "good", "acceptable", "poor", "critical"])]
    #[arg(hide_possible_values = true)]
    pub grade: Option<String>,

    /// run, ceiling, ladder, soak, suite, ab or versus
    #[arg(long, value_name = "KIND", hide_possible_values = true)]
    #[arg(value_parser = ["run", "ceiling", "ladder", "soak", "suite", "ab", "versus"])]
    pub kind: Option<String>,

    /// Older than this run
    #[arg(long, value_name = "ID")]
    pub before: Option<i64>,

    /// So many, the newest first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}

impl FilterArgs {
    pub fn filter(&self) -> Filter {
        Filter {
            target: self.target.clone(),
            label: self.label.clone(),
            status: self.status,
            grade: self.grade.clone(),
            kind: self.kind.clone(),
            plan: self.plan.clone(),
            before: self.before,
            started_before: None,
            limit: self.limit,
        }
    }
}

fn statuses() -> impl TypedValueParser<Value = Status> {
    let names = Status::ALL.map(Status::name);
    PossibleValuesParser::new(names).map(|name| Status::of(&name).unwrap_or(Status::Failed))
}
