//! vegeta: an attack that writes a file of its own, and a report on it as JSON. The sample follows
//! what it documents (README of 12); it was not observed.

use super::super::said::{at, json, lacks, statuses};
use super::{Bias, Job, Said, Task, Tool};

pub const VEGETA: Tool = Tool {
    name: "vegeta",
    program: "vegeta",
    install: "go install github.com/tsenart/vegeta/v12@latest",
    version: &["-version"],
    closed: Some(|task| job(task, "0".to_string())),
    open: Some(|task| job(task, format!("{}/1s", task.rate()))),
    read,
    biases: &[Bias::Open(
        "it stamps a request when one of its workers wakes, which is not when it was due",
    )],
};

/// A rate of 0 is as fast as answers come; so many workers and no more.
fn job(task: &Task, rate: String) -> Job {
    let (targets, results) = (task.path("vegeta.targets"), task.path("vegeta.bin"));
    let count = task.connections;
    let job = Job::of(["attack".to_string(), format!("-targets={targets}")]);
    let job = job.and([format!("-rate={rate}"), format!("-duration={}s", task.seconds)]);
    let job = job.and([format!("-workers={count}"), format!("-max-workers={count}")]);
    let job = job.and([format!("-connections={count}"), format!("-output={results}")]);
    let then = ["report", "-type=json", &results].map(str::to_string).to_vec();
    let targets = format!("GET {}\n", task.url());
    Job { then: Some(then), ..job.with("vegeta.targets", targets) }
}

fn read(text: &str) -> Result<Said, String> {
    let report = json(text)?;
    let requests = at(&report, &["requests"]).ok_or(lacks("`requests`"))? as u64;
    let (completed, good) = statuses(report.get("status_codes"));
    let nanos = |path: &[&str]| at(&report, path).map(|nanos| nanos / 1e3);
    // Of the attack, and the wait for its last answer.
    let seconds = ["duration", "wait"].iter().filter_map(|key| at(&report, &[key])).sum::<f64>();
    Ok(Said {
        completed,
        good: Some(good),
        errors: requests.saturating_sub(completed),
        seconds: Some(seconds / 1e9),
        rate_per_s: None,
        mean_us: nanos(&["latencies", "mean"]),
        p50_us: nanos(&["latencies", "50th"]),
        p99_us: nanos(&["latencies", "99th"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_report_is_read() {
        let said = read(include_str!("../samples/vegeta.json")).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (98, Some(97), 2));
        assert_eq!((said.p50_us, said.p99_us), (Some(2_854.306), Some(3_530.0)));
        assert!((said.seconds.unwrap() - 0.993507).abs() < 1e-6, "{said:?}");
    }
}
