//! What is told of each name while a run goes on, as a line of JSON: the rows of a table as Locust
//! users know it, the whole last.

use serde::Serialize;

use super::document::rounded;
use crate::metrics::{Ends, NameRow};
use crate::time::Nanos;

/// `{"type":"names","t_s":...,"rows":[...]}`, without a newline.
pub fn line(at: Nanos, rows: &[NameRow], all: &NameRow) -> String {
    let rows = rows.iter().chain([all]).map(Row::new).collect();
    let line = Line { kind: "names", t_s: at.as_secs_f64(), rows };
    // Numbers and text only: it cannot fail.
    serde_json::to_string(&line).unwrap_or_default()
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    /// From the start of warm-up, as in `intervals`.
    t_s: f64,
    rows: Vec<Row<'a>>,
}

/// Of those due in measure, for setup and teardown of all. Times as in the report: errors rank
/// above every good answer.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    method: &'a str,
    part: &'static str,
    share_asked: Option<f64>,
    share_sent: Option<f64>,
    sent: u64,
    /// That ended, and those of them that were no good: rejected and failed.
    requests: u64,
    fails: u64,
    good: u64,
    rejected: u64,
    failed: u64,
    dropped: u64,
    min_us: Option<f64>,
    mean_us: Option<f64>,
    max_us: Option<f64>,
    p50_us: Option<f64>,
    p95_us: Option<f64>,
    p99_us: Option<f64>,
    /// Bytes of an answer's body.
    mean_size: Option<f64>,
    /// In the second that was over last.
    per_s: u64,
    fails_per_s: u64,
}

impl Row<'_> {
    fn new(row: &NameRow) -> Row<'_> {
        let micros = |time: Option<Nanos>| time.map(Nanos::as_micros_f64);
        let Ends { ended, fails } = row.ends;
        let (per_s, fails_per_s) = (row.last_second.ended, row.last_second.fails);
        Row {
            name: &row.name,
            method: &row.method,
            part: row.part.name(),
            share_asked: row.share_asked,
            share_sent: row.share_sent,
            sent: row.sent,
            requests: ended,
            fails,
            good: row.good,
            rejected: row.rejected,
            failed: row.failed,
            dropped: row.dropped,
            min_us: micros(row.times.min),
            mean_us: micros(row.times.mean),
            max_us: micros(row.times.max),
            p50_us: micros(row.times.p50),
            p95_us: micros(row.times.p95),
            p99_us: micros(row.times.p99),
            mean_size: row.mean_size.map(|size| rounded(size, 1)),
            per_s,
            fails_per_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::metrics::{Part, Times};

    #[test]
    fn a_line_has_a_row_for_each_name_and_the_whole_last() {
        let row = |name: &str| NameRow {
            name: name.to_string(),
            method: "GET".to_string(),
            part: Part::Main,
            share_asked: Some(0.5),
            share_sent: None,
            sent: 12,
            good: 7,
            rejected: 2,
            failed: 1,
            dropped: 0,
            ends: Ends { ended: 10, fails: 3 },
            last_second: Ends { ended: 4, fails: 1 },
            times: Times { p50: Some(Nanos(1_500)), ..Times::default() },
            mean_size: Some(100.04),
        };
        let line = line(Nanos::from_secs(3), &[row("list")], &row("Aggregated"));
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&line["type"], &line["t_s"]), (&json!("names"), &json!(3.0)));
        assert_eq!(line["rows"][1]["name"], "Aggregated");
        let list = &line["rows"][0];
        assert_eq!(
            (&list["requests"], &list["fails"], &list["per_s"]),
            (&json!(10), &json!(3), &json!(4))
        );
        assert_eq!((&list["p50_us"], &list["p95_us"]), (&json!(1.5), &Value::Null));
        assert_eq!((&list["mean_size"], &list["part"]), (&json!(100.0), &json!("main")));
    }
}
