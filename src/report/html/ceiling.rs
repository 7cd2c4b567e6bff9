//! The page of a ceiling: the answer, the hockey stick, and each probe.

use maud::{Markup, html};

use super::figure::{per_second, share, time};
use super::frame;
use super::head::class;
use crate::report::ceiling::{Ceiling, CeilingDocument, Failure, Point, Push};
use crate::report::chart::{Chart, knee};
use crate::report::console::ceiling::{
    above_in_words, answer_in_words, answer_label, facts, level, outcome,
};
use crate::report::markdown::capital;
use crate::report::number::{count, percent, seconds};

pub fn page(document: &CeilingDocument) -> String {
    let (tone, answer) = answer_in_words(document);
    let ceiling = &document.ceiling;
    let main = html! {
        header class=(class(tone)) {
            p.over { "blast ceiling · " (document.started_at) }
            h1 { (capital(answer_label(document))) ": " (answer) }
            @for (label, text) in facts(document) {
                p { @if !label.is_empty() { strong { (label) ": " } } (text) }
            }
        }
        (tiles(ceiling))
        @if let Some(failure) = &ceiling.failure { (above(ceiling, failure)) }
        (charts(&knee::charts(document)))
        (probes(ceiling))
        @if let Some(failure) = &ceiling.failure { (pushes(failure)) }
        (what_ran(document))
    };
    frame::framed(&document.url, &document.blast_version, &html! { main { (main) } })
}

fn tiles(ceiling: &Ceiling) -> Markup {
    let tile = |name: &str, at: &str, rate: Option<f64>, note: &str| {
        html! { div.tile {
            p.name { (name) }
            p.figure { @match rate { Some(rate) => { (per_second(at, rate)) "/s" } None => "-" } }
            p.note { (note) }
        } }
    };
    let number = |name: &str, number: Option<u64>, note: &str| {
        html! { div.tile {
            p.name { (name) }
            p.figure { @match number { Some(number) => (count(number)), None => "-" } }
            p.note { (note) }
        } }
    };
    let stopped_by = ceiling.stopped_by.as_deref().unwrap_or("nothing did");
    let sure = if ceiling.confirmed { "confirmed" } else { "not confirmed" };
    let held = ceiling.curve.iter().filter(|point| point.outcome == "holds");
    let best = held.map(|point| point.good_per_s).reduce(f64::max);
    html! {
        section.tiles {
            @if ceiling.is_number() {
                (number("ready for", ceiling.ready_for, &format!("{}, {sure}", ceiling.over)))
                (number("failed at", ceiling.fails_at, stopped_by))
            } @else {
                (tile("ceiling", "/ceiling/rate_per_s", ceiling.rate_per_s, sure))
                (tile("failed at", "/ceiling/high_per_s", ceiling.high_per_s, stopped_by))
            }
            (tile("closed loop", "/ceiling/burst_per_s", ceiling.burst_per_s, "good answers"))
            div.tile {
                p.name { "best that held" }
                p.figure { @match best { Some(best) => { (crate::report::number::per_second(best)) "/s" } None => "-" } }
                p.note { "good answers" }
            }
        }
    }
}

fn above(ceiling: &Ceiling, failure: &Failure) -> Markup {
    html! {
        section {
            h2 { "Above the ceiling" }
            dl.facts { @for (label, tone, text) in above_in_words(ceiling, failure) {
                dt { (label) } dd { p class=(class(tone)) { (text) } }
            } }
        }
    }
}

/// The charts of a study.
pub fn charts(charts: &[Chart]) -> Markup {
    html! {
        @if !charts.is_empty() {
            section {
                h2 { "Charts" }
                (frame::charts(charts))
            }
        }
    }
}

fn probes(ceiling: &Ceiling) -> Markup {
    let curve = &ceiling.curve;
    let row = |point: &Point, at: usize| {
        let place = |key: &str| format!("/ceiling/curve/{at}/{key}");
        html! { tr {
            @if ceiling.is_number() { td.n { (level(ceiling, point)) } }
            @else { td.n { (per_second(&place("rate_per_s"), point.rate_per_s)) } }
            td.n { (per_second(&place("good_per_s"), point.good_per_s)) }
            td.n { (time(&place("p50_us"), point.p50_us)) }
            td.n { (time(&place("p99_us"), point.p99_us)) }
            td.n { (time(&place("p99_9_us"), point.p99_9_us)) }
            td.n { (share(&place("error_share"), point.error_share)) }
            td.n { (seconds(point.length_s)) }
            td.n { (point.connections) }
            @if point.outcome == "holds" { td.good { "✓ holds" } }
            @else { td.bad { @if point.outcome == "fails" { "✗ " } (outcome(point)) } }
            td style="min-width:14em" { @if let Some(why) = &point.why { (why) } }
        } }
    };
    html! {
        @if !curve.is_empty() {
            section {
                h2 { "Probes" }
                div.scroll { table {
                    thead { tr {
                        th.n { (ceiling.level_name()) } th.n { "good/s" } th.n { "p50" }
                        th.n { "p99" } th.n { "p99.9" } th.n { "errors" } th.n { "length" }
                        th.n { "connections" } th { "outcome" } th { "why" }
                    } }
                    tbody { @for (point, at) in curve.iter().zip(0..) { (row(point, at)) } }
                } }
                p.aside { "Short runs, " @if ceiling.is_number() { "each with so many " (ceiling.over) }
                    @else { "of an open loop at one rate each" } ". Of a time that the sample does \
                    not support there is a dash." }
            }
        }
    }
}

fn pushes(failure: &Failure) -> Markup {
    let row = |push: &Push, at: &str| {
        let place = |key: &str| format!("{at}/{key}");
        html! { tr {
            td.n { (per_second(&place("rate_per_s"), push.rate_per_s)) }
            td.n { (per_second(&place("good_per_s"), push.good_per_s)) }
            td.n { (time(&place("p50_us"), push.p50_us)) }
            td.n { (time(&place("p99_us"), push.p99_us)) }
            td.n { (share(&place("error_share"), push.error_share)) }
        } }
    };
    html! {
        section {
            h2 { "To failure" }
            div.scroll { table {
                thead { tr {
                    th.n { "rate/s" } th.n { "good/s" } th.n { "p50" } th.n { "p99" }
                    th.n { "errors" }
                } }
                tbody {
                    (row(&failure.calm, "/ceiling/failure/calm"))
                    @for (push, at) in failure.curve.iter().zip(0..) {
                        (row(push, &format!("/ceiling/failure/curve/{at}")))
                    }
                }
            } }
            p.aside { "The first row is half the ceiling, before. Errors are those of the server, of \
                what was sent; up to " (percent(0.05)) " of them are borne." }
        }
    }
}

fn what_ran(document: &CeilingDocument) -> Markup {
    html! {
        section {
            h2 { "What ran" }
            dl.facts {
                dt { "target" } dd { code { (document.method) " " (document.url) } }
                dt { "thresholds" }
                dd { @if document.thresholds.is_empty() { "none: the rate is to be carried" }
                    @for rule in &document.thresholds { code { (rule) } br; } }
                dt { "engine" } dd { (document.engine) ", " (document.threads) " threads" }
                dt { "budget" } dd { (seconds(document.budget_s)) }
                dt { "started" } dd { (document.started_at) }
                dt { "took" } dd { (seconds(document.duration_s)) }
                dt { "by" } dd { "blast " (document.blast_version) }
            }
        }
    }
}
