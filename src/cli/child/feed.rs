//! The run as it goes, as lines for the panel and rows for the history. Called on the control thread,
//! where it formats what a second came to and hands it over; the workers never see it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use super::wire::Wire;
use crate::cli::save::Recorder;
use crate::cli::study::Status;
use crate::engine::Progress;
use crate::engine::helm::Helm;
use crate::error::Result;
use crate::metrics::{Edit, Gauges, Level, Phase};
use crate::report::ndjson::Course;
use crate::report::{Document, live_names};
use crate::time::Nanos;

#[derive(Clone)]
pub struct Feed(Arc<Shared>);

struct Shared {
    wire: Wire,
    helm: Arc<Helm>,
    /// Warm-up and measure.
    length: Nanos,
    state: Mutex<State>,
}

struct State {
    course: Course,
    phase: &'static str,
    /// `None`: it was closed.
    recorder: Option<Recorder>,
}

impl Feed {
    pub fn new(wire: Wire, recorder: Recorder, length: Nanos) -> Feed {
        let (course, recorder) = (Course::default(), Some(recorder));
        let state = Mutex::new(State { course, phase: "", recorder });
        Feed(Arc::new(Shared { wire, helm: Arc::default(), length, state }))
    }

    pub fn helm(&self) -> Arc<Helm> {
        self.0.helm.clone()
    }

    /// `read` gives what was read beside the load after one time and up to another.
    pub fn show(&self, progress: &Progress, read: impl FnOnce(Nanos, Nanos) -> Gauges) {
        match progress {
            Progress::Connecting { .. } => self.phase("connecting", 0.0),
            Progress::Starting { .. } => {
                let is_warmed_up = self.0.helm.reach().measure != self.0.helm.reach().origin;
                self.phase(if is_warmed_up { "warmup" } else { "measure" }, 0.0);
            }
            Progress::Interval { interval, .. } => {
                let (readings, line) = {
                    let mut state = self.state();
                    let lines = state.course.interval(interval, read);
                    if let Some(recorder) = &mut state.recorder {
                        recorder.interval(interval);
                    }
                    lines
                };
                self.0.wire.tell_lines(readings);
                self.0.wire.tell_lines(line);
                self.phase(name_of(interval.phase), interval.end.as_secs_f64());
            }
            Progress::Names { at, rows, all } => {
                self.0.wire.tell_lines(live_names::line(*at, rows, all) + "\n");
            }
            Progress::Edited { edit } => self.tell_edit(edit),
            Progress::EditRefused { why, who } => self.0.wire.tell(&json!({
                "type": "warning",
                "code": "order_refused",
                "text": format!("the change that {who} asked for was not made: {why}"),
                "hint": "the run goes on as it was",
            })),
            Progress::Look { .. } | Progress::Slice { .. } => {}
        }
    }

    /// Of a study, which says how far it is in words.
    pub fn status(&self) -> Status {
        let wire = self.0.wire.clone();
        Status::Told(Box::new(move |text| wire.tell(&json!({"type": "log", "text": text}))))
    }

    /// Told when it changes.
    pub fn phase(&self, phase: &'static str, t_s: f64) {
        let before = std::mem::replace(&mut self.state().phase, phase);
        if before != phase {
            let of_s = self.0.length.as_secs_f64();
            self.0.wire.tell(&json!({"type": "phase", "phase": phase, "t_s": t_s, "of_s": of_s}));
        }
    }

    /// The load is over: what is left, what to look at, and the headline.
    pub fn over(&self, document: &Document) {
        let (readings, last) = self.state().course.end(document);
        self.0.wire.tell_lines(readings);
        for warning in &document.warnings {
            let (code, text, hint) = (&warning.code, &warning.text, &warning.hint);
            let line = json!({"type": "warning", "code": code, "text": text, "hint": hint});
            self.0.wire.tell(&line);
        }
        self.0.wire.tell_lines(last);
    }

    /// What keeps the row in the history; it is to be closed.
    pub fn recorder(&self) -> Option<Recorder> {
        self.state().recorder.take()
    }

    pub fn set_rate(&self, per_s: f64, who: &str) -> Result<()> {
        self.0.helm.set_rate(per_s, who)
    }

    pub fn set_users(&self, count: u32, who: &str) -> Result<()> {
        self.0.helm.set_users(count, who)
    }

    fn tell_edit(&self, edit: &Edit) {
        let (what, value) = match edit.level {
            Level::Rate(per_s) => ("rate_per_s", json!(per_s)),
            Level::Users(count) => ("users", json!(count)),
        };
        let t_s = edit.at.as_secs_f64();
        self.0.wire.tell(&json!({"type": "edit", "t_s": t_s, what: value, "who": edit.who}));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name_of(phase: Phase) -> &'static str {
    match phase {
        Phase::Warmup => "warmup",
        Phase::Measure => "measure",
        Phase::Drain | Phase::Aside => "drain",
    }
}

/// Two are the same if they are one.
impl PartialEq for Feed {
    fn eq(&self, other: &Feed) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Feed")
    }
}
