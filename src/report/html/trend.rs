//! The page of `blast history trend`: what changed, each figure over the runs, and the runs.

use maud::{Markup, html};

use super::figure::{exactly, per_second, share, time};
use super::frame;
use super::head::class;
use crate::report::chart::timeline;
use crate::report::console::text::Tone;
use crate::report::console::trend::{HEAD, cells, findings, method, subject};
use crate::report::trend::{TrendDocument, TrendRun};

/// The whole file.
pub fn page(document: &TrendDocument) -> String {
    let main = html! {
        header class=(class(worst(document))) {
            p.over { "blast history trend" }
            h1 { (timeline::answer(document)) }
            p { (subject(document)) }
        }
        (frame::caveats("Before you compare", &document.warnings))
        section {
            h2 { "Figures" }
            dl.facts { @for figure in &document.figures {
                dt { (figure.called()) }
                dd { @for (tone, text) in findings(figure) { span class=(word(tone)) { (text) } br; } }
            } }
            (frame::charts(&timeline::charts(document)))
        }
        (runs(document))
        section { p.aside { (method(document)) "." } }
        footer { "blast " (document.blast_version) " · " (document.schema) }
    };
    frame::framed("trend", &document.blast_version, &html! { main { (main) } })
}

fn worst(document: &TrendDocument) -> Tone {
    let found = document.figures.iter().flat_map(findings).map(|(tone, _)| tone);
    let tones: Vec<Tone> = found.collect();
    match tones.contains(&Tone::Bad) {
        true => Tone::Bad,
        false => Tone::Good,
    }
}

fn word(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => "bad",
        Tone::Good => "good",
        _ => "",
    }
}

fn runs(document: &TrendDocument) -> Markup {
    html! {
        section {
            h2 { "Runs" }
            div.scroll { table {
                thead { tr { @for (at, name) in HEAD.iter().enumerate() {
                    th class=[(at == 0 || (2..6).contains(&at)).then_some("n")] { (name) }
                } } }
                // The newest first, as lists of runs have them.
                tbody { @for (at, run) in document.runs.iter().enumerate().rev() {
                    (row(document, run, at))
                } }
            } }
        }
    }
}

fn row(document: &TrendDocument, run: &TrendRun, at: usize) -> Markup {
    let place = |key: &str| format!("/runs/{at}/{key}");
    let [_, when, .., grade, label] = cells(document, run);
    let dash = html! { "-" };
    html! { tr {
        td.n { (exactly(&place("id"), run.id as f64, &run.id.to_string())) }
        td { (when) }
        td.n { (time(&place("p95_us"), run.p95_us)) }
        td.n { (run.good_per_s.map_or(dash.clone(), |it| per_second(&place("good_per_s"), it))) }
        td.n { (run.error_share.map_or(dash, |it| share(&place("error_share"), it))) }
        td.n { (time(&place("server_us_per_request"), run.server_us_per_request)) }
        td { (grade) }
        td { (label) }
    } }
}
