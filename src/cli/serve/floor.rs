//! Where the panel's runs come from: children of this program.

use std::path::Path;
use std::sync::Arc;

use super::ServeArgs;
use crate::cli::desk::Desk;
use crate::error::{Error, Result};
use crate::serve::Offer;
use crate::serve::aim::{Aims, Allowed, Target};
use crate::serve::plans::Plans;
use crate::serve::runs::Runs;
use crate::serve::supervisor::{Floor, FloorSettings, PATIENCE};

pub fn runs(args: &ServeArgs, history: &Path, offer: &Offer) -> Result<Arc<dyn Runs>> {
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
        limits: offer.limits,
        desk: Arc::new(Desk { plans: Plans { folder: args.plans.clone() } }),
        aims: Aims::new(targets(args)?, allow),
        patience: PATIENCE,
        environment: Vec::new(),
    })))
}

fn targets(args: &ServeArgs) -> Result<Vec<Target>> {
    let target = |named: &super::Named| {
        let target = Target::parse(&format!("{}={}", named.name, named.url))?;
        let is_protected = args.protect.contains(&named.name);
        Ok(if is_protected { target.protected() } else { target })
    };
    args.targets.iter().map(target).collect()
}
