//! The answers by one of their headers.

use maud::{Markup, html};

use super::figure::{self, *};
use crate::report::Document;
use crate::report::console::shares_by_group;
use crate::report::document::{Group, Groups};

pub fn groups(document: &Document) -> Markup {
    let Some(groups) = &document.groups else { return html! {} };
    html! {
        section {
            h2 { "By " (groups.by.trim_start_matches("header:")) }
            div.scroll { table {
                thead { tr {
                    th { "value" } th.n { "answers" } th.n { "share" } th.n { "no good" } th.n { "errors" }
                    th.n { "p50" } th.n { "p95" } th.n { "p99" } th.n { "max" } th.n { "service p95" }
                    th.n { "connections" }
                } }
                tbody { @for (place, row) in groups.rows.iter().enumerate() { (group(place, row)) } }
            } }
            (verdict(groups))
            p.aside {
                "Connections: those that had answers of this group alone; "
                (figure::count("/groups/strayed_connections", groups.strayed_connections))
                " had answers of several. "
                @if groups.unanswered > 0 {
                    (figure::count("/groups/unanswered", groups.unanswered))
                    " requests had no answer, so no header: they are in no group."
                }
            }
        }
    }
}

fn verdict(groups: &Groups) -> Markup {
    html! { p.bad[groups.even == Some(false)] { (shares_by_group(groups)) } }
}

fn group(place: usize, row: &Group) -> Markup {
    let at = |field: &str| format!("/groups/rows/{place}/{field}");
    let (response, service) = (&row.latency.response, &row.latency.service);
    html! { tr {
        th { (row.shown()) }
        td.n { (figure::count(&at("completed"), row.completed)) }
        td.n { (figure::share(&at("share"), row.share)) }
        td.n { (figure::count(&at("rejected"), row.rejected)) }
        td.n { (figure::share(&at("error_share"), row.error_share)) }
        @for column in [P50, P95, P99, MAX] {
            td.n { (of_latency(&at("latency/response"), response, &column)) }
        }
        td.n { (of_latency(&at("latency/service"), service, &P95)) }
        td.n { (figure::count(&at("connections"), row.connections)) }
    } }
}
