//! What the run is worth: its grade, the sentences in plain words, and the advice.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metrics::Summary;
use crate::plan::rating::{self, Set};

/// The grade by a set of measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// `default`, `api`, `web`, `stress`, or a file.
    pub set: String,
    /// `excellent`, `good`, `acceptable`, `poor` or `critical`: the worst of the measures. Null
    /// where the run is not to be graded.
    pub grade: Option<String>,
    /// Why there is no grade.
    pub why: Option<String>,
    pub measures: Vec<Mark>,
    /// Measures of the set that this run does not have.
    pub absent: Vec<Absent>,
}

/// One measure and what it is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// As a threshold names it.
    pub measure: String,
    /// Of a latency: `response` (from when it was due), `service` (from when it was sent), or the
    /// row that the measure names. Else null.
    pub of: Option<String>,
    /// What was measured, in `unit`.
    pub value: f64,
    /// `s`, `share`, `count`, `per_s`, or the unit of the gauge.
    pub unit: String,
    /// The value is that or more.
    pub lower_bound: bool,
    pub grade: String,
    pub limits: Limits,
}

/// What each grade asks for; null: it is not given by this measure. What meets none is poor, or
/// critical where `poor` has a limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    pub excellent: Option<Limit>,
    pub good: Option<Limit>,
    pub acceptable: Option<Limit>,
    pub poor: Option<Limit>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// `<`, `<=`, `>` or `>=`.
    pub op: String,
    /// In the unit of the measure.
    pub value: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Absent {
    pub measure: String,
    pub why: String,
}

/// One thing that can be said of the run, with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sentence {
    /// In a few words: `stable`.
    pub short: String,
    pub text: String,
}

/// What may be done about a sign of trouble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Advice {
    /// A stable name: a warning's code, a limit of the verdict, or one of its own.
    pub sign: String,
    /// The figures that show it.
    pub evidence: String,
    pub cause: String,
    pub remedy: String,
}

impl Rating {
    pub(super) fn new(set: &Set, summary: &Summary) -> Rating {
        let rated = set.rate(summary);
        let absent = |absent: rating::Absent| Absent { measure: absent.measure, why: absent.why };
        Rating {
            set: set.name.clone(),
            grade: rated.grade.map(|grade| grade.name().to_string()),
            why: rated.why,
            measures: rated.marks.into_iter().map(|mark| Mark::new(mark, summary)).collect(),
            absent: rated.absent.into_iter().map(absent).collect(),
        }
    }

    /// The measures of a grade.
    pub fn of_grade<'a>(&'a self, grade: &'a str) -> impl Iterator<Item = &'a Mark> {
        self.measures.iter().filter(move |mark| mark.grade == grade)
    }
}

impl Mark {
    fn new(mark: rating::Mark, summary: &Summary) -> Mark {
        let (scale, unit) = in_seconds(mark.unit);
        let of = |grade: rating::Grade| {
            let limit = mark.limits.iter().find(|limit| limit.grade == grade)?;
            Some(Limit { op: limit.op().to_string(), value: limit.value() / scale })
        };
        Mark {
            of: mark.row.map(|row| side(row, summary).to_string()),
            value: mark.value / scale,
            unit: unit.to_string(),
            lower_bound: mark.lower_bound,
            grade: mark.grade.name().to_string(),
            limits: Limits {
                excellent: of(rating::Grade::Excellent),
                good: of(rating::Grade::Good),
                acceptable: of(rating::Grade::Acceptable),
                poor: of(rating::Grade::Poor),
            },
            measure: mark.measure,
        }
    }
}

impl Limits {
    /// From the strictest on, with the grade that each is for.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Limit)> {
        let all = [
            ("excellent", &self.excellent),
            ("good", &self.good),
            ("acceptable", &self.acceptable),
            ("poor", &self.poor),
        ];
        all.into_iter().filter_map(|(grade, limit)| Some((grade, limit.as_ref()?)))
    }
}

/// What a value is divided by, and its unit then.
fn in_seconds(unit: &'static str) -> (f64, &'static str) {
    if unit == "us" { (1e6, "s") } else { (1.0, unit) }
}

/// Times of a closed loop are counted from the send: they are the server's, and no user's.
fn side(row: &'static str, summary: &Summary) -> &'static str {
    match (row, summary.mode) {
        ("response" | "good_only", crate::metrics::Mode::Closed) => "service",
        ("response" | "good_only", crate::metrics::Mode::Open) => "response",
        (row, _) => row,
    }
}
