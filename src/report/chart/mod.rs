//! Charts of a document as SVG: lines over time, the distribution on its long tail, the heat map.
//!
//! A chart names no colour: its classes are coloured by whoever shows it, so that the same one is
//! light, dark or on paper.

mod axis;
mod course;
mod distribution;
mod draw;
pub mod forest;
mod gauges;
mod heat;
pub mod knee;
pub mod ladder;
mod monitor;
pub mod picture;
#[cfg(feature = "pictures")]
pub mod pixels;
mod rounds;
mod run;
pub mod timeline;
mod trends;

use std::borrow::Cow;

use maud::Markup;

pub use axis::{Axis, ratio};
pub use course::Course;
pub use distribution::of_runs;
pub use draw::{HEIGHT, WIDTH};
pub use heat::Cell;
pub use monitor::readings;
pub use rounds::{of_rounds, of_sides};
pub use trends::trends;

use super::Document;

/// Lines, or cells, on two axes.
#[derive(Clone, Debug)]
pub struct Chart {
    pub title: &'static str,
    /// How to read it.
    pub note: &'static str,
    pub x: Axis,
    pub y: Axis,
    /// Stretches of the time beside the measured one, behind the lines.
    pub spans: Vec<Span>,
    /// Where a stage begins.
    pub bounds: Vec<f64>,
    /// Where somebody changed the load.
    pub marks: Vec<Mark>,
    pub lines: Vec<Line>,
    /// Of a heat map, which has no lines.
    pub cells: Vec<Cell>,
    /// The columns of the table of intervals that it shows; empty: it is not over time.
    pub columns: Vec<&'static str>,
}

/// A phase, from and to in s.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    pub name: Cow<'static, str>,
    pub from: f64,
    pub to: f64,
}

/// An instant with a word to it, in s.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub at: f64,
    pub word: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Without one it is not in the legend.
    pub name: Cow<'static, str>,
    /// What colours it, and how it is stroked.
    pub class: &'static str,
    /// Filled down to the axis.
    pub filled: bool,
    /// `None` is a gap.
    pub points: Vec<Option<(f64, f64)>>,
}

impl Line {
    /// The same points as dots, which the legend does not name again.
    fn dots(&self) -> Line {
        let apart = self.points.iter().flatten().flat_map(|point| [Some(*point), None]);
        let class = self.class.split(' ').next().unwrap_or_default();
        Line { name: "".into(), class, filled: false, points: apart.collect() }
    }
}

impl Chart {
    /// The chart alone, without its title.
    pub fn svg(&self) -> Markup {
        draw::svg(self)
    }
}

/// Every chart that this run has something to show in.
pub fn charts(document: &Document) -> Vec<Chart> {
    with_whole(&Course::of(document), distribution::chart(document))
}

/// The same of a run as far as it came; what only its end knows is not among them.
pub fn so_far(course: &Course) -> Vec<Chart> {
    with_whole(course, None)
}

/// What was read beside the load of this run.
pub fn beside(document: &Document) -> Vec<Chart> {
    gauges::beside(&Course::of(document))
}

/// The same of a run as far as it came.
pub fn beside_so_far(course: &Course) -> Vec<Chart> {
    gauges::beside(course)
}

fn with_whole(course: &Course, distribution: Option<Chart>) -> Vec<Chart> {
    let mut charts = run::over_time(course);
    // The same times as a whole and over the run, beside each other.
    let at = charts.len().min(2);
    let whole = [distribution, heat::chart(course)];
    charts.splice(at..at, whole.into_iter().flatten());
    charts
}
