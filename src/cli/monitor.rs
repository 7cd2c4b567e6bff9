//! `blast monitor`: this host, and a server on it, without a load: a line a second, and in the end
//! the readings as JSON and as a picture.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueHint};

use super::groups::WatchArgs;
use super::{reason, run, values};
use crate::engine::stop;
use crate::error::{Error, Exit, Result};
use crate::metrics::gauge::Column;
use crate::metrics::{Gauges, Server};
use crate::monitor::{Sampler, Watched, host, sampler};
use crate::report::{Monitored, monitored, staged};
use crate::time::{self, Nanos};
use crate::units::quote;

/// What `blast monitor` takes.
#[derive(Clone, Debug, Args)]
pub struct MonitorArgs {
    #[command(flatten)]
    pub watch: WatchArgs,

    /// How long: 30, 30s, 2m [default: until Ctrl-C]
    #[arg(short, long, value_name = "T", value_parser = values::run_length)]
    pub duration: Option<Nanos>,

    /// Where to write: DIR/ takes system_metrics.json and system_monitor.png; or FILE.json,
    /// FILE.png, FILE.svg (repeatable) [default: the current folder]
    #[arg(short = 'o', long = "output", value_name = "DIR/", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,

    /// No line a second
    #[arg(long)]
    pub quiet: bool,
}

/// The names that people know.
const METRICS: &str = "system_metrics.json";
const PICTURE: &str =
    if cfg!(feature = "pictures") { "system_monitor.png" } else { "system_monitor.svg" };

/// How often it is looked whether there is something to do.
const LOOK: Duration = Duration::from_millis(20);

pub fn run(args: MonitorArgs) -> Result<Exit> {
    let files = files(&args.files)?;
    let Watched { probes, server, .. } = Watched::find(
        &args.watch.watch.clone().unwrap_or_default(),
        Vec::new,
        args.watch.watch_pool,
    )?;
    stop::install();
    let probes = host::probes().into_iter().chain(probes).collect();
    let (started_at, start) = (SystemTime::now(), time::now());
    let sampler = Sampler::start(probes, sampler::STEP)?;
    let shown = follow(&sampler, start, &args);
    let gauges = sampler.end().since(start);
    let length = time::now() - start;
    show_last(&gauges, shown);
    let document = Monitored::new(started_at, length, server.as_ref(), &gauges);
    let saved = files.iter().map(|file| save(&document, file));
    saved.fold(Ok(()), run::keep_first)?;
    tell(&files, server.as_ref(), &document)
}

/// Until the time is over, or somebody ends it. How many readings were shown, while somebody looks.
fn follow(sampler: &Sampler, start: Nanos, args: &MonitorArgs) -> Option<usize> {
    let mut rows = 0;
    let mut is_heard = !args.quiet;
    let is_over = || {
        let is_late = args.duration.is_some_and(|length| time::now() - start >= length);
        is_late || stop::requests() > 0
    };
    while !is_over() {
        thread::sleep(LOOK);
        if is_heard && sampler.rows() != rows {
            rows = sampler.rows();
            let line = monitored::line(time::now() - start, &sampler.latest());
            // Whoever has seen enough does not end the readings.
            is_heard = writeln!(io::stdout(), "{line}").is_ok();
        }
    }
    is_heard.then_some(rows)
}

/// The reading that was taken at the end.
fn show_last(gauges: &Gauges, shown: Option<usize>) {
    let Some(at) = gauges.at.last().filter(|_| shown.is_some_and(|rows| rows < gauges.at.len()))
    else {
        return;
    };
    let last = |column: &Column| (column.label.clone(), column.values.last().copied().flatten());
    let read: Vec<_> = gauges.columns.iter().map(last).collect();
    let _ = writeln!(io::stdout(), "{}", monitored::line(*at, &read));
}

/// To stderr: the lines may be read by a program.
fn tell(files: &[PathBuf], server: Option<&Server>, document: &Monitored) -> Result<Exit> {
    let read = document.gauges.t_s.len();
    let names: Vec<String> = files.iter().map(|file| quote(&file.to_string_lossy())).collect();
    let gone = server.filter(|_| {
        let rss = document.gauges.gauge("server.rss");
        rss.is_some_and(|rss| matches!(rss.values.last(), Some(None)))
    });
    let gone = gone.map(|server| format!("; {} (pid {}) is gone", server.name, server.pid));
    let gone = gone.unwrap_or_default();
    let _ = writeln!(io::stderr(), "{read} readings in {}{gone}", names.join(" and "));
    Ok(Exit::Done)
}

fn save(document: &Monitored, file: &Path) -> Result<()> {
    match ending(file).as_deref() {
        Some("json") => document.save_json(file),
        _ => document.save_picture(file),
    }
}

fn ending(file: &Path) -> Option<String> {
    Some(file.extension()?.to_str()?.to_ascii_lowercase())
}

/// Refuses what could not be written, before and not after the readings.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let in_folder = |folder: &Path| [METRICS, PICTURE].map(|name| folder.join(name));
    let mut files = Vec::new();
    for name in named {
        let is_folder = name.is_dir() || name.as_os_str().as_encoded_bytes().ends_with(b"/");
        let shown = quote(&name.to_string_lossy());
        match ending(name).as_deref() {
            _ if is_folder => {
                std::fs::create_dir_all(name).map_err(|error| {
                    let reason = reason(&error);
                    Error::failed(format!(
                        "--output: the folder {shown} cannot be made ({reason}); choose another place"
                    ))
                })?;
                files.extend(in_folder(name));
            }
            Some("json" | "svg") => files.push(name.clone()),
            Some("png") if cfg!(feature = "pictures") => files.push(name.clone()),
            _ => {
                let png = if cfg!(feature = "pictures") { "`.png`, " } else { "" };
                return Err(Error::usage(format!(
                    "--output: {shown} is not accepted; name a folder that ends in `/`, or a file \
                     that ends in `.json`, {png}`.svg`"
                )));
            }
        }
    }
    if named.is_empty() {
        files.extend(in_folder(Path::new("")));
    }
    for file in &files {
        staged::probe(file).map_err(|error| {
            let (shown, reason) = (quote(&file.to_string_lossy()), reason(&error));
            Error::failed(format!(
                "--output: {shown} cannot be written ({reason}); choose another place"
            ))
        })?;
    }
    Ok(files)
}
