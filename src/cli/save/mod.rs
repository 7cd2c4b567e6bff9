//! `--save`: what a verb that loads leaves in the history.
//!
//! The row is written before the first packet. Seconds are handed to a thread of their own, so that
//! no disk ever delays a run; whatever goes wrong there is said in one sentence when the run is
//! over, and the run and its report know nothing of it. Only one thing keeps a run from beginning:
//! another one that is saved on this host goes on.
//!
//! ```text
//! begun    what is known of a run before it
//! figures  what lists show of a result
//! words    the command line without its secrets
//! writer   the thread that writes
//! ```

mod begun;
mod figures;
mod words;
mod writer;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueHint};
use serde::Serialize;

use crate::error::{Error, Exit, Result};
use crate::history::{Begun, Ended, Figures, Held, History, Holder, Lock, LockText, Status, now};
use crate::metrics::Interval;
use crate::report::Document;
use writer::Writer;

pub use begun::{begun, begun_of, begun_of_both, begun_without_plan, who};
pub use figures::{of_ab, of_ceiling, of_ladder, of_run, of_suite, of_versus};
pub use words::{with_value, without_secrets};

/// Names the history where no flag does, and has every run saved.
const VARIABLE: &str = "BLAST_HISTORY";

/// In the user's folder of data, as XDG has it.
const FILE: &str = "blast/history.db";

#[derive(Clone, Debug, Default, PartialEq, Args)]
#[command(next_help_heading = "History")]
pub struct SaveArgs {
    /// Keep the run in the history, with a label if one is given; `blast history` lists them.
    /// [default: where BLAST_HISTORY names one]
    #[arg(long, value_name = "LABEL", num_args = 0..=1, default_missing_value = "")]
    pub save: Option<String>,

    /// The file of the history; implies --save [default: BLAST_HISTORY, or blast/history.db in the
    /// user's folder of data]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub history: Option<PathBuf>,

    /// Keep nothing, though BLAST_HISTORY is set
    #[arg(long, hide_short_help = true, conflicts_with = "save")]
    pub no_save: bool,
}

impl SaveArgs {
    /// Of what nobody wants to see again.
    pub fn off() -> SaveArgs {
        SaveArgs { no_save: true, ..SaveArgs::default() }
    }

    /// For verbs that leave nothing.
    pub fn is_typed(&self) -> bool {
        self.save.is_some() || self.history.is_some()
    }

    /// `None`: nothing is to be saved.
    pub fn saving(&self) -> Result<Option<Saving>> {
        let is_asked =
            self.save.is_some() || self.history.is_some() || variable(VARIABLE).is_some();
        if self.no_save || !is_asked {
            return Ok(None);
        }
        let label = self.save.clone().unwrap_or_default();
        let path = place(self.history.as_deref())?;
        Ok(Some(Saving { path, label, reserved: None }))
    }
}

/// Where the history is: what was named, or else where the environment says.
pub fn place(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = named.map(Path::to_path_buf).or_else(|| variable(VARIABLE)) {
        return Ok(path);
    }
    // What is relative is to be ignored, by its specification.
    let data = variable("XDG_DATA_HOME").filter(|folder| folder.is_absolute());
    let home = || variable("HOME").map(|home| home.join(".local/share"));
    data.or_else(home).map(|folder| folder.join(FILE)).ok_or_else(|| {
        Error::usage(
            "nothing says where the history is, neither BLAST_HISTORY nor HOME; name a file with \
             `--history FILE`",
        )
    })
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where a run is kept, and as what.
#[derive(Clone, Debug, PartialEq)]
pub struct Saving {
    pub path: PathBuf,
    pub label: String,
    /// A row that somebody made for it, who also holds the lock.
    pub reserved: Option<i64>,
}

impl Saving {
    /// The row of this number, which was reserved.
    pub fn of(id: i64, path: &Path) -> Saving {
        Saving { path: path.to_path_buf(), label: String::new(), reserved: Some(id) }
    }
}

/// What is said of a study by lists, beside its document.
pub type Said<D> = fn(&D) -> Figures;

/// Keeps one run. Without a history it does nothing.
#[derive(Default)]
pub struct Recorder {
    open: Option<Open>,
}

struct Open {
    id: i64,
    writer: Writer,
    /// Until the run is over and its end is written.
    _lock: Option<Lock>,
}

impl Recorder {
    /// Before anything is sent. Fails only where another run goes on that is saved.
    pub fn begin(saving: Option<&Saving>, begun: impl FnOnce() -> Begun) -> Result<Recorder> {
        let Some(saving) = saving else { return Ok(Recorder::default()) };
        if let Some(id) = saving.reserved {
            return Ok(Recorder::of(id, &saving.path));
        }
        let begun = Begun { label: saving.label.clone(), ..begun() };
        let mut lock = take(&begun)?;
        let opened = History::open(&saving.path).and_then(|mut history| {
            let id = history.begin(&begun, &Holder::this())?;
            history.note_event(id, &begun.started_by, "started")?;
            Ok((history, id))
        });
        if let (Ok((_, id)), Some(lock)) = (&opened, &mut lock) {
            // Who reads it there gets along without the number.
            let _ = lock.tell(&text(&begun, Some(*id)));
        }
        Ok(Recorder::opened(opened, lock))
    }

    /// Of a row that was reserved.
    pub fn of(id: i64, path: &Path) -> Recorder {
        let opened = History::there(path).and_then(|mut history| {
            history.start(id, &Holder::this())?;
            Ok((history, id))
        });
        Recorder::opened(opened, None)
    }

    fn opened(opened: Result<(History, i64)>, lock: Option<Lock>) -> Recorder {
        let begun = opened.and_then(|(history, id)| {
            Ok(Open { id, writer: Writer::start(history, id)?, _lock: lock })
        });
        Recorder { open: begun.map_err(|error| tell("the run is not saved", &error)).ok() }
    }

    /// The run's number; `None`: it is not saved.
    pub fn id(&self) -> Option<i64> {
        self.open.as_ref().map(|open| open.id)
    }

    /// Another second is over. On the control thread: hands over, and waits for nobody.
    pub fn interval(&mut self, interval: &Interval) {
        if let Some(open) = &mut self.open {
            open.writer.interval(interval);
        }
    }

    /// What ends the run ends its row.
    pub fn check<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.fail(&error.message);
        }
        result
    }

    /// There is no result; what arrived stays.
    pub fn fail(&mut self, reason: &str) {
        let reason = crate::plan::mask::mask_text(reason);
        self.close(|id, history| history.fail(id, &reason));
    }

    /// The end, with its document as JSON.
    pub fn end(&mut self, document: Vec<u8>, figures: Figures, exit: Exit) {
        let (status, reason) = state(exit);
        self.end_as(document, figures, exit, status, reason);
    }

    /// The same of a run. One that was measured in full is not spoilt by a report that could not be
    /// written.
    pub fn end_run(&mut self, document: &Document, exit: Exit) {
        if self.open.is_none() {
            return;
        }
        let (status, reason) = match (exit, document.audit.ok) {
            (Exit::Failed, true) => {
                (Status::Completed, Some("a report could not be written".to_string()))
            }
            (Exit::Failed, false) => (Status::Failed, Some("the audit failed".to_string())),
            _ => state(exit),
        };
        self.end_as(json(document), of_run(document), exit, status, reason);
    }

    /// The same of a study.
    pub fn end_study<D: Serialize>(&mut self, document: &D, said: Said<D>, exit: Exit) {
        if self.open.is_some() {
            self.end(json(document), said(document), exit);
        }
    }

    /// The same, by whoever knows better how it ended.
    pub fn end_as(
        &mut self,
        document: Vec<u8>,
        figures: Figures,
        exit: Exit,
        status: Status,
        reason: Option<String>,
    ) {
        let ended =
            Ended { status, reason, ended_at: now(), exit_code: exit.code(), figures, document };
        self.close(|id, history| {
            let written = history.end(id, &ended);
            if let (Err(error), Status::Completed) = (&written, ended.status) {
                // A row that says so is better than one that seems to go on.
                let _ = history.fail(id, &format!("its result could not be kept: {error}"));
            }
            if ended.status == Status::Stopped {
                let by = stopped_by();
                history.note_event(id, &by, "stopped")?;
            }
            written
        });
    }

    fn close(&mut self, act: impl FnOnce(i64, &mut History) -> Result<()>) {
        let Some(Open { id, writer, _lock }) = self.open.take() else { return };
        let closed = writer.end().and_then(|(mut history, trouble)| {
            act(id, &mut history)?;
            trouble.map_or(Ok(()), Err)
        });
        if let Err(error) = closed {
            tell(&format!("run {id} is not saved whole"), &error);
        }
    }
}

impl Drop for Recorder {
    /// An error ended the run before there was anything to tell.
    fn drop(&mut self) {
        self.fail("it could not be carried out");
    }
}

/// A document as it is kept.
pub fn json(document: &impl Serialize) -> Vec<u8> {
    // Documents are plain structs and maps by text: none of them can fail.
    serde_json::to_vec(document).unwrap_or_default()
}

/// How a run ended that ended in this way.
fn state(exit: Exit) -> (Status, Option<String>) {
    match exit {
        Exit::Interrupted | Exit::Terminated => {
            (Status::Stopped, Some(format!("stopped by {}", stopped_by())))
        }
        Exit::Failed => (Status::Failed, Some("it could not be done".to_string())),
        _ => (Status::Completed, None),
    }
}

static STOPPED_BY: Mutex<Option<String>> = Mutex::new(None);

/// Who asked for the end, where it was not the signal of a user of this host.
pub fn note_stop(who: &str) {
    let mut name = STOPPED_BY.lock().unwrap_or_else(PoisonError::into_inner);
    name.get_or_insert_with(|| who.to_string());
}

fn stopped_by() -> String {
    let name = STOPPED_BY.lock().unwrap_or_else(PoisonError::into_inner);
    name.clone().unwrap_or_else(who)
}

/// A lock that cannot be taken by anybody keeps no run from being saved.
fn take(begun: &Begun) -> Result<Option<Lock>> {
    match Lock::take(&text(begun, None)) {
        Ok(lock) => Ok(Some(lock)),
        Err(held @ Held { trouble: Some(_), .. }) => {
            tell("runs at the same time are not kept apart", &held.error());
            Ok(None)
        }
        Err(held) => Err(held.error()),
    }
}

fn text(begun: &Begun, run: Option<i64>) -> LockText {
    let (label, who) = (begun.label.clone(), begun.started_by.clone());
    LockText { pid: std::process::id(), run, label, who }
}

/// Where stderr is gone, the run goes on.
fn tell(what: &str, error: &Error) {
    let _ = writeln!(io::stderr(), "blast: {what}: {error}");
}

/// The words of this process.
fn arguments() -> Vec<String> {
    let words = std::env::args_os().skip(1).map(OsString::into_string);
    words.map(|word| word.unwrap_or_else(|word| word.to_string_lossy().into_owned())).collect()
}
