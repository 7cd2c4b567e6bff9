//! `blast target`: the built-in server.

use crate::error::{Error, Exit, Result};

#[derive(Clone, Debug, clap::Args)]
pub struct TargetArgs {
    /// Port to listen on
    #[arg(long, value_name = "N")]
    pub port: u16,
}

pub fn run(_args: TargetArgs) -> Result<Exit> {
    Err(Error::failed("no server is built in; use a build that has one"))
}
