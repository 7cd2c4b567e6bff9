//! A chart as SVG. Places are in units of the picture, to a tenth.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::axis::Tick;
use super::heat::{Cell, SHARES};
use super::{Chart, Line, Mark, Span};

pub const WIDTH: f64 = 520.0;
pub const HEIGHT: f64 = 256.0;

/// The frame of the lines: what is left for labels around it.
const LEFT: f64 = 58.0;
const RIGHT: f64 = WIDTH - 14.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = HEIGHT - 34.0;

/// About the width of a letter, and of a sample of a line.
const LETTER: f64 = 8.4;
const SAMPLE: f64 = 18.0;
const SWATCH: f64 = 14.0;

/// Words of marks above each other, before the next one stands at the top again.
const WORDS: usize = 3;

/// A circle around where the pen is, which its own stroke fills.
const DOT: &str = "m-1.2 0a1.2 1.2 0 1 0 2.4 0a1.2 1.2 0 1 0 -2.4 0";

pub fn svg(chart: &Chart) -> Markup {
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(chart.title)
            data-from=[(!chart.columns.is_empty()).then_some(chart.x.low())]
            data-to=[(!chart.columns.is_empty()).then_some(chart.x.high())]
            data-columns=[(!chart.columns.is_empty()).then(|| chart.columns.join(","))] {
            (body(chart))
        }
    }
}

/// What stands in the picture, without the picture.
pub fn body(chart: &Chart) -> Markup {
    html! {
        @for span in &chart.spans { (shade(chart, span)) }
        @for tick in &chart.y.ticks { (row(chart, tick)) }
        @for tick in &chart.x.ticks { (column(chart, tick)) }
        (cells(chart))
        @for bound in &chart.bounds {
            @let x = across(chart, *bound);
            path class="bound" d={ "M" (tenths(x)) " " (TOP) "V" (BOTTOM) } {}
        }
        @for (place, mark) in chart.marks.iter().enumerate() { (flag(chart, place, mark)) }
        path class="axis" d={ "M" (LEFT) " " (BOTTOM) "H" (RIGHT) } {}
        @for line in &chart.lines {
            @if line.filled { path class={ (line.class) " area" } d=(area(chart, line)) {} }
            path class=(line.class) d=(trace(chart, line)) {}
        }
        @if chart.cells.is_empty() { (legend(chart)) } @else { (strengths()) }
        text class="unit" x=(RIGHT) y=(HEIGHT - 3.0) text-anchor="end" { (chart.x.unit) }
    }
}

fn shade(chart: &Chart, span: &Span) -> Markup {
    let (from, to) = (across(chart, span.from), across(chart, span.to));
    html! {
        rect class="span" x=(tenths(from)) y=(TOP) width=(tenths(to - from)) height=(BOTTOM - TOP) {}
        @if to - from > span.name.len() as f64 * LETTER {
            text class="unit" x=(tenths(from + 4.0)) y=(TOP + 13.0) { (span.name) }
        }
    }
}

/// A line from top to bottom with its word beside it; words of neighbours stand lower.
fn flag(chart: &Chart, place: usize, mark: &Mark) -> Markup {
    let x = across(chart, mark.at);
    let y = TOP + 13.0 + (place % WORDS) as f64 * 14.0;
    // What would stand out of the picture stands on the other side.
    let is_last = x + mark.word.chars().count() as f64 * LETTER > RIGHT;
    let (at, anchor) = if is_last { (x - 4.0, "end") } else { (x + 4.0, "start") };
    html! {
        path class="mark" d={ "M" (tenths(x)) " " (TOP) "V" (BOTTOM) } {}
        text class="mark" x=(tenths(at)) y=(y) text-anchor=(anchor) { (mark.word) }
    }
}

fn row(chart: &Chart, tick: &Tick) -> Markup {
    let y = down(chart, tick.at);
    html! {
        path class="grid" d={ "M" (LEFT) " " (tenths(y)) "H" (RIGHT) } {}
        @if !tick.label.is_empty() {
            text x=(LEFT - 6.0) y=(tenths(y + 4.0)) text-anchor="end" { (tick.label) (chart.y.unit) }
        }
    }
}

fn column(chart: &Chart, tick: &Tick) -> Markup {
    let x = across(chart, tick.at);
    // What would stand out of the picture ends at its edge.
    let half = tick.label.len() as f64 * LETTER / 2.0;
    let (at, anchor) = if x + half > WIDTH { (WIDTH, "end") } else { (x, "middle") };
    html! {
        path class="grid" d={ "M" (tenths(x)) " " (BOTTOM) "v4" } {}
        text x=(tenths(at)) y=(BOTTOM + 17.0) text-anchor=(anchor) { (tick.label) }
    }
}

/// A sample of each line with its name, from the left.
fn legend(chart: &Chart) -> Markup {
    let mut x = LEFT;
    let named = chart.lines.iter().filter(|line| !line.name.is_empty());
    let places = named.map(|line| {
        let at = x;
        x += SAMPLE + 6.0 + line.name.chars().count() as f64 * LETTER + 14.0;
        (line, at)
    });
    let places: Vec<_> = places.collect();
    html! {
        @for (line, at) in places {
            path class=(line.class) d={ "M" (tenths(at)) " 12h" (SAMPLE) } {}
            text x=(tenths(at + SAMPLE + 6.0)) y="16" { (line.name) }
        }
    }
}

/// A path a strength, which are far fewer elements than a rectangle a cell.
fn cells(chart: &Chart) -> Markup {
    let of = |strength| chart.cells.iter().filter(move |cell| cell.strength == strength);
    let outline = |strength| of(strength).map(|cell| rectangle(chart, cell)).collect::<String>();
    let paths = (0..SHARES.len()).map(|strength| (strength, outline(strength)));
    let paths: Vec<(usize, String)> = paths.filter(|(_, path)| !path.is_empty()).collect();
    html! { @for (strength, path) in &paths { path class={ "heat h" (strength) } d=(path) {} } }
}

fn rectangle(chart: &Chart, cell: &Cell) -> String {
    let x = [cell.from, cell.to].map(|x| tenths(across(chart, x)));
    let y = [cell.low, cell.high].map(|y| tenths(down(chart, y)));
    format!("M{} {}H{}V{}H{}Z", x[0], y[0], x[1], y[1], x[0])
}

/// From the rarest to the most.
fn strengths() -> Markup {
    let percent = |share: f64| format!("{} %", (share * 1e4).round() / 100.0);
    let (rare, most) = (format!("<{}", percent(SHARES[1])), percent(SHARES[SHARES.len() - 1]));
    let from = LEFT + rare.len() as f64 * LETTER + 4.0;
    let end = from + SHARES.len() as f64 * SWATCH;
    html! {
        text x=(LEFT) y="16" { (rare) }
        @for strength in 0..SHARES.len() {
            @let x = tenths(from + strength as f64 * SWATCH);
            path class={ "heat h" (strength) } d={ "M" (x) " 6h" (SWATCH) "v12h-" (SWATCH) "Z" } {}
        }
        text x=(tenths(end + 6.0)) y="16" { (most) " and more of the requests" }
    }
}

fn trace(chart: &Chart, line: &Line) -> String {
    let mut path = String::new();
    for stretch in line.points.split(Option::is_none) {
        for (at, (x, y)) in stretch.iter().flatten().enumerate() {
            let pen = if at == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{pen}{} {}", tenths(across(chart, *x)), tenths(down(chart, *y)));
        }
        if stretch.len() == 1 {
            // A point alone has no line: it is a dot.
            path += DOT;
        }
    }
    path
}

/// The same, closed along the axis: each stretch without a gap for itself.
fn area(chart: &Chart, line: &Line) -> String {
    let stretches = line.points.split(Option::is_none).filter(|points| points.len() > 1);
    let mut path = String::new();
    for points in stretches {
        let places: Vec<_> = points.iter().flatten().collect();
        let (Some(first), Some(last)) = (places.first(), places.last()) else { continue };
        let _ = write!(path, "M{} {BOTTOM}", tenths(across(chart, first.0)));
        for (x, y) in &places {
            let _ = write!(path, "L{} {}", tenths(across(chart, *x)), tenths(down(chart, *y)));
        }
        let _ = write!(path, "L{} {BOTTOM}Z", tenths(across(chart, last.0)));
    }
    path
}

fn across(chart: &Chart, x: f64) -> f64 {
    LEFT + chart.x.place(x) * (RIGHT - LEFT)
}

fn down(chart: &Chart, y: f64) -> f64 {
    BOTTOM - chart.y.place(y) * (BOTTOM - TOP)
}

/// To a tenth, without a zero that says nothing.
fn tenths(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}
