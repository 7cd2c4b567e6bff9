//! `PREFIX_stats.csv`: a row for each name, and the whole last.

use hdrhistogram::Histogram;

use super::super::document::{Latency, Requests};
use super::super::hgrm::decoded;
use super::{AGGREGATED, Row, UNKNOWN, head, ms, named, of_url};
use crate::metrics::histogram::is_supported;
use crate::report::Document;

pub const COLUMNS: [&str; 11] = [
    "Type",
    "Name",
    "Request Count",
    "Failure Count",
    "Median Response Time",
    "Average Response Time",
    "Min Response Time",
    "Max Response Time",
    "Average Content Size",
    "Requests/s",
    "Failures/s",
];

/// The quantiles, and how Locust heads their columns. (The last is the maximum.)
pub const QUANTILES: [(f64, &str); 11] = [
    (0.50, "50%"),
    (0.66, "66%"),
    (0.75, "75%"),
    (0.80, "80%"),
    (0.90, "90%"),
    (0.95, "95%"),
    (0.98, "98%"),
    (0.99, "99%"),
    (0.999, "99.9%"),
    (0.9999, "99.99%"),
    (1.0, "100%"),
];

pub fn rows(document: &Document) -> Vec<Row> {
    let columns = [&COLUMNS[..], &QUANTILES.map(|(_, column)| column)].concat();
    let mut rows = vec![head(&columns)];
    let whole = |method, name| Line {
        method,
        name,
        requests: &document.requests,
        response: &document.latency.response,
        content: content_size(document),
        sent_per_s: document.rate.sent_per_s,
    };
    let lines = named(document).iter().map(|row| Line {
        method: &row.method,
        name: row.without_method(),
        requests: &row.requests,
        response: &row.latency.response,
        content: UNKNOWN.to_string(),
        sent_per_s: row.rate.sent_per_s,
    });
    rows.extend(lines.map(|line| line.row(document)));
    if document.by_name.is_none() {
        let (method, name) = of_url(document);
        rows.push(whole(method, name).row(document));
    }
    rows.push(whole("", AGGREGATED).row(document));
    rows
}

/// What a row tells of.
struct Line<'a> {
    method: &'a str,
    name: &'a str,
    requests: &'a Requests,
    response: &'a Latency,
    content: String,
    sent_per_s: f64,
}

impl Line<'_> {
    fn row(&self, document: &Document) -> Row {
        let failures = bad(self.requests);
        let mut row = vec![self.method.to_string(), self.name.to_string()];
        row.extend(totals(self.requests, self.response, &self.content));
        let per_s = match document.duration_s {
            length if length > 0.0 => failures as f64 / length,
            _ => 0.0,
        };
        row.extend([self.sent_per_s, (per_s * 1e3).round() / 1e3].map(|rate| rate.to_string()));
        row.extend(quantiles(self.response));
        row
    }
}

/// Counts, the times that Locust gives apart from the quantiles, and the size.
pub fn totals(requests: &Requests, response: &Latency, content: &str) -> Row {
    // Locust has zeros where nothing was asked.
    let time = |us| if response.count == 0 { "0".to_string() } else { ms(us) };
    vec![
        requests.scheduled.to_string(),
        bad(requests).to_string(),
        time(response.p50_us),
        time(response.mean_us),
        time(response.min_us),
        time(response.max_us),
        content.to_string(),
    ]
}

/// Whatever did not end as expected.
pub fn bad(requests: &Requests) -> u64 {
    requests.scheduled.saturating_sub(requests.good)
}

/// Bytes received for each complete answer, head and framing included.
pub fn content_size(document: &Document) -> String {
    let completed = document.rate.completed_per_s;
    let size = if completed > 0.0 { document.bytes.received_per_s / completed } else { 0.0 };
    ((size * 1e3).round() / 1e3).to_string()
}

/// Those that the document has are its own; the others are read off its histogram.
fn quantiles(row: &Latency) -> Row {
    let histogram = decoded(row);
    QUANTILES.map(|(q, column)| ms(quantile(row, &histogram, q, column))).to_vec()
}

fn quantile(row: &Latency, histogram: &Histogram<u64>, q: f64, column: &str) -> Option<f64> {
    match column {
        "50%" => row.p50_us,
        "75%" => row.p75_us,
        "90%" => row.p90_us,
        "95%" => row.p95_us,
        "99%" => row.p99_us,
        "99.9%" => row.p99_9_us,
        "99.99%" => row.p99_99_us,
        "100%" => row.max_us,
        _ => is_supported(histogram.len(), q).then(|| histogram.value_at_quantile(q) as f64 / 1e3),
    }
}
