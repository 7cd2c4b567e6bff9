//! What is said of several runs: held against each other, and over time.

use maud::html;

use super::Frame;

/// `?ids=1,2`: the first is what the others are compared with.
pub fn compare(frame: &Frame) -> String {
    study(frame, "compare", "Runs compared")
}

/// `?run=ID`: the runs of its plan on its host.
pub fn trend(frame: &Frame) -> String {
    study(frame, "trend", "Trend")
}

fn study(frame: &Frame, name: &str, title: &str) -> String {
    let body = html! {
        p #study-of.over { (title) }
        div #study aria-busy="true" { p.aside { "Reading the history ..." } }
    };
    frame.around(name, title, &body)
}
