//! `blast history trend`: the saved runs of one plan on one host, and when their figures changed.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::save::place;
use crate::error::{Error, Exit, Result};
use crate::history::{Filter, History, Row, Status};
use crate::report::trend::{TrendDocument, TrendRun};
use crate::report::views;
use crate::study::trend::{Common, trend};
use crate::units::quote;

/// Kinds whose figures are those of one load.
const KINDS: [&str; 2] = ["run", "soak"];

#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct TrendArgs {
    /// The plan and the host of this run [default: of the newest run]
    #[arg(long, value_name = "ID", conflicts_with = "plan")]
    pub run: Option<i64>,

    /// The plan of this hash, or of the only one that begins so; on the host of its newest run
    #[arg(long, value_name = "HASH")]
    pub plan: Option<String>,

    /// Print the trend as JSON, nothing else on stdout
    #[arg(long, short = 'j')]
    pub json: bool,

    /// Write the trend to FILE.json, .html, .svg, .png or .md (repeatable)
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,

    /// The file of the history [default: BLAST_HISTORY, or blast/history.db in the user's folder of
    /// data]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub history: Option<PathBuf>,
}

pub fn run(args: &TrendArgs) -> Result<Exit> {
    let files = views::TREND.accept(&args.files)?;
    let mut history = History::there(&place(args.history.as_deref())?)?;
    let document = document(&mut history, &Which::of(args))?;
    views::TREND.write(&document, args.json, &files)?;
    Ok(Exit::Done)
}

/// Whose trend it is to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Which {
    /// Of the newest run.
    Newest,
    /// Of the plan and the host of this run.
    Run(i64),
    /// Of the plan whose hash begins so.
    Plan(String),
}

impl Which {
    fn of(args: &TrendArgs) -> Which {
        match (args.run, &args.plan) {
            (Some(id), _) => Which::Run(id),
            (None, Some(hash)) => Which::Plan(hash.clone()),
            (None, None) => Which::Newest,
        }
    }
}

/// The trend of a plan. Runs that did not end by themselves, and such as blast was the limit of, are
/// left out.
pub fn document(history: &mut History, which: &Which) -> Result<TrendDocument> {
    let newest = newest(history, which)?;
    let (plan, host, kind) = (&newest.begun.plan_hash, &newest.begun.host, &newest.begun.kind);
    let filter = Filter { plan: Some(plan.clone()), ..Filter::default() };
    let is_alike = |row: &Row| {
        row.begun.plan_hash == *plan && row.begun.host == *host && row.begun.kind == *kind
    };
    let rows = history.list(&filter)?.into_iter().filter(is_alike);
    let (shown, others): (Vec<Row>, Vec<Row>) = rows.partition(is_measured);
    let over = others.iter().filter(|row| !is_open(row)).count();
    let common = Common {
        plan_hash: plan.clone(),
        host: host.clone(),
        method: newest.begun.method.clone(),
        url: newest.begun.target.clone(),
        left_out: over as u64,
    };
    // The list has the newest first.
    Ok(trend(common, shown.iter().rev().map(figures).collect()))
}

/// A run that the trend is of: the newest of its plan, where a plan was named.
fn newest(history: &mut History, which: &Which) -> Result<Row> {
    let none = |text: String| Error::usage(format!("{text}; `blast history` lists the runs"));
    let row = match which {
        Which::Run(id) => history.show(*id)?,
        Which::Newest => {
            let rows = history.list(&Filter::default())?;
            let found = rows.into_iter().find(|row| KINDS.contains(&&*row.begun.kind));
            found.ok_or_else(|| none("there is no run in the history".to_string()))?
        }
        Which::Plan(hash) => {
            let rows = history.list(&Filter { plan: Some(hash.clone()), ..Filter::default() })?;
            let mut rows = rows.into_iter().filter(|row| KINDS.contains(&&*row.begun.kind));
            let hash = quote(hash);
            let first =
                rows.next().ok_or_else(|| none(format!("--plan: no run is of the plan {hash}")))?;
            if rows.any(|row| row.begun.plan_hash != first.begun.plan_hash) {
                let text = format!("--plan: several plans begin with {hash}; write more of it");
                return Err(Error::usage(text));
            }
            first
        }
    };
    match KINDS.contains(&&*row.begun.kind) {
        true => Ok(row),
        false => Err(Error::usage(format!(
            "run {} is a {}, which has no figures of one load; name a run with `--run ID`",
            row.id, row.begun.kind
        ))),
    }
}

/// It ended by itself, and was a valid measurement: its rules may have failed (exit code 3).
fn is_measured(row: &Row) -> bool {
    row.status == Status::Completed && matches!(row.exit_code, Some(0 | 3))
}

fn is_open(row: &Row) -> bool {
    matches!(row.status, Status::Pending | Status::Running)
}

fn figures(row: &Row) -> TrendRun {
    TrendRun {
        id: row.id,
        label: row.begun.label.clone(),
        started_at: row.begun.started_at.clone(),
        blast_version: row.begun.blast_version.clone(),
        duration_s: row.begun.duration_s,
        is_baseline: row.is_baseline,
        grade: row.figures.grade.clone(),
        p95_us: row.figures.p95_us,
        good_per_s: row.figures.good_per_s,
        error_share: row.figures.error_share,
        server_us_per_request: row.figures.server_us_per_request,
    }
}
