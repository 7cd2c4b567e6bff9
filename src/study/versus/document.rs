//! What the rounds come to, as a document.

use std::time::SystemTime;

use super::tools::{self, is_blast};
use super::turns::{Contender, Measured, Turns};
use super::{Task, Tool};
use crate::report::comparison::Caveat;
use crate::report::versus::{Footnote, Run, SCHEMA_NAME, Tool as Row, VersusDocument};
use crate::time::Nanos;

/// Busier than this share of its time, it had no more to give.
const SATURATED: f64 = 0.9;

/// Counts of client and server that differ by more are told.
const COUNTS_DIFFER: f64 = 0.01;

/// Of the requests of a run, at most, that may be answered after it.
const MOST_IN_FLIGHT: f64 = 0.25;

/// Fewer rounds have no middle.
const FEW_ROUNDS: u64 = 3;

/// How it was asked for and went.
pub struct Told<'a> {
    pub task: &'a Task<'a>,
    pub contenders: &'a [Contender],
    /// Those that are not on this host.
    pub missing: &'a [&'static Tool],
    pub rounds_asked: u64,
    pub server: Option<String>,
    pub client_cores: &'a [usize],
    pub server_cores: Option<&'a [usize]>,
    pub host: String,
    /// Of the last minute, before it began.
    pub load_average: Option<f64>,
    pub started_at: SystemTime,
    pub took: Nanos,
}

pub fn document(turns: &Turns, told: &Told) -> VersusDocument {
    let task = told.task;
    let (tools, footnotes) = rows(turns, told);
    let cores = |cores: &[usize]| cores.iter().map(|core| *core as u64).collect::<Vec<u64>>();
    VersusDocument {
        schema: SCHEMA_NAME.to_string(),
        blast_version: env!("CARGO_PKG_VERSION").to_string(),
        complete: turns.complete,
        started_at: humantime::format_rfc3339_millis(told.started_at).to_string(),
        duration_s: told.took.as_secs_f64(),
        host: told.host.clone(),
        url: task.url.shown.clone(),
        server: told.server.clone(),
        mode: if task.rate.is_some() { "open" } else { "closed" }.to_string(),
        rps: task.rate.map(|rate| rate as f64),
        connections: u64::from(task.connections),
        length_s: task.seconds as f64,
        rounds_asked: told.rounds_asked,
        rounds: finished(turns, told),
        client_cores: cores(told.client_cores),
        server_cores: told.server_cores.map(cores),
        tools,
        footnotes,
        warnings: warnings(turns, told),
        runs: turns.runs.iter().map(|run| row_of(run, told)).collect(),
    }
}

fn of(turns: &Turns, at: usize) -> impl Iterator<Item = &Measured> + Clone {
    turns.runs.iter().filter(move |run| run.at == at)
}

/// Rounds in which every tool that had not failed was measured.
fn finished(turns: &Turns, told: &Told) -> u64 {
    let still = (0..told.contenders.len()).filter(|at| turns.failures[*at].is_none());
    let able = still.filter(|at| told.contenders[*at].job(told.task).is_some());
    able.map(|at| of(turns, at).count() as u64).min().unwrap_or(0)
}

/// The tools with their footnotes, which are numbered as they come.
fn rows(turns: &Turns, told: &Told) -> (Vec<Row>, Vec<Footnote>) {
    let mut rows: Vec<(Row, Vec<String>)> = (0..told.contenders.len())
        .map(|at| {
            let row = row(turns, told, at);
            let notes = if row.runs == 0 { Vec::new() } else { notes(&row, told, at) };
            (row, notes)
        })
        .collect();
    let reference = reference(&rows, told);
    rows.sort_by_key(|(row, _)| row.runs == 0);
    let mut footnotes = Vec::new();
    let mut tools: Vec<Row> = rows
        .into_iter()
        .map(|(mut row, notes)| {
            if row.runs > 0 {
                (row.blast_p50_us, row.blast_p99_us) = reference;
            }
            for text in notes {
                let number = footnotes.len() as u64 + 1;
                row.notes.push(number);
                footnotes.push(Footnote { number, tool: row.name.clone(), text });
            }
            row
        })
        .collect();
    tools.extend(told.missing.iter().map(|tool| missing(tool)));
    (tools, footnotes)
}

/// What blast says of this load: of its default engine, or else of the first that ran.
fn reference(rows: &[(Row, Vec<String>)], told: &Told) -> (Option<f64>, Option<f64>) {
    let all = rows.iter().zip(told.contenders);
    let mut own = all.filter(|((row, _), contender)| is_blast(contender.tool) && row.runs > 0);
    let first = own.next().map(|((row, _), _)| row);
    first.map_or((None, None), |row| (row.p50_us, row.p99_us))
}

fn missing(tool: &Tool) -> Row {
    Row {
        name: tool.name.to_string(),
        status: "missing".to_string(),
        why: Some(tool.install.to_string()),
        ..Row::default()
    }
}

fn row(turns: &Turns, told: &Told, at: usize) -> Row {
    let contender = &told.contenders[at];
    let runs = of(turns, at);
    let (status, why) = status(turns, told, at);
    let of_runs = |value: &dyn Fn(&Measured) -> Option<f64>| median(runs.clone().map(value));
    let cpu = |run: &Measured| run.ran.cpu.as_micros_f64() / run.said.completed as f64;
    let ratio = |run: &Measured| Some(run.ran.seen.requests? as f64 / run.said.completed as f64);
    let row = Row {
        name: contender.name.clone(),
        version: contender.version.clone(),
        status: status.to_string(),
        why,
        runs: runs.clone().count() as u64,
        good_per_s: of_runs(&|run| Some(good_per_s(run))),
        error_share: of_runs(&|run| Some(run.said.error_share())),
        mean_us: of_runs(&|run| run.said.mean_us),
        p50_us: of_runs(&|run| run.said.p50_us),
        p99_us: of_runs(&|run| run.said.p99_us),
        server_p50_us: of_runs(&|run| run.ran.seen.p50_us),
        server_p99_us: of_runs(&|run| run.ran.seen.p99_us),
        server_count_ratio: of_runs(&ratio),
        cpu_us_per_request: of_runs(&|run| Some(cpu(run))),
        cpu_us_least: runs.clone().map(cpu).reduce(f64::min),
        cpu_us_most: runs.clone().map(cpu).reduce(f64::max),
        max_rss_bytes: of_runs(&|run| Some(run.ran.max_rss_bytes as f64)).map(|bytes| bytes as u64),
        client_busy: of_runs(&|run| Some(client_busy(run, told))),
        server_busy: of_runs(&|run| run.ran.seen.busy),
        ..Row::default()
    };
    Row { limit: limit(&row).map(str::to_string), ..row }
}

fn status(turns: &Turns, told: &Told, at: usize) -> (&'static str, Option<String>) {
    let contender = &told.contenders[at];
    if contender.job(told.task).is_none() {
        let has = if told.task.rate.is_some() { "it takes no rate" } else { "it needs a rate" };
        return ("unsuited", Some(has.to_string()));
    }
    match &turns.failures[at] {
        Some(failure) => ("failed", Some(format!("in round {}: {}", failure.round, failure.why))),
        None if of(turns, at).next().is_none() => ("unmeasured", None),
        None => ("measured", None),
    }
}

fn good_per_s(run: &Measured) -> f64 {
    run.said.good_per_s(run.ran.wall.as_secs_f64())
}

/// Of the time of all its cores, from its start to its end.
fn client_busy(run: &Measured, told: &Told) -> f64 {
    let time = run.ran.wall.as_secs_f64() * told.client_cores.len().max(1) as f64;
    run.ran.cpu.as_secs_f64() / time.max(1e-9)
}

fn limit(row: &Row) -> Option<&'static str> {
    let is_saturated = |busy: f64| busy >= SATURATED;
    Some(match (row.client_busy?, row.server_busy) {
        (client, _) if is_saturated(client) => "client",
        (_, Some(server)) if is_saturated(server) => "server",
        (_, Some(_)) => "neither",
        (_, None) => "not client",
    })
}

/// What is known of the tool, and what was seen of it here.
fn notes(row: &Row, told: &Told, at: usize) -> Vec<String> {
    let contender = &told.contenders[at];
    let is_open = told.task.rate.is_some();
    let known = contender.tool.biases.iter().filter_map(|bias| bias.text(is_open));
    let mut notes: Vec<String> = known.map(str::to_string).collect();
    if let Some(ratio) = row.server_count_ratio.filter(|ratio| is_off(*ratio)) {
        notes.push(format!(
            "the server counted {:.1} % of the answers that it counts: its figures are of other \
             requests, or others loaded the server too",
            ratio * 100.0
        ));
    }
    let held = row.good_per_s.zip(told.task.rate.map(|rate| rate as f64));
    let missed = COUNTS_DIFFER + in_flight_at_the_end(row, told);
    if let Some((good, rate)) = held.filter(|(good, rate)| *good < rate * (1.0 - missed)) {
        notes.push(format!(
            "it did not hold the rate: {:.1} % of it came out as good answers",
            good / rate * 100.0
        ));
    }
    notes
}

/// The share of a run's requests whose answers come after its end: the mean time by the length, as
/// Little's law has it. Where a queue grows so does the mean, but up to twice what the server can do
/// by less than what is missed, and beyond that it is bounded.
fn in_flight_at_the_end(row: &Row, told: &Told) -> f64 {
    let length_us = told.task.seconds as f64 * 1e6;
    row.mean_us.map_or(0.0, |mean_us| (mean_us / length_us).min(MOST_IN_FLIGHT))
}

fn is_off(ratio: f64) -> bool {
    (ratio - 1.0).abs() > COUNTS_DIFFER
}

/// The middle one, or the mean of the two in the middle.
fn median(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut values: Vec<f64> = values.flatten().collect();
    values.sort_by(f64::total_cmp);
    let middle = |at: usize| values.get(at).copied();
    Some((middle(values.len().checked_sub(1)? / 2)? + middle(values.len() / 2)?) / 2.0)
}

fn row_of(run: &Measured, told: &Told) -> Run {
    let (said, ran) = (&run.said, &run.ran);
    Run {
        round: run.round,
        tool: told.contenders[run.at].name.clone(),
        completed: said.completed,
        good: said.good(),
        errors: said.errors,
        good_per_s: good_per_s(run),
        mean_us: said.mean_us,
        p50_us: said.p50_us,
        p99_us: said.p99_us,
        cpu_s: ran.cpu.as_secs_f64(),
        wall_s: ran.wall.as_secs_f64(),
        max_rss_bytes: ran.max_rss_bytes,
        client_busy: client_busy(run, told),
        server_busy: ran.seen.busy,
        server_requests: ran.seen.requests,
        server_p50_us: ran.seen.p50_us,
        server_p99_us: ran.seen.p99_us,
    }
}

fn warnings(turns: &Turns, told: &Told) -> Vec<Caveat> {
    let mut warnings = Vec::new();
    let mut warn = |code: &str, text: &str| {
        warnings.push(Caveat { code: code.to_string(), text: text.to_string() });
    };
    let shared = |cores: &[usize]| cores.iter().any(|core| told.client_cores.contains(core));
    if told.server_cores.is_some_and(shared) {
        warn("shared_cores", "client and server share a core: each took time from the other");
    }
    let cores = told.client_cores.len() + told.server_cores.map_or(0, <[usize]>::len);
    if let Some(load) = told.load_average.filter(|load| *load > cores.max(1) as f64 / 2.0) {
        let text = format!(
            "others kept the host busy when it began (load average {load:.1}): what they took, no \
             tool had; run it on an idle one"
        );
        warn("busy_host", &text);
    }
    if told.rounds_asked < FEW_ROUNDS && !turns.runs.is_empty() {
        warn("few_rounds", "the middle of one or two rounds is no median; take five");
    }
    let says_nothing = |run: &Measured| run.ran.seen.logged == Some(0);
    if !turns.runs.is_empty() && turns.runs.iter().all(says_nothing) {
        warn(
            "silent_log",
            "the log told of no request: no line was written in the runs, or none that ends in a \
             time (nginx's $request_time, Apache's %D)",
        );
    }
    if told.task.url.is_https {
        warn(
            "https",
            "of these, blast verifies the certificate, wrk, wrk2 and h2load do not: their \
             handshakes cost less",
        );
    }
    // One that failed is here, and what it said is told in its place.
    let others = told.contenders.iter().enumerate().any(|(at, contender)| {
        let has_run = of(turns, at).next().is_some() || turns.failures[at].is_some();
        !is_blast(contender.tool) && has_run
    });
    if !others && turns.complete {
        let names: Vec<&str> = tools::usual().map(|tool| tool.name).skip(1).collect();
        let text = format!(
            "no other tool was measured here; install one of {}, or name its folder in PATH",
            names.join(", ")
        );
        warn("alone", &text);
    }
    warnings
}
