//! `--prometheus` and `--otlp`: the run as other programs watch it while it goes on. What the engine tells and
//! the sampler reads is put where they look.

use std::io::{self, Write};

use super::Outputs;
use crate::engine::{self, Progress};
use crate::error::Result;
use crate::metrics::{Mode, Warning};
use crate::monitor::Sampler;
use crate::plan::Plan;
use crate::report::exposition::{About, Exposition};
use crate::report::otlp::{Outcome, Pusher};
use crate::report::prometheus::Server;

/// Nothing, where nobody asked for it. What is shown is there until it is dropped.
pub struct Broadcast {
    exposition: Option<Exposition>,
    _server: Option<Server>,
    pusher: Option<Pusher>,
}

impl Broadcast {
    /// Fails before anything is sent.
    pub fn start(plan: &Plan, outputs: &Outputs) -> Result<Broadcast> {
        let is_wanted = outputs.prometheus.is_some() || outputs.otlp.is_some();
        let exposition = is_wanted.then(|| Exposition::new(about(plan)));
        let both = outputs.prometheus.zip(exposition.clone());
        let server = both.map(|(address, shown)| Server::start(address, shown)).transpose()?;
        if let (Some(server), false) = (&server, outputs.quiet) {
            let line = format!("metrics: http://{}/metrics\n", server.address());
            let _ = io::stderr().write_all(line.as_bytes());
        }
        let both = outputs.otlp.clone().zip(exposition.clone());
        let pusher = both.map(|(endpoint, shown)| Pusher::start(endpoint, shown)).transpose()?;
        Ok(Broadcast { exposition, _server: server, pusher })
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

    /// The load is over: what is shown says so, and what is sent is sent once more.
    pub fn end(&mut self) -> Option<Warning> {
        self.exposition.as_ref()?.end();
        let Outcome { sent, failed, why } = self.pusher.take()?.end();
        (failed > 0).then_some(Warning::OtlpFailed { times: failed, of: sent, why })
    }
}

fn about(plan: &Plan) -> About {
    let mode = if plan.load.offered().is_some() { Mode::Open } else { Mode::Closed };
    About { url: plan.url.shown.clone(), engine: engine::engine(plan).name(), mode }
}
