//! What is watched, block by block, and from how much growth on that matters.

use super::blocks::{Block, Blocks, number};
use crate::metrics::gauge::Column;
use crate::metrics::{Interval, Phase, Summary, Unit};
use crate::study::statistics::course::{By, Point};
use crate::time::Nanos;

/// What growth of a series is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    Leak,
    Degradation,
}

/// What is watched, and when its growth matters: when it is a share of what it was, and an amount
/// of its own.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub name: &'static str,
    /// As a sentence begins: what it is, and what it does.
    pub words: &'static str,
    pub verb: &'static str,
    pub unit: &'static str,
    pub harm: Harm,
    pub share: f64,
    pub amount: f64,
    pub by: By,
}

/// Of what can be counted there are several.
const fn leak(name: &'static str, words: &'static str, unit: &'static str, amount: f64) -> Rule {
    let verb = if amount > 1e3 { "grows" } else { "grow" };
    Rule { name, words, verb, unit, harm: Harm::Leak, share: 0.05, amount, by: By::Medians }
}

const fn slower(name: &'static str, words: &'static str, share: f64, amount: f64) -> Rule {
    let (harm, by) = (Harm::Degradation, By::Medians);
    Rule { name, words, verb: "grows", unit: "us", harm, share, amount, by }
}

/// 5 % of what it was and 4 MB; 10 descriptors, 4 threads, 2 connections of a pool; of the median
/// 20 % and 100 us, of p99 30 % and 1 ms, below which the scheduler of any host is heard.
pub const RSS: Rule = leak("server.rss", "the server's memory", "bytes", 4e6);
pub const FILES: Rule = leak("server.fds", "the server's open files", "count", 10.0);
pub const THREADS: Rule = leak("server.threads", "the server's threads", "count", 4.0);
pub const POOL: Rule = leak("pool", "the connections of the server's pool", "count", 2.0);
pub const P50: Rule = slower("response.p50", "the median response time", 0.2, 100.0);
pub const P99: Rule = slower("response.p99", "the p99 of the response time", 0.3, 1_000.0);
/// A thousandth of the requests, and that many an hour; what they were is no measure.
pub const ERRORS: Rule = Rule {
    name: "errors",
    words: "the number of errors an hour",
    verb: "grows",
    unit: "per_h",
    harm: Harm::Degradation,
    share: 0.0,
    amount: 20.0,
    by: By::Squares,
};

/// So large a share of the requests has to come to nothing more than at first.
pub const ERROR_SHARE: f64 = 0.001;

/// Gauges of somebody's own: nobody knows whether their growth is harm.
pub const OWN: [&str; 2] = ["sample.", "scrape."];

/// The grid that all of it is cut by, and the blocks of it that are judged.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    pub length: Nanos,
    /// From the start of warm-up.
    pub from: Nanos,
    pub to: Nanos,
}

impl Grid {
    pub fn of(blocks: &Blocks, settle: Nanos, summary: &Summary) -> Grid {
        let start = summary.warmup_length;
        let to = start + summary.measured;
        Grid { length: blocks.length(), from: (start + settle).min(to), to }
    }

    /// It lies in the judged part as a whole.
    fn has(&self, number: u64) -> bool {
        number * self.length.0 >= self.from.0 && (number + 1) * self.length.0 <= self.to.0
    }

    /// How many blocks that is.
    pub fn count(&self) -> usize {
        let (first, last) = (self.from.0.div_ceil(self.length.0), self.to.0 / self.length.0);
        last.saturating_sub(first) as usize
    }

    /// Its middle, in hours.
    fn at(&self, number: u64) -> f64 {
        (number as f64 + 0.5) * self.length.as_secs_f64() / 3_600.0
    }
}

pub fn times(blocks: &Blocks, grid: &Grid, of: fn(&Block) -> Option<f64>) -> Vec<Point> {
    let kept = blocks.done().iter().filter(|block| grid.has(block.number));
    kept.filter_map(|block| Some((grid.at(block.number), of(block)? / 1e3))).collect()
}

/// Requests an hour that came to nothing good.
pub fn errors(summary: &Summary, grid: &Grid) -> Vec<Point> {
    let measured = summary.intervals.iter().filter(|interval| interval.phase == Phase::Measure);
    let bad = |interval: &Interval| {
        let events = &interval.events;
        (events.rejected() + events.failed + events.dropped) as f64
    };
    let sums = by_block(measured.map(|interval| (interval.end, bad(interval))), grid);
    let hours = grid.length.as_secs_f64() / 3_600.0;
    sums.into_iter().map(|(at, values)| (at, values.iter().sum::<f64>() / hours)).collect()
}

pub fn gauge(summary: &Summary, name: &str, grid: &Grid) -> Vec<Point> {
    let readings = summary.gauges.iter().flat_map(|gauges| gauges.readings(name));
    let means = by_block(readings, grid);
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    means.into_iter().map(|(at, values)| (at, mean(values))).collect()
}

/// What was read of the user's own: name and unit.
pub fn own(summary: &Summary) -> impl Iterator<Item = (&str, Unit)> {
    let columns = summary.gauges.iter().flat_map(|gauges| &gauges.columns);
    let is_own = |column: &&Column| OWN.iter().any(|own| column.label.name.starts_with(own));
    columns.filter(is_own).map(|column| (column.label.name.as_str(), column.label.unit))
}

/// The values of each block that has any, with its middle.
fn by_block(values: impl Iterator<Item = (Nanos, f64)>, grid: &Grid) -> Vec<(f64, Vec<f64>)> {
    let mut blocks: Vec<(u64, Vec<f64>)> = Vec::new();
    let of = values.map(|(end, value)| (number(end, grid.length), value));
    for (number, value) in of.filter(|(number, _)| grid.has(*number)) {
        match blocks.last_mut() {
            Some((last, values)) if *last == number => values.push(value),
            _ => blocks.push((number, vec![value])),
        }
    }
    blocks.into_iter().map(|(number, values)| (grid.at(number), values)).collect()
}
