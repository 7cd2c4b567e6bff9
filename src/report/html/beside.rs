//! The server and this host, as they were read beside the load.

use maud::{Markup, html};

use super::figure;
use crate::report::Document;
use crate::report::document::{Gauge, Server};
use crate::units::{format_bytes, format_count};

/// Who was watched, and what a request cost it.
pub fn server(document: &Document) -> Markup {
    html! {
        @if let Some(server) = &document.server {
            section {
                h2 { "The server: " (server.name) }
                p {
                    "Process " (figure::exactly("/server/pid", server.pid.into(), &server.pid.to_string()))
                    @if server.processes > 1 {
                        " and its own, " (figure::count("/server/processes", server.processes)) " in all"
                    }
                    ", which runs on this host too. " (cost(server)) (memory(server))
                }
                (gauges(document, &["server.", "pool"]))
            }
        }
    }
}

fn cost(server: &Server) -> Markup {
    html! {
        @if let Some(cpu) = server.cpu_s {
            "It took " (figure::seconds("/server/cpu_s", cpu)) " of processor time"
            @if let Some(us) = server.cpu_us_per_request {
                ", " (figure::plain("/server/cpu_us_per_request", us)) " us a request"
            }
            ". "
        }
    }
}

fn memory(server: &Server) -> Markup {
    html! {
        @if let (Some(first), Some(last)) = (server.rss_first_bytes, server.rss_last_bytes) {
            "Its memory was " (figure::bytes("/server/rss_first_bytes", first as f64)) " at first and "
            (figure::bytes("/server/rss_last_bytes", last as f64)) " at last."
        }
    }
}

pub fn host(document: &Document) -> Markup {
    let table = gauges(document, &["host."]);
    html! {
        @if !table.0.is_empty() {
            section {
                h2 { "This host beside the load" }
                (table)
                p.aside {
                    "Of all processors together; the network with loopback. Read once a second, over \
                     the measured time."
                }
            }
        }
    }
}

/// A row a gauge whose name begins so; nothing where none was read.
fn gauges(document: &Document, names: &[&str]) -> Markup {
    let series = document.gauges.iter().flat_map(|gauges| gauges.series.iter().enumerate());
    let wanted = |gauge: &Gauge| names.iter().any(|name| gauge.name.starts_with(name));
    let rows: Vec<_> = series.filter(|(_, gauge)| wanted(gauge) && gauge.mean.is_some()).collect();
    html! {
        @if !rows.is_empty() {
            div.scroll { table {
                thead { tr { th {} th.n { "min" } th.n { "mean" } th.n { "max" } th.n { "last" } } }
                tbody { @for (place, gauge) in rows { tr {
                    th { (gauge.name) " " span.aside { (unit(gauge)) } }
                    @for (key, value) in [("min", gauge.min), ("mean", gauge.mean),
                        ("max", gauge.max), ("last", gauge.last)] {
                        td.n { @if let Some(value) = value {
                            (figure::exactly(&format!("/gauges/series/{place}/{key}"), value,
                                &shown(gauge, value)))
                        } }
                    }
                } } }
            } }
        }
    }
}

fn unit(gauge: &Gauge) -> &'static str {
    match gauge.unit.as_str() {
        "percent" => "%",
        "bytes_per_s" | "per_s" => "a second",
        _ => "",
    }
}

fn shown(gauge: &Gauge, value: f64) -> String {
    match gauge.unit.as_str() {
        "bytes" | "bytes_per_s" => format_bytes(value),
        _ => format_count(value),
    }
}
