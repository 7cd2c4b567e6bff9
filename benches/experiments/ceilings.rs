//! Ceilings of servers whose capacity is known: queues of so many a second, one asked by chance, one
//! with a limit of its rate, and one that is faster than blast.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::lab::{Lab, Outcome, Server};
use crate::table::Row;

fn words() -> Vec<String> {
    vec!["ceiling".to_owned()]
}

/// E16. Each within 3 % in a minute.
pub fn capacities(lab: &Lab) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for (capacity, limit) in
        [(200_u64, "100ms"), (1_000, "50ms"), (5_000, "50ms"), (20_000, "50ms")]
    {
        let server = lab.target(&format!("--service {}us", 1_000_000 / capacity))?;
        let document = lab.study(&server, &words(), &format!("--threshold p99<{limit}"))?;
        let (rate, expected) = (document.number("ceiling.rate_per_s")?, capacity as f64);
        rows.push(Row::number(&format!("{capacity}/s: ceiling"), expected, rate, 0.03 * expected));
        let took = document.number("duration_s")?;
        rows.push(Row::at_most(&format!("{capacity}/s: seconds"), 60.0, took));
    }
    Ok(rows)
}

/// E17. M/D/1 with a service of 1 ms: 1 % of the requests take over 8 ms at 718.6/s.
pub fn m_d_1(lab: &Lab) -> Outcome<Vec<Row>> {
    let server = lab.target("--service 1ms")?;
    let flags = "--arrivals poisson --budget 2m --threshold p99<8ms";
    let document = lab.study(&server, &words(), flags)?;
    let rate = document.number("ceiling.rate_per_s")?;
    Ok(vec![Row::number("ceiling, by its law", 718.6, rate, 0.05 * 718.6)])
}

/// E18. Errors from 2,000/s on, and a rate limit there.
pub fn cliffs(lab: &Lab) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for (limit, by) in [("2000:503", "errors"), ("2000", "rate_limit")] {
        let server = lab.target(&format!("--limit {limit}"))?;
        let document = lab.study(&server, &words(), "--threshold errors<2%")?;
        let rate = document.number("ceiling.rate_per_s")?;
        rows.push(Row::number(&format!("{by}: ceiling"), 2_000.0, rate, 60.0));
        let stopped_by = document.text("ceiling.stopped_by")?;
        rows.push(Row::holds(&format!("{by}: stopped by it"), stopped_by == by));
    }
    Ok(rows)
}

/// E19. Somebody else has half of blast's core, and the server all of its own.
pub fn faster_than_blast(lab: &Lab) -> Outcome<Vec<Row>> {
    let server = lab.target("")?;
    let over = AtomicBool::new(false);
    let stopped_by = thread::scope(|scope| {
        scope.spawn(|| {
            lab.sit_on_the_core_of_loads();
            while !over.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        let found = ceiling_of(lab, &server);
        over.store(true, Ordering::Relaxed);
        found
    })?;
    Ok(vec![Row::holds("blast was the limit", stopped_by == "client_cpu")])
}

fn ceiling_of(lab: &Lab, server: &Server) -> Outcome<String> {
    let document = lab.study(server, &words(), "--threshold p99<20ms")?;
    document.text("ceiling.stopped_by").map(str::to_owned)
}
