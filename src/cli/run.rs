//! `blast URL`: carries out a plan, writes its result, and says how it ended.

use std::io::{self, Write};

use super::baseline;
use super::beside::Beside;
use super::broadcast::Broadcast;
use super::calibrated;
use super::live::Live;
use super::outputs::Format;
use super::profile::span;
use super::save::{self, Recorder};
use super::soak::Soak;
use super::terminal;
use super::{Outputs, print};
use crate::engine::{self, Progress, stop};
use crate::error::{Error, Exit, Result};
use crate::metrics::{Mode, Summary, signs};
use crate::monitor::{Profiler, sampler};
use crate::plan::Plan;
use crate::report::hlog::Logs;
use crate::report::ndjson::Streams;
use crate::report::{Document, PageOptions, document_of, json, page};

pub fn run(plan: Plan, outputs: Outputs) -> Result<Exit> {
    carry_out(plan, outputs, None)
}

/// The same, and watched for drift.
pub fn carry_out(plan: Plan, outputs: Outputs, soak: Option<Soak>) -> Result<Exit> {
    stop::install();
    let measured = measure(&plan, &outputs, soak)?;
    let Measured { document, summary, logs, streams, broadcast, mut recorder } = measured;
    let written = write(&document, &outputs, logs, streams);
    drop(broadcast);
    let exit = exit(&summary, &document, written);
    recorder.end_run(&document, exit);
    Ok(exit)
}

/// A run that is over, before anything of it is written.
pub struct Measured {
    pub document: Document,
    summary: Summary,
    logs: Logs,
    streams: Streams,
    /// What others see of it is there until it is written.
    broadcast: Broadcast,
    recorder: Recorder,
}

impl Measured {
    /// Writes its files, and nothing to stdout; how it ended.
    pub fn save(self, outputs: &Outputs) -> (Document, Exit) {
        let Measured { document, summary, logs, streams, broadcast, mut recorder } = self;
        let written = save(&document, outputs, logs, streams).into_iter().fold(Ok(()), keep_first);
        drop(broadcast);
        let exit = exit(&summary, &document, written);
        recorder.end_run(&document, exit);
        (document, exit)
    }
}

/// Carries the plan out, with all that goes on beside it; what is to be saved stands in the history
/// before the first packet.
pub fn measure(plan: &Plan, outputs: &Outputs, soak: Option<Soak>) -> Result<Measured> {
    let plan = &*baseline::resolved(plan, None)?;
    let kind = if soak.is_some() { "soak" } else { "run" };
    let mut recorder = Recorder::begin(outputs.save.as_ref(), || save::begun(plan, kind))?;
    let measured = recorded(plan, outputs, soak, &mut recorder);
    let measured = recorder.check(measured)?;
    Ok(Measured { recorder, ..measured })
}

fn recorded(
    plan: &Plan,
    outputs: &Outputs,
    mut soak: Option<Soak>,
    saved: &mut Recorder,
) -> Result<Measured> {
    let mut logs = Logs::create(outputs.of_format(Format::Hlog))?;
    let mut streams = Streams::to(outputs.of_format(Format::Ndjson));
    let mode = if plan.load.offered().is_some() { Mode::Open } else { Mode::Closed };
    let mut recorder = logs.recorder(mode);
    let mut broadcast = Broadcast::start(plan, outputs)?;
    let step = soak.as_ref().map_or(sampler::STEP, |soak| soak.step);
    let mut beside = Beside::start(plan, &outputs.elsewhere, step)?;
    if let Some(soak) = &mut soak {
        soak.watches(beside.pids());
    }
    let profile = outputs.profile.as_ref().map(|tool| tool.job(beside.pids())).transpose()?;
    let mut live = Live::start(outputs, plan);
    let helm = live.helm();
    let profiler = profile.map(|job| Profiler::start(job, move || span(&helm))).transpose()?;
    let summary = engine::run_steered(plan, &live.helm(), &mut |progress| {
        match progress {
            Progress::Starting { at } => beside.begin_at(at),
            Progress::Interval { interval, measure, origin, .. } => {
                recorder.record(&interval, measure, origin);
                saved.interval(&interval);
                streams.record(&interval, |after, to| beside.between(after, to));
                if let Some(soak) = &mut soak {
                    soak.interval(&interval, measure);
                }
            }
            Progress::Look { so_far } => {
                if let Some(soak) = &mut soak {
                    soak.look(so_far, &beside);
                }
            }
            _ => {}
        }
        #[cfg(feature = "serve")]
        if let Some(feed) = &outputs.feed {
            feed.show(&progress, |after, to| beside.between(after, to));
        }
        broadcast.show(&progress, beside.sampler());
        live.show(progress, beside.sampler());
    });
    let unsent = broadcast.end();
    live.end();
    let read = beside.end();
    let mut summary = summary?;
    read.tell(plan, &mut summary);
    calibrated::tell(plan, &mut summary);
    if let Some(profiler) = profiler {
        // Who asks twice for the end does not wait for what it has seen.
        match profiler.end(|| stop::requests() > 1) {
            Ok(profile) => summary.profile = Some(profile),
            Err(warning) => summary.warnings.push(warning),
        }
    }
    summary.warnings.extend(unsent);
    summary.warnings.extend(signs::of(&summary, !plan.thresholds.is_empty()));
    recorder.end(summary.started_at);
    let mut document = document_of(plan, &summary);
    document.soak = soak.map(|soak| soak.end(&summary));
    if outputs.as_wrk {
        document.back_fill(plan, &summary);
    }
    let recorder = Recorder::default();
    Ok(Measured { document, summary, logs, streams, broadcast, recorder })
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
    let documents = outputs.of_format(Format::Json).count();
    let files = save(document, outputs, logs, streams);
    let kept = outputs.json_stdout || files.iter().take(documents).any(Result::is_ok);
    let files = files.into_iter().fold(Ok(()), keep_first);
    match files {
        Err(error) if !kept => keep_first(stdout, Err(offer(document, error))),
        files => keep_first(stdout, files),
    }
}

/// Each file; those of JSON come first.
fn save(document: &Document, outputs: &Outputs, logs: Logs, streams: Streams) -> Vec<Result<()>> {
    let mut files = outputs.save(document);
    files.extend(logs.keep());
    files.extend(streams.end(document));
    files
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
        None if !document.is_within_thresholds() || drifts(document) => Exit::Threshold,
        None => Exit::Done,
    }
}

fn drifts(document: &Document) -> bool {
    document.soak.as_ref().is_some_and(|soak| soak.drifts())
}

fn complain(error: &Error) {
    let _ = writeln!(io::stderr(), "blast: {error}");
}
