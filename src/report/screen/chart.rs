//! Rate and response time over time: a second is a column or more.

use ratatui::layout::Rect;

use super::second::Second;
use super::sheet::{Sheet, Tone, columns};
use super::state::State;
use crate::report::number::{cell, per_second};
use crate::time::Nanos;
use crate::units::format_count;

/// Columns for the labels of the height.
pub const LABELS: u16 = 7;

/// Columns that a second takes at most.
const WIDEST: u16 = 4;

/// A column that is filled up to so many eighths.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The seconds that fit, and the columns each has.
pub struct Columns<'a> {
    seconds: Vec<&'a Second>,
    pub each: u16,
}

impl<'a> Columns<'a> {
    pub fn of(state: &'a State, width: u16) -> Columns<'a> {
        let expected = state.total().map_or(0, |total| total.0.div_ceil(1_000_000_000) as usize);
        let count = state.seconds.len().max(expected).max(1);
        let each = (usize::from(width) / count).clamp(1, usize::from(WIDEST)) as u16;
        let fit = usize::from(width / each);
        let seconds = state.seconds.iter().skip(state.seconds.len().saturating_sub(fit)).collect();
        Columns { seconds, each }
    }

    /// Each with its first column.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &'a Second)> + '_ {
        let each = usize::from(self.each);
        self.seconds.iter().enumerate().map(move |(index, second)| ((index * each) as u16, *second))
    }
}

/// The part of `area` that is drawn into, below the title and beside the labels.
pub fn inner(area: Rect) -> Rect {
    Rect {
        x: area.x + LABELS,
        y: area.y + 1,
        width: area.width.saturating_sub(LABELS),
        height: area.height.saturating_sub(1),
    }
}

/// Labels at the top and at the bottom of the height.
pub fn labels(area: Rect, sheet: &mut Sheet, top: &str, bottom: &str) {
    let width = usize::from(LABELS - 1);
    sheet.put(area, 0, 1, Tone::Quiet, &format!("{top:>width$}"));
    if area.height > 2 {
        sheet.put(area, 0, area.height - 1, Tone::Quiet, &format!("{bottom:>width$}"));
    }
}

/// Good answers a second as bars, and what was due as a line.
pub fn rate(state: &State, area: Rect, sheet: &mut Sheet) {
    let mut title = vec![(Tone::Strong, "rate".to_string())];
    if let Some(second) = state.newest() {
        title.push((Tone::Good, format!("  {}", per_second(second.good))));
        let against = if state.subject.open_loop && second.due > 0.0 {
            format!(" good of {} due/s", per_second(second.due))
        } else {
            " good/s".to_string()
        };
        title.push((Tone::Plain, against));
    }
    sheet.pieces(area, 0, &title);
    let inner = inner(area);
    let columns = Columns::of(state, inner.width);
    let due = |second: &Second| if state.subject.open_loop { second.due } else { 0.0 };
    let highest =
        columns.iter().map(|(_, second)| second.good.max(due(second))).fold(0.0, f64::max);
    if inner.height == 0 || highest <= 0.0 {
        return;
    }
    labels(area, sheet, &format_count(highest.round()).replace(' ', ""), "0");
    let eighths = |value: f64| (value / highest * f64::from(inner.height) * 8.0).round() as usize;
    for (column, second) in columns.iter() {
        let (good, line) = (eighths(second.good), eighths(due(second)));
        for row in 0..inner.height {
            let below = usize::from(inner.height - 1 - row) * 8;
            let filled = good.saturating_sub(below).min(8);
            let is_line = line > below && line <= below + 8;
            let (tone, character) = match filled {
                0 if is_line => (Tone::Quiet, "─"),
                filled => (
                    if good < line * 99 / 100 { Tone::Middling } else { Tone::Good },
                    EIGHTHS[filled],
                ),
            };
            sheet.put(inner, column, row, tone, &character.repeat(columns.each.into()));
        }
    }
}

/// A line of the chart of response times.
struct Line {
    name: &'static str,
    mark: &'static str,
    tone: Tone,
    of: fn(&Second) -> Option<Nanos>,
}

const LINES: [Line; 3] = [
    Line { name: "p50", mark: "o", tone: Tone::Good, of: |second| second.response_p50 },
    Line { name: "p99", mark: "+", tone: Tone::Middling, of: |second| second.response_p99 },
    Line { name: "p99.9", mark: "^", tone: Tone::Bad, of: |second| second.response_p99_9 },
];

/// Three quantiles, on a scale of powers.
pub fn response(state: &State, area: Rect, sheet: &mut Sheet) {
    let name = if state.subject.open_loop { "response" } else { "service" };
    let mut title = vec![(Tone::Strong, name.to_string())];
    for line in &LINES {
        let value = state.newest().and_then(|second| (line.of)(second));
        let value = value.map_or("-".to_string(), |time| cell(time.as_micros_f64()));
        title.push((line.tone, format!("  {} {}", line.mark, line.name)));
        title.push((Tone::Plain, format!(" {value}")));
    }
    let width: u16 = title.iter().map(|(_, text)| columns(text)).sum();
    if width > area.width {
        for (_, text) in title.iter_mut() {
            *text = text.replace("  ", " ").replace(" p", "");
        }
    }
    sheet.pieces(area, 0, &title);
    let inner = inner(area);
    let columns = Columns::of(state, inner.width);
    let all = || columns.iter().flat_map(|(_, second)| LINES.iter().filter_map(|l| (l.of)(second)));
    let (Some(least), Some(most)) = (all().min(), all().max()) else { return };
    if inner.height == 0 {
        return;
    }
    let power = |time: Nanos| (time.0.max(1) as f64).log10();
    let (low, high) = (power(least).floor(), power(most).ceil().max(power(least).floor() + 1.0));
    let label = |power: f64| cell(10f64.powf(power - 3.0));
    labels(area, sheet, &label(high), &label(low));
    for (column, second) in columns.iter() {
        // What is lower covers what is higher where both fall into one row.
        for line in LINES.iter().rev() {
            let Some(time) = (line.of)(second) else { continue };
            let height = (power(time) - low) / (high - low) * f64::from(inner.height);
            let row = inner.height - 1 - (height as u16).min(inner.height - 1);
            sheet.put(inner, column, row, line.tone, &line.mark.repeat(columns.each.into()));
        }
    }
}
