//! blast itself, as one program among the others: its result document.

use super::super::said::lacks;
use super::{Job, Said, Task, Tool};
use crate::report::Document;

pub const PROGRAM: &str = "blast";

pub const RING: Tool = engine("blast", |task| job(task, "ring"));
pub const TOKIO_URING: Tool = engine("blast-tokio-uring", |task| job(task, "tokio-uring"));
pub const EPOLL: Tool = engine("blast-epoll", |task| job(task, "epoll"));

const fn engine(name: &'static str, job: fn(&Task) -> Job) -> Tool {
    Tool {
        name,
        program: PROGRAM,
        install: "cargo install --path .",
        version: &["--version"],
        closed: Some(job),
        open: Some(job),
        read,
        biases: &[],
    }
}

fn job(task: &Task, engine: &str) -> Job {
    let (threads, connections) = (task.threads().to_string(), task.connections.to_string());
    let job = Job::of(["--json", "--quiet", "--rating", "off", "-t", &threads, "-c", &connections]);
    // The default falls back where io_uring is refused, and says so.
    let engine = (engine != "ring").then_some(["--engine", engine]);
    let rate = task.rate.map(|rate| ["-R".to_string(), rate.to_string()]);
    let job = job.and(["-d".to_string(), format!("{}s", task.seconds)]);
    job.and(engine.into_iter().flatten()).and(rate.into_iter().flatten()).and([task.url()])
}

fn read(text: &str) -> Result<Said, String> {
    let document: Document =
        serde_json::from_str(text).map_err(|error| format!("its output is no result ({error})"))?;
    if document.requests.scheduled == 0 {
        return Err(lacks("request"));
    }
    let (requests, response) = (&document.requests, &document.latency.response);
    // What is above is only known to be more, which a table of figures cannot say.
    let exact = |us: Option<f64>, q: f64| us.filter(|_| q <= response.exact_up_to);
    Ok(Said {
        completed: requests.completed,
        good: Some(requests.good),
        errors: requests.failed + requests.abandoned + requests.dropped,
        seconds: Some(document.duration_s),
        rate_per_s: Some(document.rate.completed_per_s),
        mean_us: exact(response.mean_us, 1.0),
        p50_us: exact(response.p50_us, 0.5),
        p99_us: exact(response.p99_us, 0.99),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_time_that_is_only_known_to_be_more_is_no_figure() {
        let mut document = fixture::closed().document();
        document.latency.response.exact_up_to = 1.0;
        document.latency.response.p50_us = Some(100.0);
        document.latency.response.p99_us = Some(900.0);
        let said = |document: &Document| read(&serde_json::to_string(document).unwrap()).unwrap();
        let all = said(&document);
        assert_eq!((all.p50_us, all.p99_us), (Some(100.0), Some(900.0)));
        document.latency.response.exact_up_to = 0.98;
        let most = said(&document);
        assert_eq!((most.mean_us, most.p50_us, most.p99_us), (None, Some(100.0), None));
        document.latency.response.exact_up_to = 0.0;
        assert_eq!(said(&document).p50_us, None);
    }
}
