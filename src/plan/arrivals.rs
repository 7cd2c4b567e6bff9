//! The law of arrivals: how the requests that a rate makes due are spread over time.
//!
//! With `N(t)` the number that the rate makes due up to `t` (`integral`):
//!
//! ```text
//! uniform    the k-th is due where N = k.                      ceil(N(t)) are due before t.
//! burst:B    the k-th is due where N = k - k mod B: B at once. At most B - 1 more than that,
//!            and as many in all.
//! poisson    the k-th is due where N = G1 + ... + Gk+1, the gaps independent and exponential
//!            with mean 1: a Poisson process with the rate as its intensity (Cinlar, Introduction
//!            to Stochastic Processes, 1975, 4.7). N(t) on average, with a deviation of sqrt(N(t)).
//! ```
//!
//! The first two are pure functions of k; over `W` workers, worker `w` owns each `k` with
//! `k mod W = w`. The third is a pure function of k and the seed, but only by way of all gaps
//! before: each worker runs through the whole sequence and keeps its own. That costs a gap a
//! request for each worker (measured: `benches/schedule.rs`), and makes the arrivals the same for
//! any number of workers.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::integral::Integral;
use crate::time::Nanos;

/// Random arrivals that are run through before a run to find its end: half a second's work.
const COUNTED: u64 = 10_000_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Law {
    #[default]
    Uniform,
    Poisson {
        seed: u64,
    },
    /// So many at once.
    Burst(u64),
}

/// The arrivals of one phase, from its own zero: at most `limit` of them, all before `length`.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrivals {
    law: Law,
    integral: Integral,
    limit: u64,
    length: Nanos,
}

/// A worker's own arrivals, one after the other.
#[derive(Clone, Debug)]
pub struct Walk {
    arrivals: Arrivals,
    /// The next one's index among those of all workers, and the step to the one after.
    next: u64,
    workers: u64,
    /// Wherever it lies; `None` where none is left.
    at: Option<Nanos>,
    gaps: Option<Gaps>,
}

impl Arrivals {
    /// Ends at `length`, or where the arrival after the `limit`-th would be.
    pub fn new(
        law: Law,
        integral: Integral,
        limit: Option<u64>,
        length: Option<Nanos>,
    ) -> Arrivals {
        let length = length.unwrap_or(Nanos::MAX);
        let mut arrivals = Arrivals { law, integral, limit: u64::MAX, length };
        if let Some(limit) = limit {
            arrivals.length = length.min(arrivals.length_of(limit));
            arrivals.limit = limit;
        }
        if let Law::Burst(_) = law {
            // The last burst is smaller, so that there are no more in all than the rate says.
            arrivals.limit = arrivals.limit.min(arrivals.integral.due_before(length));
        }
        arrivals
    }

    /// Nothing is due at this time or later.
    pub fn length(&self) -> Nanos {
        self.length
    }

    fn end_at(&mut self, length: Nanos) {
        // What a burst has begun stays due, so the number never shrinks.
        if let Law::Burst(_) = self.law {
            self.limit = self.limit.max(self.integral.due_before(length));
        }
        self.length = length;
    }

    /// The number that the rate makes due.
    pub fn integral(&self) -> &Integral {
        &self.integral
    }

    /// A worker's share.
    pub fn walk(&self, worker: u64, workers: u64) -> Walk {
        let gaps = match self.law {
            Law::Poisson { seed } => Some(Gaps::new(seed)),
            Law::Uniform | Law::Burst(_) => None,
        };
        let (arrivals, next) = (self.clone(), worker);
        let mut walk = Walk { arrivals, next, workers, at: None, gaps };
        walk.look_ahead(worker + 1);
        walk
    }

    /// When the k-th is due, for the laws that can tell.
    #[inline]
    fn due_at(&self, k: u64) -> Nanos {
        match self.law {
            Law::Burst(size) => self.integral.due_at(k - k % size),
            Law::Uniform | Law::Poisson { .. } => self.integral.due_at(k),
        }
    }

    /// How many are due in `[0, t)`, for the laws that can tell.
    fn due_before(&self, t: Nanos) -> u64 {
        let by_rate = self.integral.due_before(t.min(self.length));
        let due = match self.law {
            // The whole of each burst that has begun.
            Law::Burst(size) => by_rate.div_ceil(size).saturating_mul(size),
            Law::Uniform | Law::Poisson { .. } => by_rate,
        };
        due.min(self.limit)
    }

    /// When the last of `limit` is followed by the next: the end of a phase that is counted.
    /// Poisson arrivals have to be run through for it; of very many it is a time that they pass
    /// once in a billion runs, a thousandth later at most.
    fn length_of(&self, limit: u64) -> Nanos {
        match self.law {
            Law::Poisson { .. } if limit > COUNTED => {
                // The deviation of the number that a rate brings is its root.
                let margin = 6.0 * (limit as f64).sqrt();
                self.integral.due_at(limit.saturating_add(margin as u64))
            }
            Law::Poisson { .. } => {
                // The walk of a worker that owns nothing between the first and this one.
                let mut walk = self.walk(0, limit.max(1));
                walk.advance();
                walk.peek().unwrap_or(self.length)
            }
            Law::Uniform | Law::Burst(_) => self.integral.due_at(limit),
        }
    }
}

impl Walk {
    /// When the next one is due.
    #[inline]
    pub fn peek(&self) -> Option<Nanos> {
        self.at.filter(|at| *at < self.arrivals.length)
    }

    #[inline]
    pub fn advance(&mut self) {
        // Saturates where no arrival can be: at the limit of all.
        self.next = self.next.saturating_add(self.workers);
        self.look_ahead(self.workers);
    }

    /// Nothing is due at `length` or later.
    pub fn cut(&mut self, length: Nanos) {
        self.arrivals.length = self.arrivals.length.min(length);
    }

    /// The phase is to be so long, and not as long as it was.
    pub fn end_at(&mut self, length: Nanos) {
        self.arrivals.end_at(length);
        // There may have been no further one.
        if self.gaps.is_none() {
            self.at = (self.next < self.arrivals.limit).then(|| self.arrivals.due_at(self.next));
        }
    }

    /// The rate has another integral, which is the same up to a time that is still to come.
    pub fn steer(&mut self, integral: Integral) {
        self.arrivals.integral = integral;
        if let Law::Burst(_) = self.arrivals.law {
            // How many there are to be in all is not known any more: the last one is whole, too.
            self.arrivals.limit = u64::MAX;
        }
        let arrivals = &self.arrivals;
        self.at = match &self.gaps {
            _ if self.next >= arrivals.limit => None,
            None => Some(arrivals.due_at(self.next)),
            // Those that were drawn are the same numbers of mean gaps as before.
            Some(gaps) => arrivals.integral.reaches(gaps.sum),
        };
    }

    /// A walk that counts arrivals at random moves on with the one that hands them out, so that
    /// the next question finds little left to do.
    #[inline]
    pub fn keep_up(&mut self, t: Nanos) {
        if self.gaps.is_some() {
            self.due_before(t);
        }
    }

    /// How many of the worker's were due in `[0, t)`, this walk being at its start or, for
    /// arrivals at random, wherever an earlier question left it: `t` never decreases.
    pub fn due_before(&mut self, t: Nanos) -> u64 {
        if self.gaps.is_none() {
            let due = self.arrivals.due_before(t);
            let first = self.next % self.workers;
            return due.saturating_sub(first).div_ceil(self.workers);
        }
        while self.peek().is_some_and(|at| at < t) {
            self.advance();
        }
        self.next / self.workers
    }

    /// `gaps`: how many lie between the last arrival seen and the next of this worker.
    #[inline]
    fn look_ahead(&mut self, gaps: u64) {
        let arrivals = &self.arrivals;
        let at = match &mut self.gaps {
            _ if self.next >= arrivals.limit => None,
            None => Some(arrivals.due_at(self.next)),
            Some(of) => arrivals.integral.reaches(of.sum_after(gaps)),
        };
        // It may lie past the end, which may be moved: whoever asks is not told of it.
        self.at = at;
    }
}

/// The gaps of a Poisson process of intensity 1, summed up.
#[derive(Clone, Debug)]
struct Gaps {
    random: Xoshiro256PlusPlus,
    sum: f64,
}

impl Gaps {
    fn new(seed: u64) -> Gaps {
        Gaps { random: Xoshiro256PlusPlus::seed_from_u64(seed), sum: 0.0 }
    }

    #[inline]
    fn sum_after(&mut self, gaps: u64) -> f64 {
        for _ in 0..gaps {
            // In (0, 1], 53 bits: the logarithm is finite.
            let uniform = ((self.random.next_u64() >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64);
            self.sum -= uniform.ln();
        }
        self.sum
    }
}
