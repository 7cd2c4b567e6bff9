//! E11 to E14: what is never answered, never sent, answered after the end, or before the measure.

use crate::lab::{Lab, Outcome};
use crate::law::stalled;
use crate::table::Row;

/// E11. One request in a hundred is never answered.
pub fn censoring(lab: &Lab) -> Outcome<Vec<Row>> {
    let length = lab.pick(20, 6);
    let (due, never) = (1000 * length, 10 * length);
    let server = lab.target("--unanswered 100")?;
    let document = lab.load(&server, &format!("-R 1000 -d {length}s -c 200 -T 1s"))?;
    let log = server.stop()?;
    let all = document.latency("response.p99_9")?;
    let good = document.latency("good_only.p99_9")?;
    Ok(vec![
        Row::count("good", due - never, document.requests("good")?),
        Row::count("failed", never, document.requests("failed")?),
        Row::count("timed out", never, document.count("failures.timeout")?),
        Row::count("censored", never, document.count("latency.response.censored")?),
        Row::count("without an answer, by the log", never, log.unanswered()),
        Row::number("exact up to", 0.99, document.number("latency.response.exact_up_to")?, 1e-9),
        Row::time_within("response p99.9, at least the limit", all, 1.0, 1.1),
        Row::time_within("good alone, p99.9", good, 0.0, 0.01),
    ])
}

/// E12. All slots are stuck, and what becomes due meanwhile is dropped at once.
pub fn drops(lab: &Lab) -> Outcome<Vec<Row>> {
    let server = lab.target("--delay 950ms")?;
    let document = lab.load(&server, "-R 10 -d 1s -c 20 --max-in-flight 5")?;
    Ok(vec![
        Row::count("scheduled", 10, document.requests("scheduled")?),
        Row::count("sent", 5, document.requests("sent")?),
        Row::count("dropped", 5, document.requests("dropped")?),
        Row::count("arrivals logged", 5, server.stop()?.count()),
    ])
}

/// E13. The gate shuts a second before the end: with a drain that outlasts it the last second is in
/// the report, with a short one it is abandoned, and counted.
pub fn across_the_end(lab: &Lab) -> Outcome<Vec<Row>> {
    let (length, stall, drain) = lab.pick((10, 10, 15), (3, 3, 6));
    let due = 100 * length;
    let gate = format!("--stall {stall}s/{}s", length - 1 + stall);
    let server = lab.target(&gate)?;
    let flags = format!("-R 100 -d {length}s -c 200 -T 20s --drain");
    let document = lab.load(&server, &format!("{flags} {drain}s"))?;
    let log = server.stop()?;
    let mut rows = vec![
        Row::count("long drain: good", due, document.requests("good")?),
        Row::number("long drain: held up", 100.0, log.held_longer_than(1.0) as f64, 20.0),
    ];
    // Counted from the top it does not matter when in the run the gate was shut.
    let (stall, length) = (stall as f64, length as f64);
    for (name, q) in [("p95", 0.95), ("p99", 0.99)] {
        let expected = stalled(q, stall, length);
        // Null where the sample is too small for it.
        let Ok(measured) = document.latency(&format!("response.{name}")) else { continue };
        let tolerance = 0.02 * expected;
        rows.push(Row::time(
            &format!("long drain: response {name}"),
            expected,
            measured,
            tolerance,
        ));
    }
    let server = lab.target(&gate)?;
    let document = lab.load(&server, &format!("{flags} 1s"))?;
    let unanswered = server.stop()?.unanswered();
    rows.extend([
        Row::count(
            "short drain: abandoned, by the log",
            unanswered,
            document.requests("abandoned")?,
        ),
        Row::count("short drain: good", due - unanswered, document.requests("good")?),
        Row::count(
            "short drain: censored",
            unanswered,
            document.count("latency.response.censored")?,
        ),
        Row::number("short drain: held up", 100.0, unanswered as f64, 20.0),
        Row::holds("short drain: warned", document.warns("unfinished")),
    ]);
    Ok(rows)
}

/// E14. The gate shuts in the warm-up alone: from 2.5 s to 3 s, and not again before 5.5 s.
pub fn warmup(lab: &Lab) -> Outcome<Vec<Row>> {
    let server = lab.target("--stall 500ms/3s")?;
    let document = lab.load(&server, "-R 500 --warmup 3500ms -d 1500ms -c 300")?;
    let warmup = document.number("warmup.latency.response.max_us")? / 1e6;
    Ok(vec![
        Row::count("good", 750, document.requests("good")?),
        Row::time_within("response p99", document.latency("response.p99")?, 0.0, 0.005),
        Row::time_within("response max", document.latency("response.max")?, 0.0, 0.05),
        Row::time("warm-up's response max", 0.5, warmup, 0.02),
    ])
}
