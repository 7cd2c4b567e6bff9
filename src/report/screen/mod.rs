//! The screen of a run that goes on (`--tui`): a pure function of a [`State`] and of the room there
//! is. Who reads the keys and owns the terminal is the command line.
//!
//! ```text
//! second   one second of the run, as little of it as can be drawn
//! watch    what the engine tells of each second -> what the state takes in
//! state    all that is known so far
//! sheet    where text goes, and its colours
//! head     what runs, and how far it is
//! chart    rate and response time over time
//! heat     the latencies of each second as shades
//! figures  the rows below: requests, failures, workers, host, rules, keys
//! ```

mod chart;
mod figures;
mod head;
mod heat;
mod second;
mod sheet;
mod state;
mod watch;

#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use sheet::{Sheet, Tone};

pub use second::Second;
pub use state::{Connecting, Ending, Gauge, Standing, State, Subject, Update};
pub use watch::Watch;

/// Columns and rows without which nothing can be told.
const LEAST: (u16, u16) = (40, 10);

/// From so many rows on there is room for the workers and the host, and from so many for the heat.
const ROOMY: u16 = 16;
const TALL: u16 = 20;

/// Two charts stand side by side from here on.
const WIDE: u16 = 80;

/// Draws all of it into `buffer`.
pub fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let mut sheet = Sheet::new(buffer, state.colors);
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let text = format!("too small: {}x{} is the least", LEAST.0, LEAST.1);
        return sheet.put(area, 0, 0, Tone::Plain, &text);
    }
    let [top, middle, bottom] = parts(state, area);
    head::draw(state, top, &mut sheet);
    if state.shows_help {
        figures::help(middle, &mut sheet);
    } else {
        graphs(state, middle, area.height, &mut sheet);
    }
    figures::draw(state, bottom, area.height, &mut sheet);
}

/// Rows from the top and from the bottom; what is left between them is for the graphs.
fn parts(state: &State, area: Rect) -> [Rect; 3] {
    let below = figures::rows(state, area.height);
    let rows = |y: u16, height: u16| Rect { y: area.y + y, height, ..area };
    let middle = area.height - head::ROWS - below;
    [rows(0, head::ROWS), rows(head::ROWS, middle), rows(head::ROWS + middle, below)]
}

fn graphs(state: &State, area: Rect, screen: u16, sheet: &mut Sheet) {
    let (charts, heat) = match screen >= TALL {
        true => halves(area, area.height.div_ceil(2)),
        false => (area, Rect { height: 0, ..area }),
    };
    if area.width >= WIDE {
        let left = Rect { width: charts.width / 2 - 1, ..charts };
        let rest = left.width + 2;
        let right = Rect { x: charts.x + rest, width: charts.width - rest, ..charts };
        chart::rate(state, left, sheet);
        chart::response(state, right, sheet);
    } else if charts.height >= 8 {
        let (upper, lower) = halves(charts, charts.height.div_ceil(2));
        chart::rate(state, upper, sheet);
        chart::response(state, lower, sheet);
    } else {
        chart::rate(state, charts, sheet);
    }
    heat::draw(state, heat, sheet);
}

/// The upper rows, and the others.
fn halves(area: Rect, upper: u16) -> (Rect, Rect) {
    let lower = Rect { y: area.y + upper, height: area.height - upper, ..area };
    (Rect { height: upper, ..area }, lower)
}
