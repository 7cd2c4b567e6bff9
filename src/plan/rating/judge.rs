//! The marks of a run, and its grade: the worst of them.
//!
//! A run that was cut short, whose books do not balance, or in which blast was the limit has no
//! grade: its figures are not the server's.

use super::limit::Measured;
use super::{Grade, Limit, Measure, Set};
use crate::metrics::{Limit as Bound, Summary};
use crate::plan::mask::mask_query;

/// What a set says of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Rated {
    pub grade: Option<Grade>,
    /// Why there is no grade.
    pub why: Option<String>,
    /// In the order of the set.
    pub marks: Vec<Mark>,
    pub absent: Vec<Absent>,
}

/// What one measure is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub measure: String,
    /// Of a latency: the row of the table that it stands in.
    pub row: Option<&'static str>,
    pub value: f64,
    pub unit: &'static str,
    /// The value is that or more.
    pub lower_bound: bool,
    pub grade: Grade,
    pub limits: Vec<Limit>,
}

/// A measure that this run does not have.
#[derive(Clone, Debug, PartialEq)]
pub struct Absent {
    pub measure: String,
    pub why: String,
}

impl Set {
    pub fn rate(&self, summary: &Summary) -> Rated {
        if let Some(why) = unfit(summary) {
            let why = Some(why.to_string());
            return Rated { grade: None, why, marks: Vec::new(), absent: Vec::new() };
        }
        let (mut marks, mut absent) = (Vec::new(), Vec::new());
        for measure in &self.measures {
            match measure.mark(summary) {
                Ok(mark) => marks.push(mark),
                Err(why) => absent.push(Absent { measure: measure.shown(), why }),
            }
        }
        let grade = marks.iter().map(|mark| mark.grade).max();
        let why = grade.is_none().then(|| "none of its measures was taken".to_string());
        Rated { grade, why, marks, absent }
    }
}

/// Why the run is not to be graded.
fn unfit(summary: &Summary) -> Option<&'static str> {
    let bound = summary.verdict.limit;
    if summary.aborted.is_some() {
        Some("a rule ended the run before its time")
    } else if !summary.complete {
        Some("the run was interrupted")
    } else if !summary.audit.ok() {
        Some("the audit failed")
    } else if bound == Bound::ClientCpu {
        Some("blast was the limit, and not the server")
    } else if bound.is_generator() {
        Some("this host was the limit, and not the server")
    } else {
        None
    }
}

impl Measure {
    /// Its name, but for what may be secret in the query of a request's name.
    fn shown(&self) -> String {
        let of_name = self.limits.first().and_then(|limit| limit.rule().name());
        of_name.map_or(self.name.clone(), |name| self.name.replace(name, &mask_query(name)))
    }

    fn mark(&self, summary: &Summary) -> Result<Mark, String> {
        let mut measured = Vec::new();
        for limit in &self.limits {
            measured.push((limit.grade, limit.measure(summary)?));
        }
        let grade = measured.iter().find(|(_, of)| of.holds).map(|(grade, _)| *grade);
        let grade = grade.unwrap_or(match measured.last() {
            Some((Grade::Poor, _)) => Grade::Critical,
            _ => Grade::Poor,
        });
        let first = measured.into_iter().next().map(|(_, of)| of);
        let Measured { value, unit, lower_bound, .. } = first.ok_or("it has no limits")?;
        let row = self.limits.first().and_then(|limit| limit.rule().row());
        let limits = self.limits.clone();
        Ok(Mark { measure: self.shown(), row, value, unit, lower_bound, grade, limits })
    }
}
