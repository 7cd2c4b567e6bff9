//! Charts of a document as SVG: lines over time, the distribution on its long tail, the heat map.
//!
//! A chart names no colour: its classes are coloured by whoever shows it, so that the same one is
//! light, dark or on paper.

mod axis;
mod distribution;
mod draw;
mod heat;
pub mod picture;
#[cfg(feature = "pictures")]
pub mod pixels;
mod run;

use maud::Markup;

pub use axis::Axis;
pub use draw::{HEIGHT, WIDTH};

use super::Document;

pub use heat::HeatMap;

/// One of the charts, by what is drawn in it.
#[derive(Clone, Debug)]
pub enum Figure {
    Lines(Chart),
    Heat(HeatMap),
}

/// Lines on two axes.
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
    pub lines: Vec<Line>,
    /// The columns of the table of intervals that it shows; empty: it is not over time.
    pub columns: Vec<&'static str>,
}

/// A phase, from and to in s.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    pub name: &'static str,
    pub from: f64,
    pub to: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub name: &'static str,
    /// What colours it, and how it is stroked.
    pub class: &'static str,
    /// Filled down to the axis.
    pub filled: bool,
    /// `None` is a gap.
    pub points: Vec<Option<(f64, f64)>>,
}

impl Figure {
    pub fn title(&self) -> &'static str {
        self.frame().title
    }

    /// How to read it.
    pub fn note(&self) -> &'static str {
        self.frame().note
    }

    /// The chart alone, without its title.
    pub fn svg(&self) -> Markup {
        draw::svg(self)
    }

    fn frame(&self) -> &Chart {
        match self {
            Figure::Lines(chart) => chart,
            Figure::Heat(map) => &map.frame,
        }
    }
}

/// Every chart that this run has something to show in. The heat map stands beside the
/// distribution: the same times, over the run and as a whole.
pub fn figures(document: &Document) -> Vec<Figure> {
    let mut figures: Vec<Figure> = charts(document).into_iter().map(Figure::Lines).collect();
    let at = figures.len().min(3);
    if let Some(map) = heat::map(document) {
        figures.insert(at, Figure::Heat(map));
    }
    figures
}

/// Those of lines.
fn charts(document: &Document) -> Vec<Chart> {
    let mut charts = run::over_time(document);
    let at = charts.len().min(2);
    if let Some(chart) = distribution::chart(document) {
        charts.insert(at, chart);
    }
    charts
}
