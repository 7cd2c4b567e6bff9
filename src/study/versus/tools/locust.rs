//! Locust: a script of its quick client, and its statistics as JSON. The sample was observed (2.x of
//! PyPI).

use serde_json::Value;

use super::super::said::{at, lacks};
use super::{Bias, Job, Said, Task, Tool};

pub const LOCUST: Tool = Tool {
    name: "locust",
    program: "locust",
    install: "pip install locust",
    version: &["--version"],
    closed: Some(|task| job(task, "constant(0)".to_string())),
    open: Some(|task| {
        job(task, format!("constant_throughput({:.6})", task.rate_each(task.rate())))
    }),
    read,
    biases: &[
        Bias::Always("it rounds times: to the ms below 100, above to two digits"),
        Bias::Always("it is one process, on one core; users start during its first second"),
        Bias::Open("its users keep the pace each for itself, and wait for their own answers"),
    ],
};

fn job(task: &Task, wait: String) -> Job {
    // A JSON string is one of Python's.
    let path = Value::from(task.url.target.as_str());
    let script = format!(
        "from locust import FastHttpUser, constant, constant_throughput, task\n\n\n\
         class User(FastHttpUser):\n    \
             wait_time = {wait}\n\n    \
             @task\n    \
             def get(self):\n        \
                 self.client.get({path}, name=\"get\")\n"
    );
    let (users, seconds) = (task.connections.to_string(), format!("{}s", task.seconds));
    let job = Job::of(["--headless", "--json", "--only-summary", "--users", &users]);
    let job = job.and(["--spawn-rate", &users, "--run-time", &seconds, "--host", &task.base()]);
    job.and(["-f".to_string(), task.path("locustfile.py")]).with("locustfile.py", script)
}

fn read(text: &str) -> Result<Said, String> {
    let rows: Value =
        serde_json::from_str(text).map_err(|error| format!("its output is no JSON ({error})"))?;
    let row = rows.get(0).ok_or(lacks("request"))?;
    let count = |key: &str| at(row, &[key]).map(|count| count as u64);
    let completed = count("num_requests").ok_or(lacks("`num_requests`"))?;
    let failures = count("num_failures").unwrap_or(0);
    let (began, ended) = (at(row, &["start_time"]), at(row, &["last_request_timestamp"]));
    let seconds = began.zip(ended).map(|(began, ended)| ended - began);
    let total = at(row, &["total_response_time"]).map(|ms| ms * 1e3);
    let times = times(row);
    Ok(Said {
        completed,
        good: Some(completed.saturating_sub(failures)),
        errors: 0,
        seconds: seconds.filter(|seconds| *seconds > 0.0),
        rate_per_s: None,
        mean_us: total.map(|total| total / completed.max(1) as f64),
        p50_us: quantile(&times, 0.5),
        p99_us: quantile(&times, 0.99),
    })
}

/// Milliseconds and how often.
fn times(row: &Value) -> Vec<(f64, u64)> {
    let entries = row.get("response_times").and_then(Value::as_object).into_iter().flatten();
    let read = |(ms, count): (&String, &Value)| Some((ms.parse::<f64>().ok()?, count.as_u64()?));
    let mut times: Vec<(f64, u64)> = entries.filter_map(read).collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    times
}

fn quantile(times: &[(f64, u64)], q: f64) -> Option<f64> {
    let all: u64 = times.iter().map(|(_, count)| count).sum();
    let rank = (all as f64 * q).ceil() as u64;
    let mut seen = 0;
    let reaches = |(ms, count): &(f64, u64)| {
        seen += count;
        (seen >= rank.max(1)).then_some(ms * 1e3)
    };
    times.iter().find_map(reaches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_json_is_read() {
        let said = read(include_str!("../samples/locust.json")).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (24_875, Some(24_875), 0));
        // As its own table says of the same run.
        assert_eq!((said.p50_us, said.p99_us), (Some(1_000.0), Some(3_000.0)));
        assert!((said.mean_us.unwrap() - 1_126.3).abs() < 0.1, "{said:?}");
        assert!((said.seconds.unwrap() - 2.808).abs() < 0.001, "{said:?}");
    }
}
