//! What was told of a run so far, for those who come late: all of it, but for the intervals of a very
//! long one, of which every second is left out whenever there are too many.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::broadcast;

use crate::report::document::{Gauge, Gauges, Interval};

/// Points of a curve that somebody who comes late is given.
pub const MOST_POINTS: usize = 1_000;

/// Lines of one kind that are kept otherwise.
const MOST_WORDS: usize = 500;

/// Lines that a slow reader may be behind; then it comes again and is given what it missed.
const BEHIND: usize = 256;

/// A line of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// It comes after all lower ones.
    pub number: u64,
    /// JSON.
    pub line: Arc<str>,
}

/// What is known of a run that goes on: what the page's charts and tables are drawn from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveRun {
    pub is_open_loop: bool,
    pub intervals: Vec<Interval>,
    pub gauges: Option<Gauges>,
    /// Rows by name, as they were told last.
    pub names: Vec<Value>,
    /// `connecting`, `warmup`, `measure`, `drain` or `done`.
    pub phase: String,
    pub t_s: f64,
    pub of_s: f64,
    pub warnings: Vec<Value>,
    pub log: Vec<String>,
    pub edits: Vec<Value>,
    /// The last line, once it is over.
    pub end: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Interval,
    Gauges,
    Names,
    Other,
}

pub struct Log {
    kept: Vec<(Kind, Event)>,
    next: u64,
    live: LiveRun,
    sender: Option<broadcast::Sender<Event>>,
}

impl Log {
    pub fn new(is_open_loop: bool) -> Log {
        let (sender, _) = broadcast::channel(BEHIND);
        let live = LiveRun { is_open_loop, ..LiveRun::default() };
        Log { kept: Vec::new(), next: 1, live, sender: Some(sender) }
    }

    /// A line that the run told. What is no JSON is a line of its log.
    pub fn push(&mut self, line: &str) -> Value {
        let value = match serde_json::from_str::<Value>(line) {
            Ok(value) if value.is_object() => value,
            _ => serde_json::json!({"type": "log", "text": line}),
        };
        let kind = self.note(&value);
        // As it was written: numbers keep their digits.
        let text = if line.starts_with('{') { line.to_string() } else { value.to_string() };
        let event = Event { number: self.next, line: text.into() };
        self.next += 1;
        if kind == Kind::Names {
            self.kept.retain(|(kind, _)| *kind != Kind::Names);
        }
        self.kept.push((kind, event.clone()));
        self.thin(kind);
        if let Some(sender) = &self.sender {
            // Nobody may be looking.
            let _ = sender.send(event);
        }
        value
    }

    /// No more will come.
    pub fn close(&mut self) {
        self.sender = None;
    }

    pub fn live(&self) -> LiveRun {
        self.live.clone()
    }

    /// What came after that number, and what will come; `None`: nothing will.
    pub fn since(&self, after: u64) -> (Vec<Event>, Option<broadcast::Receiver<Event>>) {
        let missed = self.kept.iter().filter(|(_, event)| event.number > after);
        let missed = missed.map(|(_, event)| event.clone()).collect();
        (missed, self.sender.as_ref().map(broadcast::Sender::subscribe))
    }

    fn note(&mut self, value: &Value) -> Kind {
        let live = &mut self.live;
        match value["type"].as_str().unwrap_or_default() {
            "interval" => {
                live.intervals.extend(serde_json::from_value::<Interval>(value.clone()));
                live.t_s = value["t_s"].as_f64().unwrap_or(live.t_s);
                return Kind::Interval;
            }
            "gauges" => {
                gauges(live.gauges.get_or_insert_with(none), value);
                return Kind::Gauges;
            }
            "names" => {
                live.names = value["rows"].as_array().cloned().unwrap_or_default();
                return Kind::Names;
            }
            "phase" => {
                live.phase = value["phase"].as_str().unwrap_or_default().to_string();
                live.of_s = value["of_s"].as_f64().unwrap_or(live.of_s);
            }
            "warning" => keep(&mut live.warnings, value.clone()),
            "edit" => keep(&mut live.edits, value.clone()),
            "log" => keep(&mut live.log, value["text"].as_str().unwrap_or_default().to_string()),
            "end" => live.end = Some(value.clone()),
            _ => {}
        }
        Kind::Other
    }

    /// Curves that grow too long lose every second point; words the oldest ones.
    fn thin(&mut self, kind: Kind) {
        let count = self.kept.iter().filter(|(other, _)| *other == kind).count();
        let most = if kind == Kind::Other { 2 * MOST_WORDS } else { MOST_POINTS };
        if count <= most {
            return;
        }
        let mut at = 0;
        self.kept.retain(|(other, _)| {
            at += usize::from(*other == kind);
            *other != kind || if kind == Kind::Other { at > 1 } else { at % 2 == 0 }
        });
        if kind == Kind::Interval {
            every_second(&mut self.live.intervals);
        } else if let (Kind::Gauges, Some(gauges)) = (kind, &mut self.live.gauges) {
            every_second(&mut gauges.t_s);
            gauges.series.iter_mut().for_each(|gauge| every_second(&mut gauge.values));
        }
    }
}

fn keep<T>(list: &mut Vec<T>, item: T) {
    if list.len() == MOST_WORDS {
        list.remove(0);
    }
    list.push(item);
}

/// The later one of each pair stays.
fn every_second<T>(list: &mut Vec<T>) {
    let mut at = 0;
    list.retain(|_| {
        at += 1;
        at % 2 == 0
    });
}

fn none() -> Gauges {
    Gauges { step_s: 1.0, t_s: Vec::new(), series: Vec::new() }
}

/// Another reading: a gauge that comes later was not read before.
fn gauges(all: &mut Gauges, row: &Value) {
    let rows = all.t_s.len();
    all.t_s.push(row["t_s"].as_f64().unwrap_or_default());
    for (name, value) in row["values"].as_object().into_iter().flatten() {
        let at = all.series.iter().position(|gauge| gauge.name == *name).unwrap_or_else(|| {
            all.series.push(unread(name, rows));
            all.series.len() - 1
        });
        all.series[at].values.resize(rows, None);
        all.series[at].values.push(value.as_f64());
    }
    all.series.iter_mut().for_each(|gauge| gauge.values.resize(rows + 1, None));
}

fn unread(name: &str, rows: usize) -> Gauge {
    Gauge {
        name: name.to_string(),
        unit: String::new(),
        min: None,
        mean: None,
        max: None,
        last: None,
        growth_per_min: None,
        values: vec![None; rows],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_late_is_given_the_whole_run_in_at_most_a_thousand_points() {
        let mut log = Log::new(true);
        log.push("{\"type\":\"phase\",\"phase\":\"measure\",\"of_s\":5000}");
        for second in 1..=5_000 {
            log.push(&format!("{{\"type\":\"interval\",\"t_s\":{second}}}"));
            log.push(&format!("{{\"type\":\"names\",\"rows\":[{second}]}}"));
        }
        let (events, receiver) = log.since(0);
        let of = |kind: &str| {
            let kind = format!("\"type\":\"{kind}\"");
            events.iter().filter(|event| event.line.contains(&kind)).count()
        };
        assert!((500..=1_000).contains(&of("interval")), "{}", of("interval"));
        assert_eq!((of("names"), of("phase")), (1, 1));
        assert!(events.is_sorted_by_key(|event| event.number));
        assert!(events.iter().any(|event| event.line.contains("\"t_s\":5000")));
        assert!(receiver.is_some());
        let last = events.last().unwrap().number;
        assert!(log.since(last).0.is_empty());
        log.close();
        assert!(log.since(last).1.is_none());
    }

    #[test]
    fn readings_become_curves_with_holes_where_nothing_was_read() {
        let mut log = Log::new(true);
        for line in [
            "{\"type\":\"gauges\",\"t_s\":1,\"values\":{\"a\":1}}",
            "{\"type\":\"gauges\",\"t_s\":2,\"values\":{\"b\":2}}",
            "not JSON",
        ] {
            log.push(line);
        }
        let live = log.live();
        let values = |name: &str| live.gauges.as_ref().unwrap().gauge(name).unwrap().values.clone();
        assert_eq!((values("a"), values("b")), (vec![Some(1.0), None], vec![None, Some(2.0)]));
        assert_eq!(live.log, ["not JSON"]);
    }
}
