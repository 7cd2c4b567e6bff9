//! Whether a rule holds.
//!
//! A rule that cannot be told does not hold: not without samples, not with too few of them for
//! its quantile. Where errors leave only a lower bound (they rank above every good answer), `>`
//! and `>=` hold if the bound alone proves them, and nothing else does.

use super::table::{self, Read, Statistic, What};
use super::{Figures, Gauge, Threshold, Unit};
use crate::metrics::histogram::SUPPORT;
use crate::metrics::{Distribution, Reading, Summary};

/// How a rule came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub expr: String,
    /// What was measured, in `unit`; `None` where it cannot be told.
    pub value: Option<f64>,
    pub unit: Unit,
    /// The value is that or more.
    pub lower_bound: bool,
    pub ok: bool,
    /// Why it does not hold, where the value alone does not say it.
    pub why: Option<String>,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Value {
    number: f64,
    lower_bound: bool,
}

type Measured = Result<Value, String>;

impl Threshold {
    /// Over a whole run, or the stage or the request of it that the rule names.
    pub fn judge(&self, summary: &Summary) -> Outcome {
        if let Some(name) = &self.name {
            return match summary.names.iter().find(|row| row.name == *name) {
                Some(row) => self.over(&Figures::of_name(summary, row)),
                None => self.unmeasured("no request has that name"),
            };
        }
        let Some(stage) = self.stage else { return self.over(&Figures::of_run(summary)) };
        match summary.stages.get(stage) {
            Some(stage) => self.over(&Figures::of_stage(summary.mode, stage)),
            None => self.unmeasured("the run ended before that stage"),
        }
    }

    fn unmeasured(&self, why: &str) -> Outcome {
        let (expr, unit, why) = (self.expr.clone(), self.unit, Some(why.to_string()));
        Outcome { expr, value: None, unit, lower_bound: false, ok: false, why }
    }

    pub fn over(&self, figures: &Figures) -> Outcome {
        if self.baseline.is_some_and(|baseline| baseline.known.is_none()) {
            return self.unmeasured("there was no baseline to compare with");
        }
        let measured = self.measure(figures);
        let value = measured.as_ref().ok();
        let lower_bound = value.is_some_and(|value| value.lower_bound);
        let ok = value.is_some_and(|value| match value.lower_bound {
            true => self.op.is_proved_by(value.number, self.limit),
            false => self.op.holds(value.number, self.limit),
        });
        let bound = "a lower bound: it fell among the errors";
        let why = match &measured {
            Err(why) => Some(why.clone()),
            Ok(_) => (lower_bound && !ok).then(|| bound.to_string()),
        };
        let (expr, value) = (self.expr.clone(), value.map(|value| value.number));
        Outcome { expr, value, unit: self.unit, lower_bound, ok, why }
    }

    fn measure(&self, figures: &Figures) -> Measured {
        match &self.what {
            What::Latency(row, statistic) => of_row(&(row.read)(figures), *statistic),
            What::Total(total) => self.of_read((total.read)(figures)),
            What::Failures(kind) => self.of_read(table::failures(figures, *kind)),
            What::Rejections(kind) => self.of_read(table::rejections(figures, *kind)),
            What::Check(name) => self.of_read(table::of_check(figures, name)),
            What::Gauge(gauge) => of_gauge(figures, gauge),
        }
    }

    fn of_read(&self, read: Read) -> Measured {
        let number = match (read, self.unit) {
            (Read::Part(_, 0), _) => return Err("there were no requests".to_string()),
            (Read::Part(part, _), Unit::Count) => Some(part as f64),
            (Read::Part(part, of), _) => Some(part as f64 / of as f64),
            (Read::Number(number), _) => number,
        };
        let number = number.ok_or("there was nothing to tell it from")?;
        Ok(Value { number, lower_bound: false })
    }
}

fn of_gauge(figures: &Figures, gauge: &Gauge) -> Measured {
    let number = figures.run.and_then(|run| gauge.figure(run));
    let number = number.ok_or("it was not read in the measured time")?;
    Ok(Value { number, lower_bound: false })
}

fn of_row(row: &Distribution, statistic: Statistic) -> Measured {
    let reading = match statistic {
        Statistic::Quantile(q) => row.quantile(q),
        Statistic::Mean => row.mean(),
        Statistic::Min => row.min(),
        Statistic::Max => row.max(),
        Statistic::Stdev => stdev(row),
    };
    let reading = reading.ok_or_else(|| untold(row, statistic))?;
    let lower_bound = matches!(reading, Reading::AtLeast(_));
    Ok(Value { number: reading.value().as_micros_f64(), lower_bound })
}

/// Times that are longer than is known may lie closer together as well as further apart: not even
/// a bound remains.
fn stdev(row: &Distribution) -> Option<Reading> {
    let is_known = row.count() > 0 && row.censored() == 0;
    is_known.then(|| Reading::Exact(row.histogram().stdev()))
}

/// Why there is no reading.
fn untold(row: &Distribution, statistic: Statistic) -> String {
    match (row.count(), statistic) {
        (0, _) => "there were no samples".to_string(),
        (_, Statistic::Stdev) => "not all was answered well, so it is not known".to_string(),
        (count, _) => format!("too few samples: of {count}, {SUPPORT} must lie above it"),
    }
}
