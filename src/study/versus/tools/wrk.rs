//! wrk: a page of text. The sample was observed (4.1.0).

use super::super::said::{lacks, number, time};
use super::{Bias, Job, Said, Task, Tool};

pub const WRK: Tool = Tool {
    name: "wrk",
    program: "wrk",
    install: "apt-get install wrk",
    version: &["-v"],
    closed: Some(|task| job(task, &[])),
    open: None,
    read,
    biases: &[
        Bias::Closed(
            "its histogram is back-filled at the end for what it takes for omitted, so its \
             percentiles are not what it measured (blast --as-wrk shows the difference)",
        ),
        Bias::Closed("an answer past its timeout of 2 s is in no percentile"),
    ],
};

pub fn job(task: &Task, more: &[String]) -> Job {
    let threads = format!("-t{}", task.threads());
    let connections = format!("-c{}", task.connections);
    let job = Job::of(["--latency".to_string(), threads, connections]);
    job.and([format!("-d{}s", task.seconds)]).and(more).and([task.url()])
}

pub fn read(text: &str) -> Result<Said, String> {
    let line = text.lines().find(|line| line.contains(" requests in "));
    let (count, rest) = line
        .and_then(|line| line.split_once(" requests in "))
        .ok_or(lacks("line `requests in`"))?;
    let completed: u64 = count.trim().parse().map_err(|_| lacks("number of requests"))?;
    let rejected = number::<u64>(text, "Non-2xx or 3xx responses:").unwrap_or(0);
    Ok(Said {
        completed,
        good: Some(completed.saturating_sub(rejected)),
        errors: socket_errors(text),
        seconds: rest.split(',').next().and_then(time).map(|us| us / 1e6),
        rate_per_s: Some(number(text, "Requests/sec:").ok_or(lacks("line `Requests/sec`"))?),
        mean_us: text.lines().find_map(|line| line.trim().strip_prefix("Latency  ")).and_then(mean),
        p50_us: quantile(text, 50.0),
        p99_us: quantile(text, 99.0),
    })
}

/// The first column of `1.40ms    2.85ms  36.07ms   90.71%`.
fn mean(row: &str) -> Option<f64> {
    row.split_whitespace().next().and_then(time)
}

/// wrk writes ` 50%  172.00us`, wrk2 ` 50.000%  798.00us`.
fn quantile(text: &str, percent: f64) -> Option<f64> {
    text.lines().find_map(|line| {
        let (share, value) = line.trim().split_once('%')?;
        (share.parse() == Ok(percent)).then(|| time(value))?
    })
}

/// `Socket errors: connect 0, read 12, write 0, timeout 3`.
fn socket_errors(text: &str) -> u64 {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("Socket errors:"));
    let words = lines.flat_map(|rest| rest.split([',', ' ']));
    words.filter_map(|word| word.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_page_is_read() {
        let said = read(include_str!("../samples/wrk.txt")).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (74_542, Some(74_542), 0));
        assert_eq!((said.rate_per_s, said.seconds), (Some(37_051.36), Some(2.01)));
        assert_eq!((said.p50_us, said.p99_us), (Some(172.0), Some(14_470.0)));
        assert_eq!(said.mean_us, Some(1_400.0));
    }

    #[test]
    fn its_errors_are_counted_apart() {
        let page = "  100 requests in 1.50m, 1MB read\n  Socket errors: connect 1, read 2, write 3, \
                    timeout 4\n  Non-2xx or 3xx responses: 7\nRequests/sec:  10.00\n";
        let said = read(page).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (100, Some(93), 10));
        assert_eq!((said.seconds, said.p50_us), (Some(90.0), None));
    }
}
