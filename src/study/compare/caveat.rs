//! Why runs cannot be compared as they are: nothing of it is hidden, and nothing refused.

use super::figure::Source;
use super::{Saved, label};
use crate::report::Document;
use crate::report::comparison::Caveat;
use crate::report::document::{Header, PlanEcho};

/// Lengths and rates that differ by less were meant to be the same.
const SAME: f64 = 0.02;

pub fn all(saved: &[Saved], sources: &[Source]) -> Vec<Caveat> {
    let Some((first, others)) = saved.split_first() else { return Vec::new() };
    let mut caveats = Vec::new();
    for (at, other) in others.iter().enumerate() {
        caveats.extend(between(&first.document, &other.document, &label(at + 1)));
    }
    for (at, saved) in saved.iter().enumerate() {
        caveats.extend(alone(&saved.document, &label(at)));
    }
    let short = sources.iter().enumerate().filter(|(_, source)| !source.spread.is_known());
    caveats.extend(short.map(|(at, _)| {
        let text = format!(
            "{}: too short to see how its seconds differ, so its requests are taken as \
             independent, and its intervals are too narrow",
            label(at)
        );
        caveat("independent", text)
    }));
    caveats
}

fn caveat(code: &str, text: String) -> Caveat {
    Caveat { code: code.to_string(), text }
}

fn between(first: &Document, other: &Document, label: &str) -> Vec<Caveat> {
    let (a, b) = (&first.plan, &other.plan);
    let mut caveats = Vec::new();
    if a.mode != b.mode {
        let text = format!(
            "A is of {} loop and {label} of {} loop: their times count from different instants, \
             and their rates are set by different sides",
            an(&a.mode),
            an(&b.mode)
        );
        caveats.push(caveat("mode", text));
    }
    if a.url != b.url || a.method != b.method {
        let text =
            format!("A asked for {} {}, {label} for {} {}", a.method, a.url, b.method, b.url);
        caveats.push(caveat("url", text));
    } else if places(a) != places(b) {
        let text = format!("A went to {}, {label} to {}", places(a), places(b));
        caveats.push(caveat("url", text));
    }
    let loads = load(first, other, label);
    if !loads.is_empty() {
        caveats.push(caveat("load", format!("the loads differ: {}", loads.join(", "))));
    }
    let plans = plan(a, b);
    if !plans.is_empty() {
        let text = format!("the plans of A and {label} differ in {}", plans.join(", "));
        caveats.push(caveat("plan", text));
    }
    if first.blast_version != other.blast_version {
        let text =
            format!("A is of blast {}, {label} of {}", first.blast_version, other.blast_version);
        caveats.push(caveat("version", text));
    }
    caveats
}

fn an(mode: &str) -> String {
    format!("{} {mode}", if mode.starts_with('o') { "an" } else { "a" })
}

fn places(plan: &PlanEcho) -> String {
    match &plan.unix_socket {
        Some(socket) => socket.clone(),
        None => plan.addresses.join(", "),
    }
}

/// What each of the two sent, where it is not the same.
fn load(first: &Document, other: &Document, label: &str) -> Vec<String> {
    let (a, b) = (&first.plan, &other.plan);
    let rate = |plan: &PlanEcho| plan.rps.map_or("no rate".to_string(), |rps| format!("{rps}/s"));
    let differs = |a: f64, b: f64| (a - b).abs() > SAME * a.max(b);
    let mut differences = Vec::new();
    let mut note = |differs: bool, what: &str, a: String, b: String| {
        if differs {
            differences.push(format!("{what} {a} in A and {b} in {label}"));
        }
    };
    note(a.rps != b.rps && a.mode == b.mode, "rate", rate(a), rate(b));
    let (many, few) = (a.connections, b.connections);
    note(many != few, "connections", many.to_string(), few.to_string());
    let length = |document: &Document| format!("{:.3} s", document.duration_s);
    let is_other = differs(first.duration_s, other.duration_s);
    note(is_other, "length", length(first), length(other));
    differences
}

/// Names of what else the two plans have apart.
fn plan(a: &PlanEcho, b: &PlanEcho) -> Vec<&'static str> {
    let parts = [
        ("the plan file", a.file != b.file || a.model != b.model),
        ("headers", headers(a) != headers(b)),
        ("the size of the body", a.body_bytes != b.body_bytes),
        ("what is expected", a.expect != b.expect),
        ("threads", a.threads != b.threads),
        ("arrivals", a.arrivals != b.arrivals || a.burst != b.burst),
        ("pipelining", a.pipeline != b.pipeline),
        (
            "keep-alive",
            a.keepalive != b.keepalive || a.requests_per_connection != b.requests_per_connection,
        ),
        ("timeouts", a.timeout_s != b.timeout_s || a.deadline_s != b.deadline_s),
        ("TLS", a.tls.is_some() != b.tls.is_some()),
        ("the engine", a.engine != b.engine),
        ("the way of waiting", a.wait != b.wait),
        ("warm-up", (a.warmup_s > 0.0) != (b.warmup_s > 0.0)),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// But for the host, which goes with the URL.
fn headers(plan: &PlanEcho) -> Vec<&Header> {
    plan.headers.iter().filter(|header| !header.name.eq_ignore_ascii_case("host")).collect()
}

/// What is wrong with one of them.
fn alone(document: &Document, label: &str) -> Vec<Caveat> {
    let mut caveats = Vec::new();
    if !document.complete {
        caveats.push(caveat(
            "incomplete",
            format!("{label} was interrupted, and is not the whole run"),
        ));
    }
    if !document.audit.ok {
        let text = format!("{label} does not add up: its audit failed");
        caveats.push(caveat("audit", text));
    }
    let limit = document.verdict.limit.as_str();
    if ["client_cpu", "ports", "descriptors"].contains(&limit) {
        let text = format!(
            "in {label} blast or its host was the limit ({limit}): its figures are not the \
             server's"
        );
        caveats.push(caveat("generator", text));
    }
    caveats
}
