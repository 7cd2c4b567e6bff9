//! One limit: what has to hold for a grade.
//!
//! ```text
//! limit = [ "<" | "<=" | ">" | ">=" ] value      "500ms"   ">99%"   70
//! ```
//!
//! Without an operator the better way is meant: at least, of success, efficiency and rates; at
//! most, of all else. A limit is a rule, and judged as thresholds are.

use super::Grade;
use crate::address::Address;
use crate::error::Result;
use crate::metrics::{Mode, Summary};
use crate::plan::Threshold;
use crate::units::quote;

/// Longer ones before those that they begin with.
const OPERATORS: [&str; 4] = ["<=", ">=", "<", ">"];

#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// What it is the limit of.
    pub grade: Grade,
    rule: Threshold,
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
        Ok(Limit { grade, rule: rule(measure, op, value)? })
    }

    pub fn rule(&self) -> &Threshold {
        &self.rule
    }

    pub fn op(&self) -> &'static str {
        self.rule.op()
    }

    /// In the unit of what is measured.
    pub fn value(&self) -> f64 {
        self.rule.limit()
    }

    /// Whether this one, of a worse grade, asks for no more than `stricter` does; `Err`: they
    /// cannot be compared.
    pub fn is_wider_than(&self, stricter: &Limit) -> std::result::Result<bool, &'static str> {
        if !self.rule.measures_as(&stricter.rule) {
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
        if let Some(why) = self.absent(summary) {
            return Err(why.to_string());
        }
        let outcome = self.rule.judge(summary);
        let (unit, lower_bound) = (outcome.unit.name(), outcome.lower_bound);
        match outcome.value {
            Some(value) => Ok(Measured { value, unit, lower_bound, holds: outcome.ok }),
            None => Err(outcome.why.unwrap_or_default()),
        }
    }

    /// Why runs such as this one do not have it, or should not be measured by it.
    fn absent(&self, summary: &Summary) -> Option<&'static str> {
        if summary.mode == Mode::Closed && self.rule.check_closed_loop().is_err() {
            return Some("a closed loop has no schedule");
        }
        let gauge = &self.rule.gauge()?.name;
        if gauge.starts_with("host.") && !runs_here(summary) {
            return Some("the server runs on another host, and this one's says nothing of it");
        }
        summary.gauge(gauge).is_none().then_some("it was not read")
    }
}

fn rule(measure: &str, op: Option<&str>, value: &str) -> std::result::Result<Threshold, String> {
    let parse =
        |op: &str| -> Result<Threshold> { Threshold::parse(&format!("{measure}{op}{value}")) };
    let rule = parse(op.unwrap_or("<=")).map_err(|error| error.message)?;
    if rule.baseline().is_some() {
        return Err("compares with a baseline, which a rating has none of; write a value".into());
    }
    match op {
        None if rule.more_is_better() => parse(">=").map_err(|error| error.message),
        _ => Ok(rule),
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
