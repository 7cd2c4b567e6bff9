//! What stands around every page: its head, with the style that it carries itself; and what pages
//! of studies share.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::chart::Chart;
use crate::report::comparison::Caveat;

const STYLE: &str = include_str!("style.css");

/// The whole file; `body` is what the browser shows.
pub fn framed(title: &str, blast_version: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content={ "blast " (blast_version) };
                title { "blast: " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    page.into_string() + "\n"
}

/// Why figures do not say what they seem to; nothing where there is no reason.
pub fn caveats(title: &str, caveats: &[Caveat]) -> Markup {
    html! {
        @if !caveats.is_empty() {
            section {
                h2 { (title) }
                @for caveat in caveats { div.warning.caveat { p { (caveat.text) "." } } }
            }
        }
    }
}

pub fn charts(charts: &[Chart]) -> Markup {
    html! {
        div.charts { @for chart in charts {
            figure {
                h3 { (chart.title) }
                (chart.svg())
                figcaption { (chart.note) }
            }
        } }
    }
}
