//! How many: the headline, the rates, the stages, the connections, and what the load cost.

use maud::{Markup, html};

use super::figure::{self, P50, P95, P99, P99_9, of_latency};
use crate::failure::Kind;
use crate::report::Document;
use crate::report::document::Stage;

/// The figures that are asked for first.
pub fn headline(document: &Document) -> Markup {
    let (rate, requests) = (&document.rate, &document.requests);
    let response = &document.latency.response;
    let open_loop = document.is_open_loop();
    let whose = if open_loop { "response" } else { "service" };
    let of_response = |column| of_latency("/latency/response", response, column);
    html! {
        section.tiles {
            (tile("good answers", html! { (figure::per_second("/rate/good_per_s", rate.good_per_s)) "/s" },
                match rate.target_per_s {
                    Some(target) => html! { "of " (figure::per_second("/rate/target_per_s", target)) "/s asked" },
                    None => html! { "closed loop" },
                }))
            (tile("success", figure::share("/requests/success_share", requests.success_share),
                html! { (figure::count("/requests/good", requests.good)) " of "
                    (figure::count("/requests/scheduled", requests.scheduled)) }))
            @if let Some(efficiency) = rate.efficiency {
                (tile("on schedule", figure::share("/rate/efficiency", efficiency),
                    html! { "sent within 10 ms of due" }))
            }
            (tile(&format!("{whose} p50"), of_response(&P50), html! { "half were faster" }))
            (tile(&format!("{whose} p95"), of_response(&P95), html! { "1 in 20 was slower" }))
            (tile(&format!("{whose} p99"), of_response(&P99), html! { "1 in 100 was slower" }))
            (tile(&format!("{whose} p99.9"), of_response(&P99_9), html! { "1 in 1,000 was slower" }))
            (tile("errors", figure::share("/requests/error_share", requests.error_share),
                html! { "of the requests" }))
        }
    }
}

fn tile(name: &str, figure: Markup, note: Markup) -> Markup {
    html! { div.tile { p.name { (name) } p.figure { (figure) } p.note { (note) } } }
}

pub fn rates(document: &Document) -> Markup {
    let (rate, requests) = (&document.rate, &document.requests);
    let columns = [
        ("offered", "offered_per_s", rate.offered_per_s, "scheduled", requests.scheduled),
        ("sent", "sent_per_s", rate.sent_per_s, "sent", requests.sent),
        ("completed", "completed_per_s", rate.completed_per_s, "completed", requests.completed),
        ("good", "good_per_s", rate.good_per_s, "good", requests.good),
    ];
    let columns = if document.is_open_loop() { &columns[..] } else { &columns[1..] };
    html! {
        section {
            h2 { "Requests" }
            div.scroll { table {
                thead { tr { th {} @for (name, ..) in columns { th.n { (name) } } } }
                tbody {
                    tr { th { "per second" } @for (_, key, value, ..) in columns {
                        td.n { (figure::per_second(&format!("/rate/{key}"), *value)) }
                    } }
                    tr { th { "requests" } @for (.., key, value) in columns {
                        td.n { (figure::count(&format!("/requests/{key}"), *value)) }
                    } }
                }
            } }
            p.aside {
                "Per second: what happened within the measured time. Requests: all that were due in \
                 it, whenever they were answered. "
                @if document.has_seconds() {
                    "Best second: "
                    (figure::per_second("/rate/peak_1s_per_s", rate.peak_1s_per_s))
                    " good answers. "
                }
                "Received: "
                (figure::bytes("/bytes/received_per_s", document.bytes.received_per_s))
                " a second, "
                (figure::bytes("/bytes/received", document.bytes.received as f64)) " in all."
            }
        }
    }
}

pub fn stages(document: &Document) -> Markup {
    let open_loop = document.is_open_loop();
    html! {
        @if !document.stages.is_empty() {
            section {
                h2 { "By stage" }
                div.scroll { table {
                    thead { tr {
                        th { "stage" } th.n { "time" } th.n { "from" } th.n { "to" }
                        @if open_loop { th.n { "offered/s" } }
                        th.n { "good/s" } th.n { "errors" } th.n { "p50" } th.n { "p95" } th.n { "p99" }
                        @if open_loop { th.n { "on schedule" } }
                    } }
                    tbody { @for (place, stage) in document.stages.iter().enumerate() {
                        (row(place, stage, open_loop))
                    } }
                } }
                @if !document.edits.is_empty() {
                    p { "Changed while it ran: "
                        @for (place, edit) in document.edits.iter().enumerate() {
                            @if place > 0 { "; " }
                            (edit.sentence())
                        }
                        "." }
                }
                p.aside {
                    "A stage's errors and latencies are of the requests that were due in it. Levels \
                     are " @if open_loop { "requests a second." } @else { "connections." }
                }
            }
        }
    }
}

fn row(place: usize, stage: &Stage, open_loop: bool) -> Markup {
    let at = |field: &str| format!("/stages/{place}/{field}");
    let response = at("latency/response");
    let of_response = |column| of_latency(&response, &stage.latency.response, column);
    html! { tr {
        th { (stage.stage + 1) }
        td.n { (figure::seconds(&at("length_s"), stage.length_s)) }
        td.n { (figure::per_second(&at("from"), stage.from)) }
        td.n { (figure::per_second(&at("to"), stage.to)) }
        @if open_loop {
            td.n { (figure::per_second(&at("rate/offered_per_s"), stage.rate.offered_per_s)) }
        }
        td.n { (figure::per_second(&at("rate/good_per_s"), stage.rate.good_per_s)) }
        td.n { (figure::share(&at("requests/error_share"), stage.requests.error_share)) }
        td.n { (of_response(&P50)) } td.n { (of_response(&P95)) } td.n { (of_response(&P99)) }
        @if open_loop { td.n {
            @match stage.rate.efficiency {
                Some(share) => (figure::share(&at("rate/efficiency"), share)),
                None => "-",
            }
        } }
    } }
}

pub fn connections(document: &Document) -> Markup {
    let connections = &document.connections;
    let connect = &document.latency.connect;
    let failed =
        Kind::ALL.iter().filter_map(|kind| Some((kind, *connections.failures.get(kind.name())?)));
    let failed: Vec<_> = failed.collect();
    let at = |field: &str| format!("/connections/{field}");
    html! {
        section {
            h2 { "Connections" }
            dl.facts {
                dt { "asked" } dd { (figure::count(&at("asked"), connections.asked)) }
                dt { "opened" }
                dd {
                    (figure::count(&at("opened"), connections.opened)) ", of these again "
                    (figure::count(&at("reopened"), connections.reopened)) "; at most "
                    (figure::count(&at("open_peak"), connections.open_peak)) " at a time"
                }
                dt { "connect" }
                dd { "p50 " (of_latency("/latency/connect", connect, &P50))
                    ", p99 " (of_latency("/latency/connect", connect, &P99))
                    ", max " (figure::time("/latency/connect/max_us", connect.max_us)) }
                @if connections.reset_idle > 0 {
                    dt { "closed idle" }
                    dd { (figure::count(&at("reset_idle"), connections.reset_idle)) " by the server" }
                }
                @if let Some(tls) = &document.tls {
                    dt { "TLS" }
                    dd {
                        @for agreed in [&tls.version, &tls.cipher, &tls.group, &tls.protocol] {
                            @if let Some(agreed) = agreed { (agreed) " " }
                        }
                        @if !tls.verified { strong { "not verified" } }
                    }
                }
                @for (kind, times) in failed {
                    dt.bad { (kind.name()) }
                    dd { (figure::count(&at(&format!("failures/{}", kind.name())), times))
                        " attempts: " (kind.hint()) }
                }
            }
            @if connections.by_address.len() > 1 {
                div.scroll { table {
                    thead { tr { th { "address" } th.n { "opened" } } }
                    tbody { @for (place, one) in connections.by_address.iter().enumerate() { tr {
                        th { (one.address) }
                        td.n { (figure::count(&at(&format!("by_address/{place}/opened")), one.opened)) }
                    } } }
                } }
            }
        }
    }
}

/// What the load cost this host.
pub fn client(document: &Document) -> Markup {
    let client = &document.client;
    html! {
        section {
            h2 { "This host: blast itself" }
            p {
                "Processor " (figure::seconds("/client/cpu_s", client.cpu_s))
                @if let Some(us) = client.cpu_us_per_request {
                    ", " (figure::plain("/client/cpu_us_per_request", us)) " us a request"
                }
                ". Memory at most "
                (figure::bytes("/client/max_rss_bytes", client.max_rss_bytes as f64)) ", "
                (figure::bytes("/client/memory_per_connection_bytes",
                    client.memory_per_connection_bytes as f64))
                " a connection. A worker over 95 % busy is itself the limit."
            }
            @if !client.workers.is_empty() {
                div.scroll { table {
                    thead { tr {
                        th { "core" } th { "busy" } th.n {} th.n { "processor" } th.n { "spinning" }
                        th.n { "kept from its core" } th.n { "connections" }
                    } }
                    tbody { @for (place, worker) in client.workers.iter().enumerate() { tr {
                        @let at = |field: &str| format!("/client/workers/{place}/{field}");
                        th { @match worker.cpu { Some(core) => (core), None => "any" } }
                        td { meter min="0" max="1" low="0.8" high="0.95" optimum="0"
                            value=(worker.busy) {} }
                        td.n { (figure::share(&at("busy"), worker.busy)) }
                        td.n { (figure::seconds(&at("cpu_s"), worker.cpu_s)) }
                        td.n { (figure::seconds(&at("spin_s"), worker.spin_s)) }
                        td.n { (figure::seconds(&at("starved_s"), worker.starved_s)) }
                        td.n { (figure::count(&at("connections"), worker.connections)) }
                    } } }
                } }
            }
            @if !client.pauses.is_empty() {
                details {
                    summary { "blast did not run, although it had to ("
                        (client.pauses.len()) " times)" }
                    ul { @for (place, pause) in client.pauses.iter().enumerate() {
                        @let at = |field: &str| format!("/client/pauses/{place}/{field}");
                        li { "at " (figure::seconds(&at("at_s"), pause.at_s)) " for "
                            (figure::seconds(&at("length_s"), pause.length_s)) }
                    } }
                }
            }
            @if client.overshoot_us >= 1.0 {
                p.aside { "A blocking wait wakes "
                    (figure::time("/client/overshoot_us", Some(client.overshoot_us)))
                    " late on this host." }
            }
        }
    }
}
