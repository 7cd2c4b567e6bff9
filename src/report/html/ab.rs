//! The page of `blast ab`: what was found, why it may mislead, then both sides round by round.

use maud::{Markup, html};

use super::{changes, figure, frame, head};
use crate::report::ab::{AbDocument, Metric, Round, Side};
use crate::report::chart;
use crate::report::console::ab::{enough, interval, meaning, method, not_complete, tone, what_ran};
use crate::report::console::compare::{in_points, in_words, points, shown};
use crate::report::number::{cell, per_second, percent};

/// The whole file.
pub fn page(document: &AbDocument) -> String {
    let body = html! {
        main {
            (top(document))
            (frame::caveats("Before you compare", &document.warnings))
            (against_a(document))
            (charts(document))
            (rounds(&document.rounds))
            (ran(document))
            footer { "blast " (document.blast_version) " · " (document.schema) }
        }
    };
    frame::framed("ab", &document.blast_version, &body)
}

fn top(document: &AbDocument) -> Markup {
    let mut finding = changes::Finding::of("A", "B");
    for metric in &document.metrics {
        finding.add(in_words(&metric.name), tone(metric), metric.significant);
    }
    let class = changes::class(std::slice::from_ref(&finding), false);
    html! {
        header class=(class) {
            p.over { "blast ab · " (document.started_at) }
            h1 { (finding.in_words()) }
            @if let Some(text) = not_complete(document) { p.bad { strong { (text) } } }
            @if !document.metrics.is_empty() {
                @let (tone, text) = enough(document);
                p class=(head::class(tone)) { (text) }
            }
        }
    }
}

fn against_a(document: &AbDocument) -> Markup {
    html! {
        section {
            h2 { "B against A" }
            @if document.metrics.is_empty() { p { "No round was finished." } } @else {
                div.charts { @if let Some(forest) = &changes::of_ab(document) { (changes::figure(forest)) } }
                div.scroll { table.said {
                    thead { tr {
                        th {} th.n { "A" } th.n { "B" } th.n { "B against A" } th.n { "interval" } th {}
                    } }
                    tbody { @for (place, metric) in document.metrics.iter().enumerate() {
                        (row(place, metric))
                    } }
                } }
                p.aside { (method(document)) "." }
            }
        }
    }
}

fn row(place: usize, metric: &Metric) -> Markup {
    let at = |field: &str| format!("/metrics/{place}/{field}");
    let side = |field: &str, value| figure::exactly(&at(field), value, &shown(value, &metric.unit));
    let change = in_points(&[points(metric.percent)]);
    html! { tr {
        th { (in_words(&metric.name)) }
        td.n { (side("a", metric.a)) }
        td.n { (side("b", metric.b)) }
        td.n { (figure::exactly(&at("percent"), metric.percent, &change)) }
        td.n { (interval(metric)) }
        td class=(head::class(tone(metric))) { (meaning(metric)) }
    } }
}

fn charts(document: &AbDocument) -> Markup {
    let charts: Vec<_> =
        chart::of_sides(document).into_iter().chain(chart::of_rounds(document)).collect();
    html! {
        @if !charts.is_empty() { section { h2 { "Charts" } (frame::charts(&charts)) } }
    }
}

/// A column of a side: its name, and its cell.
type Column = (&'static str, fn(&Side) -> String);

const COLUMNS: [Column; 5] = [
    ("good/s", |side| per_second(side.good_per_s)),
    ("p50", |side| time(side.p50_us)),
    ("p99", |side| time(side.p99_us)),
    ("errors", |side| percent(side.error_share)),
    ("limit", |side| side.limit.clone()),
];

fn rounds(rounds: &[Round]) -> Markup {
    html! {
        @if !rounds.is_empty() {
            section { details {
                summary { "Round by round" }
                div.scroll { table {
                    thead { tr {
                        th { "order" }
                        @for (name, _) in COLUMNS { th.n { "A " (name) } th.n { "B " (name) } }
                    } }
                    tbody { @for round in rounds { tr {
                        td { @if round.order == "ab" { "A, B" } @else { "B, A" } }
                        @for (_, cell) in COLUMNS {
                            td.n { (cell(&round.a)) } td.n { (cell(&round.b)) }
                        }
                    } } }
                } }
            } }
        }
    }
}

fn time(us: Option<f64>) -> String {
    us.map_or("-".to_string(), cell)
}

fn ran(document: &AbDocument) -> Markup {
    html! {
        section {
            h2 { "What ran" }
            dl.facts {
                @for (label, url) in ["A", "B"].iter().zip(&document.urls) {
                    dt { strong { (label) } } dd { code { (document.method) " " (url) } }
                }
                dt { "rounds" } dd { (what_ran(document)) }
                dt { "order" } dd { "drawn, by seed " (document.seed) }
                dt { "started" } dd { (document.started_at) }
            }
        }
    }
}
