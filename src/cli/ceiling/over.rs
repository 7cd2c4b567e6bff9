//! What `blast ceiling` searches over, and where: the plan behind a URL or in a file, without the
//! load that is searched for.

use std::ffi::OsString;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::CeilingArgs;
use crate::cli::groups::LoadArgs;
use crate::cli::shapes::Rps;
use crate::cli::{high, run_plan};
use crate::engine;
use crate::error::{Error, Result};
use crate::host::{self, SPARE_DESCRIPTORS};
use crate::plan::file::{LoadSheet, SessionModel, Written};
use crate::plan::{Engine, Law, Offered, Plan, Rate};
use crate::study::ceiling::{Over, Settings, sessions_per_s};
use crate::time::Nanos;

/// Connections before it is known how many it takes.
const CONNECTIONS: u32 = 64;

/// No larger number of connections or users is tried.
const MOST: u32 = 100_000;

/// Where the search takes place.
pub struct Sought {
    pub plan: Plan,
    pub over: Over,
    /// The number of connections was given.
    pub is_fixed: bool,
    /// No level above it is tried.
    pub most: f64,
}

pub fn values() -> impl TypedValueParser<Value = Over> {
    let all = [Over::Rate, Over::Connections, Over::Users];
    PossibleValuesParser::new(all.map(Over::name))
        .map(move |name| all.into_iter().find(|over| over.name() == name).unwrap_or_default())
}

/// `arguments`: as they were typed, the program's name first.
pub fn sought(args: &CeilingArgs, arguments: &[OsString]) -> Result<Sought> {
    let written = args.load.is_of_file().then(|| run_plan::sheet(&args.load)).transpose()?;
    let over = choose(args.over, written.as_ref())?;
    let (load, plan) = match &written {
        Some(written) => of_file(over, &written.sheet.load, arguments)?,
        None => of_url(over, args)?,
    };
    let is_fixed = load.size.connections.is_some();
    if over != Over::Rate && plan.thresholds.is_empty() {
        return Err(Error::usage(format!(
            "--over {}: a closed loop is never late, so a rule has to say what is too slow; add \
             `--threshold 'p99<100ms'`",
            over.name()
        )));
    }
    let connections = if is_fixed { plan.connections } else { CONNECTIONS };
    let plan = Plan { connections, engine: engine::engine(&plan), ..plan };
    Ok(Sought { plan, over, is_fixed, most: f64::INFINITY })
}

impl Sought {
    pub fn settings(&self, budget: Nanos) -> Settings {
        let settings = match (self.over, sessions_per_s(&self.plan)) {
            (Over::Rate, None) => Settings::rate(budget),
            (Over::Rate, Some(first)) => Settings::sessions(budget, first),
            _ => Settings::number(budget, self.plan.connections, most(self.plan.engine)),
        };
        let settings = Settings { most: settings.most.min(self.most), ..settings };
        let law = self.plan.load.offered().map(Offered::law);
        let is_by_chance = matches!(law, Some(Law::Poisson { .. })) || self.over == Over::Users;
        if is_by_chance { settings.by_chance() } else { settings }
    }
}

/// Where each connection is an open file, no more than there may be of these.
fn most(engine: Engine) -> u32 {
    if engine == Engine::Ring {
        return MOST;
    }
    let files = host::raise_descriptor_limit().saturating_sub(SPARE_DESCRIPTORS);
    u32::try_from(files).unwrap_or(MOST).clamp(1, MOST)
}

/// What was asked for, or what the plan is of.
fn choose(asked: Option<Over>, written: Option<&Written>) -> Result<Over> {
    let session = written.and_then(|written| written.sheet.session.as_ref());
    let model = session.map(|session| session.model);
    let refuse = |sentence: &str| Err(Error::usage(sentence));
    match (asked, model) {
        (None, Some(SessionModel::Users)) => Ok(Over::Users),
        (None | Some(Over::Rate), None | Some(SessionModel::Sessions)) => Ok(Over::Rate),
        (Some(Over::Users), Some(SessionModel::Users)) => Ok(Over::Users),
        (Some(Over::Connections), None) => Ok(Over::Connections),
        (Some(Over::Rate), Some(SessionModel::Users)) => refuse(
            "--over rate: the users of [session] set the pace themselves; write `--over users`, \
             or `model = \"sessions\"` in the plan",
        ),
        (Some(Over::Connections), Some(SessionModel::Users)) => refuse(
            "--over connections: each connection of this plan is a user; write `--over users`",
        ),
        (Some(over), Some(SessionModel::Sessions)) => Err(Error::usage(format!(
            "--over {}: the sessions of this plan arrive by a rate; write `--over rate`, or \
             `model = \"users\"` in the plan",
            over.name()
        ))),
        (Some(Over::Users), None) => refuse(
            "--over users: users are those of a plan's [session]; write `--over connections`, or \
             give a plan file with one",
        ),
    }
}

/// The rate stands for any: it makes the loop an open one.
fn of_url(over: Over, args: &CeilingArgs) -> Result<(LoadArgs, Plan)> {
    args.refuse_aim()?;
    let mut load = args.load.clone();
    if over == Over::Rate {
        load.size.rps = Some(Rps::Steady(Rate::per_second(1)));
    }
    let plan = high::plan(&load)?;
    Ok((load, plan))
}

/// A word in the place of the file's own load makes the loop open or closed, whatever that is.
fn of_file(over: Over, file: &LoadSheet, arguments: &[OsString]) -> Result<(LoadArgs, Plan)> {
    let has_rate = file.rps.is_some() || file.stages.is_some() || file.steps.is_some();
    let word = match over {
        Over::Rate => (!has_rate).then_some("--rps=1"),
        Over::Connections | Over::Users => Some("--spawn-rate=1M"),
    };
    let words: Vec<OsString> = arguments.iter().cloned().chain(word.map(OsString::from)).collect();
    let meant = run_plan::for_study(&words, "as much as it bears, for minutes")?;
    Ok((meant.args.load, meant.plan))
}
