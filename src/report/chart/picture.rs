//! The charts alone, in one picture: `-o run.svg`.

use std::path::Path;

use maud::{Markup, PreEscaped, html};

use super::{Chart, HEIGHT, WIDTH, beside, charts, draw, monitor};
use crate::error::Result;
use crate::report::console::head;
use crate::report::{Document, Monitored, staged};

const STYLE: &str = include_str!("picture.css");

/// Around the charts, and above each for its title.
const MARGIN: f64 = 16.0;
const TITLE: f64 = 30.0;

/// For what ran and the verdict.
const HEAD: f64 = 76.0;

/// Letters that a line of the head has room for.
const MOST_LETTERS: usize = 150;
const MOST_OF_ANSWER: usize = 95;

pub fn save(document: &Document, path: &Path) -> Result<()> {
    staged::save(path, svg(document).as_bytes())
}

/// Two charts a row under the verdict.
pub fn svg(document: &Document) -> String {
    sheet(&[charts(document), beside(document)].concat(), None, &heading(document))
}

/// The same of a host that was looked at without a load.
pub fn of_monitor(document: &Monitored) -> String {
    let heading = html! {
        text class="verdict" x=(MARGIN) y="28" { "System monitor" }
        text x=(MARGIN) y="48" { (cut(&document.heading())) }
        text class="unit" x=(MARGIN) y="65" { "by blast " (document.blast_version) }
    };
    sheet(&monitor::readings(document), None, &heading)
}

/// The same of a study: what came of it, what it was, and `beside` in the place after the charts.
pub fn of_study(charts: &[Chart], beside: Option<&Markup>, head: [&str; 3]) -> String {
    let [answer, what, rest] = head;
    let heading = html! {
        text class="verdict" x=(MARGIN) y="28" { (cut_to(answer, MOST_OF_ANSWER)) }
        text x=(MARGIN) y="48" { (cut(what)) }
        text class="unit" x=(MARGIN) y="65" { (cut(rest)) }
    };
    sheet(charts, beside, &heading)
}

fn sheet(charts: &[Chart], beside: Option<&Markup>, heading: &Markup) -> String {
    let rows = (charts.len() + usize::from(beside.is_some())).div_ceil(2) as f64;
    let (width, height) = (2.0 * WIDTH + 3.0 * MARGIN, HEAD + rows * (HEIGHT + TITLE) + MARGIN);
    let place = |at: usize| {
        let x = MARGIN + (at % 2) as f64 * (WIDTH + MARGIN);
        (x, HEAD + (at / 2) as f64 * (HEIGHT + TITLE))
    };
    let places = charts.iter().enumerate().map(|(at, chart)| {
        let (x, y) = place(at);
        (chart, x, y)
    });
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height)
            viewBox={ "0 0 " (width) " " (height) } {
            style { (PreEscaped(STYLE)) }
            rect class="paper" width=(width) height=(height) {}
            (heading)
            @for (chart, x, y) in places {
                g transform={ "translate(" (x) " " (y) ")" } {
                    text class="title" x="0" y="18" { (chart.title) }
                    g transform={ "translate(0 " (TITLE) ")" } { (draw::body(chart)) }
                }
            }
            @if let Some(beside) = beside {
                @let (x, y) = place(charts.len());
                g transform={ "translate(" (x) " " (y) ")" } { (beside) }
            }
        }
    };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", picture.into_string())
}

fn heading(document: &Document) -> Markup {
    let (_, limit) = head::limit(document);
    let url = format!("{} by blast {}", document.plan.url, document.blast_version);
    html! {
        text class="verdict" x=(MARGIN) y="28" { "Verdict: " (limit) }
        text x=(MARGIN) y="48" { (cut(&head::how(document))) }
        text class="unit" x=(MARGIN) y="65" { (cut(&url)) }
    }
}

fn cut(text: &str) -> String {
    cut_to(text, MOST_LETTERS)
}

fn cut_to(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_string(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
