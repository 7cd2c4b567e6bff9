//! `blast run PLAN`: what a plan file says, with the flags beside it, as one `Plan`.
//!
//! Keys of `[load]`, thresholds and outputs are words of the command line that stand before the
//! typed ones (`words`), so that file and flags are read by the same code and the typed ones win.
//! What is sent is built by `plan::file`; the files it names are read here.

mod check;
pub mod guard;
mod show;
mod target;
pub mod words;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::groups::LoadArgs;
use super::high::{self, Subject};
use super::low::RunArgs;
use super::source::{Source, Sources};
use super::values::Header;
use super::{Outputs, print, request, varying};
use crate::error::{Error, Exit, Result};
use crate::http::Request;
use crate::plan::file::{self, Around, Built, Written};
use crate::plan::scenario::Model;
use crate::plan::{Expected, Plan};
use crate::time::Nanos;
use crate::units::quote;
use target::Target;

/// A plan file with all that is known beside it.
pub struct Meant {
    pub written: Written,
    /// The file's own, and then the typed ones.
    pub args: RunArgs,
    pub target: Target,
    pub plan: Plan,
    pub outputs: Outputs,
}

pub fn run(typed: &RunArgs, arguments: &[OsString]) -> Result<Exit> {
    carry_out(typed, arguments, |plan, outputs, _| super::run::run(plan, outputs))
}

/// The same with something else than an ordinary run.
pub fn carry_out(
    typed: &RunArgs,
    arguments: &[OsString],
    run: impl FnOnce(Plan, Outputs, &LoadArgs) -> Result<Exit>,
) -> Result<Exit> {
    if typed.file.schema {
        return print(file::SCHEMA);
    }
    let is_shown = typed.file.show.is_some();
    let meant = mean(typed, arguments)?;
    if typed.file.check || is_shown {
        let check = if typed.file.check { check::text(&meant) } else { String::new() };
        let shown = typed.file.show.map(|count| show::text(&meant.plan, count)).unwrap_or_default();
        let between = if check.is_empty() || shown.is_empty() { "" } else { "\n" };
        return print(&format!("{check}{between}{shown}"));
    }
    guard::pass(&meant)?;
    run(meant.plan, meant.outputs, &meant.args.load)
}

/// The plan of `blast run ARGUMENTS`; the program's name and the verb come first.
pub fn plan(arguments: &[OsString]) -> Result<Plan> {
    mean(&words::typed(arguments)?, arguments).map(|meant| meant.plan)
}

/// A plan file for a verb that carries it out over and over, with loads of its own.
pub fn for_study(arguments: &[OsString], load: &str) -> Result<Meant> {
    let meant = mean(&words::typed(arguments)?, arguments)?;
    guard::pass_with(&meant, load)?;
    Ok(meant)
}

/// Whether the plan of these words has users or sessions, and a rate; it is read and not yet judged.
pub fn sheet(load: &LoadArgs) -> Result<Written> {
    let (name, _) = words_of(&load.words)?;
    Written::read(name, read_text(name, &mut Sources::default())?)
}

/// Reads the plan file and what it names; nothing is sent.
pub fn mean(typed: &RunArgs, arguments: &[OsString]) -> Result<Meant> {
    refuse(typed)?;
    let (name, url) = words_of(&typed.load.words)?;
    let mut sources = Sources::default();
    let text = read_text(name, &mut sources)?;
    let written = Written::read(name, text)?;
    let folder = folder(name);
    let target = Target::choose(&written, &typed.file.aim, url)?;
    let words = words::of_file(&written, &folder, &typed.load)?;
    let mut args = words::merge(&written, &words, arguments)?;
    if let Some(factor) = typed.file.speed {
        hasten(&mut args.load, factor);
    }
    let headers = headers(&args.load, &mut sources)?;
    let close = args.load.connection.no_keepalive;
    let dress = |request: &mut Request| {
        if close {
            request.set_header("Connection", "close")?;
        }
        request::apply(&headers, request)
    };
    let expected = expected(&args.load);
    let vars: BTreeMap<String, String> = typed.file.aim.vars.iter().cloned().collect();
    let built = file::build(
        &written,
        &Around {
            folder: &folder,
            base: &target.base,
            read: &|path| {
                let path = path.to_string_lossy().into_owned();
                let read = Sources::default().body(FLAG, &Source::File(path));
                read.map_err(|error| unnamed(&error))
            },
            env: &|name| std::env::var(name).ok(),
            vars: &vars,
            dress: &dress,
            request_id: varying::request_id(&args.load).as_ref(),
            expected: &expected,
            has_rate: has_rate(&args.load),
            has_rule_by_name: args.load.rules.thresholds.iter().any(|rule| rule.name().is_some()),
            seed: args.load.shape.seed.unwrap_or(1),
            is_shown: typed.file.show.is_some(),
        },
    );
    let Built { url, request, expected, scenario } =
        built.map_err(|error| target.blame(&written, error))?;
    let subject = Subject { url, request, expected, scenario, curl: None };
    let plan = high::assemble(&args.load, subject);
    let checked = plan.and_then(|mut plan| {
        check_pipeline(&plan)?;
        plan.file = Some(written.name.clone());
        Ok((plan, Outputs::of(&args.load)?))
    });
    let (plan, outputs) = checked.map_err(|error| words::blame(&written, &words, error))?;
    Ok(Meant { written, args, target, plan, outputs })
}

/// What makes one request of a command line has no place beside a plan's own.
fn refuse(args: &RunArgs) -> Result<()> {
    let request = &args.load.request;
    let typed = [
        ("--method", request.method.is_some()),
        ("--body", request.body.is_some()),
        ("--json-body", request.json_body.is_some()),
        ("--form", !request.form.is_empty()),
        ("--content-type", request.content_type.is_some()),
        ("--curl", request.curl.is_some()),
        ("--user", request.user.is_some()),
        ("--cookie", !request.cookie.is_empty()),
        ("--compressed", request.compressed),
    ];
    if let Some((flag, _)) = typed.iter().find(|(_, is)| *is) {
        return Err(Error::usage(format!(
            "{flag} makes a request, and the plan has its own; write it into the plan file \
             (`-H` adds a header to all of them)"
        )));
    }
    Ok(())
}

/// The plan file, and the URL in its place.
fn words_of(words: &[String]) -> Result<(&str, Option<&str>)> {
    match words {
        [] => Err(Error::usage("the plan file is missing; write `blast run plan.toml`")),
        [plan] => Ok((plan, None)),
        [plan, url] => Ok((plan, Some(url))),
        words => Err(Error::usage(format!(
            "a plan file and a URL are taken and {} words were given; put quotes around a value \
             with spaces",
            words.len()
        ))),
    }
}

fn read_text(name: &str, sources: &mut Sources) -> Result<String> {
    if name != "-" && name.contains("://") {
        return Err(Error::usage(
            "a URL stands where the plan file is due; write `blast run plan.toml URL`",
        ));
    }
    sources.text(FLAG, &Source::File(name.to_string())).map_err(|error| unnamed(&error))
}

/// What stands for a flag where a file was asked for by a plan.
const FLAG: &str = "plan";

fn unnamed(error: &Error) -> Error {
    let message = error.message.strip_prefix(FLAG).and_then(|rest| rest.strip_prefix(": "));
    Error::usage(message.unwrap_or(&error.message))
}

/// What relative names in the file begin at.
fn folder(name: &str) -> PathBuf {
    let parent = Path::new(name).parent().filter(|_| name != "-");
    parent.map(Path::to_path_buf).unwrap_or_default()
}

/// Those of `-H`, and of the files that it names.
fn headers(args: &LoadArgs, sources: &mut Sources) -> Result<Vec<Header>> {
    let mut headers = Vec::new();
    for header in &args.request.headers {
        match header {
            Header::File(name) => headers.extend(request::of_file(name, sources)?),
            header => headers.push(header.clone()),
        }
    }
    Ok(headers)
}

fn expected(args: &LoadArgs) -> Expected {
    let typed = args.expect.clone();
    Expected { statuses: typed.expect_status, size: typed.expect_size, body: typed.expect_body }
}

fn has_rate(args: &LoadArgs) -> bool {
    args.size.rps.is_some() || !args.shape.stages.is_empty() || args.shape.steps.is_some()
}

/// `--speed`: each duration of the load, also that in which users come; nothing else.
fn hasten(args: &mut LoadArgs, factor: f64) {
    let divide = |time: &mut Nanos| {
        // A float becomes an integer by saturation.
        let shorter = (time.0 as f64 / factor).round() as u64;
        *time = Nanos(if time.0 > 0 { shorter.max(1) } else { 0 });
    };
    args.size.duration.iter_mut().for_each(divide);
    if let Some(crate::plan::Warmup::For(time)) = &mut args.phases.warmup {
        divide(time);
    }
    args.shape.stages.iter_mut().for_each(|stage| divide(&mut stage.length));
    args.shape.connections_stages.iter_mut().for_each(|stage| divide(&mut stage.length));
    args.shape.steps.iter_mut().for_each(|steps| divide(&mut steps.each));
    args.shape.spawn_rate.iter_mut().for_each(|rate| divide(&mut rate.period));
}

/// The next request of a user is made from the answer to the last.
fn check_pipeline(plan: &Plan) -> Result<()> {
    let has_users = plan.scenario.as_ref().is_some_and(|s| !matches!(s.model, Model::Mix(_)));
    if has_users && plan.pipeline > 1 {
        return Err(Error::usage("a user waits for each answer; drop `--pipeline`, or [session]"));
    }
    Ok(())
}

/// A name as errors and the check repeat it.
fn shown(name: &str) -> String {
    quote(name).trim_matches('`').to_string()
}
