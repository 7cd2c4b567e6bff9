//! How long: response, service and send lag.

use maud::{Markup, html};

use super::figure::{self, *};
use crate::report::Document;
use crate::report::document::Latency;

const COLUMNS: [Column; 9] = [MIN, MEAN, P50, P90, P95, P99, P99_9, P99_99, MAX];

pub fn table(document: &Document) -> Markup {
    let latency = &document.latency;
    let open_loop = document.is_open_loop();
    let rows: Vec<(&str, &str, &Latency)> = match open_loop {
        true => vec![
            ("response", "response", &latency.response),
            ("service", "service", &latency.service),
            ("send lag", "send_lag", &latency.send_lag),
        ],
        // From sent, errors ranked above every good answer: it must not look better for them.
        false => vec![("service time", "response", &latency.response)],
    };
    let as_wrk = latency.as_wrk.as_ref().map(|row| ("as wrk would print it", "as_wrk", row));
    let rows: Vec<_> = rows.into_iter().chain(as_wrk).collect();
    let bounds = rows.iter().any(|(_, _, row)| row.censored > 0);
    html! {
        section {
            h2 { "Latency" }
            div.scroll { table {
                thead { tr { th {} @for column in &COLUMNS { th.n { (column.name) } } th.n { "samples" } } }
                tbody { @for (name, key, row) in &rows {
                    @let at = format!("/latency/{key}");
                    tr {
                        th { (name) }
                        @for column in &COLUMNS { td.n { (of_latency(&at, row, column)) } }
                        td.n { (figure::count(&format!("{at}/count"), row.count)) }
                    }
                } }
            } }
            p.aside {
                @if open_loop {
                    "Response (what a user waits, from when the request was due) = send lag (due to \
                     sent) + service (sent to done). "
                } @else {
                    "Closed loop: nothing is sent before the last answer came, so this is no user's \
                     waiting time; for that, offer a rate with --rps. "
                }
                @if bounds {
                    "≥ means that or more: what was not answered well ranks above every good answer. "
                }
                "A dash: too few samples, five must lie above a quantile."
            }
        }
    }
}
