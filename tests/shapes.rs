//! Loads that change over the run, the laws of arrivals, and what is dropped when the server is
//! behind: exact over any number of threads, on both engines.

use blast::target::{Options, Target};

use crate::support::{Blast, Document, each_engine};

fn target() -> Target {
    Target::start(Options::default()).unwrap()
}

fn url(target: &Target, query: &str) -> String {
    format!("http://{}/{query}", target.address())
}

/// Of each stage.
fn stages(document: &Document, field: &str) -> Vec<u64> {
    let stages = document.at("stages").as_array().unwrap();
    stages.iter().map(|stage| stage["requests"][field].as_u64().unwrap()).collect()
}

#[test]
fn every_stage_has_exactly_the_requests_of_its_area() {
    each_engine(|engine| {
        for (flags, expected) in [
            ("-R 100:1100 -d 1s", vec![600]),
            ("-R 900:0 -d 600ms", vec![270]),
            ("--stages 400ms:500,400ms:500,400ms:0", vec![100, 200, 100]),
            ("-R 1k --stages 200ms:1k,0s:100,300ms:100", vec![200, 30]),
            ("--steps 100..300/100@300ms", vec![30, 60, 90]),
            ("--steps 300..100/100@300ms --arrivals burst:30", vec![90, 60, 30]),
            ("-R 0:2k -d 1s -n 250", vec![250]),
        ] {
            for threads in [1, 3] {
                let target = target();
                let flags = format!("{flags} -c 30 -t {threads}");
                let document = Blast::calm(engine, &url(&target, "")).args(&flags).document();
                assert_eq!(stages(&document, "scheduled"), expected, "{flags}");
                assert_eq!(stages(&document, "good"), expected, "{flags}");
                let all: u64 = expected.iter().sum();
                assert_eq!(document.fates(["scheduled", "good"]), [all; 2], "{flags}");
                assert_eq!(target.stats().requests, all, "{flags}");
            }
        }
    });
}

#[test]
fn the_intervals_say_which_stage_they_end_in_and_the_page_has_a_row_for_each() {
    each_engine(|engine| {
        let target = target();
        let flags = "--stages 1s:50,1s:50,1s:100 -c 5";
        let document = Blast::calm(engine, &url(&target, "")).args(flags).document();
        let of_measure = document.intervals().iter().filter(|i| i["phase"] == "measure");
        let stages: Vec<_> = of_measure.map(|i| i["stage"].as_u64().unwrap()).collect();
        assert_eq!(stages, [0, 1, 2]);
        let level = |at: usize, end: &str| document.at("stages")[at][end].as_f64().unwrap();
        assert_eq!([level(0, "from"), level(0, "to"), level(2, "to")], [0.0, 50.0, 100.0]);
        let flags = "--wait block --pin off --steps 50..100/50@200ms -c 5";
        let run = Blast::page(engine, &url(&target, "")).args(flags).run();
        assert!(run.stdout.contains("in 2 stages from 50/s to 100/s"), "{run:?}");
        for row in ["\n1 ", "\n2 ", "=50/s", "=100/s"] {
            assert!(run.stdout.contains(row), "{row:?} in {run:?}");
        }
    });
}

#[test]
fn random_arrivals_are_those_of_the_seed_for_any_number_of_threads() {
    each_engine(|engine| {
        let sent = |flags: &str| {
            let target = target();
            let flags = format!("-R 600 -d 500ms -c 20 --arrivals poisson {flags}");
            let document = Blast::calm(engine, &url(&target, "")).args(&flags).document();
            let [sent] = document.fates(["sent"]);
            assert_eq!(target.stats().requests, sent);
            sent
        };
        let first = sent("--seed 11 -t 1");
        assert_eq!(sent("--seed 11 -t 2"), first);
        assert_eq!(sent("--seed 11 -t 3"), first);
        // The mean is 300, the deviation 17.3.
        assert!(first.abs_diff(300) < 80, "{first}");
        let others = ["--seed 12 -t 1", "--seed 13 -t 1", "--seed 14 -t 1"].map(sent);
        assert!(others.iter().any(|other| *other != first), "{first} and {others:?}");
        assert_eq!(sent("-n 100 -t 3"), 100);
    });
}

#[test]
fn users_come_one_by_one_and_keep_their_connections_from_stage_to_stage() {
    each_engine(|engine| {
        for threads in [1, 2, 3] {
            let target = target();
            let flags = format!("--connections-stages 300ms:6,300ms:6,300ms:0 -t {threads}");
            let document = Blast::calm(engine, &url(&target, "?delay=5ms")).args(&flags).document();
            assert_eq!(document.count("connections.opened"), 6);
            assert_eq!(document.count("connections.reopened"), 0);
            assert_eq!(document.count("connections.open_peak"), 6);
            assert_eq!(document.text("plan.mode"), "closed");
            let [first, held, last] = stages(&document, "good")[..] else { panic!() };
            // Six users for 300 ms at 5 ms or more; half of that on the way up and down.
            assert!(held > first && held > last && held <= 366, "{first} {held} {last}");
            assert_eq!(document.fates(["failed", "abandoned"]), [0, 0]);
        }
    });
}

#[test]
fn users_spawn_at_the_rate_that_was_asked_for() {
    each_engine(|engine| {
        let target = target();
        let flags = "-c 10 --spawn-rate 20 -d 1s";
        let document = Blast::calm(engine, &url(&target, "?delay=2ms")).args(flags).document();
        assert_eq!(document.count("connections.opened"), 10);
        assert_eq!(document.at("intervals")[0]["users"], 10);
        let stage = &document.at("stages")[0];
        assert_eq!((stage["length_s"].as_f64(), stage["to"].as_f64()), (Some(0.5), Some(10.0)));
        // Cut off before the eleventh: two tenths of a second bring four.
        let flags = "-c 100 --spawn-rate 20 -d 200ms";
        let document = Blast::calm(engine, &url(&target, "?delay=2ms")).args(flags).document();
        assert_eq!(document.count("connections.opened"), 4);
        let stage = &document.at("stages")[0];
        assert_eq!((stage["length_s"].as_f64(), stage["to"].as_f64()), (Some(0.2), Some(4.0)));
        // A slow start is a start: the first user is there at once.
        let flags = "-c 5 --spawn-rate 0.5 -d 300ms";
        let document = Blast::calm(engine, &url(&target, "?delay=2ms")).args(flags).document();
        assert_eq!(document.count("connections.opened"), 1);
        assert!(document.fates(["good"])[0] > 20);
    });
}

#[test]
fn a_deadline_drops_what_is_too_old_and_resets_nothing() {
    each_engine(|engine| {
        let target = target();
        let flags = "-R 200 -d 1s -c 2 -t 1 --deadline 60ms";
        let document = Blast::calm(engine, &url(&target, "?delay=50ms")).args(flags).document();
        let [scheduled, sent, dropped] = document.fates(["scheduled", "sent", "dropped"]);
        // Two connections at 50 ms carry 40/s.
        assert_eq!(scheduled, 200);
        assert!((20..=46).contains(&sent), "{sent}");
        assert_eq!(document.counts("drops"), [("deadline", dropped)].into());
        assert_eq!(document.count("connections.opened"), 2);
        assert_eq!(document.at("failures").as_object().unwrap().len(), 0);
        assert_eq!(document.count("latency.response.censored"), dropped);
    });
}

#[test]
fn what_finds_too_many_in_flight_is_dropped_at_once() {
    each_engine(|engine| {
        let target = target();
        let flags = "-R 10 -d 1s -c 64 -t 1 --max-in-flight 5 --drain 50ms";
        let document = Blast::calm(engine, &url(&target, "?delay=9s")).args(flags).document();
        assert_eq!(document.fates(["scheduled", "sent", "dropped"]), [10, 5, 5]);
        assert_eq!(document.counts("drops"), [("max_in_flight", 5)].into());
    });
}

#[test]
fn a_warm_up_lasts_until_the_answers_are_steady_and_is_reported() {
    each_engine(|engine| {
        let target = target();
        let flags = "-R 200 -d 500ms -c 20 --warmup auto";
        let document = Blast::calm(engine, &url(&target, "?delay=50ms")).args(flags).document();
        assert_eq!(document.at("warmup.steady"), true);
        assert_eq!(document.at("plan.warmup_auto"), true);
        let length = document.number("warmup.duration_s");
        assert!((5.0..20.0).contains(&length), "{length}");
        assert_eq!(document.fates(["scheduled", "good"]), [100, 100]);
        let due = document.count("warmup.requests.scheduled");
        assert_eq!(due, (200.0 * length).ceil() as u64);
    });
}
