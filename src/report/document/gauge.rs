//! What was read beside the load.

use serde::{Deserialize, Serialize};

use super::rounded;
use crate::metrics::{self, Course, Summary};
use crate::time::Nanos;

/// A table: a row a reading, a column a gauge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gauges {
    /// From one reading to the next.
    pub step_s: f64,
    /// When each row was read, from the start of warm-up.
    pub t_s: Vec<f64>,
    pub series: Vec<Gauge>,
}

/// One gauge: over measure, and reading by reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gauge {
    pub name: String,
    /// `percent`, `bytes`, `bytes_per_s`, `per_s`, `count` or `number`.
    pub unit: String,
    /// Of measure, as are the next four; null where it was not read in that time.
    pub min: Option<f64>,
    pub mean: Option<f64>,
    pub max: Option<f64>,
    pub last: Option<f64>,
    /// By least squares, in the unit.
    pub growth_per_min: Option<f64>,
    /// As many as in `t_s`; null: not read then.
    pub values: Vec<Option<f64>>,
}

/// Digits after the point of any reading.
const DIGITS: i32 = 3;

impl Gauges {
    pub(super) fn of(summary: &Summary) -> Option<Gauges> {
        let start = summary.warmup_length;
        let of = |gauges| Gauges::within(gauges, start, start + summary.measured);
        summary.gauges.as_ref().map(of)
    }

    /// All readings, and how each gauge went from one instant to another.
    pub(in crate::report) fn within(gauges: &metrics::Gauges, from: Nanos, to: Nanos) -> Gauges {
        Gauges::new(gauges, |name| gauges.course(name, from, to))
    }

    /// Rows alone: of what is still going on, nothing is said over measure.
    pub(in crate::report) fn rows(gauges: &metrics::Gauges) -> Gauges {
        Gauges::new(gauges, |_| None)
    }

    fn new(gauges: &metrics::Gauges, course: impl Fn(&str) -> Option<Course>) -> Gauges {
        let series = gauges.columns.iter().map(|column| {
            let course = course(&column.label.name);
            let figure = |of: fn(&Course) -> f64| course.as_ref().map(|c| rounded(of(c), DIGITS));
            Gauge {
                name: column.label.name.clone(),
                unit: column.label.unit.name().to_string(),
                min: figure(|course| course.min),
                mean: figure(|course| course.mean),
                max: figure(|course| course.max),
                last: figure(|course| course.last),
                growth_per_min: figure(|course| course.growth_per_min),
                values: column.values.iter().map(|v| v.map(|v| rounded(v, DIGITS))).collect(),
            }
        });
        Gauges {
            step_s: gauges.step.as_secs_f64(),
            t_s: gauges.at.iter().copied().map(Nanos::as_secs_f64).map(|t| rounded(t, 6)).collect(),
            series: series.collect(),
        }
    }

    pub fn gauge(&self, name: &str) -> Option<&Gauge> {
        self.series.iter().find(|gauge| gauge.name == name)
    }
}

/// A log, and the lines of it that were counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchedLog {
    pub file: String,
    /// What a line had to hold; null: every line counts.
    pub regex: Option<String>,
    /// From before the connections opened to the end of the run.
    pub lines: u64,
    /// At most ten of them, each cut to 400 bytes.
    pub first: Vec<LogLine>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was seen, from the start of warm-up.
    pub t_s: f64,
    pub line: String,
}

impl WatchedLog {
    pub(super) fn new(log: &metrics::WatchedLog) -> WatchedLog {
        let line = |(at, line): &(Nanos, String)| LogLine {
            t_s: rounded(at.as_secs_f64(), DIGITS),
            line: line.clone(),
        };
        WatchedLog {
            file: log.file.clone(),
            regex: log.regex.clone(),
            lines: log.lines,
            first: log.first.iter().map(line).collect(),
        }
    }
}
