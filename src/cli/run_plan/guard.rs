//! What a run comes to in all, and that a protected target is loaded on purpose.

use std::io::Write;

use super::Meant;
use crate::error::{Error, Result};
use crate::plan::{Load, Plan};
use crate::units::{format_count, format_duration, format_exact};

/// A protected target has its totals printed, and is loaded when its name was said twice.
pub fn pass(meant: &Meant) -> Result<()> {
    pass_with(meant, &totals(&meant.plan))
}

/// The same of a load that is told in words.
pub fn pass_with(meant: &Meant, totals: &str) -> Result<()> {
    let Some(name) = &meant.target.protected else { return Ok(()) };
    match meant.args.file.aim.yes.as_deref() {
        Some(yes) if yes == name => {
            let line = format!("{name} is protected, and --yes says that it is meant: {totals}\n");
            // Where stderr is gone, the run goes on.
            let _ = std::io::stderr().write_all(line.as_bytes());
            Ok(())
        }
        Some(_) => Err(Error::usage(format!(
            "{name} is protected, and --yes names another target; the load is {totals}; write \
             `--yes {name}` if it is meant"
        ))),
        None => Err(Error::usage(format!(
            "{name} is protected; the load is {totals}; add `--yes {name}` if it is meant"
        ))),
    }
}

/// Requests, peak rate, length.
pub fn totals(plan: &Plan) -> String {
    let connections = match plan.connections {
        1 => "1 connection".to_string(),
        several => format!("{} connections", format_exact(several.into())),
    };
    let length = match plan.duration {
        Some(duration) => format!(" over {}", format_duration(duration)),
        None => String::new(),
    };
    match (&plan.load, requests(plan)) {
        (Load::Open(offered), Some(requests)) => format!(
            "{} requests at up to {}/s{length} on {connections}",
            format_exact(requests),
            format_count(offered.highest_per_s())
        ),
        (_, Some(requests)) => format!(
            "{} requests as fast as answers come on {connections}{length}",
            format_exact(requests)
        ),
        _ => format!("as many requests as answers come on {connections}{length}"),
    }
}

/// That become due, or are asked for.
pub fn requests(plan: &Plan) -> Option<u64> {
    let due = match (&plan.load, plan.duration) {
        (Load::Open(offered), Some(duration)) => Some(offered.integral().due_before(duration)),
        _ => None,
    };
    match (due, plan.requests) {
        (Some(due), Some(asked)) => Some(due.min(asked)),
        (due, asked) => due.or(asked),
    }
}
