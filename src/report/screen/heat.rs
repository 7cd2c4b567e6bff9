//! The heat strip: how the response times of each second lie. Across: time; up: latency, in steps
//! of a power; the shade: the share of the second's requests.

use ratatui::layout::Rect;

use super::chart::{Columns, inner, labels};
use super::second::{STEPS, Second, begins};
use super::sheet::{Sheet, Tone};
use super::state::State;
use crate::report::number::cell;

/// A share up to so much has this shade; nothing has none.
const SHADES: [(f64, &str); 5] = [(0.001, "·"), (0.01, "░"), (0.1, "▒"), (0.3, "▓"), (1.1, "█")];

pub fn draw(state: &State, area: Rect, sheet: &mut Sheet) {
    if area.height < 2 {
        return;
    }
    let title = [
        (Tone::Strong, "latency".to_string()),
        (Tone::Quiet, "  of each second's requests: ".to_string()),
        (Tone::Heat(1), "·".to_string()),
        (Tone::Quiet, " <0.1 % ".to_string()),
        (Tone::Heat(2), "░".to_string()),
        (Tone::Quiet, " <1 % ".to_string()),
        (Tone::Heat(3), "▒".to_string()),
        (Tone::Quiet, " <10 % ".to_string()),
        (Tone::Heat(4), "▓".to_string()),
        (Tone::Quiet, " <30 % ".to_string()),
        (Tone::Heat(5), "█".to_string()),
    ];
    sheet.pieces(area, 0, &title);
    let inner = inner(area);
    let columns = Columns::of(state, inner.width);
    let Some((first, last)) = range(&columns) else { return };
    let steps = last + 1 - first;
    let rows = usize::from(inner.height).min(steps);
    let below = Rect { height: (rows + 1) as u16, ..area };
    let label = |step| cell(begins(step).as_micros_f64());
    labels(below, sheet, &label(last + 1), &label(first));
    for (column, second) in columns.iter() {
        let all: u64 = second.heat.iter().map(|count| u64::from(*count)).sum();
        for row in 0..rows {
            // From the bottom: as many steps as the other rows have, or one more.
            let [from, to] = [rows - 1 - row, rows - row].map(|row| first + row * steps / rows);
            let count: u64 = second.heat[from..to].iter().map(|count| u64::from(*count)).sum();
            if count > 0 {
                let (tone, shade) = shade(count as f64 / all as f64);
                sheet.put(inner, column, row as u16, tone, &shade.repeat(columns.each.into()));
            }
        }
    }
}

/// The first and the last step in which there was something.
fn range(columns: &Columns) -> Option<(usize, usize)> {
    let has =
        |step: &usize| columns.iter().any(|(_, second): (u16, &Second)| second.heat[*step] > 0);
    Some(((0..STEPS).find(has)?, (0..STEPS).rev().find(has)?))
}

fn shade(share: f64) -> (Tone, &'static str) {
    let at = SHADES.iter().position(|(below, _)| share < *below).unwrap_or(SHADES.len() - 1);
    (Tone::Heat(at as u8 + 1), SHADES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_there_are_the_darker_it_is() {
        let shades: Vec<_> = [1e-6, 0.005, 0.05, 0.2, 1.0].map(|s| shade(s).1).into();
        assert_eq!(shades, ["·", "░", "▒", "▓", "█"]);
    }
}
