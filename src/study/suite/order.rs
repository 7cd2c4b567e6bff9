//! What comes after what. A setting of the matrix: the server is started and answers, the runs in
//! order with their pauses, the server is stopped. What is not made says why.

use crate::error::{Error, Exit};
use crate::plan::suite::{Setting, Suite};
use crate::report::suite::Figures;
use crate::time::Nanos;

/// Who starts servers and makes runs.
pub trait Hands {
    /// Starts the server, and waits until it answers.
    fn start(&mut self, setting: &Setting) -> Result<(), Fault>;

    /// The run of this place in the order.
    fn run(&mut self, turn: usize, setting: &Setting) -> Result<Done, Error>;

    /// Less, if the suite is to end.
    fn pause(&mut self, length: Nanos);

    /// Also where the start failed.
    fn stop(&mut self, setting: &Setting) -> Result<(), Fault>;

    /// The suite is to end, with this exit.
    fn ends(&self) -> Option<Exit>;

    fn now(&self) -> Nanos;
}

/// Something around the runs went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub part: Part,
    pub text: String,
    /// That may explain it.
    pub lines: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Before,
    Ready,
    After,
}

impl Part {
    pub fn name(self) -> &'static str {
        match self {
            Part::Before => "before",
            Part::Ready => "ready",
            Part::After => "after",
        }
    }
}

/// A run that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// When the load was over; its files are written after that.
    pub ended: Nanos,
    pub exit: Exit,
    pub figures: Figures,
    /// That it left in the suite's folder.
    pub files: Vec<String>,
}

/// What became of a run. Times are on the clock of [`Hands::now`].
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Done { began: Nanos, done: Box<Done> },
    Failed { began: Nanos, ended: Nanos, error: Error },
    Skipped { why: String },
}

impl Step {
    /// `None`: it was not made.
    pub fn exit(&self) -> Option<Exit> {
        match self {
            Step::Done { done, .. } => Some(done.exit),
            Step::Failed { error, .. } => Some(error.exit),
            Step::Skipped { .. } => None,
        }
    }
}

/// The runs of one setting, as many as the suite has.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    pub setting: Setting,
    pub faults: Vec<Fault>,
    pub steps: Vec<Step>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    pub visits: Vec<Visit>,
    /// The worst of all.
    pub exit: Exit,
    pub complete: bool,
}

pub fn carry_out(suite: &Suite, hands: &mut dyn Hands) -> Course {
    let visits: Vec<Visit> =
        suite.settings.iter().map(|setting| visit(suite, setting, hands)).collect();
    let of_visit = |visit: &Visit| {
        let fault = visit.faults.first().map(|_| Exit::Failed);
        visit.steps.iter().filter_map(Step::exit).chain(fault).fold(Exit::Done, worse)
    };
    let of_runs = visits.iter().map(of_visit).fold(Exit::Done, worse);
    let ends = hands.ends();
    Course { visits, exit: worse(of_runs, ends.unwrap_or(Exit::Done)), complete: ends.is_none() }
}

/// DESIGN 6: 130 or 143, then 1, 4, 3, 0. Usage is told before anything is run.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit: Exit| match exit {
        Exit::Interrupted | Exit::Terminated => 5,
        Exit::Usage => 4,
        Exit::Failed => 3,
        Exit::Invalid => 2,
        Exit::Threshold => 1,
        Exit::Done => 0,
    };
    if rank(other) > rank(one) { other } else { one }
}

fn visit(suite: &Suite, setting: &Setting, hands: &mut dyn Hands) -> Visit {
    let all_skipped = |why: &str| -> Vec<Step> {
        suite.turns.iter().map(|_| Step::Skipped { why: why.to_string() }).collect()
    };
    if hands.ends().is_some() {
        let steps = all_skipped(INTERRUPTED);
        return Visit { setting: setting.clone(), faults: Vec::new(), steps };
    }
    let started = hands.start(setting);
    let steps = match (&started, hands.ends()) {
        (_, Some(_)) => all_skipped(INTERRUPTED),
        (Ok(()), None) => runs(suite, setting, hands),
        (Err(Fault { part: Part::Ready, .. }), None) => all_skipped("the server did not answer"),
        (Err(_), None) => all_skipped("the server was not started"),
    };
    // A start that was cut short is no fault of the server's.
    let started = if hands.ends().is_some() { None } else { started.err() };
    let stopped = hands.stop(setting).err();
    let faults = started.into_iter().chain(stopped).collect();
    Visit { setting: setting.clone(), faults, steps }
}

const INTERRUPTED: &str = "the suite was interrupted";

fn runs(suite: &Suite, setting: &Setting, hands: &mut dyn Hands) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut ends_here: Option<String> = None;
    for (place, turn) in suite.turns.iter().enumerate() {
        if hands.ends().is_some() {
            ends_here.get_or_insert_with(|| INTERRUPTED.to_string());
        }
        if let Some(why) = &ends_here {
            steps.push(Step::Skipped { why: why.clone() });
            continue;
        }
        let began = hands.now();
        let outcome = hands.run(place, setting);
        let step = match outcome {
            Ok(done) => Step::Done { began, done: Box::new(done) },
            Err(error) => Step::Failed { began, ended: hands.now(), error },
        };
        if turn.required && step.exit() != Some(Exit::Done) {
            ends_here = Some(format!("{} is required and did not pass", turn.name));
        } else if place + 1 < suite.turns.len() && turn.pause > Nanos::ZERO {
            hands.pause(turn.pause);
        }
        steps.push(step);
    }
    steps
}
