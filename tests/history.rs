//! `--save` and `blast history`: what is kept is what was reported, whatever becomes of the run, and
//! whatever becomes of the history costs no run.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use blast::history::{Begun, Ended, Figures, History, Holder, Status};
use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Blast, Document, Folder, LIMIT, Run, Server, ok};

const LOAD: &str = "-R 100 -c 2 --wait block --pin off --quiet";

/// A history and a lock of its own.
struct Place(Folder);

impl Place {
    fn new() -> Place {
        Place(Folder::new())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("history.db")
    }

    fn history(&self) -> History {
        History::open(&self.file()).unwrap()
    }

    /// What is saved unless the words say otherwise.
    fn of(&self, blast: Blast) -> Blast {
        blast
            .env("BLAST_HISTORY", self.file())
            .env("BLAST_LOCK", self.0.path().join("lock"))
            .env("USER", "ada")
    }

    fn load(&self, server: &Server, words: &str) -> Blast {
        self.of(Blast::new("epoll", &server.url())).args(LOAD).args(words)
    }

    fn verb(&self, words: &str) -> Run {
        self.of(Blast::verb("history")).args(words).run()
    }

    fn rows(&self) -> Vec<Value> {
        let run = self.verb("--json");
        assert_eq!(run.code(), Some(0), "{run:?}");
        let list: Value = serde_json::from_str(&run.stdout).unwrap();
        list["runs"].as_array().unwrap().clone()
    }

    /// Waits until so many seconds of a run are there.
    fn until_seconds(&self, id: i64, count: usize) {
        let start = Instant::now();
        let arrived = || {
            let history = History::there(&self.file());
            history.and_then(|mut history| history.intervals(id, 0)).map_or(0, |all| all.len())
        };
        while !self.file().exists() || arrived() < count {
            assert!(start.elapsed() < LIMIT, "{count} seconds never arrived");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_saved_run_is_shown_exported_and_imported_to_the_last_digit() {
    let (place, server) = (Place::new(), Server::answering(ok()));
    let run = place.load(&server, "-d 1200ms --save before").run();
    assert!(matches!(run.code(), Some(0 | 4)) && run.stderr.is_empty(), "{run:?}");
    let reported = value(&run.stdout);

    // Its invariants are checked when it is read.
    let shown = place.verb("show 1 --json").stdout;
    assert!(Document::parse(&shown).unwrap().is_complete());
    assert_eq!(value(&shown), reported);
    let rows = place.rows();
    let row = &rows[0];
    assert_eq!((&row["id"], &row["label"]), (&Value::from(1), &Value::from("before")));
    assert_eq!((&row["status"], &row["kind"]), (&Value::from("completed"), &Value::from("run")));
    assert_eq!((&row["started_by"], &row["exit_code"]), (&"ada".into(), &run.code().into()));
    assert_eq!(row["p95_us"], reported["latency"]["response"]["p95_us"]);
    assert_eq!(row["good_per_s"], reported["rate"]["good_per_s"]);
    assert_eq!(row["good"], reported["requests"]["good"]);
    assert_eq!(row["words"].as_array().unwrap().last(), Some(&"before".into()));

    let exported = place.0.path().join("runs.ndjson").display().to_string();
    let export = place.verb(&format!("export {exported}"));
    assert!(export.stdout.starts_with("1 run written to"), "{export:?}");
    let other = Place::new();
    for expected in ["1 run taken in, 0 there already\n", "0 runs taken in, 1 there already\n"] {
        let import = other.verb(&format!("import {exported}"));
        assert!(import.stdout == expected, "{import:?}");
    }
    assert_eq!(other.verb("show 1 --json").stdout, shown);
    assert_eq!(other.rows(), rows);
    let again = other.verb("export -").stdout;
    assert_eq!(again, fs::read_to_string(&exported).unwrap());

    let file = place.0.path().join("again.json");
    let drawn = place.verb(&format!("show 1 -o {}", file.display()));
    assert_eq!(drawn.code(), Some(0), "{drawn:?}");
    assert_eq!(value(&fs::read_to_string(file).unwrap()), reported);
    let page = place.verb("show 1").stdout;
    assert!(page.starts_with("run          1 before (run)\nstatus       completed\n"), "{page}");
    assert!(page.contains("Requests/sec:"), "{page}");
}

#[test]
fn no_byte_of_the_history_holds_a_secret() {
    const SECRET: &str = "s3cr3tv4lue";
    let (place, server) = (Place::new(), Server::answering(ok()));
    let url = server.url().replace("http://", &format!("http://ada:{SECRET}@"));
    let run = place
        .of(Blast::new("epoll", &format!("{url}?api_key={SECRET}")))
        .args(LOAD)
        .args("-d 200ms --save -H")
        .arg(&format!("X-Token: {SECRET}"))
        .args("-b")
        .arg(&format!("password={SECRET}"))
        .run();
    assert!(matches!(run.code(), Some(0 | 4)) && run.stderr.is_empty(), "{run:?}");
    let holds = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
    for name in place.0.names() {
        assert!(!holds(&fs::read(place.0.path().join(&name)).unwrap()), "{name}");
    }
    // Documents are compressed there; here they are not.
    let exported = place.verb("export").stdout;
    assert!(exported.contains("***") && !holds(exported.as_bytes()), "{exported}");
}

#[test]
fn a_second_run_is_refused_and_one_that_is_killed_keeps_what_arrived() {
    let (place, server) = (Place::new(), Server::answering(ok()));
    let first = place.load(&server, "-d 60s --save first").start();
    place.until_seconds(1, 2);
    let page = place.verb("");
    assert!(page.stdout.contains("running"), "{page:?}");
    let second = place.load(&server, "-d 200ms --save second").run();
    assert_eq!(second.code(), Some(1), "{second:?}");
    let complaint = second.complaint();
    assert!(complaint.starts_with("run 1 `first` of ada goes on on this host"), "{complaint}");
    assert!(complaint.ends_with("`--no-save`"), "{complaint}");
    let delete = place.verb("delete 1 --yes");
    assert!(delete.complaint().starts_with("run 1 goes on"), "{delete:?}");
    let unsaved = place.load(&server, "-d 200ms --no-save").run();
    assert!(matches!(unsaved.code(), Some(0 | 4)), "{unsaved:?}");
    first.kill();

    let rows = place.rows();
    assert_eq!(rows.len(), 1, "what is not saved, or refused, leaves nothing");
    assert_eq!(rows[0]["status"], "failed");
    assert_eq!(rows[0]["reason"], "blast ended before the run did");
    let page = place.verb("show 1").stdout;
    assert!(page.contains("status       failed: blast ended before the run did"), "{page}");
    assert!(page.contains("What arrived of it, until ") && page.contains("  good  "), "{page}");
    let none = place.verb("show 1 --json");
    assert!(none.complaint().starts_with("run 1 has no document"), "{none:?}");
    let next = place.load(&server, "-d 200ms --save third").run();
    assert!(matches!(next.code(), Some(0 | 4)) && next.stderr.is_empty(), "{next:?}");
}

#[test]
fn an_interrupted_run_is_kept_whole_and_says_who_stopped_it() {
    let (place, server) = (Place::new(), Server::answering(ok()));
    let running = place.load(&server, "-d 60s").start();
    place.until_seconds(1, 1);
    running.signal(libc::SIGINT);
    let run = running.end();
    assert_eq!(run.code(), Some(130), "{run:?}");
    let rows = place.rows();
    assert_eq!((&rows[0]["status"], &rows[0]["exit_code"]), (&"stopped".into(), &130.into()));
    assert_eq!(rows[0]["reason"], "stopped by ada");
    let shown = place.verb("show 1 --json").stdout;
    assert!(!Document::parse(&shown).unwrap().is_complete());
    assert_eq!(value(&shown), value(&run.stdout));
}

/// The run's report is whole, and one line says what is wrong with its history.
fn is_told_apart(run: &Run, expected: &str) {
    assert!(matches!(run.code(), Some(0 | 4)), "{run:?}");
    assert!(run.document().is_complete());
    assert_eq!(run.stderr.matches('\n').count(), 1, "{run:?}");
    assert!(run.stderr.contains(expected), "{expected}: {run:?}");
}

#[test]
fn a_history_that_is_held_or_damaged_costs_the_run_nothing() {
    let (place, server) = (Place::new(), Server::answering(ok()));
    drop(place.history());
    let other = Connection::open(place.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let run = place.load(&server, "-d 200ms").run();
    is_told_apart(&run, "the run is not saved: the history");
    is_told_apart(&run, "is held by another program");
    drop(other);
    fs::write(place.file(), "something else, and long enough for a look at what it is").unwrap();
    let run = place.load(&server, "-d 200ms").run();
    is_told_apart(&run, "is no history of blast; name another file with `--history FILE`");
    let run = place.load(&server, "-d 200ms --history /proc/none/history.db").run();
    is_told_apart(&run, "cannot be opened");
}

#[test]
fn a_disk_that_is_full_costs_the_run_nothing() {
    let (place, server) = (Place::new(), Server::answering(ok()));
    drop(place.history());
    // From none of it to nearly all: where it fits changes, that it is told does not.
    for blocks in [4, 64] {
        let limit = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let blast = place.of(Blast::by_shell(&limit, "epoll", &server.url()));
        let run = blast.args(LOAD).args("--json -d 1500ms").run();
        is_told_apart(&run, "saved");
    }
    // It is none the worse for it.
    assert!(place.rows().iter().all(|row| row["status"] == "failed"));
}

#[test]
fn studies_are_kept_with_their_documents() {
    let (place, server) = (Place::new(), Server::answering(ok()));
    let ladder = place
        .of(Blast::verb("ceiling"))
        .args("--engine epoll --ladder 50,80 --step 300ms -c 2 --wait block --pin off --quiet")
        .args("--json --save steps")
        .arg(&server.url())
        .run();
    let suite = place.0.path().join("suite.toml");
    let text = format!(
        "url = \"{}\"\n[load]\nengine = \"epoll\"\nconnections = 2\nwait = \"block\"\npin = \"off\"\n\
         rps = 50\nduration = \"200ms\"\n[[runs]]\nname = \"a\"\n",
        server.url()
    );
    fs::write(&suite, text).unwrap();
    let report = place.0.path().join("report");
    let blast = place.of(Blast::verb("suite")).args("--quiet --svg --json -o");
    let ran = blast.arg(report.to_str().unwrap()).arg(suite.to_str().unwrap()).run();
    let rows = place.rows();
    let kinds: Vec<_> = rows.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["suite", "ladder"], "{ladder:?} {ran:?}");
    assert!(rows.iter().all(|row| row["status"] == "completed"), "{rows:?}");
    assert_eq!(value(&place.verb("show 1 --json").stdout), value(&ladder.stdout));
    assert_eq!(value(&place.verb("show 2 --json").stdout), value(&ran.stdout));
    let page = place.verb("show 2 --history");
    assert_eq!(page.code(), Some(2), "a flag without its value: {page:?}");
    for (id, part) in [(1, "run          1 steps (ladder)"), (2, "run          2 (suite)")] {
        let page = place.verb(&format!("show {id}"));
        assert!(page.code() == Some(0) && page.stdout.contains(part), "{page:?}");
    }
}

fn begun(number: usize) -> Begun {
    Begun {
        label: format!("r{number}"),
        kind: "run".to_string(),
        started_at: format!("2026-01-{:02}T00:00:00.000Z", number + 1),
        started_by: "bob".to_string(),
        target: "http://h/".to_string(),
        plan_hash: "p".to_string(),
        ..Begun::default()
    }
}

#[test]
fn runs_are_labelled_and_taken_out_and_who_did_it_is_kept() {
    let place = Place::new();
    let mut history = place.history();
    let ended = Ended {
        status: Status::Completed,
        reason: None,
        ended_at: "2026-01-01T00:00:00.000Z".to_string(),
        exit_code: 0,
        figures: Figures::default(),
        document: b"{}".to_vec(),
    };
    for number in 0..8 {
        let id = history.begin(&begun(number), &Holder::this()).unwrap();
        history.end(id, &ended).unwrap();
    }
    drop(history);
    let ids =
        || -> Vec<i64> { place.rows().iter().map(|row| row["id"].as_i64().unwrap()).collect() };
    assert_eq!(place.verb("label 8 last").code(), Some(0));
    let note = place.of(Blast::verb("history")).args("note 8").arg("with the index").run();
    assert_eq!(note.code(), Some(0));
    assert_eq!(place.verb("baseline 2").code(), Some(0));
    let row = &place.rows()[0];
    assert_eq!((&row["label"], &row["note"]), (&"last".into(), &"with the index".into()));
    let unasked = place.verb("delete 8");
    assert_eq!(unasked.code(), Some(2), "{unasked:?}");
    assert!(unasked.complaint().ends_with("say it with `--yes`"), "{unasked:?}");
    assert_eq!(place.verb("delete 8 77 --yes").code(), Some(2), "one of them is not there");
    assert_eq!(place.verb("delete 8 7 --yes").stdout, "2 runs deleted\n");
    assert_eq!(ids(), [6, 5, 4, 3, 2, 1]);
    assert!(place.verb("prune --keep 3 --dry-run").stdout.ends_with("2 runs would be deleted\n"));
    assert_eq!(ids().len(), 6);
    assert_eq!(place.verb("prune --keep 3").stdout, "2 runs deleted\n");
    assert_eq!(ids(), [6, 5, 4, 2], "the baseline stays");
    assert_eq!(place.verb("prune").code(), Some(2));
    assert_eq!(place.verb("prune --older-than 1d").stdout, "3 runs deleted\n");
    let told = place.history().audit(100).unwrap();
    let deleted = told.iter().filter(|event| event.what == "deleted" && event.who == "ada");
    assert_eq!(deleted.count(), 7, "{told:?}");
    for (words, expected) in [
        ("show 99", "there is no run 99 in the history"),
        ("show x", "ID"),
        ("--status gone", "`gone` is not one of"),
        ("prune --older-than x", "--older-than: `x` is no age"),
        ("--history /nowhere/history.db", "is not there; `blast --save URL` begins one"),
        ("import /nowhere/runs", "`/nowhere/runs` cannot be read"),
    ] {
        let run = place.verb(words);
        assert!(run.complaint().contains(expected), "{words}: {run:?}");
    }
}
