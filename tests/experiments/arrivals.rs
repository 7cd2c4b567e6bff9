//! Arrivals by the target's log: exactly as many as were due, when they were due.

use super::law::{self, gaps, quantile};
use super::queues::poisson;
use super::{arrived, blast, measured, seconds, target};
use crate::support::{each_engine, each_engine_alone, ring_alone};

#[test]
fn as_many_arrive_as_were_due_over_any_threads_and_connections() {
    each_engine(|engine| {
        for (rate, due) in [(1, 1), (7, 3), (997, 300), (4_001, 1_201)] {
            for (threads, connections) in [(1, 1), (2, 7), (3, 64)] {
                let target = target("");
                let flags = format!(
                    "-R {rate} -t {threads} -c {connections} -d 300ms --wait block --pin off"
                );
                let document = blast(engine, &target, &flags);
                let fates = document.fates(["scheduled", "sent", "good"]);
                assert_eq!(fates, [due; 3], "{flags}");
                assert_eq!(target.log().len() as u64, due, "{flags}");
            }
        }
    });
}

#[test]
fn an_awkward_rate_on_three_threads_is_met_to_the_request_and_evenly() {
    each_engine_alone(|engine| {
        measured(|found| {
            // E7: 997/s on 3 threads and 7 connections: 1,994 in 2 s, not 1,992.
            let target = target("");
            let document = blast(engine, &target, "-R 997 -t 3 -c 7 -d 2s");
            assert_eq!(document.fates(["scheduled", "sent", "good"]), [1_994; 3]);
            let arrivals = arrived(&target.log());
            assert_eq!(arrivals.len(), 1_994);
            // A drift would show here, whatever one arrival is late by: 5 ms in 2 s.
            let last = arrivals[1_993] - arrivals[0];
            found.near("the last of them", last, 1_993.0 / 997.0, 0.005);
            // Half of the gaps within 0.3 ms of 1 / R: three threads share two cores here.
            let off: Vec<f64> =
                gaps(&arrivals).iter().map(|gap| (gap - 1.0 / 997.0).abs()).collect();
            found.within("half of the gaps are off by", quantile(&off, 0.5), 0.0, 0.0003);
            // That is what blast says of itself.
            found.within("send lag p50", seconds(&document, "send_lag.p50"), 0.0, 0.0003);
        });
    });
}

#[test]
fn poisson_arrivals_are_a_poisson_process_by_the_log() {
    each_engine_alone(|engine| {
        measured(|found| {
            let target = target("");
            let flags = "-R 500 -t 2 -c 7 -d 2s --arrivals poisson --seed 1";
            let document = blast(engine, &target, flags);
            let arrivals = arrived(&target.log());
            let [scheduled, good] = document.fates(["scheduled", "good"]);
            assert_eq!((scheduled, good), (arrivals.len() as u64, scheduled));
            // 1,000 of them, with a deviation of 32; and the seed is fixed.
            assert!((900..=1_100).contains(&scheduled), "{scheduled}");
            poisson(found, &arrivals, 500.0);
        });
    });
}

#[test]
fn a_ramp_arrives_when_the_integral_of_its_rate_says() {
    ring_alone(|engine| {
        measured(|found| {
            // E8 in short: 100/s to 1,000/s in 2 s are 1,100 requests.
            let target = target("");
            let document = blast(engine, &target, "-R 100:1000 -t 1 -c 64 -d 2s");
            assert_eq!(document.fates(["scheduled", "sent", "good"]), [1_100; 3]);
            let arrivals = arrived(&target.log());
            assert_eq!(arrivals.len(), 1_100);
            // One arrival may be late, the middle one of 41 is not: 1 ms.
            let late = |k: usize| arrivals[k] - law::on_ramp(k as f64, 100.0, 1_000.0, 2.0);
            let around = |k: usize| {
                quantile(&(k.saturating_sub(20)..=k + 20).map(late).collect::<Vec<_>>(), 0.5)
            };
            for k in [300, 500, 1_000] {
                found.near(&format!("the {k}th"), around(k) - around(20), 0.0, 0.001);
            }
        });
    });
}
