//! `blast ceiling`: the flags of a run, and instead of one run the search for the highest rate that
//! meets its thresholds.

use std::io::{self, IsTerminal, Write};
use std::time::SystemTime;

use clap::Args;

use super::groups::LoadArgs;
use super::study::{self, Runs};
use super::{high, terminal, values};
use crate::engine;
use crate::error::{Error, Exit, Result};
use crate::plan::{Load, Plan, Rate, Threshold};
use crate::report::ceiling::CeilingDocument;
use crate::report::console;
use crate::study::ceiling::{self, Field, Outcome, Probe, Settings, Told};
use crate::time::{self, Nanos};
use crate::units::quote;

/// How long a search takes at most, unless the user says otherwise.
const BUDGET: Nanos = Nanos::from_secs(60);

/// Shorter ones could not confirm anything.
const LEAST_BUDGET: Nanos = Nanos::from_secs(10);

/// How far apart the two ends of the answer may be.
const PRECISION: f64 = 0.015;

/// Connections before it is known how many it takes.
const CONNECTIONS: u32 = 64;

#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct CeilingArgs {
    /// When the answer is due [default: 60s]
    #[arg(long, value_name = "T", value_parser = values::time_limit, help_heading = "Search")]
    pub budget: Option<Nanos>,

    /// A rate that several such servers are to carry: how many it takes at 70 % of the ceiling
    #[arg(long, value_name = "N", value_parser = values::rate, help_heading = "Search")]
    pub need: Option<Rate>,

    #[command(flatten)]
    pub load: LoadArgs,
}

pub fn run(args: &CeilingArgs) -> Result<Exit> {
    let files = study::files("ceiling", &args.load.output.files)?;
    let document = find(args)?;
    study::write(&document, console::ceiling::page, args.load.page.json, &files)?;
    Ok(exit(&document))
}

/// What the probes are made from; what makes no sense is refused.
pub fn plan(args: &CeilingArgs) -> Result<Plan> {
    refuse_what_is_searched(&args.load, args.budget.unwrap_or(BUDGET))?;
    let plan = high::plan(&args.load)?;
    refuse_what_is_not_read(&plan.thresholds)?;
    Ok(plan)
}

/// Searches, and shows on a terminal how that goes.
pub fn find(args: &CeilingArgs) -> Result<CeilingDocument> {
    let (plan, budget) = (plan(args)?, args.budget.unwrap_or(BUDGET));
    let is_fixed = args.load.size.connections.is_some();
    let connections = if is_fixed { plan.connections } else { CONNECTIONS };
    let plan = Plan { connections, engine: engine::engine(&plan), ..plan };
    engine::stop::install();
    let (started_at, began) = (SystemTime::now(), time::now());
    let mut runs = Runs::default();
    let mut line = Line::new(args.load.output.quiet);
    let mut tell = |probe: &Probe| line.show(probe);
    let settings = Settings { budget, precision: PRECISION, most: 1e8, least: 1.0 };
    let mut field = Field::new(&mut runs, plan.clone(), is_fixed, &mut tell);
    let finding = ceiling::search(&mut field, &settings)?;
    line.end();
    let told = Told {
        plan: &plan,
        threads: engine::workers(&plan),
        started_at,
        took: time::now() - began,
        budget,
        need: args.need.map(|rate| Load::steady(rate).per_s().unwrap_or(0.0)),
    };
    Ok(ceiling::document(&finding, &told))
}

/// Flags that say what the search is to find out.
fn refuse_what_is_searched(load: &LoadArgs, budget: Nanos) -> Result<()> {
    let refuse = |what: &str| Err(Error::usage(what.to_string()));
    if load.size.rps.is_some() {
        return refuse("`--rps` is what `blast ceiling` looks for; leave it away");
    }
    if load.size.duration.is_some() || load.phases.requests.is_some() {
        return refuse("how long `blast ceiling` takes is said with `--budget 2m`");
    }
    if load.words.first().is_some_and(|word| word.ends_with(".toml")) {
        return refuse("`blast ceiling` takes a URL; for a plan file use `blast run`");
    }
    if budget < LEAST_BUDGET {
        return refuse("--budget: a search takes 10 s at least; give it more");
    }
    Ok(())
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

/// The bracket so far, on a terminal.
struct Line {
    wanted: bool,
    low: Option<f64>,
    high: Option<f64>,
}

impl Line {
    fn new(quiet: bool) -> Line {
        Line { wanted: !quiet && io::stderr().is_terminal(), low: None, high: None }
    }

    fn show(&mut self, probe: &Probe) {
        let rate = probe.rate_per_s;
        match probe.outcome {
            Outcome::Holds => self.low = Some(self.low.map_or(rate, |low| low.max(rate))),
            _ => self.high = Some(self.high.map_or(rate, |high| high.min(rate))),
        }
        if !self.wanted {
            return;
        }
        let end = |end: Option<f64>| end.map_or("?".to_string(), |end| format!("{end:.0}"));
        let outcome = probe.outcome.name();
        let text = format!(
            "{rate:.0}/s {outcome}; the ceiling is between {} and {}/s",
            end(self.low),
            end(self.high)
        );
        let width = terminal::width(&io::stderr()).saturating_sub(1);
        let _ = write!(io::stderr(), "\r{text:width$.width$}");
    }

    fn end(&self) {
        if self.wanted {
            let blank = " ".repeat(terminal::width(&io::stderr()).saturating_sub(1));
            let _ = write!(io::stderr(), "\r{blank}\r");
        }
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
