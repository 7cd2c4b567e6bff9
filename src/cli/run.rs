//! `blast URL`: carries out a plan, writes its result, and says how it ended.

use std::io::{self, Write};

use super::broadcast::Broadcast;
use super::live::Live;
use super::outputs::Format;
use super::terminal;
use super::{Outputs, doctor, print};
use crate::engine::{self, Progress, stop};
use crate::error::{Error, Exit, Result};
use crate::metrics::{Mode, Summary, Verdict, Warning, signs};
use crate::monitor::card::Cards;
use crate::monitor::own::Own;
use crate::monitor::{Flight, Probe, Sampler, Watched, host, sampler};
use crate::plan::Plan;
use crate::report::hlog::Logs;
use crate::report::ndjson::Streams;
use crate::report::{Document, PageOptions, json, page};
use crate::time::Nanos;

pub fn run(plan: Plan, outputs: Outputs) -> Result<Exit> {
    stop::install();
    let addresses = || engine::addresses(&plan).unwrap_or_default();
    let Watched { probes: of_server, server } =
        Watched::find(&plan.watch, addresses, plan.watch_pool)?;
    let mut logs = Logs::create(outputs.of_format(Format::Hlog))?;
    let mut streams = Streams::to(outputs.of_format(Format::Ndjson));
    let mode = if plan.load.offered().is_some() { Mode::Open } else { Mode::Closed };
    let mut recorder = logs.recorder(mode);
    let flight = Flight::before();
    let mut broadcast = Broadcast::start(&plan, &outputs)?;
    let (of_elsewhere, readers) = outputs.elsewhere.start()?;
    let here: [Box<dyn Probe>; 2] = [Box::new(Cards::default()), Box::new(Own::default())];
    let probes = host::probes().into_iter().chain(here).chain(of_server).chain(of_elsewhere);
    let sampler = Sampler::start(probes.collect(), sampler::STEP)?;
    let mut live = Live::start(&outputs, &plan);
    let mut begun = Nanos::ZERO;
    let summary = engine::run_steered(&plan, &live.helm(), &mut |progress| {
        match progress {
            Progress::Starting { at } => {
                begun = at;
                sampler.begin_at(at);
            }
            Progress::Interval { interval, measure, origin, .. } => {
                recorder.record(&interval, measure, origin);
                let read = |after, to| sampler.between(begun + after, begun + to).since(begun);
                streams.record(&interval, read);
            }
            Progress::Connecting { .. } | Progress::Slice { .. } => {}
        }
        broadcast.show(&progress, &sampler);
        live.show(progress, &sampler);
    });
    let unsent = broadcast.end();
    live.end();
    let gauges = sampler.end();
    let mut summary = summary?;
    summary.gauges = Some(gauges.since(summary.origin));
    let found = readers.end(summary.origin);
    summary.watched_log = found.log;
    summary.warnings.extend(found.warnings);
    summary.server = server;
    summary.warnings.extend(gone(&summary));
    // The engine knew nothing of what was read beside it.
    summary.verdict = Verdict::of(&summary);
    let needs = doctor::needs(&plan);
    let found = flight.warnings(&needs, &summary);
    summary.warnings.extend(found);
    summary.warnings.extend(unsent);
    let signs = signs::of(&summary, !plan.thresholds.is_empty());
    summary.warnings.extend(signs);
    recorder.end(summary.started_at);
    let mut document = Document::new(&plan, &summary);
    if outputs.as_wrk {
        document.back_fill(&plan, &summary);
    }
    let written = write(&document, &outputs, logs, streams);
    Ok(exit(&summary, &document, written))
}

/// Where the watched server did not live to see the end.
fn gone(summary: &Summary) -> Option<Warning> {
    let (server, at) = (summary.server.as_ref()?, summary.server_gone()?);
    Some(Warning::WatchedGone { name: server.name.clone(), pid: server.pid, at })
}

/// Everything that was asked for; one that fails does not keep the others from being written.
fn write(document: &Document, outputs: &Outputs, logs: Logs, streams: Streams) -> Result<()> {
    let stdout = if outputs.json_stdout {
        json::write(document, &mut io::stdout().lock())
    } else {
        let options = PageOptions {
            spectrum: outputs.spectrum,
            verbose: outputs.verbose,
            color: terminal::color(),
            width: terminal::width(&io::stdout()),
        };
        print(&page(document, &options)).map(drop)
    };
    let mut files = outputs.save_json(document);
    let kept = outputs.json_stdout || files.iter().any(Result::is_ok);
    files.extend(outputs.save_views(document));
    files.extend(logs.keep());
    files.extend(streams.end(document));
    let files = files.into_iter().fold(Ok(()), keep_first);
    match files {
        Err(error) if !kept => keep_first(stdout, Err(offer(document, error))),
        files => keep_first(stdout, files),
    }
}

/// The first error is the one to end with; the others are told at once.
pub fn keep_first(so_far: Result<()>, next: Result<()>) -> Result<()> {
    if let (Err(_), Err(error)) = (&so_far, &next) {
        complain(error);
    }
    so_far.and(next)
}

/// The figures of a long run are not lost for a disk that is full: what has no file stands on
/// stdout, after the page. The error tells so.
fn offer(document: &Document, error: Error) -> Error {
    match json::write(document, &mut io::stdout().lock()) {
        Ok(()) => Error::failed(format!("{error}; the JSON follows the page on stdout")),
        Err(_) => error,
    }
}

/// The precedence of DESIGN 6: 130 or 143, then 1, 4, 3, 0.
fn exit(summary: &Summary, document: &Document, written: Result<()>) -> Exit {
    let written = written.inspect_err(complain);
    let interrupted = if summary.complete { None } else { stop::exit() };
    let invalid = summary.mode == Mode::Open && summary.verdict.limit.is_generator();
    match interrupted {
        Some(exit) => exit,
        None if written.is_err() || !summary.audit.ok() => Exit::Failed,
        None if invalid => Exit::Invalid,
        None if !document.is_within_thresholds() => Exit::Threshold,
        None => Exit::Done,
    }
}

fn complain(error: &Error) {
    let _ = writeln!(io::stderr(), "blast: {error}");
}
