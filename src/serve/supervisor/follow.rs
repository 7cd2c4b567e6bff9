//! Runs that are no children of this panel: saved ones, and those of command lines on this host that
//! are being saved. The history is looked at twice a second.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::log::{LiveRun, MOST_POINTS};
use super::{Event, Events};
use crate::history::{History, Row, Status};
use crate::serve::refusal::Refusal;

const LOOK: Duration = Duration::from_millis(500);

/// Lines that a slow reader may be behind.
const BEHIND: usize = 64;

/// What there is of it, and what comes until it has ended. A line's number is its interval's, from 1.
pub fn follow(path: PathBuf, id: i64, after: Option<u64>) -> Result<Events, Refusal> {
    let row = History::there(&path).and_then(|mut history| history.show(id));
    row.map_err(|_| Refusal::missing(format!("there is no run {id}")))?;
    let (sender, receiver) = mpsc::channel(BEHIND);
    tokio::spawn(tell(path, id, after.unwrap_or(0), sender));
    Ok(Box::pin(ReceiverStream::new(receiver)))
}

async fn tell(path: PathBuf, id: i64, mut from: u64, to: mpsc::Sender<Event>) {
    loop {
        let read = tokio::task::spawn_blocking({
            let path = path.clone();
            move || look(&path, id, from)
        });
        let Ok(Ok((intervals, row))) = read.await else { return };
        for (number, interval) in intervals {
            from = number;
            if to.send(Event { number, line: typed(&interval).into() }).await.is_err() {
                return;
            }
        }
        if !goes_on(&row) {
            let line = end(&row).to_string().into();
            // Nobody may be there any more.
            let _ = to.send(Event { number: from + 1, line }).await;
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Thinned where there are many.
type Intervals = Vec<(u64, String)>;

fn look(path: &Path, id: i64, from: u64) -> crate::Result<(Intervals, Row)> {
    let mut history = History::there(path)?;
    // In this order: what comes in between is found the next time.
    let row = history.show(id)?;
    let intervals = history.intervals(id, from)?;
    let step = intervals.len().div_ceil(MOST_POINTS).max(1);
    let numbered = (from + 1..).zip(intervals);
    Ok((numbered.filter(|(number, _)| number % step as u64 == 0).collect(), row))
}

/// A run that goes on, as far as its seconds tell.
pub fn live(path: &Path, id: i64) -> Option<LiveRun> {
    let (intervals, row) = look(path, id, 0).ok()?;
    let read = |(_, interval): &(u64, String)| serde_json::from_str(interval).ok();
    goes_on(&row).then(|| LiveRun {
        is_open_loop: row.begun.rate_per_s.is_some(),
        intervals: intervals.iter().filter_map(read).collect(),
        ..LiveRun::default()
    })
}

fn goes_on(row: &Row) -> bool {
    matches!(row.status, Status::Pending | Status::Running)
}

fn typed(interval: &str) -> String {
    match interval.strip_prefix('{') {
        Some(fields) => format!("{{\"type\":\"interval\",{fields}"),
        None => interval.to_string(),
    }
}

fn end(row: &Row) -> Value {
    json!({
        "type": "end",
        "status": row.status.name(),
        "reason": row.reason,
        "exit": row.exit_code,
        "grade": row.figures.grade,
        "verdict": row.figures.verdict,
    })
}
