//! The page of a ladder.

use maud::{Markup, html};

use super::ceiling::charts;
use super::figure::{per_second, share, time};
use super::frame;
use super::head::class;
use crate::report::chart;
use crate::report::console::ladder::{HEAD, answer_in_words, facts};
use crate::report::ladder::{LadderDocument, Step};
use crate::report::number::seconds;

pub fn page(document: &LadderDocument) -> String {
    let (tone, answer) = answer_in_words(document);
    let main = html! {
        header class=(class(tone)) {
            p.over { "blast ladder · " (document.started_at) }
            h1 { "Holds " (answer) }
            @for (label, text) in facts(document) { p { strong { (label) ": " } (text) } }
        }
        (steps(document))
        (charts(&chart::ladder::charts(document)))
        @if !document.advice.is_empty() {
            section {
                h2 { "Advice" }
                @for advice in &document.advice {
                    p { strong { (advice.evidence) } }
                    p { (advice.cause) "; " (advice.remedy) }
                }
            }
        }
        (what_ran(document))
    };
    frame::framed(&document.url, &document.blast_version, &html! { main { (main) } })
}

fn steps(document: &LadderDocument) -> Markup {
    html! {
        section {
            h2 { "Steps" }
            div.scroll { table {
                thead { tr { @for (at, name) in HEAD.iter().enumerate() {
                    th class=[(1..8).contains(&at).then_some("n")] { (name) }
                } } }
                tbody { @for (step, at) in document.steps.iter().zip(0..) { (row(step, at)) } }
            } }
            p.aside { "p50, p95 and p99 are response times, from when a request was due; ≥: that or \
                more, for errors rank above every good answer." }
        }
    }
}

fn row(step: &Step, at: usize) -> Markup {
    let place = |key: &str| format!("/steps/{at}/{key}");
    let bound = |quantile: f64| quantile > step.exact_up_to;
    let times = [
        ("p50_us", step.p50_us, bound(0.5)),
        ("p95_us", step.p95_us, bound(0.95)),
        ("p99_us", step.p99_us, bound(0.99)),
    ];
    html! { tr {
        th { (step.name) }
        td.n { (per_second(&place("asked_per_s"), step.asked_per_s)) }
        td.n { (per_second(&place("sent_per_s"), step.sent_per_s)) }
        td.n { (per_second(&place("good_per_s"), step.good_per_s)) }
        @for (key, us, bound) in times {
            td.n { @if bound && us.is_some() { "≥ " } (time(&place(key), us)) }
        }
        td.n { (share(&place("error_share"), step.error_share)) }
        @if step.holds() { td.good { "✓ holds" } }
        @else if !step.fails() { td { (step.outcome) @if let Some(why) = &step.why { ": " (why) } } }
        @else { td.bad {
            @if step.outcome == "fails" { "✗ " }
            (step.outcome) @if let Some(by) = &step.by { ": " (by) }
        } }
    } }
}

fn what_ran(document: &LadderDocument) -> Markup {
    html! {
        section {
            h2 { "What ran" }
            dl.facts {
                dt { "target" } dd { code { (document.method) " " (document.url) } }
                dt { "thresholds" }
                dd { @if document.thresholds.is_empty() { "none: the rate is to be carried" }
                    @for rule in &document.thresholds { code { (rule) } br; } }
                dt { "steps" }
                dd { @for step in &document.steps {
                    (step.name) " for " (seconds(step.length_s)) " over "
                    (step.connections) " connections" br;
                } }
                dt { "engine" } dd { (document.engine) ", " (document.threads) " threads" }
                dt { "started" } dd { (document.started_at) }
                dt { "took" } dd { (seconds(document.duration_s)) }
                dt { "by" } dd { "blast " (document.blast_version) }
            }
        }
    }
}
