//! The rows below: requests, failures, workers, host, rules, and the keys.

use ratatui::layout::Rect;

use super::sheet::{Sheet, Tone, columns};
use super::state::{Ending, Gauge, Standing, State};
use super::{ROOMY, TALL};
use crate::report::number::{cell, count, percent};

/// Columns of a row's name.
const NAME: usize = 9;

/// Columns of a worker's bar.
const BAR: usize = 10;

/// Of the host's gauges, those that are shown before the others.
const HOST_FIRST: [&str; 5] =
    ["host.cpu", "host.memory", "host.net_received", "host.net_sent", "host.retransmits"];

/// Busy enough to be the limit, and close to it.
const FULL: f64 = 0.95;
const HIGH: f64 = 0.8;

/// How many there are on a screen of this height.
pub fn rows(state: &State, screen: u16) -> u16 {
    lines(state, screen, u16::MAX).len() as u16 + 1
}

pub fn draw(state: &State, area: Rect, screen: u16, sheet: &mut Sheet) {
    for (row, pieces) in lines(state, screen, area.width).iter().enumerate() {
        sheet.pieces(area, row as u16, pieces);
    }
    keys(state, area, sheet);
}

type Line = Vec<(Tone, String)>;

fn lines(state: &State, screen: u16, width: u16) -> Vec<Line> {
    let mut lines = vec![requests(state), failures(state)];
    if screen >= ROOMY {
        lines.push(workers(state, width));
        lines.extend(gauges(state));
    }
    if !state.rules.is_empty() {
        match screen >= TALL {
            true => lines.extend(state.rules.chunks(3).take(2).map(rules)),
            false => lines.push(rules(&state.rules)),
        }
    }
    lines
}

fn name(name: &str) -> (Tone, String) {
    (Tone::Strong, format!("{name:<NAME$}"))
}

fn requests(state: &State) -> Line {
    let errors = state.ended - state.good;
    let share = if state.ended > 0 { errors as f64 / state.ended as f64 } else { 0.0 };
    let tone = if errors > 0 { Tone::Bad } else { Tone::Plain };
    let newest = state.newest();
    let in_flight = newest.map_or(0, |second| second.in_flight);
    let lag = newest.and_then(|second| second.send_lag_p99);
    let mut line = vec![
        name("requests"),
        (Tone::Plain, format!("{} good  ", count(state.good))),
        (tone, format!("{} errors ({})  ", count(errors), percent(share))),
        (Tone::Plain, format!("{} in flight", count(in_flight))),
    ];
    if state.subject.open_loop {
        let lag = lag.map_or("-".to_string(), |lag| cell(lag.as_micros_f64()));
        line.push((Tone::Plain, format!("  send lag p99 {lag}")));
    }
    line
}

fn failures(state: &State) -> Line {
    let mut line = vec![name("failures")];
    match &state.failures[..] {
        [] => line.push((Tone::Quiet, "none".to_string())),
        some => {
            let piece =
                |(kind, times): &(&str, u64)| (Tone::Bad, format!("{kind} {}  ", count(*times)));
            line.extend(some.iter().map(piece));
        }
    }
    line
}

/// A bar for each where all of them fit, or else the shares alone.
fn workers(state: &State, width: u16) -> Line {
    let with_bars = |busy: &f64| {
        let full = (busy * BAR as f64).round() as usize;
        let bar = format!("{}{}", "█".repeat(full.min(BAR)), "░".repeat(BAR.saturating_sub(full)));
        (tone_of(*busy), format!("{bar} {:>3.0} %  ", busy * 100.0))
    };
    let alone = |busy: &f64| (tone_of(*busy), format!("{:.0} %  ", busy * 100.0));
    let bars: Line = state.busy.iter().map(with_bars).collect();
    let length: u16 = bars.iter().map(|(_, text)| columns(text)).sum();
    let fits = length.saturating_add(NAME as u16) <= width;
    let mut line = vec![name("workers")];
    line.extend(if fits { bars } else { state.busy.iter().map(alone).collect() });
    line
}

fn tone_of(busy: f64) -> Tone {
    match busy {
        busy if busy > FULL => Tone::Bad,
        busy if busy > HIGH => Tone::Middling,
        _ => Tone::Plain,
    }
}

/// A row of this host's and a row of what was asked for and of the server, each with what tells most
/// in front: what does not fit is left out. `host.` and `server.` go without saying.
fn gauges(state: &State) -> Vec<Line> {
    let (mut host, mut beside): (Vec<&Gauge>, Vec<&Gauge>) =
        state.gauges.iter().partition(|gauge| gauge.name.starts_with("host."));
    host.sort_by_key(|gauge| HOST_FIRST.iter().position(|first| gauge.name == *first).unwrap_or(9));
    beside.sort_by_key(|gauge| gauge.name.starts_with("server."));
    let has_server = beside.iter().any(|gauge| gauge.name.starts_with("server."));
    let rows = [("host", host), (if has_server { "server" } else { "beside" }, beside)];
    let row = |(title, gauges): (&str, Vec<&Gauge>)| {
        let piece = |gauge: &&Gauge| {
            let short = gauge.name.strip_prefix("host.");
            let short = short.or(gauge.name.strip_prefix("server.")).unwrap_or(&gauge.name);
            (Tone::Plain, format!("{short} {}  ", gauge.value))
        };
        std::iter::once(name(title)).chain(gauges.iter().map(piece)).collect()
    };
    rows.into_iter().filter(|(_, gauges)| !gauges.is_empty()).map(row).collect()
}

fn rules(rules: &[Standing]) -> Line {
    let mut line = vec![name("rules")];
    for Standing { rule, holds, value } in rules {
        let (tone, mark) = match holds {
            Some(true) => (Tone::Good, "✓"),
            Some(false) => (Tone::Bad, "✗"),
            None => (Tone::Quiet, "-"),
        };
        let value = if holds.is_some() { format!(" ({value})") } else { String::new() };
        line.push((tone, format!("{mark} {rule}{value}  ")));
    }
    line
}

fn keys(state: &State, area: Rect, sheet: &mut Sheet) {
    let row = area.height - 1;
    let text = match state.ending {
        Ending::No if state.is_elastic => "q stop  + longer  - shorter  space freeze  ? help",
        Ending::No => "q stop  space freeze  ? help",
        Ending::Soon => "stopping: waits for the answers; q again ends it at once",
        Ending::Now => "ending",
    };
    sheet.put(area, 0, row, Tone::Quiet, text);
    if state.is_frozen {
        sheet.right(area, row, columns(text) + 2, Tone::Middling, "frozen");
    }
}

/// In the place of the graphs.
pub fn help(area: Rect, sheet: &mut Sheet) {
    const LINES: [(&str, &str); 7] = [
        ("q, Ctrl-C", "stop: no more requests, wait for the answers, print the report"),
        ("", "a second time: end at once, and print it"),
        ("+ and -", "measure 10 s longer or shorter; the load goes on at its last rate"),
        ("space", "freeze the view and go on with it; the load is not touched"),
        ("?", "this help, and back"),
        ("rate", "bars: good answers; line: what was due"),
        ("latency", "time goes right, latency up; the darker, the more requests"),
    ];
    for (row, (key, text)) in LINES.iter().enumerate() {
        sheet.put(area, 2, row as u16 + 1, Tone::Strong, key);
        sheet.put(area, 14, row as u16 + 1, Tone::Plain, text);
    }
}
