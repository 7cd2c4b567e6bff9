//! A history as its users have it: written, read again, moved, damaged.

use std::path::PathBuf;

use super::*;

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("blast-history-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("history.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn begun(label: &str, at: u32) -> Begun {
    Begun {
        label: label.to_string(),
        kind: "run".to_string(),
        started_at: format!("2026-11-21T10:00:{at:02}.000Z"),
        started_by: "ada".to_string(),
        blast_version: "0.1.0".to_string(),
        host: "two cores".to_string(),
        target: "http://127.0.0.1:8080/".to_string(),
        method: "GET".to_string(),
        plan_hash: "abc123".to_string(),
        connections: 64,
        rate_per_s: Some(100.0),
        duration_s: Some(10.0),
        plan_name: "baseline".to_string(),
        words: ["--save", "-R", "100", "127.0.0.1:8080"].map(str::to_string).to_vec(),
        job: Some("{}".to_string()),
    }
}

fn ended() -> Ended {
    Ended {
        status: Status::Completed,
        reason: None,
        ended_at: "2026-11-21T10:01:00.000Z".to_string(),
        exit_code: 3,
        figures: Figures {
            scheduled: Some(1_000),
            good: Some(990),
            errors: Some(10),
            good_per_s: Some(99.1),
            p95_us: Some(0.1 + 0.2),
            grade: Some("good".to_string()),
            ..Figures::default()
        },
        document: br#"{"schema": "blast.result/1", "x": 0.30000000000000004}"#.to_vec(),
    }
}

fn saved(history: &mut History, label: &str, at: u32) -> i64 {
    let id = history.begin(&begun(label, at), &Holder::this()).unwrap();
    history.add_interval(id, 0, r#"{"t_s":1.0}"#).unwrap();
    history.add_interval(id, 1, r#"{"t_s":2.0}"#).unwrap();
    history.end(id, &ended()).unwrap();
    id
}

#[test]
fn what_was_saved_is_read_again_to_the_last_digit() {
    let folder = Folder::new("saved");
    let id = saved(&mut History::open(&folder.file()).unwrap(), "before", 1);
    let mut history = History::there(&folder.file()).unwrap();
    let row = history.show(id).unwrap();
    assert_eq!((row.begun, row.figures), (begun("before", 1), ended().figures));
    assert_eq!((row.status, row.exit_code), (Status::Completed, Some(3)));
    assert_eq!(history.document(id).unwrap(), Some(ended().document));
    assert_eq!(history.intervals(id, 1).unwrap(), [r#"{"t_s":2.0}"#]);
    use std::os::unix::fs::PermissionsExt;
    for name in ["history.db", "history.db-wal", "history.db-shm"] {
        let mode = std::fs::metadata(folder.0.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_run_goes_on_as_long_as_its_process_and_has_failed_after_it() {
    let folder = Folder::new("held");
    let mut history = History::open(&folder.file()).unwrap();
    let alive = history.begin(&begun("alive", 1), &Holder::this()).unwrap();
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let gone = history.begin(&begun("gone", 2), &Holder::of(child.id())).unwrap();
    history.add_interval(gone, 0, "{}").unwrap();
    let status = |id| History::there(&folder.file()).unwrap().show(id).unwrap().status;
    assert_eq!(status(gone), Status::Running);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((status(alive), status(gone)), (Status::Running, Status::Failed));
    let row = history.show(gone).unwrap();
    assert_eq!(row.reason.as_deref(), Some("blast ended before the run did"));
    assert_eq!(history.intervals(gone, 0).unwrap().len(), 1);
    assert_eq!(history.document(gone).unwrap(), None);
}

#[test]
fn rows_are_found_by_what_they_are_and_taken_out_with_all_that_is_theirs() {
    let folder = Folder::new("found");
    let mut history = History::open(&folder.file()).unwrap();
    let ids: Vec<i64> = (0..5).map(|at| saved(&mut history, &format!("r{at}"), at)).collect();
    let labels = |history: &mut History, filter: &Filter| -> Vec<String> {
        history.list(filter).unwrap().into_iter().map(|row| row.begun.label).collect()
    };
    let two = Filter { limit: Some(2), before: Some(ids[4]), ..Filter::default() };
    assert_eq!(labels(&mut history, &two), ["r3", "r2"]);
    let text = |text: &str| Some(text.to_string());
    assert_eq!(labels(&mut history, &Filter { label: text("R1"), ..Filter::default() }), ["r1"]);
    let none = Filter { target: text("%"), ..Filter::default() };
    assert!(labels(&mut history, &none).is_empty());
    let old = Filter { started_before: text("2026-11-21T10:00:01.000Z"), ..Filter::default() };
    assert_eq!(labels(&mut history, &old), ["r0"]);
    assert_eq!(history.delete(&[ids[0], ids[1], 99]).unwrap(), 2);
    assert!(history.intervals(ids[0], 0).unwrap().is_empty());
    let missing = history.show(ids[0]).unwrap_err();
    assert!(missing.message.contains("there is no run 1 in the history"), "{missing}");
}

#[test]
fn one_run_of_a_plan_is_its_baseline() {
    let folder = Folder::new("baseline");
    let mut history = History::open(&folder.file()).unwrap();
    let ids: Vec<i64> = (0..3).map(|at| saved(&mut history, "", at)).collect();
    let mut other = begun("other", 9);
    other.plan_hash = "other".to_string();
    let other = history.begin(&other, &Holder::this()).unwrap();
    history.set_baseline(other).unwrap();
    history.set_baseline(ids[0]).unwrap();
    history.set_baseline(ids[2]).unwrap();
    let rows = history.list(&Filter::default()).unwrap();
    let baselines: Vec<i64> = rows.iter().filter(|row| row.is_baseline).map(|row| row.id).collect();
    assert_eq!(baselines, [other, ids[2]]);
    assert!(history.set_baseline(77).is_err());
    let of = |history: &mut History, plan: &str, host: &str| history.baseline_of(plan, host);
    assert_eq!(of(&mut history, "abc123", "two cores").unwrap(), Some(ids[2]));
    assert_eq!(of(&mut history, "other", "two cores").unwrap(), Some(other));
    assert_eq!(of(&mut history, "abc123", "four cores").unwrap(), None);
}

#[test]
fn what_is_exported_is_imported_the_same_and_only_once() {
    let folder = Folder::new("exchange");
    let mut history = History::open(&folder.file()).unwrap();
    let id = saved(&mut history, "a", 1);
    history.relabel(id, None, Some("a note")).unwrap();
    let open = history.begin(&begun("goes on", 2), &Holder::this()).unwrap();
    let mut text = Vec::new();
    assert_eq!(history.export(&Filter::default(), &mut text).unwrap(), 2);
    let mut other = History::open(&folder.0.join("other.db")).unwrap();
    let imported = other.import(&mut &text[..]).unwrap();
    assert_eq!(imported, Imported { new: 2, known: 0 });
    assert_eq!(other.import(&mut &text[..]).unwrap(), Imported { new: 0, known: 2 });
    let [second, first] = &other.list(&Filter::default()).unwrap()[..] else { panic!() };
    assert_eq!(first, &history.show(id).unwrap());
    assert_eq!(other.document(first.id).unwrap(), history.document(id).unwrap());
    assert_eq!(other.intervals(first.id, 0).unwrap(), history.intervals(id, 0).unwrap());
    assert_eq!(second.status, Status::Failed, "{open}");
    // A line that is none spoils all of them.
    text.extend_from_slice(b"{}\n");
    let mut third = History::open(&folder.0.join("third.db")).unwrap();
    let error = third.import(&mut &text[..]).unwrap_err();
    assert!(error.message.starts_with("line 3 is no run"), "{error}");
    assert!(third.list(&Filter::default()).unwrap().is_empty());
}

#[test]
fn a_file_that_is_no_history_is_one_sentence_and_stays_as_it_is() {
    let folder = Folder::new("foreign");
    let file = folder.file();
    let refused = |file: &PathBuf| History::open(file).err().unwrap().message;
    std::fs::write(&file, "no database at all, but long enough to be looked at").unwrap();
    assert!(
        refused(&file).ends_with("is no history of blast; name another file with `--history FILE`")
    );
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("no database"));
    let foreign = folder.0.join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE songs (a)").unwrap();
    assert!(refused(&foreign).contains("is another program's database"));
    let newer = folder.0.join("newer.db");
    drop(History::open(&newer).unwrap());
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(refused(&newer).contains("is of a newer blast (version 99, this one knows 2)"));
    assert!(refused(&PathBuf::from("/proc/none/history.db")).contains("cannot be opened"));
}

#[test]
fn a_file_that_is_held_or_damaged_is_said_and_waited_for_no_longer_than_stated() {
    let folder = Folder::new("held-file");
    let mut history = History::open(&folder.file()).unwrap();
    let id = saved(&mut history, "a", 1);
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = std::time::Instant::now();
    let error = history.end(id, &ended()).unwrap_err();
    assert!(error.message.contains("is held by another program"), "{error}");
    assert!(began.elapsed() < 20 * PATIENCE);
    other.execute_batch("ROLLBACK").unwrap();
    history.end(id, &ended()).unwrap();
    drop((history, other));
    let mut bytes = std::fs::read(folder.file()).unwrap();
    bytes.truncate(bytes.len() / 2);
    let length = bytes.len();
    bytes[4_096.min(length)..].fill(0x55);
    std::fs::write(folder.file(), bytes).unwrap();
    let read = History::there(&folder.file()).and_then(|mut history| history.document(id));
    let error = read.unwrap_err();
    assert!(error.message.contains("is damaged") || error.message.contains("failed"), "{error}");
}

#[test]
fn others_read_the_runs_by_the_view_of_the_guide() {
    let folder = Folder::new("view");
    saved(&mut History::open(&folder.file()).unwrap(), "a", 1);
    let other = Connection::open(folder.file()).unwrap();
    let query = "SELECT total_requests, successful_requests, status FROM stress_test_runs";
    let read = |row: &rusqlite::Row| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found: (u64, u64, String) = other.query_row(query, [], read).unwrap();
    assert_eq!(found, (1_000, 990, "completed".to_string()));
}

#[test]
fn a_run_is_reserved_by_one_process_and_begun_by_another() {
    let folder = Folder::new("reserved");
    let mut history = History::open(&folder.file()).unwrap();
    let id = history.reserve(&begun("panel", 1)).unwrap();
    assert_eq!(History::there(&folder.file()).unwrap().show(id).unwrap().status, Status::Pending);
    history.start(id, &Holder::this()).unwrap();
    assert_eq!(history.show(id).unwrap().status, Status::Running);
    assert!(history.start(id, &Holder::this()).unwrap_err().message.contains("is not waiting"));
    assert_eq!(history.delete(&[id]).unwrap(), 0, "it goes on");
    history.add_interval(id, 0, "{}").unwrap();
    history.fail(id, "over time").unwrap();
    history.fail(id, "again").unwrap();
    let row = history.show(id).unwrap();
    assert_eq!((row.status, row.reason.as_deref()), (Status::Failed, Some("over time")));
    assert_eq!(history.intervals(id, 0).unwrap(), ["{}"]);
    assert!(history.fail(77, "").is_err());
    assert!(history.end(77, &ended()).is_err());
}

#[test]
fn the_seconds_of_a_run_are_kept_once() {
    let folder = Folder::new("seconds");
    let mut history = History::open(&folder.file()).unwrap();
    let id = history.begin(&begun("", 1), &Holder::this()).unwrap();
    (0..3).for_each(|at| history.add_interval(id, at, r#"{"t_s":1.0}"#).unwrap());
    let document = b"{\n \"intervals\": [\n {\"t_s\": 1.5},\n {\"t_s\": 2.5}]\n}\n";
    history.end(id, &Ended { document: document.to_vec(), ..ended() }).unwrap();
    assert_eq!(history.intervals(id, 1).unwrap(), [r#"{"t_s": 2.5}"#]);
    assert!(history.rows_of_intervals(id, 0).unwrap().is_empty());
    let kept = history.document(id).unwrap().unwrap();
    assert_eq!(kept, br#"{ "intervals": [ {"t_s": 1.5}, {"t_s": 2.5}]}"#);
}

#[test]
fn what_was_done_to_a_run_outlives_it() {
    let folder = Folder::new("events");
    let mut history = History::open(&folder.file()).unwrap();
    let id = saved(&mut history, "before", 1);
    history.note_event(id, "ada", "started").unwrap();
    history.note_event(id, "bob", "deleted").unwrap();
    history.delete(&[id]).unwrap();
    let other = saved(&mut history, "after", 2);
    assert_ne!(id, other, "a number is never given again");
    history.note_event(other, "ada", "started").unwrap();
    let all = history.audit(2).unwrap();
    let told: Vec<_> = all.iter().map(|event| (event.run, &*event.label, &*event.what)).collect();
    assert_eq!(told, [(other, "after", "started"), (id, "before", "deleted")]);
    let of_first = history.events(id).unwrap();
    assert_eq!(of_first.iter().map(|event| &*event.who).collect::<Vec<_>>(), ["ada", "bob"]);
}

/// A history as version 1 wrote it.
fn of_first_version(file: &std::path::Path) {
    let mut first = Connection::open(file).unwrap();
    let transaction = first.transaction().unwrap();
    transaction.execute_batch(schema::STEPS[0]).unwrap();
    transaction.pragma_update(None, "user_version", 1).unwrap();
    transaction.pragma_update(None, "application_id", schema::APPLICATION).unwrap();
    let row = "INSERT INTO runs (label, kind, status, started_at, started_by, blast_version, host, \
               target, method, plan_hash, connections, p95_us, document) VALUES ('old', 'run', \
               'completed', '2026-11-20T10:00:00.000Z', 'ada', '0.1.0', 'h', 'http://h/', 'GET', \
               'abc', 1, 0.30000000000000004, ?1)";
    transaction.execute(row, [packed::pack(b"{\"x\":0.1}")]).unwrap();
    transaction.execute("INSERT INTO intervals VALUES (1, 0, '{}')", []).unwrap();
    transaction.commit().unwrap();
}

#[test]
fn an_older_file_becomes_a_newer_one_and_a_copy_of_it_stays() {
    let folder = Folder::new("older");
    of_first_version(&folder.file());
    let mut history = History::there(&folder.file()).unwrap();
    let row = history.show(1).unwrap();
    assert_eq!((&*row.begun.label, row.figures.p95_us), ("old", Some(0.1 + 0.2)));
    assert_eq!((&*row.begun.plan_name, row.begun.words.len()), ("", 0));
    assert_eq!(history.document(1).unwrap().unwrap(), b"{\"x\":0.1}");
    assert_eq!(history.intervals(1, 0).unwrap(), ["{}"]);
    let copy = folder.0.join("history.db.version1");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let label: String = Connection::open(&copy)
        .unwrap()
        .query_row("SELECT label FROM runs WHERE document IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(label, "old");
}

#[test]
fn a_migration_that_cannot_be_finished_leaves_the_file_as_it_was() {
    let folder = Folder::new("unfinished");
    of_first_version(&folder.file());
    // Something of the next version's name stands in its way.
    Connection::open(folder.file()).unwrap().execute_batch("CREATE TABLE events (a)").unwrap();
    assert!(History::there(&folder.file()).is_err());
    let file = Connection::open(folder.file()).unwrap();
    let version: u32 = file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let rows: u32 =
        file.query_row("SELECT count(document) FROM runs", [], |row| row.get(0)).unwrap();
    assert_eq!((version, rows), (1, 1));
}

#[test]
fn what_is_deleted_gives_its_room_back() {
    let folder = Folder::new("room");
    let mut history = History::open(&folder.file()).unwrap();
    let size = |history: &History| -> u64 {
        let pages = history.connection.pragma_query_value(None, "page_count", |row| row.get(0));
        pages.unwrap()
    };
    let empty = size(&history);
    let id = history.begin(&begun("", 1), &Holder::this()).unwrap();
    let interval = "x".repeat(1_000);
    (0..300).for_each(|at| history.add_interval(id, at, &interval).unwrap());
    assert!(size(&history) > empty + 60);
    history.end(id, &ended()).unwrap();
    history.delete(&[id]).unwrap();
    assert!(size(&history) <= empty + 2, "{} of {empty}", size(&history));
}
