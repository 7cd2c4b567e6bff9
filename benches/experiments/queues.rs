//! E4, E5, E6: a server that is an exact queue.

use crate::document::Document;
use crate::lab::{Lab, Outcome};
use crate::law;
use crate::table::Row;

const SERVICE: f64 = 0.005;

/// E4. 1,000/s at 4 workers of 5 ms, which do 800/s.
pub fn overload(lab: &Lab) -> Outcome<Vec<Row>> {
    let (rate, capacity) = (1000.0, 800.0);
    let length = lab.pick(30, 6);
    let server = lab.target("--service 5ms --workers 4")?;
    let flags = format!("-R 1000 -d {length}s -c 200 -T 30s --drain 30s");
    let document = lab.load(&server, &flags)?;
    let log = server.stop()?;
    let mut rows = vec![
        Row::count("good", 1000 * length, document.requests("good")?),
        Row::count("arrivals logged", 1000 * length, log.count()),
    ];
    for (name, q) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)] {
        let expected = SERVICE + law::overloaded(q, length as f64, rate, capacity);
        let measured = document.latency(&format!("response.{name}"))?;
        rows.push(Row::time(&format!("response {name}"), expected, measured, 0.02 * expected));
    }
    let completed = document.number("rate.completed_per_s")?;
    rows.push(Row::number("completed per second", capacity, completed, 0.02 * capacity));
    rows.push(Row::holds("verdict: the server", document.text("verdict.limit")? == "server"));
    Ok(rows)
}

/// E5. 100/s at one worker of 5 ms, half of what it does: which law of arrivals it was shows in
/// the mean.
pub fn m_d_1(lab: &Lab) -> Outcome<Vec<Row>> {
    let length = lab.pick(60, 15);
    let mut rows = even(lab, length)?;
    rows.extend(poisson(lab, length)?);
    Ok(rows)
}

fn even(lab: &Lab, length: u64) -> Outcome<Vec<Row>> {
    let server = lab.target("--service 5ms")?;
    let document = lab.load(&server, &format!("-R 100 -d {length}s"))?;
    let mean = document.latency("response.mean")?;
    Ok(vec![
        Row::count("uniform: good", 100 * length, document.requests("good")?),
        Row::time_within("uniform: mean", mean, 0.005, 0.0052),
    ])
}

fn poisson(lab: &Lab, length: u64) -> Outcome<Vec<Row>> {
    let server = lab.target("--service 5ms")?;
    let document =
        lab.load(&server, &format!("-R 100 -d {length}s --arrivals poisson --seed 1"))?;
    let log = server.stop()?;
    let arrivals = log.arrived();
    let mean = document.latency("response.mean")?;
    let by_log = law::single_server(&arrivals, SERVICE);
    // A wait deviates by 3.8 ms, and about eight in a row depend on each other: two standard
    // errors of the mean. For a minute that is 7.5 +/- 0.28 ms.
    let tolerance = 2.0 * 0.0038 / (100.0 * length as f64 / 8.0).sqrt();
    Ok(vec![
        Row::count("poisson: good", log.count(), document.requests("good")?),
        Row::time("poisson: mean, by its law", law::m_d_1(100.0, SERVICE), mean, tolerance),
        // Loopback and wake-ups come on top.
        Row::time_within("poisson: mean, by these arrivals", mean, by_log - 5e-5, by_log + 2e-4),
        misfit("poisson", &arrivals, 100.0),
    ])
}

/// The Kolmogorov-Smirnov statistic of the gaps over its critical value at 1 %.
pub fn misfit(what: &str, arrivals: &[f64], rate: f64) -> Row {
    let misfit = law::exponential_misfit(&law::gaps(arrivals), rate);
    Row::at_most(&format!("{what}: misfit of the gaps to Exp(R)"), 1.0, misfit)
}

/// E6. X = min(N, K) / s, latency = max(s, N s / K), N = X x latency.
pub fn closed_loop(lab: &Lab) -> Outcome<Vec<Row>> {
    let length = lab.pick(20, 4);
    let mut rows = Vec::new();
    for (connections, rate, latency) in [(2_u32, 400.0, SERVICE), (16, 800.0, 0.02)] {
        let server = lab.target("--service 5ms --workers 4")?;
        let document = lab.load(&server, &format!("-c {connections} -d {length}s"))?;
        rows.extend(law_of(&document, connections, rate, latency)?);
    }
    Ok(rows)
}

fn law_of(document: &Document, connections: u32, rate: f64, latency: f64) -> Outcome<Vec<Row>> {
    // Where connections are the limit, loopback and wake-ups come on top of each service.
    let share = if connections < 4 { 0.04 } else { 0.02 };
    let named = |name: &str| format!("N = {connections}: {name}");
    let mean = document.latency("response.mean")?;
    let completed = document.number("rate.completed_per_s")?;
    let sent = document.number("rate.sent_per_s")?;
    let held = f64::from(connections);
    Ok(vec![
        Row::number(&named("completed per second"), rate, completed, share * rate),
        Row::time(&named("mean"), latency, mean, share * latency),
        Row::number(&named("N = X x mean"), held, sent * mean, 0.02 * held),
    ])
}
