//! What is changed in a history: labels, notes and baselines, and runs that are taken out. Who did it
//! is kept.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::SystemTime;

use clap::Args;

use super::list::shown;
use super::{PlaceArgs, runs};
use crate::cli::{print, save};
use crate::error::{Error, Exit, Result};
use crate::history::{Filter, History, Row, Status, older_than};
use crate::time::Nanos;
use crate::units::{parse_duration, quote};

#[derive(Clone, Debug, Args)]
pub struct DeleteArgs {
    /// The numbers of runs, as the list has them
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<i64>,

    /// Without being asked
    #[arg(long)]
    pub yes: bool,

    #[command(flatten)]
    pub place: PlaceArgs,
}

#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct PruneArgs {
    /// All but the newest N
    #[arg(long, value_name = "N", group = "what")]
    pub keep: Option<u32>,

    /// Those that were started longer ago than this: 90d, 12h
    #[arg(long, value_name = "T", value_parser = age, group = "what")]
    pub older_than: Option<Nanos>,

    /// Say what would be taken out, and leave it
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub place: PlaceArgs,
}

#[derive(Clone, Debug, Args)]
pub struct BaselineArgs {
    /// The run's number, as the list has it
    #[arg(value_name = "ID")]
    pub id: i64,

    #[command(flatten)]
    pub place: PlaceArgs,
}

#[derive(Clone, Debug, Args)]
pub struct TextArgs {
    /// The run's number, as the list has it
    #[arg(value_name = "ID")]
    pub id: i64,

    /// What it is to say; "" for nothing
    #[arg(value_name = "TEXT")]
    pub text: String,

    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `90d`, `2w`, or any length of time that flags take.
fn age(text: &str) -> Result<Nanos> {
    let in_days = |unit: char, days: u64| {
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Nanos::from_secs(count.checked_mul(days * 86_400).filter(|s| *s < 1 << 34)?))
    };
    match in_days('d', 1).or_else(|| in_days('w', 7)) {
        Some(age) => Ok(age),
        None => parse_duration(text).map_err(|_| {
            Error::usage(format!("{} is no age; write `90d`, `2w` or `12h`", quote(text)))
        }),
    }
}

pub fn delete(args: &DeleteArgs) -> Result<Exit> {
    let mut history = args.place.open()?;
    let rows = args.ids.iter().map(|id| history.show(*id)).collect::<Result<Vec<Row>>>()?;
    if let Some(row) = rows.iter().find(|row| goes_on(row)) {
        return Err(Error::usage(format!(
            "run {} goes on; end it first, or wait until it is over",
            row.id
        )));
    }
    if !args.yes && !is_meant(&rows)? {
        return print("nothing was deleted\n");
    }
    take_out(&mut history, &rows)
}

fn goes_on(row: &Row) -> bool {
    matches!(row.status, Status::Pending | Status::Running)
}

/// Asked once. Where nobody can be asked, the flag has to say it.
fn is_meant(rows: &[Row]) -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Err(Error::usage(
            "nobody can be asked here whether this is meant; say it with `--yes`",
        ));
    }
    let lines: String = rows.iter().map(|row| format!("  {}\n", named(row))).collect();
    let (them, those) = if rows.len() == 1 { ("this run", "it") } else { ("these runs", "them") };
    let question = format!("{lines}delete {them}, with all that is kept of {those}? [y/N] ");
    let mut answer = String::new();
    let asked = io::stderr().write_all(question.as_bytes());
    let answered = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
    Ok(answered.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn named(row: &Row) -> String {
    let begun = &row.begun;
    let parts = [row.id.to_string(), begun.started_at.clone(), shown(&begun.label)];
    let parts = parts.into_iter().chain([shown(&begun.target)]).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("  ")
}

fn take_out(history: &mut History, rows: &[Row]) -> Result<Exit> {
    let who = save::who();
    for row in rows {
        history.note_event(row.id, &who, "deleted")?;
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let count = history.delete(&ids)?;
    print(&format!("{} deleted\n", runs(count as u64)))
}

pub fn prune(args: &PruneArgs) -> Result<Exit> {
    let mut history = args.place.open()?;
    let started_before = args.older_than.map(|age| older_than(age, SystemTime::now()));
    let rows = history.list(&Filter { started_before, ..Filter::default() })?;
    let kept = args.keep.map_or(0, |keep| keep as usize);
    let rows = rows.into_iter().skip(kept).filter(|row| !row.is_baseline && !goes_on(row));
    let rows: Vec<Row> = rows.collect();
    if args.dry_run {
        let lines: String = rows.iter().map(|row| format!("{}\n", named(row))).collect();
        return print(&format!("{lines}{} would be deleted\n", runs(rows.len() as u64)));
    }
    take_out(&mut history, &rows)
}

pub fn baseline(args: &BaselineArgs) -> Result<Exit> {
    let mut history = args.place.open()?;
    history.set_baseline(args.id)?;
    history.note_event(args.id, &save::who(), "made the baseline")?;
    print(&format!("run {} is what later runs of its plan are judged by\n", args.id))
}

pub fn label(args: &TextArgs) -> Result<Exit> {
    let mut history = args.place.open()?;
    history.relabel(args.id, Some(&args.text), None)?;
    history.note_event(args.id, &save::who(), "labelled")?;
    Ok(Exit::Done)
}

pub fn note(args: &TextArgs) -> Result<Exit> {
    let mut history = args.place.open()?;
    history.relabel(args.id, None, Some(&args.text))?;
    history.note_event(args.id, &save::who(), "annotated")?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_may_be_days_and_weeks() {
        let day = 86_400;
        for (text, seconds) in [("90d", 90 * day), ("2w", 14 * day), ("12h", day / 2), ("5", 5)] {
            assert_eq!(age(text), Ok(Nanos::from_secs(seconds)), "{text}");
        }
        for text in ["d", "-1d", "1.5d", "x", "99999999999999999999d", "999999999999d"] {
            assert!(age(text).is_err(), "{text}");
        }
    }
}
