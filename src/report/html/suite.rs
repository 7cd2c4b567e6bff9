//! The report of a suite for a browser: a row a run with the way to its own page, how the rate
//! grows with the matrix, and what was read beside it all.

use std::path::Path;

use maud::{Markup, html};

use super::{figure, frame, head};
use crate::error::Result;
use crate::report::chart::readings;
use crate::report::console::suite::{
    HEAD, cells, growth_rows, headline, problem_in_words, remark, title,
};
use crate::report::number::seconds;
use crate::report::suite::{Scaling, SuiteDocument, SuiteRun};
use crate::report::{Monitored, staged};

/// `monitored`: what was read from the first run to the last.
pub fn save(document: &SuiteDocument, monitored: Option<&Monitored>, path: &Path) -> Result<()> {
    staged::save(path, page(document, monitored).as_bytes())
}

pub fn page(document: &SuiteDocument, monitored: Option<&Monitored>) -> String {
    let body = html! {
        main {
            (verdict(document))
            (problems(document))
            (runs(document))
            @for (at, scaling) in document.scaling.iter().enumerate() { (growth(at, scaling)) }
            @if let Some(monitored) = monitored { (beside(monitored)) }
            (files(document))
            footer { "blast " (document.blast_version) " · " (document.schema) }
        }
    };
    frame::framed(&format!("suite {}", document.file), &document.blast_version, &body)
}

fn verdict(document: &SuiteDocument) -> Markup {
    let (tone, text) = headline(document);
    html! {
        header class=(head::class(tone)) {
            p.over { "blast suite · " (document.started_at) }
            h1 { (text) }
            p { "Exit code " (document.exit_code) ", the worst of all runs." }
        }
    }
}

fn problems(document: &SuiteDocument) -> Markup {
    html! { @if !document.problems.is_empty() { section {
        h2 { "Around the runs" }
        @for problem in &document.problems {
            p.bad { strong { (problem.part) ": " } (problem_in_words(problem)) }
            @if !problem.lines.is_empty() {
                pre { @for line in &problem.lines { (line) "\n" } }
            }
        }
    } } }
}

fn runs(document: &SuiteDocument) -> Markup {
    html! { section {
        h2 { "Runs" }
        div.scroll { table {
            thead { tr {
                th {} th { "run" } th { "load" }
                @for name in HEAD { th.n { (name) } }
                th.n { "from" } th.n { "to" }
            } }
            tbody { @for run in &document.runs { (row(run)) } }
        } }
    } }
}

fn row(run: &SuiteRun) -> Markup {
    let class = match run.outcome.as_str() {
        "passed" => "good",
        "skipped" => "",
        _ => "bad",
    };
    let page = run.files.iter().find(|file| file.ends_with("report.html"));
    let at = |s: Option<f64>| s.map_or_else(|| "-".to_string(), seconds);
    html! {
        tr id=(run.title()) {
            td class=(class) { (run.mark()) }
            th scope="row" {
                @match page {
                    Some(page) => { a href=(link(page)) { (run.title()) } }
                    None => (run.title()),
                }
                @for file in run.files.iter().filter(|file| Some(*file) != page) {
                    " " a.tag href=(link(file)) { (file.rsplit('/').next().unwrap_or(file)) }
                }
            }
            td { @if let Some(figures) = &run.figures {
                (figures.load)
                @if let Some(limit) = &figures.limit { " · limit: " (limit) }
                @for rule in &figures.thresholds {
                    br;
                    span class=(if rule.ok { "good" } else { "bad" }) {
                        (if rule.ok { "✓ " } else { "✗ " })
                    }
                    code { (rule.expr) } " " (rule.shown)
                }
            } @if !run.has_passed() { p.bad { (remark(run)) } } }
            @for cell in cells(run) { td.n { (cell) } }
            td.n { (at(run.began_s)) }
            td.n { (at(run.ended_s)) }
        }
    }
}

/// A path as the browser takes it: percent-encoded where it is no plain letter.
fn link(file: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let encode = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    file.bytes().map(encode).collect()
}

fn growth(at: usize, scaling: &Scaling) -> Markup {
    let rows = growth_rows(scaling);
    let (head, body) =
        rows.split_first().map_or((None, &[][..]), |(head, body)| (Some(head), body));
    html! { section {
        h2 { (title(scaling)) }
        div.scroll { table {
            thead { tr { @for cell in head.into_iter().flatten() { th.n { (cell) } } } }
            tbody { @for (row, (cells, point)) in body.iter().zip(&scaling.points).enumerate() { tr {
                @let place = format!("/scaling/{at}/points/{row}");
                th scope="row" { (cells[0]) }
                td.n { @match point.per_s {
                    Some(value) => (figure::per_second(&format!("{place}/per_s"), value)),
                    None => "-",
                } }
                td.n { (cells[2]) }
                td.n { @match point.efficiency {
                    Some(value) => (figure::share(&format!("{place}/efficiency"), value)),
                    None => "-",
                } }
            } } }
        } }
        p.aside { "Efficiency is C(n)/(n C(1)): 100 % where twice as many do twice as much." }
    } }
}

fn beside(monitored: &Monitored) -> Markup {
    html! { section {
        h2 { "Beside the runs" }
        p.aside { (monitored.heading()) ". What is shaded is a run." }
        div.charts { @for chart in readings(monitored) {
            figure {
                h3 { (chart.title) }
                (chart.svg())
                figcaption { (chart.note) }
            }
        } }
    } }
}

fn files(document: &SuiteDocument) -> Markup {
    html! { @if !document.files.is_empty() { section {
        h2 { "Files" }
        ul { @for file in &document.files { li { a href=(link(file)) { (file) } } } }
    } } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::suite::tests::example;

    #[test]
    fn each_run_has_its_row_and_the_way_to_its_files_and_nothing_is_markup() {
        let mut document = example();
        document.runs[0].files.push("WORKERS=1/smoke/report.html".to_string());
        let page = page(&document, None);
        for expected in [
            "<a href=\"WORKERS%3D1/smoke/report.html\">smoke WORKERS=1</a>",
            "1 of 3 runs passed",
            "ERROR &lt;db&gt; is gone",
            "<code>p99&lt;1us</code>",
            "data-at=\"/scaling/0/points/1/efficiency\"",
            "smoke is required and did not pass",
            "<a href=\"system_metrics.json\">",
        ] {
            assert!(page.contains(expected), "{expected}\n{page}");
        }
    }
}
