//! What is never answered, never sent, or answered after the end: counted exactly, and ranked
//! above everything that was good.

use blast::Nanos;
use blast::target::Stall;

use super::law::stalled;
use super::{blast, held, measured, seconds, target};
use crate::support::{each_engine, each_engine_alone};

#[test]
fn one_in_a_hundred_never_answered_is_one_in_a_hundred_timed_out() {
    each_engine(|engine| {
        // E11.
        let target = target("unanswered=100");
        let flags = "-R 500 -d 2s -c 100 -T 400ms --drain 5s -t 1 --wait block --pin off";
        let document = blast(engine, &target, flags);
        assert_eq!(
            document.fates(["scheduled", "sent", "good", "failed"]),
            [1_000, 1_000, 990, 10]
        );
        assert_eq!(document.counts("failures"), [("timeout", 10)].into());
        assert_eq!(document.count("latency.response.censored"), 10);
        assert_eq!(document.number("latency.response.exact_up_to"), 0.99);
        // Those that failed are the slowest, and no faster than the limit.
        assert!(seconds(&document, "response.max") >= 0.4);
        let log = target.log();
        let never = log.iter().filter(|arrival| arrival.answered == Nanos::ZERO).count();
        assert_eq!((log.len(), never), (1_000, 10));
    });
}

#[test]
fn what_becomes_due_while_all_are_in_flight_is_dropped() {
    each_engine(|engine| {
        // E12: 10 become due while 5 are stuck, on one thread or shared out over two.
        for threads in [1, 2] {
            let target = target("delay=800ms");
            let flags = format!(
                "-R 20 -d 500ms -c 20 --max-in-flight 5 -t {threads} --wait block --pin off"
            );
            let document = blast(engine, &target, &flags);
            let fates = document.fates(["scheduled", "sent", "good", "dropped"]);
            assert_eq!(fates, [10, 5, 5, 5], "{flags}");
            assert_eq!(target.log().len(), 5);
        }
    });
}

/// Shut from 0.5 s to 1.5 s after the target's start; the run ends in the middle of it.
const GATE: &str = "stall=1s/1500ms";

#[test]
fn a_stall_across_the_end_is_waited_for_and_reported() {
    each_engine_alone(|engine| {
        measured(|found| {
            // E13.
            let target = target(GATE);
            let document = blast(engine, &target, "-R 200 -d 800ms -c 200 -t 1 --drain 5s");
            assert_eq!(document.fates(["scheduled", "sent", "good"]), [160; 3]);
            let log = target.log();
            assert_eq!(log.len(), 160);
            let stalled_by_log =
                log.iter().filter(|one| held(one) > Nanos::from_millis(300)).count();
            found.within("held up", stalled_by_log as f64, 40.0, 100.0);
            // Counted from the top it does not matter when in the run the gate was shut.
            for (name, q) in [("p75", 0.75), ("p90", 0.9), ("p95", 0.95)] {
                let response = seconds(&document, &format!("response.{name}"));
                found.near(name, response, stalled(q, 1.0, 0.8), 0.03);
            }
        });
    });
}

#[test]
fn a_stall_across_the_end_and_the_drain_leaves_exactly_what_it_held_up() {
    each_engine_alone(|engine| {
        let target = target(GATE);
        let flags = "-R 200 -d 800ms -c 200 -t 1 --drain 200ms";
        let document = blast(engine, &target, flags);
        let gate = Stall { shut: Nanos::from_secs(1), period: Nanos::from_millis(1_500) };
        let log = target.log();
        let held_up = log.iter().filter(|one| gate.opens(one.arrived) > one.arrived).count() as u64;
        let fates = document.fates(["scheduled", "sent", "good", "abandoned"]);
        assert_eq!(fates, [160, 160, 160 - held_up, held_up]);
        assert!(held_up > 0, "the run began too late to see the stall");
        assert_eq!(document.count("latency.response.censored"), held_up);
        let known = document.number("latency.response.exact_up_to");
        assert!((known - (160 - held_up) as f64 / 160.0).abs() < 1e-9, "{known}");
        assert!(document.warnings().contains(&"unfinished"));
    });
}
