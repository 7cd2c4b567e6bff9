//! h2load: a page of text. The sample was observed (nghttp2 1.52), with the lines of its progress.

use super::super::said::{lacks, time};
use super::{Bias, Job, Said, Task, Tool};

pub const H2LOAD: Tool = Tool {
    name: "h2load",
    program: "h2load",
    install: "apt-get install nghttp2-client",
    version: &["--version"],
    closed: Some(|task| job(task, None)),
    open: Some(|task| job(task, task.rate)),
    read,
    biases: &[
        Bias::Always("it prints no percentiles"),
        Bias::Open("each of its clients keeps the pace for itself, and waits for its own answers"),
    ],
};

fn job(task: &Task, rate: Option<u64>) -> Job {
    let threads = format!("-t{}", task.threads());
    let connections = format!("-c{}", task.connections);
    let job = Job::of(["--h1".to_string(), threads, connections, format!("-D{}", task.seconds)]);
    let each = rate.map(|rate| format!("--rps={:.3}", task.rate_each(rate)));
    job.and(each).and([task.url()])
}

fn read(text: &str) -> Result<Said, String> {
    let line = |label: &str| text.lines().find_map(|line| line.trim().strip_prefix(label));
    let requests = line("requests:").ok_or(lacks("line `requests`"))?;
    let statuses = line("status codes:").ok_or(lacks("line `status codes`"))?;
    let count = |line: &str, name: &str| {
        let mut parts = line.split(',').map(str::trim);
        let part = parts.find_map(|part| part.strip_suffix(name));
        part.and_then(|count| count.trim().parse::<u64>().ok())
    };
    let completed = count(requests, "done").ok_or(lacks("count of requests done"))?;
    let good = ["2xx", "3xx"].iter().filter_map(|name| count(statuses, name)).sum();
    let errors = ["errored", "timeout"].iter().filter_map(|name| count(requests, name)).sum();
    // `finished in 2.01s, 22946.50 req/s, 2.84MB/s`.
    let rate = line("finished in").and_then(|line| line.split(',').nth(1));
    let rate = rate.and_then(|rate| rate.trim().strip_suffix(" req/s"));
    // min, max, mean, sd.
    let mean = line("time for request:").and_then(|line| line.split_whitespace().nth(2));
    Ok(Said {
        completed,
        good: Some(good),
        errors,
        rate_per_s: rate.and_then(|rate| rate.parse().ok()),
        mean_us: mean.and_then(time),
        ..Said::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_page_is_read() {
        let said = read(include_str!("../samples/h2load.txt")).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (45_893, Some(45_893), 0));
        assert_eq!((said.rate_per_s, said.mean_us), (Some(22_946.5), Some(696.0)));
        let said = read(include_str!("../samples/h2load-rate.txt")).unwrap();
        assert_eq!((said.completed, said.rate_per_s), (1_600, Some(800.0)));
        assert_eq!(said.mean_us, Some(2_870.0));
    }
}
