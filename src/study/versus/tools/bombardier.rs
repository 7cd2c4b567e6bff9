//! bombardier: JSON. The sample follows what it documents (`-o json`, 1.2); it was not observed.

use super::super::said::{at, json, lacks};
use super::{Bias, Job, Said, Task, Tool};

pub const BOMBARDIER: Tool = Tool {
    name: "bombardier",
    program: "bombardier",
    install: "go install github.com/codesenberg/bombardier@latest",
    version: &["--version"],
    closed: Some(|task| job(task, &[])),
    open: Some(|task| job(task, &["-r".to_string(), task.rate().to_string()])),
    read,
    biases: &[
        Bias::Always("it counts failures among its requests; here those with a status are counted"),
        Bias::Open(
            "a worker that waits for an answer sends nothing, and the time starts when it sends",
        ),
    ],
};

fn job(task: &Task, more: &[String]) -> Job {
    let (connections, seconds) = (task.connections.to_string(), format!("{}s", task.seconds));
    let job = Job::of(["-c", &connections, "-d", &seconds, "-l", "-p", "r", "-o", "json"]);
    job.and(more).and([task.url()])
}

fn read(text: &str) -> Result<Said, String> {
    let document = json(text)?;
    let result = document.get("result").ok_or(lacks("`result`"))?;
    let count = |name: &str| at(result, &[name]).unwrap_or(0.0) as u64;
    let good = count("req2xx") + count("req3xx");
    let quantile = |q: &str| at(result, &["latency", "percentiles", q]);
    Ok(Said {
        completed: good + count("req1xx") + count("req4xx") + count("req5xx"),
        good: Some(good),
        errors: count("others"),
        seconds: Some(at(result, &["timeTakenSeconds"]).ok_or(lacks("`timeTakenSeconds`"))?),
        rate_per_s: None,
        mean_us: at(result, &["latency", "mean"]),
        p50_us: quantile("50"),
        p99_us: quantile("99"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_json_is_read() {
        let said = read(include_str!("../samples/bombardier.json")).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (50_003, Some(50_000), 2));
        assert_eq!((said.seconds, said.mean_us), (Some(2.0), Some(612.5)));
        assert_eq!((said.p50_us, said.p99_us), (Some(540.0), Some(2_800.0)));
    }
}
