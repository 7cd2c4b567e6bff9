//! One run: its head, and the tabs that users of Locust know.

use maud::{Markup, html};

use super::Frame;

/// The tabs: what they are called in the address, and on the page.
const TABS: [(&str, &str); 8] = [
    ("statistics", "Statistics"),
    ("charts", "Charts"),
    ("failures", "Failures"),
    ("ratio", "Ratio"),
    ("warnings", "Warnings"),
    ("log", "Log"),
    ("report", "Report"),
    ("download", "Download"),
];

pub fn run(frame: &Frame, id: i64) -> String {
    let body = html! {
        div #run data-run=(id) {
            (head(id))
            p #connection.warning role="status" hidden {}
            (tiles())
            (tabs())
        }
        (edit())
        (about())
    };
    frame.around("run", &format!("Run {id}"), &body)
}

fn head(id: i64) -> Markup {
    html! {
        header #run-head {
            p.over { "Run " (id) " " span #run-kind {} }
            h1 #run-title { "Run " (id) }
            p #run-target.target {}
            p.state {
                span #run-status.badge role="status" aria-live="polite" { "loading" }
                " " span #run-phase {}
            }
            p #run-reason hidden {}
            progress #run-progress max="1" value="0" aria-label="How far the run is" hidden {}
            div.actions #run-actions {
                button #stop.danger type="button" hidden { "Stop" }
                button #edit-open type="button" hidden { "Edit load" }
                button #again type="button" hidden { "Run again" }
                button #about-open type="button" hidden { "Label and note" }
                button #baseline type="button" hidden { "Make baseline" }
                a #trend.button hidden { "Trend" }
                button #delete.danger type="button" hidden { "Delete" }
            }
            p #run-note.note hidden {}
        }
    }
}

fn tiles() -> Markup {
    const TILES: [(&str, &str); 6] = [
        ("rate", "Rate"),
        ("failing", "Failures"),
        ("median", "Median"),
        ("tail", "95th percentile"),
        ("users", "Users"),
        ("efficiency", "Efficiency"),
    ];
    html! {
        div.tiles.of-run { @for (name, title) in TILES {
            div.tile { p.name { (title) } p.figure #{ "tile-" (name) } { "-" } p.note #{ "note-" (name) } {} }
        } }
    }
}

fn tabs() -> Markup {
    html! {
        section.tabbed {
            div.tabs role="tablist" aria-label="Views of the run" {
                @for (place, (name, title)) in TABS.iter().enumerate() {
                    button role="tab" type="button" id={ "tab-" (name) } aria-controls={ "panel-" (name) }
                        aria-selected=(if place == 0 { "true" } else { "false" })
                        tabindex=(if place == 0 { "0" } else { "-1" }) { (title) }
                }
            }
            @for (place, (name, _)) in TABS.iter().enumerate() {
                div role="tabpanel" id={ "panel-" (name) } aria-labelledby={ "tab-" (name) }
                    tabindex="0" hidden[place > 0] { p.aside { "Nothing yet." } }
            }
        }
    }
}

/// A stage more, at once.
fn edit() -> Markup {
    html! {
        dialog #edit aria-labelledby="edit-title" {
            form method="dialog" {
                h2 #edit-title { "Edit the load" }
                p.aside { "It changes at once, and the change is marked on the charts." }
                p.field #edit-rate-field {
                    label for="edit-rate" { "Requests per second" }
                    input #edit-rate name="rate_per_s" type="number" min="0" step="any" inputmode="decimal";
                }
                p.field #edit-users-field {
                    label for="edit-users" { "Users" }
                    input #edit-users name="users" type="number" min="1" step="1" inputmode="numeric";
                }
                p.refused role="alert" hidden {}
                p.actions {
                    button.main type="submit" value="yes" { "Change" }
                    button type="button" data-close { "Cancel" }
                }
            }
        }
    }
}

pub(super) fn about() -> Markup {
    html! {
        dialog #about aria-labelledby="about-title" {
            form method="dialog" {
                h2 #about-title { "Label and note" }
                p.field { label for="about-label" { "Label" } input #about-label name="label" maxlength="200"; }
                p.field { label for="about-note" { "Note" } textarea #about-note name="note" rows="4" maxlength="4000" {} }
                p.refused role="alert" hidden {}
                p.actions {
                    button.main type="submit" value="yes" { "Keep" }
                    button type="button" data-close { "Cancel" }
                }
            }
        }
    }
}
