//! The tables read back as another program reads them, against the document's own figures.

use std::collections::HashMap;
use std::fs;

use super::*;
use crate::report::fixture;
use crate::report::staged::tests::Folder;

type Cells = HashMap<String, String>;

fn read(table: &str) -> Vec<Cells> {
    let mut reader = ::csv::Reader::from_reader(table.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn number(cells: &Cells, column: &str) -> Option<f64> {
    let cell = &cells[column];
    (cell != UNKNOWN).then(|| cell.parse().unwrap_or_else(|_| panic!("{column}: {cell}")))
}

#[test]
fn the_golden_tables_are_written() {
    for name in ["held", "mixed", "empty", "interrupted", "warmed_up", "mix", "users"] {
        let document = fixture::named(name).document();
        for (table, text) in
            ["stats", "failures", "stats_history", "exceptions"].iter().zip(tables(&document))
        {
            fixture::golden(&format!("{name}_{table}.csv"), &text);
        }
    }
}

#[test]
fn the_columns_are_locusts_in_locusts_order() {
    // As Locust 2.47 wrote them.
    let quantiles = "50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%";
    let heads = [
        format!(
            "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,\
             Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,\
             {quantiles}"
        ),
        "Method,Name,Error,Occurrences,First Seen,Last Seen".to_string(),
        format!(
            "Timestamp,User Count,Type,Name,Requests/s,Failures/s,{quantiles},\
             Total Request Count,Total Failure Count,Total Median Response Time,\
             Total Average Response Time,Total Min Response Time,Total Max Response Time,\
             Total Average Content Size"
        ),
        "Count,Message,Traceback,Nodes".to_string(),
    ];
    for (table, head) in tables(&fixture::mix().document()).iter().zip(heads) {
        assert_eq!(table.split("\r\n").next(), Some(head.as_str()));
    }
}

#[test]
fn every_figure_of_the_stats_is_the_documents() {
    for (name, run) in fixture::all() {
        let document = run.document();
        let rows = read(&tables(&document)[0]);
        let whole = (&document.requests, &document.latency.response, document.rate.sent_per_s);
        let named = named(&document).iter();
        let mut expected: Vec<_> =
            named.map(|row| (&row.requests, &row.latency.response, row.rate.sent_per_s)).collect();
        if expected.is_empty() {
            expected.push(whole);
        }
        expected.push(whole);
        assert_eq!(rows.len(), expected.len(), "{name}");
        assert_eq!(rows.last().unwrap()["Name"], AGGREGATED, "{name}");
        for (cells, (requests, response, per_s)) in rows.iter().zip(expected) {
            let count = |column| number(cells, column).unwrap() as u64;
            assert_eq!(count("Request Count"), requests.scheduled, "{name}");
            assert_eq!(count("Request Count") - count("Failure Count"), requests.good, "{name}");
            assert_eq!(number(cells, "Requests/s"), Some(per_s), "{name}");
            for (column, us) in [
                ("50%", response.p50_us),
                ("75%", response.p75_us),
                ("90%", response.p90_us),
                ("95%", response.p95_us),
                ("99%", response.p99_us),
                ("99.9%", response.p99_9_us),
                ("99.99%", response.p99_99_us),
                ("100%", response.max_us),
            ] {
                let found = number(cells, column).map(|ms| (ms * 1e6).round() / 1e3);
                assert_eq!(found, us, "{name} {column}");
            }
            if response.count > 0 {
                for (column, us) in [
                    ("Median Response Time", response.p50_us),
                    ("Average Response Time", response.mean_us),
                    ("Min Response Time", response.min_us),
                    ("Max Response Time", response.max_us),
                ] {
                    let found = number(cells, column).map(|ms| (ms * 1e6).round() / 1e3);
                    assert_eq!(found, us, "{name} {column}");
                }
            }
            let quantiles = stats::QUANTILES.map(|(_, column)| number(cells, column));
            let known: Vec<f64> = quantiles.into_iter().flatten().collect();
            assert!(known.is_sorted(), "{name}: {known:?}");
        }
    }
}

#[test]
fn the_occurrences_add_up_to_the_failures_of_each_name() {
    for (name, run) in fixture::all() {
        let document = run.document();
        let [stats, failures, ..] = tables(&document);
        let failures = read(&failures);
        for row in read(&stats).iter().filter(|row| row["Name"] != AGGREGATED) {
            let same = failures.iter().filter(|failure| {
                failure["Name"] == row["Name"] && failure["Method"] == row["Type"]
            });
            let sum: f64 = same.map(|failure| number(failure, "Occurrences").unwrap()).sum();
            assert_eq!(Some(sum), number(row, "Failure Count"), "{name} {}", row["Name"]);
        }
    }
}

#[test]
fn each_second_of_the_history_has_the_intervals_figures() {
    for (name, run) in fixture::all() {
        let document = run.document();
        let rows = read(&tables(&document)[2]);
        assert_eq!(rows.len(), document.intervals.len(), "{name}");
        let mut before = 0.0;
        for (cells, interval) in rows.iter().zip(&document.intervals) {
            let sent = number(cells, "Requests/s").unwrap() * (interval.t_s - before);
            assert!((sent - interval.sent as f64).abs() < 1e-3, "{name}");
            for (column, us) in [
                ("50%", interval.response_p50_us),
                ("95%", interval.response_p95_us),
                ("99%", interval.response_p99_us),
                ("100%", interval.response_max_us),
            ] {
                let found = number(cells, column).map(|ms| (ms * 1e6).round() / 1e3);
                assert_eq!(found, us, "{name} {column}");
            }
            before = interval.t_s;
        }
    }
}

#[test]
fn a_row_is_quoted_as_python_quotes_it() {
    for (field, expected) in [
        ("plain", "plain"),
        ("with space", "with space"),
        ("a,b", "\"a,b\""),
        ("say \"hi\"", "\"say \"\"hi\"\"\""),
        ("two\nlines", "\"two\nlines\""),
        ("cr\rhere", "\"cr\rhere\""),
        ("=SUM(A1)", "=SUM(A1)"),
        ("#hash", "#hash"),
        ("'single'", "'single'"),
        ("", ""),
    ] {
        let row = vec![field.to_string(), "x".to_string()];
        assert_eq!(text(&[row]), format!("{expected},x\r\n"));
    }
}

#[test]
fn the_four_files_have_the_prefix_and_their_folder_is_made() {
    let folder = Folder::new("tables");
    let prefix = folder.0.join("deep/er/results");
    save(&fixture::mix().document(), &prefix).unwrap();
    let mut names: Vec<String> = fs::read_dir(folder.0.join("deep/er"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "results_exceptions.csv",
            "results_failures.csv",
            "results_stats.csv",
            "results_stats_history.csv"
        ]
    );
}
