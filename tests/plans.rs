//! The ready plans of `scripts/plans`: each is a valid plan and runs, at speed, against the
//! application that it is for. Nothing fails, and it sends as many requests as its comment says,
//! in the time that is left of it.

use std::fs;
use std::path::{Path, PathBuf};

use blast::plan::file::Written;
use blast::target::{Options, Target};

use crate::support::{Blast, Document, beside_others};

/// Every load that the guides run.
const PLANS: [&str; 20] = [
    "baseline",
    "gateway-100",
    "gateway-1000",
    "gateway-200",
    "gateway-50",
    "gateway-5000",
    "hospital",
    "hospital-quick",
    "ladder-extreme",
    "ladder-heavy",
    "ladder-light",
    "ladder-medium",
    "telemetry-1",
    "telemetry-2",
    "telemetry-3",
    "telemetry-4",
    "tutor-development",
    "tutor-production",
    "tutor-staging",
    "tutor-stress",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/plans")
}

fn path(name: &str) -> String {
    folder().join(format!("{name}.toml")).to_str().unwrap().to_string()
}

fn written(name: &str) -> Written {
    let text = fs::read_to_string(path(name)).unwrap();
    Written::read(name, text).unwrap_or_else(|error| panic!("{error}"))
}

/// A plan at so many times its speed, as words behind it. A run that lasts three seconds has too
/// few samples for its last percentiles (exit 3), and a busy machine no time for it (4).
fn at_speed(name: &str, speed: u32, words: &str) -> Document {
    let target = Target::start(Options { app: true, ..Options::default() }).unwrap();
    let host = format!("--host http://{}", target.address());
    let calm = "--json --wait block --pin off";
    let blast = Blast::verb("run").arg(&path(name));
    let run = blast.args(&format!("{host} --speed {speed}x {calm} {words}")).run();
    target.stop();
    assert!(matches!(run.code(), Some(0 | 3 | 4)), "{name}: {run:?}");
    let document = run.document();
    assert!(document.is_complete(), "{name}: {run:?}");
    for fate in ["rejected", "failed", "abandoned", "dropped"] {
        assert_eq!(document.count(&format!("requests.{fate}")), 0, "{name}: {fate}: {run:?}");
    }
    document
}

/// A plan with a rate: all that is due in so much less time.
#[track_caller]
fn sends_all_that_is_due(name: &str, speed: u32, due: u64) {
    let document = at_speed(name, speed, "");
    assert_eq!(document.count("requests.scheduled"), due / u64::from(speed), "{name}");
}

#[test]
fn every_load_of_the_guides_is_a_plan_with_a_word_on_what_it_is_for() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let plans = files.filter(|file| file.extension() == Some("toml".as_ref()));
    let mut names: Vec<String> =
        plans.map(|file| file.file_stem().unwrap().to_str().unwrap().to_string()).collect();
    names.sort();
    assert_eq!(names, PLANS);
    for name in PLANS {
        let plan = written(name);
        assert!(plan.comment().is_some_and(|comment| comment.len() > 40), "{name}");
        assert!(plan.text.contains("# Expected: "), "{name}");
        assert!(plan.text.contains(&format!("scripts/plans/{name}.toml")), "{name}");
    }
}

#[test]
fn every_ready_plan_is_valid() {
    beside_others(|| {
        for name in PLANS {
            let run = Blast::verb("run").arg(&path(name)).args("--check").run();
            assert_eq!(run.code(), Some(0), "{name}: {run:?}");
        }
    });
}

#[test]
fn the_weights_are_those_of_the_guides() {
    for (name, expected) in [
        ("hospital", &[100, 80, 25, 24][..]),
        ("hospital-quick", &[100, 80, 25, 24]),
        ("tutor-development", &[10, 3, 2, 2, 1]),
        ("tutor-stress", &[10, 3, 2, 2, 1]),
    ] {
        let requests = written(name).sheet.requests;
        let weights: Vec<u64> = requests.iter().map(|one| one.weight.unwrap_or(1)).collect();
        assert_eq!(weights, expected, "{name}");
    }
}

#[test]
fn the_baseline_and_the_ladder_send_all_that_is_due() {
    beside_others(|| {
        sends_all_that_is_due("baseline", 30, 3_000);
        sends_all_that_is_due("ladder-light", 30, 300);
        sends_all_that_is_due("ladder-medium", 30, 1_500);
        sends_all_that_is_due("ladder-heavy", 30, 6_000);
        sends_all_that_is_due("ladder-extreme", 30, 30_000);
    });
}

#[test]
fn telemetry_sends_all_that_is_due_with_its_key_and_eight_readings() {
    beside_others(|| {
        sends_all_that_is_due("telemetry-1", 60, 6_000);
        sends_all_that_is_due("telemetry-2", 120, 60_000);
        sends_all_that_is_due("telemetry-3", 60, 60_000);
        // Of a second that a machine of tests need not have: a fifth of it.
        sends_all_that_is_due("telemetry-4", 300, 300_000);
    });
}

#[test]
fn the_hospital_fills_and_empties() {
    beside_others(|| {
        let day = at_speed("hospital", 200, "");
        assert!(day.count("requests.good") > 0);
        let quick = at_speed("hospital-quick", 40, "");
        assert!(quick.count("requests.good") > 0);
    });
}

#[test]
fn the_tutor_takes_voices_of_users_with_ids_of_their_own() {
    beside_others(|| {
        for (name, speed) in [
            ("tutor-development", 40),
            ("tutor-staging", 200),
            ("tutor-production", 600),
            ("tutor-stress", 300),
        ] {
            let document = at_speed(name, speed, "");
            assert!(document.count("requests.good") > 0, "{name}");
        }
    });
}

/// In the first three seconds a user that thinks for 1 to 3 s (uniform) sends at once, again before
/// they are over, and a third time if the sum of two thoughts is below 3 s: 1/8 of them. The answer
/// comes at once, so 2.125 a user; the standard deviation is 0.33 for one user, so 2.2 % for 50.
#[test]
fn users_of_the_gateway_log_in_and_send_as_often_as_they_think() {
    beside_others(|| {
        for (name, users, speed) in
            [("gateway-50", 50.0, 20), ("gateway-100", 100.0, 40), ("gateway-200", 200.0, 40)]
        {
            let sent = at_speed(name, speed, "").number("requests.sent");
            let expected = users * 2.125;
            assert!((sent / expected - 1.0).abs() < 0.1, "{name}: {sent} of {expected}");
        }
    });
}

#[test]
fn thousands_of_users_of_the_gateway_lose_no_connection() {
    beside_others(|| {
        for (name, users) in [("gateway-1000", 1_000), ("gateway-5000", 5_000)] {
            let document = at_speed(name, 40, "");
            assert!(document.count("requests.sent") >= users, "{name}");
            assert_eq!(document.count("connections.opened"), users, "{name}");
        }
    });
}
