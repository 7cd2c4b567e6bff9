//! X1 and X2: a server that dies and comes back, and a user who ends runs whenever he likes.

use std::thread;
use std::time::{Duration, Instant};

use crate::lab::{Lab, Outcome, Server};
use crate::table::Row;

/// X1. The server is killed every three seconds and started again half a second later. The counts
/// stay exact, the full rate is back within a second of each start, and blast does not spin.
pub fn restarts(lab: &Lab) -> Outcome<Vec<Row>> {
    const RATE: u64 = 5_000;
    let kills: u64 = lab.pick(9, 2);
    let length = 3 * (kills + 1);
    let mut server = Some(lab.target("")?);
    let running = match &server {
        Some(server) => {
            lab.start_pinned(server, &format!("-R {RATE} -d {length}s -c 500 --wait block"))?
        }
        None => return Err("no server".to_owned()),
    };
    let began = Instant::now();
    let mut idle_cpu = Vec::new();
    for kill in 1..=kills {
        // A little into the second, so that the next second but one is a whole one.
        thread::sleep((began + Duration::from_millis(3_000 * kill + 200)) - Instant::now());
        let url = server.take().map(Server::kill).unwrap_or_default();
        thread::sleep(Duration::from_millis(100));
        let before = running.cpu();
        thread::sleep(Duration::from_millis(400));
        idle_cpu.push((running.cpu() - before) / 0.4);
        server = Some(lab.target_at("", &url)?);
    }
    let document = running.end()?;
    let due = RATE * length;
    let mut rows = vec![Row::count("scheduled", due, document.requests("scheduled")?)];
    let (good, failed) = (document.requests("good")?, document.requests("failed")?);
    rows.push(Row::count("good + failed", due, good + failed));
    // At most what is in flight when it dies.
    rows.push(Row::at_most("failed a kill", 500.0, failed as f64 / kills as f64));
    rows.push(Row::holds("failed at all, or nothing was tested", failed > 0));
    // Killed at 3.2, there again at 3.7: the second from 5 to 6 has its full rate, and no backlog.
    for kill in 1..=kills {
        let second = (3 * kill + 2) as usize;
        let good = document.interval(second, "good")? as f64;
        let (rate, name) = (RATE as f64, format!("good in second {second}"));
        rows.push(Row::number(&name, rate, good, rate * 0.01));
        let p99 = document.interval_number(second, "response_p99_us")? / 1e6;
        rows.push(Row::time_within(&format!("response p99 in second {second}"), p99, 0.0, 0.02));
    }
    let most = idle_cpu.iter().copied().fold(0.0, f64::max);
    rows.push(Row::at_most("processors in use while it is gone", 0.25, most));
    Ok(rows)
}

/// X2. Runs of 10,000 connections, ended by SIGINT or SIGTERM at random instants: while they
/// connect, warm up, measure or drain. Each one leaves a whole report.
pub fn interrupts(lab: &Lab) -> Outcome<Vec<Row>> {
    let runs: u64 = lab.pick(50, 6);
    let server = lab.target("--delay 20ms")?;
    let (mut reports, mut whole, mut exits) = (0, 0, 0);
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for run in 0..runs {
        // xorshift: the same instants each time.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let flags = "-R 10000 -c 10000 --warmup 300ms -d 700ms";
        let running = lab.start_pinned(&server, flags)?;
        thread::sleep(Duration::from_millis(20 + random % 1_500));
        let (signal, code) = if run % 2 == 0 { (libc::SIGINT, 130) } else { (libc::SIGTERM, 143) };
        let (status, outcome) = running.interrupt(signal)?;
        // It may have been done by then.
        exits += u64::from(status == Some(code) || status == Some(0) || status == Some(4));
        reports += u64::from(outcome.is_ok());
        whole += u64::from(outcome.is_ok_and(|document| document.is_complete()));
    }
    Ok(vec![
        Row::count("whole, parseable reports with good books", runs, reports),
        Row::count("exit codes as documented", runs, exits),
        Row::holds("most of the runs were really cut short", whole * 2 < runs),
        Row::shown("runs that were done before", whole.to_string()),
    ])
}
