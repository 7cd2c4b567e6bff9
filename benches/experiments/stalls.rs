//! E1, E2, E9: whoever stands still, response times show it; and E9b, whose fault it was.

use std::thread;
use std::time::Duration;

use crate::document::Document;
use crate::lab::{Lab, Outcome, Server};
use crate::law::{stalled, stalled_mean};
use crate::table::Row;

/// The service time of the stalls, where they have one.
const SERVICE: f64 = 0.01;

/// One stall of `stall` seconds in a run of `length`, or one in each period of `length`, at a
/// server that takes `service`. 2 % of the stall, and 5 ms in which its backlog leaves.
fn rows(document: &Document, stall: f64, length: f64, service: f64) -> Outcome<Vec<Row>> {
    let tolerance = 0.02 * stall + 0.005;
    let quantiles = [
        ("p50", 0.5),
        ("p75", 0.75),
        ("p90", 0.9),
        ("p95", 0.95),
        ("p99", 0.99),
        ("p99_9", 0.999),
        ("p99_99", 0.9999),
        ("max", 1.0),
    ];
    let mut rows = Vec::new();
    for (name, q) in quantiles {
        // A quantile that the sample is too small for is null.
        if let Ok(measured) = document.latency(&format!("response.{name}")) {
            let expected = service + stalled(q, stall, length);
            rows.push(Row::time(&format!("response {name}"), expected, measured, tolerance));
        }
    }
    let mean = service + stalled_mean(stall, length);
    rows.push(Row::time("response mean", mean, document.latency("response.mean")?, tolerance));
    Ok(rows)
}

/// Counts first: they are what the quantiles are quantiles of.
fn counted(document: &Document, due: u64, mut rows: Vec<Row>) -> Outcome<Vec<Row>> {
    rows.insert(0, Row::count("good", due, document.requests("good")?));
    Ok(rows)
}

/// E1. The target is shut at the end of each period, and the run ends before that of the second.
pub fn one(lab: &Lab) -> Outcome<Vec<Row>> {
    let (length, stall, period) = lab.pick((60, 1.0, 40.0), (10, 0.5, 7.0));
    let server = lab.target(&format!("--delay 10ms --stall {stall}s/{period}s"))?;
    let document = lab.load(&server, &format!("-R 1000 -d {length}s -c 1200"))?;
    counted(&document, 1000 * length, rows(&document, stall, length as f64, SERVICE)?)
}

/// E2. Whole periods, so it does not matter where in them the run begins.
pub fn periodic(lab: &Lab) -> Outcome<Vec<Row>> {
    let mut all = Vec::new();
    let (length, period, stalls) =
        lab.pick((60, 10.0, [1.0, 2.0, 0.2]), (10, 2.0, [0.2, 0.4, 0.04]));
    for (stall, service) in stalls.into_iter().zip([0.0, 0.0, SERVICE]) {
        let delay = if service > 0.0 { "--delay 10ms" } else { "" };
        let server = lab.target(&format!("{delay} --stall {stall}s/{period}s"))?;
        let document = lab.load(&server, &format!("-R 1000 -d {length}s -c 2200"))?;
        let rows = rows(&document, stall, period, service)?;
        let rows = counted(&document, 1000 * length, rows)?;
        all.extend(rows.into_iter().map(|row| row.of(&format!("{stall} s"))));
    }
    Ok(all)
}

/// E2c. Exactly one sample a connection and stall: a closed loop's percentiles know nothing of it.
pub fn closed_loop(lab: &Lab) -> Outcome<Vec<Row>> {
    let (length, stall, period, stalls) = lab.pick((30, 2.0, 10.0, 3), (6, 0.4, 2.0, 3));
    let server = lab.target(&format!("--delay 100us --stall {stall}s/{period}s"))?;
    let document = lab.load(&server, &format!("-c 10 -d {length}s"))?;
    let log = server.stop()?;
    let mut rows = vec![
        Row::count("requests held up, by the log", 10 * stalls, log.held_longer_than(stall / 2.0)),
        Row::count("requests logged", document.requests("sent")?, log.count()),
        Row::count("samples of send lag", 0, document.count("latency.send_lag.count")?),
        Row::holds("latency from the send", document.text("latency_from")? == "sent"),
        Row::time("max", stall, document.latency("service.max")?, 0.02 * stall + 0.005),
    ];
    // Where the stalled are more than a ten-thousandth, p99.99 is theirs.
    let (name, most) = ("p99_9", 0.01);
    rows.push(Row::time_within(name, document.latency(&format!("service.{name}"))?, 0.0001, most));
    let share = 10.0 * stalls as f64 / document.requests("sent")? as f64;
    rows.push(Row::shown("share that saw a stall", format!("{share:.2e}")));
    Ok(rows)
}

/// E9. As wrk's issue 99: half of a run, on one connection, in which the server is stopped. At a
/// rate that one connection can catch up on within the tolerance.
pub fn server_stopped(lab: &Lab) -> Outcome<Vec<Row>> {
    stopped(lab, lab.target("")?)
}

pub fn nginx_stopped(lab: &Lab) -> Outcome<Vec<Row>> {
    match lab.nginx()? {
        Some(nginx) => stopped(lab, nginx),
        None => Ok(vec![Row::skipped("all", "nginx is not installed")]),
    }
}

fn stopped(lab: &Lab, server: Server) -> Outcome<Vec<Row>> {
    let (length, stall) = lab.pick((10, 5.0), (4, 1.5));
    let running = lab.start_pinned(&server, &format!("-R 200 -d {length}s -c 1 --drain 30s"))?;
    thread::sleep(Duration::from_secs(1));
    let stall = server.freeze(Duration::from_secs_f64(stall));
    let document = running.end()?;
    counted(&document, 200 * length, rows(&document, stall, length as f64, 0.0)?)
}

/// E9b. The same tail, but the service takes no longer, and the send lag has it all.
pub fn blast_stopped(lab: &Lab) -> Outcome<Vec<Row>> {
    let (length, stall) = lab.pick((10, 1.0), (4, 0.5));
    let server = lab.target("")?;
    let running = lab.start_pinned(&server, &format!("-R 1000 -d {length}s -c 1200"))?;
    thread::sleep(Duration::from_secs(1));
    let stall = running.freeze(Duration::from_secs_f64(stall));
    let document = running.end()?;
    let mut rows = rows(&document, stall, length as f64, 0.0)?;
    let lag = document.latency("send_lag.max")?;
    // The backlog leaves at once, and the last of it waits for the others.
    let most = 0.02 * stall + 0.005;
    rows.push(Row::time("send lag max", stall, lag, most));
    rows.push(Row::time_within("service p99", document.latency("service.p99")?, 0.0, most));
    rows.push(Row::holds("warned: generator_paused", document.warns("generator_paused")));
    counted(&document, 1000 * length, rows)
}
