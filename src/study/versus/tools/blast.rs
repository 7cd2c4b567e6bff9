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
    Ok(Said {
        completed: requests.completed,
        good: Some(requests.good),
        errors: requests.failed + requests.abandoned + requests.dropped,
        seconds: Some(document.duration_s),
        rate_per_s: Some(document.rate.completed_per_s),
        mean_us: response.mean_us,
        p50_us: response.p50_us,
        p99_us: response.p99_us,
    })
}
