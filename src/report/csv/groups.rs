//! `PREFIX_groups.csv`, which Locust does not have: a row for each value of the header that the
//! answers were told apart by.

use super::{Row, head, ms};
use crate::report::Document;
use crate::report::document::Group;

const COLUMNS: [&str; 13] = [
    "Group",
    "Kind",
    "Answer Count",
    "Rejected Count",
    "Share",
    "Error Share",
    "Connections",
    "Average Response Time",
    "50%",
    "95%",
    "99%",
    "100%",
    "Service 95%",
];

/// Nothing where nobody asked.
pub fn rows(document: &Document) -> Option<Vec<Row>> {
    let groups = document.groups.as_ref()?;
    let mut rows = vec![head(&COLUMNS)];
    rows.extend(groups.rows.iter().map(row));
    Some(rows)
}

fn row(group: &Group) -> Row {
    let response = &group.latency.response;
    let counts = [group.completed, group.rejected].map(|count| count.to_string());
    let shares = [group.share, group.error_share].map(|share| share.to_string());
    let service = group.latency.service.p95_us;
    let times = [response.mean_us, response.p50_us, response.p95_us, response.p99_us];
    let mut row = vec![group.value.clone(), group.kind.clone()];
    row.extend(counts.into_iter().chain(shares));
    row.push(group.connections.to_string());
    row.extend(times.into_iter().chain([response.max_us, service]).map(ms));
    row
}
