//! What can be compared with itself: requests of one name, or of one level of the load. A mix of
//! quick and slow names has two hills, and a ramp grows, by themselves.

use super::super::{Fates, Interval, Mode, Part, Phase, Stage, Summary};
use crate::time::Nanos;

/// Requests that should have been answered alike.
pub struct Lot<'a> {
    /// Stands before the evidence: `GET /items: `, `in stage 2 `, or nothing.
    pub prefix: String,
    pub fates: &'a Fates,
}

/// By name where there are names, by constant stage where there are stages, or all of them.
pub fn lots(summary: &Summary) -> Vec<Lot<'_>> {
    let main = summary.names.iter().filter(|named| named.part == Part::Main);
    let by_name = main.map(|named| {
        let prefix = format!("{} {}: ", named.method, named.name);
        Lot { prefix, fates: &named.account.fates }
    });
    let by_stage = constant(summary).map(|(at, stage)| {
        let prefix = format!("in stage {}: ", at + 1);
        Lot { prefix, fates: &stage.fates }
    });
    if !summary.names.is_empty() {
        by_name.collect()
    } else if !summary.stages.is_empty() {
        by_stage.collect()
    } else {
        vec![Lot { prefix: String::new(), fates: &summary.measure }]
    }
}

/// A stretch of measure in which the load did not change and was kept up, without its first
/// interval, which is of the load before as well.
pub struct Stretch<'a> {
    pub prefix: String,
    pub intervals: Vec<&'a Interval>,
}

pub fn stretches(summary: &Summary) -> Vec<Stretch<'_>> {
    let begin = summary.warmup_length;
    let spans: Vec<(String, &Fates, Nanos, Nanos)> = match &summary.stages[..] {
        [] => vec![(String::new(), &summary.measure, begin, begin + summary.measured)],
        _ => constant(summary)
            .map(|(at, stage)| {
                let start = begin + stage.start;
                (format!("in stage {}: ", at + 1), &stage.fates, start, start + stage.length)
            })
            .collect(),
    };
    let kept = spans.into_iter().filter(|(_, fates, ..)| is_kept(summary, fates));
    kept.map(|(prefix, _, from, to)| {
        let within = |interval: &&Interval| {
            let starts = interval.end - summary.interval_length;
            interval.phase == Phase::Measure && starts >= from && interval.end <= to
        };
        let intervals = summary.intervals.iter().filter(within).skip(1).collect();
        Stretch { prefix, intervals }
    })
    .collect()
}

fn constant(summary: &Summary) -> impl Iterator<Item = (usize, &Stage)> + '_ {
    let all = summary.stages.iter().enumerate();
    all.filter(|(_, stage)| stage.from == stage.to && stage.to > 0.0)
}

/// Of this share sent on schedule, there is no backlog that response times grow with.
const KEPT: f64 = 0.99;

pub fn is_kept(summary: &Summary, fates: &Fates) -> bool {
    let efficiency = summary.efficiency_of(fates);
    summary.mode == Mode::Closed || efficiency.is_some_and(|share| share >= KEPT)
}
