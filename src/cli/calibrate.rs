//! `blast calibrate`: the flags of a run, and instead of the run what blast itself can send of it,
//! measured against the built-in server.
//!
//! Worker and server sit on cores of their own, where there are two. Nothing goes to the URL.

use std::ffi::OsString;
use std::io::{self, Write};
use std::time::SystemTime;

use clap::Args;

use super::groups::LoadArgs;
use super::study::{self, Runs, Status};
use super::{calibrated, high, plan_of_file, values};
use crate::engine::{self, stop};
use crate::error::{Error, Exit, Result};
use crate::host::{self, Fingerprint};
use crate::monitor::cpu;
use crate::plan::{Class, Pin, Plan, Url};
use crate::report::calibration::CalibrationDocument;
use crate::report::views;
use crate::study::calibrate::{
    Settings, Shelf, Told, document, has_pace_of_its_own, measure, of_one_worker,
};
use crate::target::{Behaviour, Options, Target};
use crate::time::{self, Nanos};
use crate::units::parse_size;

/// Bursts; the middle one of an odd number is a round that was.
const ROUNDS: u64 = 5;

const LENGTH: Nanos = Nanos::from_millis(1_500);

/// Threads of the server at most: several outrun one worker.
const SERVERS: usize = 4;

/// What a plan without a URL is made for; nobody looks it up.
const ANY: &str = "http://localhost/";

/// The flags that are not a run's, each of which takes a value.
const OWN: [&str; 3] = ["--answer-size", "--rounds", "--round-length"];

#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct CalibrateArgs {
    /// Bytes of the body that the built-in server answers with: as large as the real answers are
    /// [default: 50]
    #[arg(long, value_name = "N", value_parser = parse_size, help_heading = "Calibration")]
    pub answer_size: Option<u64>,

    /// Bursts in a closed loop
    #[arg(long, value_name = "N", value_parser = values::at_least_one, hide = true)]
    pub rounds: Option<u64>,

    /// Of each burst
    #[arg(long, value_name = "T", value_parser = values::time_limit, hide = true)]
    pub round_length: Option<Nanos>,

    #[command(flatten)]
    pub load: LoadArgs,
}

pub fn run(args: &CalibrateArgs, arguments: &[OsString]) -> Result<Exit> {
    study::refuse_unshown("calibrate", &args.load)?;
    study::refuse_rules("calibrate", &args.load)?;
    let files = views::CALIBRATION.accept(&args.load.output.files)?;
    if args.load.save.is_typed() {
        return Err(Error::usage(
            "--save: what `blast calibrate` finds is kept elsewhere; leave it away",
        ));
    }
    let plan = plan(args, arguments)?;
    if plan.tls.is_some() {
        return Err(Error::usage(
            "the built-in server speaks no TLS; calibrate with an http:// URL, which tells what \
             blast can send without it",
        ));
    }
    let shelf = calibrated::shelf();
    stop::install();
    let document = calibrate(args, &Plan { engine: engine::engine(&plan), ..plan })?;
    views::CALIBRATION.write(&document, args.load.page.json, &files)?;
    if !document.complete {
        return Ok(stop::exit().unwrap_or(Exit::Failed));
    }
    if document.closed.is_none() {
        return Err(Error::failed(
            "no answer came from the built-in server, so there is nothing to keep; look at \
             `blast doctor`, and try `blast demo`",
        ));
    }
    keep(&document, shelf, args.load.output.quiet)
}

fn keep(document: &CalibrationDocument, shelf: Option<Shelf>, quiet: bool) -> Result<Exit> {
    let shelf = shelf.ok_or_else(|| {
        Error::failed(
            "the calibration was not kept: neither BLAST_CALIBRATION nor HOME says where; set one",
        )
    })?;
    shelf.put(document)?;
    if !quiet {
        let line = format!("kept in {}: runs like it tell their share\n", shelf.path.display());
        let _ = io::stderr().write_all(line.as_bytes());
    }
    Ok(Exit::Done)
}

/// What a run with these flags would send.
fn plan(args: &CalibrateArgs, arguments: &[OsString]) -> Result<Plan> {
    let mut load = args.load.clone();
    match load.words.first() {
        Some(_) if load.is_of_file() => return plan_of_file(&of_run(arguments)),
        None if load.request.curl.is_none() => load.words.push(ANY.to_string()),
        _ => {}
    }
    high::plan(&load)
}

/// The same words as `blast run` takes them.
fn of_run(arguments: &[OsString]) -> Vec<OsString> {
    let mut words = vec![OsString::from("blast"), OsString::from("run")];
    let mut rest = arguments.iter().skip(2);
    while let Some(argument) = rest.next() {
        let text = argument.to_string_lossy();
        let name = text.split('=').next().unwrap_or_default();
        match OWN.contains(&name) {
            true if text.contains('=') => {}
            true => drop(rest.next()),
            false => words.push(argument.clone()),
        }
    }
    words
}

fn calibrate(args: &CalibrateArgs, plan: &Plan) -> Result<CalibrationDocument> {
    let (allowed, workers) = (host::allowed_cores(), engine::workers(plan));
    let cores = Cores::of(&plan.pin, &allowed);
    let behaviour = Behaviour { size: args.answer_size, ..Behaviour::default() };
    let server = Some(cores.server.clone()).filter(|cores| !cores.is_empty());
    let threads = cores.server.len().clamp(1, SERVERS);
    let target =
        Target::start(Options { threads, cores: server, behaviour, ..Options::default() })?;
    let aimed = aimed(of_one_worker(plan, workers), &target, &cores)?;
    let settings = Settings {
        rounds: args.rounds.unwrap_or(ROUNDS) as usize,
        length: args.round_length.unwrap_or(LENGTH),
    };
    let (started_at, began, before) = (SystemTime::now(), time::now(), cpu::times(&allowed));
    let line = Status::new(args.load.output.quiet);
    let mut runs = Runs::default();
    let finding = measure(&mut runs, &aimed, &settings, &mut |what| {
        line.show(&format!("calibrating: {what}"));
    });
    line.end();
    let stolen = before.zip(cpu::times(&allowed)).and_then(|(old, new)| new.stolen_since(old));
    drop(runs);
    target.stop();
    let told = Told {
        started_at,
        took: time::now() - began,
        host: Fingerprint::of_this_host(),
        class: Class::of(plan, plan.engine.name(), workers, None),
        worker_core: cores.worker,
        server_cores: cores.server,
        stolen,
        quota: host::cpu_quota(),
        has_own_pace: has_pace_of_its_own(plan),
        notes: notes(plan),
    };
    Ok(document(&finding?, told))
}

/// At the built-in server. Pairs in a target would tell it how to answer.
fn aimed(plan: Plan, target: &Target, cores: &Cores) -> Result<Plan> {
    let mut request = plan.request.clone();
    request.target = request.target.replace('=', "-");
    Ok(Plan {
        url: Url::parse(&format!("http://{}/", target.address()))?,
        request,
        pin: cores.worker.map_or(Pin::Off, |core| Pin::List(vec![core])),
        ..plan
    })
}

fn notes(plan: &Plan) -> Vec<String> {
    let scenario = plan.scenario.as_ref();
    let looks = scenario.is_some_and(|scenario| {
        scenario.requests.iter().any(|one| !one.checks.is_empty() || !one.captures.is_empty())
    });
    let note = looks.then(|| {
        "the built-in server answers all requests alike: checks fail and captures find nothing, and \
         users begin anew where the plan has them do so"
            .to_string()
    });
    note.into_iter().collect()
}

/// Who sits where.
struct Cores {
    /// `None`: on any.
    worker: Option<usize>,
    /// Empty: on any.
    server: Vec<usize>,
}

impl Cores {
    /// The worker takes the highest one or what `--pin` names first, the server the lowest.
    fn of(pin: &Pin, allowed: &[usize]) -> Cores {
        let worker = match pin {
            Pin::Off => return Cores { worker: None, server: Vec::new() },
            Pin::List(cores) => cores.first(),
            Pin::Auto => allowed.last(),
        };
        let others = allowed.iter().filter(|core| Some(*core) != worker).take(SERVERS);
        let mut server: Vec<usize> = others.copied().collect();
        if server.is_empty() {
            server.extend(worker);
        }
        Cores { worker: worker.copied(), server }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worker_and_server_sit_apart_where_there_are_two_cores() {
        let sit = |pin: Pin, allowed: &[usize]| {
            let cores = Cores::of(&pin, allowed);
            (cores.worker, cores.server)
        };
        assert_eq!(sit(Pin::Auto, &[0, 1]), (Some(1), vec![0]));
        assert_eq!(sit(Pin::Auto, &[2, 3, 4, 5, 6, 7]), (Some(7), vec![2, 3, 4, 5]));
        assert_eq!(sit(Pin::List(vec![0, 5]), &[0, 1, 2]), (Some(0), vec![1, 2]));
        assert_eq!(sit(Pin::Auto, &[3]), (Some(3), vec![3]));
        assert_eq!(sit(Pin::Off, &[0, 1]), (None, vec![]));
    }

    #[test]
    fn the_words_of_a_plan_file_are_those_of_run() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let typed =
            "blast calibrate --rounds 1 -c 5 --round-length=10ms --answer-size 1k p.toml -R 5";
        assert_eq!(of_run(&words(typed)), words("blast run -c 5 p.toml -R 5"));
    }
}
