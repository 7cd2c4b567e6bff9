//! Saved runs side by side: each figure of each, and how each differs from the first.
//!
//! How sure a figure is, is read off its own document:
//!
//! - A quantile's interval goes from one order statistic to another, as `latency.response.ci95` has
//!   it, but for a sample as large as it is worth: the requests of one second are alike, and the
//!   seconds of a run tell by how much (Woodruff, Confidence intervals for medians and other
//!   position measures, JASA 47, 1952, for clustered samples). With as few seconds as a short run
//!   has, the factor itself is uncertain; Student's t takes that in.
//! - A rate, and processor time per request, differ from second to second; that is their variance.
//! - A share has Wilson's interval, with the same regard to seconds that are alike.
//! - Of two figures the intervals make that of their difference, or of their ratio, which for what
//!   cannot be less than nothing is the better one (`statistics::difference`, `change`).
//!
//! Every interval is of 95 % and says what is uncertain within the two runs. What would differ from
//! run to run (where a process lay in memory, who else was on the host) it cannot know: for that,
//! run in turns (`blast ab`).
//!
//! ```text
//! figure   document -> each figure with its interval
//! spread   how much the seconds of a run differ
//! caveat   why runs cannot be compared
//! rule     --fail-if and --target
//! ```

mod caveat;
mod figure;
mod rule;
mod spread;
#[cfg(test)]
mod tests;

pub use rule::{Rule, Target};

use super::statistics::{Estimate, change, difference};
use crate::report::Document;
use crate::report::comparison::{
    Comparison, Difference, Distribution, Metric as Row, Run, SCHEMA_NAME, Value,
};
use crate::report::document::Latency;
use figure::{Better, Figure, METRICS, Metric, Source, Unit};

const CONFIDENCE: f64 = 0.95;

/// A saved run, and the file it was read from.
pub struct Saved {
    pub file: String,
    pub document: Document,
}

/// At least two runs. `Err`: a histogram is damaged; the file that holds it.
pub fn compare<'a>(
    saved: &'a [Saved],
    rules: &[Rule],
    targets: &[Target],
) -> Result<Comparison, String> {
    let named = |saved: &'a Saved| source(saved).ok_or_else(|| saved.file.clone());
    let sources = saved.iter().map(named).collect::<Result<Vec<Source>, String>>()?;
    let known = |metric: &&Metric| sources.iter().any(|source| (metric.read)(source).is_some());
    let metrics: Vec<Row> =
        METRICS.iter().filter(known).map(|metric| row(metric, &sources)).collect();
    Ok(Comparison {
        schema: SCHEMA_NAME.to_string(),
        blast_version: env!("CARGO_PKG_VERSION").to_string(),
        confidence: CONFIDENCE,
        runs: saved.iter().enumerate().map(|(at, saved)| run(at, saved)).collect(),
        warnings: caveat::all(saved, &sources),
        rules: rules.iter().flat_map(|rule| rule.judge(&metrics)).collect(),
        targets: targets.iter().map(|target| target.judge(&metrics)).collect(),
        metrics,
    })
}

fn source(saved: &Saved) -> Option<Source<'_>> {
    Source::new(&saved.document)
}

/// `A` to `Z`, then `R27`.
pub fn label(at: usize) -> String {
    match u8::try_from(at) {
        Ok(at @ 0..26) => char::from(b'A' + at).to_string(),
        _ => format!("R{}", at + 1),
    }
}

fn run(at: usize, saved: &Saved) -> Run {
    let document = &saved.document;
    let plan = &document.plan;
    Run {
        label: label(at),
        file: saved.file.clone(),
        started_at: document.started_at.clone(),
        method: plan.method.clone(),
        url: plan.url.clone(),
        mode: plan.mode.clone(),
        rps: plan.rps,
        connections: plan.connections,
        duration_s: document.duration_s,
        grade: document.rating.as_ref().and_then(|rating| rating.grade.clone()),
        verdict: document.verdict.limit.clone(),
        response: Some(distribution(&document.latency.response)),
    }
}

fn distribution(row: &Latency) -> Distribution {
    Distribution { count: row.count, censored: row.censored, hdr: row.hdr.clone() }
}

fn row(metric: &Metric, sources: &[Source]) -> Row {
    let figures: Vec<Option<Figure>> = sources.iter().map(|source| (metric.read)(source)).collect();
    let others = figures.iter().enumerate().skip(1);
    Row {
        name: metric.name.to_string(),
        unit: metric.unit.name().to_string(),
        better: match metric.better {
            Better::Lower => Some("lower".to_string()),
            Better::Higher => Some("higher".to_string()),
            Better::Neither => None,
        },
        differences: others
            .map(|(at, other)| differ(label(at), metric.unit, &figures[0], other))
            .collect(),
        values: figures.iter().map(|figure| figure.as_ref().map(value)).collect(),
    }
}

fn value(figure: &Figure) -> Value {
    let Estimate { value, low, high } = figure.estimate;
    Value { value, lower_bound: figure.is_bound, low, high }
}

/// Where the first is known only as a lower bound, so is nothing of a difference.
fn differ(run: String, unit: Unit, first: &Option<Figure>, other: &Option<Figure>) -> Difference {
    let none = Difference { run, ..Difference::default() };
    let (Some(first), Some(other)) = (first, other) else { return none };
    if first.is_bound {
        return none;
    }
    let base = first.estimate.value;
    let share = match unit {
        Unit::Share => None,
        Unit::Micros | Unit::PerSecond => change(&first.estimate, &other.estimate),
    };
    let found = match share {
        None => difference(&first.estimate, &other.estimate),
        Some(share) => Estimate {
            value: other.estimate.value - base,
            low: share.low.map(|low| low * base),
            high: share.high.map(|high| high * base),
        },
    };
    let percent = |of: f64| of * 100.0;
    Difference {
        absolute: Some(found.value),
        lower_bound: other.is_bound,
        low: found.low,
        high: found.high,
        percent: share.map(|share| percent(share.value)),
        percent_low: share.and_then(|share| share.low).map(percent),
        percent_high: share.and_then(|share| share.high).map(percent),
        // A bound that lies below tells nothing: the truth may lie above.
        significant: found.is_significant().filter(|_| !other.is_bound || found.value > 0.0),
        ..none
    }
}
