//! `blast ab URL1 URL2`: the flags of a run, carried out on two servers in turns.

use std::time::SystemTime;

use clap::Args;

use super::groups::LoadArgs;
use super::save::{self, Recorder};
use super::study::{self, Runs, Status};
use super::{high, values};
use crate::engine;
use crate::error::{Error, Exit, Result};
use crate::plan::{Plan, Warmup, Watch};
use crate::report::ab::{AbDocument, Round};
use crate::report::views;
use crate::study::ab::{Settings, Told, document, take_turns};
use crate::time::{self, Nanos};
use crate::units::parse_percent;

/// Fewer can hardly show anything at 95 %: of seven differences in several figures, one sign may be
/// chance.
const LEAST_ROUNDS: u64 = 8;

const ROUNDS: u64 = 10;

/// How long each side is measured in a round.
const LENGTH: Nanos = Nanos::from_secs(2);

/// Each begins so, for a side that was at rest.
const WARM_UP: Nanos = Nanos::from_millis(200);

/// The smallest difference that is to be seen, as a share.
const EFFECT: f64 = 0.02;

#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct AbArgs {
    /// How often both sides are measured; -d is how long each time [default: 10, of 2s]
    #[arg(long, value_name = "N", value_parser = values::at_least_one, help_heading = "Rounds")]
    pub rounds: Option<u64>,

    /// The smallest difference that is to be seen; more rounds are asked for where it cannot be
    /// [default: 2%]
    #[arg(long, value_name = "SHARE", value_parser = parse_percent, help_heading = "Rounds")]
    pub effect: Option<f64>,

    #[command(flatten)]
    pub load: LoadArgs,
}

pub fn run(args: &AbArgs) -> Result<Exit> {
    let plans = plans(&args.load)?;
    let settings = settings(args)?;
    let effect = args.effect.unwrap_or(EFFECT);
    if effect == 0.0 {
        return Err(Error::usage("--effect: no number of rounds shows a difference of 0; give 2%"));
    }
    study::refuse_unshown("ab", &args.load)?;
    study::refuse_rules("ab", &args.load)?;
    let files = views::AB.accept(&args.load.output.files)?;
    let saving = args.load.save.saving()?;
    let mut recorder = Recorder::begin(saving.as_ref(), || save::begun_of_both(&plans, "ab"))?;
    engine::stop::install();
    let (started_at, began) = (SystemTime::now(), time::now());
    let (mut first, mut other) = (Runs::watched(), Runs::watched());
    let line = Status::new(args.load.output.quiet);
    let mut tell = |rounds: &[Round]| {
        line.show(&format!("round {} of {}", rounds.len(), settings.rounds));
    };
    let rounds = take_turns([&mut first, &mut other], &plans, &settings, &mut tell);
    line.end();
    let rounds = recorder.check(rounds)?;
    let took = time::now() - began;
    let told = Told { plans: &plans, settings: &settings, effect, started_at, took };
    let document = document(&rounds, &told);
    let exit = exit(&document);
    recorder.end_study(&document, save::of_ab, exit);
    views::AB.write(&document, args.load.page.json, &files)?;
    Ok(exit)
}

/// One a URL, alike in all else.
fn plans(args: &LoadArgs) -> Result<[Plan; 2]> {
    let [first, other] = &args.words[..] else {
        return Err(Error::usage("`blast ab` takes two URLs; write `blast ab URL1 URL2`"));
    };
    if !matches!(args.watch.watch, None | Some(Watch::Off | Watch::Target)) {
        return Err(Error::usage(
            "--watch: `blast ab` watches whoever listens on the port of each URL; leave it away, \
             or write `off`",
        ));
    }
    let mut args = args.clone();
    if args.phases.requests.is_none() {
        args.size.duration.get_or_insert(LENGTH);
    }
    args.phases.warmup.get_or_insert(Warmup::For(WARM_UP));
    let plan = |word: &String| -> Result<Plan> {
        let plan = high::plan(&LoadArgs { words: vec![word.clone()], ..args.clone() })?;
        Ok(Plan { engine: engine::engine(&plan), thresholds: Vec::new(), ..plan })
    };
    Ok([plan(first)?, plan(other)?])
}

fn settings(args: &AbArgs) -> Result<Settings> {
    let rounds = args.rounds.unwrap_or(ROUNDS);
    if rounds < LEAST_ROUNDS {
        return Err(Error::usage(format!(
            "--rounds: fewer than {LEAST_ROUNDS} can hardly show anything at 95 %; give {ROUNDS}"
        )));
    }
    Ok(Settings { rounds, seed: args.load.shape.seed.unwrap_or(1) })
}

fn exit(document: &AbDocument) -> Exit {
    match engine::stop::exit() {
        Some(exit) if !document.complete => exit,
        _ => Exit::Done,
    }
}
