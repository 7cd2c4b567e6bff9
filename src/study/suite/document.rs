//! What came of it, as a document.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::order::{Course, Fault, Step, Visit};
use super::scaling;
use crate::error::Exit;
use crate::plan::suite::{Kind, Setting, Suite, Turn};
use crate::report::suite::{Figures, Problem, SCHEMA_NAME, Scaling, SuiteDocument, SuiteRun};
use crate::time::Nanos;

/// How the suite was asked for and went.
pub struct Told<'a> {
    pub file: &'a str,
    pub started_at: SystemTime,
    /// On the clock of the steps.
    pub began: Nanos,
    pub took: Nanos,
    /// Of the whole suite.
    pub files: Vec<String>,
}

pub fn document(suite: &Suite, course: &Course, told: Told) -> SuiteDocument {
    let runs = course.visits.iter().flat_map(|visit| {
        let steps = suite.turns.iter().zip(&visit.steps);
        steps.map(|(turn, step)| run(turn, &visit.setting, step, told.began))
    });
    let problems = course
        .visits
        .iter()
        .flat_map(|visit| visit.faults.iter().map(|fault| problem(fault, &visit.setting)));
    SuiteDocument {
        schema: SCHEMA_NAME.to_string(),
        blast_version: env!("CARGO_PKG_VERSION").to_string(),
        complete: course.complete,
        started_at: humantime::format_rfc3339_millis(told.started_at).to_string(),
        duration_s: told.took.as_secs_f64(),
        file: told.file.to_string(),
        exit_code: course.exit.code(),
        problems: problems.collect(),
        runs: runs.collect(),
        scaling: if suite.has_matrix() { scaling(suite, &course.visits) } else { Vec::new() },
        files: told.files,
    }
}

fn problem(fault: &Fault, setting: &Setting) -> Problem {
    Problem {
        part: fault.part.name().to_string(),
        setting: pairs(setting),
        text: fault.text.clone(),
        lines: fault.lines.clone(),
    }
}

fn pairs(setting: &Setting) -> BTreeMap<String, String> {
    setting.0.iter().cloned().collect()
}

fn run(turn: &Turn, setting: &Setting, step: &Step, start: Nanos) -> SuiteRun {
    let (times, figures, files, why) = match step {
        Step::Done { began, done } => {
            (Some((began, &done.ended)), Some(done.figures.clone()), done.files.clone(), None)
        }
        Step::Failed { began, ended, error } => {
            (Some((began, ended)), None, Vec::new(), Some(error.message.clone()))
        }
        Step::Skipped { why } => (None, None, Vec::new(), Some(why.clone())),
    };
    let since = |at: &Nanos| (*at - start).as_secs_f64();
    SuiteRun {
        name: turn.name.clone(),
        kind: kind(turn.kind).to_string(),
        setting: pairs(setting),
        setting_text: setting.shown(),
        outcome: outcome(step.exit()).to_string(),
        exit_code: step.exit().map(Exit::code),
        why,
        began_s: times.map(|(began, _)| since(began)),
        ended_s: times.map(|(_, ended)| since(ended)),
        figures,
        files,
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Run => "run",
        Kind::Ceiling => "ceiling",
    }
}

fn outcome(exit: Option<Exit>) -> &'static str {
    match exit {
        None => "skipped",
        Some(Exit::Done) => "passed",
        Some(Exit::Threshold) => "threshold",
        Some(Exit::Invalid) => "invalid",
        Some(Exit::Interrupted | Exit::Terminated) => "interrupted",
        Some(Exit::Failed | Exit::Usage) => "failed",
    }
}

/// Of each run whose rate is what the server could do, at some setting at least.
fn scaling(suite: &Suite, visits: &[Visit]) -> Vec<Scaling> {
    let of_turn = |(place, turn): (usize, &Turn)| {
        let rate = |visit: &Visit| match visit.steps.get(place) {
            Some(Step::Done { done, .. }) if is_whole(done.exit, &done.figures) => {
                done.figures.good_per_s
            }
            _ => None,
        };
        let rates: Vec<_> = visits.iter().map(|visit| (&visit.setting, rate(visit))).collect();
        rates.iter().any(|(_, rate)| rate.is_some()).then(|| Scaling {
            run: turn.name.clone(),
            figure: if turn.kind == Kind::Ceiling { "ceiling" } else { "good" }.to_string(),
            points: scaling::points(&rates),
        })
    };
    suite.turns.iter().enumerate().filter_map(of_turn).collect()
}

/// The rate of a run that was cut short says less than it seems to.
fn is_whole(exit: Exit, figures: &Figures) -> bool {
    figures.is_capacity() && !matches!(exit, Exit::Interrupted | Exit::Terminated)
}
