//! oha: JSON. The sample follows the schema that it publishes (`schema.json` of 1.15); it was not
//! observed.

use super::super::said::{at, json, lacks, statuses};
use super::{Bias, Job, Said, Task, Tool};

pub const OHA: Tool = Tool {
    name: "oha",
    program: "oha",
    install: "cargo install oha",
    version: &["--version"],
    closed: Some(|task| job(task, &[])),
    open: Some(|task| {
        let rate = task.rate().to_string();
        job(task, &["-q".to_string(), rate, "--latency-correction".to_string()])
    }),
    read,
    biases: &[Bias::Open(
        "it stamps a request when one of its workers takes it up, which is not when it was due",
    )],
};

fn job(task: &Task, more: &[String]) -> Job {
    let (connections, seconds) = (task.connections.to_string(), format!("{}s", task.seconds));
    let job = Job::of(["--no-tui", "-c", &connections, "-z", &seconds, "--output-format", "json"]);
    job.and(more).and([task.url()])
}

fn read(text: &str) -> Result<Said, String> {
    let result = json(text)?;
    let us = |path: &[&str]| at(&result, path).map(|seconds| seconds * 1e6);
    let (completed, good) = statuses(result.get("statusCodeDistribution"));
    let errors = result.get("errorDistribution").and_then(|errors| errors.as_object());
    // What was under way when its time was over is no error.
    let errors =
        errors.into_iter().flatten().filter(|(kind, _)| *kind != "aborted due to deadline");
    let seconds = at(&result, &["summary", "total"]).ok_or(lacks("`summary.total`"))?;
    Ok(Said {
        completed,
        good: Some(good),
        errors: errors.filter_map(|(_, count)| count.as_u64()).sum(),
        seconds: Some(seconds),
        rate_per_s: None,
        mean_us: us(&["summary", "average"]),
        p50_us: us(&["latencyPercentiles", "p50"]),
        p99_us: us(&["latencyPercentiles", "p99"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_json_is_read() {
        let said = read(include_str!("../samples/oha.json")).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (60_010, Some(60_000), 4));
        assert_eq!((said.seconds, said.mean_us), (Some(2.0), Some(520.0)));
        assert_eq!((said.p50_us, said.p99_us), (Some(480.0), Some(1_910.0)));
    }
}
