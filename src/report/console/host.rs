//! The foot of the page: connections, what the load cost this host, the audit, the warnings.

use super::super::Document;
use super::super::document::{Check, Dns, PlanEcho, Tls, Worker};
use super::super::number::{count, micros};
use super::errors;
use super::text::{LABEL, Sheet, Tone};
use crate::failure::Kind;
use crate::metrics::signs::CODES;
use crate::units::{format_bytes, format_count};

/// Workers and addresses that are named one by one; more are summed up.
const NAMED: usize = 4;

pub fn connections(sheet: &mut Sheet, document: &Document) {
    let connections = &document.connections;
    let (asked, again) = (connections.asked, connections.reopened);
    let at_first = connections.opened.saturating_sub(again);
    let mut text = match at_first {
        0 => format!("none of {} opened", count(asked)),
        _ if at_first < asked => format!("{} of {} opened", count(at_first), count(asked)),
        _ => format!("{} opened in {}", count(at_first), micros(connections.open_s * 1e6)),
    };
    if at_first > 0 {
        text += &format!(", {} reopened", count(again));
    }
    let connect = &document.latency.connect;
    if let (Some(median), Some(max)) = (connect.p50_us, connect.max_us) {
        text += &format!("; connect p50 {} max {}", micros(median), micros(max));
    }
    sheet.labelled("connections", Tone::Plain, &text);
    for kind in Kind::ALL {
        if let Some(times) = connections.failures.get(kind.name()) {
            sheet.indented(LABEL, Tone::Bad, &errors::hinted(*kind, *times));
        }
    }
    addresses(sheet, &document.plan);
    if let Some(Dns { refreshes, changes, failed }) = &connections.dns {
        let text = format!(
            "the name was looked up again {} times: {} changes, {} failures",
            count(*refreshes),
            count(*changes),
            count(*failed)
        );
        sheet.indented(LABEL, Tone::Plain, &text);
    }
    if let Some(tls) = &document.tls {
        secured(sheet, tls);
    }
}

/// `TLSv1.3, TLS_AES_128_GCM_SHA256, x25519; 64 full handshakes p50 1.2 ms max 9 ms`.
fn secured(sheet: &mut Sheet, tls: &Tls) {
    let agreed = [&tls.version, &tls.cipher, &tls.group, &tls.protocol];
    let mut text = agreed.into_iter().flatten().cloned().collect::<Vec<_>>().join(", ");
    if tls.path == "kernel" {
        text += ", encrypted by the kernel";
    }
    for (what, times) in [("full", &tls.full_handshake), ("resumed", &tls.resumed_handshake)] {
        if let (Some(mean), Some(max)) = (times.p50_us.or(times.mean_us), times.max_us) {
            let mean =
                format!("{} {}", if times.p50_us.is_some() { "p50" } else { "mean" }, micros(mean));
            let plural = if times.count == 1 { "" } else { "s" };
            text += &format!(
                "; {} {what} handshake{plural} {mean} max {}",
                count(times.count),
                micros(max)
            );
        }
    }
    if tls.closed_without_notify > 0 {
        text += &format!("; {} closed without a close_notify", count(tls.closed_without_notify));
    }
    if !text.is_empty() {
        sheet.labelled("TLS", Tone::Plain, text.trim_start_matches("; "));
    }
    if let Some(certificate) = &tls.certificate {
        let names = certificate.names[..certificate.names.len().min(NAMED)].join(", ");
        let names = if names.is_empty() { certificate.subject.clone() } else { names };
        let verified = if tls.verified { "" } else { ", NOT VERIFIED" };
        let until = certificate.not_after.split('T').next().unwrap_or_default();
        let text = format!("certificate for {names}, {}, until {until}{verified}", certificate.key);
        sheet.indented(LABEL, Tone::Plain, &text);
    }
}

/// Those of the target, where the URL does not say them.
fn addresses(sheet: &mut Sheet, plan: &PlanEcho) {
    let addresses = &plan.addresses;
    let redirected = plan.unix_socket.is_some() || plan.resolve.len() + plan.connect_to.len() > 0;
    match addresses.as_slice() {
        [one] if redirected => {
            return sheet.indented(LABEL, Tone::Plain, &format!("all to {one}"));
        }
        [] | [_] => return,
        _ => {}
    }
    let mut text = format!("spread over {}", addresses[..addresses.len().min(NAMED)].join(", "));
    if let Some(more @ 1..) = addresses.len().checked_sub(NAMED) {
        text += &format!(" and {more} more");
    }
    sheet.indented(LABEL, Tone::Plain, &text);
}

pub fn client(sheet: &mut Sheet, document: &Document) {
    let client = &document.client;
    let mut parts = Vec::new();
    if !client.workers.is_empty() {
        parts.push(busy(&client.workers));
    }
    if let Some(us) = client.cpu_us_per_request {
        parts.push(format!("{} us CPU a request{}", format_count(us), spinning(document)));
    }
    if client.max_rss_bytes > 0 {
        parts.push(format!("{} RSS", format_bytes(client.max_rss_bytes as f64)));
    }
    if !parts.is_empty() {
        sheet.labelled("client", Tone::Plain, &parts.join("; "));
    }
}

fn busy(workers: &[Worker]) -> String {
    let share = |worker: &Worker| format!("{:.0} %", worker.busy * 100.0);
    let place = |worker: &Worker| match worker.cpu {
        Some(core) => format!("core {core} busy {}", share(worker)),
        None => format!("worker busy {}", share(worker)),
    };
    if workers.len() <= NAMED {
        return workers.iter().map(place).collect::<Vec<_>>().join(", ");
    }
    let by_share = |a: &&Worker, b: &&Worker| a.busy.total_cmp(&b.busy);
    let (least, most) = (workers.iter().min_by(by_share), workers.iter().max_by(by_share));
    let least = least.map(share).unwrap_or_default();
    let most = most.map(place).unwrap_or_default();
    format!("{} workers busy {least} or more; {most}", workers.len())
}

/// How much of the processor time only waited for the next due time.
fn spinning(document: &Document) -> String {
    let client = &document.client;
    let spun: f64 = client.workers.iter().map(|worker| worker.spin_s).sum();
    if spun <= 0.0 || client.cpu_s <= 0.0 {
        return String::new();
    }
    format!(" ({:.0} % spin)", spun / client.cpu_s * 100.0)
}

pub fn audit(sheet: &mut Sheet, document: &Document) {
    let checks = &document.audit.checks;
    if document.audit.ok {
        let text = format!("ok ({} checks)", checks.len());
        return sheet.labelled("audit", Tone::Plain, &text);
    }
    let failed: Vec<&Check> = checks.iter().filter(|check| !check.ok).collect();
    let text = format!(
        "FAILED, {} of {} checks; please report it as a bug of blast",
        failed.len(),
        checks.len()
    );
    sheet.labelled("audit", Tone::Bad, &text);
    for Check { name, left, right, .. } in failed {
        let text = format!("{name}: {} is not {}", count(*left), count(*right));
        sheet.indented(LABEL, Tone::Plain, &text);
    }
}

/// The signs that the page has room for; the document has all of them.
const SIGNS: usize = 5;

pub fn warnings(sheet: &mut Sheet, document: &Document) {
    let mut signs = 0;
    for warning in &document.warnings {
        signs += usize::from(CODES.contains(&warning.code.as_str()));
        if signs > SIGNS && CODES.contains(&warning.code.as_str()) {
            continue;
        }
        sheet.labelled("warning", Tone::Doubtful, &warning.text);
        sheet.indented(LABEL, Tone::Plain, &warning.hint);
    }
    if let Some(more @ 1..) = signs.checked_sub(SIGNS) {
        let text = format!("and {more} more signs: -o report.html and --json have all of them");
        sheet.indented(LABEL, Tone::Plain, &text);
    }
}
