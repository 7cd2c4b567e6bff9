//! What was read beside the load: its charts, what somebody's own readings came to, and the log.

use maud::{Markup, html};

use super::figure;
use crate::report::Document;
use crate::report::chart;
use crate::report::document::{Gauge, WatchedLog};
use crate::report::reading::shown;

pub fn readings(document: &Document) -> Markup {
    let charts = chart::beside(document);
    let table = own(document);
    html! {
        @if !charts.is_empty() || !table.0.is_empty() || document.watched_log.is_some() {
            section {
                h2 { "Beside the load" }
                div.charts { @for chart in &charts {
                    figure {
                        h3 { (chart.title) }
                        (chart.svg())
                        figcaption { (chart.note) }
                    }
                } }
                (table)
                @if let Some(watched) = &document.watched_log { (log(watched)) }
            }
        }
    }
}

/// Of commands, pages and the log; the server's and the host's have tables of their own.
fn own(document: &Document) -> Markup {
    const FAMILIES: [&str; 3] = ["sample.", "scrape.", "log."];
    let series = document.gauges.iter().flat_map(|gauges| gauges.series.iter().enumerate());
    let is_own = |gauge: &Gauge| FAMILIES.iter().any(|family| gauge.name.starts_with(family));
    let rows: Vec<_> = series.filter(|(_, gauge)| is_own(gauge)).collect();
    html! {
        @if !rows.is_empty() {
            div.scroll { table {
                thead { tr { th { "reading" } th.n { "min" } th.n { "mean" } th.n { "max" } th.n { "last" } } }
                tbody { @for (place, gauge) in rows { tr {
                    th { (gauge.name) }
                    @for (key, value) in [("min", gauge.min), ("mean", gauge.mean),
                        ("max", gauge.max), ("last", gauge.last)] {
                        td.n { @match value {
                            Some(value) => (figure::exactly(
                                &format!("/gauges/series/{place}/{key}"), value, &shown(value, &gauge.unit)
                            )),
                            None => "-",
                        } }
                    }
                } } }
            } }
            p.aside { "Over the measured time. A dash: it was never read in it." }
        }
    }
}

fn log(log: &WatchedLog) -> Markup {
    html! {
        h3 { "The log " code { (log.file) } }
        p {
            (figure::count("/watched_log/lines", log.lines)) " lines"
            @if let Some(regex) = &log.regex { " that match " code { (regex) } }
            " were written during the run."
        }
        @if !log.first.is_empty() {
            details open {
                summary { "The first of them (" (log.first.len()) ")" }
                div.scroll { table { tbody { @for (place, line) in log.first.iter().enumerate() { tr {
                    td.n { (figure::seconds(&format!("/watched_log/first/{place}/t_s"), line.t_s)) }
                    td { code { (line.line) } }
                } } } } }
            }
        }
    }
}
