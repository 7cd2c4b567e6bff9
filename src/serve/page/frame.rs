//! What stands around each page: its head, the bar above it, and where its script begins.

use maud::{DOCTYPE, Markup, html};

/// Who looks, and at what.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The name of who signed in.
    pub user: &'a str,
    /// Whether they may start, stop, edit and delete.
    pub is_admin: bool,
    pub blast_version: &'a str,
}

impl Frame<'_> {
    /// The whole page; `name` is what the script knows it by.
    pub(super) fn around(&self, name: &str, title: &str, body: &Markup) -> String {
        let role = if self.is_admin { "admin" } else { "viewer" };
        let page = html! {
            (self.above(name))
            main #main tabindex="-1" {
                (body)
            }
            (below(self.blast_version))
        };
        whole(name, title, role, &page)
    }

    fn above(&self, name: &str) -> Markup {
        let is_here = |page: &str| (name == page).then_some("page");
        html! {
            a.skip href="#main" { "Skip to the content" }
            div.bar {
                a.brand href="/" { img src="/assets/panel.svg" alt="" width="24" height="24"; "blast" }
                nav aria-label="Pages" {
                    a href="/#new" aria-current=[is_here("front")] { "Tests" }
                    a href="/#history" { "History" }
                }
                span.who {
                    span #user { (self.user) }
                    @if !self.is_admin { span.tag { "viewer" } }
                    button #sign-out.plain type="button" { "Sign out" }
                }
            }
        }
    }
}

/// A page without who looks at it.
pub(super) fn alone(name: &str, title: &str, blast_version: &str, body: &Markup) -> String {
    let page = html! {
        main #main { (body) }
        (below(blast_version))
    };
    whole(name, title, "nobody", &page)
}

fn below(blast_version: &str) -> Markup {
    html! {
        div #said.said-aloud role="status" aria-live="polite" {}
        footer { "blast " (blast_version) }
    }
}

fn whole(name: &str, title: &str, role: &str, page: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (title) " - blast" }
                link rel="icon" href="/assets/panel.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/panel.css";
                script src="/assets/panel.js" defer {}
            }
            body.panel data-page=(name) data-role=(role) {
                noscript { p.warning { "The panel needs its script; switch JavaScript on for this page." } }
                (page)
            }
        }
    };
    page.into_string() + "\n"
}
