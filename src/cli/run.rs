//! `blast URL`: carries out a plan and writes its result.

use std::io;

use super::Outputs;
use crate::engine;
use crate::error::{Exit, Result};
use crate::plan::Plan;
use crate::report::{Document, json};

pub fn run(plan: Plan, _outputs: Outputs) -> Result<Exit> {
    engine::stop::install();
    let summary = engine::run(&plan, &mut |_| {})?;
    let document = Document::new(&plan, &summary);
    json::write(&document, &mut io::stdout())?;
    Ok(Exit::Done)
}
