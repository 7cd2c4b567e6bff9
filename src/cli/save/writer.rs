//! The thread that writes the seconds of a run into the history.

use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::history::History;
use crate::metrics::Interval;
use crate::report::document;

/// Seconds that a disk may be behind. What comes after these is lost for the history, unless the
/// run ends and its document holds them.
const BEHIND: usize = 600;

/// Nobody waits for this thread: it can wait for other writers.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Writer {
    sender: SyncSender<Interval>,
    thread: JoinHandle<(History, Option<Error>)>,
    lost: u64,
}

impl Writer {
    pub fn start(mut history: History, id: i64) -> Result<Writer> {
        history.wait_up_to(PATIENCE)?;
        let (sender, receiver) = mpsc::sync_channel(BEHIND);
        let thread = thread::Builder::new().name("blast-history".to_string());
        let thread = thread.spawn(move || write_all(history, id, &receiver)).map_err(|error| {
            Error::failed(format!(
                "the thread of the history could not be started ({error}); try again"
            ))
        })?;
        Ok(Writer { sender, thread, lost: 0 })
    }

    pub fn interval(&mut self, interval: &Interval) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(interval.clone()) {
            self.lost += 1;
        }
    }

    /// All that was handed over is written, or was tried to be; the first thing that went wrong.
    pub fn end(self) -> Result<(History, Option<Error>)> {
        drop(self.sender);
        let ended = self.thread.join();
        let (history, trouble) = ended.map_err(|_| {
            Error::failed("the thread of the history broke off; look at `blast history`")
        })?;
        let lost = (self.lost > 0).then(|| {
            Error::failed(format!(
                "the disk did not keep up, and {} of its seconds are missing; use a faster one",
                self.lost
            ))
        });
        Ok((history, trouble.or(lost)))
    }
}

fn write_all(
    mut history: History,
    id: i64,
    intervals: &Receiver<Interval>,
) -> (History, Option<Error>) {
    let mut trouble = None;
    for (number, interval) in intervals.iter().enumerate() {
        // Plain numbers and texts can always be written.
        let text = serde_json::to_string(&document::Interval::new(&interval)).unwrap_or_default();
        if let Err(error) = history.add_interval(id, number as u64, &text) {
            trouble.get_or_insert(error);
        }
    }
    (history, trouble)
}
