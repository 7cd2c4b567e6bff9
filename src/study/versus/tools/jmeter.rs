//! JMeter: a plan of one thread group, and its table of all samples (JTL as CSV). Plan and sample
//! follow what it documents (5.x); they were not observed, as Debian's 2.13 reads no plan at all.

use std::collections::BTreeMap;

use quick_xml::escape::escape;

use super::super::said::lacks;
use super::{Bias, Job, Said, Task, Tool};

const PLAN: &str = include_str!("jmeter.jmx");

pub const JMETER: Tool = Tool {
    name: "jmeter",
    program: "jmeter",
    install: "see https://jmeter.apache.org/download_jmeter.cgi (it needs Java)",
    // It takes seconds to say, and says it as a picture.
    version: &[],
    closed: Some(job),
    open: None,
    read,
    biases: &[
        Bias::Always("it writes times in whole milliseconds, and each sample into a file"),
        Bias::Always("its Java machine warms up during the run; the start of it is in its CPU"),
    ],
};

fn job(task: &Task) -> Job {
    let host = task.url.host.to_string();
    let scheme = if task.url.is_https { "https" } else { "http" };
    let (connections, seconds) = (task.connections.to_string(), task.seconds.to_string());
    let port = task.url.port.to_string();
    let fields = [
        ("{connections}", &*connections),
        ("{seconds}", &seconds),
        ("{host}", &host),
        ("{port}", &port),
        ("{scheme}", scheme),
        ("{path}", &task.url.target),
    ];
    let plan = fields
        .iter()
        .fold(PLAN.to_string(), |plan, (field, value)| plan.replace(field, &escape(*value)));
    let (plan_file, results) = (task.path("jmeter.jmx"), task.path("jmeter.jtl"));
    let job = Job::of(["-n", "-f", "-t", &plan_file, "-l", &results]);
    let job = job.and(["-j".to_string(), task.path("jmeter.log")]);
    let format = "-Jjmeter.save.saveservice.output_format=csv";
    let job = job.and([format, "-Jjmeter.save.saveservice.print_field_names=true"]);
    Job { output: Some("jmeter.jtl".to_string()), ..job.with("jmeter.jmx", plan) }
}

fn read(text: &str) -> Result<Said, String> {
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let head = rows.headers().map_err(|error| format!("its table cannot be read ({error})"))?;
    let column = |name: &str| {
        let at = head.iter().position(|head| head == name);
        at.ok_or_else(|| lacks(&format!("column `{name}`")))
    };
    let (stamp, elapsed, success) = (column("timeStamp")?, column("elapsed")?, column("success")?);
    let code = column("responseCode")?;
    let (mut said, mut good, mut sum) = (Said::default(), 0, 0.0);
    let (mut times, mut began, mut ended) = (BTreeMap::<u64, u64>::new(), u64::MAX, 0);
    // The last line may be cut.
    for row in rows.records().flatten() {
        let number = |at: usize| row.get(at).and_then(|cell| cell.parse::<u64>().ok());
        let (Some(at), Some(ms)) = (number(stamp), number(elapsed)) else { continue };
        (began, ended) = (began.min(at), ended.max(at + ms));
        if number(code).is_none() {
            // Of an exception it has a text for a code.
            said.errors += 1;
            continue;
        }
        said.completed += 1;
        good += u64::from(row.get(success) == Some("true"));
        sum += ms as f64 * 1e3;
        *times.entry(ms).or_default() += 1;
    }
    let quantile = |q: f64| {
        let rank = (said.completed as f64 * q).ceil() as u64;
        let mut seen = 0;
        times.iter().find_map(|(ms, count)| {
            seen += count;
            (seen >= rank).then_some(*ms as f64 * 1e3)
        })
    };
    let (p50_us, p99_us) = (quantile(0.5), quantile(0.99));
    let mean_us = (said.completed > 0).then(|| sum / said.completed as f64);
    let seconds = (ended > began).then(|| (ended - began) as f64 / 1e3);
    Ok(Said { good: Some(good), seconds, mean_us, p50_us, p99_us, ..said })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_table_is_read() {
        let said = read(include_str!("../samples/jmeter.jtl")).unwrap();
        assert_eq!((said.completed, said.good, said.errors), (5, Some(4), 1));
        assert_eq!((said.p50_us, said.p99_us), (Some(2_000.0), Some(12_000.0)));
        assert_eq!((said.mean_us, said.seconds), (Some(4_000.0), Some(0.5)));
    }
}
