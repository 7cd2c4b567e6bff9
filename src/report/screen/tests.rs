//! Screens of the fixture runs, as golden files: what a person sees, with and without colours.

use std::fmt::Write as _;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::*;
use crate::metrics::{Fates, Phase};
use crate::report::fixture::{self, Run};
use crate::time::Nanos;

/// The state after so many seconds of a run whose requests end evenly.
fn after(run: &Run, seconds: usize) -> State {
    let summary = &run.summary;
    let subject = Subject::of(&run.plan, summary.client.engine, summary.client.workers.len());
    let mut state = State::new(&run.plan, subject, false);
    let mut watch = Watch::new(summary.mode, &run.plan.thresholds);
    state.measure_at = Some(summary.warmup_length);
    state.length = run.plan.duration;
    let busy: Vec<f64> = summary.client.workers.iter().map(|worker| worker.busy()).collect();
    let phase = |phase| summary.intervals.iter().filter(|i| i.phase == phase).count() as u64;
    let measure = part(&summary.measure, phase(Phase::Measure) + phase(Phase::Drain));
    let warmup = part(&summary.warmup, phase(Phase::Warmup));
    let none = Fates::default();
    for (row, interval) in summary.intervals.iter().take(seconds).enumerate() {
        let fates = match interval.phase {
            Phase::Warmup => [&none, &warmup],
            _ => [&measure, &none],
        };
        let columns = summary.gauges.iter().flat_map(|gauges| &gauges.columns);
        let gauges = columns.map(|column| (column.label.clone(), column.values[row])).collect();
        state.take_in(watch.second(interval, fates, &busy, gauges));
    }
    state
}

/// One of so many equal parts.
fn part(fates: &Fates, parts: u64) -> Fates {
    let mut part = Fates::default();
    let parts = parts.max(1);
    let histograms = [(&fates.good, &mut part.good), (&fates.censored, &mut part.censored)];
    for (from, to) in histograms {
        from.recorded().for_each(|(time, count)| to.record_many(time, count / parts));
    }
    let (of, to) = (&fates.counters, &mut part.counters);
    to.good = of.good / parts;
    to.completed = to.good + of.rejected() / parts;
    to.sent = of.sent / parts;
    to.dropped = of.dropped / parts;
    let each = |to: &mut [u64], of: &[u64]| to.iter_mut().zip(of).for_each(|(t, o)| *t = o / parts);
    each(&mut to.failures, &of.failures);
    each(&mut to.rejections, &of.rejections);
    each(&mut to.drops, &of.drops);
    part
}

fn screen(state: &State, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(state, frame.area(), frame.buffer_mut())).unwrap();
    terminal.backend().buffer().clone()
}

/// The characters alone.
fn text(buffer: &Buffer) -> String {
    let rows = buffer.content().chunks(usize::from(buffer.area.width));
    let row = |cells: &[ratatui::buffer::Cell]| {
        let row: String = cells.iter().map(|cell| cell.symbol()).collect();
        format!("{}\n", row.trim_end())
    };
    rows.map(row).collect()
}

/// With a mark where the style changes: `{Green}`, `{bold}`, `{}`.
fn styled(buffer: &Buffer) -> String {
    let mut text = String::new();
    for cells in buffer.content().chunks(usize::from(buffer.area.width)) {
        let mut before = (Color::Reset, false);
        let mut row = String::new();
        for cell in cells {
            let style = (cell.fg, cell.modifier.contains(Modifier::BOLD));
            if style != before {
                let color =
                    if style.0 == Color::Reset { String::new() } else { style.0.to_string() };
                let bold = if style.1 { "bold" } else { "" };
                write!(row, "{{{color}{bold}}}").unwrap();
                before = style;
            }
            row.push_str(cell.symbol());
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

#[test]
fn screens_are_as_the_golden_files_have_them() {
    for (name, seconds) in
        [("held", 7), ("mixed", 10), ("judged", 9), ("shaped", 6), ("watched", 10), ("closed", 4)]
    {
        let state = after(&fixture::named(name), seconds);
        for (width, height) in [(80, 24), (120, 40)] {
            let drawn = text(&screen(&state, width, height));
            fixture::golden(&format!("{name}-{width}x{height}.screen"), &drawn);
        }
    }
}

#[test]
fn colours_only_repeat_what_the_characters_say() {
    for name in ["mixed", "judged"] {
        let plain = after(&fixture::named(name), 9);
        let colored = State { colors: true, ..plain.clone() };
        let (plain, colored) = (screen(&plain, 80, 24), screen(&colored, 80, 24));
        assert_eq!(text(&plain), text(&colored));
        assert!(plain.content().iter().all(|cell| cell.fg == Color::Reset));
        fixture::golden(&format!("{name}-80x24-colors.screen"), &styled(&colored));
    }
}

#[test]
fn every_size_is_drawn_and_one_that_is_too_small_says_so() {
    for name in ["mixed", "judged", "watched", "empty"] {
        let state = after(&fixture::named(name), usize::MAX);
        for (width, height) in [(1, 1), (39, 40), (200, 9)] {
            let text = text(&screen(&state, width, height));
            assert!("too small: 40x10 is the least".starts_with(text.trim()), "{text}");
        }
        for width in [40, 61, 79, 80, 200, 300] {
            for height in [10, 11, 15, 16, 19, 20, 60] {
                let text = text(&screen(&state, width, height));
                assert!(text.contains("rate") && text.contains("q stop"), "{text}");
                assert!(!text.contains(fixture::SECRET), "{text}");
            }
        }
    }
}

#[test]
fn the_phase_follows_the_clock_and_the_stage_with_it() {
    let state = after(&fixture::named("shaped"), 3);
    let at = |millis| State { elapsed: Nanos::from_millis(millis), ..state.clone() };
    let measure = state.measure_at.unwrap();
    assert_eq!(at(measure.0 / 1_000_000).phase(), Phase::Measure);
    assert_eq!(at(measure.0 / 1_000_000).stage().unwrap().0, 1);
    let end = state.total().unwrap();
    assert_eq!(at(end.0 / 1_000_000 + 1).phase(), Phase::Drain);
    let (last, of) = at(end.0 / 1_000_000 + 1).stage().unwrap();
    assert_eq!(last, of);
}

#[test]
fn whoever_looks_is_told_what_goes_on_and_what_he_can_do() {
    let state = after(&fixture::named("held"), 2);
    let of = |state: &State| text(&screen(state, 80, 24));
    let connecting = Some(Connecting { dialled: 12, connections: 10_000 });
    let fresh = State { connecting, seconds: Default::default(), ..state.clone() };
    assert!(of(&fresh).contains("connect") && of(&fresh).contains("12 of 10,000 connections"));
    let elastic = State { is_elastic: true, ..state.clone() };
    assert!(of(&elastic).contains("+ longer") && !of(&state).contains("+ longer"));
    assert!(of(&State { is_frozen: true, ..state.clone() }).contains("frozen"));
    assert!(of(&State { shows_help: true, ..state.clone() }).contains("10 s longer or shorter"));
    let stopping = State { ending: Ending::Soon, ..state.clone() };
    assert!(of(&stopping).contains("stopping") && of(&stopping).contains("q again"));
}

#[test]
fn what_was_asked_for_and_the_server_are_seen_at_any_width() {
    let mut state = after(&fixture::named("held"), 3);
    let gauge = |name: &str| Gauge { name: name.to_string(), value: "7".to_string() };
    let names = [
        "host.cpu_user",
        "host.cpu_iowait",
        "host.context_switches",
        "host.cpu",
        "host.memory",
        "server.cpu",
        "server.rss",
        "pool",
        "sample.db",
    ];
    state.gauges = names.iter().map(|name| gauge(name)).collect();
    let shown = text(&screen(&state, 60, 24));
    let row = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or("");
    assert!(row("host").starts_with("host     cpu 7  memory 7  "), "{shown}");
    assert_eq!(row("server").trim_end(), "server   pool 7  sample.db 7  cpu 7  rss 7", "{shown}");
    state.gauges.retain(|gauge| !gauge.name.starts_with("server."));
    assert!(text(&screen(&state, 60, 24)).contains("beside   pool 7  sample.db 7"));
}
