//! Flags, second step: what they mean. From what was typed to a `Plan`, with the defaults that
//! depend on other flags, and the combinations that make no sense refused.

use std::ffi::OsStr;
use std::sync::Arc;

use super::complaint::{VERBS, refuse_later_verb};
use super::curl::Curl;
use super::groups::{ExpectArgs, LoadArgs, RuleArgs};
use super::source::Sources;
use super::{elsewhere, load, rating, request, route, tls, values, varying};
use crate::error::{Error, Result};
use crate::http::Request;
use crate::metrics::Warning;
use crate::plan::{Engine, Expected, Load, Plan, Route, Scenario, Threshold, Url};

/// What is sent, and to where: what flags say of the request, or a plan file.
pub struct Subject<'a> {
    pub url: Url,
    pub request: Request,
    pub expected: Expected,
    pub scenario: Option<Arc<Scenario>>,
    pub curl: Option<&'a Curl>,
}

/// What `blast URL` with these flags is to do. Reads the files that they name, stdin, and
/// `BLAST_ENGINE`.
pub fn plan(args: &LoadArgs) -> Result<Plan> {
    let mut sources = Sources::default();
    let curl =
        args.request.curl.as_deref().map(|text| Curl::read(text, &mut sources)).transpose()?;
    let curl = curl.as_ref();
    let url = url(&args.words, curl, &mut sources)?;
    route::route(args, &url)?;
    let close = args.connection.no_keepalive;
    let (request, pieces) = request::build(&args.request, curl, &url, close, &mut sources)?;
    let expected = expected(&args.expect, &request)?;
    let scenario = varying::scenario(args, &request, &pieces, &expected)?.map(Arc::new);
    let request = scenario.as_ref().map_or(request, |made| made.requests[0].request.clone());
    assemble(args, Subject { url, request, expected, scenario, curl })
}

/// The plan of what is sent, with the load, the rules and the ways that the flags ask for.
pub fn assemble(args: &LoadArgs, subject: Subject) -> Result<Plan> {
    let Subject { url, request, expected, scenario, curl } = subject;
    let route = route::route(args, &url)?;
    let asks = |request: &Request| asks_to_close(request);
    let of_scenario = scenario.iter().flat_map(|scenario| &scenario.requests);
    let closes = asks(&request) || of_scenario.map(|one| &one.request).any(asks);
    let keepalive = !args.connection.no_keepalive && !closes;
    check_combinations(args, keepalive)?;
    let load = load::load(args)?;
    check_rules(&args.rules, &load, &expected, scenario.as_deref())?;
    let watched = elsewhere::watched(args);
    let of_gauges = |rule: &Threshold| {
        let in_flag = |error| Error::usage(format!("--threshold: {error}"));
        rule.check_gauges(&watched).map_err(in_flag)
    };
    args.rules.thresholds.iter().try_for_each(of_gauges)?;
    let rating = rating::set(args.rules.rating.as_deref(), &load, scenario.as_deref())?;
    let (size, phases, connection) = (&args.size, &args.phases, &args.connection);
    let engine = engine(args.engine.engine, std::env::var_os("BLAST_ENGINE").as_deref())?;
    let tls = tls::settings(&args.tls, &url, curl.is_some_and(|curl| curl.insecure))?;
    let notes = notes(curl, &route, &url);
    let plan = Plan::new(url, request);
    let timeout = args.request.timeout.or(curl.and_then(|curl| curl.timeout));
    let timeout = timeout.unwrap_or(plan.timeout);
    let of_curl = curl.and_then(|curl| curl.connect_timeout);
    let connect_timeout = connection.connect_timeout.or(of_curl).unwrap_or(plan.connect_timeout);
    Ok(Plan {
        tls,
        scenario,
        connections: load::connections(args, &load),
        duration: load::duration(args, &load),
        load,
        threads: size.threads,
        pipeline: connection.pipeline.unwrap_or(plan.pipeline),
        keepalive,
        requests_per_connection: connection.requests_per_connection,
        connect_rate: connection.connect_rate,
        timeout,
        connect_timeout,
        expected,
        warmup: phases.warmup.unwrap_or(plan.warmup),
        requests: phases.requests,
        drain: phases.drain.unwrap_or(timeout),
        deadline: args.shape.deadline,
        max_in_flight: args.shape.max_in_flight,
        at_most: args.shape.at_most,
        engine: engine.unwrap_or(plan.engine),
        may_fall_back: engine.is_none(),
        wait: args.worker.wait.unwrap_or(plan.wait),
        pin: args.worker.pin.clone().unwrap_or(plan.pin),
        bind: connection.bind.clone(),
        route,
        thresholds: args.rules.thresholds.clone(),
        abort_on: args.rules.abort_on.clone(),
        group_by: args.output.group_by.clone(),
        watch: args.watch.watch.clone().unwrap_or_default(),
        watch_pool: args.watch.watch_pool,
        rating,
        notes,
        ..plan
    })
}

/// One word is the URL. The words themselves are not repeated: an unquoted header leaves its
/// value, maybe a credential, among them.
fn url(words: &[String], curl: Option<&Curl>, sources: &mut Sources) -> Result<Url> {
    if let Some(word) = words.first() {
        refuse_later_verb(word)?;
    }
    if let (Some(curl), [] | [_]) = (curl, words) {
        let url = curl.url(words.first().map(String::as_str), sources)?;
        // What was typed beside the command may hold placeholders, what stands in it does not.
        return if words.is_empty() { Url::fixed(&url) } else { Url::parse(&url) };
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

/// What was typed and has no effect.
fn notes(curl: Option<&Curl>, route: &Route, url: &Url) -> Vec<Warning> {
    let follows = curl.is_some_and(|curl| curl.follows).then_some(Warning::NotFollowed);
    let rule = |(flag, rule): (&'static str, &str)| Warning::RuleUnused { flag, rule: rule.into() };
    follows.into_iter().chain(route.unused(url).map(rule)).collect()
}

/// What an answer has to be, where one can be it.
fn expected(args: &ExpectArgs, request: &Request) -> Result<Expected> {
    let ExpectArgs { expect_status, expect_body: body, expect_size } = args.clone();
    let refuse = |message: &str| Err(Error::usage(message));
    if body.is_some() && request.is_head() {
        return refuse(
            "--expect-body: an answer to HEAD has no body; drop it, or use another method",
        );
    }
    if expect_size.is_some() && request.is_head() {
        return refuse(
            "--expect-size: an answer to HEAD has no body; drop it, or use another method",
        );
    }
    if body.is_some() && asks_for_compression(request) {
        return refuse(
            "--expect-body: the request asks for a compressed answer, which is not unpacked; drop \
             `--compressed`, or add `-H Accept-Encoding:`",
        );
    }
    Ok(Expected { statuses: expect_status, size: expect_size, body })
}

fn asks_for_compression(request: &Request) -> bool {
    let mut fields = request.headers.iter();
    fields.any(|(name, value)| {
        name.eq_ignore_ascii_case("accept-encoding")
            && !value.is_empty()
            && !value.eq_ignore_ascii_case("identity")
    })
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

/// Refuses rules that this run could never judge. `expected`: of every answer, where there is one
/// request.
fn check_rules(
    rules: &RuleArgs,
    load: &Load,
    expected: &Expected,
    scenario: Option<&Scenario>,
) -> Result<()> {
    let closed_loop = load.offered().is_none();
    let entries = scenario.map_or(&[][..], |scenario| &scenario.entries);
    let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    let checks = scenario.map_or(&[][..], |scenario| &scenario.checks);
    for (flag, rules) in [("--threshold", &rules.thresholds), ("--abort-on", &rules.abort_on)] {
        for rule in rules {
            let of_loop = if closed_loop { rule.check_closed_loop() } else { Ok(()) };
            let of_window = if flag == "--abort-on" { rule.check_window() } else { Ok(()) };
            let in_flag = |error| Error::usage(format!("{flag}: {error}"));
            let of_stages = rule.check_stages(load.stages().len());
            let of_answers = match scenario {
                None => rule.check_rejections(expected),
                Some(_) => Ok(()),
            };
            let of_names = rule.check_names(&names).and(rule.check_checks(checks));
            of_names.and(of_loop).and(of_window).and(of_stages).and(of_answers).map_err(in_flag)?;
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
