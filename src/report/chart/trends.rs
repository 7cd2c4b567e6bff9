//! The series of a soak, block by block, each with the line that was laid through it.

use super::{Axis, Chart, Line};
use crate::report::Document;
use crate::report::document::Trend;

/// One a series that has blocks to show.
pub fn trends(document: &Document) -> Vec<Chart> {
    let trends = document.soak.iter().flat_map(|soak| &soak.trends);
    trends.filter_map(chart).collect()
}

fn chart(trend: &Trend) -> Option<Chart> {
    let (first, last) = (*trend.t_s.first()?, *trend.t_s.last()?);
    let points = trend.t_s.iter().copied().zip(trend.values.iter().copied()).map(Some);
    let blocks =
        Line { name: "by block".into(), class: "c1", filled: false, points: points.collect() };
    let ends = trend.first.zip(trend.last);
    let through = ends.map(|(from, to)| Line {
        name: "trend".into(),
        class: if trend.is_harm() { "c4" } else { "c0 dashed" },
        filled: false,
        points: vec![Some((first, from)), Some((last, to))],
    });
    let lines: Vec<Line> = [Some(blocks), through].into_iter().flatten().collect();
    let highest = super::run::highest(&lines);
    let (title, note) = titles(trend);
    // Of times, drift is seen on a line from 0: on a log scale it would look flat.
    let (scale, unit) = match trend.unit.as_str() {
        "us" => (1e-3, " ms"),
        "bytes" => (1.0, "B"),
        "per_h" => (1.0, "/h"),
        _ => (1.0, ""),
    };
    let scaled = |line: Line| Line {
        points: line.points.into_iter().map(|p| p.map(|(at, y)| (at, y * scale))).collect(),
        ..line
    };
    Some(Chart {
        title,
        note,
        x: Axis::time(first, last),
        y: Axis::counts(highest * scale, unit),
        spans: Vec::new(),
        bounds: Vec::new(),
        marks: Vec::new(),
        lines: lines.into_iter().map(scaled).collect(),
        cells: Vec::new(),
        columns: Vec::new(),
    })
}

fn titles(trend: &Trend) -> (&'static str, &'static str) {
    match trend.name.as_str() {
        "response.p50" => {
            ("Median by block", "The median of the response times that ended in each block.")
        }
        "response.p99" => {
            ("p99 by block", "The p99 of the response times that ended in each block.")
        }
        "errors" => (
            "Errors an hour",
            "Requests that came to nothing good, as many as that would be an hour.",
        ),
        "server.rss" => {
            ("Memory by block", "The server's resident memory, on average over each block.")
        }
        "server.fds" => {
            ("Open files by block", "What the server holds open, on average over each block.")
        }
        "server.threads" => {
            ("Threads by block", "The server's threads, on average over each block.")
        }
        "pool" => (
            "Pool by block",
            "The server's connections to its pool's port, on average over each block.",
        ),
        name if name.starts_with("scrape.") => {
            ("Scrape by block", "One of the scraped metrics; its growth is not judged.")
        }
        _ => ("Sample by block", "One of the samples; its growth is not judged."),
    }
}
