//! `-o FILE.ndjson`: the run as it goes, a line of JSON an interval, and in the end one with the
//! headline figures. An interval has the fields that it has in the document, behind
//! `"type":"interval"`; the last line is `"type":"summary"`.
//!
//! What was read beside the load stands in lines of its own, `"type":"gauges"`: a line a reading, each
//! before the first interval that ends a step after it.
//!
//! The file is written in its place, so that it can be followed (`tail -f`) and holds what there
//! was when the power goes. A document of more than an hour has merged its intervals; these lines
//! are as they came.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::Document;
use super::document::{self, Audit, Gauge, Gauges, Rate, Requests, Verdict};
use super::staged::{self, Staged};
use crate::error::{Error, Result};
use crate::metrics::{self, Interval};
use crate::time::Nanos;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Interval(&'a document::Interval),
    Gauges(Row<'a>),
    Summary(&'a Headline<'a>),
}

/// One reading of all gauges.
#[derive(Serialize)]
struct Row<'a> {
    t_s: f64,
    /// By their names; null: not read then.
    #[serde(serialize_with = "by_name")]
    values: Vec<(&'a str, Option<f64>)>,
}

fn by_name<S: Serializer>(
    values: &[(&str, Option<f64>)],
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    to.collect_map(values.iter().copied())
}

/// Parts of the document, under their names in it.
#[derive(Serialize)]
struct Headline<'a> {
    schema: &'a str,
    complete: bool,
    started_at: &'a str,
    duration_s: f64,
    requests: &'a Requests,
    rate: &'a Rate,
    latency: Latencies,
    latency_from: &'a str,
    heat_bounds_us: &'a [f64],
    verdict: &'a Verdict,
    audit_ok: bool,
}

#[derive(Serialize)]
struct Latencies {
    response: Response,
}

#[derive(Serialize)]
struct Response {
    count: u64,
    good: u64,
    censored: u64,
    min_us: Option<f64>,
    mean_us: Option<f64>,
    p50_us: Option<f64>,
    p90_us: Option<f64>,
    p95_us: Option<f64>,
    p99_us: Option<f64>,
    p99_9_us: Option<f64>,
    max_us: Option<f64>,
}

/// Writes what [`text`] gives to a file, which is either whole or untouched.
pub fn save(document: &Document, path: &Path) -> Result<()> {
    staged::save(path, text(document).as_bytes())
}

/// A saved document's intervals and the last line.
pub fn text(document: &Document) -> String {
    let (mut text, mut before_s, mut told_s) = (String::new(), 0.0, 0.0);
    for interval in &document.intervals {
        text += &readings(document.gauges.as_ref(), told_s, before_s);
        text += &line(&Line::Interval(interval));
        (before_s, told_s) = (interval.t_s, before_s);
    }
    text + &readings(document.gauges.as_ref(), told_s, f64::INFINITY) + &last(document)
}

/// Those after one time and up to another.
fn readings(gauges: Option<&Gauges>, after_s: f64, to_s: f64) -> String {
    let Some(Gauges { t_s, series, .. }) = gauges else { return String::new() };
    let within = t_s.iter().enumerate().filter(|(_, t_s)| **t_s > after_s && **t_s <= to_s);
    let row = |(at, t_s): (usize, &f64)| {
        let value = |gauge: &'_ Gauge| gauge.values.get(at).copied().flatten();
        let values = series.iter().map(|gauge| (gauge.name.as_str(), value(gauge))).collect();
        line(&Line::Gauges(Row { t_s: *t_s, values }))
    };
    within.map(row).collect()
}

fn last(document: &Document) -> String {
    let row = &document.latency.response;
    let Audit { ok, .. } = document.audit;
    line(&Line::Summary(&Headline {
        schema: &document.schema,
        complete: document.complete,
        started_at: &document.started_at,
        duration_s: document.duration_s,
        requests: &document.requests,
        rate: &document.rate,
        latency: Latencies {
            response: Response {
                count: row.count,
                good: row.good,
                censored: row.censored,
                min_us: row.min_us,
                mean_us: row.mean_us,
                p50_us: row.p50_us,
                p90_us: row.p90_us,
                p95_us: row.p95_us,
                p99_us: row.p99_us,
                p99_9_us: row.p99_9_us,
                max_us: row.max_us,
            },
        },
        latency_from: &document.latency_from,
        heat_bounds_us: &document.heat_bounds_us,
        verdict: &document.verdict,
        audit_ok: ok,
    }))
}

fn line(line: &Line) -> String {
    // Plain structs and maps by text: none of them can fail.
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

/// The files that follow a run. What goes wrong with one is told by [`Streams::end`], and the
/// others are written on.
pub struct Streams {
    streams: Vec<Stream>,
    course: Course,
}

/// How far a run was told as lines.
#[derive(Debug, Default)]
pub struct Course {
    /// The end of the interval before, and of the readings that were told, from the start of warm-up.
    before: Nanos,
    told: Nanos,
}

impl Course {
    /// The lines of another interval that is over: the readings before it, and itself. `read` gives
    /// what was read beside the load after one time and up to another, from the start of warm-up.
    pub fn interval(
        &mut self,
        interval: &Interval,
        read: impl FnOnce(Nanos, Nanos) -> metrics::Gauges,
    ) -> (String, String) {
        // A step late: a reading that is just being taken stands in the same place in any case.
        let rows = Gauges::rows(&read(self.told, self.before));
        let readings = readings(Some(&rows), 0.0, f64::INFINITY);
        (self.told, self.before) = (self.before, interval.end);
        (readings, line(&Line::Interval(&document::Interval::new(interval))))
    }

    /// The readings that are left, and the last line.
    pub fn end(&self, document: &Document) -> (String, String) {
        let readings = readings(document.gauges.as_ref(), self.told.as_secs_f64(), f64::INFINITY);
        (readings, last(document))
    }
}

struct Stream {
    path: PathBuf,
    /// Not there before the first line: a run that cannot start leaves an older file alone.
    file: Option<std::result::Result<Staged, Error>>,
}

impl Streams {
    pub fn to<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Streams {
        let streams = paths.map(|path| Stream { path: path.clone(), file: None }).collect();
        Streams { streams, course: Course::default() }
    }

    /// Another interval is over. `read` gives what was read beside the load after one time and up to
    /// another, from the start of warm-up. Called on the thread that watches the workers.
    pub fn record(
        &mut self,
        interval: &Interval,
        read: impl FnOnce(Nanos, Nanos) -> metrics::Gauges,
    ) {
        if self.streams.is_empty() {
            return;
        }
        let (readings, line) = self.course.interval(interval, read);
        self.write(&readings);
        self.write(&line);
    }

    /// The last line.
    pub fn end(mut self, document: &Document) -> Vec<Result<()>> {
        let (readings, last) = self.course.end(document);
        self.write(&readings);
        self.write(&last);
        let ends = self.streams.into_iter().map(|stream| match stream.file {
            None => Ok(()),
            Some(file) => file?.keep().map_err(|error| staged::failed(&stream.path, &error)),
        });
        ends.collect()
    }

    fn write(&mut self, line: &str) {
        if line.is_empty() {
            return;
        }
        for Stream { path, file } in &mut self.streams {
            let failed = |error| staged::failed(path, &error);
            let opened = file.get_or_insert_with(|| Staged::in_place(path).map_err(failed));
            let written = opened.as_mut().map(|file| file.write_all(line.as_bytes()));
            if let Ok(Err(error)) = written {
                *file = Some(Err(failed(error)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::Value;

    use super::*;
    use crate::report::fixture;
    use crate::report::staged::tests::Folder;

    fn lines(path: &Path) -> Vec<Value> {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn of_type(lines: Vec<Value>, kind: &str) -> Vec<Value> {
        lines.into_iter().filter(|line| line["type"] == kind).collect()
    }

    fn read(run: &fixture::Run, after: Nanos, to: Nanos) -> metrics::Gauges {
        let none = metrics::Gauges::new(Nanos::from_secs(1), Vec::new());
        run.summary.gauges.as_ref().map_or(none, |gauges| gauges.between(after, to))
    }

    #[test]
    fn the_golden_files_are_written() {
        let folder = Folder::new("ndjson-golden");
        let path = folder.0.join("a.ndjson");
        for name in ["warmed_up", "mixed", "empty", "watched"] {
            save(&fixture::named(name).document(), &path).unwrap();
            fixture::golden(&format!("{name}.ndjson"), &fs::read_to_string(&path).unwrap());
        }
    }

    #[test]
    fn what_follows_a_run_is_what_a_saved_document_gives() {
        let folder = Folder::new("ndjson");
        let [followed, saved] = ["followed", "saved"].map(|name| folder.0.join(name));
        for (name, run) in fixture::all() {
            let document = run.document();
            let mut streams = Streams::to([followed.clone()].iter());
            for (count, interval) in run.summary.intervals.iter().enumerate() {
                streams.record(interval, |after, to| read(&run, after, to));
                let lines = of_type(lines(&followed), "interval");
                assert_eq!(lines.len(), count + 1, "{name}: it is there at once");
            }
            assert!(streams.end(&document).into_iter().all(|end| end.is_ok()));
            save(&document, &saved).unwrap();
            assert_eq!(lines(&followed), lines(&saved), "{name}");
            fs::remove_file(&followed).unwrap();
        }
    }

    #[test]
    fn every_figure_is_the_documents() {
        let folder = Folder::new("ndjson-figures");
        let path = folder.0.join("a.ndjson");
        for (name, run) in fixture::all() {
            let document = run.document();
            save(&document, &path).unwrap();
            let json = serde_json::to_value(&document).unwrap();
            let mut lines = lines(&path);
            let last = lines.pop().unwrap();
            assert_eq!(last["type"], "summary", "{name}");
            for part in
                ["requests", "rate", "verdict", "duration_s", "started_at", "heat_bounds_us"]
            {
                assert_eq!(last[part], json[part], "{name} {part}");
            }
            for (figure, value) in last["latency"]["response"].as_object().unwrap() {
                assert_eq!(*value, json["latency"]["response"][figure], "{name} {figure}");
            }
            let read = of_type(lines.clone(), "gauges");
            let gauges = document.gauges.as_ref();
            assert_eq!(read.len(), gauges.map_or(0, |gauges| gauges.t_s.len()), "{name}");
            for (at, line) in read.iter().enumerate() {
                let gauges = gauges.unwrap();
                assert_eq!(line["t_s"], gauges.t_s[at], "{name}");
                for gauge in &gauges.series {
                    assert_eq!(line["values"][&gauge.name].as_f64(), gauge.values[at], "{name}");
                }
            }
            lines = of_type(lines, "interval");
            for line in &mut lines {
                let kind = line.as_object_mut().unwrap().remove("type");
                assert_eq!(kind, Some(Value::from("interval")), "{name}");
            }
            assert_eq!(Value::from(lines), json["intervals"], "{name}");
        }
    }

    #[test]
    fn one_that_cannot_be_written_is_told_and_the_others_are_whole() {
        let folder = Folder::new("ndjson-full");
        let good = folder.0.join("good");
        let run = fixture::held();
        let mut streams = Streams::to([PathBuf::from("/dev/full"), good.clone()].iter());
        run.summary
            .intervals
            .iter()
            .for_each(|i| streams.record(i, |after, to| read(&run, after, to)));
        let ends = streams.end(&run.document());
        assert!(ends[0].as_ref().unwrap_err().message.contains("/dev/full"));
        assert!(ends[1].is_ok());
        assert_eq!(lines(&good).len(), run.summary.intervals.len() + 1);
    }
}
