//! What the watched server did: its functions, and a flame graph.

use maud::{Markup, html};

use super::figure;
use crate::report::Document;
use crate::report::document::Profile;
#[cfg(feature = "profile")]
use crate::report::flame;
use crate::report::number::count;

/// Functions that are seen at once, and all that are shown.
const OPEN: usize = 10;
const SHOWN: usize = 50;

pub fn profile(document: &Document) -> Markup {
    html! {
        @if let Some(profile) = &document.profile {
            section.breaks {
                h2 { "What the server did" }
                p { (summary(profile)) }
                (table(profile, 0..profile.functions.len().min(OPEN)))
                @if profile.functions.len() > OPEN {
                    details {
                        summary { "The next " (profile.functions.len().min(SHOWN) - OPEN) }
                        (table(profile, OPEN..profile.functions.len().min(SHOWN)))
                    }
                }
                (waits(profile))
                (graph(profile))
                p.aside {
                    "Self: time in the function; total: with all that it called. Both are shares of "
                    "the time in which something was done: waiting is not in them. The kind of work "
                    "is told by the function's name."
                }
            }
        }
    }
}

fn summary(profile: &Profile) -> Markup {
    let samples = figure::count("/profile/samples", profile.samples);
    html! {
        (profile.tool) " took " (samples) @if profile.unit == "us" { " us" } @else { " samples" }
        @if profile.waiting_share.is_none() { " of what was on a processor" }
        " during the measured time: "
        @for (place, (key, name, share)) in profile.by_class.ranked().into_iter().enumerate() {
            @if place > 0 { ", " }
            (name) " " (figure::share(&format!("/profile/by_class/{key}"), share))
        }
        @if let Some(share) = profile.waiting_share {
            "; it waited " (figure::share("/profile/waiting_share", share)) " of the time"
        }
        "."
    }
}

fn table(profile: &Profile, places: std::ops::Range<usize>) -> Markup {
    let rows = &profile.functions[places.clone()];
    html! {
        @if !rows.is_empty() { div.scroll { table {
            thead { tr { th.n { "self" } th.n { "total" } th { "work" } th { "function" } } }
            tbody { @for (place, function) in places.zip(rows) { tr {
                @let at = |key: &str| format!("/profile/functions/{place}/{key}");
                td.n { (figure::share(&at("self_share"), function.self_share)) }
                td.n { (figure::share(&at("total_share"), function.total_share)) }
                td { (function.class) }
                td.function { code { (function.name) } }
            } } }
        } } }
    }
}

fn waits(profile: &Profile) -> Markup {
    html! {
        @if !profile.waits.is_empty() && profile.waiting_share.is_some() {
            details {
                summary { "Where it waited (" (count(profile.waits.len() as u64)) ")" }
                div.scroll { table { tbody { @for (place, wait) in profile.waits.iter().enumerate() { tr {
                    td.n { (figure::share(&format!("/profile/waits/{place}/share"), wait.share)) }
                    td.function { code { (wait.name) } }
                } } } } }
            }
        }
    }
}

/// In a frame of its own, so that its script and its styles stay in it.
#[cfg(feature = "profile")]
fn graph(profile: &Profile) -> Markup {
    let Some(svg) = flame::svg(profile) else { return html! {} };
    let height = flame::height(&svg).unwrap_or(400);
    html! {
        h3 { "Flame graph" }
        p.legend { @for (name, color) in flame::legend() {
            span style={ "background:" (color) } { (name) } " "
        } }
        div.flame {
            iframe title="Flame graph" height=(height) srcdoc=(flame::page(&svg)) {}
        }
        p.aside {
            "Each box is a function, as wide as its share of all samples, and stands on the one that "
            "called it. A click zooms in, Search finds names."
        }
    }
}

#[cfg(not(feature = "profile"))]
fn graph(_: &Profile) -> Markup {
    html! {}
}
