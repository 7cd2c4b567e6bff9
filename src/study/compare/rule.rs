//! What may be asked of a comparison.
//!
//! ```text
//! --fail-if  METRIC ">" "+" CHANGE | METRIC "<" "-" CHANGE      p99>+5%, good_per_s<-3%, p95>+2ms
//! --target   METRIC "=" VALUE                                   p95=150ms, errors=0.1%
//! ```
//!
//! A change in percent is one of what the first run has; of a share (`errors`, `success`) it is one
//! in percent of the requests, for from nothing there is no other.

use super::figure::{Better, METRICS, Metric, Unit};
use crate::report::comparison;
use crate::units::{alike, parse_amount, parse_duration, parse_percent, quote};

/// A change that is too much.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    expr: String,
    metric: &'static str,
    /// More is too much; else less.
    rises: bool,
    limit: Limit,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    Percent(f64),
    Absolute(f64),
}

/// A value that is to be reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    expr: String,
    metric: &'static str,
    value: f64,
}

impl Rule {
    pub fn parse(text: &str) -> Result<Rule, String> {
        let refuse = |why: &str| Err(format!("{} {why}", quote(text)));
        let Some(at) = text.find(['<', '>']) else {
            return refuse(
                "compares nothing; write a change such as `p99>+5%` or `good_per_s<-3%`",
            );
        };
        let (name, rest) = text.split_at(at);
        let rises = rest.starts_with('>');
        let (sign, other) = if rises { ('+', '-') } else { ('-', '+') };
        let change = rest[1..].trim();
        if change.starts_with(other) {
            return refuse(
                "asks for no change; write `>+5%` for too much more and `<-5%` for less",
            );
        }
        let metric = named(name.trim()).map_err(|why| format!("{} {why}", quote(text)))?;
        let change = change.strip_prefix(sign).unwrap_or(change);
        match change_of(metric.unit, change) {
            Some(limit) => Ok(Rule { expr: text.to_string(), metric: metric.name, rises, limit }),
            None => refuse(match metric.unit {
                Unit::Micros => "has no change; write one such as `+5%` or `+2ms`",
                Unit::PerSecond => "has no change; write one such as `-3%` or `-500`",
                Unit::Share => {
                    "has no change; write one in percent of the requests, such as `+0.1%`"
                }
            }),
        }
    }

    /// For each run but the first. `rows` has every metric that any run has.
    pub fn judge(&self, rows: &[comparison::Metric]) -> Vec<comparison::Rule> {
        let row = rows.iter().find(|row| row.name == self.metric);
        let differences = row.into_iter().flat_map(|row| &row.differences);
        differences
            .map(|difference| {
                let change = match self.limit {
                    Limit::Percent(_) => difference.percent,
                    Limit::Absolute(_) => difference.absolute,
                };
                // Of one that is only known to be more, less cannot be said.
                let change = change.filter(|_| self.rises || !difference.lower_bound);
                let beyond = change.map(|change| self.is_beyond(change));
                comparison::Rule {
                    expr: self.expr.clone(),
                    metric: self.metric.to_string(),
                    run: difference.run.clone(),
                    beyond,
                    significant: difference.significant,
                    failed: beyond == Some(true) && difference.significant == Some(true),
                }
            })
            .collect()
    }

    fn is_beyond(&self, change: f64) -> bool {
        let (Limit::Percent(limit) | Limit::Absolute(limit)) = self.limit;
        if self.rises { change > limit } else { change < -limit }
    }
}

impl Target {
    pub fn parse(text: &str) -> Result<Target, String> {
        let refuse = |why: String| Err(format!("{} {why}", quote(text)));
        let Some((name, value)) = text.split_once('=') else {
            return refuse("sets no target; write one such as `p95=150ms`".to_string());
        };
        let metric = match named(name.trim()) {
            Ok(metric) if metric.better == Better::Neither => {
                return refuse("is no target: more of it is neither better nor worse".to_string());
            }
            Ok(metric) => metric,
            Err(why) => return refuse(why),
        };
        match value_of(metric.unit, value.trim()) {
            Some(value) => Ok(Target { expr: text.to_string(), metric: metric.name, value }),
            None => refuse(format!("has no value; write one such as `{}`", example(metric))),
        }
    }

    pub fn judge(&self, rows: &[comparison::Metric]) -> comparison::Target {
        let metric = METRICS.iter().find(|metric| metric.name == self.metric);
        let values = rows.iter().find(|row| row.name == self.metric).map(|row| &row.values[..]);
        let first = values.and_then(|values| values.first()?.as_ref());
        let last = values.and_then(|values| values.last()?.as_ref());
        let is_higher = metric.is_some_and(|metric| metric.better == Better::Higher);
        let reached = last.and_then(|last| match is_higher {
            true => Some(last.value >= self.value),
            // That or more: it may be anything above.
            false if last.lower_bound && last.value <= self.value => None,
            false => Some(last.value <= self.value),
        });
        comparison::Target {
            expr: self.expr.clone(),
            metric: self.metric.to_string(),
            unit: metric.map_or("", |metric| metric.unit.name()).to_string(),
            before: first.map(|value| value.value),
            after: last.map(|value| value.value),
            lower_bound: last.is_some_and(|last| last.lower_bound),
            target: self.value,
            reached,
        }
    }
}

fn named(name: &str) -> Result<&'static Metric, String> {
    if let Some(metric) = METRICS.iter().find(|metric| metric.name == name) {
        return Ok(metric);
    }
    let names = METRICS.iter().map(|metric| metric.name);
    let meant = alike(name, names.clone());
    Err(match meant.first() {
        Some(meant) => format!("is about no figure; did you mean `{meant}`?"),
        None => {
            format!("is about no figure; write one of {}", names.collect::<Vec<_>>().join(", "))
        }
    })
}

fn change_of(unit: Unit, text: &str) -> Option<Limit> {
    let percent = text.strip_suffix('%').map(|number| parse_amount(number.trim()).ok());
    match (unit, percent) {
        (Unit::Share, Some(_)) => parse_percent(text).ok().map(Limit::Absolute),
        (Unit::Share, None) => None,
        (_, Some(percent)) => percent.map(Limit::Percent),
        (unit, None) => value_of(unit, text).map(Limit::Absolute),
    }
}

/// A time needs its unit: seconds would be meant by some, milliseconds by others.
fn value_of(unit: Unit, text: &str) -> Option<f64> {
    match unit {
        Unit::Share => parse_percent(text).ok(),
        Unit::PerSecond => parse_amount(text).ok(),
        Unit::Micros if text.ends_with(|c: char| c.is_ascii_alphabetic()) => {
            parse_duration(text).ok().map(|time| time.as_micros_f64())
        }
        Unit::Micros => None,
    }
}

fn example(metric: &Metric) -> String {
    match metric.unit {
        Unit::Micros => format!("{}=150ms", metric.name),
        Unit::Share if metric.better == Better::Higher => format!("{}=99.9%", metric.name),
        Unit::Share => format!("{}=0.1%", metric.name),
        Unit::PerSecond => format!("{}=5k", metric.name),
    }
}
