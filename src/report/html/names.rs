//! The results by name: the table that people know from Locust, the checks, the sessions.

use maud::{Markup, html};

use super::figure::{self, *};
use crate::report::Document;
use crate::report::document::{ByName, Latency, Named, Requests, Sessions};

pub fn names(document: &Document) -> Markup {
    let Some(by_name) = &document.by_name else { return html! {} };
    html! {
        section {
            h2 { "By name" }
            div.scroll { table {
                thead { tr {
                    th { "request" } th.n { "requests" } th.n { "errors" } th.n { "p50" }
                    th.n { "mean" } th.n { "p95" } th.n { "p99" } th.n { "max" } th.n { "good/s" }
                    th.n { "asked" } th.n { "sent" }
                } }
                tbody {
                    @for (place, row) in by_name.names.iter().enumerate() { (name(place, row)) }
                    tr.total {
                        th { "Aggregated" }
                        (figures("", &document.requests, &document.latency.response))
                        td.n { (figure::per_second("/rate/good_per_s", document.rate.good_per_s)) }
                        td {} td {}
                    }
                }
            } }
            p.aside {
                "Asked: the share that the weights ask for; sent: the share that was sent. "
                @if by_name.aside.requests.scheduled > 0 {
                    "Setup and teardown are in no figure but their own: Aggregated is without them."
                }
            }
            (checks(by_name))
            @if let Some(of) = &by_name.sessions { (sessions(of)) }
        }
    }
}

fn name(place: usize, row: &Named) -> Markup {
    let at = |field: &str| format!("/names/{place}/{field}");
    let share = |field: &str, value: Option<f64>| match value {
        Some(value) => figure::share(&at(field), value),
        None => html! { "-" },
    };
    html! { tr {
        th {
            @if !row.name.starts_with(row.method.as_str()) { (row.method) " " }
            (row.name)
            @if row.part != "main" { " " span.tag { (row.part) } }
        }
        (figures(&format!("/names/{place}"), &row.requests, &row.latency.response))
        td.n { (figure::per_second(&at("rate/good_per_s"), row.rate.good_per_s)) }
        td.n { (share("share_asked", row.share_asked)) }
        td.n { (share("share_sent", row.share_sent)) }
    } }
}

fn figures(at: &str, requests: &Requests, response: &Latency) -> Markup {
    let row = format!("{at}/latency/response");
    html! {
        td.n { (figure::count(&format!("{at}/requests/scheduled"), requests.scheduled)) }
        td.n { (figure::share(&format!("{at}/requests/error_share"), requests.error_share)) }
        @for column in [P50, MEAN, P95, P99, MAX] { td.n { (of_latency(&row, response, &column)) } }
    }
}

fn checks(by_name: &ByName) -> Markup {
    html! {
        @if !by_name.checks.is_empty() {
            h3 { "Checks" }
            div.scroll { table {
                thead { tr { th {} th { "check" } th.n { "passed" } th.n { "failed" } } }
                tbody { @for (place, check) in by_name.checks.iter().enumerate() { tr {
                    @if check.failed == 0 { td.good { "✓" } } @else { td.bad { "✗" } }
                    th { (check.name) }
                    td.n { (figure::count(&format!("/checks/{place}/passed"), check.passed)) }
                    td.n { (figure::count(&format!("/checks/{place}/failed"), check.failed)) }
                } } }
            } }
        }
    }
}

fn sessions(sessions: &Sessions) -> Markup {
    let length = |column| of_latency("/sessions/length", &sessions.length, column);
    html! {
        h3 { "Sessions" }
        p {
            (figure::count("/sessions/started", sessions.started)) " started: "
            (figure::count("/sessions/completed", sessions.completed)) " completed, "
            (figure::count("/sessions/failed", sessions.failed)) " failed, "
            (figure::count("/sessions/cut", sessions.cut)) " cut by the end of the run. Length: p50 "
            (length(&P50)) ", p95 " (length(&P95)) ", max " (length(&MAX)) "."
        }
    }
}
