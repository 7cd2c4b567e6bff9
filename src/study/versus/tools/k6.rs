//! k6: a script whose `handleSummary` prints all its metrics as JSON. The sample follows what k6
//! documents of that function's argument; it was not observed.

use super::super::said::{at, json, lacks};
use super::{Bias, Job, Said, Task, Tool};

pub const K6: Tool = Tool {
    name: "k6",
    program: "k6",
    install: "see https://grafana.com/docs/k6/latest/set-up/install-k6/",
    version: &["version"],
    closed: Some(|task| {
        let (count, seconds) = (task.connections, task.seconds);
        job(task, &format!("executor: 'constant-vus', vus: {count}, duration: '{seconds}s'"))
    }),
    open: Some(|task| {
        let (rate, count, seconds) = (task.rate(), task.connections, task.seconds);
        let executor = format!(
            "executor: 'constant-arrival-rate', rate: {rate}, timeUnit: '1s', \
             duration: '{seconds}s', preAllocatedVUs: {count}, maxVUs: {count}"
        );
        job(task, &executor)
    }),
    read,
    biases: &[Bias::Open(
        "an iteration that found no free user is counted apart and in no percentile; here it is an \
         error",
    )],
};

/// The times of `http_req_duration` begin when the request is sent; connecting is not in them.
fn job(task: &Task, executor: &str) -> Job {
    let url = serde_json::Value::from(task.url());
    let script = format!(
        "import http from 'k6/http';\n\
         export const options = {{\n  \
           discardResponseBodies: true,\n  \
           summaryTrendStats: ['avg', 'med', 'p(99)'],\n  \
           scenarios: {{ load: {{ {executor}, gracefulStop: '2s' }} }},\n\
         }};\n\
         export default function () {{ http.get({url}); }}\n\
         export function handleSummary(data) {{ return {{ stdout: JSON.stringify(data) }}; }}\n"
    );
    let words = ["run", "--quiet", "--no-usage-report", "--log-output=stderr"];
    Job::of(words).and([task.path("k6.js")]).with("k6.js", script)
}

fn read(text: &str) -> Result<Said, String> {
    let summary = json(text)?;
    let metrics = summary.get("metrics").ok_or(lacks("`metrics`"))?;
    let value = |metric: &str, key: &str| at(metrics, &[metric, "values", key]);
    let count = value("http_reqs", "count").ok_or(lacks("`http_reqs`"))?;
    // Of this rate the samples that are true, so those that failed, are its `passes`.
    let failed = value("http_req_failed", "passes").unwrap_or(0.0);
    let ms = |key: &str| value("http_req_duration", key).map(|ms| ms * 1e3);
    Ok(Said {
        completed: count as u64,
        good: Some((count - failed).max(0.0) as u64),
        errors: value("dropped_iterations", "count").unwrap_or(0.0) as u64,
        seconds: at(&summary, &["state", "testRunDurationMs"]).map(|ms| ms / 1e3),
        rate_per_s: value("http_reqs", "rate"),
        mean_us: ms("avg"),
        p50_us: ms("med"),
        p99_us: ms("p(99)"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_summary_is_read() {
        let said = read(include_str!("../samples/k6.json")).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (18_000, Some(17_990), 25));
        assert_eq!((said.rate_per_s, said.seconds), (Some(8_991.0), Some(2.002)));
        assert_eq!((said.p50_us, said.p99_us), (Some(1_100.0), Some(9_400.0)));
    }
}
