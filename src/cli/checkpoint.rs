//! The result so far, written now and then while a run goes on: what a crash of the machine leaves.
//!
//! A thread of its own makes the document and writes it, on a core without a worker where there is
//! one. While it is at work no other checkpoint is begun.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use crate::engine::{self, SoFar};
use crate::error::{Error, Result};
use crate::host;
use crate::metrics::{Summary, Verdict, signs};
use crate::plan::Plan;
use crate::report::{Document, document_of, json};
use crate::study::soak::{Drift, Limits};
use crate::time::{self, Nanos};

/// What is judged and written.
pub struct Moment {
    pub summary: Summary,
    pub drift: Drift,
    pub limits: Limits,
}

pub struct Checkpoints {
    every: Nanos,
    /// `None`: the load has not begun.
    due: Option<Nanos>,
    /// `None`: it is over.
    sender: Option<SyncSender<Box<Moment>>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    pub fn start(plan: &Plan, files: Vec<PathBuf>, every: Nanos) -> Result<Checkpoints> {
        let (sender, receiver) = mpsc::sync_channel(0);
        let (plan, core) = (plan.clone(), engine::spare_core(plan));
        let thread = thread::Builder::new().name("blast-checkpoint".to_string());
        let thread = thread.spawn(move || {
            if let Some(core) = core {
                host::pin(core);
            }
            write_all(&plan, &files, &receiver);
        });
        let thread = thread.map_err(|error| {
            Error::failed(format!(
                "the thread of checkpoints could not be started ({error}); try again"
            ))
        })?;
        Ok(Checkpoints { every, due: None, sender: Some(sender), thread: Some(thread) })
    }

    /// On the control thread, at each of its looks. `moment` is asked for when it is time.
    pub fn look(&mut self, so_far: SoFar, moment: impl FnOnce(Summary) -> Moment) {
        let now = time::now();
        let due = *self.due.get_or_insert(now + self.every);
        if now < due {
            return;
        }
        self.due = Some(now + self.every);
        if let Some(sender) = &self.sender {
            // Where the last one is still being written, it is the next one's turn.
            let _ = sender.try_send(Box::new(moment(so_far.summary())));
        }
    }

    /// None is written any more: what comes now is the result.
    pub fn end(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // A checkpoint that failed is told; the result is another matter.
            let _ = thread.join();
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.end();
    }
}

/// Until nobody sends any more. A file that cannot be written is complained of once.
fn write_all(plan: &Plan, files: &[PathBuf], moments: &Receiver<Box<Moment>>) {
    let mut has_complained = false;
    while let Ok(moment) = moments.recv() {
        let document = document(plan, *moment);
        for file in files {
            let Err(error) = json::save(&document, file) else { continue };
            if !has_complained {
                let _ = writeln!(io::stderr(), "blast: a checkpoint: {error}");
            }
            has_complained = true;
        }
    }
}

fn document(plan: &Plan, moment: Moment) -> Document {
    let Moment { mut summary, drift, limits } = moment;
    summary.verdict = Verdict::of(&summary);
    summary.warnings.extend(signs::of(&summary, !plan.thresholds.is_empty()));
    let mut document = document_of(plan, &summary);
    document.soak = Some(drift.judge(&summary, &limits));
    document
}
