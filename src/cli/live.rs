//! What is seen of a run that goes on: one line that is written over again, lines that stay, or the
//! whole screen. All of it on stderr: stdout is the report's alone.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use super::Outputs;
#[cfg(feature = "tui")]
use super::screen::Screen;
use super::terminal::Line;
use crate::engine::helm::Helm;
use crate::engine::{self, Progress};
use crate::monitor::Sampler;
use crate::plan::Plan;

pub struct Live {
    view: View,
    helm: Arc<Helm>,
}

enum View {
    Nothing,
    Line(Line),
    #[cfg(feature = "tui")]
    Screen(Box<Screen>),
}

impl Live {
    pub fn start(outputs: &Outputs, plan: &Plan) -> Live {
        #[cfg(feature = "serve")]
        let helm = outputs.feed.as_ref().map(|feed| feed.helm()).unwrap_or_default();
        #[cfg(not(feature = "serve"))]
        let helm = Arc::new(Helm::default());
        let view = match outputs.quiet {
            true => View::Nothing,
            false => view(outputs.tui, plan, &helm),
        };
        Live { view, helm }
    }

    pub fn helm(&self) -> Arc<Helm> {
        self.helm.clone()
    }

    /// On the control thread: hands over, and waits for nobody but a terminal that takes a line.
    pub fn show(&mut self, progress: Progress, sampler: &Sampler) {
        match &mut self.view {
            View::Nothing => {}
            View::Line(line) => line.show(progress),
            #[cfg(feature = "tui")]
            View::Screen(screen) => screen.show(progress, || sampler.latest()),
        }
        #[cfg(not(feature = "tui"))]
        let _ = sampler;
    }

    /// Leaves the terminal as it was found.
    pub fn end(self) {
        match self.view {
            View::Nothing => {}
            View::Line(mut line) => line.end(),
            #[cfg(feature = "tui")]
            View::Screen(screen) => screen.end(),
        }
    }
}

/// In a pipe nothing is shown unless it was asked for; what stays there is lines.
fn view(whole_screen: bool, plan: &Plan, helm: &Arc<Helm>) -> View {
    let line = |stays| {
        let line = Line::new(stays, engine::length(plan));
        View::Line(line.against(plan.load.offered().is_some(), plan.requests))
    };
    match (whole_screen, io::stderr().is_terminal()) {
        (false, false) => View::Nothing,
        (false, true) => line(false),
        (true, false) => {
            complain("stderr is no terminal");
            line(true)
        }
        (true, true) => screen(plan, helm).unwrap_or_else(|why| {
            complain(&why);
            line(false)
        }),
    }
}

#[cfg(feature = "tui")]
fn screen(plan: &Plan, helm: &Arc<Helm>) -> Result<View, String> {
    Screen::start(plan, helm.clone()).map(|screen| View::Screen(Box::new(screen)))
}

#[cfg(not(feature = "tui"))]
fn screen(_: &Plan, _: &Arc<Helm>) -> Result<View, String> {
    Err("this build has no screen".to_string())
}

fn complain(why: &str) {
    let line = format!("blast: --tui: {why}, so a line a second is shown in its place\n");
    let _ = io::stderr().write_all(line.as_bytes());
}
