//! A long run that is watched for drift: whether memory, descriptors, threads or a pool leak, and
//! whether answers get slower or worse.
//!
//! ```text
//! blocks     the answers, block by block, in bounded memory
//! series     what is watched, and from how much growth on it matters
//! judge      each series by its trend, and all of them together
//! words      what was found, in sentences
//! ```
//!
//! A series is cut into blocks: at least [`LEAST_BLOCK`] long and a [`BLOCKS`]th of the run, so that
//! what makes neighbouring seconds alike lies within one. The start of measure is left out (a tenth
//! of it, unless the user says otherwise): caches fill and pools open. Then a series *grows* when
//!
//! - its trend is no chance ([`SIGNIFICANT`] deviations by the test of `statistics::course`),
//! - its growth matters (a share of what it was and an amount of its own, see `series`), and
//! - it still grows: the slope of its second half is at least half that of the whole. What does not
//!   levels off; a single step at any time has no such slope.

mod blocks;
mod judge;
mod series;
#[cfg(test)]
mod tests;
mod words;

use crate::metrics::{Fates, Interval, Summary};
use crate::report::document::Soak;
use crate::time::Nanos;
use blocks::Blocks;

/// The shortest block, unless the user says otherwise.
pub const LEAST_BLOCK: Nanos = Nanos::from_secs(10);

/// About how many blocks a run is cut into.
pub const BLOCKS: u64 = 120;

/// Of fewer blocks nothing is said.
pub const LEAST: usize = 20;

/// Chance alone takes a trend so far once in a thousand times.
pub const SIGNIFICANT: f64 = 3.3;

/// The share of measure that is left out at its start.
pub const SETTLING: f64 = 0.1;

/// How a run is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub block: Nanos,
    /// What is left out at the start of measure; `None`: [`SETTLING`].
    pub settle: Option<Nanos>,
}

impl Settings {
    /// For a run that is to be so long.
    pub fn of(length: Option<Nanos>, settle: Option<Nanos>) -> Settings {
        let block = length.map_or(Nanos::ZERO, |length| Nanos(length.0 / BLOCKS));
        Settings { block: block.max(LEAST_BLOCK), settle }
    }
}

/// What the watched server can have at most.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Open files, of a server of one process.
    pub files: Option<f64>,
    /// Bytes that the host could still give.
    pub memory_left: Option<f64>,
}

/// Watches a run. Its size is bounded, however long that is.
#[derive(Clone, Debug)]
pub struct Drift {
    settle: Option<Nanos>,
    blocks: Blocks,
}

impl Drift {
    pub fn new(settings: Settings) -> Drift {
        Drift { settle: settings.settle, blocks: Blocks::new(settings.block) }
    }

    /// Takes an interval in, with the requests of measure that ended in it.
    pub fn interval(&mut self, interval: &Interval, ended: &Fates) {
        self.blocks.push(interval, ended);
    }

    /// What the run shows, or has shown so far.
    pub fn judge(&self, summary: &Summary, limits: &Limits) -> Soak {
        judge::judge(&self.blocks, self.settle, summary, limits)
    }
}
