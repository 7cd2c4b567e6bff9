//! `blast ceiling --ladder`: runs at chosen rates, one after another, in the search's place.

use std::ffi::OsString;
use std::time::SystemTime;

use clap::Args;

use super::ceiling::CeilingArgs;
use super::groups::LoadArgs;
use super::save::{self, Recorder};
use super::shapes::Rps;
use super::study::{self, Runs, Status};
use super::{baseline, high, load, run_plan, values};
use crate::engine;
use crate::error::{Error, Exit, Result};
use crate::plan::{Load, Offered, Plan, Rate};
use crate::report::ladder::{LadderDocument, Step};
use crate::report::views;
use crate::study::ladder::{self, Rung, Told};
use crate::time::{self, Nanos};
use crate::units::{format_count, quote};

/// How long each step is.
const STEP: Nanos = Nanos::from_secs(10);

#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct LadderArgs {
    /// No search, but these steps one after another: rates such as 100,200,500, or so many workers
    /// with a rate each: 2x5,5x10,10x20,20x50
    #[arg(long, value_name = "STEPS", value_parser = rung, value_delimiter = ',')]
    #[arg(help_heading = "Ladder")]
    pub ladder: Vec<Named>,

    /// How long each step of a ladder is; so is -d [default: 10s]
    #[arg(long, value_name = "T", value_parser = values::run_length, requires = "ladder")]
    #[arg(help_heading = "Ladder")]
    pub step: Option<Nanos>,
}

/// A step as it was typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub name: String,
    pub workers: Option<u32>,
    /// Of all workers together.
    pub rate: Rate,
}

/// `100`, `1k`, `20x50`.
fn rung(text: &str) -> Result<Named> {
    let name = text.to_string();
    let Some((workers, each)) = text.split_once(['x', '*']) else {
        return Ok(Named { name, workers: None, rate: values::rate(text)? });
    };
    let (workers, each) = (values::connections(workers)?, values::rate(each)?);
    let count = each.count.checked_mul(workers.into()).filter(|count| *count <= each.period.0);
    let Some(count) = count else {
        let given = quote(text);
        return Err(Error::usage(format!(
            "{given} is more than one a nanosecond; give 1G per second or less"
        )));
    };
    Ok(Named { name, workers: Some(workers), rate: Rate { count, period: each.period } })
}

pub fn run(args: &CeilingArgs, arguments: &[OsString]) -> Result<Exit> {
    let files = views::LADDER.accept(&args.load.output.files)?;
    let rungs = rungs(args, arguments)?;
    let saving = args.load.save.saving()?;
    let mut recorder = Recorder::begin(saving.as_ref(), || save::begun(&rungs[0].plan, "ladder"))?;
    let status = Status::new(args.load.output.quiet);
    let document = recorder.check(climb(&rungs, &status))?;
    let exit = exit(&document);
    recorder.end_study(&document, save::of_ladder, exit);
    views::LADDER.write(&document, args.load.page.json, &files)?;
    Ok(exit)
}

/// Climbs, and shows how that goes.
pub fn climb(rungs: &[Rung], status: &Status) -> Result<LadderDocument> {
    engine::stop::install();
    let (started_at, began) = (SystemTime::now(), time::now());
    let mut runs = Runs::watched();
    let mut done = 0;
    status.show(&format!("step 1 of {}", rungs.len()));
    let mut tell = |step: &Step| {
        done += 1;
        let (name, good, outcome) = (&step.name, format_count(step.good_per_s), &step.outcome);
        status.show(&format!("step {done} of {}: {name} {outcome}, {good}/s good", rungs.len()));
    };
    let climbed = ladder::climb(&mut runs, rungs, &mut tell);
    status.end();
    let plan = &rungs[0].plan;
    let took = time::now() - began;
    let told = Told { plan, threads: engine::workers(plan), started_at, took };
    Ok(ladder::document(climbed?, &told))
}

fn refuse_what_steps_say(args: &CeilingArgs) -> Result<()> {
    let refuse = |what: &str| Err(Error::usage(what.to_string()));
    let (size, shape) = (&args.load.size, &args.load.shape);
    let by_workers = args.ladder.ladder.iter().any(|step| step.workers.is_some());
    match () {
        () if size.rps.is_some() => refuse("the steps of `--ladder` are rates; drop `--rps`"),
        () if by_workers && size.connections.is_some() => refuse(
            "steps such as 2x5 say how many connections there are; drop `--connections`, or write \
             plain rates",
        ),
        () if args.ladder.step.is_some() && size.duration.is_some() => {
            refuse("`--step` and `-d` say the same of a ladder; drop one of them")
        }
        () if args.load.phases.requests.is_some() => {
            refuse("a ladder's steps have a length and no number of requests; drop `-n`")
        }
        () if !shape.stages.is_empty()
            || shape.steps.is_some()
            || !shape.connections_stages.is_empty()
            || shape.spawn_rate.is_some() =>
        {
            refuse("a ladder is a shape of its own; drop the other one")
        }
        () if args.budget.is_some() || args.need.is_some() || args.overload.to_failure => refuse(
            "`--ladder` searches nothing: drop `--budget`, `--need` and `--to-failure`, or the \
             ladder",
        ),
        () => Ok(()),
    }
}

/// The steps; what makes no sense is refused. What they have in common is read once: it may come
/// from stdin. `arguments`: as they were typed, the program's name first.
pub fn rungs(args: &CeilingArgs, arguments: &[OsString]) -> Result<Vec<Rung>> {
    refuse_what_steps_say(args)?;
    study::refuse_unshown("ceiling", &args.load)?;
    let named = &args.ladder.ladder;
    let length = args.ladder.step.or(args.load.size.duration).unwrap_or(STEP);
    let (load, plan) = match args.load.is_of_file() {
        true => of_file(named[0].rate, length, arguments)?,
        false => of_url(args, named[0].rate, length)?,
    };
    baseline::refuse("ceiling --ladder", &plan.thresholds)?;
    let plan = Plan { engine: engine::engine(&plan), requests: None, ..plan };
    let rung = |step: &Named| Rung {
        name: step.name.clone(),
        workers: step.workers,
        plan: at(&plan, step, &load),
    };
    Ok(named.iter().map(rung).collect())
}

fn of_url(args: &CeilingArgs, rate: Rate, length: Nanos) -> Result<(LoadArgs, Plan)> {
    args.refuse_aim()?;
    let mut load = args.load.clone();
    load.size.rps = Some(Rps::Steady(rate));
    load.size.duration = Some(length);
    let plan = high::plan(&load)?;
    Ok((load, plan))
}

/// The first step takes the place of the file's own load.
fn of_file(rate: Rate, length: Nanos, arguments: &[OsString]) -> Result<(LoadArgs, Plan)> {
    let (count, period) = (rate.count, rate.period.0);
    let words = [format!("--rps={count}/{period}ns"), format!("--duration={}ns", length.0)];
    let words: Vec<OsString> = arguments.iter().cloned().chain(words.map(OsString::from)).collect();
    let meant = run_plan::for_study(&words, "as many requests as its steps say")?;
    Ok((meant.args.load, meant.plan))
}

fn at(plan: &Plan, step: &Named, args: &LoadArgs) -> Plan {
    let law = plan.load.offered().map(Offered::law).unwrap_or_default();
    let load = Load::Open(Offered::steady(step.rate, law));
    let connections = step.workers.unwrap_or_else(|| load::connections(args, &load));
    Plan { load, connections, ..plan.clone() }
}

/// As of a search: 4 where blast was the limit, 3 where nothing held.
pub fn exit(document: &LadderDocument) -> Exit {
    let failed = document.failed();
    match engine::stop::exit() {
        Some(exit) if !document.complete => exit,
        _ if document.cut_short.is_some() => Exit::Failed,
        _ if failed.is_some_and(|step| step.outcome == "blast") => Exit::Invalid,
        _ if document.last_held.is_none() => Exit::Threshold,
        _ => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_rate_or_workers_with_a_rate_each() {
        for (text, workers, per_s) in
            [("2x5", Some(2), 10.0), ("20x50", Some(20), 1_000.0), ("1k", None, 1_000.0)]
        {
            let step = rung(text).unwrap();
            let asked = Load::steady(step.rate).per_s().unwrap();
            assert_eq!((step.name.as_str(), step.workers, asked), (text, workers, per_s));
        }
        for text in ["0x5", "2x0", "2x", "x5", "axb", "0", "", "1000000x1G"] {
            assert!(rung(text).is_err(), "{text}");
        }
    }
}
