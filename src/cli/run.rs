//! `blast URL`: carries out a plan and writes its result.

use super::Outputs;
use crate::error::{Error, Exit, Result};
use crate::plan::Plan;

pub fn run(_plan: Plan, _outputs: Outputs) -> Result<Exit> {
    Err(Error::failed("no engine is built in; use a build that has one"))
}
