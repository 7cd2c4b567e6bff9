//! The page of `blast versus`: a row a tool, what its figures are to be taken for, and each run.

use maud::{Markup, html};

use super::{figure, frame};
use crate::report::console::versus as page;
use crate::report::number::{cell, count, seconds};
use crate::report::versus::{Run, Tool, VersusDocument};

/// The whole file.
pub fn page(document: &VersusDocument) -> String {
    let body = html! {
        main {
            (top(document))
            (frame::caveats("Before you compare", &document.warnings))
            (tools(document))
            (footnotes(document))
            (left_out(&document.tools))
            (runs(&document.runs))
            footer { "blast " (document.blast_version) " · " (document.schema) }
        }
    };
    frame::framed(&document.url, &document.blast_version, &body)
}

fn top(document: &VersusDocument) -> Markup {
    let class = if document.complete { "good" } else { "doubtful" };
    html! {
        header class=(class) {
            p.over { "blast versus · " (document.started_at) }
            h1 { (page::server(document)) }
            p { strong { "Load: " } (page::load(document)) }
            p { strong { "Rounds: " } (page::rounds(document)) }
            p { strong { "Cores: " } (page::cores(document)) }
        }
    }
}

fn tools(document: &VersusDocument) -> Markup {
    let tools = page::measured(document);
    let columns = page::wide_columns(&tools);
    html! {
        section {
            h2 { "Tools" }
            @if tools.is_empty() { p { "No run was finished." } } @else {
                div.scroll { table.said {
                    thead { tr { th {} @for column in &columns { th.n { (column.head) } } } }
                    tbody { @for tool in &tools { tr {
                        th { (tool.name) }
                        @for column in &columns {
                            td.n { ((column.cell)(tool).unwrap_or_else(|| "-".to_string())) }
                        }
                    } } }
                } }
                @for line in page::legend(document) { p.aside { (line) "." } }
            }
        }
    }
}

fn footnotes(document: &VersusDocument) -> Markup {
    html! {
        @if !document.footnotes.is_empty() {
            section {
                h2 { "What these figures are" }
                dl.facts { @for note in &document.footnotes {
                    dt { (note.number) ". " (note.tool) } dd { (note.text) }
                } }
            }
        }
    }
}

fn left_out(tools: &[Tool]) -> Markup {
    let others = tools.iter().filter_map(|tool| Some((tool, page::left_out(tool)?)));
    let others: Vec<_> = others.collect();
    html! {
        @if !others.is_empty() {
            section {
                h2 { "Left out" }
                dl.facts { @for (tool, why) in &others {
                    dt { (tool.name) }
                    dd { @if tool.status == "failed" { strong { "failed: " } } (why) }
                } }
            }
        }
    }
}

fn runs(runs: &[Run]) -> Markup {
    let time = |us: Option<f64>| us.map_or("-".to_string(), cell);
    html! {
        @if !runs.is_empty() {
            section {
                h2 { "Runs, in their order" }
                div.scroll { table.said {
                    thead { tr {
                        th { "tool" } th.n { "round" } th.n { "good/s" } th.n { "p50" }
                        th.n { "p99" } th.n { "errors" } th.n { "CPU" }
                    } }
                    tbody { @for (place, run) in runs.iter().enumerate() { tr {
                        th { (run.tool) }
                        td.n { (run.round) }
                        @let at = format!("/runs/{place}/good_per_s");
                        td.n { (figure::per_second(&at, run.good_per_s)) }
                        td.n { (time(run.p50_us)) }
                        td.n { (time(run.p99_us)) }
                        td.n { (count(run.errors)) }
                        td.n { (seconds(run.cpu_s)) }
                    } } }
                } }
            }
        }
    }
}
