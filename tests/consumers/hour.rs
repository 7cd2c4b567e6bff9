//! A run of an hour, every second of it different: the files that people pass around stay small.

use std::fs;

use serde_json::{Value, json};

use super::{run, views};
use crate::support::{Folder, Random, beside_others, seed};

const SECONDS: usize = 3_600;

/// No file of an hour is larger.
const MOST: u64 = 5_000_000;

/// A document with an hour of intervals, each with two dozen buckets in use, and of what is read
/// beside the load on a host of eight cores.
fn hour(mut document: Value, random: &mut Random) -> Value {
    let sample = document["intervals"][0].clone();
    let mut time = |least: u64| json!(least as f64 + random.below(1_000_000) as f64 / 1e3);
    let mut intervals = Vec::new();
    for second in 1..=SECONDS {
        let mut interval = sample.clone();
        interval["t_s"] = json!(second as f64);
        for (key, least) in [
            ("response_p50_us", 1_000),
            ("response_p95_us", 9_000),
            ("response_p99_us", 20_000),
            ("response_max_us", 900_000),
            ("service_p99_us", 20_000),
            ("send_lag_p99_us", 100),
        ] {
            interval[key] = time(least);
        }
        intervals.push(interval);
    }
    for interval in &mut intervals {
        let heat = (8..32).map(|bucket| json!([bucket, 1 + random.below(50_000)]));
        interval["heat"] = heat.collect();
        for key in ["scheduled", "sent", "good", "users"] {
            interval[key] = json!(100_000 + random.below(900_000));
        }
    }
    document["intervals"] = json!(intervals);
    document["gauges"] = gauges(random);
    document
}

fn gauges(random: &mut Random) -> Value {
    let series = (0..30).map(|at| {
        let values: Vec<f64> =
            (0..SECONDS).map(|_| random.below(10_000_000) as f64 / 1e3).collect();
        json!({
            "name": if at < 22 { format!("host.gauge{at}") } else { format!("host.core{}", at - 22) },
            "unit": "percent", "min": 0.0, "mean": 50.0, "max": 100.0, "last": 1.0,
            "growth_per_min": 0.0, "values": values,
        })
    });
    let series: Vec<Value> = series.collect();
    let t_s: Vec<f64> = (1..=SECONDS).map(|second| second as f64 + 0.000_123).collect();
    json!({"step_s": 1.0, "t_s": t_s, "series": series})
}

#[test]
fn each_file_of_an_hour_stays_under_five_megabytes() {
    beside_others(|| {
        let folder = Folder::new();
        let (saved, _) = run(&folder);
        let document = serde_json::from_str(&fs::read_to_string(&saved).unwrap()).unwrap();
        let document = hour(document, &mut Random::new(seed()));
        fs::write(&saved, document.to_string()).unwrap();
        let mut files = vec![
            "hour.html",
            "hour.json",
            "hour.svg",
            "hour.ndjson",
            "hour.xml",
            "hour.md",
            "tables/",
        ];
        if cfg!(feature = "pictures") {
            files.push("hour.png");
        }
        // Each for itself: a build without optimisation takes seconds to paint, on a busy machine more.
        files.iter().for_each(|file| views(&saved, &[file]));
        let tables = ["stats", "failures", "stats_history", "exceptions"];
        let tables = tables.map(|table| format!("tables/results_{table}.csv"));
        let single = files.iter().filter(|file| !file.ends_with('/')).map(|file| file.to_string());
        for file in single.chain(tables) {
            let size = fs::metadata(folder.path().join(&file)).unwrap().len();
            println!("{file}: {size} bytes");
            assert!(size > 0 && size < MOST, "{file} has {size} bytes");
        }
        // All of it is in there: an hour is not left out to keep it small.
        let lines = fs::read_to_string(folder.path().join("hour.ndjson")).unwrap();
        // An interval and the gauges of each second, and the summary.
        assert_eq!(lines.lines().count(), 2 * SECONDS + 1);
    });
}
