//! How much load: closed loop, or open loop at a rate; steady, or with a shape.

use super::arrivals::Law;
use super::integral::Integral;
use super::shape::{Shape, Stage};
use crate::error::Result;
use crate::time::Nanos;

/// What decides when a request is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// Each connection sends again when it is answered. With a shape: how many of the connections
    /// take part.
    Closed { users: Option<Shape> },
    /// Requests are due by a clock, whatever the server does.
    Open(Offered),
}

impl Load {
    /// All connections, all the time.
    pub const CLOSED: Load = Load::Closed { users: None };

    pub fn steady(rate: Rate) -> Load {
        Load::Open(Offered::steady(rate, Law::Uniform))
    }

    pub fn offered(&self) -> Option<&Offered> {
        match self {
            Load::Closed { .. } => None,
            Load::Open(offered) => Some(offered),
        }
    }

    /// What changes over the run: requests a period, or connections.
    pub fn shape(&self) -> Option<&Shape> {
        match self {
            Load::Closed { users } => users.as_ref(),
            Load::Open(offered) => offered.shape(),
        }
    }

    /// The stages of a shape; a steady load has none.
    pub fn stages(&self) -> &[Stage] {
        self.shape().map_or(&[], Shape::stages)
    }

    /// Requests per second, over a shape on average; open loop only.
    pub fn per_s(&self) -> Option<f64> {
        self.offered().map(Offered::per_s)
    }
}

/// A rate and the law of its arrivals.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    rate: OfferedRate,
    law: Law,
    /// Follows from `rate`.
    integral: Integral,
}

/// Requests over time.
#[derive(Clone, Debug, PartialEq)]
pub enum OfferedRate {
    Steady(Rate),
    /// Its levels are requests in each `period`.
    Shaped {
        shape: Shape,
        period: Nanos,
    },
}

impl Offered {
    pub fn steady(rate: Rate, law: Law) -> Offered {
        Offered { rate: OfferedRate::Steady(rate), law, integral: Integral::steady(rate) }
    }

    /// Fails where the numbers are too large to be exact.
    pub fn shaped(shape: Shape, period: Nanos, law: Law) -> Result<Offered> {
        let integral = Integral::shaped(&shape, period)?;
        Ok(Offered { rate: OfferedRate::Shaped { shape, period }, law, integral })
    }

    pub fn law(&self) -> Law {
        self.law
    }

    pub fn integral(&self) -> &Integral {
        &self.integral
    }

    pub fn rate(&self) -> &OfferedRate {
        &self.rate
    }

    pub fn shape(&self) -> Option<&Shape> {
        match &self.rate {
            OfferedRate::Steady(_) => None,
            OfferedRate::Shaped { shape, .. } => Some(shape),
        }
    }

    /// On average.
    pub fn per_s(&self) -> f64 {
        match &self.rate {
            OfferedRate::Steady(rate) => rate.per_s(),
            OfferedRate::Shaped { shape, .. } => {
                let length = shape.length();
                self.integral.due_before(length) as f64 / length.as_secs_f64()
            }
        }
    }

    /// The rate before measure: the one that measure begins with, or, where that is none, the
    /// first that is not.
    pub fn first_rate(&self) -> Rate {
        match &self.rate {
            OfferedRate::Steady(rate) => *rate,
            OfferedRate::Shaped { shape, period } => {
                let mut levels = shape.stages().iter().flat_map(|stage| [stage.from, stage.to]);
                let count = levels.find(|level| *level > 0).unwrap_or(1);
                Rate { count, period: *period }
            }
        }
    }

    /// The highest rate of the run.
    pub fn highest_per_s(&self) -> f64 {
        match &self.rate {
            OfferedRate::Steady(rate) => rate.per_s(),
            OfferedRate::Shaped { shape, period } => shape.highest() as f64 / period.as_secs_f64(),
        }
    }
}

/// `count` events in every `period`; an exact rational, so that no rounding can accumulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At least 1, but at the ends of a ramp.
    pub count: u64,
    /// At least 1 ns.
    pub period: Nanos,
}

impl Rate {
    pub const fn per_second(count: u64) -> Rate {
        Rate { count, period: Nanos::from_secs(1) }
    }

    pub fn per_s(self) -> f64 {
        self.count as f64 / self.period.as_secs_f64()
    }
}
