//! `blast child`: one run for a panel, as a process of its own. Nothing of it stands on a command
//! line: the first line of stdin says what is to be done, each later one is an order, and the end of
//! stdin means that the panel is gone. What is seen goes to stdout, a line of JSON each.
//!
//! ```text
//! orders    stdin: what is to be done, and what is to be changed
//! wire      stdout: lines, by a thread of their own
//! feed      the run as it goes, as lines
//! ```
//!
//! Whoever wrote the first line is not believed: the limits are checked again, the lock of the host
//! is taken here, and the row in the history is this process's to close.

mod feed;
mod orders;
mod wire;

use std::io::{self, BufReader};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::errand::{Bounds, Errand};
use super::save::{self, Recorder};
use super::soak::Soak;
use super::{Outputs, ceiling, ladder, run};
use crate::engine::{self, stop};
use crate::error::{Exit, Result};
use crate::history::{Lock, LockText, Status};
use crate::host::Cores;
use crate::plan::{Limits, Plan};
use orders::{Ending, Orders};
use wire::Wire;

pub use feed::Feed;

/// The word that makes this process a child.
pub const WORD: &str = "child";

/// What is to be done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    run: i64,
    history: PathBuf,
    /// Of a command line, the program's name left out.
    words: Vec<String>,
    /// What stands for stdin in them.
    plan_text: Option<String>,
    limits: Limits,
    /// What the target's host stands for.
    addresses: Vec<IpAddr>,
    label: String,
    who: String,
}

/// How a run ended.
struct Over {
    exit: Exit,
    document: Vec<u8>,
    figures: crate::history::Figures,
    complete: bool,
}

/// How long what was said is waited for, where nobody listens.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The program, as a panel starts it.
pub fn main() -> Exit {
    stop::install();
    wake_when_the_panel_dies();
    let wire = Wire::open();
    let mut stdin = BufReader::new(io::stdin());
    let outcome = orders::first(&mut stdin).and_then(|start| carry_out(start, stdin, &wire));
    let exit = outcome.unwrap_or_else(|error| {
        wire.tell(&json!({"type": "log", "text": error.message}));
        wire.tell(&ended(Status::Failed, Some(&error.message), error.exit));
        error.exit
    });
    wire.close(LAST_WORDS);
    exit
}

fn carry_out(start: Start, stdin: BufReader<io::Stdin>, wire: &Wire) -> Result<Exit> {
    let text = LockText {
        pid: std::process::id(),
        run: Some(start.run),
        label: start.label.clone(),
        who: start.who.clone(),
    };
    // Until the end: it goes with this process, however that ends.
    let _lock = Lock::take(&text).map_err(|held| held.error())?;
    let mut errand = Errand::read(&start.words, start.plan_text.as_deref())?;
    let bounds = Bounds { limits: start.limits, addresses: &start.addresses };
    let bound = errand.bind(&bounds)?;
    if let Some(text) = bound.said() {
        let hint = "give a rate";
        wire.tell(&json!({"type": "warning", "code": "capped", "text": text, "hint": hint}));
    }
    let recorder = Recorder::of(start.run, &start.history);
    let feed = Feed::new(wire.clone(), recorder, errand.length());
    let orders = Orders::listen(stdin, feed.clone(), wire.clone(), start.limits)?;
    keep_off(&engine::cores(errand.plan()));
    let outcome = load(&errand, &feed, &start.limits);
    finish(outcome, &feed, &orders.ending(), wire)
}

/// What tells of the run, and writes it down, leaves its workers alone.
fn keep_off(workers: &[usize]) {
    let cores = Cores::of_this_process();
    cores.keep_off(workers);
    cores.free_this_thread();
}

/// Carries it out, whatever it is.
fn load(errand: &Errand, feed: &Feed, limits: &Limits) -> Result<Over> {
    match errand {
        Errand::Run { plan, outputs, soak } => {
            let outputs = Outputs { feed: Some(feed.clone()), ..Outputs::clone(outputs) };
            let soak =
                soak.as_ref().map(|args| Soak::start(args, plan, &args.run.load, Vec::new()));
            // Whoever watches sees rows by name, and may have more connections.
            let may_grow_to = Some(limits.workers);
            let plan = Plan { tells_names: true, may_grow_to, ..Plan::clone(plan) };
            let measured = run::measure(&plan, &outputs, soak.transpose()?)?;
            let (document, exit) = measured.save(&outputs);
            feed.over(&document);
            let figures = save::of_run(&document);
            Ok(Over { exit, figures, complete: document.complete, document: save::json(&document) })
        }
        Errand::Ceiling { args, sought } => {
            feed.phase("measure", 0.0);
            let document = ceiling::find(args, sought, &feed.status())?;
            let (exit, complete) = (ceiling::exit(&document), document.complete);
            let figures = save::of_ceiling(&document);
            Ok(Over { exit, figures, complete, document: save::json(&document) })
        }
        Errand::Ladder { rungs } => {
            feed.phase("measure", 0.0);
            let document = ladder::climb(rungs, &feed.status())?;
            let (exit, complete) = (ladder::exit(&document), document.complete);
            let figures = save::of_ladder(&document);
            Ok(Over { exit, figures, complete, document: save::json(&document) })
        }
    }
}

/// Closes the row, and tells how it went.
fn finish(outcome: Result<Over>, feed: &Feed, ending: &Ending, wire: &Wire) -> Result<Exit> {
    feed.phase("done", 0.0);
    let mut recorder = feed.recorder();
    let over = outcome.inspect_err(|error| {
        recorder.iter_mut().for_each(|recorder| recorder.fail(&error.message));
    })?;
    let (status, reason) = status(&over, ending);
    let mut last = ended(status, reason.as_deref(), over.exit);
    (last["grade"], last["verdict"]) = (json!(over.figures.grade), json!(over.figures.verdict));
    if let Some(recorder) = &mut recorder {
        recorder.end_as(over.document, over.figures, over.exit, status, reason);
    }
    wire.tell(&last);
    Ok(over.exit)
}

/// A run that was ended is told by who ended it; one that ended by itself is complete, whatever its
/// thresholds say.
fn status(over: &Over, ending: &Ending) -> (Status, Option<String>) {
    match ending {
        Ending::Stopped(who) if !over.complete => (Status::Stopped, Some(format!("by {who}"))),
        Ending::OverTime if !over.complete => (Status::Failed, Some("over time".to_string())),
        Ending::PanelGone if !over.complete => {
            (Status::Stopped, Some("the panel ended before the run did".to_string()))
        }
        _ if stop::exit().is_some() && !over.complete => {
            (Status::Stopped, Some("by a signal".to_string()))
        }
        _ if over.exit == Exit::Failed => {
            (Status::Failed, Some("its figures do not add up; see the audit".to_string()))
        }
        _ => (Status::Completed, None),
    }
}

fn ended(status: Status, reason: Option<&str>, exit: Exit) -> Value {
    json!({"type": "end", "status": status.name(), "reason": reason, "exit": exit.code()})
}

/// A process that is stopped (SIGSTOP) does not see the end of its stdin. With this it goes on when
/// the panel is gone, and then sees it. A signal that ended it would lose what it knows.
fn wake_when_the_panel_dies() {
    // SAFETY: a system call on no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGCONT) };
}
