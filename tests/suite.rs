//! `blast suite`: whole suites against servers of their own, and what is told where one does not
//! answer. What depends on speed is asserted nowhere.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use blast::report::suite::{SCHEMA, SuiteDocument};
use blast::target::{Options, Target};
use serde_json::Value;

use crate::support::{Blast, Document, Folder, Run, beside_others, closed_port};

/// What each run needs that measures no time.
const CALM: &str = "load = { wait = \"block\", pin = \"off\", connections = 2, threads = 1 }\n";

fn write(folder: &Folder, text: &str) -> String {
    let file = folder.path().join("suite.toml");
    fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// Into `out` of the folder.
fn suite(folder: &Folder, text: &str) -> Blast {
    let out = folder.path().join("out").display().to_string();
    Blast::verb("suite").args("--quiet --svg -o").arg(&out).arg(&write(folder, text))
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn is_valid(schema: &str, document: &Value) {
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(document).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

fn document(folder: &Folder) -> SuiteDocument {
    let document = read(&folder.path().join("out/suite.json"));
    is_valid(SCHEMA, &document);
    serde_json::from_value(document).unwrap()
}

fn outcomes(document: &SuiteDocument) -> Vec<&str> {
    document.runs.iter().map(|run| &*run.outcome).collect()
}

fn target() -> Target {
    Target::start(Options::default()).expect("a target")
}

#[test]
fn runs_are_made_in_order_and_the_folder_holds_all_of_them() {
    beside_others(|| {
        let (folder, target) = (Folder::new(), target());
        let text = format!(
            "url = \"http://{}/?token=planted\"\nheaders = {{ X-Key = \"planted\" }}\n{CALM}\
             [[runs]]\nname = \"smoke\"\nload = {{ requests = 20 }}\npause = \"100ms\"\n\
             [[runs]]\nname = \"peak\"\nload = {{ requests = 30 }}\nthresholds = [\"p50<1ns\"]\n",
            target.address()
        );
        let run = suite(&folder, &text).run();
        assert_eq!(run.code(), Some(3), "{run:?}");
        assert!(run.stdout.contains("suite.toml: 1 of 2 runs passed"), "{run:?}");
        assert!(run.stdout.contains("a threshold failed: p50<1ns was"), "{run:?}");
        // 20, 30, and the one that was asked first.
        assert_eq!(target.stop().requests, 51);
        let found = document(&folder);
        assert!(found.complete && found.exit_code == 3 && found.problems.is_empty());
        assert_eq!(outcomes(&found), ["passed", "threshold"]);
        assert!(found.runs[1].began_s.unwrap() >= found.runs[0].ended_s.unwrap() + 0.1);
        let out = folder.path().join("out");
        for (name, sent) in [("smoke", 20), ("peak", 30)] {
            let json = fs::read_to_string(out.join(name).join("result.json")).unwrap();
            assert_eq!(Document::parse(&json).unwrap().count("requests.sent"), sent);
        }
        let metrics = read(&out.join("system_metrics.json"));
        is_valid(blast::report::monitored::SCHEMA, &metrics);
        assert_eq!(metrics["marks"][1]["name"], "peak");
        let mut texts = vec![run.stdout];
        for file in found.files.iter().chain(found.runs.iter().flat_map(|run| &run.files)) {
            let bytes = fs::read(out.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(!bytes.is_empty(), "{file}");
            texts.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        texts.push(fs::read_to_string(out.join("report.html")).unwrap());
        assert!(texts.last().unwrap().contains("<a href=\"smoke/report.html\">smoke</a>"));
        assert!(texts.iter().all(|text| !text.contains("planted")), "secrets are masked");
    });
}

#[test]
fn a_server_that_does_not_answer_is_told_with_who_listens_and_its_log() {
    beside_others(|| {
        let folder = Folder::new();
        fs::write(folder.path().join("app.log"), "starting\nERROR no database, password=planted\n")
            .unwrap();
        let with = |address: &str| {
            format!(
                "url = \"http://{address}/\"\n{CALM}[monitor]\nwatch_log = \"app.log\"\n\
                 [ready]\ntimeout = \"300ms\"\nevery = \"100ms\"\n\
                 [[runs]]\nname = \"smoke\"\nload = {{ requests = 5 }}\n"
            )
        };
        let closed = closed_port();
        let run = suite(&folder, &with(&closed.to_string())).run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        let expected = format!("nothing listens on port {} here", closed.port());
        // On a terminal's width the page breaks lines; the line of stderr is whole.
        assert!(run.stderr.contains(&expected), "{run:?}");
        assert!(run.stderr.contains("connection refused"), "{run:?}");
        assert!(run.stdout.contains("ERROR no database, password=***"), "{run:?}");
        assert!(run.stdout.contains("the server did not answer"), "{run:?}");
        let found = document(&folder);
        assert_eq!((found.exit_code, outcomes(&found)), (1, vec!["skipped"]));
        assert!(found.duration_s >= 0.3, "it is asked until the time is over: {found:?}");
        // Somebody listens and says nothing.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let run = suite(&folder, &with(&silent.local_addr().unwrap().to_string())).run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        let pid = format!("(pid {}) listens on port", std::process::id());
        assert!(run.stderr.contains(&pid), "{run:?}");
    });
}

#[test]
fn a_server_that_comes_late_is_waited_for() {
    beside_others(|| {
        let (folder, address) = (Folder::new(), closed_port());
        let text = format!(
            "url = \"http://{address}/\"\n{CALM}[ready]\nevery = \"100ms\"\n\
             [[runs]]\nname = \"smoke\"\nload = {{ requests = 5 }}\n"
        );
        let running = suite(&folder, &text).start();
        thread::sleep(Duration::from_secs(1));
        let options = Options { bind: address.ip(), port: address.port(), ..Options::default() };
        let target = Target::start(options).expect("a target");
        let run = running.end();
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert_eq!(target.stop().requests, 6);
    });
}

#[test]
fn a_matrix_starts_and_stops_the_server_for_each_value() {
    beside_others(|| {
        let (folder, target) = (Folder::new(), target());
        let text = format!(
            "url = \"http://{}/\"\n{CALM}[server]\nbefore = \"echo start $WORKERS >> notes\"\n\
             after = [\"sh\", \"-c\", \"echo stop $WORKERS >> notes; test $WORKERS != 2\"]\n\
             [matrix]\nWORKERS = [1, 2]\n\
             [[runs]]\nname = \"closed\"\nload = {{ requests = 10 }}\n",
            target.address()
        );
        let run = suite(&folder, &text).run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        let notes = fs::read_to_string(folder.path().join("notes")).unwrap();
        assert_eq!(notes, "start 1\nstop 1\nstart 2\nstop 2\n");
        let found = document(&folder);
        assert_eq!(outcomes(&found), ["passed", "passed"]);
        let [problem] = &found.problems[..] else { panic!("{:?}", found.problems) };
        assert_eq!((&*problem.part, &*problem.setting["WORKERS"]), ("after", "2"));
        assert!(problem.text.contains("ended with exit code 1"), "{problem:?}");
        let points = &found.scaling[0].points;
        let good = |at: usize| found.runs[at].figures.as_ref().unwrap().good_per_s.unwrap();
        let expected = good(1) / good(0) / 2.0;
        assert!((points[1].efficiency.unwrap() - expected).abs() < 1e-9, "{points:?}");
        assert!(folder.path().join("out/WORKERS=2/closed/result.json").is_file());
    });
}

#[test]
fn an_interrupt_keeps_the_run_stops_the_server_and_writes_the_folder() {
    beside_others(|| {
        let (folder, target) = (Folder::new(), target());
        let text = format!(
            "url = \"http://{}/\"\n{CALM}[server]\nafter = \"echo stopped > notes\"\n\
             [[runs]]\nname = \"long\"\nload = {{ rps = 200, duration = \"60s\" }}\n\
             [[runs]]\nname = \"never\"\nload = {{ requests = 5 }}\n",
            target.address()
        );
        let running = suite(&folder, &text).start();
        while target.stats().requests < 50 {
            thread::sleep(Duration::from_millis(10));
        }
        running.signal(libc::SIGINT);
        let run: Run = running.end();
        assert_eq!(run.code(), Some(130), "{run:?}");
        let found = document(&folder);
        assert!(!found.complete && found.exit_code == 130);
        assert_eq!(outcomes(&found), ["interrupted", "skipped"]);
        assert_eq!(fs::read_to_string(folder.path().join("notes")).unwrap(), "stopped\n");
        assert!(folder.path().join("out/report.html").is_file());
        let long = read(&folder.path().join("out/long/result.json"));
        assert_eq!(long["complete"], false);
    });
}

#[test]
fn what_is_wrong_in_the_file_is_one_sentence_with_its_line_and_nothing_is_run() {
    let folder = Folder::new();
    let head = "url = \"http://localhost:1/\"\n[[runs]]\nname = \"a\"\n";
    for (text, expected) in [
        (format!("{head}[[runs]]\nname = \"b\"\nload = {{ rps = \"x\" }}"), "suite.toml:6:16: "),
        (format!("{head}lod = {{}}"), "unknown key \"lod\" in [[runs]]; did you mean \"load\"?"),
        (format!("{head}plan = \"none.toml\""), "suite.toml:4:8: "),
        ("url = \"h\"".to_string(), "there are no runs; add [[runs]]"),
    ] {
        let run = suite(&folder, &text).run();
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.complaint().contains(expected), "{run:?}");
        assert!(!folder.path().join("out").exists(), "no folder is made");
    }
    let check = suite(&folder, head).arg("--check").run();
    assert_eq!(check.code(), Some(0), "{check:?}");
    assert!(check.stdout.contains("is a valid suite"), "{check:?}");
    assert!(!folder.path().join("out").exists());
}
