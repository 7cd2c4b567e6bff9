//! What becomes of a run's row: reserved, begun, told second by second, ended.
//!
//! A row is never left between two states: each change is one transaction.

use std::time::SystemTime;

use rusqlite::{Connection, params};

use super::run::Begun;
use super::{Ended, History, Holder, packed};
use crate::error::{Error, Result};

/// Why a run failed whose process did not live to tell.
pub const GONE: &str = "blast ended before the run did";

impl History {
    /// A run that is to be started by another process; this one answers for it until then.
    pub fn reserve(&mut self, begun: &Begun) -> Result<i64> {
        self.add(begun, "pending", &Holder::this())
    }

    /// A run that is about to begin; returns its number.
    pub fn begin(&mut self, begun: &Begun, holder: &Holder) -> Result<i64> {
        self.add(begun, "running", holder)
    }

    /// In one step: a row that nobody holds would be taken for one whose process is gone.
    fn add(&mut self, begun: &Begun, status: &str, holder: &Holder) -> Result<i64> {
        self.said(|connection, _| {
            let transaction = connection.transaction()?;
            let id = insert(&transaction, begun)?;
            transaction.execute(
                "UPDATE runs SET status = ?2, holder = ?3 WHERE id = ?1",
                params![id, status, holder.as_str()],
            )?;
            transaction.commit()?;
            Ok(id)
        })
    }

    /// The run that was reserved begins.
    pub fn start(&mut self, id: i64, holder: &Holder) -> Result<()> {
        self.said(|connection, _| {
            let changed = connection.execute(
                "UPDATE runs SET status = 'running', holder = ?2 \
                 WHERE id = ?1 AND status = 'pending'",
                params![id, holder.as_str()],
            )?;
            match changed {
                0 => Err(Error::failed(format!(
                    "run {id} is not waiting to be started; start another one"
                ))
                .into()),
                _ => Ok(()),
            }
        })
    }

    /// One more interval of a run that goes on, as JSON.
    pub fn add_interval(&mut self, id: i64, number: u64, interval: &str) -> Result<()> {
        self.said(|connection, _| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO intervals VALUES (?1, ?2, ?3)")?
                .execute(params![id, number, interval])?;
            Ok(())
        })
    }

    /// The end of a run: all of it, or nothing.
    pub fn end(&mut self, id: i64, ended: &Ended) -> Result<()> {
        self.said(|connection, _| {
            let transaction = connection.transaction()?;
            if close(&transaction, id, ended)? == 0 {
                return Err(super::missing(id).into());
            }
            transaction.commit()?;
            give_back(connection);
            Ok(())
        })
    }

    /// It will never end by itself; what arrived of it stays. One that has ended stays as it is, but
    /// for one of which nobody knew why: whoever looked first has only seen that it was gone.
    pub fn fail(&mut self, id: i64, reason: &str) -> Result<()> {
        self.show(id)?;
        self.said(|connection, _| {
            connection.execute(
                "UPDATE runs SET status = 'failed', reason = ?2, ended_at = ?3, holder = NULL \
                 WHERE id = ?1 AND (status IN ('pending', 'running') OR reason = ?4)",
                params![id, reason, now(), GONE],
            )?;
            Ok(())
        })
    }

    /// Takes out these runs, but for those that go on; returns how many there were.
    pub fn delete(&mut self, ids: &[i64]) -> Result<usize> {
        self.said(|connection, _| {
            let transaction = connection.transaction()?;
            let mut count = 0;
            for id in ids {
                count += transaction.execute(
                    "DELETE FROM runs WHERE id = ?1 AND status NOT IN ('pending', 'running')",
                    [id],
                )?;
            }
            transaction.commit()?;
            give_back(connection);
            Ok(count)
        })
    }

    /// Runs whose process ended before they did.
    pub(super) fn close_what_nobody_runs(&mut self) -> Result<()> {
        self.said(|connection, _| {
            let mut query = connection
                .prepare("SELECT id, holder FROM runs WHERE status IN ('pending', 'running')")?;
            let found = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let open: Vec<(i64, Option<String>)> = found.collect::<rusqlite::Result<_>>()?;
            let is_gone =
                |holder: &Option<String>| !holder.as_deref().is_some_and(Holder::is_there);
            for (id, holder) in open.iter().filter(|(_, holder)| is_gone(holder)) {
                // Not where somebody else took it up, or it ended, in between.
                connection.execute(
                    "UPDATE runs SET status = 'failed', reason = ?3, holder = NULL \
                     WHERE id = ?1 AND holder IS ?2 AND status IN ('pending', 'running')",
                    params![id, holder, GONE],
                )?;
            }
            Ok(())
        })
    }
}

/// As `started_at` is written.
pub fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

pub(super) fn insert(connection: &Connection, begun: &Begun) -> rusqlite::Result<i64> {
    // A list of texts can always be written.
    let words = serde_json::to_string(&begun.words).unwrap_or_default();
    connection.execute(
        "INSERT INTO runs (status, label, kind, started_at, started_by, blast_version, host, \
         target, method, plan_hash, connections, rate_per_s, duration_s, plan_name, words, job) \
         VALUES ('pending', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            begun.label,
            begun.kind,
            begun.started_at,
            begun.started_by,
            begun.blast_version,
            begun.host,
            begun.target,
            begun.method,
            begun.plan_hash,
            begun.connections,
            begun.rate_per_s,
            begun.duration_s,
            begun.plan_name,
            words,
            begun.job,
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

/// Writes the figures and the document. Rows of intervals that the document has as well go: they
/// would take several times its room.
pub(super) fn close(connection: &Connection, id: i64, ended: &Ended) -> rusqlite::Result<usize> {
    let figures = &ended.figures;
    let changed = connection.execute(
        "UPDATE runs SET holder = NULL, status = ?2, reason = ?3, ended_at = ?4, exit_code = ?5, \
         scheduled = ?6, good = ?7, errors = ?8, good_per_s = ?9, efficiency = ?10, \
         error_share = ?11, mean_us = ?12, p50_us = ?13, p95_us = ?14, p99_us = ?15, \
         server_us_per_request = ?16, grade = ?17, verdict = ?18 WHERE id = ?1",
        params![
            id,
            ended.status.name(),
            ended.reason,
            ended.ended_at,
            ended.exit_code,
            figures.scheduled,
            figures.good,
            figures.errors,
            figures.good_per_s,
            figures.efficiency,
            figures.error_share,
            figures.mean_us,
            figures.p50_us,
            figures.p95_us,
            figures.p99_us,
            figures.server_us_per_request,
            figures.grade,
            figures.verdict,
        ],
    )?;
    if changed > 0 && !ended.document.is_empty() {
        let line = packed::one_line(&ended.document);
        connection.execute(
            "INSERT OR REPLACE INTO documents (run, document) VALUES (?1, ?2)",
            params![id, packed::pack(&line)],
        )?;
        if packed::has_intervals(&line) {
            connection.execute("DELETE FROM intervals WHERE run = ?1", [id])?;
        }
    }
    Ok(changed)
}

/// Pages that nothing is in go back to the disk. Where that fails they are taken by the next run.
/// (The pragma gives back a page a row that it is asked for.)
fn give_back(connection: &Connection) {
    let vacuum = || -> rusqlite::Result<()> {
        let mut query = connection.prepare("PRAGMA incremental_vacuum")?;
        let mut rows = query.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    };
    let _ = vacuum();
}
