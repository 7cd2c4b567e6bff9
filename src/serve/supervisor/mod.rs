//! Runs as children of the panel: one at a time, each a process of the same binary. What becomes of
//! it, a crash, a hang or a kill, the panel lives on, and the row in the history is closed.
//!
//! ```text
//! child   one of them: started, listened to, ended when its time is over
//! log     what was told so far, for those who come late
//! follow  runs of this host's command lines, as the history has them
//! ```

mod child;
mod follow;
mod log;

use std::ffi::OsString;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::task::spawn_blocking;
use tokio_stream::{Stream, StreamExt, wrappers::BroadcastStream};

use super::aim::Aims;
use super::desk::{Desk, Prepared};
use super::job::Job;
use super::refusal::Refusal;
use crate::history::{Begun, History, Lock};
use crate::host::Cores;
use crate::plan::Limits;
use crate::plan::limits::Excess;
use child::{Run, Time};

pub use log::{Event, LiveRun, MOST_POINTS};

/// What is told of a run, as it comes.
pub type Events = Pin<Box<dyn Stream<Item = Event> + Send>>;

/// What is changed of a run that goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Edit {
    /// Requests per second.
    Rate(f64),
    Users(u32),
}

pub struct FloorSettings {
    /// This binary.
    pub program: PathBuf,
    pub history: PathBuf,
    pub limits: Limits,
    pub desk: Arc<dyn Desk>,
    pub aims: Aims,
    /// What a run has beyond its time until it is asked to end, and then until it is ended.
    pub patience: Duration,
    /// What a child has in its environment beside this process's own.
    pub environment: Vec<(OsString, OsString)>,
}

/// As a person is waited for.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Where runs are carried out.
#[derive(Clone)]
pub struct Floor(Arc<Inner>);

struct Inner {
    settings: FloorSettings,
    cores: Cores,
    state: Mutex<State>,
    /// Held from the look at the lock until the run is there.
    door: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// The run that goes on, or else the last one: who watches it sees its end.
    latest: Option<Arc<Run>>,
    is_closing: bool,
}

impl Floor {
    pub fn new(settings: FloorSettings) -> Floor {
        let (cores, state) = (Cores::of_this_process(), Mutex::default());
        Floor(Arc::new(Inner { settings, cores, state, door: tokio::sync::Mutex::new(()) }))
    }

    /// What a job would do; nothing is sent.
    pub async fn preview(&self, job: &Job) -> Result<Prepared, Refusal> {
        Ok(self.prepare(job).await?.0)
    }

    /// What it would do, and to which addresses. A name is looked up, and plans are read.
    async fn prepare(&self, job: &Job) -> Result<(Prepared, Vec<std::net::IpAddr>), Refusal> {
        let (inner, job) = (self.0.clone(), job.clone());
        let prepared = spawn_blocking(move || {
            let settings = &inner.settings;
            job.check()?;
            let aim = settings.aims.choose(&job.target, job.confirm.as_deref())?;
            let prepared = settings.desk.prepare(&job, &aim, &settings.limits)?;
            Ok((prepared, aim.addresses))
        });
        prepared.await.unwrap_or_else(|_| Err(broken()))
    }

    /// Returns the number of the run, which goes on by itself.
    pub async fn start(&self, job: Job, who: &str) -> Result<i64, Refusal> {
        if let Some(id) = self.current() {
            return Err(Refusal::busy(id));
        }
        let (prepared, addresses) = self.prepare(&job).await?;
        let _door = self.0.door.lock().await;
        if self.state().is_closing {
            return Err(Refusal::failed("the panel is ending; start it again"));
        }
        if let Some(id) = self.current() {
            return Err(Refusal::busy(id));
        }
        if let Some(held) = Lock::holder() {
            return Err(Refusal::busy(held.run));
        }
        let begun = Begun { started_by: who.to_string(), ..prepared.begun.clone() };
        let id = self.reserve(begun, job.note.clone(), who.to_string()).await?;
        let first = json!({
            "run": id,
            "history": self.0.settings.history,
            "words": prepared.words,
            "plan_text": prepared.plan_text,
            "limits": self.0.settings.limits,
            "addresses": addresses,
            "label": prepared.begun.label,
            "who": who,
        });
        let time = Time { ends_within: prepared.ends_within, patience: self.0.settings.patience };
        let is_open_loop = prepared.begun.rate_per_s.is_some();
        let mut command = std::process::Command::new(&self.0.settings.program);
        command.envs(self.0.settings.environment.iter().map(|(name, value)| (name, value)));
        self.0.cores.give_to(&mut command);
        self.0.cores.keep_off(&prepared.cores);
        let history = self.0.settings.history.clone();
        let started = Run::start(command, history, &first, (id, is_open_loop), time);
        match started {
            Ok(run) => {
                self.state().latest = Some(run.clone());
                let cores = self.0.cores.clone();
                tokio::spawn(async move {
                    run.wait().await;
                    cores.come_back();
                });
                Ok(id)
            }
            Err(refusal) => {
                self.0.cores.come_back();
                let reason = refusal.message.clone();
                self.history(move |history| history.fail(id, &reason)).await?;
                Err(refusal)
            }
        }
    }

    async fn reserve(
        &self,
        begun: Begun,
        note: Option<String>,
        who: String,
    ) -> Result<i64, Refusal> {
        self.history(move |history| {
            let id = history.reserve(&begun)?;
            if let Some(note) = &note {
                history.relabel(id, None, Some(note))?;
            }
            history.note_event(id, &who, "started")?;
            Ok(id)
        })
        .await
    }

    async fn history<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut History) -> crate::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let path = self.0.settings.history.clone();
        let done = spawn_blocking(move || act(&mut History::open(&path)?));
        Ok(done.await.map_err(|_| broken())??)
    }

    /// Asks it to drain and to end; its report is whole as far as it went.
    pub async fn stop(&self, id: i64, who: &str) -> Result<(), Refusal> {
        self.going_on(id)?.order(&json!({"do": "stop", "who": who}));
        Ok(())
    }

    pub async fn edit(&self, id: i64, edit: Edit, who: &str) -> Result<(), Refusal> {
        let run = self.going_on(id)?;
        let limits = &self.0.settings.limits;
        let (order, excess) = match edit {
            Edit::Rate(per_s) if per_s.is_nan() || per_s <= 0.0 => {
                return Err(Refusal::usage(
                    "rate_per_s",
                    "a rate is above 0",
                    "stop the run instead",
                ));
            }
            Edit::Users(0) => {
                return Err(Refusal::usage(
                    "users",
                    "somebody has to send",
                    "stop the run instead",
                ));
            }
            Edit::Rate(per_s) => {
                (json!({"do": "rate", "per_s": per_s, "who": who}), limits.excess_of_rate(per_s))
            }
            Edit::Users(count) => (
                json!({"do": "users", "count": count, "who": who}),
                limits.excess_of_workers(count),
            ),
        };
        if let Some(excess) = excess {
            let field = if matches!(edit, Edit::Rate(_)) { "rate_per_s" } else { "users" };
            return Err(over_limit(field, &excess));
        }
        run.order(&order);
        let (who, what) = (who.to_string(), words(edit));
        self.history(move |history| history.note_event(id, &who, &what)).await
    }

    /// The one that goes on.
    pub fn current(&self) -> Option<i64> {
        let state = self.state();
        state.latest.as_ref().filter(|run| !run.is_over()).map(|run| run.id)
    }

    /// All so far, or what came after that number, and then what comes.
    pub fn watch(&self, id: i64, after: Option<u64>) -> Result<Events, Refusal> {
        let Some(run) = self.run(id) else {
            return follow::follow(self.0.settings.history.clone(), id, after);
        };
        let (missed, receiver) = run.log().since(after.unwrap_or(0));
        let missed = tokio_stream::iter(missed);
        Ok(match receiver {
            None => Box::pin(missed),
            // Who is too slow is given no more: it comes again for what it missed.
            Some(receiver) => {
                let coming = BroadcastStream::new(receiver);
                Box::pin(missed.chain(coming.map_while(Result::ok)))
            }
        })
    }

    /// What is known of a run that goes on, or has just ended; of one that is no child of this panel
    /// what the history has of it.
    pub async fn live(&self, id: i64) -> Option<LiveRun> {
        if let Some(run) = self.run(id) {
            return Some(run.log().live());
        }
        let path = self.0.settings.history.clone();
        spawn_blocking(move || follow::live(&path, id)).await.ok()?
    }

    /// Ends what goes on, and stores it; nothing is started any more.
    pub async fn close(&self) {
        self.state().is_closing = true;
        // Whoever was at the door is through.
        drop(self.0.door.lock().await);
        let run = self.state().latest.clone();
        let Some(run) = run.filter(|run| !run.is_over()) else { return };
        run.order(&json!({"do": "stop", "who": "the panel, as it ended"}));
        if tokio::time::timeout(self.0.settings.patience, run.wait()).await.is_err() {
            run.kill();
            run.wait().await;
        }
    }

    fn run(&self, id: i64) -> Option<Arc<Run>> {
        self.state().latest.clone().filter(|run| run.id == id)
    }

    fn going_on(&self, id: i64) -> Result<Arc<Run>, Refusal> {
        let run = self.run(id).filter(|run| !run.is_over());
        run.ok_or_else(|| Refusal::not_going_on(id))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn over_limit(field: &str, excess: &Excess) -> Refusal {
    let (asked, limit) = excess.shown();
    Refusal::over_limit(field, &asked, &limit, excess.of.hint())
}

/// As it is kept.
fn words(edit: Edit) -> String {
    match edit {
        Edit::Rate(per_s) => format!("rate to {per_s}/s"),
        Edit::Users(count) => format!("users to {count}"),
    }
}

fn broken() -> Refusal {
    Refusal::failed("the panel met a bug of its own; please report what it printed")
}
