//! ApacheBench: a page of text. The sample was observed (2.3, of httpd 2.4.71).

use super::super::said::{lacks, number};
use super::{Bias, Job, Said, Task, Tool};

/// It ends by the time or by this number, whichever is first, and makes room for all of them.
const MOST: u64 = 20_000_000;

pub const AB: Tool = Tool {
    name: "ab",
    program: "ab",
    install: "apt-get install apache2-utils",
    version: &["-V"],
    closed: Some(job),
    open: None,
    read,
    biases: &[
        Bias::Always("it prints times in whole milliseconds"),
        Bias::Always("it speaks HTTP/1.0, with keep-alive where the server grants it"),
        Bias::Always("it has one thread, whatever the cores"),
    ],
};

/// `-l`: an answer of another length is no failure.
fn job(task: &Task) -> Job {
    let (connections, seconds) = (task.connections.to_string(), task.seconds.to_string());
    let job = Job::of(["-q", "-k", "-l", "-c", &connections, "-t", &seconds, "-n"]);
    job.and([MOST.to_string(), task.url()])
}

fn read(text: &str) -> Result<Said, String> {
    let completed: u64 =
        number(text, "Complete requests:").ok_or(lacks("line `Complete requests`"))?;
    let rejected = number::<u64>(text, "Non-2xx responses:").unwrap_or(0);
    // `Time per request:       0.480 [ms] (mean)`, and below it the one of all connections.
    let ms = |ms: f64| ms * 1e3;
    Ok(Said {
        completed,
        good: Some(completed.saturating_sub(rejected)),
        errors: number(text, "Failed requests:").ok_or(lacks("line `Failed requests`"))?,
        seconds: number(text, "Time taken for tests:"),
        rate_per_s: None,
        mean_us: number(text, "Time per request:").map(ms),
        p50_us: number(text, "50%").map(ms),
        p99_us: number(text, "99%").map(ms),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_page_is_read() {
        let said = read(include_str!("../samples/ab.txt")).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (66_623, Some(66_623), 0));
        assert_eq!((said.seconds, said.mean_us), (Some(2.0), Some(480.0)));
        assert_eq!((said.p50_us, said.p99_us), (Some(0.0), Some(4_000.0)));
    }
}
