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
        let series = gauges.columns.iter().map(|column| {
            let course = gauges.course(&column.label.name, from, to);
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
