//! hey: a page of text. The sample was observed (0.1.4).

use super::super::said::{lacks, number};
use super::{Bias, Job, Said, Task, Tool};

pub const HEY: Tool = Tool {
    name: "hey",
    program: "hey",
    install: "apt-get install hey",
    version: &[],
    closed: Some(|task| job(task, None)),
    open: Some(|task| job(task, task.rate)),
    read,
    biases: &[
        Bias::Always("it prints times to 0.1 ms, and keeps the first million answers alone"),
        Bias::Open(
            "each of its workers waits for its own answer and skips the beats it missed: a paced \
             closed loop",
        ),
    ],
};

fn job(task: &Task, rate: Option<u64>) -> Job {
    let (connections, seconds) = (task.connections.to_string(), format!("{}s", task.seconds));
    let job = Job::of(["-cpus", &task.threads.to_string(), "-c", &connections, "-z", &seconds]);
    let each = rate.map(|rate| format!("{:.3}", task.rate_each(rate)));
    job.and(each.iter().flat_map(|each| ["-q", each])).and([task.url()])
}

fn read(text: &str) -> Result<Said, String> {
    let (mut completed, mut good, mut errors) = (0, 0, 0);
    let mut is_error = false;
    for line in text.lines().map(str::trim) {
        is_error |= line.starts_with("Error distribution");
        let Some((label, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']'))
        else {
            continue;
        };
        // `[200]	14136 responses`, and below `[3]	Get ...: connection refused`.
        match (label.parse::<u64>(), is_error) {
            (Ok(count), true) => errors += count,
            (Ok(status), false) => {
                let count = rest.split_whitespace().next().and_then(|word| word.parse().ok());
                let count: u64 = count.ok_or(lacks("count of its statuses"))?;
                completed += count;
                good += if (200..400).contains(&status) { count } else { 0 };
            }
            _ => {}
        }
    }
    let seconds: f64 = number(text, "Total:").ok_or(lacks("line `Total`"))?;
    let us = |seconds: f64| seconds * 1e6;
    Ok(Said {
        completed,
        good: Some(good),
        errors,
        seconds: Some(seconds),
        rate_per_s: None,
        mean_us: number(text, "Average:").map(us),
        p50_us: quantile(text, "50%").map(us),
        p99_us: quantile(text, "99%").map(us),
    })
}

/// `  50% in 0.0008 secs`; later versions write `50%%`.
fn quantile(text: &str, share: &str) -> Option<f64> {
    let mut lines = text.lines().map(str::trim_start);
    let rest = lines.find_map(|line| line.strip_prefix(share)?.split_once("in "))?.1;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_page_is_read() {
        let said = read(include_str!("../samples/hey.txt")).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (14_136, Some(14_136), 0));
        assert_eq!((said.seconds, said.mean_us), (Some(2.0005), Some(2_300.0)));
        assert_eq!((said.p50_us, said.p99_us), (Some(800.0), Some(13_300.0)));
        assert!((said.good_per_s(9.0) - 7_066.2).abs() < 0.1, "{said:?}");
    }

    #[test]
    fn statuses_and_errors_are_told_apart() {
        let page = "  Total: 1.0 secs\nStatus code distribution:\n  [200]\t10 responses\n  [503]\t5 \
                    responses\nError distribution:\n  [3]\tGet: connection refused\n";
        let said = read(page).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (15, Some(10), 3));
    }
}
