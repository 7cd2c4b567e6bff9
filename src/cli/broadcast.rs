//! `--prometheus`: the run as other programs watch it while it goes on. What the engine tells and
//! the sampler reads is put where they look.

use std::io::{self, Write};

use super::Outputs;
use crate::engine::{self, Progress};
use crate::error::Result;
use crate::metrics::Mode;
use crate::monitor::Sampler;
use crate::plan::Plan;
use crate::report::exposition::{About, Exposition};
use crate::report::prometheus::Server;

/// Nothing, where nobody asked for it. What is shown is there until it is dropped.
pub struct Broadcast {
    exposition: Option<Exposition>,
    _server: Option<Server>,
}

impl Broadcast {
    /// Fails before anything is sent.
    pub fn start(plan: &Plan, outputs: &Outputs) -> Result<Broadcast> {
        let exposition = outputs.prometheus.map(|_| Exposition::new(about(plan)));
        let both = outputs.prometheus.zip(exposition.clone());
        let server = both.map(|(address, shown)| Server::start(address, shown)).transpose()?;
        if let (Some(server), false) = (&server, outputs.quiet) {
            let line = format!("metrics: http://{}/metrics\n", server.address());
            let _ = io::stderr().write_all(line.as_bytes());
        }
        Ok(Broadcast { exposition, _server: server })
    }

    pub fn show(&self, progress: &Progress, sampler: &Sampler) {
        match (&self.exposition, progress) {
            (Some(shown), Progress::Slice { worker, snapshot }) => shown.add(*worker, snapshot),
            (Some(shown), Progress::Interval { interval, .. }) => {
                shown.second(interval, sampler.latest());
            }
            _ => {}
        }
    }

    /// The load is over.
    pub fn end(&self) {
        if let Some(shown) = &self.exposition {
            shown.end();
        }
    }
}

fn about(plan: &Plan) -> About {
    let mode = if plan.load.offered().is_some() { Mode::Open } else { Mode::Closed };
    About { url: plan.url.shown.clone(), engine: engine::engine(plan).name(), mode }
}
