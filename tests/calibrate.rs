//! `blast calibrate`, and the head-room that runs tell of what it kept.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use blast::host::Fingerprint;
use blast::target::{Behaviour, Options, Target};
use blast::time::Nanos;
use serde_json::{Value, json};

use crate::support::{Blast, Folder, Run, each_engine, ring_alone};

fn calibrate(file: &Path) -> Blast {
    let flags = "--rounds 1 --round-length 100ms --pin off --quiet";
    Blast::verb("calibrate").env("BLAST_CALIBRATION", file).args(flags)
}

fn read(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// One calibration of this host, for 32 to 99 connections and small answers.
fn book(rate_per_s: f64, is_lower_bound: bool, host: &Fingerprint) -> Value {
    let closed = json!({
        "rate_per_s": rate_per_s, "reached_per_s": rate_per_s, "cpu_us_per_request": 4.2,
        "worker_share": 1.0, "basis": "reached", "is_lower_bound": is_lower_bound, "why": ""
    });
    let open = json!({
        "rate_per_s": rate_per_s, "share": 0.85, "late_p99_us": 9.5,
        "is_lower_bound": is_lower_bound
    });
    let class = json!({
        "engine": "ring", "tls": false, "keepalive": true, "pipeline": 1, "content": "static",
        "connections": 32, "request_bytes": 0, "answer_bytes": 130
    });
    let entry = json!({
        "schema": "blast.calibration/1", "complete": true, "measured_at": "2026-11-21T20:00:00Z",
        "duration_s": 12.0, "host": host, "class": class, "worker_core": 1, "server_cores": [0],
        "closed": closed, "open": open, "rounds": [], "notes": []
    });
    json!({"schema": "blast.calibrations/1", "entries": [entry]})
}

fn target() -> (Target, String) {
    let target = Target::start(Options::default()).expect("a target");
    let url = format!("http://{}/", target.address());
    (target, url)
}

/// With what was made of this file.
fn run(file: &Path, engine: &str, url: &str, flags: &str) -> Run {
    let blast = Blast::calm(engine, url).env("BLAST_CALIBRATION", file);
    blast.args("-t 1 -c 40").args(flags).run()
}

#[test]
fn what_blast_can_send_is_measured_and_kept_and_measured_again() {
    ring_alone(|_| {
        let folder = Folder::new();
        let file = folder.path().join("new/calibration.json");
        let page = calibrate(&file).run();
        assert_eq!(page.code(), Some(0), "{page:?}");
        assert!(page.stdout.contains("can send ") && page.stdout.contains("from one core"));
        let first = read(&file);
        let run =
            calibrate(&file).args("--json -R 500 --threads 1").arg("http://h/?status=404").run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        let printed: Value = serde_json::from_str(&run.stdout).unwrap();
        let kept = read(&file);
        let entries = kept["entries"].as_array().unwrap();
        assert_eq!(entries.len(), 1, "{kept:#}");
        assert_eq!(entries[0], printed);
        assert_ne!(entries[0]["duration_s"], first["entries"][0]["duration_s"]);
        let number = |pointer: &str| printed.pointer(pointer).unwrap().as_f64().unwrap();
        for figure in ["rate_per_s", "reached_per_s", "cpu_us_per_request", "worker_share"] {
            assert!(number(&format!("/closed/{figure}")) > 0.0, "{figure}: {printed:#}");
        }
        assert!(number("/closed/rate_per_s") >= number("/closed/reached_per_s"));
        assert_eq!(printed["class"]["answer_bytes"], 130);
        assert_eq!(printed["class"]["connections"], 64, "{printed:#}");
    });
}

#[test]
fn the_load_is_that_of_the_flags_and_of_the_plan() {
    ring_alone(|_| {
        let folder = Folder::new();
        let (file, plan) = (folder.path().join("c.json"), folder.path().join("p.toml"));
        let text = "url = \"http://no-such-host.invalid/\"\n\
            [[requests]]\npath = \"/a/{{seq}}\"\n[[requests]]\npath = \"/b\"\n";
        fs::write(&plan, text).unwrap();
        let run = calibrate(&file).args("--json -c 12 -t 2").arg(plan.to_str().unwrap()).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        let same = calibrate(&file).args("--json -c 12 -t 2 -").stdin(File::open(&plan).unwrap());
        let run = same.run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        assert_eq!(read(&file)["entries"].as_array().unwrap().len(), 1, "it is of the same class");
        let flags = "--json -p 4 --engine epoll -b xyz --answer-size 5k";
        let run = calibrate(&file).args(flags).run();
        assert_eq!(run.code(), Some(0), "{run:?}");
        let kept = read(&file);
        let [of_plan, of_flags] = [0, 1].map(|place| kept["entries"][place]["class"].clone());
        assert_eq!((&of_plan["content"], &of_plan["connections"]), (&json!("mix"), &json!(6)));
        assert_eq!((&of_flags["pipeline"], &of_flags["engine"]), (&json!(4), &json!("epoll")));
        assert_eq!(of_flags["request_bytes"], 3);
        let answer = of_flags["answer_bytes"].as_u64().unwrap();
        assert!((5_000..5_200).contains(&answer), "{answer}");
    });
}

#[test]
fn a_run_tells_the_share_of_what_blast_can_send() {
    each_engine(|engine| {
        let (folder, (_target, url)) = (Folder::new(), target());
        let file = folder.path().join("calibration.json");
        let mut book = book(4_000.0, false, &Fingerprint::of_this_host());
        book["entries"][0]["class"]["engine"] = json!(engine);
        fs::write(&file, book.to_string()).unwrap();
        let document = run(&file, engine, &url, "-R 1000 -d 500ms").document();
        let figure = |name: &str| document.number(&format!("calibration.{name}"));
        assert_eq!((figure("rate_per_s"), figure("cpu_us_per_request")), (4_000.0, 4.2));
        // As many are sent as are due, but for what a busy machine still owes at the end.
        assert!((0.0..=0.26).contains(&figure("share_used")), "{}", figure("share_used"));
        let blast = Blast::page(engine, &url).env("BLAST_CALIBRATION", &file);
        let page = blast.args("-t 1 -c 40 -n 500 --wait block --pin off").run();
        let text = page.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        let sentence = "blast can send 4,000/s from this core (calibrated 2026-11-21); ";
        assert!(text.contains(sentence), "{text}");
    });
}

#[test]
fn a_foreign_or_a_damaged_file_is_as_if_there_were_none() {
    ring_alone(|engine| {
        let (folder, (_target, url)) = (Folder::new(), target());
        let file = folder.path().join("calibration.json");
        let here = Fingerprint::of_this_host();
        let other = Fingerprint { kernel: "2.4.1".to_string(), ..here.clone() };
        let whole = book(4_000.0, false, &here).to_string();
        let cases = [
            (book(4_000.0, false, &other).to_string(), "is of another kernel, and is ignored"),
            (whole[..whole.len() / 2].to_string(), "is damaged, and is ignored"),
            (String::new(), "is no file of calibrations, and is ignored"),
        ];
        for (text, expected) in cases {
            fs::write(&file, text).unwrap();
            let run = run(&file, engine, &url, "-n 100");
            assert_eq!((run.code(), run.stderr.as_str()), (Some(0), ""), "{run:?}");
            let document: Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(document["calibration"], Value::Null);
            let doctor = Blast::verb("doctor").env("BLAST_CALIBRATION", &file).args("--json").run();
            let row = row(&doctor);
            let here = row["here"].as_str().unwrap();
            assert!(here.contains(expected), "{here}");
            assert!(row["advice"].as_str().unwrap().contains("`blast calibrate`"), "{row}");
        }
        fs::write(&file, whole).unwrap();
        let doctor =
            Blast::verb("doctor").env("BLAST_CALIBRATION", &file).args("--json -t 1").run();
        let row = row(&doctor);
        let here = row["here"].as_str().unwrap();
        assert!(here.starts_with("4,000/s from one core in a closed loop (calibrated 2026-11-21"));
        assert!(row["advice"].is_null(), "{row}");
    });
}

fn row(doctor: &Run) -> Value {
    let document: Value = serde_json::from_str(&doctor.stdout).unwrap();
    let rows = document["rows"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == "calibration").unwrap().clone()
}

#[test]
fn a_run_that_sends_all_that_blast_can_is_warned() {
    ring_alone(|engine| {
        let (folder, (_target, url)) = (Folder::new(), target());
        let file = folder.path().join("calibration.json");
        for (is_lower_bound, warned) in [(false, true), (true, false)] {
            let book = book(100.0, is_lower_bound, &Fingerprint::of_this_host());
            fs::write(&file, book.to_string()).unwrap();
            let document = run(&file, engine, &url, "-R 200 -d 500ms").document();
            if document.text("verdict.limit") == "none" {
                let warnings = document.warnings();
                assert_eq!(warnings.contains(&"near_calibration"), warned, "{warnings:?}");
            }
        }
    });
}

#[test]
fn a_ceiling_stands_beside_what_blast_can_send() {
    ring_alone(|_| {
        let folder = Folder::new();
        let file = folder.path().join("calibration.json");
        let book = book(100_000.0, false, &Fingerprint::of_this_host());
        fs::write(&file, book.to_string()).unwrap();
        let service = Some(Nanos::from_millis(5));
        let behaviour = Behaviour { service, ..Behaviour::default() };
        let target = Target::start(Options { behaviour, ..Options::default() }).unwrap();
        let url = format!("http://{}/", target.address());
        let blast = Blast::verb("ceiling").env("BLAST_CALIBRATION", &file).arg(&url);
        let running = blast.args("--json --pin off -t 1").start();
        while target.stats().requests < 400 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        running.signal(libc::SIGINT);
        let document: Value = serde_json::from_str(&running.end().stdout).unwrap();
        let calibration = &document["calibration"];
        assert_eq!(calibration["rate_per_s"], 100_000.0, "{document:#}");
        let ceiling = document["ceiling"]["rate_per_s"].as_f64();
        let share = calibration["share_used"].as_f64();
        assert_eq!(share, ceiling.map(|rate| (rate / 1e5 * 1e6).round() / 1e6));
    });
}

#[test]
fn where_it_cannot_be_kept_the_figures_are_printed_all_the_same() {
    ring_alone(|_| {
        let folder = Folder::new();
        let blocked = folder.path().join("read-only");
        fs::create_dir(&blocked).unwrap();
        fs::set_permissions(&blocked, fs::Permissions::from_mode(0o500)).unwrap();
        let file = blocked.join("calibration.json");
        let run = calibrate(&file).bound_by_permissions().run();
        assert_eq!(run.code(), Some(1), "{run:?}");
        assert!(run.stdout.contains("can send "), "{run:?}");
        let sentence = run.stderr.trim_end();
        assert!(sentence.starts_with("blast: the calibration was not kept: "), "{sentence}");
        assert!(sentence.ends_with("name another file with BLAST_CALIBRATION"), "{sentence}");
        assert_eq!(sentence.lines().count(), 1);
        assert!(!file.exists());
    });
}

#[test]
fn what_cannot_be_calibrated_is_one_sentence_and_exit_2() {
    let folder = Folder::new();
    let picture = folder.path().join("a.png").display().to_string();
    let file = folder.path().join("calibration.json");
    for (words, expected) in [
        (&["http://a/", "http://b/"][..], "one URL is taken"),
        #[cfg(feature = "tls")]
        (&["https://a/"], "calibrate with an http:// URL"),
        (&["--rounds", "0"], "--rounds: `0`"),
        (&["-o", &picture], "ends in `.json`"),
        (&["no-such.toml"], "no-such.toml"),
    ] {
        let blast = Blast::verb("calibrate").env("BLAST_CALIBRATION", &file);
        let run = words.iter().fold(blast, |blast, word| blast.arg(word)).run();
        assert_eq!(run.code(), Some(2), "{run:?}");
        assert!(run.complaint().contains(expected), "{run:?}");
    }
    assert!(!file.exists());
}
