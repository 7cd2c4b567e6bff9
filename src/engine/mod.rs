//! The engine: carries out a plan.
//!
//! ```text
//! prepare    addresses, cores, limits -> one Job a worker
//! worker     a thread on a core: a driver (ring, tokio_uring, epoll) around the sans-IO core
//! core       slots, pacer, deadlines, redials, tally      (no IO, no clock)
//! control    start barrier, signals, collecting snapshots
//! collect    snapshots and totals -> Summary, audit, verdict
//! edits      changes of the load while it runs; helm: who makes them
//! names      what is told by name while it runs
//! so_far     the same of a run that goes on
//! session    one load after another on the same connections
//! ```

mod addresses;
mod by_name;
mod calibrate;
mod collect;
mod connection;
mod control;
pub mod core;
mod crew;
mod deadlines;
#[cfg(test)]
mod deliveries;
pub mod directory;
mod edits;
mod epoll;
mod groups;
pub mod helm;
pub mod job;
pub mod mailbox;
mod meter;
mod names;
mod offload;
mod pace;
mod pacer;
mod pauses;
mod prepare;
mod pulse;
mod redial;
mod refresh;
mod rehearsal;
mod relay;
mod resolve;
mod ring;
mod script;
mod session;
#[cfg(test)]
mod sim;
mod so_far;
mod socket;
mod sources;
#[cfg(test)]
mod steered;
pub mod stop;
mod tally;
pub mod timeline;
mod tokio_uring;
mod window;
pub mod wire;
mod worker;

pub use session::Session;

use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use self::helm::Helm;
use crate::address::Address;
use crate::error::Result;
use crate::host;
use crate::metrics::{Edit, Fates, Interval, NameRow, Snapshot, Summary};
use crate::plan::{Engine, Plan};
use crate::time::Nanos;

/// What can be shown while a run goes on. Told once a second and kept by nobody, so its size is no
/// matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// Connections that are open or have failed once, of all.
    Connecting { dialled: u64, connections: u64 },
    /// The load is about to begin, at this instant of the clock of [`crate::time`].
    Starting { at: Nanos },
    /// Another second is over. `errors`: of all requests so far; `measure`: those due in measure
    /// that ended in this second, and `warmup`: those due in warm-up; `origin`: the wall clock at
    /// the start of the load; `busy`: the share of the second that each worker was.
    Interval {
        interval: Interval,
        errors: u64,
        measure: &'a Fates,
        warmup: &'a Fates,
        origin: SystemTime,
        busy: &'a [f64],
    },
    /// What one worker did in a stretch of the load, as it comes in; the sum of all of them is
    /// what the summary is made of.
    Slice { worker: usize, snapshot: &'a Snapshot },
    /// The load changes soon, as somebody wished, from this time of it on.
    Edited { edit: &'a Edit },
    /// It does not, which was found when it was too late to refuse the wish itself.
    EditRefused { why: &'a str, who: &'a str },
    /// A second is over: what came so far of the requests of each name, and of all together. Told
    /// where the plan asks for it.
    Names { at: Nanos, rows: &'a [NameRow], all: &'a NameRow },
    /// A look at the workers is over, and all that they had published is told.
    Look { so_far: SoFar<'a> },
}

/// The run as it would be told if it had been cut off where the workers last published.
#[derive(Clone, Copy)]
pub struct SoFar<'a>(&'a dyn Fn() -> Summary);

impl SoFar<'_> {
    /// Takes the control thread some milliseconds, and the workers nothing: what they have
    /// published is put together anew. Nothing is told by name, by stage, or of the slowest
    /// requests: the workers keep that to themselves until they are done.
    pub fn summary(&self) -> Summary {
        (self.0)()
    }
}

impl fmt::Debug for SoFar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoFar")
    }
}

/// The length of warm-up and measure together, where it is known before the run.
pub fn length(plan: &Plan) -> Option<Nanos> {
    prepare::length(plan)
}

/// The engine that would run: another one than the plan's where nobody chose it and io_uring is
/// refused.
pub fn engine(plan: &Plan) -> Engine {
    prepare::engine(plan, &mut Vec::new())
}

/// How many worker threads the plan would have on this host.
pub fn workers(plan: &Plan) -> usize {
    prepare::workers(plan, host::allowed_cores().len().max(1), &mut Vec::new())
}

/// A core that no worker will sit on, where there is one: for whatever else blast does meanwhile.
pub fn spare_core(plan: &Plan) -> Option<usize> {
    prepare::spare_core(plan, workers(plan))
}

/// The cores that the plan's workers will sit on here, as far as they are pinned.
pub fn cores(plan: &Plan) -> Vec<usize> {
    prepare::taken_cores(plan, workers(plan))
}

/// The addresses of the plan's target.
pub fn addresses(plan: &Plan) -> Result<Vec<Address>> {
    resolve::addresses(plan)
}

/// The local addresses that the plan's `--bind` names, as far as this host has them.
pub fn bound(plan: &Plan) -> Result<Vec<IpAddr>> {
    sources::bound(&plan.bind)
}

/// Carries out `plan`. Fails if it cannot be done at all (nothing listens, the name is unknown,
/// the kernel refuses); everything that goes wrong later is in the summary.
pub fn run(plan: &Plan, watch: &mut (dyn FnMut(Progress) + Send)) -> Result<Summary> {
    run_steered(plan, &Helm::default(), watch)
}

/// The same with somebody at the helm.
pub fn run_steered(
    plan: &Plan,
    helm: &Helm,
    watch: &mut (dyn FnMut(Progress) + Send),
) -> Result<Summary> {
    let mut session = Session::open(plan)?;
    let mut summary = session.run_steered(plan, helm, watch)?;
    session.end(plan, &mut summary);
    Ok(summary)
}
