//! The target's exact queue: overload, Poisson arrivals at a single server, the closed loop's law.

use super::law::{self, exponential_misfit, gaps};
use super::{Found, arrived, blast, measured, seconds, target};
use crate::support::ring_alone;

#[test]
fn an_overloaded_queue_makes_responses_grow_as_arithmetic_says() {
    ring_alone(|engine| {
        measured(|found| {
            // E4: R = 1600/s at 4 / 5 ms = 800/s for a second, and a second more for the rest.
            let target = target("service=5ms workers=4");
            let document = blast(engine, &target, "-R 1600 -d 1s -t 1");
            assert_eq!(document.fates(["scheduled", "good"]), [1_600, 1_600]);
            assert_eq!(target.log().len(), 1_600);
            // 2 %, and 10 ms for a start that a debug build is late with.
            for (name, q) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)] {
                let expected = 0.005 + law::overloaded(q, 1.0, 1_600.0, 800.0);
                let response = seconds(&document, &format!("response.{name}"));
                found.near(name, response, expected, 0.02 * expected + 0.01);
            }
            let rate = document.number("rate.completed_per_s");
            found.within("completed per second", rate, 780.0, 800.0);
            assert_eq!(document.text("verdict.limit"), "server");
        });
    });
}

#[test]
fn a_closed_loop_at_a_queue_obeys_its_law() {
    ring_alone(|engine| {
        // E6: X = min(N, K) / s and latency = max(s, N s / K), with K = 4 and s = 5 ms.
        for (connections, rate, latency) in [(2, 400.0, 0.005), (16, 800.0, 0.02)] {
            measured(|found| {
                let target = target("service=5ms workers=4");
                let document = blast(engine, &target, &format!("-c {connections} -d 1s -t 1"));
                // Loopback and wake-ups, in a debug build, come on top of each service where
                // connections are the limit: half a millisecond. The first answer is 5 ms away.
                let mean = seconds(&document, "response.mean");
                found.within("mean", mean, 0.98 * latency, 1.02 * latency + 0.0005);
                let least = if connections < 4 { 0.88 } else { 0.97 };
                let completed = document.number("rate.completed_per_s");
                found.within("completed per second", completed, least * rate, 1.005 * rate);
                // Little's law has no such excuse; but the last answers come after the end.
                let sent = document.number("rate.sent_per_s");
                found.near("N", sent * mean, f64::from(connections), 0.02 * connections as f64);
            });
        }
    });
}

#[test]
fn even_arrivals_find_a_single_server_free() {
    ring_alone(|engine| {
        measured(|found| {
            // E5: 200/s at 2.5 ms, half of what it does: nobody waits.
            let target = target("service=2500us");
            let document = blast(engine, &target, "-R 200 -d 2s -t 1");
            assert_eq!(document.fates(["scheduled", "good"]), [400, 400]);
            // Loopback and wake-ups of a debug build.
            found.within("mean", seconds(&document, "response.mean"), 0.0025, 0.003);
        });
    });
}

#[test]
fn poisson_arrivals_wait_at_a_single_server_as_queueing_theory_says() {
    ring_alone(|engine| {
        measured(|found| {
            let (rate, service) = (200.0, 0.0025);
            let target = target("service=2500us");
            let flags = "-R 200 -d 6s -t 1 --arrivals poisson --seed 1";
            let document = blast(engine, &target, flags);
            let [scheduled, good] = document.fates(["scheduled", "good"]);
            let arrivals = arrived(&target.log());
            assert_eq!((scheduled, good), (arrivals.len() as u64, scheduled));
            // By these arrivals, whatever their law: only loopback and wake-ups come on top.
            let mean = seconds(&document, "response.mean");
            let expected = law::single_server(&arrivals, service);
            found.within("mean by the log", mean, expected - 0.0001, expected + 0.0005);
            // By their law, 3.75 ms and not 2.5: the mean of some 1,200 waits of 1.9 ms deviation,
            // of which about eight in a row depend on each other, has a standard error of 0.16.
            found.near("mean by the law", mean, law::m_d_1(rate, service), 0.0005);
            poisson(found, &arrivals, rate);
        });
    });
}

pub fn poisson(found: &mut Found, arrivals: &[f64], rate: f64) {
    let gaps = gaps(arrivals);
    found.within("misfit to Exp(R), of 1 %", exponential_misfit(&gaps, rate), 0.0, 1.0);
    // Three standard errors of either.
    let error = 3.0 / (gaps.len() as f64).sqrt();
    found.near("mean gap, of 1 / R", law::mean(&gaps) * rate, 1.0, error);
    found.near("variation of the gaps", law::variation(&gaps), 1.0, error);
}
