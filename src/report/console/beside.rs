//! What was read beside the load, on average over measure: the server, where it was watched, and
//! this host.

use super::super::Document;
use super::super::document::Server;
use super::super::number::count;
use super::text::{Sheet, Tone};
use crate::units::{format_bytes, format_count};

/// `nginx (pid 4711): 62 % of a core, its busiest thread 58 %; 11.4 us CPU a request; ...`.
pub fn server(sheet: &mut Sheet, document: &Document) {
    let Some(server) = &document.server else { return };
    let parts: Vec<String> = server_parts(document, server).into_iter().flatten().collect();
    let read = if parts.is_empty() { "nothing was read".to_string() } else { parts.join("; ") };
    sheet.labelled("server", Tone::Plain, &format!("{}: {read}", who(server)));
}

fn who(server: &Server) -> String {
    match server.processes {
        0 | 1 => format!("{} (pid {})", server.name, server.pid),
        many => format!("{} (pid {}, {} processes)", server.name, server.pid, count(many)),
    }
}

fn server_parts(document: &Document, server: &Server) -> [Option<String>; 5] {
    let busiest = mean(document, "server.core_max");
    let busiest = busiest.map(|share| format!(", its busiest thread {share:.0} %"));
    let cpu = mean(document, "server.cpu")
        .map(|share| format!("CPU {share:.0} % of one core{}", busiest.unwrap_or_default()));
    let cost = server.cpu_us_per_request;
    let rss = server.rss_last_bytes.map(|bytes| format!("{} RSS", format_bytes(bytes as f64)));
    let last = |name: &str| document.gauges.as_ref()?.gauge(name)?.last;
    let held = |name: &str, what: &str| Some(format!("{} {what}", format_count(last(name)?)));
    [
        cpu,
        cost.map(|us| format!("{} us CPU a request", format_count(us))),
        rss,
        held("server.connections", "connections"),
        held("pool", "in its pool"),
    ]
}

/// `CPU 62 % (user 40, system 20, steal 2), memory 40 %, network 75 MB/s in, 74 MB/s out`.
pub fn host(sheet: &mut Sheet, document: &Document) {
    let of = |name: &str| mean(document, &format!("host.{name}"));
    let mut parts = Vec::new();
    if let Some(cpu) = of("cpu") {
        let kinds = ["user", "system", "iowait", "steal"].map(|kind| {
            let share = of(&format!("cpu_{kind}")).filter(|share| share.round() > 0.0);
            share.map(|share| format!("{kind} {share:.0}"))
        });
        let kinds: Vec<String> = kinds.into_iter().flatten().collect();
        let kinds =
            if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        parts.push(format!("CPU {cpu:.0} %{kinds}"));
    }
    parts.extend(of("memory").map(|share| format!("memory {share:.0} %")));
    if let (Some(received), Some(sent)) = (of("net_received"), of("net_sent")) {
        let (received, sent) = (format_bytes(received), format_bytes(sent));
        parts.push(format!("network {received}/s in, {sent}/s out"));
    }
    for (name, what) in [("retransmits", "retransmits/s"), ("listen_drops", "listen drops/s")] {
        let some = of(name).filter(|rate| *rate > 0.0);
        parts.extend(some.map(|rate| format!("{} {what}", format_count(rate))));
    }
    if !parts.is_empty() {
        sheet.labelled("host", Tone::Plain, &parts.join("; "));
    }
}

fn mean(document: &Document, name: &str) -> Option<f64> {
    document.gauges.as_ref()?.gauge(name)?.mean
}
