//! What a plan sends once, before the load and after it: it stands in the report, and a signal
//! that comes meanwhile is told as one.

use std::thread;
use std::time::Duration;

use blast::target::{Options, Target};

use crate::support::{Blast, Folder, Run};

/// A plan whose `[setup]` and `[teardown]` take so long.
const PLAN: &str = r#"
[load]
LOAD
duration = "300ms"

[[requests]]
name = "open"
path = "/?delay=BEFORE"
checks = [{ name = "opened", status = "200" }]

[[requests]]
name = "work"
path = "/"

[[requests]]
name = "close"
path = "/?delay=AFTER"

[session]
MODEL
think = "20ms"

[setup]
steps = ["open"]

[teardown]
steps = ["close"]
"#;

const USERS: [(&str, &str); 2] = [("LOAD", "users = 4"), ("MODEL", "")];
const SESSIONS: [(&str, &str); 2] = [("LOAD", "rps = 100"), ("MODEL", "model = \"sessions\"")];

/// Runs it, with a Ctrl-C after so long.
fn run(replaced: &[(&str, &str)], times: [&str; 2], interrupt: Option<Duration>) -> Run {
    let target = Target::start(Options::default()).unwrap();
    let folder = Folder::new();
    let times = [("BEFORE", times[0]), ("AFTER", times[1])];
    let replaced = replaced.iter().chain(&times);
    let text = replaced.fold(PLAN.to_string(), |text, (this, that)| text.replace(this, that));
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, text).unwrap();
    let blast = Blast::verb("run").arg(path.to_str().unwrap());
    let host = format!("--host http://{} --json --wait block --pin off", target.address());
    let running = blast.args(&host).start();
    if let Some(time) = interrupt {
        thread::sleep(time);
        running.signal(libc::SIGINT);
    }
    let run = running.end();
    target.stop();
    run
}

#[test]
fn what_is_sent_once_stands_in_the_report_as_often_as_it_was_sent() {
    for model in [USERS, SESSIONS] {
        let run = run(&model, ["1ms", "1ms"], None);
        let document = run.document();
        let sent = |row: &serde_json::Value| {
            let count = row["requests"]["good"].as_u64().unwrap();
            (row["name"].as_str().unwrap().to_string(), count)
        };
        let names: Vec<_> = document.at("names").as_array().unwrap().iter().map(sent).collect();
        assert_eq!(names[0], ("open".to_string(), 1), "{run:?}");
        assert_eq!(names[2], ("close".to_string(), 1), "{run:?}");
        assert_eq!(names[1].1, document.count("requests.good"), "{run:?}");
        assert_eq!(document.count("aside.requests.good"), 2, "{run:?}");
        assert_eq!(document.at("checks")[0]["passed"], 1, "{run:?}");
        assert_eq!(document.count("plan.seed"), 1, "of what the plan draws");
    }
}

#[test]
fn an_interrupt_before_the_load_says_so_and_one_after_it_keeps_the_report() {
    let before = run(&USERS, ["3s", "1ms"], Some(Duration::from_millis(500)));
    assert_eq!(before.code(), Some(130), "{before:?}");
    assert!(before.complaint().contains("interrupted in the setup"), "{before:?}");
    let after = run(&USERS, ["1ms", "5s"], Some(Duration::from_millis(1_500)));
    assert_eq!(after.code(), Some(130), "{after:?}");
    let document = after.document();
    assert!(!document.is_complete() && document.count("requests.good") > 0, "{after:?}");
    assert!(document.warnings().contains(&"teardown_failed"), "{after:?}");
}
