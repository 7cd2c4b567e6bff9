//! The slowest requests: a row each, the first ten open.

use maud::{Markup, html};

use super::figure;
use crate::report::Document;
use crate::report::console::slowest::outcome;
use crate::report::document::Slow;
use crate::report::number::micros;

/// Rows that are seen at once.
const OPEN: usize = 10;

pub fn slowest(document: &Document) -> Markup {
    let all = &document.slowest;
    html! {
        @if !all.is_empty() {
            section {
                h2 { "The slowest requests" }
                (table(document, 0..all.len().min(OPEN)))
                @if all.len() > OPEN {
                    details {
                        summary { "The next " (all.len() - OPEN) }
                        (table(document, OPEN..all.len()))
                    }
                }
                p.aside {
                    "Due: seconds from the start of warm-up. Waited: from due to sent. First byte and "
                    "response: from due. Before: requests that the connection carried earlier. "
                    "Round trip and retransmits are the kernel's (TCP_INFO), as is the port; it is "
                    "asked at most 100 times a second, and a dash says that it was not."
                }
            }
        }
    }
}

fn table(document: &Document, places: std::ops::Range<usize>) -> Markup {
    let rows = &document.slowest[places.clone()];
    let has_names = document.slowest.iter().any(|slow| slow.name.is_some());
    let has_ids = document.slowest.iter().any(|slow| slow.request_id.is_some());
    html! {
        div.scroll { table {
            thead { tr {
                @if has_names { th { "request" } }
                th { "outcome" } th.n { "response" } th.n { "due" } th.n { "waited" }
                th.n { "first byte" } th.n { "connection" } th.n { "open for" } th.n { "before" }
                th.n { "port" } th.n { "round trip" } th.n { "retransmits" }
                @if has_ids { th { "id" } }
                th { "first bytes" }
            } }
            tbody {
                @for (place, slow) in places.zip(rows) {
                    (row(&format!("/slowest/{place}"), slow, has_names, has_ids))
                }
            }
        } }
    }
}

fn row(at: &str, slow: &Slow, has_names: bool, has_ids: bool) -> Markup {
    let at = |field: &str| format!("{at}/{field}");
    let since_due = |instant: f64| micros(((instant - slow.intended_s) * 1e6).max(0.0));
    html! { tr {
        @if has_names { th { (slow.name.as_deref().unwrap_or("-")) } }
        td { (outcome(slow)) }
        td.n { (figure::time(&at("response_us"), Some(slow.response_us))) }
        td.n { (figure::seconds(&at("intended_s"), slow.intended_s)) }
        td.n { (since_due(slow.sent_s)) }
        td.n { @match slow.first_byte_s {
            Some(first) => (since_due(first)),
            None => "-",
        } }
        td.n { (figure::count(&at("connection"), slow.connection)) }
        td.n { (figure::seconds(&at("connection_age_s"), slow.connection_age_s)) }
        td.n { (figure::count(&at("requests_before"), slow.requests_before)) }
        td.n { @match slow.local_port { Some(port) => (port), None => "-" } }
        td.n { (figure::time(&at("rtt_us"), slow.rtt_us)) }
        td.n { @match slow.retransmits {
            Some(count) => (figure::count(&at("retransmits"), count.into())),
            None => "-",
        } }
        @if has_ids { td { code { (slow.request_id.as_deref().unwrap_or("-")) } } }
        td { @if let Some(received) = &slow.received { code { (received) } } @else { "-" } }
    } }
}
