//! `blast ceiling`: servers whose capacity is known by construction, and what is typed wrong.

use blast::Nanos;
use blast::report::ceiling::{CeilingDocument, Point};
use blast::target::{Behaviour, Options, Target};

use crate::support::{Blast, Folder, Run, closed_port, of_verb, ring_alone, skipped};

/// A queue with one worker: so many a second, to the request.
fn queue(capacity: u64) -> Target {
    let service = Some(Nanos(1_000_000_000 / capacity));
    let behaviour = Behaviour { service, ..Behaviour::default() };
    Target::start(Options { behaviour, ..Options::default() }).expect("a target")
}

fn document(run: &Run) -> CeilingDocument {
    serde_json::from_value(of_verb("ceiling", &run.stdout)).unwrap()
}

fn ceiling(target: &Target, flags: &str) -> Run {
    let url = format!("http://{}/", target.address());
    Blast::verb("ceiling").args("--json --budget 18s --pin off").args(flags).arg(&url).run()
}

#[test]
fn the_capacity_of_a_queue_is_the_ceiling() {
    ring_alone(|_| {
        let capacity = 1_500;
        let target = queue(capacity);
        let run = ceiling(&target, "--threshold p99<50ms --need 10k");
        let found = document(&run);
        if found.is_blasts_own() {
            skipped("the ceiling of a queue", "this machine was too busy for blast itself");
            return;
        }
        assert_eq!(run.code(), Some(0), "{run:?}");
        let (low, high) = (found.ceiling.low_per_s.unwrap(), found.ceiling.high_per_s.unwrap());
        // Within 3 % on an idle machine; a busy one takes some of the server's time.
        assert!((low / capacity as f64 - 1.0).abs() < 0.06, "{low}\n{}", run.stdout);
        assert!(low < high && high < low * 1.1, "{low} {high}");
        assert_eq!(found.ceiling.rate_per_s, Some(low));
        assert!(found.ceiling.stopped_by.is_some() && found.ceiling.recovered);
        let need = found.ceiling.need.unwrap();
        assert_eq!(need.instances, (10_000.0 / (low * 0.7)).ceil() as u64);
        let holds = |point: &&Point| point.outcome == "holds";
        let best = found.ceiling.curve.iter().filter(holds).map(|point| point.rate_per_s);
        assert!(best.fold(0.0, f64::max) >= low);
        assert!(found.ceiling.curve.is_sorted_by(|a, b| a.rate_per_s <= b.rate_per_s));
        // Connections stay open, but for those that still owed an answer when a probe was over.
        let connections = target.stop().connections;
        assert!(connections < 64 * found.ceiling.curve.len() as u64, "{connections}");
    });
}

#[test]
fn a_threshold_that_no_rate_meets_is_exit_3_and_the_page_says_so() {
    ring_alone(|_| {
        let target = queue(200);
        let url = format!("http://{}/", target.address());
        let blast = Blast::verb("ceiling").args("--budget 10s --pin off --threshold p50<1us");
        let run = blast.arg(&url).run();
        assert!(matches!(run.code(), Some(3 | 4)), "{run:?}");
        assert!(run.stdout.contains("none: no rate that was tried met the thresholds"), "{run:?}");
        assert!(run.stdout.contains("rate/s"), "{run:?}");
    });
}

#[test]
fn an_interrupt_keeps_what_is_known() {
    ring_alone(|_| {
        let target = queue(500);
        let url = format!("http://{}/", target.address());
        let running = Blast::verb("ceiling").args("--json --pin off").arg(&url).start();
        while target.stats().requests < 1_200 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        running.signal(libc::SIGINT);
        let run = running.end();
        assert_eq!(run.code(), Some(130), "{run:?}");
        let found = document(&run);
        assert!(!found.complete && !found.ceiling.confirmed);
        assert!(found.ceiling.burst_per_s.is_some());
    });
}

#[test]
fn what_makes_no_sense_for_a_search_is_one_sentence_and_exit_2() {
    let folder = Folder::new();
    let file = folder.path().join("a.hlog").display().to_string();
    for (words, expected) in [
        (&["-R", "5k", "localhost"][..], "`--rps` is what `blast ceiling` looks for"),
        (&["-d", "5s", "localhost"], "`--budget 2m`"),
        (&["-n", "5", "localhost"], "`--budget 2m`"),
        (&["--budget", "1s", "localhost"], "takes 10 s at least"),
        (&["plan.toml"], "for a plan file use `blast run`"),
        (&["-o", &file, "localhost"], "ends in `.json`"),
        (&[], "the URL is missing"),
    ] {
        let run = words.iter().fold(Blast::verb("ceiling"), |blast, word| blast.arg(word)).run();
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.complaint().contains(expected), "{run:?}");
    }
    let run = Blast::verb("ceiling").arg(&format!("http://{}/", closed_port())).run();
    assert_eq!(run.code(), Some(1), "{run:?}");
    assert!(run.complaint().contains("connection refused"), "{run:?}");
}
