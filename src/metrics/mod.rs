//! What was measured: counters and distributions of one worker ([`Snapshot`]), of one second
//! ([`Interval`]) and of the whole run ([`Summary`]), what was read beside it ([`Gauges`]), and what
//! they mean ([`Verdict`], [`Audit`], [`Warning`], [`signs`]).
//!
//! Distributions are merged, never averaged. Nothing here does IO or reads a clock.

pub mod audit;
pub mod backfill;
pub mod calibration;
pub mod confidence;
pub mod counters;
#[cfg(test)]
pub mod fixture;
pub mod gauge;
pub mod groups;
pub mod heat;
pub mod histogram;
pub mod log;
pub mod modes;
pub mod named;
pub mod period;
pub mod portion;
pub mod profile;
pub mod series;
mod server;
pub mod signs;
pub mod slowest;
pub mod snapshot;
pub mod steady;
pub mod summary;
pub mod trend;
pub mod verdict;
pub mod warning;

pub use audit::{Audit, Check};
pub use backfill::Backfill;
pub use calibration::Calibration;
pub use counters::{Counters, Drop, Events, Rejection};
pub use gauge::{Course, Gauges, Label, Unit};
pub use groups::Groups;
pub use heat::Heat;
pub use histogram::{Distribution, Histogram, Reading};
pub use log::WatchedLog;
pub use named::{Account, CheckCount, Named, Part, SessionEnd, Sessions, Sightings};
pub use portion::{Ends, NameRow, Portion, Times};
pub use profile::Profile;
pub use series::{Ended, Interval, Series};
pub use server::Server;
pub use slowest::{Fate, Found, Slow, Slowest, Tcp, Ticket};
pub use snapshot::{Fates, Links, Phase, Snapshot};
pub use steady::Steadiness;
pub use summary::{
    Aborted, Client, Connections, EXAMPLES, Edit, Example, Level, Mode, Pause, Refreshes, Stage,
    Summary, WarmupEnd, Worker,
};
pub use verdict::{Evidence, Limit, Verdict};
pub use warning::Warning;
