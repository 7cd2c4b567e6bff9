//! The panel's pages: frames that the script fills through the API, and the parts that only the
//! program can draw, the charts.
//!
//! No page holds a script, a style or a handler of its own, so that the strictest policy fits them;
//! and no string of a target is put into one here. The script puts in every one of them as text.
//!
//! ```text
//! frame    what stands around each page
//! front    the form of a new test, and the history
//! run      one run, while it goes on and afterwards
//! studies  what is said of several runs: compared, and over time
//! login    who are you
//! script/  what fills them, joined to one file
//! ```

mod frame;
mod front;
mod login;
mod run;
mod studies;
#[cfg(test)]
mod tests;

use maud::html;

use crate::report::Document;
use crate::report::chart::{self, Chart, Course};

pub use frame::Frame;
pub use front::front;
pub use login::login;
pub use run::run;
pub use studies::{compare, trend};

/// The charts of a run as far as it came, for the page to put in.
pub fn charts(course: &Course) -> String {
    grouped(&chart::so_far(course), &chart::beside_so_far(course))
}

/// The charts of a run that is over.
pub fn charts_of(document: &Document) -> String {
    grouped(&chart::charts(document), &chart::beside(document))
}

fn grouped(load: &[Chart], beside: &[Chart]) -> String {
    let groups = [("The load", load), ("Beside the load", beside)];
    let fragment = html! {
        @for (title, charts) in groups.iter().filter(|(_, charts)| !charts.is_empty()) {
            h3.group { (title) }
            div.charts { @for chart in *charts {
                figure {
                    h4 { (chart.title) }
                    (chart.svg())
                    figcaption { (chart.note) }
                }
            } }
        }
    };
    fragment.into_string()
}

/// What the pages need beside themselves: its kind, and its bytes.
pub fn asset(name: &str) -> Option<(&'static str, &'static [u8])> {
    match name {
        "panel.css" => Some(("text/css; charset=utf-8", STYLE.as_bytes())),
        "panel.js" => Some(("text/javascript; charset=utf-8", SCRIPT.as_bytes())),
        "panel.svg" => Some(("image/svg+xml", SIGN.as_bytes())),
        _ => None,
    }
}

/// The report's own, so that charts and figures look the same here as there, and what it has not.
const STYLE: &str = concat!(include_str!("../../report/html/style.css"), include_str!("panel.css"));

const SIGN: &str = include_str!("panel.svg");

/// One scope for all of it; each file says what it needs of the others.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("script/element.js"),
    include_str!("script/figure.js"),
    include_str!("script/api.js"),
    include_str!("script/dialog.js"),
    include_str!("script/tabs.js"),
    include_str!("script/table.js"),
    include_str!("script/job.js"),
    include_str!("script/form.js"),
    include_str!("script/history.js"),
    include_str!("script/charts.js"),
    include_str!("script/figures_by_name.js"),
    include_str!("script/course.js"),
    include_str!("script/said.js"),
    include_str!("script/run.js"),
    include_str!("script/studies.js"),
    include_str!("script/login.js"),
    include_str!("script/start.js"),
    "})();\n",
);
