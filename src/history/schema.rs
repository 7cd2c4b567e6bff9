//! The tables, and how an older file becomes a newer one.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::Trouble;
use crate::error::{Error, reason};
use crate::units::quote;

/// What turns a file of version N into one of N + 1; a new file has gone through all of them.
pub(super) const STEPS: [&str; 2] = [
    "
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        label TEXT NOT NULL DEFAULT '',
        note TEXT NOT NULL DEFAULT '',
        kind TEXT NOT NULL,
        status TEXT NOT NULL
            CHECK (status IN ('pending', 'running', 'completed', 'failed', 'stopped')),
        reason TEXT,
        started_at TEXT NOT NULL,
        ended_at TEXT,
        started_by TEXT NOT NULL,
        holder TEXT,
        blast_version TEXT NOT NULL,
        host TEXT NOT NULL,
        target TEXT NOT NULL,
        method TEXT NOT NULL,
        plan_hash TEXT NOT NULL,
        connections INTEGER NOT NULL,
        rate_per_s REAL,
        duration_s REAL,
        is_baseline INTEGER NOT NULL DEFAULT 0,
        scheduled INTEGER,
        good INTEGER,
        errors INTEGER,
        good_per_s REAL,
        efficiency REAL,
        error_share REAL,
        mean_us REAL,
        p50_us REAL,
        p95_us REAL,
        p99_us REAL,
        server_us_per_request REAL,
        grade TEXT,
        verdict TEXT,
        exit_code INTEGER,
        document BLOB
    );
    CREATE INDEX runs_by_plan ON runs (plan_hash, host, id);
    CREATE TABLE intervals (
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        interval TEXT NOT NULL,
        PRIMARY KEY (run, number)
    ) WITHOUT ROWID;
    CREATE VIEW stress_test_runs AS SELECT
        id, label, status, started_at, target, scheduled AS total_requests,
        good AS successful_requests, errors AS failed_requests, good_per_s AS requests_per_second,
        mean_us / 1000.0 AS average_latency_ms, document IS NOT NULL AS has_document
    FROM runs;
",
    "
    -- Documents lie apart: a list that passes over them reads one page in twenty.
    CREATE TABLE documents (
        run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        document BLOB NOT NULL
    );
    INSERT INTO documents SELECT id, document FROM runs WHERE document IS NOT NULL;
    DROP VIEW stress_test_runs;
    ALTER TABLE runs DROP COLUMN document;
    ALTER TABLE runs ADD COLUMN plan_name TEXT NOT NULL DEFAULT '';
    ALTER TABLE runs ADD COLUMN words TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE runs ADD COLUMN job TEXT;
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL,
        label TEXT NOT NULL,
        at TEXT NOT NULL,
        who TEXT NOT NULL,
        what TEXT NOT NULL
    );
    CREATE INDEX events_by_run ON events (run, id);
    CREATE VIEW stress_test_runs AS SELECT
        id, label, status, started_at, ended_at, started_by, target,
        connections AS worker_count, rate_per_s AS target_rate, duration_s AS duration,
        scheduled AS total_requests, good AS successful_requests, errors AS failed_requests,
        good_per_s AS requests_per_second, mean_us / 1000.0 AS average_latency_ms,
        p95_us / 1000.0 AS p95_latency_ms,
        json_object('total_requests', scheduled, 'successful_requests', good,
            'failed_requests', errors, 'requests_per_second', good_per_s,
            'efficiency', efficiency, 'error_share', error_share, 'mean_us', mean_us,
            'p50_us', p50_us, 'p95_us', p95_us, 'p99_us', p99_us, 'grade', grade,
            'verdict', verdict, 'reason', reason, 'exit_code', exit_code) AS result_json
    FROM runs;
",
];

/// Stands in the file's head, so that `file` and others can tell what it is.
pub(super) const APPLICATION: i32 = 0x626c_7374;

/// Brings the file up to this blast's tables. One that is already written to is copied first.
pub fn prepare(connection: &mut Connection, path: &Path) -> Result<(), Trouble> {
    connection.pragma_update(None, "foreign_keys", true)?;
    // Each second is on the disk when the next one ends; no worker waits for it.
    connection.pragma_update(None, "synchronous", "full")?;
    let version: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == STEPS.len() {
        return Ok(());
    }
    let tables: u64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    refuse(connection, path, version, tables)?;
    if tables > 0 {
        copy(connection, path, version)?;
    } else {
        // What is deleted gives its room back, without all else being written anew.
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
    }
    connection.pragma_update(None, "journal_mode", "wal")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another one may have been faster.
    let version: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in STEPS.iter().skip(version) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", STEPS.len())?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.commit()?;
    Ok(())
}

/// What is no history, or one of a blast to come.
fn refuse(
    connection: &Connection,
    path: &Path,
    version: usize,
    tables: u64,
) -> Result<(), Trouble> {
    let name = quote(&path.to_string_lossy());
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if tables > 0 && application != APPLICATION {
        let text = format!("{name} is another program's database; use `--history FILE`");
        return Err(Error::failed(text).into());
    }
    if version > STEPS.len() {
        let text = format!(
            "the history {name} is of a newer blast (version {version}, this one knows {}); use \
             that blast, or another file with `--history FILE`",
            STEPS.len()
        );
        return Err(Error::failed(text).into());
    }
    Ok(())
}

/// Beside the file, with its version in the name, and as private as that.
fn copy(connection: &Connection, path: &Path, version: usize) -> Result<(), Trouble> {
    let name = |ending: &str| {
        let mut name = path.as_os_str().to_os_string();
        name.push(format!(".version{version}{ending}"));
        PathBuf::from(name)
    };
    let (copy, part) = (name(""), name(".part"));
    // One of an earlier attempt is as good.
    if copy.exists() {
        return Ok(());
    }
    let failed = |error: io::Error| {
        let (copy, reason) = (quote(&copy.to_string_lossy()), reason(&error));
        Error::failed(format!(
            "the history is of an older blast, and its copy {copy} cannot be written ({reason}); \
             make room for it"
        ))
    };
    // SQLite writes into an empty file; one that was begun by somebody else is no copy.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(&part).map_err(failed)?;
    connection.execute("VACUUM INTO ?1", [part.to_string_lossy()])?;
    fs::rename(&part, &copy).map_err(failed)?;
    Ok(())
}
