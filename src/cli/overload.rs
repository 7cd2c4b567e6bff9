//! `blast ceiling --to-failure`: what is above the ceiling that was found.

use clap::Args;

use super::study::{Runs, Status};
use super::values;
use crate::engine::stop;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::report::ceiling::Push;
use crate::study::ceiling::{Fate, Finding, Rig, Start, to_failure};
use crate::time::Nanos;
use crate::units::format_count;

/// How long it takes at most, beside the search.
const BUDGET: Nanos = Nanos::from_secs(120);

/// Shorter ones would end before anything failed.
const LEAST_BUDGET: Nanos = Nanos::from_secs(5);

#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct OverloadArgs {
    /// Then go on above the ceiling until good/s falls, errors exceed 5 % or the server dies, and
    /// time how long it takes to recover at half the ceiling
    #[arg(long, help_heading = "Above the ceiling")]
    pub to_failure: bool,

    /// How long that takes at most, recovery and all [default: 2m]
    #[arg(long, value_name = "T", value_parser = values::time_limit)]
    #[arg(requires = "to_failure", help_heading = "Above the ceiling")]
    pub failure_budget: Option<Nanos>,
}

impl OverloadArgs {
    pub fn check(&self) -> Result<()> {
        match self.failure_budget {
            Some(budget) if budget < LEAST_BUDGET => Err(Error::usage(
                "--failure-budget: it takes 5 s at least to see a server fail; give it more",
            )),
            _ => Ok(()),
        }
    }

    /// `None`: it was not asked for, or there is no ceiling to go above.
    pub fn overload(
        &self,
        runs: &mut Runs,
        plan: &Plan,
        finding: &Finding,
        is_fixed: bool,
        status: &Status,
    ) -> Result<Option<Fate>> {
        let Some(low) = finding.low.as_ref().filter(|_| self.to_failure && !finding.interrupted)
        else {
            return Ok(None);
        };
        let mut tell = |push: &Push| {
            let (rate, good) = (format_count(push.rate_per_s), format_count(push.good_per_s));
            status.show(&format!("above the ceiling: {good}/s good of {rate}/s"));
        };
        let budget = self.failure_budget.unwrap_or(BUDGET);
        let mut rig = Rig::new(runs, plan, low, is_fixed, &mut tell, || stop::exit().is_some());
        let p50_us = low.p50.map(Nanos::as_micros_f64);
        let start = Start { rate_per_s: low.rate_per_s, good_per_s: low.good_per_s, p50_us };
        let fate = to_failure(&mut rig, start, budget)?;
        status.end();
        Ok(Some(fate))
    }
}
