//! What `blast monitor` read, as a document of its own: one schema, versioned, a field never
//! redefined (`src/report/monitor.schema.json`). And a reading as a line.

use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::chart::picture;
use super::document::Gauges;
use super::number::seconds;
use super::reading::shown;
use super::{json, staged};
use crate::error::Result;
use crate::metrics::{self, Label, Unit};
use crate::time::Nanos;
use crate::units::{format_bytes, format_count};

/// What the document is valid by.
pub const SCHEMA: &str = include_str!("monitor.schema.json");

/// The name and version of the document's schema.
pub const SCHEMA_NAME: &str = "blast.monitor/1";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Monitored {
    pub schema: String,
    pub blast_version: String,
    /// RFC 3339 in UTC.
    pub started_at: String,
    pub duration_s: f64,
    /// Who was watched; null where nobody was.
    pub server: Option<Server>,
    pub gauges: Gauges,
    /// What went on meanwhile, in the order it began. Missing in documents of earlier builds.
    #[serde(default)]
    pub marks: Vec<Mark>,
}

/// A stretch of the time: a run of a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    pub name: String,
    /// From the start of the readings.
    pub from_s: f64,
    pub to_s: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// Of its first process.
    pub pid: u32,
    pub name: String,
    /// At the start.
    pub processes: u64,
}

impl Monitored {
    /// `gauges`: their times are from the start.
    pub fn new(
        started_at: SystemTime,
        length: Nanos,
        server: Option<&metrics::Server>,
        gauges: &metrics::Gauges,
    ) -> Monitored {
        let server = server.map(|server| Server {
            pid: server.pid,
            name: server.name.clone(),
            processes: server.processes,
        });
        Monitored {
            schema: SCHEMA_NAME.to_string(),
            blast_version: env!("CARGO_PKG_VERSION").to_string(),
            started_at: humantime::format_rfc3339_millis(started_at).to_string(),
            duration_s: length.as_secs_f64(),
            server,
            gauges: Gauges::within(gauges, Nanos::ZERO, Nanos::MAX),
            marks: Vec::new(),
        }
    }

    pub fn save_json(&self, path: &Path) -> Result<()> {
        let mut text = Vec::new();
        json::write(self, &mut text)?;
        staged::save(path, &text)
    }

    /// Five panels, as SVG or, by the file's name, in pixels.
    pub fn save_picture(&self, path: &Path) -> Result<()> {
        #[cfg(feature = "pictures")]
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
            let png = super::chart::pixels::rendered(&picture::of_monitor(self));
            let png = png.map_err(|error| staged::failed(path, &error))?;
            return staged::save(path, &png);
        }
        staged::save(path, picture::of_monitor(self).as_bytes())
    }

    /// What it is of, in a line.
    pub fn heading(&self) -> String {
        let length = seconds(self.duration_s);
        let server = self.server.as_ref();
        let who = server.map(|server| format!(", with {} (pid {})", server.name, server.pid));
        format!("this host{} for {length} from {}", who.unwrap_or_default(), self.started_at)
    }
}

/// What was read, a line a gauge: the least, the mean and the most of it.
pub fn text(document: &Monitored) -> String {
    let mut text = format!("{}\n\n", document.heading());
    let series = &document.gauges.series;
    let widest = series.iter().map(|gauge| gauge.name.chars().count()).max().unwrap_or(0);
    text += &format!("{:<widest$} {:>12} {:>12} {:>12}\n", "", "min", "mean", "max");
    for gauge in series {
        let cell = |value: Option<f64>| {
            value.map_or_else(|| "-".to_string(), |value| shown(value, &gauge.unit))
        };
        let [min, mean, max] = [gauge.min, gauge.mean, gauge.max].map(cell);
        text += &format!("{:<widest$} {min:>12} {mean:>12} {max:>12}\n", gauge.name);
    }
    text
}

/// A figure of the line: its gauge, and how it is called there.
const LINE: [(&str, &str); 12] = [
    ("host.cpu", "cpu"),
    ("host.memory", "memory"),
    ("host.net_received", "in"),
    ("host.net_sent", "out"),
    ("host.sockets_established", "connections"),
    ("host.disk_read", "read"),
    ("host.disk_written", "written"),
    ("server.cpu", "server"),
    ("server.rss", "rss"),
    ("server.threads", "threads"),
    ("server.connections", "held"),
    ("pool", "pool"),
];

/// One reading, as wide each time, so that a column can be read downwards.
pub fn line(at: Nanos, read: &[(Label, Option<f64>)]) -> String {
    let mut line = format!("{:>5.0} s", at.as_secs_f64());
    for (name, called) in LINE {
        let Some((label, value)) = read.iter().find(|(label, _)| label.name == name) else {
            continue;
        };
        let (shown, width) = match label.unit {
            Unit::Percent => (value.map(|value| format!("{value:.0} %")), 5),
            Unit::Bytes => (value.map(format_bytes), 7),
            Unit::BytesPerSecond => (value.map(|value| format_bytes(value) + "/s"), 9),
            _ => (value.map(format_count), 5),
        };
        line += &format!("  {called} {:>width$}", shown.unwrap_or_else(|| "-".to_string()));
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::fixture;

    fn monitored() -> Monitored {
        let summary = fixture::watched().summary;
        let gauges = summary.gauges.as_ref().unwrap();
        let server = summary.server.as_ref();
        let read = Monitored::new(SystemTime::UNIX_EPOCH, Nanos::from_secs(10), server, gauges);
        let mark = Mark { name: "baseline".to_string(), from_s: 1.0, to_s: 9.0 };
        Monitored { marks: vec![mark], ..read }
    }

    #[test]
    fn the_document_is_valid_by_its_schema_and_is_read_back() {
        let document = serde_json::to_value(monitored()).unwrap();
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut longer = document.clone();
        longer["unheard_of"] = Value::from(1);
        assert!(!validator.is_valid(&longer));
        let back: Monitored = serde_json::from_value(document).unwrap();
        assert_eq!(back, monitored());
        let cpu = back.gauges.gauge("host.cpu").unwrap();
        assert_eq!((cpu.mean, cpu.values.len()), (Some(61.5), 10));
    }

    #[test]
    fn the_picture_has_its_five_panels_and_their_lines() {
        let svg = picture::of_monitor(&monitored());
        for title in ["CPU", "Memory", "Network", "Connections", "Disk"] {
            assert!(svg.contains(&format!(">{title}<")), "{title}: {svg}");
        }
        for line in ["this host", "nginx", "pool", "received", ">baseline<"] {
            assert!(svg.contains(line), "{line}");
        }
        assert!(svg.contains("this host, with nginx (pid 4711) for 10 s from 1970-01-01T00:00:00"));
    }

    #[test]
    fn a_reading_is_a_line_and_what_was_not_read_a_dash() {
        let label = |name: &str, unit| Label::new(name, unit);
        let read = [
            (label("host.cpu", Unit::Percent), Some(61.5)),
            (label("host.net_received", Unit::BytesPerSecond), Some(7.5e7)),
            (label("host.retransmits", Unit::PerSecond), Some(3.0)),
            (label("server.rss", Unit::Bytes), None),
            (label("pool", Unit::Count), Some(20.0)),
        ];
        let expected = "    7 s  cpu  62 %  in 75.0 MB/s  rss       -  pool    20";
        assert_eq!(line(Nanos::from_secs(7), &read), expected);
    }
}
