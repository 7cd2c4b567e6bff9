//! What was read beside a load, or without one, in five panels.

use super::{Axis, Chart, Line, Span};
use crate::report::document::{Gauge, Gauges};
use crate::report::monitored::{Mark, Monitored};

/// A line: its gauge, its name, its colour, and whether it is filled.
type Drawn = (&'static str, &'static str, &'static str, bool);

/// Always five, so that pictures can be laid side by side; what was not read is not drawn. What went
/// on meanwhile is shaded.
pub fn readings(document: &Monitored) -> Vec<Chart> {
    let mut charts = panels(&document.gauges);
    for chart in &mut charts {
        let (low, high) = (chart.x.low(), chart.x.high());
        let span = |mark: &Mark| Span {
            name: mark.name.clone().into(),
            from: mark.from_s.clamp(low, high),
            to: mark.to_s.clamp(low, high),
        };
        chart.spans = document.marks.iter().map(span).collect();
    }
    charts
}

fn panels(gauges: &Gauges) -> Vec<Chart> {
    let cpu: [Drawn; 4] = [
        ("host.cpu", "this host", "c1", true),
        ("host.cpu_system", "system", "c0", false),
        ("host.cpu_steal", "stolen", "c4", false),
        ("server.cpu", "server, of one core", "c3", false),
    ];
    let memory: [Drawn; 2] =
        [("host.memory_used", "this host", "c1", true), ("server.rss", "server", "c3", false)];
    let network: [Drawn; 2] =
        [("host.net_received", "received", "c2", true), ("host.net_sent", "sent", "c1", false)];
    let connections: [Drawn; 4] = [
        ("host.sockets_established", "this host", "c1", true),
        ("host.sockets_time_wait", "in TIME_WAIT", "c0", false),
        ("server.connections", "server", "c3", false),
        ("pool", "pool", "c5", false),
    ];
    let disk: [Drawn; 2] =
        [("host.disk_read", "read", "c2", true), ("host.disk_written", "written", "c1", false)];
    vec![
        // The scale of a processor that idles is not its own.
        panel(gauges, "CPU", "Percent of the time.", "%", 100.0, &cpu),
        panel(gauges, "Memory", "Bytes in use.", "B", 0.0, &memory),
        panel(gauges, "Network", "Bytes a second, with loopback.", "B/s", 0.0, &network),
        panel(gauges, "Connections", "Open TCP connections.", "", 0.0, &connections),
        panel(gauges, "Disk", "Bytes a second.", "B/s", 0.0, &disk),
    ]
}

fn panel(
    gauges: &Gauges,
    title: &'static str,
    note: &'static str,
    unit: &'static str,
    least: f64,
    drawn: &[Drawn],
) -> Chart {
    let line = |(name, called, class, filled): &Drawn| {
        let gauge = gauges.gauge(name).filter(|gauge| gauge.values.iter().any(Option::is_some))?;
        Some(Line { name: (*called).into(), class, filled: *filled, points: points(gauges, gauge) })
    };
    let lines: Vec<Line> = drawn.iter().filter_map(line).collect();
    let highest = super::run::highest(&lines).max(least);
    let mut x = Axis::time(0.0, gauges.t_s.last().copied().unwrap_or(1.0));
    x.unit = "";
    Chart {
        cells: Vec::new(),
        title,
        note,
        x,
        y: Axis::counts(highest, unit),
        spans: Vec::new(),
        bounds: Vec::new(),
        marks: Vec::new(),
        lines,
        columns: Vec::new(),
    }
}

fn points(gauges: &Gauges, gauge: &Gauge) -> Vec<Option<(f64, f64)>> {
    let rows = gauges.t_s.iter().zip(&gauge.values);
    rows.map(|(at, value)| value.map(|value| (*at, value))).collect()
}
