//! The seam between the panel and what carries runs out: the routes know no more of it than this.

use std::pin::Pin;

use tokio_stream::Stream;

use super::desk::Prepared;
use super::job::Job;
use super::page;
use super::refusal::Refusal;
use super::supervisor::{Edit, Event, Floor, LiveRun};
use crate::report::chart::Course;
use crate::report::document;

/// What is there later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is told of a run, as it comes.
pub type Events = Pin<Box<dyn Stream<Item = Event> + Send>>;

/// Starts, watches and ends runs; one at a time.
pub trait Runs: Send + Sync + 'static {
    /// What a job would do; nothing is sent.
    fn preview<'a>(&'a self, job: &'a Job) -> Later<'a, Result<Prepared, Refusal>>;

    /// Returns the number of the run, which goes on by itself.
    fn start<'a>(&'a self, job: Job, who: &'a str) -> Later<'a, Result<i64, Refusal>>;

    /// Asks it to drain and to end.
    fn stop<'a>(&'a self, id: i64, who: &'a str) -> Later<'a, Result<(), Refusal>>;

    fn edit<'a>(&'a self, id: i64, edit: Edit, who: &'a str) -> Later<'a, Result<(), Refusal>>;

    /// The one that goes on.
    fn current(&self) -> Option<i64>;

    /// All so far, or what came after that number, and then what comes.
    fn watch(&self, id: i64, after: Option<u64>) -> Result<Events, Refusal>;

    /// The charts of a run that goes on, as HTML; `None`: it does not.
    fn charts<'a>(&'a self, id: i64) -> Later<'a, Option<String>>;

    /// Ends what goes on, and stores it.
    fn close<'a>(&'a self) -> Later<'a, ()>;
}

impl Runs for Floor {
    fn preview<'a>(&'a self, job: &'a Job) -> Later<'a, Result<Prepared, Refusal>> {
        Box::pin(Floor::preview(self, job))
    }

    fn start<'a>(&'a self, job: Job, who: &'a str) -> Later<'a, Result<i64, Refusal>> {
        Box::pin(Floor::start(self, job, who))
    }

    fn stop<'a>(&'a self, id: i64, who: &'a str) -> Later<'a, Result<(), Refusal>> {
        Box::pin(Floor::stop(self, id, who))
    }

    fn edit<'a>(&'a self, id: i64, edit: Edit, who: &'a str) -> Later<'a, Result<(), Refusal>> {
        Box::pin(Floor::edit(self, id, edit, who))
    }

    fn current(&self) -> Option<i64> {
        Floor::current(self)
    }

    fn watch(&self, id: i64, after: Option<u64>) -> Result<Events, Refusal> {
        Floor::watch(self, id, after)
    }

    fn charts<'a>(&'a self, id: i64) -> Later<'a, Option<String>> {
        Box::pin(async move {
            let run = self.live(id).await.filter(|run| run.end.is_none())?;
            tokio::task::spawn_blocking(move || charts(&run)).await.ok()
        })
    }

    fn close<'a>(&'a self) -> Later<'a, ()> {
        Box::pin(Floor::close(self))
    }
}

/// Of a run as far as it came.
fn charts(run: &LiveRun) -> String {
    let edit =
        |line: &serde_json::Value| serde_json::from_value::<document::Edit>(line.clone()).ok();
    let edits = run.edits.iter().filter_map(edit).collect();
    page::charts(&Course::so_far(
        &run.intervals,
        SECOND,
        run.is_open_loop,
        Vec::new(),
        run.gauges.as_ref(),
        edits,
    ))
}

/// As long is an interval of a run that goes on.
const SECOND: f64 = 1.0;
