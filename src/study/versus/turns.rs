//! The rounds: in each, every tool once, in an order that changes from round to round, so that none
//! always runs behind the same one or on the same state of the host.

use std::path::PathBuf;

use super::{Job, Said, Task, Tool};
use crate::time::Nanos;

/// Carries out a run of a program, and sees what the server says of it.
pub trait Bench {
    fn run(&mut self, contender: &Contender, job: &Job) -> Ending;
}

/// One of those that run.
#[derive(Debug)]
pub struct Contender {
    pub name: String,
    pub tool: &'static Tool,
    pub program: PathBuf,
    pub version: Option<String>,
    /// Words of its own, in the tool's place: `{url}`, `{address}`, `{connections}`, `{seconds}`,
    /// `{rate}` stand for the load.
    pub template: Option<Vec<String>>,
}

impl Contender {
    /// `None`: it has no such loop.
    pub fn job(&self, task: &Task) -> Option<Job> {
        let Some(template) = &self.template else { return self.tool.job(task) };
        let fields = [
            ("{url}", task.url()),
            ("{address}", format!("{}:{}", task.url.host, task.url.port)),
            ("{connections}", task.connections.to_string()),
            ("{seconds}", task.seconds.to_string()),
            ("{rate}", task.rate().to_string()),
        ];
        let filled = |word: &String| {
            fields.iter().fold(word.clone(), |word, (field, value)| word.replace(field, value))
        };
        Some(Job::of(template.iter().map(filled)))
    }
}

pub enum Ending {
    Ran(Box<Ran>),
    /// What it said or how it ended, as a sentence without its end.
    Failed(String),
    /// The user wants no more.
    Cut,
}

/// A run that came to its end.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    pub text: String,
    /// Why its result may be none: how it ended, where that was not well.
    pub complaint: Option<String>,
    /// The last line that it wrote, without secrets.
    pub last_words: Option<String>,
    /// User and system time of the program and of all that it started and waited for.
    pub cpu: Nanos,
    /// Of the largest of them.
    pub max_rss_bytes: u64,
    pub wall: Nanos,
    pub seen: Seen,
}

/// What the server's side says of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// Requests that it read, or lines of its log.
    pub requests: Option<u64>,
    /// Of the time: the busiest of its threads, or all of them.
    pub busy: Option<f64>,
    /// What its log grew by: lines that end in a time. `None`: there is no log.
    pub logged: Option<u64>,
    /// By its own log.
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
}

/// What was measured of one tool in a round.
#[derive(Clone, Debug)]
pub struct Measured {
    /// From 1.
    pub round: u64,
    /// Of the contenders.
    pub at: usize,
    pub said: Said,
    pub ran: Ran,
}

/// Up to the end, or to where it was interrupted.
#[derive(Debug, Default)]
pub struct Turns {
    pub runs: Vec<Measured>,
    /// By contender.
    pub failures: Vec<Option<Failure>>,
    pub complete: bool,
}

/// It runs no more after that.
#[derive(Clone, Debug)]
pub struct Failure {
    pub round: u64,
    pub why: String,
}

/// `tell` hears of each run before it begins: the round and the name.
pub fn take_turns(
    bench: &mut dyn Bench,
    contenders: &[Contender],
    task: &Task,
    rounds: u64,
    tell: &mut dyn FnMut(u64, &str),
) -> Turns {
    let mut turns = Turns { failures: vec![None; contenders.len()], ..Turns::default() };
    for round in 1..=rounds {
        for at in order(round, contenders.len()) {
            let contender = &contenders[at];
            let Some(job) = contender.job(task) else { continue };
            if turns.failures[at].is_some() {
                continue;
            }
            tell(round, &contender.name);
            let read = match bench.run(contender, &job) {
                Ending::Cut => return turns,
                Ending::Failed(why) => Err(why),
                Ending::Ran(ran) => {
                    read(contender, *ran).map(|(said, ran)| Measured { round, at, said, ran })
                }
            };
            match read {
                Ok(measured) => turns.runs.push(measured),
                Err(why) => turns.failures[at] = Some(Failure { round, why }),
            }
        }
    }
    turns.complete = true;
    turns
}

/// What it wrote last explains more than that its output is none.
fn read(contender: &Contender, ran: Ran) -> Result<(Said, Ran), String> {
    let because = |why: String| {
        let why = ran.complaint.clone().unwrap_or(why);
        ran.last_words.as_ref().map_or(why.clone(), |words| format!("{why}; it said: {words}"))
    };
    match (contender.tool.read)(&ran.text) {
        Ok(said) if said.completed > 0 => Ok((said, ran)),
        Ok(_) => Err(because("it completed no request".to_string())),
        Err(why) => Err(because(why)),
    }
}

/// Every other round goes backwards, and after two each begins one further.
fn order(round: u64, count: usize) -> Vec<usize> {
    let first = round.saturating_sub(1) as usize / 2;
    let mut order: Vec<usize> = (0..count).map(|at| (at + first) % count).collect();
    if round.is_multiple_of(2) {
        order.reverse();
    }
    order
}
