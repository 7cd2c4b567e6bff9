//! Where the panel's runs come from: children of this program.

use std::path::Path;
use std::sync::Arc;

use super::ServeArgs;
use crate::cli::desk::Desk;
use crate::error::{Error, Result};
use crate::plan::Limits;
use crate::serve::aim::{Aims, Allowed};
use crate::serve::plans::Plans;
use crate::serve::runs::Runs;
use crate::serve::supervisor::{Floor, FloorSettings, PATIENCE};

pub fn runs(args: &ServeArgs, history: &Path, limits: Limits) -> Result<Arc<dyn Runs>> {
    let allow = args.allow.iter().map(|text| Allowed::parse(text)).collect::<Result<_>>()?;
    let program = std::env::current_exe().map_err(|error| {
        Error::failed(format!(
            "the file of this program cannot be found ({error}), and runs are its children; start \
             it by its full name"
        ))
    })?;
    Ok(Arc::new(Floor::new(FloorSettings {
        program,
        history: history.to_path_buf(),
        limits,
        desk: Arc::new(Desk { plans: Plans { folder: args.plans.clone() } }),
        aims: Aims::new(args.aims(), allow),
        patience: PATIENCE,
        environment: Vec::new(),
    })))
}
