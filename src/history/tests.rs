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
    let mode = std::fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
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
    assert!(refused(&newer).contains("is of a newer blast (version 99, this one knows 1)"));
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
