//! `blast soak`: a run as any other, from a URL or a plan file, that is watched for drift and saved
//! now and then.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::beside::Beside;
use super::checkpoint::{Checkpoints, Moment};
use super::groups::LoadArgs;
use super::low::{PlanArgs, RunArgs};
use super::outputs::Format;
use super::{Outputs, high, run, run_plan, values};
use crate::engine::SoFar;
use crate::error::{Error, Exit, Result};
use crate::metrics::{Fates, Interval, Summary};
use crate::monitor::{limits, sampler};
use crate::plan::{Load, Plan};
use crate::report::document;
use crate::study::soak::{Drift, Limits, Settings};
use crate::time::Nanos;
use crate::units::format_duration;

/// How often the result so far is written.
const EVERY: Nanos = Nanos::from_secs(60);

/// Where it is written if no file of JSON was named.
const FILE: &str = "soak-checkpoint.json";

/// What `blast soak` takes: the flags of a run, and these.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct SoakArgs {
    /// What is left out at the start, while caches fill [default: a tenth of the run]
    #[arg(long, value_name = "T", value_parser = crate::units::parse_duration)]
    #[arg(help_heading = "Soak")]
    pub settle: Option<Nanos>,

    /// Write the result so far this often, to the -o file that ends in .json, or to
    /// soak-checkpoint.json [default: 1m]
    #[arg(long, value_name = "T", value_parser = values::time_limit, help_heading = "Soak")]
    pub checkpoint: Option<Nanos>,

    /// The blocks that are compared, for tests
    #[arg(long, value_name = "T", value_parser = values::time_limit, hide = true)]
    pub block: Option<Nanos>,

    #[command(flatten)]
    pub run: RunArgs,
}

pub fn run(args: &SoakArgs, arguments: &[OsString]) -> Result<Exit> {
    if args.run.load.is_of_file() {
        return run_plan::carry_out(&args.run, arguments, |plan, outputs, load| {
            soak(args, plan, outputs, load)
        });
    }
    if args.run.file != PlanArgs::default() {
        return Err(Error::usage(
            "flags of a plan file were given, and no plan file; write `blast soak plan.toml`, or \
             leave them away",
        ));
    }
    let load = &args.run.load;
    soak(args, high::plan(load)?, Outputs::of(load)?, load)
}

fn soak(args: &SoakArgs, plan: Plan, mut outputs: Outputs, load: &LoadArgs) -> Result<Exit> {
    if outputs.of_format(Format::Json).next().is_none() {
        // That it can be written is found out now.
        outputs.files.extend(Outputs::to(&[PathBuf::from(FILE)], None)?.files);
    }
    let files = outputs.of_format(Format::Json).cloned().collect();
    let soak = Soak::start(args, &plan, load, files)?;
    run::carry_out(plan, outputs, Some(soak))
}

/// Ten seconds, which is what a run takes that nobody gave a length, soak nothing.
fn refuse_without_length(load: &LoadArgs) -> Result<()> {
    let shape = &load.shape;
    let is_shaped = !shape.stages.is_empty() || !shape.connections_stages.is_empty();
    let has_length = load.size.duration.is_some() || load.phases.requests.is_some();
    match has_length || is_shaped || shape.steps.is_some() {
        true => Ok(()),
        false => Err(Error::usage("how long a soak is to be is not said; add `--duration 8h`")),
    }
}

/// Nothing would be left to judge.
fn refuse_without_end_of_settling(args: &SoakArgs, plan: &Plan) -> Result<()> {
    match args.settle.zip(length(plan)) {
        Some((settle, length)) if settle >= length => Err(Error::usage(format!(
            "--settle: {} are left out at the start of a run of {}; leave out less, or run longer",
            format_duration(settle),
            format_duration(length)
        ))),
        _ => Ok(()),
    }
}

/// Of measure, as far as it is known.
fn length(plan: &Plan) -> Option<Nanos> {
    let per_s = match &plan.load {
        Load::Open(_) => plan.load.per_s(),
        _ => None,
    };
    let all = plan.requests.zip(per_s).filter(|(_, per_s)| *per_s > 0.0);
    let needed = all.map(|(requests, per_s)| Nanos((requests as f64 / per_s * 1e9) as u64));
    match (plan.duration, needed) {
        (Some(duration), Some(needed)) => Some(duration.min(needed)),
        (duration, needed) => duration.or(needed),
    }
}

/// A run that is watched.
pub struct Soak {
    drift: Drift,
    /// From one reading beside it to the next.
    pub step: Nanos,
    limits: Limits,
    checkpoints: Checkpoints,
}

impl Soak {
    /// `files`: what its result so far is written to, now and then.
    pub fn start(
        args: &SoakArgs,
        plan: &Plan,
        load: &LoadArgs,
        files: Vec<PathBuf>,
    ) -> Result<Soak> {
        refuse_without_length(load)?;
        refuse_without_end_of_settling(args, plan)?;
        let mut settings = Settings::of(length(plan), args.settle);
        settings.block = args.block.unwrap_or(settings.block);
        Ok(Soak {
            drift: Drift::new(settings),
            step: sampler::STEP.min(Nanos(settings.block.0 / 2)),
            limits: Limits::default(),
            checkpoints: Checkpoints::start(plan, files, args.checkpoint.unwrap_or(EVERY))?,
        })
    }

    /// Of the watched server's processes. What it may have is asked while it is there.
    pub fn watches(&mut self, pids: &[u32]) {
        if let [pid] = pids {
            self.limits.files = limits::files_of(*pid).map(|files| files as f64);
        }
    }

    pub fn interval(&mut self, interval: &Interval, ended: &Fates) {
        self.drift.interval(interval, ended);
    }

    pub fn look(&mut self, so_far: SoFar, beside: &Beside) {
        let (drift, limits) = (&self.drift, self.limits);
        self.checkpoints.look(so_far, |mut summary| {
            beside.tell_so_far(&mut summary);
            Moment { limits: with_memory(limits, &summary), drift: drift.clone(), summary }
        });
    }

    /// The last checkpoint is written, and the whole run is judged.
    pub fn end(mut self, summary: &Summary) -> document::Soak {
        self.checkpoints.end();
        self.drift.judge(summary, &with_memory(self.limits, summary))
    }
}

/// What this host could still give, where the server on it is watched.
fn with_memory(limits: Limits, summary: &Summary) -> Limits {
    let left = summary.server.as_ref().and_then(|_| limits::Limits::read().memory_available);
    Limits { memory_left: left.map(|bytes| bytes as f64), ..limits }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::plan::{Rate, Url};

    #[test]
    fn the_length_of_a_run_is_told_by_its_time_or_by_its_requests() {
        let url = Url::parse("http://h/").unwrap();
        let plan = Plan::new(url, Request::new("GET", "/", "h"));
        let open = Load::steady(Rate::per_second(100));
        let (hour, count) = (Some(Nanos::from_secs(3_600)), Some(1_000));
        for (load, duration, requests, expected) in [
            (open.clone(), hour, None, Some(3_600)),
            (open.clone(), hour, count, Some(10)),
            (open, None, count, Some(10)),
            (Load::CLOSED, None, count, None),
        ] {
            let plan = Plan { load, duration, requests, ..plan.clone() };
            assert_eq!(length(&plan), expected.map(Nanos::from_secs));
        }
    }
}
