//! `blast versus`: the same load with the tools of this host and with blast, in turns.

mod bench;
mod find;
mod log;
mod outcome;
mod server;

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, ValueHint};

use super::save::{self, Recorder, SaveArgs};
use super::study::Status;
use super::values;
use crate::engine::stop;
use crate::error::{Error, Exit, Result};
use crate::host;
use crate::monitor::sysctl;
use crate::plan::{Load, Pin, Rate, Url};
use crate::report::versus::VersusDocument;
use crate::report::views;
use crate::study::versus::{Task, Told, document, take_turns};
use crate::time::{self, Nanos};
use bench::{Folder, Host};
use find::Found;
use log::AccessLog;
use server::Server;

const CONNECTIONS: u32 = 64;
const LENGTH: Nanos = Nanos::from_secs(3);
const ROUNDS: u64 = 5;

/// What `blast versus` takes.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct VersusArgs {
    /// Where the load goes [default: the built-in server, started for it on cores of its own]
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub words: Vec<String>,

    /// Connections of each tool [default: 64]
    #[arg(short, long, value_name = "N", value_parser = values::connections)]
    pub connections: Option<u32>,

    /// Requests per second, of the tools that can [default: as answers come]
    #[arg(short = 'R', long, value_name = "N", value_parser = values::rate, alias = "rate")]
    pub rps: Option<Rate>,

    /// Length of each run, in whole seconds [default: 3s]
    #[arg(short, long, value_name = "T", value_parser = values::run_length)]
    pub duration: Option<Nanos>,

    /// How often each tool runs [default: 5]
    #[arg(long, value_name = "N", value_parser = values::at_least_one)]
    pub rounds: Option<u64>,

    /// Which: blast, blast-tokio-uring, blast-epoll, wrk, wrk2, k6, hey, oha, h2load, ab, bombardier,
    /// vegeta, locust, jmeter [default: all that are on the PATH]
    #[arg(long, value_name = "T,T", value_delimiter = ',')]
    pub tools: Vec<String>,

    /// Cores of the tools, such as 2,3 or 2-5; off: any [default: the upper half, or all where the
    /// server is elsewhere]
    #[arg(long, value_name = "CORES", value_parser = values::pin)]
    pub pin: Option<Pin>,

    /// The server's access log, whose lines end in the time that a request took: seconds with a
    /// dot, as nginx's $request_time, or microseconds, as Apache's %D
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub log: Option<PathBuf>,

    /// One more program: NAME=WORDS, with {url}, {address}, {connections}, {seconds}, {rate} in them;
    /// it prints {"requests": N}
    #[arg(long = "tool-command", value_name = "NAME=WORDS", hide = true)]
    pub commands: Vec<String>,

    /// Print the result as JSON, and nothing else, on stdout
    #[arg(long, short_alias = 'j')]
    pub json: bool,

    /// Write the result to FILE.json, FILE.html or FILE.md (repeatable)
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,

    /// No live line on stderr
    #[arg(long, hide_short_help = true)]
    pub quiet: bool,

    #[command(flatten)]
    pub save: SaveArgs,
}

pub fn run(args: &VersusArgs) -> Result<Exit> {
    let files = views::VERSUS.accept(&args.files)?;
    let load = Asked::of(args)?;
    let url = url(&args.words)?;
    let saving = args.save.saving()?;
    let log = args.log.as_deref().map(AccessLog::open).transpose()?;
    let Found { mut contenders, missing } = find::tools(&args.tools, &args.commands)?;
    stop::install();
    host::raise_descriptor_limit();
    let load_average = load_average();
    let (started_at, began) = (SystemTime::now(), time::now());
    let server = Server::of(url, args.pin.as_ref())?;
    let mut recorder = Recorder::begin(saving.as_ref(), || {
        save::begun_without_plan("versus", "versus", &server.url.shown)
    })?;
    let folder = Folder::new()?;
    let task = Task {
        url: &server.url,
        connections: load.connections,
        seconds: load.seconds,
        rate: load.rate,
        threads: server.client_cores.len().max(1),
        folder: folder.path(),
    };
    let mut host = Host { task: &task, server: &server, log, readings: server.readings()? };
    for contender in &mut contenders {
        contender.version = host.version(contender);
    }
    let line = Status::new(args.quiet);
    let rounds = load.rounds;
    let mut tell =
        |round: u64, name: &str| line.show(&format!("round {round} of {rounds}: {name}"));
    let turns = take_turns(&mut host, &contenders, &task, load.rounds, &mut tell);
    line.end();
    let told = Told {
        task: &task,
        contenders: &contenders,
        missing: &missing,
        rounds_asked: load.rounds,
        server: server.name.clone(),
        client_cores: &server.client_cores,
        server_cores: server.server_cores.as_deref(),
        host: machine(),
        load_average,
        started_at,
        took: time::now() - began,
    };
    let document = document(&turns, &told);
    let exit = exit(&document);
    recorder.end_study(&document, save::of_versus, exit);
    views::VERSUS.write(&document, args.json, &files)?;
    Ok(exit)
}

/// The load in numbers that every tool takes.
struct Asked {
    connections: u32,
    seconds: u64,
    rate: Option<u64>,
    rounds: u64,
}

impl Asked {
    fn of(args: &VersusArgs) -> Result<Asked> {
        let length = args.duration.unwrap_or(LENGTH);
        let seconds = length.0 / Nanos::from_secs(1).0;
        if length != Nanos::from_secs(seconds) || seconds == 0 {
            return Err(Error::usage(
                "--duration: most tools take whole seconds alone; give 1s or more of them",
            ));
        }
        let per_s = args.rps.map(|rate| Load::steady(rate).per_s().unwrap_or(0.0));
        if per_s.is_some_and(|per_s| per_s < 1.0 || per_s.fract() != 0.0) {
            return Err(Error::usage(
                "--rps: most tools take whole requests a second alone; give 1 or more of them",
            ));
        }
        Ok(Asked {
            connections: args.connections.unwrap_or(CONNECTIONS),
            seconds,
            rate: per_s.map(|per_s| per_s as u64),
            rounds: args.rounds.unwrap_or(ROUNDS),
        })
    }
}

/// `None`: the built-in server.
fn url(words: &[String]) -> Result<Option<Url>> {
    let word = match words {
        [] => return Ok(None),
        [word] => word,
        _ => return Err(Error::usage("`blast versus` takes one URL; the tools are in `--tools`")),
    };
    let url = Url::fixed(word)?;
    if url.authorization.is_some() {
        return Err(Error::usage(
            "the tools make different things of a user in the URL; leave `user:password@` away",
        ));
    }
    if matches!(url.host, crate::plan::url::Host::Unix(_)) {
        return Err(Error::usage("most tools know no Unix sockets; name a server that has a port"));
    }
    Ok(Some(url))
}

/// What stands beside every figure.
fn machine() -> String {
    let release = sysctl::text("kernel.osrelease").unwrap_or_default();
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut lines = cpuinfo.lines().filter_map(|line| line.strip_prefix("model name"));
    let model = lines.next().map(|rest| rest.trim_start_matches(['\t', ' ', ':']));
    let cores = host::allowed_cores().len();
    let cores = if cores == 1 { "1 core".to_string() } else { format!("{cores} cores") };
    let model = model.map(|model| format!(" ({model})")).unwrap_or_default();
    format!("{cores}{model}, Linux {release}")
}

/// Of the last minute (proc_loadavg(5)).
fn load_average() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn exit(document: &VersusDocument) -> Exit {
    match stop::exit() {
        Some(exit) if !document.complete => exit,
        _ if document.runs.is_empty() => Exit::Failed,
        _ => Exit::Done,
    }
}
