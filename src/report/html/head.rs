//! Verdict, thresholds, what ran, and how to run it again.

use maud::{Markup, html};

use crate::report::Document;
use crate::report::console::text::Tone;
use crate::report::console::{head, rules};
use crate::report::head_room;
use crate::report::number::seconds;
use crate::report::repeat::repeat;

pub fn verdict(document: &Document) -> Markup {
    let (tone, limit) = head::limit(document);
    html! {
        header class=(class(tone)) {
            p.over { "blast · " (document.started_at) }
            h1 { "Verdict: " (limit) }
            @if let Some(text) = head::cut_short(document) { p.bad { strong { (text) } } }
            @if !document.audit.ok {
                p.bad { strong { "THE AUDIT FAILED: do not trust these figures, see Audit below" } }
            }
            p { (document.verdict.why) }
            @for (label, text) in head::behind(document) { p { strong { (label) ": " } (text) } }
            @if let Some(text) = head_room::of_run(document) { p { (text) } }
            @if let Some(change) = head::change(document) { p { strong { "change: " } (change) } }
            (weighed(document))
        }
    }
}

/// What the verdict was weighed by.
fn weighed(document: &Document) -> Markup {
    let evidence = &document.verdict.evidence;
    html! {
        @if !evidence.is_empty() {
            details {
                summary { "What was weighed" }
                ul { @for one in evidence { li { (one.text) } } }
            }
        }
    }
}

pub fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Doubtful => "doubtful",
        Tone::Bad => "bad",
        Tone::Plain | Tone::Heading | Tone::Aside => "",
    }
}

pub fn thresholds(document: &Document) -> Markup {
    let all = document.thresholds.iter().enumerate();
    html! {
        @if !document.thresholds.is_empty() {
            section {
                h2 { "Thresholds" }
                div.scroll { table {
                    thead { tr { th {} th { "rule" } th.n { "measured" } th { "why" } } }
                    tbody { @for (place, threshold) in all { tr {
                        @if threshold.ok { td.good { "✓ held" } } @else { td.bad { "✗ failed" } }
                        td { code { (threshold.expr) } }
                        td.n {
                            @let at = format!("/thresholds/{place}/value");
                            @let shown = rules::value_of(threshold).replace(">=", "≥ ");
                            @match threshold.value {
                                Some(value) => { data value=(value) data-at=(at) { (shown) } }
                                None => "-",
                            }
                        }
                        td { @if let Some(said) = rules::said(threshold) { (said) } }
                    } } }
                } }
            }
        }
    }
}

pub fn what_ran(document: &Document) -> Markup {
    let plan = &document.plan;
    let repeat = repeat(document);
    html! {
        section {
            h2 { "What ran" }
            dl.facts {
                @if let Some(file) = &plan.file { dt { "plan" } dd { code { (file) } } }
                dt { "target" }
                dd { code {
                    @if document.by_name.is_none() { (plan.method) " " }
                    (plan.url)
                } }
                dt { "load" } dd { (head::how(document)) }
                @if !plan.headers.is_empty() {
                    dt { "headers" }
                    dd { @for header in &plan.headers {
                        code { (header.name) ": " (header.value) } br;
                    } }
                }
                dt { "limits" }
                dd { "answers within " (seconds(plan.timeout_s)) ", connects within "
                    (seconds(plan.connect_timeout_s)) ", drain of " (seconds(plan.drain_s)) }
                @if let Some(seed) = plan.seed { dt { "seed" } dd { (seed) } }
                dt { "started" } dd { (document.started_at) }
                dt { "measured" } dd { (super::figure::seconds("/duration_s", document.duration_s)) }
                dt { "by" } dd { "blast " (document.blast_version) }
                dt { "again" }
                dd {
                    pre { code { (repeat.command) } }
                    @for note in &repeat.notes { p.aside { (note) } }
                }
            }
        }
    }
}
