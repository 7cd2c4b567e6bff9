//! `blast ceiling`: servers whose capacity is known by construction, and what is typed wrong.

use blast::Nanos;
use blast::report::ceiling::{CeilingDocument, Point};
use blast::report::ladder::LadderDocument;
use blast::target::{Behaviour, Limited, Options, Target};

use crate::support::{
    Blast, Folder, Run, Server, closed_port, counted, of_verb, ring_alone, skipped,
};

/// A queue with one worker: so many a second, to the request.
fn queue(capacity: u64) -> Target {
    let service = Some(Nanos(1_000_000_000 / capacity));
    target(Behaviour { service, ..Behaviour::default() })
}

fn target(behaviour: Behaviour) -> Target {
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
        let above = "--to-failure --failure-budget 5s";
        let run = ceiling(&target, &format!("--threshold p99<50ms --need 10k {above}"));
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
        let failure = found.ceiling.failure.expect("it went above the ceiling");
        assert!(!failure.curve.is_empty() && failure.most_per_s > low, "{failure:?}");
        assert!(failure.curve.iter().all(|push| push.rate_per_s > low), "{failure:?}");
        assert_eq!(found.ceiling.collapse_per_s.is_some(), failure.is_of_server());
        assert_eq!(found.ceiling.recovery_s.is_some(), failure.recovered == Some(true));
        let holds = |point: &&Point| point.outcome == "holds";
        let best = found.ceiling.curve.iter().filter(holds).map(|point| point.rate_per_s);
        assert!(best.fold(0.0, f64::max) >= low);
        assert!(found.ceiling.curve.is_sorted_by(|a, b| a.rate_per_s <= b.rate_per_s));
        // Connections stay open, but for those that still owed an answer when a probe was over.
        let connections = target.stop().connections;
        // Above the ceiling a run has 0.4 s of arrivals at the ceiling's rate, and as many again
        // are opened where they owed an answer; two windows of 0.5 s each second come after.
        let probed = 64 * found.ceiling.curve.len() as u64;
        let pushed = (low * 0.4) as u64 * (failure.curve.len() as u64 + 12);
        assert!(connections < probed + pushed, "{connections}");
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

/// Each file that a study writes, and what `blast report` makes of the JSON.
fn views_agree(folder: &Folder, run: &Run, names: &[&str]) {
    let saved = folder.path().join("saved.json");
    let path = |name: &str| folder.path().join(name);
    let report = Blast::verb("report").arg(saved.to_str().unwrap()).run();
    assert_eq!((report.code(), &report.stdout), (Some(0), &run.stdout));
    let again: Vec<_> = names.iter().map(|name| path(&format!("again-{name}"))).collect();
    let blast = Blast::verb("report").arg(saved.to_str().unwrap());
    let with =
        |blast: Blast, file: &std::path::PathBuf| blast.arg("-o").arg(file.to_str().unwrap());
    let report = again.iter().fold(blast, with).run();
    assert_eq!((report.code(), &*report.stdout, &*report.stderr), (Some(0), "", ""));
    for (name, again) in names.iter().zip(&again) {
        let (first, second) = (std::fs::read(path(name)).unwrap(), std::fs::read(again).unwrap());
        assert!(!first.is_empty() && first == second, "{name}");
    }
}

#[test]
fn a_ladder_is_climbed_step_by_step_and_drawn() {
    ring_alone(|_| {
        let target = queue(2_000);
        let folder = Folder::new();
        let url = format!("http://user:s3cr3t@{}/?api_key=s3cr3t", target.address());
        let mut blast = Blast::verb("ceiling").args("--ladder 2x5,5x10,200 --step 300ms --pin off");
        let pictures = cfg!(feature = "pictures").then_some("stress_test_results.png");
        let names = ["saved.json", "a.html", "a.svg", "a.md"].into_iter().chain(pictures);
        let names: Vec<&str> = names.collect();
        for name in &names {
            blast = blast.arg("-o").arg(folder.path().join(name).to_str().unwrap());
        }
        let run = blast.arg(&url).run();
        assert!(matches!(run.code(), Some(0 | 3 | 4)), "{run:?}");
        let saved = std::fs::read_to_string(folder.path().join("saved.json")).unwrap();
        let document: LadderDocument = serde_json::from_str(&saved).unwrap();
        let steps: Vec<_> = document.steps.iter().map(|step| step.scheduled).collect();
        assert_eq!(steps, [3, 15, 60], "what was asked for in 0.3 s");
        let connections: Vec<_> = document.steps.iter().map(|step| step.connections).collect();
        assert_eq!(connections, [2, 5, 64]);
        assert!(run.stdout.contains("2x5") && run.stdout.contains("outcome"), "{run:?}");
        views_agree(&folder, &run, &names);
        for name in &names {
            let bytes = std::fs::read(folder.path().join(name)).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("s3cr3t"), "{name}");
        }
        // The pool of each step, and one connection a worker at most.
        assert_eq!(target.stop().connections, 2 + 5 + 64);
    });
}

/// A plan's load is not what a ladder is about, and its requests are.
const MIX: &str = r#"
url = "http://localhost:1"
[load]
connections = 3
stages = "1h:5"
requests = 7
wait = "block"
[[requests]]
name = "a"
path = "/a"
[[requests]]
name = "b"
path = "/b"
"#;

#[test]
fn a_ladder_of_a_plan_sends_its_requests_to_where_the_words_say() {
    ring_alone(|_| {
        let server = Server::answering(counted(20));
        let folder = Folder::new();
        let plan = folder.path().join("plan.toml");
        std::fs::write(&plan, MIX).expect("a plan file");
        let blast = Blast::verb("ceiling").args("--ladder 50,80 --step 300ms --pin off --json");
        let run = blast.arg("--host").arg(&server.url()).arg(plan.to_str().unwrap()).run();
        assert!(matches!(run.code(), Some(0 | 3 | 4)), "{run:?}");
        let document: LadderDocument = serde_json::from_str(&run.stdout).unwrap();
        let steps: Vec<_> =
            document.steps.iter().map(|step| (step.scheduled, step.connections)).collect();
        assert_eq!(steps, [(15, 3), (24, 3)]);
        let heard = server.log();
        let of = |path: &str| heard.iter().filter(|one| one.head.contains(path)).count();
        assert!(of("GET /a ") > 0 && of("GET /b ") > 0, "{heard:?}");
        assert_eq!(of("GET /a ") + of("GET /b "), 15 + 24);
    });
}

#[test]
fn a_rate_limit_connections_and_users_each_have_a_ceiling_of_their_own() {
    ring_alone(|_| {
        let limit = Some(Limited { per_s: 400, status: 429 });
        let (limited, slow, thinking) =
            (target(Behaviour { limit, ..Behaviour::default() }), queue(500), queue(1_000));
        let folder = Folder::new();
        let plan = folder.path().join("plan.toml");
        std::fs::write(&plan, USERS.replace("URL", &format!("http://{}", thinking.address())))
            .expect("a plan file");
        let start = |flags: &str, target: &str| {
            let blast = Blast::verb("ceiling").args("--json --budget 10s --pin off -t 1");
            blast.args(flags).arg(target).start()
        };
        let url = |target: &Target| format!("http://{}/", target.address());
        // Beside each other: what is asserted is true on a machine of any speed.
        let by_rate = start("--threshold errors<0.1%", &url(&limited));
        let by_number = start("--over connections -c 8 --threshold p50<41ms", &url(&slow));
        let by_users = start("-c 20", &plan.display().to_string());

        let found = document(&by_rate.end());
        assert_eq!((&*found.ceiling.over, found.ceiling.ready_for), ("rate", None));
        // A bucket of 20 ms. Without the rule 1 % may fail, and the second step up has no time left.
        assert!(found.ceiling.low_per_s.is_none_or(|rate| rate < 430.0), "{found:?}");
        let by = found.ceiling.stopped_by.as_deref();
        assert!(found.is_blasts_own() || by == Some("rate_limit"), "{found:?}");

        // N of them wait for N services of 2 ms.
        let found = document(&by_number.end());
        assert_eq!(found.ceiling.over, "connections");
        let ready = found.ceiling.ready_for.expect("one holds");
        assert!((1..=20).contains(&ready), "{found:?}");
        assert!(found.ceiling.fails_at.is_none_or(|fails| fails > ready), "{found:?}");
        assert!(found.ceiling.high_per_s.is_none() && found.ceiling.rate_per_s.is_some());
        assert!(found.ceiling.curve.is_sorted_by(|a, b| a.connections <= b.connections));
        // Each number begins on connections of its own.
        assert!(slow.stop().connections >= found.ceiling.curve.iter().map(|p| p.connections).sum());

        // N services of 1 ms are longer than a think time and an answer that is still quick enough.
        let found = document(&by_users.end());
        assert_eq!(
            (&*found.ceiling.over, &*found.thresholds),
            ("users", &["p50<100ms".into()][..])
        );
        let ready = found.ceiling.ready_for.expect("one holds");
        assert!((1..=155).contains(&ready), "{found:?}");
    });
}

/// The plan's own load is what is searched for.
const USERS: &str = r#"
url = "URL"
thresholds = ["p50<100ms"]
outputs = ["result.html"]

[load]
users = 5000
run_time = "1h"

[session]
think = "50ms"

[[requests]]
path = "/"
"#;

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
    let users = folder.path().join("users.toml").display().to_string();
    std::fs::write(&users, USERS.replace("URL", "http://localhost:1")).expect("a plan file");
    for (words, expected) in [
        (&["-R", "5k", "localhost"][..], "`--rps` is what `blast ceiling` looks for"),
        (&["-d", "5s", "localhost"], "`--budget 2m`"),
        (&["-n", "5", "localhost"], "`--budget 2m`"),
        (&["--budget", "1s", "localhost"], "takes 10 s at least"),
        (&["--steps", "1..5/1@1s", "localhost"], "--steps: `blast ceiling` tries steady loads"),
        (&["--over", "connections", "localhost"], "add `--threshold 'p99<100ms'`"),
        (&["--over", "users", "localhost"], "users are those of a plan's [session]"),
        (&["--over", "rate", &users], "--over rate: the users of [session] set the pace"),
        (&["--over", "connections", &users], "each connection of this plan is a user"),
        (&["--need", "5k", &users], "--need: a rate is shared out by"),
        (&["--host", "localhost", "localhost"], "--host is of a plan file"),
        (&["none.toml"], "none.toml"),
        (&["-o", &file, "localhost"], "ends in `.json`"),
        (&["--failure-budget", "9s", "localhost"], "`--to-failure` is missing"),
        (&["--to-failure", "--failure-budget", "1s", "localhost"], "takes 5 s at least"),
        (&["--step", "5s", "localhost"], "`--ladder` is missing"),
        (&["--ladder", "2x0", "localhost"], "--ladder: "),
        (&["--ladder", "100", "-R", "5", "localhost"], "drop `--rps`"),
        (&["--ladder", "2x5", "-c", "5", "localhost"], "drop `--connections`"),
        (&["--ladder", "100", "-n", "5", "localhost"], "drop `-n`"),
        (&["--ladder", "100", "--step", "1s", "-d", "1s", "localhost"], "say the same"),
        (&["--ladder", "100", "--to-failure", "localhost"], "searches nothing"),
        (&["--ladder", "100", "--host", "h", "localhost"], "--host is of a plan file"),
        (&["--ladder", "100", &users], "sers"),
        (&["--ladder", "100", "--stages", "1s:5", "localhost"], "a shape of its own"),
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
