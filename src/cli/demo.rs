//! `blast demo`: the built-in server under a load sized to this machine, and the page.
//!
//! The server gets the lowest cores and the workers the highest, so that neither measures the
//! other's waiting for a core.

use std::io::{self, Write};

use super::groups::LoadArgs;
use super::low::DemoArgs;
use super::save::SaveArgs;
use super::shapes::Rps;
use super::{Outputs, run};
use crate::error::{Exit, Result};
use crate::host;
use crate::plan::Rate;
use crate::target::{Options, Target};
use crate::time::Nanos;

/// Requests per second for each core of the load, unless the user says otherwise: a third of
/// what one such core has been seen to send, so that the page shows an easy run.
const RATE: u64 = 20_000;

/// The same where server and load share one core.
const SHARED_RATE: u64 = 2_000;

const DURATION: Nanos = Nanos::from_secs(5);

pub fn run(args: DemoArgs) -> Result<Exit> {
    let cores = host::allowed_cores();
    let servers = (cores.len() / 2).max(1);
    let server_cores = cores.iter().take(servers).copied().collect();
    let options = Options { threads: servers, cores: Some(server_cores), ..Options::default() };
    let target = Target::start(options)?;
    let load = args.load(&format!("http://{}/", target.address()), cores.len());
    let plan = super::plan(&load)?;
    introduce(servers, plan.threads.unwrap_or(1), &target);
    let exit = run::run(plan, Outputs::of(&load)?);
    target.stop();
    exit
}

/// To stderr: with `--json`, stdout is the document's alone.
fn introduce(servers: usize, workers: usize, target: &Target) {
    let line = format!(
        "demo: the built-in server ({}) at {}, loaded by {} of blast; the server's processor \
         time is not in the figures\n",
        count(servers, "thread"),
        target.address(),
        count(workers, "worker")
    );
    let _ = io::stderr().write_all(line.as_bytes());
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

impl DemoArgs {
    /// What `blast URL` with the same flags would be given, and where they are silent, a load
    /// that suits `cores`.
    fn load(self, url: &str, cores: usize) -> LoadArgs {
        let workers = cores.saturating_sub((cores / 2).max(1)).max(1);
        let per_worker = if cores > 1 { RATE } else { SHARED_RATE };
        let mut size = self.size;
        size.threads.get_or_insert(workers);
        size.rps.get_or_insert(Rps::Steady(Rate::per_second(per_worker * workers as u64)));
        size.duration.get_or_insert(DURATION);
        LoadArgs {
            words: vec![url.to_string()],
            size,
            rules: self.rules,
            page: self.page,
            engine: self.engine,
            // Its server is another one each time.
            save: SaveArgs::off(),
            ..LoadArgs::default()
        }
    }
}
