//! What a long run showed of drift: the verdict, the series, and a chart of each with its trend.

use maud::{Markup, html};

use super::figure;
use crate::report::Document;
use crate::report::chart;
use crate::report::document::{Soak, Trend};
use crate::report::drift::{self, amount};

pub fn soak(document: &Document) -> Markup {
    html! {
        @if let Some(soak) = &document.soak {
            section {
                h2 { "Soak: " (drift::verdict(soak)) }
                @for sentence in &soak.sentences { p { (sentence) "." } }
                p.aside {
                    "Judged over " (figure::seconds("/soak/judged_s", soak.judged_s)) " in blocks of "
                    (figure::seconds("/soak/block_s", soak.block_s)) "; the first "
                    (figure::seconds("/soak/settled_s", soak.settled_s)) " of the measured time are left out."
                }
                (table(soak))
                div.charts { @for chart in &chart::trends(document) {
                    figure {
                        h3 { (chart.title) }
                        (chart.svg())
                        figcaption { (chart.note) }
                    }
                } }
            }
        }
    }
}

fn table(soak: &Soak) -> Markup {
    html! {
        @if !soak.trends.is_empty() {
            div.scroll { table {
                thead { tr {
                    th {} th.n { "first" } th.n { "last" } th.n { "an hour" } th.n { "from" } th.n { "to" }
                    th.n { "matters from" } th { "state" }
                } }
                tbody { @for (place, trend) in soak.trends.iter().enumerate() { tr {
                    th { (trend.name) @if trend.unit == "per_h" { " " span.aside { "an hour" } } }
                    @for (key, value) in [
                        ("first", trend.first), ("last", trend.last), ("slope_per_h", trend.slope_per_h),
                        ("slope_per_h_low", trend.slope_per_h_low),
                        ("slope_per_h_high", trend.slope_per_h_high),
                        ("matters_from", trend.matters_from),
                    ] {
                        td.n { (cell(trend, &format!("/soak/trends/{place}/{key}"), value)) }
                    }
                    td { (drift::state(trend)) }
                } } }
            } }
            p.aside {
                "The line through the blocks at its two ends, its slope with the 95 % interval, and from \
                 which growth over the judged time on it matters."
            }
        }
    }
}

fn cell(trend: &Trend, at: &str, value: Option<f64>) -> Markup {
    match value {
        Some(value) => figure::exactly(at, value, &amount(trend, value)),
        None => html! { "-" },
    }
}
