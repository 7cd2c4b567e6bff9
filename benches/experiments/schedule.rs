//! E7, E8: by the target's log, as many requests as were due, when they were due.

use crate::document::Document;
use crate::lab::{Lab, Log, Outcome};
use crate::law::{self, gaps, quantile};
use crate::queues::misfit;
use crate::table::Row;

/// E7. An awkward rate over an awkward number of threads and connections; then how well one
/// worker with a core of its own meets either law.
pub fn accuracy(lab: &Lab) -> Outcome<Vec<Row>> {
    let length = lab.pick(10, 4);
    let server = lab.target("")?;
    let document = lab.load_unpinned(&server, &format!("-R 997 -t 3 -c 7 -d {length}s"))?;
    let mut rows = vec![
        Row::count("997/s, 3 threads: sent", 997 * length, document.requests("sent")?),
        Row::count("997/s, 3 threads: logged", 997 * length, server.stop()?.count()),
    ];
    let server = lab.target("")?;
    let document = lab.load(&server, &format!("-R 997 -c 7 -d {length}s"))?;
    rows.extend(uniform(&document, &server.stop()?, length)?);
    let server = lab.target("")?;
    let flags = format!("-R 997 -c 64 -d {length}s --arrivals poisson --seed 1");
    let document = lab.load(&server, &flags)?;
    rows.extend(poisson(&document, &server.stop()?)?);
    Ok(rows)
}

fn uniform(document: &Document, log: &Log, length: u64) -> Outcome<Vec<Row>> {
    let arrivals = log.arrived();
    let gap = 1.0 / 997.0;
    // Later than due, but for what even the quickest took: that is no error of the schedule.
    let late: Vec<f64> = arrivals.iter().zip(0..).map(|(at, k)| at - f64::from(k) * gap).collect();
    let quickest = late.iter().copied().fold(f64::INFINITY, f64::min);
    let late: Vec<f64> = late.iter().map(|late| late - quickest).collect();
    let (by_log, told) = (quantile(&late, 0.99), document.latency("send_lag.p99")?);
    let gaps = gaps(&arrivals);
    let off: Vec<f64> = gaps.iter().map(|each| (each - gap).abs()).collect();
    Ok(vec![
        Row::count("uniform: logged", 997 * length, log.count()),
        Row::time("uniform: mean gap", gap, law::mean(&gaps), 1e-6),
        Row::time("uniform: half of the gaps off by", 0.0, quantile(&off, 0.5), 1e-4),
        Row::time("uniform: p99 late by the log, and send lag p99", told, by_log, 1e-4),
    ])
}

fn poisson(document: &Document, log: &Log) -> Outcome<Vec<Row>> {
    let arrivals = log.arrived();
    let gaps = gaps(&arrivals);
    // Three standard errors.
    let error = 3.0 / (gaps.len() as f64).sqrt();
    Ok(vec![
        Row::count("poisson: logged", document.requests("sent")?, log.count()),
        Row::number("poisson: mean gap x R", 1.0, law::mean(&gaps) * 997.0, error),
        Row::number("poisson: variation of the gaps", 1.0, law::variation(&gaps), error),
        misfit("poisson", &arrivals, 997.0),
    ])
}

/// E7m. A rate that the connections cannot carry is sent late, and in full.
pub fn matrix(lab: &Lab) -> Outcome<Vec<Row>> {
    let length = lab.pick(5, 2);
    let connections = [1, 7, 64, 1000];
    let mut rows = Vec::new();
    for rate in [1, 7, 997, 10_000, 50_000] {
        for threads in [1, 2] {
            let mut logged = Vec::new();
            for connections in connections {
                logged.push(arrivals(lab, rate, threads, connections, length)?);
            }
            let name = format!("{rate}/s, {threads} threads, 1 7 64 1000 connections");
            rows.push(Row::counts(&name, rate * length, &logged));
        }
    }
    Ok(rows)
}

/// How many the target logged of what blast says it sent, which is all that was due.
fn arrivals(lab: &Lab, rate: u64, threads: u32, connections: u32, length: u64) -> Outcome<u64> {
    let server = lab.target("")?;
    let flags = format!(
        "-R {rate} -t {threads} -c {connections} -d {length}s -T 60s --drain 60s --connect-timeout 30s"
    );
    let sent = lab.load_unpinned(&server, &flags)?.requests("sent")?;
    let logged = server.stop()?.count();
    if sent == logged { Ok(logged) } else { Err(format!("{flags}: {sent} sent, {logged} logged")) }
}

/// E8. The k-th of a ramp is due where the integral of its rate is k.
pub fn ramp(lab: &Lab) -> Outcome<Vec<Row>> {
    let (length, ks) = lab.pick((30, [1_000, 5_000, 15_000]), (6, [200, 1_000, 3_000]));
    let server = lab.target("")?;
    let document = lab.load(&server, &format!("-R 100:1000 -c 200 -d {length}s"))?;
    let log = server.stop()?;
    let (due, arrivals) = (550 * length, log.arrived());
    let mut rows = vec![
        Row::count("sent", due, document.requests("sent")?),
        Row::count("logged", due, log.count()),
    ];
    if log.count() != due {
        return Ok(rows);
    }
    let due_at = |k: usize| law::on_ramp(k as f64, 100.0, 1000.0, length as f64);
    // One arrival may be late; the middle one of its 101 neighbours is not.
    let late = |k: usize| {
        let around = k.saturating_sub(50)..=k + 50;
        quantile(&around.map(|k| arrivals[k] - due_at(k)).collect::<Vec<_>>(), 0.5)
    };
    let start = late(50);
    for k in ks {
        let at = due_at(k) + late(k) - start;
        rows.push(Row::time(&format!("arrival of k = {k}"), due_at(k), at, 0.001));
    }
    Ok(rows)
}
