//! The charts, and the table of intervals that they are drawn from.

use maud::{Markup, html};

use crate::report::Document;
use crate::report::chart;
use crate::report::document::Interval;
use crate::report::number::{count, micros, seconds};

pub fn charts(document: &Document) -> Markup {
    let charts = chart::charts(document);
    html! {
        @if !charts.is_empty() {
            section {
                h2 { "Charts" }
                div.charts { @for chart in &charts {
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

/// A column of an interval: its name, and its cell.
type Column = (&'static str, fn(&Interval) -> String);

/// Named as the charts name them.
const COLUMNS: [Column; 15] = [
    ("phase", |i| i.phase.clone()),
    ("scheduled", |i| count(i.scheduled)),
    ("sent", |i| count(i.sent)),
    ("good", |i| count(i.good)),
    ("rejected", |i| count(i.rejected)),
    ("failed", |i| count(i.failed)),
    ("dropped", |i| count(i.dropped)),
    ("in flight", |i| count(i.in_flight)),
    ("users", |i| i.users.map_or("-".to_string(), count)),
    ("p50", |i| time(i.response_p50_us)),
    ("p95", |i| time(i.response_p95_us)),
    ("p99", |i| time(i.response_p99_us)),
    ("max", |i| time(i.response_max_us)),
    ("service p99", |i| time(i.service_p99_us)),
    ("send lag p99", |i| time(i.send_lag_p99_us)),
];

/// The run interval by interval; a row has no element that it can do without, since there are up
/// to 3,600.
pub fn intervals(document: &Document) -> Markup {
    html! {
        @if !document.intervals.is_empty() {
            section {
                details {
                    summary { "The run in steps of " (seconds(document.interval_s)) }
                    div.scroll { table #intervals {
                        thead { tr { th { "until" } @for (name, _) in COLUMNS { th.n { (name) } } } }
                        tbody { @for interval in &document.intervals {
                            tr data-t=(interval.t_s) {
                                td { (seconds(interval.t_s)) }
                                @for (_, cell) in COLUMNS { td { (cell(interval)) } }
                            }
                        } }
                    } }
                    p.aside { "Counts are of what happened in the interval, times of the requests \
                        that ended in it." }
                }
            }
        }
    }
}

fn time(us: Option<f64>) -> String {
    us.map_or("-".to_string(), micros)
}
