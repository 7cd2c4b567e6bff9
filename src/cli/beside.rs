//! What is read beside the load: the host before and after it, and once a second meanwhile the host,
//! the server where it runs here, and whatever else the flags name.

use super::doctor;
use crate::engine;
use crate::error::Result;
use crate::metrics::{Gauges, Server, Summary, Verdict, Warning};
use crate::monitor::card::Cards;
use crate::monitor::elsewhere::Readers;
use crate::monitor::own::Own;
use crate::monitor::{Elsewhere, Flight, Probe, Sampler, Watched, host};
use crate::plan::Plan;
use crate::time::Nanos;

pub struct Beside {
    flight: Flight,
    sampler: Sampler,
    readers: Readers,
    server: Option<Server>,
    pids: Vec<u32>,
    /// The start of the load on the clock of [`crate::time`].
    begun: Nanos,
}

/// All of it, read.
pub struct Read {
    flight: Flight,
    gauges: Gauges,
    readers: Readers,
    server: Option<Server>,
}

impl Beside {
    /// `step`: from one reading to the next.
    pub fn start(plan: &Plan, elsewhere: &Elsewhere, step: Nanos) -> Result<Beside> {
        let addresses = || engine::addresses(plan).unwrap_or_default();
        let Watched { probes: of_server, server, pids } =
            Watched::find(&plan.watch, addresses, plan.watch_pool)?;
        let flight = Flight::before();
        let (of_elsewhere, readers) = elsewhere.start()?;
        let here: [Box<dyn Probe>; 2] = [Box::new(Cards::default()), Box::new(Own::default())];
        let probes = host::probes().into_iter().chain(here).chain(of_server).chain(of_elsewhere);
        let sampler = Sampler::start(probes.collect(), step)?;
        Ok(Beside { flight, sampler, readers, server, pids, begun: Nanos::ZERO })
    }

    pub fn begin_at(&mut self, at: Nanos) {
        self.begun = at;
        self.sampler.begin_at(at);
    }

    /// Of the watched server, the one first that the others descend from.
    pub fn pids(&self) -> &[u32] {
        &self.pids
    }

    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// The readings after one instant up to another, from the start of the load.
    pub fn between(&self, after: Nanos, to: Nanos) -> Gauges {
        self.sampler.between(self.begun + after, self.begun + to).since(self.begun)
    }

    /// Puts what was read so far into the summary of a run that goes on.
    pub fn tell_so_far(&self, summary: &mut Summary) {
        summary.gauges = Some(self.between(Nanos::ZERO, Nanos::MAX));
        summary.server = self.server.clone();
    }

    /// The load is over: nothing is read any more.
    pub fn end(self) -> Read {
        let Beside { flight, sampler, readers, server, .. } = self;
        Read { flight, gauges: sampler.end(), readers, server }
    }
}

impl Read {
    /// Puts it into the summary, and judges that again: the engine knew nothing of it.
    pub fn tell(self, plan: &Plan, summary: &mut Summary) {
        summary.gauges = Some(self.gauges.since(summary.origin));
        let found = self.readers.end(summary.origin);
        summary.watched_log = found.log;
        summary.warnings.extend(found.warnings);
        summary.server = self.server;
        summary.warnings.extend(gone(summary));
        summary.verdict = Verdict::of(summary);
        let found = self.flight.warnings(&doctor::needs(plan), summary);
        summary.warnings.extend(found);
    }
}

/// Where the watched server did not live to see the end.
fn gone(summary: &Summary) -> Option<Warning> {
    let (server, at) = (summary.server.as_ref()?, summary.server_gone()?);
    Some(Warning::WatchedGone { name: server.name.clone(), pid: server.pid, at })
}
