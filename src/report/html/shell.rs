//! What every page for a browser has around it: one file that asks no network for anything.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::STYLE;

pub fn page(title: &str, blast_version: &str, main: &Markup, script: Option<&str>) -> String {
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
            body {
                main { (main) }
                @if let Some(script) = script { script { (PreEscaped(script)) } }
            }
        }
    };
    page.into_string() + "\n"
}
