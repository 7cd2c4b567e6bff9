//! E15: what blast and the way to the server add to a known delay, and how late its waits are.

use crate::lab::{Lab, Outcome};
use crate::law::quantile;
use crate::table::{Row, ms, us};

/// The overhead is the same at each delay.
pub fn known(lab: &Lab) -> Outcome<Vec<Row>> {
    let length = lab.pick(10, 3);
    let (mut rows, mut overheads) = (Vec::new(), Vec::new());
    for (name, delay) in [("100us", 1e-4), ("1ms", 1e-3), ("10ms", 1e-2), ("100ms", 1e-1)] {
        let server = lab.target(&format!("--delay {name}"))?;
        let document = lab.load(&server, &format!("-R 500 -d {length}s -c 100"))?;
        let held = server.stop()?.held();
        let p50 = document.latency("service.p50")? - delay;
        let p99 = document.latency("service.p99")? - delay;
        // Three digits of the histogram.
        let digit = delay / 1000.0;
        let p50_row = format!("{name}: service p50 - d");
        rows.push(Row::time_within(&p50_row, p50, -digit, 150e-6 + digit));
        rows.push(Row::shown(&format!("{name}: service p99 - d"), ms(p99)));
        let late = quantile(&held, 0.5) - delay;
        rows.push(Row::shown(&format!("{name}: p50 - d, by the log"), ms(late)));
        overheads.push(p50);
    }
    let most = overheads.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = overheads.iter().copied().fold(f64::INFINITY, f64::min);
    // 100 us of the longest are the histogram's.
    rows.push(Row::time_within("most - least overhead", most - least, 0.0, 200e-6));
    Ok(rows)
}

/// At about half of what a core can do: blast's service time is what the log says, and the way.
pub fn against_the_log(lab: &Lab) -> Outcome<Vec<Row>> {
    let length = lab.pick(10, 3);
    let wire = wire(lab)?;
    let server = lab.target("")?;
    let document = lab.load(&server, &format!("-R 50000 -d {length}s -c 100"))?;
    let log = server.stop()?;
    let held = log.held();
    let mut rows = vec![
        Row::count("50,000/s: logged", 50_000 * length, log.count()),
        Row::shown("the wire: service p50 of one request at a time", ms(wire)),
    ];
    for (name, q) in [("p50", 0.5), ("p99", 0.99)] {
        let more = document.latency(&format!("service.{name}"))? - quantile(&held, q);
        let what = format!("50,000/s: service {name} - the log's");
        rows.push(Row::time_within(&what, more, 0.0, wire + 60e-6));
    }
    Ok(rows)
}

/// There and back, with nobody else on the way.
fn wire(lab: &Lab) -> Outcome<f64> {
    let server = lab.target("")?;
    lab.load(&server, "-c 1 -d 1s")?.latency("service.p50")
}

/// How late requests are sent, by how a worker waits.
pub fn waits(lab: &Lab) -> Outcome<Vec<Row>> {
    let length = lab.pick(10, 2);
    let mut rows = Vec::new();
    for wait in ["hybrid", "spin", "block"] {
        for rate in [1_000, 10_000, 50_000] {
            let server = lab.target("")?;
            let flags = format!("-R {rate} -d {length}s -c 100 --wait {wait}");
            let document = lab.load(&server, &flags)?;
            let lag = |name: &str| document.latency(&format!("send_lag.{name}"));
            let (p50, p99, max) = (lag("p50")?, lag("p99")?, lag("max")?);
            let name = format!("{wait}, {rate}/s: send lag p50, p99, max");
            rows.push(Row::shown(&name, format!("{}, {}, {}", us(p50), us(p99), us(max))));
            if (wait, rate) == ("hybrid", 1_000) {
                let name = "hybrid, 1000/s: send lag p99";
                rows.push(Row::time_within(name, p99, 0.0, 200e-6));
            }
        }
    }
    Ok(rows)
}
