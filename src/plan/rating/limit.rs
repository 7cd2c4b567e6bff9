//! One limit: what has to hold for a grade.
//!
//! ```text
//! limit = [ "<" | "<=" | ">" | ">=" ] value      "500ms"   ">99%"   70
//! ```
//!
//! Without an operator the better way is meant: at least, of success, efficiency and rates; at
//! most, of all else. What thresholds know is judged by their table; the rest are gauges, over
//! measure, the mean unless another figure is named.

use super::Grade;
use crate::address::Address;
use crate::error::Result;
use crate::metrics::{Course, Mode, Summary};
use crate::plan::Threshold;
use crate::units::{parse_amount, quote};

/// Longer ones before those that they begin with.
const OPERATORS: [&str; 4] = ["<=", ">=", "<", ">"];

/// What names of gauges begin with.
const FAMILIES: [&str; 5] = ["host.", "server.", "sample.", "scrape.", "log."];

/// The gauge that is a family of its own.
const POOL: &str = "pool";

/// How a figure of a gauge is read.
type Read = fn(&Course) -> f64;

/// Of a gauge over measure, by the name that stands behind it.
const FIGURES: [(&str, Read); 5] = [
    (".min", |course| course.min),
    (".mean", |course| course.mean),
    (".max", |course| course.max),
    (".last", |course| course.last),
    (".growth_per_min", |course| course.growth_per_min),
];

#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// What it is the limit of.
    pub grade: Grade,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Rule(Threshold),
    Gauge(OfGauge),
}

/// A rule over a gauge.
#[derive(Clone, Debug, PartialEq)]
struct OfGauge {
    gauge: String,
    /// Place among `FIGURES`.
    figure: usize,
    op: &'static str,
    /// In the unit of the gauge.
    limit: f64,
    /// It was written with `%`, which only a gauge in percent is compared with.
    percent: bool,
}

/// What was measured, and whether that is within the limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub value: f64,
    pub unit: &'static str,
    /// It is that or more.
    pub lower_bound: bool,
    pub holds: bool,
}

impl Limit {
    /// A limit of that measure. What is wrong is a sentence fit to follow the place it stands at.
    pub fn parse(measure: &str, grade: Grade, text: &str) -> std::result::Result<Limit, String> {
        let text = text.trim();
        let op = OPERATORS.into_iter().find(|op| text.starts_with(op));
        let value = text[op.map_or(0, str::len)..].trim_start();
        if value.starts_with(['=', '!', '<', '>']) {
            return Err(format!(
                "{} compares with no operator of a limit; write `<`, `<=`, `>` or `>=`, or leave \
                 it away",
                quote(text)
            ));
        }
        let kind = match is_gauge(measure) {
            true => Kind::Gauge(OfGauge::parse(measure, op.unwrap_or("<="), value)?),
            false => Kind::Rule(rule(measure, op, value)?),
        };
        Ok(Limit { grade, kind })
    }

    /// The rule, where it is one that thresholds know.
    pub fn rule(&self) -> Option<&Threshold> {
        match &self.kind {
            Kind::Rule(rule) => Some(rule),
            Kind::Gauge(_) => None,
        }
    }

    pub fn op(&self) -> &'static str {
        match &self.kind {
            Kind::Rule(rule) => rule.op(),
            Kind::Gauge(gauge) => gauge.op,
        }
    }

    /// In the unit of what is measured.
    pub fn value(&self) -> f64 {
        match &self.kind {
            Kind::Rule(rule) => rule.limit(),
            Kind::Gauge(gauge) => gauge.limit,
        }
    }

    /// Whether this one, of a worse grade, asks for no more than `stricter` does; `Err`: they
    /// cannot be compared.
    pub fn is_wider_than(&self, stricter: &Limit) -> std::result::Result<bool, &'static str> {
        let is_same = match (&self.kind, &stricter.kind) {
            (Kind::Rule(one), Kind::Rule(other)) => one.measures_as(other),
            (Kind::Gauge(one), Kind::Gauge(other)) => one.percent == other.percent,
            _ => false,
        };
        if !is_same {
            return Err("is in another unit than the limit before it; write both in one");
        }
        let is_upward = self.op().starts_with('>');
        if is_upward != stricter.op().starts_with('>') {
            return Err("points the other way than the limit before it; write one way for all");
        }
        Ok(match is_upward {
            true => self.value() <= stricter.value(),
            false => self.value() >= stricter.value(),
        })
    }

    /// `Err`: why the run does not have the figure.
    pub fn measure(&self, summary: &Summary) -> std::result::Result<Measured, String> {
        match &self.kind {
            Kind::Rule(rule) => of_rule(rule, summary),
            Kind::Gauge(gauge) => gauge.measure(summary),
        }
    }
}

fn of_rule(rule: &Threshold, summary: &Summary) -> std::result::Result<Measured, String> {
    if summary.mode == Mode::Closed && rule.check_closed_loop().is_err() {
        return Err("a closed loop has no schedule".to_string());
    }
    let outcome = rule.judge(summary);
    let (unit, lower_bound) = (outcome.unit.name(), outcome.lower_bound);
    match outcome.value {
        Some(value) => Ok(Measured { value, unit, lower_bound, holds: outcome.ok }),
        None => Err(outcome.why.unwrap_or_default()),
    }
}

fn rule(measure: &str, op: Option<&str>, value: &str) -> std::result::Result<Threshold, String> {
    let parse =
        |op: &str| -> Result<Threshold> { Threshold::parse(&format!("{measure}{op}{value}")) };
    let rule = parse(op.unwrap_or("<=")).map_err(|error| error.message)?;
    match op {
        None if rule.more_is_better() => parse(">=").map_err(|error| error.message),
        _ => Ok(rule),
    }
}

/// A request of a plan may bear the name of a family; behind it stands what thresholds know.
fn is_gauge(measure: &str) -> bool {
    let is_of_family = FAMILIES.iter().any(|family| measure.starts_with(family));
    let (gauge, _) = split(measure);
    // `host.max` is no gauge's figure: there is no gauge `host`.
    let is_of_name = measure.split_once('.').is_some_and(|(_, metric)| is_metric(metric));
    gauge == POOL || is_of_family && !is_of_name
}

/// Whether thresholds know it, in whatever unit, without the name of a request before it.
fn is_metric(metric: &str) -> bool {
    let rule = |value: &str| Threshold::parse(&format!("{metric}<{value}"));
    let mut rules = ["1s", "1%", "1"].into_iter().filter_map(|value| rule(value).ok());
    rules.any(|rule| rule.name().is_none())
}

/// The gauge, and the place of the figure that is named behind it.
fn split(measure: &str) -> (&str, usize) {
    let named = FIGURES
        .iter()
        .enumerate()
        .find_map(|(place, (suffix, _))| Some((measure.strip_suffix(suffix)?, place)));
    named.unwrap_or((measure, MEAN))
}

const MEAN: usize = 1;

impl OfGauge {
    fn parse(measure: &str, op: &'static str, value: &str) -> std::result::Result<OfGauge, String> {
        let (gauge, figure) = split(measure);
        let number = value.strip_suffix('%');
        let limit = parse_amount(number.unwrap_or(value).trim_end()).map_err(|_| {
            format!(
                "{} is no limit of a gauge; write a number such as `70%`, `2G` or `0.9`",
                quote(value)
            )
        })?;
        let (gauge, percent) = (gauge.to_string(), number.is_some());
        Ok(OfGauge { gauge, figure, op, limit, percent })
    }

    fn measure(&self, summary: &Summary) -> std::result::Result<Measured, String> {
        if self.gauge.starts_with("host.") && !runs_here(summary) {
            return Err("the server runs on another host, and this one's says nothing of it".into());
        }
        let gauges = summary.gauges.as_ref();
        let column = gauges.and_then(|gauges| gauges.column(&self.gauge));
        let course = summary.gauge(&self.gauge);
        let (Some(column), Some(course)) = (column, course) else {
            return Err("it was not read".to_string());
        };
        let unit = column.label.unit.name();
        if self.percent && unit != "percent" {
            return Err(format!("it is no percentage; write its limits as plain numbers ({unit})"));
        }
        let value = FIGURES[self.figure].1(&course);
        Ok(Measured { value, unit, lower_bound: false, holds: self.holds(value) })
    }

    fn holds(&self, value: f64) -> bool {
        match self.op {
            "<" => value < self.limit,
            "<=" => value <= self.limit,
            ">" => value > self.limit,
            _ => value >= self.limit,
        }
    }
}

/// Whether what is read of this host is read of the server's: it is here, by its addresses, or
/// because its processes are watched.
fn runs_here(summary: &Summary) -> bool {
    let addresses = &summary.addresses;
    let mut columns = summary.gauges.iter().flat_map(|gauges| &gauges.columns);
    !addresses.is_empty() && addresses.iter().all(Address::is_of_this_host)
        || columns.any(|column| column.label.name.starts_with("server."))
}
