//! `blast ceiling`: the flags of a run, and instead of one run the search for the highest rate that
//! meets its thresholds; or for the largest number of connections or users.

mod over;

use std::ffi::OsString;
use std::time::SystemTime;

use clap::Args;

pub use over::Sought;

use super::groups::LoadArgs;
use super::ladder::{self, LadderArgs};
use super::low::{AimArgs, PlanArgs, RunArgs};
use super::overload::OverloadArgs;
use super::save::{self, Recorder};
use super::study::{self, Runs, Status};
use super::{baseline, calibrated, values};
use crate::engine;
use crate::error::{Error, Exit, Result};
use crate::plan::{Load, Plan, Rate, Threshold};
use crate::report::ceiling::CeilingDocument;
use crate::report::views;
use crate::study::ceiling::{self, Field, Outcome, Over, Probe, Told};
use crate::time::{self, Nanos};
use crate::units::quote;

/// How long a search takes at most, unless the user says otherwise.
const BUDGET: Nanos = Nanos::from_secs(60);

/// Users think, and have to come first.
const BUDGET_OF_USERS: Nanos = Nanos::from_secs(180);

/// Shorter ones could not confirm anything.
const LEAST_BUDGET: Nanos = Nanos::from_secs(10);

#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct CeilingArgs {
    /// What is searched over: rate, in open loop; connections, in closed loop; users, of a plan's
    /// [session] [default: rate, and users for a plan that has some]
    #[arg(long, value_name = "WHAT", value_parser = over::values(), help_heading = "Search")]
    #[arg(hide_possible_values = true)]
    pub over: Option<Over>,

    /// When the answer is due [default: 60s, and 3m over users]
    #[arg(long, value_name = "T", value_parser = values::time_limit, help_heading = "Search")]
    pub budget: Option<Nanos>,

    /// A rate that several such servers are to carry: how many it takes at 70 % of the ceiling
    #[arg(long, value_name = "N", value_parser = values::rate, help_heading = "Search")]
    pub need: Option<Rate>,

    #[command(flatten)]
    pub aim: AimArgs,

    #[command(flatten)]
    pub ladder: LadderArgs,

    #[command(flatten)]
    pub overload: OverloadArgs,

    #[command(flatten)]
    pub load: LoadArgs,
}

impl CeilingArgs {
    /// A URL says itself where it leads.
    pub fn refuse_aim(&self) -> Result<()> {
        self.aim.flag().map_or(Ok(()), |flag| {
            Err(Error::usage(format!("{flag} is of a plan file; give one, or drop it")))
        })
    }

    /// What `blast run` would have of a plan file.
    pub fn of_plan(self) -> RunArgs {
        let file = PlanArgs { aim: self.aim, ..PlanArgs::default() };
        RunArgs { file, load: self.load }
    }
}

pub fn run(args: &CeilingArgs, arguments: &[OsString]) -> Result<Exit> {
    if !args.ladder.ladder.is_empty() {
        return ladder::run(args, arguments);
    }
    let files = views::CEILING.accept(&args.load.output.files)?;
    let sought = sought(args, arguments)?;
    let saving = args.load.save.saving()?;
    let mut recorder = Recorder::begin(saving.as_ref(), || save::begun(&sought.plan, "ceiling"))?;
    let status = Status::new(args.load.output.quiet);
    let document = recorder.check(find(args, &sought, &status))?;
    let exit = exit(&document);
    recorder.end_study(&document, save::of_ceiling, exit);
    views::CEILING.write(&document, args.load.page.json, &files)?;
    Ok(exit)
}

/// What is searched over, and where; what makes no sense is refused.
pub fn sought(args: &CeilingArgs, arguments: &[OsString]) -> Result<Sought> {
    refuse_what_is_searched(args)?;
    study::refuse_unshown("ceiling", &args.load)?;
    args.overload.check()?;
    let sought = over::sought(args, arguments)?;
    refuse_what_is_not_read(&sought.plan.thresholds)?;
    baseline::refuse("ceiling", &sought.plan.thresholds)?;
    refuse_what_takes_a_rate(args, sought.over)?;
    Ok(sought)
}

/// Searches, and shows how that goes.
pub fn find(args: &CeilingArgs, sought: &Sought, status: &Status) -> Result<CeilingDocument> {
    let budget = budget(args, sought.over);
    engine::stop::install();
    let (started_at, began) = (SystemTime::now(), time::now());
    let mut runs = Runs::default();
    let mut bracket = Bracket::new(status, sought.over);
    let mut tell = |probe: &Probe| bracket.show(probe);
    let mut field = Field::new(&mut runs, sought.plan.clone(), sought.is_fixed, &mut tell);
    field = field.over(sought.over).within(budget);
    let finding = ceiling::search(&mut field, &sought.settings(budget))?;
    status.end();
    let (plan, is_fixed) = (&sought.plan, sought.is_fixed);
    let fate = args.overload.overload(&mut runs, plan, &finding, is_fixed, status)?;
    runs.end();
    let told = Told {
        plan: &sought.plan,
        over: sought.over,
        threads: engine::workers(&sought.plan),
        started_at,
        took: time::now() - began,
        budget,
        need: args.need.map(|rate| Load::steady(rate).per_s().unwrap_or(0.0)),
    };
    let mut document = ceiling::document(&finding, &told);
    if let Some(fate) = fate {
        document.complete &= !fate.is_interrupted();
        fate.enter(&mut document.ceiling);
    }
    if sought.over == Over::Rate {
        let reached = document.ceiling.connections.map_or(plan.connections, |count| count as u32);
        let loaded = Plan { connections: reached, ..plan.clone() };
        let rate = document.ceiling.rate_per_s;
        document.calibration = calibrated::of_search(&loaded, runs.answer_bytes(), rate);
    }
    Ok(document)
}

/// How long it takes at most.
pub fn budget(args: &CeilingArgs, over: Over) -> Nanos {
    args.budget.unwrap_or(if over == Over::Users { BUDGET_OF_USERS } else { BUDGET })
}

/// Flags that say what the search is to find out.
fn refuse_what_is_searched(args: &CeilingArgs) -> Result<()> {
    let refuse = |what: &str| Err(Error::usage(what.to_string()));
    let (load, shape) = (&args.load, &args.load.shape);
    if load.size.rps.is_some() {
        return refuse("`--rps` is what `blast ceiling` looks for; leave it away");
    }
    if load.size.duration.is_some() || load.phases.requests.is_some() {
        return refuse("how long `blast ceiling` takes is said with `--budget 2m`");
    }
    let shapes = [
        ("--stages", !shape.stages.is_empty()),
        ("--steps", shape.steps.is_some()),
        ("--connections-stages", !shape.connections_stages.is_empty()),
        ("--spawn-rate", shape.spawn_rate.is_some()),
    ];
    if let Some((flag, _)) = shapes.iter().find(|(_, is)| *is) {
        return Err(Error::usage(format!(
            "{flag}: `blast ceiling` tries steady loads of its own choice; leave it away"
        )));
    }
    if args.budget.is_some_and(|budget| budget < LEAST_BUDGET) {
        return refuse("--budget: a search takes 10 s at least; give it more");
    }
    Ok(())
}

/// How many servers carry a rate is told by the rate that one carries; and what is above a ceiling
/// is a rate.
fn refuse_what_takes_a_rate(args: &CeilingArgs, over: Over) -> Result<()> {
    let name = over.name();
    match over {
        Over::Rate => Ok(()),
        _ if args.need.is_some() => Err(Error::usage(format!(
            "--need: a rate is shared out by the rate that one server carries; drop it, or `--over \
             {name}`"
        ))),
        _ if args.overload.to_failure => Err(Error::usage(format!(
            "--to-failure goes on above a rate; drop it, or `--over {name}`"
        ))),
        _ => Ok(()),
    }
}

/// A probe of a second or two has no readings beside it to speak of.
fn refuse_what_is_not_read(rules: &[Threshold]) -> Result<()> {
    match rules.iter().find(|rule| rule.gauge().is_some()) {
        None => Ok(()),
        Some(rule) => Err(Error::usage(format!(
            "--threshold: {} is about what is read beside a run, and `blast ceiling` reads \
             nothing; judge a run at the ceiling by it",
            quote(&rule.shown())
        ))),
    }
}

pub fn exit(document: &CeilingDocument) -> Exit {
    match engine::stop::exit() {
        Some(exit) => exit,
        None if document.ceiling.burst_per_s.is_none() => Exit::Failed,
        None if document.is_blasts_own() => Exit::Invalid,
        None if document.ceiling.rate_per_s.is_none() => Exit::Threshold,
        None => Exit::Done,
    }
}

/// The bracket so far.
struct Bracket<'a> {
    status: &'a Status,
    over: Over,
    low: Option<f64>,
    high: Option<f64>,
}

impl Bracket<'_> {
    fn new(status: &Status, over: Over) -> Bracket<'_> {
        Bracket { status, over, low: None, high: None }
    }

    fn show(&mut self, probe: &Probe) {
        let level = probe.level;
        match probe.outcome {
            Outcome::Holds => self.low = Some(self.low.map_or(level, |low| low.max(level))),
            Outcome::Fails { .. } | Outcome::Blast { .. } => {
                self.high = Some(self.high.map_or(level, |high| high.min(level)));
            }
            Outcome::Unknown { .. } | Outcome::Interrupted => {}
        }
        let end = |end: Option<f64>| end.map_or("?".to_string(), |end| format!("{end:.0}"));
        let outcome = probe.outcome.name();
        let unit = match self.over {
            Over::Rate => "/s".to_string(),
            over => format!(" {}", over.name()),
        };
        self.status.show(&format!(
            "{level:.0}{unit} {outcome}; the ceiling is between {} and {}{unit}",
            end(self.low),
            end(self.high)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_about_what_nobody_reads_is_refused_and_not_failed_by_every_rate() {
        let rules = ["p99<10ms", "host.cpu<80%"].map(|text| Threshold::parse(text).unwrap());
        assert!(refuse_what_is_not_read(&rules[..1]).is_ok());
        let message = refuse_what_is_not_read(&rules).unwrap_err().message;
        assert!(message.contains("`host.cpu<80%` is about what is read beside a run"), "{message}");
    }
}
