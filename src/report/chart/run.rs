//! What a run was second by second.

use super::{Axis, Chart, Course, Line, Mark, Span};
use crate::report::document::{Edit, Interval};

/// Those that have something to show.
pub fn over_time(course: &Course) -> Vec<Chart> {
    if course.intervals.is_empty() {
        return Vec::new();
    }
    let charts = [
        Some(throughput(course)),
        latency(course),
        failures(course),
        Some(in_flight(course)),
        users(course),
        send_lag(course),
    ];
    charts.into_iter().flatten().collect()
}

fn throughput(course: &Course) -> Chart {
    let rate = |of: fn(&Interval) -> u64| move |i: &Interval| Some(of(i) as f64);
    let mut lines = vec![
        line(course, "good answers", "c2", true, per_second(course, rate(|i| i.good))),
        line(course, "sent", "c1", false, per_second(course, rate(|i| i.sent))),
    ];
    let mut columns = vec!["good", "sent"];
    if course.is_open_loop {
        let due = per_second(course, rate(|i| i.scheduled));
        lines.push(line(course, "due (schedule)", "c0 dashed", false, due));
        columns.insert(0, "scheduled");
    }
    let note = match course.is_open_loop {
        true => "Requests a second. Where the lines part, the schedule was not kept.",
        false => {
            "Requests a second. There is no schedule: each is sent when the last was answered."
        }
    };
    let y = Axis::counts(highest(&lines), "/s");
    chart(course, "Throughput", note, y, lines, columns)
}

fn latency(course: &Course) -> Option<Chart> {
    let mut lines = vec![
        line(course, "max", "c4", false, |i: &Interval| i.response_max_us),
        line(course, "p99", "c3", false, |i: &Interval| i.response_p99_us),
        line(course, "p95", "c5", false, |i: &Interval| i.response_p95_us),
        line(course, "p50", "c1", false, |i: &Interval| i.response_p50_us),
    ];
    let mut columns = vec!["p50", "p95", "p99", "max"];
    if course.is_open_loop {
        let service = |i: &Interval| i.service_p99_us;
        lines.push(line(course, "service p99", "c2 dashed", false, service));
        columns.push("service p99");
    }
    lines.retain(Line::is_drawn);
    let y = Axis::latency(lowest(&lines)?, highest(&lines));
    let (title, note) = match course.is_open_loop {
        true => (
            "Response time",
            "Of the requests that ended in each interval, on a log scale. Where service stays low \
             and response rises, requests waited before they were sent.",
        ),
        false => (
            "Service time",
            "Of the requests that ended in each interval, from the send, on a log scale.",
        ),
    };
    Some(chart(course, title, note, y, lines, columns))
}

fn failures(course: &Course) -> Option<Chart> {
    let rate = |of: fn(&Interval) -> u64| move |i: &Interval| Some(of(i) as f64);
    let mut lines = vec![
        line(course, "rejected", "c3", true, per_second(course, rate(|i| i.rejected))),
        line(course, "failed", "c4", true, per_second(course, rate(|i| i.failed))),
        line(course, "dropped", "c0", true, per_second(course, rate(|i| i.dropped))),
    ];
    let mut columns = vec!["rejected", "failed", "dropped"];
    let seen: Vec<bool> =
        lines.iter().map(|line| highest(std::slice::from_ref(line)) > 0.0).collect();
    let mut kept = seen.iter();
    lines.retain(|_| kept.next() == Some(&true));
    let mut kept = seen.iter();
    columns.retain(|_| kept.next() == Some(&true));
    if lines.is_empty() {
        return None;
    }
    let y = Axis::counts(highest(&lines), "/s");
    let note = "Requests a second that came to nothing good.";
    Some(chart(course, "Errors", note, y, lines, columns))
}

fn in_flight(course: &Course) -> Chart {
    let of = |i: &Interval| Some(i.in_flight as f64);
    let lines = vec![line(course, "in flight", "c1", true, of)];
    let y = Axis::counts(highest(&lines), "");
    let note = "Requests sent and not yet answered, at the end of each interval.";
    chart(course, "In flight", note, y, lines, vec!["in flight"])
}

/// Where there are any.
fn users(course: &Course) -> Option<Chart> {
    let of = |i: &Interval| Some(i.users? as f64);
    let lines = vec![line(course, "users", "c1", true, of)];
    let y = Axis::counts(Some(highest(&lines)).filter(|most| *most > 0.0)?, "");
    let note = "At the end of each interval: the users who are there, or the connections that the \
                load asks for.";
    Some(chart(course, "Users", note, y, lines, vec!["users"]))
}

fn send_lag(course: &Course) -> Option<Chart> {
    let lines = vec![line(course, "send lag p99", "c5", false, |i: &Interval| i.send_lag_p99_us)];
    let y = Axis::latency(lowest(&lines)?, highest(&lines));
    let note = "How much later than due requests were sent: blast's own share, and the wait for a \
                free connection.";
    Some(chart(course, "Send lag", note, y, lines, vec!["send lag p99"]))
}

pub(super) fn chart(
    course: &Course,
    title: &'static str,
    note: &'static str,
    y: Axis,
    lines: Vec<Line>,
    columns: Vec<&'static str>,
) -> Chart {
    let end = course.intervals.last().map_or(1.0, |interval| interval.t_s);
    let bounds = course.bounds_s.clone();
    let x = Axis::time(0.0, end);
    let (spans, marks) = (spans(course), marks(&course.edits, end));
    Chart { title, note, x, y, spans, bounds, marks, lines, cells: Vec::new(), columns }
}

/// Where the load was changed, and to what.
pub fn marks(edits: &[Edit], end: f64) -> Vec<Mark> {
    let within = edits.iter().filter(|edit| edit.t_s <= end);
    within.map(|edit| Mark { at: edit.t_s, word: edit.level() }).collect()
}

/// Warm-up and drain. Intervals end at `t_s`, so a phase begins where the one before ends.
fn spans(course: &Course) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut from = 0.0;
    for interval in course.intervals {
        let name = match interval.phase.as_str() {
            "warmup" => Some("warm-up"),
            "drain" => Some("drain"),
            _ => None,
        };
        match (name, spans.last_mut()) {
            (Some(name), Some(last)) if last.name == name => last.to = interval.t_s,
            (Some(name), _) => spans.push(Span { name: name.into(), from, to: interval.t_s }),
            _ => {}
        }
        from = interval.t_s;
    }
    spans
}

fn per_second(
    course: &Course,
    of: impl Fn(&Interval) -> Option<f64>,
) -> impl Fn(&Interval) -> Option<f64> {
    // As the page has it: over the length that all of them have.
    let length = course.interval_s;
    move |interval| of(interval).map(|events| events / length)
}

fn line(
    course: &Course,
    name: &'static str,
    class: &'static str,
    filled: bool,
    of: impl Fn(&Interval) -> Option<f64>,
) -> Line {
    let point = |interval: &Interval| of(interval).map(|value| (interval.t_s, value));
    Line { name: name.into(), class, filled, points: course.intervals.iter().map(point).collect() }
}

impl Line {
    fn is_drawn(&self) -> bool {
        self.points.iter().any(Option::is_some)
    }
}

fn values(lines: &[Line]) -> impl Iterator<Item = f64> {
    lines.iter().flat_map(|line| line.points.iter().flatten().map(|(_, value)| *value))
}

pub fn highest(lines: &[Line]) -> f64 {
    values(lines).fold(0.0, f64::max)
}

/// Of those above nothing, which has no place on a log scale.
pub fn lowest(lines: &[Line]) -> Option<f64> {
    values(lines).filter(|value| *value > 0.0).reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Document, fixture};

    #[test]
    fn a_line_has_the_figures_of_the_intervals() {
        for (name, run) in fixture::all() {
            let document = run.document();
            let charts = over_time(&Course::of(&document));
            let Some(chart) = charts.first() else { continue };
            let good = chart.lines[0].points.iter().flatten();
            for (point, interval) in good.zip(&document.intervals) {
                let rate = interval.good as f64 / document.interval_s;
                assert_eq!(*point, (interval.t_s, rate), "{name}");
            }
            assert_eq!(chart.lines[0].points.len(), document.intervals.len(), "{name}");
        }
    }

    #[test]
    fn the_only_second_of_a_run_is_seen() {
        let mut document = fixture::named("held").document();
        document.intervals.truncate(1);
        let chart = &over_time(&Course::of(&document))[0];
        let drawn = super::super::draw::svg(chart).into_string();
        let place = drawn.split("class=\"c2\" d=\"").nth(1);
        let path = place.and_then(|rest| rest.split('"').next());
        assert!(path.is_some_and(|path| path.ends_with("a1.2 1.2 0 1 0 -2.4 0")), "{drawn}");
        document = fixture::named("held").document();
        let whole = super::super::draw::svg(&over_time(&Course::of(&document))[0]).into_string();
        assert!(!whole.contains("a1.2 "), "{whole}");
    }

    #[test]
    fn no_line_leaves_its_frame() {
        for (name, run) in fixture::all() {
            for chart in super::super::charts(&run.document()) {
                for value in values(&chart.lines).filter(|value| *value > 0.0) {
                    let within = chart.y.low() <= value * 1.001 && value <= chart.y.high() * 1.001;
                    let clamped =
                        chart.title == "Latency distribution" || chart.title == "Send lag";
                    assert!(within || clamped, "{name}, {}: {value}", chart.title);
                }
            }
        }
    }

    #[test]
    fn without_errors_there_is_no_chart_of_them_and_without_intervals_none_at_all() {
        let titles = |run: fixture::Run| {
            let charts = over_time(&Course::of(&run.document()));
            charts.iter().map(|chart| chart.title).collect::<Vec<_>>()
        };
        assert!(!titles(fixture::held()).contains(&"Errors"));
        let mut blank = fixture::held();
        blank.summary.intervals.clear();
        assert!(titles(blank).is_empty());
    }

    #[test]
    fn users_have_a_chart_where_they_are_known() {
        let charts = |document: &Document| over_time(&Course::of(document));
        let users = |charts: &[Chart]| charts.iter().find(|chart| chart.title == "Users").cloned();
        assert_eq!(users(&charts(&fixture::held().document())).map(|chart| chart.title), None);
        let mut document = fixture::closed().document();
        document.intervals[1].users = Some(70);
        document.intervals[2].users = None;
        let chart = users(&charts(&document)).expect("a closed loop has users");
        let points = [Some((1.0, 64.0)), Some((2.0, 70.0)), None, Some((4.0, 64.0))];
        assert_eq!(chart.lines[0].points[..4], points);
        assert_eq!(chart.columns, ["users"]);
        document.intervals.iter_mut().for_each(|interval| interval.users = Some(0));
        assert!(users(&charts(&document)).is_none(), "it ended in its first second");
    }

    #[test]
    fn the_p95_lies_between_the_median_and_the_p99_and_older_documents_have_no_line_of_it() {
        let lines = |document: &Document| {
            let charts = over_time(&Course::of(document));
            charts[1].lines.iter().map(|line| line.name.to_string()).collect::<Vec<_>>()
        };
        let mut document = fixture::closed().document();
        assert_eq!(lines(&document), ["max", "p99", "p95", "p50"]);
        document.intervals.iter_mut().for_each(|interval| interval.response_p95_us = None);
        assert_eq!(lines(&document), ["max", "p99", "p50"]);
    }

    #[test]
    fn the_phases_beside_measure_are_shaded_and_the_stages_bounded() {
        let warmed_up = over_time(&Course::of(&fixture::warmed_up().document()));
        assert_eq!(warmed_up[0].spans[0].name, "warm-up");
        assert_eq!(warmed_up[0].spans[0].from, 0.0);
        let steered = fixture::steered().document();
        for chart in over_time(&Course::of(&steered)) {
            let marks: Vec<_> = chart.marks.iter().map(|mark| (mark.at, &mark.word[..])).collect();
            assert_eq!(marks, [(4.0, "3,000/s"), (7.0, "500/s")]);
            assert!(super::super::draw::svg(&chart).into_string().contains(">3,000/s</text>"));
        }
        let shaped = fixture::shaped().document();
        assert_eq!(over_time(&Course::of(&shaped))[0].bounds.len(), shaped.stages.len() - 1);
    }
}
