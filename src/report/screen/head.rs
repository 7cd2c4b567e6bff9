//! The top: what runs, and how far it is.

use ratatui::layout::Rect;

use super::sheet::{Sheet, Tone, columns};
use super::state::{Ending, State};
use crate::metrics::Phase;
use crate::report::number::count;
use crate::time::Nanos;

pub const ROWS: u16 = 2;

/// Columns of the bar, at least and at most.
const BAR: (u16, u16) = (8, 60);

pub fn draw(state: &State, area: Rect, sheet: &mut Sheet) {
    let subject = &state.subject;
    sheet.put(area, 0, 0, Tone::Strong, &subject.what);
    sheet.right(area, 0, columns(&subject.what) + 2, Tone::Plain, &subject.how);
    let phase = format!("{:<9}", phase(state));
    let clock = clock(state);
    let room = area.width.saturating_sub(columns(&phase) + columns(&clock) + 2);
    sheet.put(area, 0, 1, Tone::Strong, &phase);
    let mut column = columns(&phase);
    if let Some(done) = done(state)
        && room >= BAR.0
    {
        let bar = room.min(BAR.1);
        let full = (done * f64::from(bar)) as u16;
        sheet.put(area, column, 1, Tone::Good, &"█".repeat(full.into()));
        sheet.put(area, column + full, 1, Tone::Quiet, &"░".repeat((bar - full).into()));
        column += bar + 2;
    }
    sheet.put(area, column, 1, Tone::Plain, &clock);
}

fn phase(state: &State) -> &'static str {
    match (state.connecting, state.ending) {
        (Some(_), Ending::No) => "connect",
        (_, Ending::Soon) => "stopping",
        (_, Ending::Now) => "ending",
        _ => state.phase().name(),
    }
}

/// The share that is over; `None`: nobody knows.
fn done(state: &State) -> Option<f64> {
    if let Some(connecting) = state.connecting {
        return Some(connecting.dialled as f64 / connecting.connections.max(1) as f64);
    }
    let by_time = state.total().map(|total| state.elapsed.as_secs_f64() / total.as_secs_f64());
    let asked = state.subject.requests;
    let by_count = asked.map(|asked| state.ended as f64 / asked.max(1) as f64);
    let done = by_time.into_iter().chain(by_count).fold(None, |most: Option<f64>, share| {
        // An empty run has no share.
        Some(most.unwrap_or(0.0).max(if share.is_nan() { 1.0 } else { share }))
    });
    done.map(|done| done.clamp(0.0, 1.0))
}

fn clock(state: &State) -> String {
    if let Some(connecting) = state.connecting {
        return format!(
            "{} of {} connections",
            count(connecting.dialled),
            count(connecting.connections)
        );
    }
    let stage = match state.stage() {
        Some((stage, of)) if state.phase() == Phase::Measure => format!(", stage {stage} of {of}"),
        _ => String::new(),
    };
    let elapsed = whole(state.elapsed);
    match state.total() {
        Some(total) if state.elapsed < total => {
            let left = whole(total) - elapsed;
            format!("{elapsed} of {} s, {left} s left{stage}", whole(total))
        }
        _ => format!("{elapsed} s{stage}"),
    }
}

fn whole(time: Nanos) -> u64 {
    time.0 / 1_000_000_000
}
