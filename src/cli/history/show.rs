//! One run: what is known of it, and its document in any view, drawn again. Of one that never ended,
//! what its seconds say.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::PlaceArgs;
use super::list::shown;
use crate::cli::report::{self, How};
use crate::cli::stored::Stored;
use crate::cli::{print, reason};
use crate::error::{Error, Exit, Result};
use crate::history::{History, Row, Status};
use crate::report::document::Interval;
use crate::units::format_exact;

#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// The run's number, as the list has it
    #[arg(value_name = "ID")]
    pub id: i64,

    /// Write it to FILE.json, .html, .svg, .png, .hgrm, .xml (JUnit), .md, .ndjson or, for tables of
    /// CSV, DIR/ (repeatable)
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,

    /// Write tables as Locust does: PREFIX_stats.csv, _failures, _stats_history, _exceptions
    #[arg(long, value_name = "PREFIX", value_hint = ValueHint::FilePath)]
    pub csv: Option<PathBuf>,

    /// Print its document as JSON, to the last digit, and nothing else on stdout
    #[arg(long, short = 'j')]
    pub json: bool,

    /// Show the full latency spectrum
    #[arg(short = 'L', long)]
    pub latency: bool,

    /// Show the first failures of each kind
    #[arg(short, long)]
    pub verbose: bool,

    #[command(flatten)]
    pub place: PlaceArgs,
}

pub fn run(args: &ShowArgs) -> Result<Exit> {
    let mut history = args.place.open()?;
    let row = history.show(args.id)?;
    let Some(document) = history.document(args.id)? else {
        return without_document(args, &row, &mut history);
    };
    if args.json {
        return written(&document);
    }
    let how = How::new(&args.files, args.csv.as_deref(), args.latency, args.verbose)?;
    if args.files.is_empty() && args.csv.is_none() {
        print(&(head(&row, &mut history)? + "\n"))?;
    }
    report::show(&Stored::of(format!("run {}", args.id), document)?, &how)
}

/// The document as it is kept.
fn written(document: &[u8]) -> Result<Exit> {
    let mut stdout = io::stdout().lock();
    let all = stdout.write_all(document).and_then(|()| stdout.write_all(b"\n"));
    match all.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::failed(format!(
            "stdout cannot be written ({}); send it elsewhere",
            reason(&error)
        ))),
        _ => Ok(Exit::Done),
    }
}

fn without_document(args: &ShowArgs, row: &Row, history: &mut History) -> Result<Exit> {
    if args.json || !args.files.is_empty() || args.csv.is_some() {
        let why = match row.status {
            Status::Pending | Status::Running => "it goes on",
            _ => "it never ended as a run does",
        };
        return Err(Error::usage(format!(
            "run {} has no document, {why}; `blast history show {}` tells what arrived",
            row.id, row.id
        )));
    }
    let page = head(row, history)? + "\n" + &arrived(&history.intervals(row.id, 0)?);
    print(&page)
}

/// What is known besides the document.
fn head(row: &Row, history: &mut History) -> Result<String> {
    let begun = &row.begun;
    let mut lines = Vec::new();
    let mut line = |name: &str, text: &str| {
        let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        if !text.is_empty() {
            lines.push(format!("{name:<13}{text}\n"));
        }
    };
    let label = if begun.label.is_empty() { "" } else { " " };
    let baseline = if row.is_baseline { ", the baseline of its plan" } else { "" };
    line("run", &format!("{}{label}{} ({}{baseline})", row.id, begun.label, begun.kind));
    let why = row.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    line("status", &format!("{}{why}", row.status.name()));
    line("started", &format!("{} by {}", begun.started_at, begun.started_by));
    line("ended", row.ended_at.as_deref().unwrap_or_default());
    line("target", &begun.target);
    line("plan", format!("{} {}", begun.plan_name, begun.plan_hash).trim());
    line("host", &begun.host);
    line("note", &row.note);
    if !begun.words.is_empty() {
        let words: Vec<String> = begun.words.iter().map(|word| quoted(word)).collect();
        line("command", &format!("blast {}", words.join(" ")));
    }
    for event in history.events(row.id)? {
        line("", &format!("{} {} by {}", event.at, event.what, shown(&event.who)));
    }
    Ok(lines.concat())
}

/// As a shell reads one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// What the seconds say that arrived before the end.
fn arrived(intervals: &[String]) -> String {
    let all = intervals.iter().filter_map(|text| serde_json::from_str(text).ok());
    let all: Vec<Interval> = all.collect();
    let Some(last) = all.last() else { return "nothing of it arrived\n".to_string() };
    let measured = all.iter().filter(|one| one.phase == "measure");
    let sum = |of: fn(&Interval) -> u64| {
        let all = measured.clone().map(of).sum();
        format_exact(all)
    };
    let slowest = measured.clone().filter_map(|one| one.response_max_us).fold(0.0, f64::max);
    let mut page = format!(
        "What arrived of it, until {} s after its start ({} seconds of measure):\n",
        last.t_s,
        measured.clone().count()
    );
    for (name, text) in [
        ("scheduled", sum(|one| one.scheduled)),
        ("sent", sum(|one| one.sent)),
        ("good", sum(|one| one.good)),
        ("rejected", sum(|one| one.rejected)),
        ("failed", sum(|one| one.failed)),
        ("dropped", sum(|one| one.dropped)),
        ("slowest", format!("{:.3} ms", slowest / 1e3)),
    ] {
        page += &format!("  {name:<11}{text:>14}\n");
    }
    page
}
