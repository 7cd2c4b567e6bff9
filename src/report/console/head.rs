//! The head of the page: what ran, who was the limit, and, where the load outran the server, by
//! how much.

use super::super::number::{count, micros, per_second, percent, seconds};
use super::super::{Document, head_room};
use super::names;
use super::rules;
use super::text::{Sheet, Tone};
use crate::metrics::Drop;
use crate::metrics::named::SESSIONS;
use crate::units::{format_bytes, quote};

/// A schedule met to less than this was not met (the verdict's own bound).
const HELD: f64 = 0.99;

pub fn what_ran(sheet: &mut Sheet, document: &Document) {
    let url = target(document);
    match &document.plan.file {
        None => sheet.line(&url),
        Some(file) => sheet.line(&format!("{url} by {}", quote(file).trim_matches('`'))),
    }
    sheet.indented(0, Tone::Plain, &how(document));
    if let Some(text) = cut_short(document) {
        sheet.indented(0, Tone::Bad, &text);
    }
}

/// What is loaded; the requests of a plan have methods of their own.
pub fn target(document: &Document) -> String {
    let plan = &document.plan;
    match &document.by_name {
        None => format!("{} {}", plan.method, plan.url),
        Some(_) => plan.url.clone(),
    }
}

/// How long, how much, and over what.
pub fn how(document: &Document) -> String {
    let plan = &document.plan;
    let mut parts = vec![load(document)];
    parts.extend(names::model(document));
    parts.push(counted(plan.connections, "connection"));
    if plan.pipeline > 1 {
        parts.push(format!("{} requests in flight on each", plan.pipeline));
    }
    if !plan.keepalive {
        parts.push("one request on each".to_string());
    }
    if plan.body_bytes > 0 && document.by_name.is_none() {
        parts.push(format!("a body of {}", format_bytes(plan.body_bytes as f64)));
    }
    if let Some(deadline) = plan.deadline_s {
        parts.push(format!("dropped when unsent after {}", seconds(deadline)));
    }
    if let Some(most) = plan.max_in_flight {
        parts.push(format!("at most {} in flight", count(most)));
    }
    if let Some(most) = plan.at_most_per_s {
        parts.push(format!("at most {} sent per second", per_second(most)));
    }
    parts.push(counted(plan.threads, "thread"));
    parts.push(format!("{} engine", plan.engine));
    if let Some(warmup) = &document.warmup {
        let until = if warmup.steady == Some(true) { " until steady" } else { "" };
        parts.push(format!("after {} of warm-up{until}", seconds(warmup.duration_s)));
    }
    parts.join(", ")
}

/// How it came to its end before its time; `None`: it did not.
pub fn cut_short(document: &Document) -> Option<String> {
    let length = format!("{}{}", seconds(document.duration_s), of_asked(&document.plan));
    match &document.aborted {
        _ if document.complete => None,
        Some(aborted) => Some(format!("ABORTED after {length}: {}", rules::aborted(aborted))),
        None => Some(format!("INTERRUPTED after {length}")),
    }
}

/// How long and how much.
pub fn load(document: &Document) -> String {
    let plan = &document.plan;
    let measured = seconds(document.duration_s);
    let length = match (plan.requests, plan.duration_s) {
        (Some(requests), _) => format!("{} in {measured}", counted(requests, "request")),
        // Made longer or shorter by hand while it went on, or over before.
        (None, Some(asked))
            if document.complete
                && document.duration_s > 0.0
                && (document.duration_s - asked).abs() > 0.5 =>
        {
            format!("{measured} (of {} asked for)", seconds(asked))
        }
        (None, Some(asked)) => seconds(asked),
        (None, None) => measured,
    };
    let Some(rps) = plan.rps else {
        return match shape(document) {
            Some(shape) => format!("{length}, {shape}, closed loop"),
            None => format!("{length}, closed loop"),
        };
    };
    let sessions = if plan.model.as_deref() == Some(SESSIONS) { " sessions" } else { "" };
    let rate = shape(document).unwrap_or_else(|| format!("at {}{sessions}/s", per_second(rps)));
    let seed = plan.seed.filter(|_| plan.arrivals.as_deref() == Some("poisson"));
    let law = match (plan.burst, seed) {
        (Some(size), _) => format!(" in bursts of {}", count(size)),
        (_, Some(seed)) => format!(", Poisson arrivals of seed {seed}"),
        _ => String::new(),
    };
    format!("{length} {rate}{law} (open loop)")
}

/// From where to where, of a load that changes.
fn shape(document: &Document) -> Option<String> {
    let unit = if document.is_open_loop() { "/s" } else { " connections" };
    let level = |level: f64| format!("{}{unit}", per_second(level));
    match &document.stages[..] {
        [] => None,
        [only] => Some(format!("from {} to {}", level(only.from), level(only.to))),
        [first, .., last] => {
            let highest = document.stages.iter().map(|s| s.from.max(s.to)).fold(0.0, f64::max);
            Some(format!(
                "in {} stages from {} to {}, at most {}",
                document.stages.len(),
                level(first.from),
                level(last.to),
                level(highest)
            ))
        }
    }
}

fn of_asked(plan: &super::super::document::PlanEcho) -> String {
    plan.duration_s.map(|asked| format!(" of {}", seconds(asked))).unwrap_or_default()
}

fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", count(number))
}

pub fn verdict(sheet: &mut Sheet, document: &Document) {
    sheet.gap();
    let (tone, limit) = limit(document);
    let heading = sheet.paint(tone, &format!("Verdict: {limit}"));
    sheet.line(&heading);
    if !document.audit.ok {
        sheet.indented(2, Tone::Bad, "THE AUDIT FAILED: do not trust these figures, see below");
    }
    sheet.indented(2, Tone::Plain, &document.verdict.why);
    for (label, text) in behind(document) {
        sheet.hanging(&format!("  {label}: "), 11, Tone::Plain, &text);
    }
    if let Some(text) = head_room::of_run(document) {
        sheet.indented(2, Tone::Plain, &text);
    }
    if let Some(change) = change(document) {
        sheet.hanging("  change:  ", 11, Tone::Plain, change);
    }
}

/// What to change, where something was the limit. (Documents of earlier builds do not say it.)
pub fn change(document: &Document) -> Option<&str> {
    let verdict = &document.verdict;
    Some(verdict.change.as_str()).filter(|text| verdict.limit != "none" && !text.is_empty())
}

/// Who was the limit, as a heading says it.
pub fn limit_in_words(document: &Document) -> &'static str {
    limit(document).1
}

/// The limit in plain words.
pub fn limit(document: &Document) -> (Tone, &'static str) {
    let limit = document.verdict.limit.as_str();
    let of_target = matches!(limit, "server" | "network" | "none");
    match limit {
        _ if of_target && document.requests.good == 0 => (Tone::Bad, nothing_good(document)),
        "none" => (Tone::Good, "no limit was reached"),
        "server" => (Tone::Doubtful, "the server was the limit"),
        "connections" => (Tone::Doubtful, "too few connections for this rate"),
        "network" => (Tone::Bad, "the network was the limit"),
        "client_cpu" => (Tone::Bad, "blast was the limit: this is no measurement of the server"),
        "ports" => (Tone::Bad, "this host ran out of ports: no measurement of the server"),
        "descriptors" => (Tone::Bad, "blast ran out of descriptors: no measurement of the server"),
        _ => (Tone::Doubtful, "see below"),
    }
}

/// How a run came to no good answer at all.
fn nothing_good(document: &Document) -> &'static str {
    let connections = &document.connections;
    if !document.complete && document.duration_s == 0.0 {
        "nothing was measured"
    } else if connections.opened == 0 && !connections.failures.is_empty() {
        "no connection could be opened"
    } else if document.requests.sent == 0 {
        "no request was sent"
    } else {
        "there was no good answer"
    }
}

/// The schedule was not kept, and blast was not the cause.
fn is_behind(document: &Document) -> bool {
    let unkept = document.rate.efficiency.is_some_and(|efficiency| efficiency < HELD);
    unkept && matches!(document.verdict.limit.as_str(), "server" | "connections")
}

/// By how much, each with what it is called.
pub fn behind(document: &Document) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if !is_behind(document) {
        return lines;
    }
    let rate = &document.rate;
    let growth = rate.offered_per_s - rate.sent_per_s;
    if growth >= 1.0 {
        let unsent = (growth * document.duration_s).round() as u64;
        let mut text = format!(
            "grew by {} requests a second, to {} due but unsent at the end",
            per_second(growth),
            count(unsent)
        );
        if document.requests.dropped > 0 {
            text += &format!(
                "; {} were dropped, unsent{} ({} of all that were due)",
                count(document.requests.dropped),
                when_dropped(document),
                percent(document.requests.dropped as f64 / document.requests.scheduled as f64)
            );
        }
        lines.push(("backlog", text));
    }
    let (response, service) = (&document.latency.response, &document.latency.service);
    if let (Some(waited), Some(served)) = (response.p50_us, service.p50_us) {
        let text = format!(
            "half of the users waited {} or more; the server took {} of that (p50 from sent)",
            micros(waited),
            micros(served)
        );
        lines.push(("waiting", text));
    }
    lines
}

/// An interrupted run cuts its drain short; a deadline or a limit drops before it.
fn when_dropped(document: &Document) -> String {
    let only_drain = document.drops.keys().all(|reason| reason == Drop::Unsent.name());
    match document.complete {
        _ if !only_drain => String::new(),
        true => format!(" when the drain of {} ended", seconds(document.plan.drain_s)),
        false => " when the drain ended".to_string(),
    }
}
