//! Each series by its trend, and all of them together.

use super::blocks::Blocks;
use super::series::{self, Grid, Harm, Rule};
use super::{LEAST, Limits, SETTLING, SIGNIFICANT, words};
use crate::metrics::Summary;
use crate::report::document::{Soak, SoakLimit, Trend};
use crate::study::statistics::course::{By, Course, Point, course};
use crate::time::Nanos;

/// Of the slope of the whole, the second half has to have this share.
const STILL: f64 = 0.5;

pub fn judge(blocks: &Blocks, settle: Option<Nanos>, summary: &Summary, limits: &Limits) -> Soak {
    let settle = settle.unwrap_or(Nanos((summary.measured.0 as f64 * SETTLING) as u64));
    let grid = Grid::of(blocks, settle, summary);
    let trends = trends(blocks, &grid, summary, limits);
    let verdict = verdict(&trends, &grid);
    let mut soak = Soak {
        verdict: verdict.to_string(),
        sentences: Vec::new(),
        settled_s: settle.min(summary.measured).as_secs_f64(),
        judged_s: (grid.to - grid.from).as_secs_f64(),
        block_s: grid.length.as_secs_f64(),
        trends,
    };
    soak.sentences = words::sentences(&soak, summary);
    soak
}

/// A leak says why answers get slower, and not the other way round.
fn verdict(trends: &[Trend], grid: &Grid) -> &'static str {
    let harm = |kind: &str| {
        trends.iter().any(|trend| trend.is_harm() && trend.growth_is.as_deref() == Some(kind))
    };
    match () {
        _ if harm(name(Harm::Leak)) => "leaking",
        _ if harm(name(Harm::Degradation)) => "degrading",
        _ if grid.count() < LEAST => "too_short",
        _ => "stable",
    }
}

fn trends(blocks: &Blocks, grid: &Grid, summary: &Summary, limits: &Limits) -> Vec<Trend> {
    // What blast cannot send in time, no server answers in time.
    let is_servers = !summary.verdict.limit.is_generator();
    let of_times = [
        (series::P50, series::times(blocks, grid, |block| block.p50_ns)),
        (series::P99, series::times(blocks, grid, |block| block.p99_ns)),
        (series::ERRORS, series::errors(summary, grid)),
    ];
    let of_gauges = [series::RSS, series::FILES, series::THREADS, series::POOL];
    let of_gauges = of_gauges.map(|rule| (rule, series::gauge(summary, rule.name, grid)));
    let mut trends = Vec::new();
    for (rule, points) in of_times {
        let amount = amount(&rule, summary);
        trends.push(Watched { rule: Rule { amount, ..rule }, points, is_servers }.trend(None));
    }
    for (rule, points) in of_gauges.into_iter().filter(|(_, points)| !points.is_empty()) {
        let last = points.last().map_or(0.0, |(_, value)| *value);
        let limit = match rule.name {
            "server.fds" => limits.files,
            "server.rss" => limits.memory_left.map(|left| last + left),
            _ => None,
        };
        trends.push(Watched { rule, points, is_servers: true }.trend(limit));
    }
    for (name, unit) in series::own(summary) {
        let points = series::gauge(summary, name, grid);
        trends.push(own(name, unit.name(), points));
    }
    trends.into_iter().map(Trend::rounded).collect()
}

/// From so many errors an hour on.
fn amount(rule: &Rule, summary: &Summary) -> f64 {
    let hours = summary.measured.as_secs_f64() / 3_600.0;
    match rule.name {
        "errors" if hours > 0.0 => {
            let requests = summary.measure.counters.scheduled as f64 / hours;
            rule.amount.max(requests * series::ERROR_SHARE)
        }
        _ => rule.amount,
    }
}

struct Watched {
    rule: Rule,
    points: Vec<Point>,
    /// What it shows is the server's doing.
    is_servers: bool,
}

impl Watched {
    fn trend(self, limit: Option<f64>) -> Trend {
        let Watched { rule, points, is_servers } = self;
        let mut trend = shown(rule.name, rule.unit, &points);
        trend.growth_is = is_servers.then(|| name(rule.harm).to_string());
        let Some(course) = enough(&points, rule.by) else { return trend };
        let matters_from = rule.amount.max(course.first.abs() * rule.share);
        trend.matters_from = Some(matters_from);
        trend.state = state(&course, &points, &rule, matters_from).to_string();
        told(&mut trend, &course);
        trend.limit = limit.filter(|_| trend.is_harm()).and_then(|limit| reached(limit, &course));
        trend
    }
}

/// One of the user's own: that it grows may be as it should be.
fn own(name: &str, unit: &str, points: Vec<Point>) -> Trend {
    let mut trend = shown(name, unit, &points);
    if let Some(course) = enough(&points, By::Medians) {
        let is_trend = course.deviations.abs() >= SIGNIFICANT;
        trend.state = match course.slope.value {
            slope if is_trend && slope > 0.0 => "grows",
            slope if is_trend && slope < 0.0 => "falls",
            _ => "steady",
        }
        .to_string();
        told(&mut trend, &course);
    }
    trend
}

fn shown(name: &str, unit: &str, points: &[Point]) -> Trend {
    Trend {
        name: name.to_string(),
        unit: unit.to_string(),
        state: "too_short".to_string(),
        growth_is: None,
        first: None,
        last: None,
        slope_per_h: None,
        slope_per_h_low: None,
        slope_per_h_high: None,
        growth: None,
        matters_from: None,
        deviations: None,
        limit: None,
        t_s: points.iter().map(|(at, _)| at * 3_600.0).collect(),
        values: points.iter().map(|(_, value)| *value).collect(),
    }
}

fn enough(points: &[Point], by: By) -> Option<Course> {
    if points.len() < LEAST { None } else { course(points, by) }
}

fn told(trend: &mut Trend, course: &Course) {
    trend.first = Some(course.first);
    trend.last = Some(course.last);
    trend.slope_per_h = Some(course.slope.value);
    trend.slope_per_h_low = course.slope.low;
    trend.slope_per_h_high = course.slope.high;
    trend.growth = Some(course.last - course.first);
    trend.deviations = Some(course.deviations);
}

fn state(course: &Course, points: &[Point], rule: &Rule, matters_from: f64) -> &'static str {
    let growth = course.last - course.first;
    let is_trend = course.deviations.abs() >= SIGNIFICANT;
    match growth {
        growth if is_trend && growth >= matters_from => {
            let late = self::course(&points[points.len() / 2..], rule.by);
            let late = late.map_or(0.0, |late| late.slope.value);
            if late >= course.slope.value * STILL { "grows" } else { "levels_off" }
        }
        growth if is_trend && -growth >= matters_from => "falls",
        _ => "steady",
    }
}

fn reached(limit: f64, course: &Course) -> Option<SoakLimit> {
    let reached_in_h = ((limit - course.last) / course.slope.value).max(0.0);
    reached_in_h.is_finite().then_some(SoakLimit { value: limit, reached_in_h })
}

fn name(harm: Harm) -> &'static str {
    match harm {
        Harm::Leak => "leak",
        Harm::Degradation => "degradation",
    }
}
