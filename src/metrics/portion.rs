//! What is told of each name while a run goes on: workers publish what came of its requests since
//! they published last, in little room, and the sum of that becomes a row. The figures of the
//! report are not made of it: those are finer, and come at the end.

use super::{Distribution, Fates, Histogram, Part};
use crate::time::Nanos;

/// What came of the requests of one entry of a scenario, warm-up aside.
#[derive(Clone, Debug)]
pub struct Portion {
    pub sent: u64,
    pub completed: u64,
    pub good: u64,
    pub failed: u64,
    pub dropped: u64,
    /// Of the answers, decoded.
    pub body_bytes: u64,
    /// From intended (closed loop: sent) to done; two digits.
    pub good_in: Histogram,
    /// Of those that came to nothing good, those that were never sent among them.
    pub censored: Histogram,
}

impl Default for Portion {
    fn default() -> Portion {
        Portion {
            sent: 0,
            completed: 0,
            good: 0,
            failed: 0,
            dropped: 0,
            body_bytes: 0,
            good_in: Histogram::coarse(),
            censored: Histogram::coarse(),
        }
    }
}

impl Portion {
    pub fn answered(&mut self, is_good: bool, response: Nanos, body_bytes: u64) {
        self.completed += 1;
        self.body_bytes += body_bytes;
        self.good += u64::from(is_good);
        let times = if is_good { &mut self.good_in } else { &mut self.censored };
        times.record(response);
    }

    /// It failed, or was not answered before the drain ended.
    pub fn failed(&mut self, age: Nanos) {
        self.failed += 1;
        self.censored.record(age);
    }

    pub fn dropped(&mut self, age: Nanos) {
        self.dropped += 1;
        self.censored.record(age);
    }

    pub fn add(&mut self, other: &Portion) {
        self.sent += other.sent;
        self.completed += other.completed;
        self.good += other.good;
        self.failed += other.failed;
        self.dropped += other.dropped;
        self.body_bytes += other.body_bytes;
        self.good_in.add(&other.good_in);
        self.censored.add(&other.censored);
    }

    /// Keeps the room.
    pub fn clear(&mut self) {
        let Portion { sent, completed, good, failed, dropped, body_bytes, .. } = self;
        for counter in [sent, completed, good, failed, dropped, body_bytes] {
            *counter = 0;
        }
        self.good_in.clear();
        self.censored.clear();
    }

    /// Requests whose end is known, and those of them that were no good.
    pub fn ended(&self) -> Ends {
        let ended = self.completed + self.failed;
        Ends { ended, fails: ended - self.good }
    }
}

/// How many requests ended, and how many of them were no good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    pub ended: u64,
    pub fails: u64,
}

impl Ends {
    pub fn of(fates: &Fates) -> Ends {
        let counters = &fates.counters;
        let ended = counters.completed + counters.failed() + counters.abandoned;
        Ends { ended, fails: ended - counters.good }
    }

    pub fn add(&mut self, other: Ends) {
        self.ended += other.ended;
        self.fails += other.fails;
    }
}

/// A name, as far as the run has come: of the requests that were due in measure, for setup and
/// teardown of all.
#[derive(Clone, Debug, PartialEq)]
pub struct NameRow {
    pub name: String,
    pub method: String,
    pub part: Part,
    /// Of the requests of the main part.
    pub share_asked: Option<f64>,
    pub share_sent: Option<f64>,
    pub sent: u64,
    pub good: u64,
    pub rejected: u64,
    /// Unanswered ones at the end of the drain among them.
    pub failed: u64,
    pub dropped: u64,
    /// Requests that ended, and those of them that were no good.
    pub ends: Ends,
    /// The same in the second that was over last.
    pub last_second: Ends,
    /// Response times; `None` where there are too few of them.
    pub times: Times,
    /// Bytes of an answer's body, on average.
    pub mean_size: Option<f64>,
}

/// Where errors rank above every good answer, as in the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub min: Option<Nanos>,
    pub mean: Option<Nanos>,
    pub p50: Option<Nanos>,
    pub p95: Option<Nanos>,
    pub p99: Option<Nanos>,
    pub max: Option<Nanos>,
}

impl Times {
    pub fn of(good: &Histogram, censored: &Histogram) -> Times {
        let all = Distribution::ranked(good, censored);
        let quantile = |q| all.quantile(q).map(|reading| reading.value());
        Times {
            min: all.min().map(|reading| reading.value()),
            mean: all.mean().map(|reading| reading.value()),
            p50: quantile(0.5),
            p95: quantile(0.95),
            p99: quantile(0.99),
            max: all.max().map(|reading| reading.value()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_add_up_and_what_is_no_good_ranks_above() {
        let mut one = Portion::default();
        (1..=90).for_each(|ms| one.answered(true, Nanos::from_millis(ms), 100));
        (0..8).for_each(|_| one.answered(false, Nanos::from_micros(3), 0));
        one.failed(Nanos::from_secs(2));
        one.dropped(Nanos::from_secs(3));
        let mut sum = Portion::default();
        sum.add(&one);
        sum.add(&one);
        assert_eq!(sum.ended(), Ends { ended: 198, fails: 18 });
        assert_eq!((sum.completed, sum.good, sum.failed, sum.dropped), (196, 180, 2, 2));
        assert_eq!(sum.body_bytes, 18_000);
        let times = Times::of(&sum.good_in, &sum.censored);
        let millis = |time: Option<Nanos>| time.map(|time| time.as_micros_f64() / 1e3);
        let near = |time, expected: f64| {
            assert!(millis(time).is_some_and(|ms| (ms / expected - 1.0).abs() < 0.01), "{time:?}");
        };
        near(times.p50, 50.0);
        // A fast error is no fast answer.
        near(times.p95, 90.0);
        near(times.min, 1.0);
        near(times.max, 3_000.0);
        assert_eq!(times.p99, None, "too few above it");
        one.clear();
        assert_eq!((one.ended(), one.good_in.count(), one.censored.count()), Default::default());
        assert_eq!(Times::of(&one.good_in, &one.censored), Times::default());
    }
}
