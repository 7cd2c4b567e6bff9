//! What a job means: found out before anything is sent. The command line implements it, which alone
//! knows how its words are meant.

use std::time::Duration;

use super::aim::Aim;
use super::job::Job;
use super::refusal::Refusal;
use crate::history::Begun;
use crate::plan::Limits;

pub trait Desk: Send + Sync {
    /// The words of a run, meant, and within these limits; nothing is sent.
    fn prepare(&self, job: &Job, aim: &Aim, limits: &Limits) -> Result<Prepared, Refusal>;
}

/// A job, meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prepared {
    /// Of a command line, the program's name left out. They may hold secrets: they go to the child's
    /// stdin and nowhere else.
    pub words: Vec<String>,
    /// What stands for stdin in them: the plan, where it has no file.
    pub plan_text: Option<String>,
    /// To copy; no secrets.
    pub command: String,
    /// "6,000 requests over 60 s, at most 100/s, 10 connections".
    pub sentence: String,
    pub begun: Begun,
    /// All of it: connections, warm-up, measure, drain.
    pub ends_within: Duration,
    /// A closed loop has the highest rate as its cap, said.
    pub caps: Option<String>,
    /// Where its workers will sit, as far as that is known.
    pub cores: Vec<usize>,
}
