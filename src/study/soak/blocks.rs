//! The response times of a run, block by block. Of a block that is over only its quantiles are kept;
//! past [`LIMIT`] blocks neighbours become one, and blocks are twice as long from then on.

use crate::metrics::{Distribution, Fates, Histogram, Interval, Phase};
use crate::time::Nanos;

/// The most blocks that are kept: four times as many as a run of known length has.
const LIMIT: usize = 480;

#[derive(Clone, Debug)]
pub struct Blocks {
    length: Nanos,
    /// The number of the block that goes on.
    at: u64,
    good: Histogram,
    censored: Histogram,
    done: Vec<Block>,
}

/// One that is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// Block `n` lies from `n` lengths after the start of warm-up up to `n + 1`.
    pub number: u64,
    pub requests: u64,
    /// `None`: too few requests ended in it.
    pub p50_ns: Option<f64>,
    pub p99_ns: Option<f64>,
}

impl Blocks {
    pub fn new(length: Nanos) -> Blocks {
        let (good, censored) = Default::default();
        Blocks { length: length.max(Nanos(1)), at: 0, good, censored, done: Vec::new() }
    }

    pub fn length(&self) -> Nanos {
        self.length
    }

    pub fn done(&self) -> &[Block] {
        &self.done
    }

    pub fn push(&mut self, interval: &Interval, ended: &Fates) {
        if interval.phase != Phase::Measure {
            return;
        }
        let number = number(interval.end, self.length);
        if number != self.at {
            self.finish();
            self.at = number;
        }
        self.good.add(&ended.good);
        self.censored.add(&ended.censored);
        // A block whose end is an interval's end is over.
        if interval.end.0 == (number + 1) * self.length.0 {
            self.finish();
        }
    }

    fn finish(&mut self) {
        let requests = self.good.count() + self.censored.count();
        if requests == 0 {
            return;
        }
        let response = Distribution::ranked(&self.good, &self.censored);
        let quantile = |q| response.quantile(q).map(|reading| reading.value().0 as f64);
        let (p50_ns, p99_ns) = (quantile(0.5), quantile(0.99));
        let block = Block { number: self.at, requests, p50_ns, p99_ns };
        match self.done.last_mut() {
            // Its first half was over when blocks became twice as long.
            Some(last) if last.number == block.number => *last = merge(*last, block),
            _ => self.done.push(block),
        }
        self.good.clear();
        self.censored.clear();
        if self.done.len() > LIMIT {
            self.double();
        }
    }

    fn double(&mut self) {
        self.length = self.length + self.length;
        self.at /= 2;
        self.done.iter_mut().for_each(|block| block.number /= 2);
        let pairs = self.done.chunk_by(|a, b| a.number == b.number);
        self.done = pairs.filter_map(|pair| pair.iter().copied().reduce(merge)).collect();
    }
}

/// The block that an interval with this end lies in.
pub fn number(end: Nanos, length: Nanos) -> u64 {
    end.0.saturating_sub(1) / length.0
}

/// Quantiles of neighbours as one: their mean, by how many requests each is of.
fn merge(a: Block, b: Block) -> Block {
    let weight = b.requests as f64 / (a.requests + b.requests) as f64;
    let mean = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => Some(a + (b - a) * weight),
        (a, b) => a.or(b),
    };
    Block {
        number: a.number,
        requests: a.requests + b.requests,
        p50_ns: mean(a.p50_ns, b.p50_ns),
        p99_ns: mean(a.p99_ns, b.p99_ns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Events, Heat};

    fn second(end: u64) -> Interval {
        Interval {
            end: Nanos::from_secs(end),
            phase: Phase::Measure,
            stage: 0,
            events: Events::default(),
            in_flight: 0,
            users: None,
            response_p50: None,
            response_p95: None,
            response_p99: None,
            response_max: None,
            service_p99: None,
            send_lag_p99: None,
            heat: Heat::default(),
        }
    }

    fn answered(millis: u64, count: u64) -> Fates {
        let mut fates = Fates::default();
        fates.good.record_many(Nanos::from_millis(millis), count);
        fates
    }

    #[test]
    fn a_block_has_the_quantiles_of_all_its_requests() {
        let mut blocks = Blocks::new(Nanos::from_secs(2));
        for (end, millis, count) in [(1, 1, 600), (2, 9, 400), (3, 5, 1_000)] {
            blocks.push(&second(end), &answered(millis, count));
        }
        let [block] = blocks.done() else { panic!("{blocks:?}") };
        assert_eq!((block.number, block.requests), (0, 1_000));
        let near = |ns: Option<f64>, ms: f64| (ns.unwrap() / 1e6 / ms - 1.0).abs() < 2e-3;
        assert!(near(block.p50_ns, 1.0) && near(block.p99_ns, 9.0), "{block:?}");
        // An error ranks above all good ones.
        let mut bad = answered(5, 10);
        bad.censored.record_many(Nanos(1), 30);
        blocks.push(&Interval { phase: Phase::Drain, ..second(4) }, &answered(99, 5_000));
        blocks.push(&second(4), &bad);
        assert_eq!(blocks.done()[1].requests, 1_040);
        assert!(near(blocks.done()[1].p50_ns, 5.0), "{blocks:?}");
    }

    #[test]
    fn a_run_without_an_end_keeps_so_many_blocks_and_no_more() {
        let mut blocks = Blocks::new(Nanos::from_secs(1));
        let times = [answered(2, 100), answered(4, 300)];
        for end in 1..=2_000 {
            blocks.push(&second(end), &times[end as usize % 2]);
            assert!(blocks.done().len() <= LIMIT);
        }
        assert_eq!(blocks.length(), Nanos::from_secs(8));
        let all: u64 = blocks.done().iter().map(|block| block.requests).sum();
        assert_eq!(all, 400_000);
        let block = blocks.done()[3];
        // By how many there were: a hundred of 2 ms, three hundred of 4 ms.
        assert!((block.p50_ns.unwrap() / 3.5e6 - 1.0).abs() < 0.01, "{block:?}");
        assert!(blocks.done().is_sorted_by(|a, b| a.number < b.number));
    }
}
