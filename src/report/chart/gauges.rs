//! What was read beside the load, over the time of the run: a chart for each kind of reading.

use std::borrow::Cow;

use super::run::{chart, highest};
use super::{Axis, Chart, Course, Line};
use crate::report::document::{Gauge, Gauges};

/// Gauges that share an axis: each with its name in the legend.
struct Family {
    title: &'static str,
    note: &'static str,
    unit: &'static str,
    /// What the axis has at least.
    least: f64,
    gauges: &'static [(&'static str, &'static str)],
}

#[rustfmt::skip]
const FAMILIES: [Family; 13] = [
    Family {
        title: "Processors", unit: " %", least: 100.0,
        note: "Of all processors of this host together.",
        gauges: &[
            ("host.cpu", "all"), ("host.cpu_user", "user"), ("host.cpu_system", "system"),
            ("host.cpu_iowait", "iowait"), ("host.cpu_steal", "steal"),
        ],
    },
    Family {
        title: "Memory", unit: " %", least: 100.0,
        note: "Of this host's memory, what is in use.",
        gauges: &[("host.memory", "in use")],
    },
    Family {
        title: "Network", unit: "B/s", least: 0.0,
        note: "Of all network devices of this host, loopback too.",
        gauges: &[("host.net_received", "received"), ("host.net_sent", "sent")],
    },
    Family {
        title: "Retransmits and drops", unit: "/s", least: 0.0,
        note: "Segments that were sent again, and connections that a full listen queue refused.",
        gauges: &[("host.retransmits", "retransmits"), ("host.listen_drops", "listen drops")],
    },
    Family {
        title: "Sockets", unit: "", least: 0.0,
        note: "TCP sockets of this host, blast's own too.",
        gauges: &[
            ("host.sockets_established", "established"), ("host.sockets_time_wait", "time_wait"),
            ("host.sockets_orphaned", "orphaned"),
        ],
    },
    Family {
        title: "Disks", unit: "B/s", least: 0.0,
        note: "Of all disks of this host.",
        gauges: &[("host.disk_read", "read"), ("host.disk_written", "written")],
    },
    Family {
        title: "Context switches", unit: "/s", least: 0.0,
        note: "How often a processor of this host took up another thread.",
        gauges: &[("host.context_switches", "switches")],
    },
    Family {
        title: "Pressure", unit: " %", least: 0.0,
        note: "The share of the time in which some thread of this host waited for it.",
        gauges: &[
            ("host.pressure_cpu", "CPU"), ("host.pressure_memory", "memory"),
            ("host.pressure_io", "IO"),
        ],
    },
    Family {
        title: "The server's processors", unit: " %", least: 100.0,
        note: "100 % is one core. One thread at 100 % is a limit, whatever the others do.",
        gauges: &[("server.cpu", "all threads"), ("server.core_max", "busiest thread")],
    },
    Family {
        title: "The server's memory", unit: "B", least: 0.0,
        note: "Resident. What grows under a steady load is a leak, or a cache that fills.",
        gauges: &[("server.rss", "RSS")],
    },
    Family {
        title: "What the server holds", unit: "", least: 0.0,
        note: "Its threads, open files and connections.",
        gauges: &[
            ("server.threads", "threads"), ("server.fds", "files"),
            ("server.connections", "connections"),
        ],
    },
    Family {
        title: "Pool", unit: "", least: 0.0,
        note: "Connections that the server holds to the pool's port. Flat while the latency rises: \
               it is full.",
        gauges: &[("pool", "connections")],
    },
    Family {
        title: "Log lines", unit: "/s", least: 0.0,
        note: "Lines of the watched log that matched.",
        gauges: &[("log.lines_per_s", "lines")],
    },
];

/// Lines are told apart by so many colours.
const COLOURS: [&str; 6] = ["c1", "c2", "c3", "c4", "c5", "c0"];

/// Cores that are drawn; of more, the busiest.
const CORES: usize = 4;

/// Points of a line: as many as can be seen, and a long run stays a small file.
const MOST_POINTS: usize = 900;

/// Letters of a name in a legend.
const MOST_LETTERS: usize = 36;

/// Charts of somebody's own readings.
const MOST_OWN: usize = 24;

/// Those that have something to show; what was 0 throughout is not drawn.
pub fn beside(course: &Course) -> Vec<Chart> {
    let Some(gauges) = course.gauges.filter(|_| !course.intervals.is_empty()) else {
        return Vec::new();
    };
    let mut charts: Vec<Chart> =
        FAMILIES.iter().filter_map(|family| of_family(course, gauges, family)).collect();
    if let Some(cores) = of_cores(course, gauges) {
        charts.insert(charts.len().min(1), cores);
    }
    charts
        .extend(gauges.series.iter().filter_map(|own| of_own(course, gauges, own)).take(MOST_OWN));
    charts
}

fn of_family(course: &Course, gauges: &Gauges, family: &Family) -> Option<Chart> {
    let named = |(name, shown): &(&str, &'static str)| Some((gauges.gauge(name)?, *shown));
    let read = family.gauges.iter().filter_map(named);
    let lines = read.zip(COLOURS).map(|((gauge, name), class)| line(gauges, gauge, name, class));
    let lines: Vec<Line> = lines.filter(is_drawn).collect();
    let y = axis(&lines, family.least, family.unit)?;
    Some(chart(course, family.title, family.note, y, lines, Vec::new()))
}

fn of_cores(course: &Course, gauges: &Gauges) -> Option<Chart> {
    let is_core = |gauge: &&Gauge| {
        let number = gauge.name.strip_prefix("host.core").unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut cores: Vec<&Gauge> = gauges.series.iter().filter(is_core).collect();
    let busy = |gauge: &Gauge| gauge.mean.unwrap_or(0.0);
    cores.sort_by(|a, b| busy(b).total_cmp(&busy(a)));
    cores.truncate(CORES);
    cores.sort_by_key(|gauge| (gauge.name.len(), gauge.name.clone()));
    let lines = cores.into_iter().zip(COLOURS).map(|(gauge, class)| {
        let name = gauge.name.trim_start_matches("host.core").to_string();
        line(gauges, gauge, format!("core {name}"), class)
    });
    let lines: Vec<Line> = lines.filter(is_drawn).collect();
    let y = axis(&lines, 100.0, " %")?;
    let note = "Of each core, of many the four that were busiest.";
    Some(chart(course, "Cores", note, y, lines, Vec::new()))
}

/// A sample or a scrape has an axis of its own: nobody knows what it counts.
fn of_own(course: &Course, gauges: &Gauges, gauge: &Gauge) -> Option<Chart> {
    let (title, name) = match gauge.name.split_once('.')? {
        ("sample", name) => ("Sample", name),
        ("scrape", name) => ("Scrape", name),
        _ => return None,
    };
    let lines = vec![line(gauges, gauge, cut(name), COLOURS[0])];
    let lines: Vec<Line> =
        lines.into_iter().filter(|line| line.points.iter().any(Option::is_some)).collect();
    let y = axis(&lines, 0.0, "")?;
    let note = match title {
        "Sample" => "What a command printed, once a second.",
        _ => "A metric of a page, once a second.",
    };
    Some(chart(course, title, note, y, lines, Vec::new()))
}

fn cut(name: &str) -> String {
    match name.char_indices().nth(MOST_LETTERS) {
        None => name.to_string(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}

/// From nothing, or from below it where some value is.
fn axis(lines: &[Line], least: f64, unit: &'static str) -> Option<Axis> {
    if lines.is_empty() {
        return None;
    }
    let values = lines.iter().flat_map(|line| line.points.iter().flatten());
    let lowest = values.map(|(_, value)| *value).fold(0.0, f64::min);
    let highest = highest(lines).max(least);
    Some(if lowest < 0.0 { Axis::span(lowest, highest, unit) } else { Axis::counts(highest, unit) })
}

fn is_drawn(line: &Line) -> bool {
    line.points.iter().flatten().any(|(_, value)| *value != 0.0)
}

fn line(
    gauges: &Gauges,
    gauge: &Gauge,
    name: impl Into<Cow<'static, str>>,
    class: &'static str,
) -> Line {
    let values = gauges.t_s.iter().zip(&gauge.values);
    let points = values.map(|(at, value)| value.map(|value| (*at, value))).collect();
    Line { name: name.into(), class, filled: false, points: thinned(points) }
}

/// Of many points, the lowest and the highest of each stretch: a peak is never lost.
fn thinned(points: Vec<Option<(f64, f64)>>) -> Vec<Option<(f64, f64)>> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let stretch = (2 * points.len()).div_ceil(MOST_POINTS);
    let ends = |part: &[Option<(f64, f64)>]| {
        let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let lowest = part.iter().flatten().min_by(by_value).copied();
        let highest = part.iter().flatten().max_by(by_value).copied();
        match (lowest, highest) {
            (Some(low), Some(high)) if low.0 > high.0 => vec![Some(high), Some(low)],
            (Some(low), Some(high)) if low.0 < high.0 => vec![Some(low), Some(high)],
            (low, _) => vec![low],
        }
    };
    points.chunks(stretch).flat_map(ends).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn each_kind_of_reading_has_its_chart_with_the_document_s_values() {
        let document = fixture::watched().document();
        let charts = beside(&Course::of(&document));
        let titles: Vec<&str> = charts.iter().map(|chart| chart.title).collect();
        for title in ["Processors", "Memory", "The server's memory", "Pool", "Log lines", "Sample"]
        {
            assert!(titles.contains(&title), "{titles:?}");
        }
        let gauges = document.gauges.as_ref().unwrap();
        let own = charts.iter().find(|chart| chart.title == "Sample").unwrap();
        let gauge = gauges.gauge("sample.hit_rate").unwrap();
        assert_eq!(own.lines[0].name, "hit_rate");
        for ((point, at), value) in own.lines[0].points.iter().zip(&gauges.t_s).zip(&gauge.values) {
            assert_eq!(*point, value.map(|value| (*at, value)));
        }
        assert!(own.lines[0].points.contains(&None), "what was not read is a gap");
    }

    #[test]
    fn nothing_read_is_nothing_drawn() {
        assert!(beside(&Course::of(&fixture::held().document())).is_empty());
        let mut document = fixture::watched().document();
        for gauge in &mut document.gauges.as_mut().unwrap().series {
            gauge.values.iter_mut().for_each(|value| *value = None);
        }
        assert!(beside(&Course::of(&document)).is_empty());
    }

    #[test]
    fn of_many_points_no_peak_is_lost() {
        let mut points: Vec<_> = (0..3_600).map(|t| Some((f64::from(t), 5.0))).collect();
        points[1_234] = Some((1_234.0, 99.0));
        points[2_345] = Some((2_345.0, -3.0));
        let thin = thinned(points);
        assert!(thin.len() <= MOST_POINTS && thin.len() > MOST_POINTS / 4, "{}", thin.len());
        for peak in [(1_234.0, 99.0), (2_345.0, -3.0)] {
            assert!(thin.contains(&Some(peak)));
        }
        let times: Vec<f64> = thin.iter().flatten().map(|(t, _)| *t).collect();
        assert!(times.is_sorted());
    }

    #[test]
    fn values_below_nothing_have_a_place() {
        let mut document = fixture::watched().document();
        let gauges = document.gauges.as_mut().unwrap();
        let own = gauges.series.iter_mut().find(|gauge| gauge.name == "sample.hit_rate").unwrap();
        own.values.iter_mut().flatten().for_each(|value| *value = -*value * 10.0);
        let charts = beside(&Course::of(&document));
        let own = charts.iter().find(|chart| chart.title == "Sample").unwrap();
        assert!(own.y.low() <= -9.1 && own.y.high() >= 0.0, "{:?}", own.y);
        assert!(own.y.place(-9.0) > 0.0);
    }
}
