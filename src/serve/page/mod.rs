//! The panel's pages: frames that the script fills through the API.

use maud::{DOCTYPE, html};

/// Who looks.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    pub user: &'a str,
    pub is_admin: bool,
    pub blast_version: &'a str,
}

pub fn front(frame: &Frame) -> String {
    page(&format!("{} at blast {}", frame.user, frame.blast_version))
}

pub fn run(_: &Frame, id: i64) -> String {
    page(&format!("run {id}"))
}

pub fn compare(_: &Frame) -> String {
    page("compare")
}

pub fn trend(_: &Frame) -> String {
    page("trend")
}

pub fn login(blast_version: &str) -> String {
    page(&format!("login to blast {blast_version}"))
}

pub fn asset(name: &str) -> Option<(&'static str, &'static [u8])> {
    (name == "panel.css").then_some(("text/css; charset=utf-8", b""))
}

fn page(title: &str) -> String {
    html! { (DOCTYPE) html lang="en" { head { title { (title) } } body { h1 { (title) } } } }
        .into_string()
}
