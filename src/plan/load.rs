//! How much load: closed loop, or open loop at a rate.

use crate::time::Nanos;

/// What decides when a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Each connection sends again when it is answered.
    Closed,
    /// Requests are due by a clock, whatever the server does.
    Open { rate: Rate },
}

impl Load {
    pub fn rate(self) -> Option<Rate> {
        match self {
            Load::Closed => None,
            Load::Open { rate } => Some(rate),
        }
    }
}

/// `count` events in every `period`; an exact rational, so that no rounding can accumulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At least 1.
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
