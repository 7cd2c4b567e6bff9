//! Runs as children of a panel: what becomes of them, and of what they leave.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use blast::cli::desk::Desk;
use blast::history::{History, Row, Status};
use blast::plan::Limits;
use blast::serve::aim::Aims;
use blast::serve::job::Job;
use blast::serve::plans::Plans;
use blast::serve::supervisor::{Edit, Events, Floor, FloorSettings};
use serde_json::{Value, json};
use tokio_stream::StreamExt;

use crate::support::{Folder, LIMIT, Server, counted};

const PROGRAM: &str = env!("CARGO_BIN_EXE_blast");

/// A panel's floor in a folder of its own, and a server to load.
struct Place {
    folder: Folder,
    server: Server,
    floor: Floor,
}

impl Place {
    fn new(patience: Duration) -> Place {
        let folder = Folder::new();
        let lock = folder.path().join("lock");
        let floor = Floor::new(FloorSettings {
            program: PathBuf::from(PROGRAM),
            history: folder.path().join("history.db"),
            limits: Limits::default(),
            desk: Arc::new(Desk { plans: Plans::default() }),
            aims: Aims::new(Vec::new(), Vec::new()),
            patience,
            environment: vec![("BLAST_LOCK".into(), lock.into())],
        });
        Place { folder, server: Server::answering(counted(20)), floor }
    }

    fn job(&self, rps: f64, duration_s: f64) -> Job {
        let (rps, duration_s) = (Some(rps), Some(duration_s));
        Job { target: self.server.url(), connections: Some(2), rps, duration_s, ..Job::default() }
    }

    async fn start(&self, job: Job) -> (i64, Events) {
        let id = self.floor.start(job, "ada").await.expect("it starts");
        (id, self.floor.watch(id, None).expect("it is watched"))
    }

    fn history(&self) -> History {
        History::open(&self.folder.path().join("history.db")).unwrap()
    }

    fn row(&self, id: i64) -> Row {
        self.history().show(id).unwrap()
    }
}

/// The next line of that kind, and all before it.
async fn until(events: &mut Events, kind: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    let found = async {
        while let Some(event) = events.next().await {
            let line: Value = serde_json::from_str(&event.line).unwrap();
            let is_it = line["type"] == kind;
            seen.push(line);
            if is_it {
                return true;
            }
        }
        false
    };
    let found = tokio::time::timeout(LIMIT, found).await;
    assert_eq!(found, Ok(true), "no {kind} came: {seen:#?}");
    seen
}

fn child_of(id: i64) -> i32 {
    let here = std::process::id().to_string();
    let mut processes = std::fs::read_dir("/proc").unwrap().flatten();
    let found = processes.find_map(|entry| {
        let pid = entry.file_name().to_str()?.parse::<i32>().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let words = std::fs::read(entry.path().join("cmdline")).ok()?;
        let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.to_string();
        let is_child = words.ends_with(b"\0child\0") && parent == here;
        let held = std::fs::read_dir(entry.path().join("fd")).ok()?.flatten();
        let mut files = held.filter_map(|file| std::fs::read_link(file.path()).ok());
        let marker = LOCKS.with_borrow(|locks| locks.clone());
        (is_child && files.any(|file| Some(file) == marker)).then_some(pid)
    });
    found.unwrap_or_else(|| panic!("run {id} has no process"))
}

thread_local! {
    /// The lock of this test's runs: by it a child is known among those of other tests.
    static LOCKS: std::cell::RefCell<Option<PathBuf>> = const { std::cell::RefCell::new(None) };
}

fn signal(pid: i32, signal: i32) {
    // SAFETY: a system call on no memory; the process is a child of this test.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

#[tokio::test]
async fn a_run_is_seen_as_it_goes_and_stands_in_the_history_as_it_was_told() {
    let place = Place::new(LIMIT);
    let (id, mut events) = place.start(place.job(200.0, 1.0)).await;
    let seen = until(&mut events, "end").await;
    let of = |kind: &str| seen.iter().filter(|line| line["type"] == kind).collect::<Vec<_>>();
    let phases: Vec<&str> = of("phase").iter().filter_map(|l| l["phase"].as_str()).collect();
    assert!(
        phases.ends_with(&["measure", "drain", "done"]) || phases.ends_with(&["measure", "done"]),
        "{phases:?}"
    );
    assert!(!of("interval").is_empty());
    let (summary, end) = (of("summary")[0], of("end")[0]);
    assert_eq!(summary["requests"]["scheduled"], 200);
    assert_eq!(end["status"], "completed", "{end}");
    let row = place.row(id);
    assert_eq!((row.status, row.figures.scheduled), (Status::Completed, Some(200)));
    assert_eq!((&*row.begun.started_by, row.begun.kind.as_str()), ("ada", "run"));
    let document = place.history().document(id).unwrap().expect("it has a document");
    let document: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(document["requests"], summary["requests"]);
    assert_eq!(document["audit"]["ok"], true);
    // Who comes late sees the same, and who has seen some sees the rest.
    let live = place.floor.live(id).await.expect("it is kept");
    assert_eq!(live.intervals.len(), of("interval").len());
    let mut late = place.floor.watch(id, None).unwrap();
    assert_eq!(until(&mut late, "end").await, seen);
    let mut rest = place.floor.watch(id, Some(seen.len() as u64 - 1)).unwrap();
    assert_eq!(until(&mut rest, "end").await.len(), 1);
    assert_eq!(place.floor.current(), None);
}

#[tokio::test]
async fn of_fifty_starts_one_goes_on_until_it_is_stopped() {
    let place = Place::new(LIMIT);
    let starts = (0..50).map(|_| {
        let (floor, job) = (place.floor.clone(), place.job(50.0, 60.0));
        tokio::spawn(async move { floor.start(job, "ada").await })
    });
    let mut outcomes = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        outcomes.push(start.await.unwrap());
    }
    let started: Vec<i64> = outcomes.iter().filter_map(|outcome| outcome.clone().ok()).collect();
    let [id] = started[..] else { panic!("{started:?} were started") };
    for refusal in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!((refusal.status, refusal.run), (409, Some(id)), "{}", refusal.message);
    }
    let mut events = place.floor.watch(id, None).unwrap();
    until(&mut events, "interval").await;
    for (edit, field) in [(Edit::Rate(10_001.0), "rate_per_s"), (Edit::Users(101), "users")] {
        let refusal = place.floor.edit(id, edit, "ada").await.expect_err(field);
        assert_eq!((refusal.code, refusal.field.as_deref()), ("over_limit", Some(field)));
    }
    assert_eq!(place.floor.stop(id + 1, "ada").await.unwrap_err().status, 409);
    place.floor.stop(id, "ada").await.unwrap();
    let seen = until(&mut events, "end").await;
    assert_eq!(seen.last().unwrap()["status"], "stopped");
    let row = place.row(id);
    assert_eq!((row.status, row.reason.as_deref()), (Status::Stopped, Some("by ada")));
    let document = place.history().document(id).unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&document).unwrap()["complete"], false);
}

#[tokio::test]
async fn a_run_that_is_killed_or_hangs_has_failed_and_the_next_one_starts() {
    let place = Place::new(Duration::from_millis(300));
    LOCKS.set(Some(place.folder.path().join("lock")));
    let (killed, mut events) = place.start(place.job(50.0, 60.0)).await;
    until(&mut events, "interval").await;
    let pid = child_of(killed);
    signal(pid, libc::SIGKILL);
    let seen = until(&mut events, "end").await;
    assert_eq!(seen.last().unwrap()["status"], "failed");
    let row = place.row(killed);
    assert_eq!(row.status, Status::Failed);
    assert!(row.reason.unwrap().contains("ended by signal 9"));
    assert!(!place.history().intervals(killed, 0).unwrap().is_empty(), "what arrived is kept");

    // It is stopped, and stays so past its end.
    let mut job = place.job(50.0, 0.5);
    job.plan_text = Some(
        "[load]\ndrain = \"1ms\"\nconnect_timeout = \"100ms\"\n[[requests]]\npath = \"/\"\n".into(),
    );
    let (hung, mut events) = place.start(job).await;
    until(&mut events, "phase").await;
    signal(child_of(hung), libc::SIGSTOP);
    let seen = until(&mut events, "end").await;
    assert_eq!(seen.last().unwrap()["reason"], "over time");
    let row = place.row(hung);
    assert_eq!((row.status, row.reason.as_deref()), (Status::Failed, Some("over time")));
    assert!(place.floor.start(place.job(50.0, 0.2), "ada").await.is_ok(), "the next one starts");
    place.floor.close().await;
    assert!(place.floor.start(place.job(50.0, 0.2), "ada").await.is_err(), "it is closed");
}

/// A child without a panel: what stands on its stdin.
fn child(place: &Place, id: i64, words: &[String]) -> std::process::Child {
    let mut command = Command::new(PROGRAM);
    command.arg("child").env("BLAST_LOCK", place.folder.path().join("lock"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let first = json!({
        "run": id,
        "history": place.folder.path().join("history.db"),
        "words": words,
        "plan_text": null,
        "limits": Limits { workers: 2, rps: 100.0, duration_s: 60.0 },
        "addresses": ["127.0.0.1"],
        "label": "",
        "who": "ada",
    });
    writeln!(child.stdin.as_mut().unwrap(), "{first}").unwrap();
    child
}

#[test]
fn a_child_whose_panel_is_gone_drains_and_stores_and_one_that_is_given_too_much_refuses() {
    let place = Place::new(LIMIT);
    let url = place.server.url();
    let reserve = || place.history().reserve(&blast::history::Begun::default()).unwrap();
    let words = |last: &[&str]| {
        let first = [url.as_str(), "--connections=2"];
        first.iter().chain(last).map(ToString::to_string).collect::<Vec<String>>()
    };
    for (too_much, part) in [
        (&["--rps=101", "--duration=60s"][..], "over the limit"),
        (&["--rps=100", "--duration=61s"], "over the limit"),
        (&["--connections=3", "--duration=1s"], "over the limit"),
        (&["--output=/tmp/blast-child.json"], "writes no files"),
        (&["--connect-to=::127.0.0.2:80"], "were judged"),
    ] {
        let mut child = child(&place, reserve(), &words(too_much));
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let lines: Vec<String> = stdout.lines().map_while(Result::ok).collect();
        let last: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        assert_eq!((&last["type"], &last["status"]), (&json!("end"), &json!("failed")), "{last}");
        assert!(last["reason"].as_str().unwrap().contains(part), "{too_much:?}: {last}");
        assert!(!child.wait().unwrap().success());
    }
    assert_eq!(place.server.requests(), 0);
    let id = reserve();
    let mut child = child(&place, id, &words(&["--rps=50", "--duration=60s"]));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_interval = |line: &String| line.contains("\"type\":\"interval\"");
    assert!(lines.by_ref().map_while(Result::ok).any(|line| is_interval(&line)));
    let gone = Instant::now();
    drop(child.stdin.take());
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    child.wait().unwrap();
    assert!(gone.elapsed() < Duration::from_secs(15), "{:?}", gone.elapsed());
    assert!(rest.last().unwrap().contains("\"status\":\"stopped\""), "{rest:?}");
    let row = place.row(id);
    assert_eq!(row.status, Status::Stopped);
    assert!(place.history().document(id).unwrap().is_some());
}
