//! A request on its way, and when it was due: in which phase, in which stage, for which entry.

use crate::metrics::Phase;
use crate::time::Nanos;

/// Where the phases lie on the clock.
#[derive(Clone, Copy, Debug)]
pub struct Phases {
    /// The start of warm-up.
    pub origin: Nanos,
    /// The start of measure; `MAX` while it is not known.
    pub measure: Nanos,
    /// The end of measure; `MAX` while it is not known.
    pub end: Nanos,
}

impl Phases {
    pub fn at(&self, now: Nanos) -> Phase {
        if now < self.measure {
            Phase::Warmup
        } else if now < self.end {
            Phase::Measure
        } else {
            Phase::Drain
        }
    }
}

/// One request on its way.
#[derive(Clone, Copy, Debug)]
pub struct Flight {
    /// When it was due. In closed loop: when it was sent.
    pub intended: Nanos,
    pub sent: Nanos,
    /// The phase and the stage it was due in.
    pub phase: Phase,
    pub stage: u16,
    /// The place of the scenario's entry; 0 without one.
    pub entry: u16,
    /// It was due before a connection was free.
    pub waited: bool,
}

/// Whose books something goes into.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub phase: Phase,
    pub stage: u16,
    pub entry: u16,
}

impl Place {
    #[inline]
    pub fn of(flight: &Flight) -> Place {
        let Flight { phase, stage, entry, .. } = *flight;
        Place { phase, stage, entry }
    }
}
