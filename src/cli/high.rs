//! Flags, second step: what they mean. From what was typed to a `Plan`, with the defaults that
//! depend on other flags, and the combinations that make no sense refused.

use std::ffi::OsStr;

use super::complaint::{VERBS, refuse_later_verb};
use super::low::{LoadArgs, RuleArgs};
use super::{load, request, route, tls, values};
use crate::error::{Error, Result};
use crate::http::Request;
use crate::plan::{Engine, Load, Plan, Url};

/// What `blast URL` with these flags is to do. Reads the body's file or stdin, and
/// `BLAST_ENGINE`.
pub fn plan(args: &LoadArgs) -> Result<Plan> {
    let url = url(&args.words)?;
    let route = route::route(args, &url)?;
    let request = request::build(&args.request, &url, args.connection.no_keepalive)?;
    let keepalive = !args.connection.no_keepalive && !asks_to_close(&request);
    check_combinations(args, keepalive)?;
    let load = load::load(args)?;
    check_rules(&args.rules, &load)?;
    let (size, phases, connection) = (&args.size, &args.phases, &args.connection);
    let engine = engine(args.engine.engine, std::env::var_os("BLAST_ENGINE").as_deref())?;
    let tls = tls::settings(&args.tls, &url)?;
    let plan = Plan::new(url, request);
    let timeout = args.request.timeout.unwrap_or(plan.timeout);
    Ok(Plan {
        tls,
        connections: load::connections(args, &load),
        duration: load::duration(args, &load),
        load,
        threads: size.threads,
        pipeline: connection.pipeline.unwrap_or(plan.pipeline),
        keepalive,
        requests_per_connection: connection.requests_per_connection,
        connect_rate: connection.connect_rate,
        timeout,
        connect_timeout: connection.connect_timeout.unwrap_or(plan.connect_timeout),
        warmup: phases.warmup.unwrap_or(plan.warmup),
        requests: phases.requests,
        drain: phases.drain.unwrap_or(timeout),
        deadline: args.shape.deadline,
        max_in_flight: args.shape.max_in_flight,
        engine: engine.unwrap_or(plan.engine),
        may_fall_back: engine.is_none(),
        wait: args.worker.wait.unwrap_or(plan.wait),
        pin: args.worker.pin.clone().unwrap_or(plan.pin),
        bind: connection.bind.clone(),
        route,
        thresholds: args.rules.thresholds.clone(),
        abort_on: args.rules.abort_on.clone(),
        ..plan
    })
}

/// One word is the URL. The words themselves are not repeated: an unquoted header leaves its
/// value, maybe a credential, among them.
fn url(words: &[String]) -> Result<Url> {
    if let Some(word) = words.first() {
        refuse_later_verb(word)?;
    }
    let verb = words.iter().find(|word| VERBS.contains(&word.as_str()));
    match (words, verb) {
        ([], _) => Err(Error::usage(
            "the URL is missing; try `blast http://localhost:8080/`, `blast demo` or `blast --help`",
        )),
        (_, Some(verb)) => {
            Err(Error::usage(format!("`{verb}` is a verb and stands first: `blast {verb} ...`")))
        }
        ([word], _) => Url::parse(word),
        (words, _) => Err(Error::usage(format!(
            "one URL is taken and {} words were given; put quotes around a value with spaces",
            words.len()
        ))),
    }
}

fn check_combinations(args: &LoadArgs, keepalive: bool) -> Result<()> {
    let connection = &args.connection;
    let refuse = |message: &str| Err(Error::usage(message));
    if !keepalive && connection.pipeline.is_some_and(|depth| depth > 1) {
        return refuse(
            "a connection that closes takes one request; drop `--pipeline` or the close",
        );
    }
    if !keepalive && connection.requests_per_connection.is_some_and(|n| n > 1) {
        return refuse(
            "a connection that closes takes one request; drop `--requests-per-connection` or the close",
        );
    }
    Ok(())
}

/// Refuses rules that this run could never judge.
fn check_rules(rules: &RuleArgs, load: &Load) -> Result<()> {
    let closed_loop = load.offered().is_none();
    for (flag, rules) in [("--threshold", &rules.thresholds), ("--abort-on", &rules.abort_on)] {
        for rule in rules {
            let of_loop = if closed_loop { rule.check_closed_loop() } else { Ok(()) };
            let of_window = if flag == "--abort-on" { rule.check_window() } else { Ok(()) };
            let in_flag = |error| Error::usage(format!("{flag}: {error}"));
            let of_stages = rule.check_stages(load.stages().len());
            of_loop.and(of_window).and(of_stages).map_err(in_flag)?;
        }
    }
    Ok(())
}

/// RFC 9112, 9.6: a client that sends `close` must send nothing more on that connection.
fn asks_to_close(request: &Request) -> bool {
    let connection = request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("connection"));
    let mut options = connection.flat_map(|(_, value)| value.split(','));
    options.any(|option| option.trim().eq_ignore_ascii_case("close"))
}

/// The flag, or else the environment; an empty variable is none.
pub fn engine(flag: Option<Engine>, variable: Option<&OsStr>) -> Result<Option<Engine>> {
    match (flag, variable) {
        (None, Some(name)) if !name.is_empty() => values::engine(&name.to_string_lossy())
            .map(Some)
            .map_err(|error| Error::usage(format!("BLAST_ENGINE: {error}"))),
        (flag, _) => Ok(flag),
    }
}
