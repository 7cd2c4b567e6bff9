//! With `--as-wrk`: what wrk would have printed for this run, beside what is so, and why they
//! differ.

use super::super::Document;
use super::super::document::Latency;
use super::super::number::{count, micros};
use super::table::{Column, distributions};
use super::text::{Sheet, Tone};

pub fn as_wrk(sheet: &mut Sheet, document: &Document) {
    let latency = &document.latency;
    let Some(as_wrk) = &latency.as_wrk else {
        return;
    };
    let ours = match document.is_open_loop() {
        true => "ours: response (from due)",
        false => "ours: service (from sent)",
    };
    sheet.gap();
    let rows = [(ours, &latency.response), ("as wrk would print it", as_wrk)];
    distributions(sheet, "compared", &rows, COLUMNS.to_vec());
    sheet.indented(0, Tone::Aside, left_out(document));
    sheet.indented(0, Tone::Aside, &made_up(document, as_wrk));
}

fn left_out(document: &Document) -> &'static str {
    match document.is_open_loop() {
        true => "wrk counts from the send: what a user waited before it is left out",
        false => "both count from the send: what a user would have waited before it is in neither",
    }
}

/// How many samples were made up, and how.
fn made_up(document: &Document, as_wrk: &Latency) -> String {
    let Some(expected) = document.latency.expected_interval_us else {
        return "wrk back-fills only when it had an answer for each connection: none was made up"
            .to_string();
    };
    let invented = as_wrk.count.saturating_sub(document.requests.completed);
    format!(
        "wrk back-fills with an expected interval of {}, derived from the throughput: {} samples \
         were made up, of requests that never happened",
        micros(expected),
        count(invented)
    )
}

/// wrk's, the mean and the deviation first.
const COLUMNS: [Column; 7] = [
    Column { name: "mean", value: |l| l.mean_us, exact: |l| l.censored == 0 },
    Column { name: "stdev", value: |l| l.stdev_us, exact: |l| l.censored == 0 },
    Column { name: "p50", value: |l| l.p50_us, exact: |l| l.is_exact(0.50) },
    Column { name: "p75", value: |l| l.p75_us, exact: |l| l.is_exact(0.75) },
    Column { name: "p90", value: |l| l.p90_us, exact: |l| l.is_exact(0.90) },
    Column { name: "p99", value: |l| l.p99_us, exact: |l| l.is_exact(0.99) },
    Column { name: "max", value: |l| l.max_us, exact: |l| l.censored == 0 },
];
