//! `PREFIX_stats_history.csv`: a row for each interval, of the whole; there is none by name.

use std::time::SystemTime;

use super::super::document::Interval;
use super::stats::{QUANTILES, content_size, totals};
use super::{AGGREGATED, Row, UNKNOWN, head, ms, wall};
use crate::report::Document;

const COLUMNS: [&str; 6] = ["Timestamp", "User Count", "Type", "Name", "Requests/s", "Failures/s"];

const TOTALS: [&str; 7] = [
    "Total Request Count",
    "Total Failure Count",
    "Total Median Response Time",
    "Total Average Response Time",
    "Total Min Response Time",
    "Total Max Response Time",
    "Total Average Content Size",
];

/// Rates and quantiles are of the interval. The totals count what ended so far, from the start of
/// measure; the last row has those of the document.
pub fn rows(document: &Document) -> Vec<Row> {
    let columns = [&COLUMNS[..], &QUANTILES.map(|(_, column)| column), &TOTALS].concat();
    let mut rows = vec![head(&columns)];
    let (mut before, mut ended, mut failed) = (0.0, 0, 0);
    for interval in &document.intervals {
        if interval.phase != "warmup" {
            ended += interval.good + failures(interval);
            failed += failures(interval);
        }
        let mut row = of_interval(document, interval, interval.t_s - before);
        row.extend([ended, failed].map(|count| count.to_string()));
        row.extend([UNKNOWN; 5].map(str::to_string));
        rows.push(row);
        before = interval.t_s;
    }
    if let Some(last) = rows.last_mut().filter(|_| !document.intervals.is_empty()) {
        last.truncate(COLUMNS.len() + QUANTILES.len());
        let (requests, response) = (&document.requests, &document.latency.response);
        last.extend(totals(requests, response, &content_size(document)));
    }
    rows
}

fn of_interval(document: &Document, interval: &Interval, length_s: f64) -> Row {
    let at = wall(document, interval.t_s - warmup_s(document));
    let at = at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let per_s = |count: u64| if length_s > 0.0 { count as f64 / length_s } else { 0.0 };
    let rate = |count| format!("{:.6}", per_s(count));
    let mut row = vec![
        at.map_or_else(String::new, |at| at.as_secs().to_string()),
        users(document, interval).to_string(),
        String::new(),
        AGGREGATED.to_string(),
        rate(interval.sent),
        rate(failures(interval)),
    ];
    row.extend(QUANTILES.map(|(_, column)| match column {
        "50%" => ms(interval.response_p50_us),
        "95%" => ms(interval.response_p95_us),
        "99%" => ms(interval.response_p99_us),
        "100%" => ms(interval.response_max_us),
        _ => UNKNOWN.to_string(),
    }));
    row
}

fn failures(interval: &Interval) -> u64 {
    interval.rejected + interval.failed + interval.dropped
}

fn warmup_s(document: &Document) -> f64 {
    document.warmup.as_ref().map_or(0.0, |warmup| warmup.duration_s)
}

/// As the interval tells. Of a load without users, the requests in flight, since these are the users
/// who wait; of an older document, the connections that its closed loop had at the interval's end.
fn users(document: &Document, interval: &Interval) -> u64 {
    if let Some(users) = interval.users {
        return users;
    }
    if document.is_open_loop() {
        return interval.in_flight;
    }
    let at_s = interval.t_s - warmup_s(document);
    let stage = document.stages.iter().find(|stage| stage.stage == interval.stage);
    stage.map_or(document.plan.connections, |stage| {
        let moving_s = stage.length_s - stage.held_s;
        let share = if moving_s > 0.0 { (at_s - stage.start_s) / moving_s } else { 1.0 };
        (stage.from + (stage.to - stage.from) * share.clamp(0.0, 1.0) + 1e-6) as u64
    })
}

#[cfg(test)]
mod tests {
    use super::super::stats::bad;
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_totals_of_the_last_row_are_the_documents() {
        for (name, run) in fixture::all() {
            let document = run.document();
            let rows = rows(&document);
            assert_eq!(rows.len(), 1 + document.intervals.len(), "{name}");
            assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{name}");
            if rows.len() > 1 {
                let totals = &rows[rows.len() - 1][17..19];
                let expected = [document.requests.scheduled, bad(&document.requests)];
                assert_eq!(totals, expected.map(|count| count.to_string()), "{name}");
            }
        }
    }

    #[test]
    fn users_come_and_go_with_the_stages_of_a_closed_loop() {
        let mut document = fixture::shaped().document();
        document.plan.mode = "closed".to_string();
        document.intervals.iter_mut().for_each(|interval| interval.users = None);
        let at = |index: usize| users(&document, &document.intervals[index]);
        // From 0 to 1,000 in 4 s, 2 s of 1,000, to 9,000 in 4 s.
        assert_eq!([at(0), at(3), at(4), at(7), at(9)], [250, 1_000, 1_000, 5_000, 9_000]);
        document.intervals[3].users = Some(7);
        assert_eq!(users(&document, &document.intervals[3]), 7, "it was counted");
        let mut steady = fixture::closed().document();
        steady.stages.clear();
        steady.intervals[0].users = None;
        assert_eq!(users(&steady, &steady.intervals[0]), steady.plan.connections);
    }
}
