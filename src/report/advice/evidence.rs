//! The figures that show a sign. `None`: it is not there, or not known.

use crate::failure::Kind;
use crate::metrics::Rejection;
use crate::report::Document;
use crate::report::document::Mark;
use crate::report::grade::{is_bad, label, limit_of, value_of};
use crate::report::number::{count, per_second, percent};

/// A server whose host has less of its processors in use waits for something, in percent.
const IDLE: f64 = 50.0;

/// One process with less of one core than this waits for something, in percent.
const IDLE_CORE: f64 = 50.0;

/// A rate of which less was sent on schedule was not held; and so much of it has to be missing
/// before it is the server's, and no hiccup's.
const ON_SCHEDULE: f64 = 0.99;
const ANSWERED: f64 = 0.95;

/// Errors that are rarer are not what to begin with.
const RARE: f64 = 0.001;

/// What a warning says.
pub fn warned(document: &Document, code: &str) -> Option<String> {
    let warning = document.warnings.iter().find(|warning| warning.code == code)?;
    Some(warning.text.clone())
}

pub fn refused(document: &Document) -> Option<String> {
    let refused = document.connections.failures.get(Kind::ConnectRefused.name())?;
    Some(format!("{} connects were refused", count(*refused)))
}

pub fn server_errors(document: &Document) -> Option<String> {
    rejected(document, Rejection::Status5xx, "server errors (5xx)", RARE)
}

pub fn client_errors(document: &Document) -> Option<String> {
    rejected(document, Rejection::Status4xx, "client errors (4xx)", RARE)
}

/// By status, size, body or a check of the plan.
pub fn unexpected(document: &Document) -> Option<String> {
    let is_of_run = |kind: &str| kind.starts_with("unexpected_") || kind.starts_with("check");
    let found = document.rejections.iter().filter(|(kind, _)| is_of_run(kind));
    of_requests(document, found.map(|(_, count)| count).sum(), "unexpected answers", RARE)
}

pub fn rate_limited(document: &Document) -> Option<String> {
    rejected(document, Rejection::Status429, "answers 429", 0.0)
}

fn rejected(document: &Document, kind: Rejection, what: &str, least: f64) -> Option<String> {
    of_requests(document, *document.rejections.get(kind.name())?, what, least)
}

pub fn timeouts(document: &Document) -> Option<String> {
    let timeouts = *document.failures.get(Kind::Timeout.name())?;
    of_requests(document, timeouts, "requests timed out", 0.0)
}

/// `9,000 answers 429, 1.80 % of all requests`, from a share on that is not rare.
fn of_requests(document: &Document, found: u64, what: &str, least: f64) -> Option<String> {
    let share = found as f64 / document.requests.scheduled.max(1) as f64;
    let is_told = found > 0 && share >= least;
    is_told.then(|| format!("{} {what}, {} of all requests", count(found), percent(share)))
}

pub fn too_few_connections(document: &Document) -> Option<String> {
    (document.verdict.limit == "connections").then(|| document.verdict.why.clone())
}

pub fn generator(document: &Document) -> Option<String> {
    let limit = document.verdict.limit.as_str();
    let is_own = matches!(limit, "client_cpu" | "ports" | "descriptors");
    is_own.then(|| document.verdict.why.clone())
}

/// The server was behind, and yet its processors had little to do.
pub fn idle_server(document: &Document) -> Option<String> {
    let outran = outran(document)?;
    let host = mean(document, "host.cpu").filter(|_| document.runs_here());
    match (mean(document, "server.cpu"), host) {
        (Some(server), host) if server < IDLE_CORE && host.is_none_or(|host| host < IDLE) => {
            Some(format!("{outran}, and yet it used {} of one core", shown(server)))
        }
        (None, Some(host)) if host < IDLE => {
            let host = shown(host);
            Some(format!("{outran}, and yet {host} of this host's processors were in use"))
        }
        _ => None,
    }
}

pub fn server_is_full(document: &Document) -> Option<String> {
    let outran = outran(document)?;
    let used =
        mean(document, "server.cpu").map(|used| format!(", with {} of one core", shown(used)));
    Some(outran + &used.unwrap_or_default())
}

/// The server was behind what was asked for.
fn outran(document: &Document) -> Option<String> {
    let (target, kept) = (document.rate.target_per_s?, document.rate.efficiency?);
    let good = document.rate.good_per_s;
    let is_short = kept < ON_SCHEDULE && good > 0.0 && good < ANSWERED * target;
    let is_behind = document.verdict.limit == "server" && is_short;
    is_behind.then(|| {
        format!("it gave {} good answers/s of {}/s asked", per_second(good), per_second(target))
    })
}

/// A percentage as it is shown.
fn shown(percentage: f64) -> String {
    percent(percentage / 100.0)
}

fn mean(document: &Document, gauge: &str) -> Option<f64> {
    document.gauges.as_ref()?.gauge(gauge)?.mean
}

/// A mark of the rating for a time that is a bad one.
pub fn slow(document: &Document) -> Option<String> {
    let marks = &document.rating.as_ref()?.measures;
    // A bound says more of the errors that it stands above.
    let is_slow = |mark: &&Mark| mark.unit == "s" && is_bad(&mark.grade) && !mark.lower_bound;
    let mark = marks.iter().find(is_slow)?;
    let (grade, limit) = mark.limits.all().last()?;
    let limit = limit_of(limit, &mark.unit);
    Some(format!("{} is {} ({limit} would be {grade})", label(mark), value_of(mark)))
}

/// Of 90 % on it is poor by every set.
pub fn host_memory(document: &Document) -> Option<String> {
    let used = document.gauges.as_ref()?.gauge("host.memory")?.max?;
    (used >= 90.0 && document.runs_here())
        .then(|| format!("up to {} of this host's memory was in use", shown(used)))
}
