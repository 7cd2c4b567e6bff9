//! The flags of what is read beside the load, from elsewhere: what was typed becomes what is read.

use super::groups::{ElsewhereArgs, LoadArgs};
use crate::error::{Error, Result};
use crate::monitor::Elsewhere;
use crate::monitor::elsewhere::Log;
use crate::plan::Watch;
use crate::plan::threshold::Watched;

/// Looks which part of `--watch-log` is a file that is there.
pub fn elsewhere(args: &ElsewhereArgs) -> Result<Elsewhere> {
    let in_flag = |error: Error| Error { message: format!("--watch-log: {error}"), ..error };
    let log = args.watch_log.as_deref().map(Log::parse).transpose().map_err(in_flag)?;
    Elsewhere::new(args.samples.clone(), args.scrapes.clone(), log)
}

/// What rules may be about.
pub fn watched(args: &LoadArgs) -> Watched<'_> {
    let (watch, elsewhere) = (&args.watch, &args.elsewhere);
    Watched {
        // Where nobody says who, it is whoever listens on the target's port, if that is here.
        server: watch.watch != Some(Watch::Off),
        pool: watch.watch_pool.is_some(),
        log: elsewhere.watch_log.is_some(),
        samples: elsewhere.samples.iter().map(|sample| &*sample.name).collect(),
        scrapes: elsewhere.scrapes.iter().map(|scrape| &*scrape.name).collect(),
    }
}
