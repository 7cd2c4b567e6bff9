//! `--rating`: grades of real runs, sets of one's own, and what is said of a wrong one.

use std::fs;
use std::thread;
use std::time::Duration;

use blast::target::{Behaviour, Options, Target};
use serde_json::{Value, json};

use crate::support::{Blast, Folder, Run};

fn target(words: &[(&str, &str)]) -> (Target, String) {
    let mut behaviour = Behaviour::default();
    for (key, value) in words {
        assert_eq!(behaviour.set(key, value), Ok(true), "{key}={value}");
    }
    let target = Target::start(Options { behaviour, ..Options::default() }).unwrap();
    let url = format!("http://{}/", target.address());
    (target, url)
}

fn mark(run: &Run, measure: &str) -> Value {
    let document = run.document();
    let marks = document.at("rating.measures").as_array().unwrap();
    let found = marks.iter().find(|mark| mark["measure"] == measure);
    found.unwrap_or_else(|| panic!("no {measure}: {marks:?}")).clone()
}

fn grade(run: &Run, measure: &str) -> String {
    mark(run, measure)["grade"].as_str().unwrap().to_string()
}

fn absent(run: &Run) -> Vec<String> {
    let document = run.document();
    let absent = document.at("rating.absent").as_array().unwrap();
    absent.iter().map(|absent| absent["measure"].as_str().unwrap().to_string()).collect()
}

/// Between 200 ms and 500 ms there is room for a crowded machine on both sides.
const SLOW: &str = "300ms";

/// One of the set `stress` that a machine this slow cannot turn into another.
const LOAD: &str = "-n 200 -c 20";

#[test]
fn a_known_delay_has_the_known_marks() {
    let (_target, url) = target(&[("delay", SLOW)]);
    let run = Blast::calm("epoll", &url).args(LOAD).args("--rating stress").run();
    assert_eq!(run.code(), Some(0), "{run:?}");
    let document = run.document();
    assert_eq!(document.text("rating.set"), "stress");
    assert_eq!(document.text("rating.grade"), "acceptable", "{run:?}");
    assert_eq!(grade(&run, "success"), "excellent");
    assert_eq!(grade(&run, "good_only.mean"), "acceptable");
    assert_eq!(absent(&run), ["efficiency"], "a closed loop has no schedule");
    let p95 = mark(&run, "p95");
    assert_eq!((&p95["grade"], &p95["of"]), (&json!("acceptable"), &json!("service")));
    let expected = json!({
        "excellent": {"op": "<", "value": 0.2},
        "good": null,
        "acceptable": {"op": "<=", "value": 1.0},
        "poor": null
    });
    assert_eq!(p95["limits"], expected);
    let seconds = document.number("latency.response.p95_us") / 1e6;
    assert!((p95["value"].as_f64().unwrap() - seconds).abs() < 1e-9, "{p95}");
}

#[test]
fn an_open_loop_is_graded_by_response_times_and_by_its_schedule() {
    let (_target, url) = target(&[("status", "200:90,503:10")]);
    let run = Blast::calm("epoll", &url).args("-R 100 -n 200 -c 8").run();
    // A crowded machine may be too slow for the schedule, which exit 4 says.
    assert!(matches!(run.code(), Some(0 | 4)), "{run:?}");
    let document = run.document();
    assert_eq!(document.text("rating.set"), "default");
    if run.code() == Some(4) {
        assert_eq!(document.at("rating.grade"), &Value::Null, "{run:?}");
        assert!(document.text("rating.why").contains("was the limit"));
        return;
    }
    assert_eq!(document.text("rating.grade"), "critical");
    assert_eq!((grade(&run, "errors"), grade(&run, "p95")), ("critical".into(), "poor".into()));
    let p95 = mark(&run, "p95");
    assert_eq!((&p95["of"], &p95["lower_bound"]), (&json!("response"), &json!(true)));
    mark(&run, "efficiency");
    let advice = &document.at("advice")[0];
    assert_eq!(advice["sign"], "server_errors");
    assert!(advice["evidence"].as_str().unwrap().starts_with("20 server errors (5xx), 10 %"));
    let said = document.at("sentences")[0]["text"].as_str().unwrap();
    assert_eq!(said, "Not stable: only 90 % of 200 requests were good.");
}

#[test]
fn the_page_says_the_grade_and_the_run_in_short() {
    let (_target, url) = target(&[("delay", SLOW)]);
    let page = |words: &str| {
        let blast = Blast::page("epoll", &url).args("--wait block --pin off");
        let run = blast.args(LOAD).args(words).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        run.stdout
    };
    let graded = page("--rating stress");
    assert!(graded.contains("  grade:    acceptable (stress): average of service "), "{graded}");
    assert!(graded.contains(" is acceptable)"), "{graded}");
    assert!(graded.contains("  in short: ") && graded.contains("100 % good"), "{graded}");
    assert!(!page("--rating off").contains("grade:"));
}

#[test]
fn off_leaves_no_grade_in_the_document() {
    let (_target, url) = target(&[]);
    let run = Blast::calm("epoll", &url).args("-n 50 -c 2 --rating off").run();
    assert_eq!(run.document().at("rating"), &Value::Null);
}

#[test]
fn a_run_that_was_interrupted_has_no_grade_and_says_why() {
    let (_target, url) = target(&[("delay", "5ms")]);
    let running = Blast::calm("epoll", &url).args("-d 60s -c 2").start();
    // From when it listens for it, an interrupt leaves a report.
    while !running.catches(libc::SIGINT) {
        thread::sleep(Duration::from_millis(1));
    }
    running.signal(libc::SIGINT);
    let run = running.end();
    assert_eq!(run.code(), Some(130), "{run:?}");
    let document = run.document();
    assert_eq!(document.at("rating.grade"), &Value::Null);
    assert_eq!(document.text("rating.why"), "the run was interrupted");
    assert_eq!(document.at("rating.measures"), &json!([]));
}

#[test]
fn a_set_of_ones_own_is_read_from_a_file_and_by_a_plan_beside_it() {
    let (_target, url) = target(&[("delay", SLOW)]);
    let folder = Folder::new();
    let own = folder.path().join("own.toml");
    fs::write(&own, "[p50]\nexcellent = \"100ms\"\ngood = \"2s\"\n[errors]\nexcellent = 0\n")
        .unwrap();
    let named = own.to_str().unwrap();
    let run = Blast::calm("epoll", &url).args(LOAD).arg("--rating").arg(named).run();
    assert_eq!(run.document().text("rating.set"), named);
    assert_eq!((grade(&run, "p50"), grade(&run, "errors")), ("good".into(), "excellent".into()));
    let plan = folder.path().join("plan.toml");
    let text = format!(
        "url = \"{url}\"\nrating = \"own.toml\"\n[load]\nrequests = 20\nconnections = 20\n\
         [[requests]]\npath = \"/\"\n"
    );
    fs::write(&plan, text).unwrap();
    let of_plan = |more: &str| {
        let blast = Blast::verb("run").arg(plan.to_str().unwrap());
        let run = blast.args("--engine epoll --json --wait block --pin off").args(more).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        run.document().text("rating.set").to_string()
    };
    assert_eq!(of_plan(""), named);
    assert_eq!(of_plan("--rating web"), "web", "what is typed wins");
}

#[test]
fn a_wrong_set_is_refused_before_anything_is_sent() {
    let folder = Folder::new();
    let own = folder.path().join("own.toml");
    fs::write(&own, "[p95]\ngood = \"500\"\n").unwrap();
    let own = own.to_str().unwrap();
    let missing = folder.path().join("none.toml");
    let at = format!("--rating: {own}:2:8: `p95<=500` gives a time without its unit");
    for (set, expected) in [
        (
            "strss",
            "--rating: `strss` is no set of measures; there are default, api, web, stress, off",
        ),
        ("strss", "did you mean `stress`?"),
        (missing.to_str().unwrap(), "none.toml` cannot be read ("),
        (own, &at),
    ] {
        let run = Blast::page("epoll", "http://127.0.0.1:9/").arg("--rating").arg(set).run();
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.complaint().contains(expected), "{run:?}");
    }
}
