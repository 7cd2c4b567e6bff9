//! A row: what is known of a run before its first packet, while it goes on, and at its end.

use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{Filter, History, Holder, Trouble};
use crate::error::{Error, Result};

/// No document is nearly as long.
const MOST: u64 = 512 << 20;

/// What is known before anything is sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Begun {
    pub label: String,
    /// `run`, `ceiling`, `ladder`, `soak` or `suite`.
    pub kind: String,
    /// RFC 3339 in UTC.
    pub started_at: String,
    pub started_by: String,
    pub blast_version: String,
    pub host: String,
    /// Without secrets.
    pub target: String,
    pub method: String,
    /// Runs of one plan have the same.
    pub plan_hash: String,
    pub connections: u64,
    pub rate_per_s: Option<f64>,
    pub duration_s: Option<f64>,
}

/// What a list shows of a result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Figures {
    pub scheduled: Option<u64>,
    pub good: Option<u64>,
    pub errors: Option<u64>,
    pub good_per_s: Option<f64>,
    pub efficiency: Option<f64>,
    pub error_share: Option<f64>,
    pub mean_us: Option<f64>,
    pub p50_us: Option<f64>,
    pub p95_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub server_us_per_request: Option<f64>,
    pub grade: Option<String>,
    pub verdict: Option<String>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    pub status: Status,
    /// Why it failed, or who stopped it.
    pub reason: Option<String>,
    pub ended_at: String,
    pub exit_code: u8,
    pub figures: Figures,
    /// The whole document as JSON; empty where there is none.
    pub document: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub enum Status {
    Pending,
    Running,
    Completed,
    Failed,
    Stopped,
}

impl Status {
    pub const ALL: [Status; 5] =
        [Status::Pending, Status::Running, Status::Completed, Status::Failed, Status::Stopped];

    pub fn name(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Running => "running",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Stopped => "stopped",
        }
    }

    pub fn of(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A saved run without its document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Row {
    pub id: i64,
    pub status: Status,
    pub reason: Option<String>,
    pub note: String,
    pub ended_at: Option<String>,
    pub exit_code: Option<u8>,
    pub is_baseline: bool,
    #[serde(flatten)]
    pub begun: Begun,
    #[serde(flatten)]
    pub figures: Figures,
}

const COLUMNS: &str = "id, status, reason, note, ended_at, exit_code, is_baseline, label, kind, \
    started_at, started_by, blast_version, host, target, method, plan_hash, connections, \
    rate_per_s, duration_s, scheduled, good, errors, good_per_s, efficiency, error_share, \
    mean_us, p50_us, p95_us, p99_us, server_us_per_request, grade, verdict";

fn row(row: &rusqlite::Row) -> rusqlite::Result<Row> {
    let status: String = row.get("status")?;
    Ok(Row {
        id: row.get("id")?,
        // The table holds no others.
        status: Status::of(&status).unwrap_or(Status::Failed),
        reason: row.get("reason")?,
        note: row.get("note")?,
        ended_at: row.get("ended_at")?,
        exit_code: row.get("exit_code")?,
        is_baseline: row.get("is_baseline")?,
        begun: Begun {
            label: row.get("label")?,
            kind: row.get("kind")?,
            started_at: row.get("started_at")?,
            started_by: row.get("started_by")?,
            blast_version: row.get("blast_version")?,
            host: row.get("host")?,
            target: row.get("target")?,
            method: row.get("method")?,
            plan_hash: row.get("plan_hash")?,
            connections: row.get("connections")?,
            rate_per_s: row.get("rate_per_s")?,
            duration_s: row.get("duration_s")?,
        },
        figures: Figures {
            scheduled: row.get("scheduled")?,
            good: row.get("good")?,
            errors: row.get("errors")?,
            good_per_s: row.get("good_per_s")?,
            efficiency: row.get("efficiency")?,
            error_share: row.get("error_share")?,
            mean_us: row.get("mean_us")?,
            p50_us: row.get("p50_us")?,
            p95_us: row.get("p95_us")?,
            p99_us: row.get("p99_us")?,
            server_us_per_request: row.get("server_us_per_request")?,
            grade: row.get("grade")?,
            verdict: row.get("verdict")?,
        },
    })
}

impl History {
    /// A run that this process is about to do; returns its number.
    pub fn begin(&mut self, begun: &Begun, holder: &Holder) -> Result<i64> {
        self.said(|connection, _| {
            let id = insert(connection, begun)?;
            connection.execute(
                "UPDATE runs SET status = 'running', holder = ?2 WHERE id = ?1",
                params![id, holder.as_str()],
            )?;
            Ok(id)
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

    /// The intervals of a run, oldest first, from this number on.
    pub fn intervals(&mut self, id: i64, from: u64) -> Result<Vec<String>> {
        self.said(|connection, _| {
            let mut query = connection.prepare_cached(
                "SELECT interval FROM intervals WHERE run = ?1 AND number >= ?2 ORDER BY number",
            )?;
            let found = query.query_map(params![id, from], |row| row.get(0))?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The end of a run: all of it, or nothing.
    pub fn end(&mut self, id: i64, ended: &Ended) -> Result<()> {
        self.said(|connection, _| {
            let transaction = connection.transaction()?;
            close(&transaction, id, ended)?;
            Ok(transaction.commit()?)
        })
    }

    /// Newest first.
    pub fn list(&mut self, filter: &Filter) -> Result<Vec<Row>> {
        self.said(|connection, _| {
            let (condition, values) = filter.condition();
            let text =
                format!("SELECT {COLUMNS} FROM runs WHERE {condition} ORDER BY id DESC LIMIT ?");
            let mut query = connection.prepare(&text)?;
            let limit = filter.limit.map_or(-1, i64::from);
            let values: Vec<&dyn rusqlite::ToSql> =
                values.iter().map(|value| value as _).chain([&limit as _]).collect();
            let found = query.query_map(&*values, row)?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    pub fn show(&mut self, id: i64) -> Result<Row> {
        self.said(|connection, _| {
            let text = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1");
            let found = connection.query_row(&text, [id], row).optional()?;
            found.ok_or_else(|| missing(id).into())
        })
    }

    /// The document of a run; `None`: it has none, since it never ended.
    pub fn document(&mut self, id: i64) -> Result<Option<Vec<u8>>> {
        self.said(|connection, _| {
            let query = "SELECT document FROM runs WHERE id = ?1";
            let found: Option<Option<Vec<u8>>> =
                connection.query_row(query, [id], |row| row.get(0)).optional()?;
            let packed = found.ok_or_else(|| missing(id))?;
            Ok(packed.map(|packed| unpack(&packed, id)).transpose()?)
        })
    }

    /// Takes out these runs; returns how many there were.
    pub fn delete(&mut self, ids: &[i64]) -> Result<usize> {
        self.said(|connection, _| {
            let transaction = connection.transaction()?;
            let mut count = 0;
            for id in ids {
                count += transaction.execute("DELETE FROM runs WHERE id = ?1", [id])?;
            }
            transaction.commit()?;
            Ok(count)
        })
    }

    pub fn relabel(&mut self, id: i64, label: Option<&str>, note: Option<&str>) -> Result<()> {
        self.change(id, |connection| {
            connection.execute(
                "UPDATE runs SET label = coalesce(?2, label), note = coalesce(?3, note) \
                 WHERE id = ?1",
                params![id, label, note],
            )
        })
    }

    /// The one that later runs of its plan are judged by.
    pub fn set_baseline(&mut self, id: i64) -> Result<()> {
        self.change(id, |connection| {
            connection.execute(
                "UPDATE runs SET is_baseline = (id = ?1) WHERE plan_hash = \
                 (SELECT plan_hash FROM runs WHERE id = ?1)",
                [id],
            )
        })
    }

    fn change(
        &mut self,
        id: i64,
        act: impl FnOnce(&Connection) -> rusqlite::Result<usize>,
    ) -> Result<()> {
        self.said(|connection, _| match act(connection)? {
            0 => Err(missing(id).into()),
            _ => Ok(()),
        })
    }

    /// Runs whose process ended before they did.
    pub(super) fn close_what_nobody_runs(&mut self) -> Result<()> {
        self.said(|connection, _: &Path| {
            let mut query = connection
                .prepare("SELECT id, holder FROM runs WHERE status IN ('pending', 'running')")?;
            let found = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let open: Vec<(i64, Option<String>)> = found.collect::<rusqlite::Result<_>>()?;
            let is_gone =
                |holder: &Option<String>| !holder.as_deref().is_some_and(Holder::is_there);
            for (id, _) in open.iter().filter(|(_, holder)| is_gone(holder)) {
                connection.execute(
                    "UPDATE runs SET status = 'failed', reason = 'blast ended before the run did', \
                     holder = NULL WHERE id = ?1",
                    [id],
                )?;
            }
            Ok::<(), Trouble>(())
        })
    }
}

fn missing(id: i64) -> Error {
    Error::usage(format!("there is no run {id} in the history; `blast history` lists them"))
}

pub(super) fn insert(connection: &Connection, begun: &Begun) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO runs (status, label, kind, started_at, started_by, blast_version, host, \
         target, method, plan_hash, connections, rate_per_s, duration_s) \
         VALUES ('pending', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
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
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

pub(super) fn close(connection: &Connection, id: i64, ended: &Ended) -> rusqlite::Result<usize> {
    let figures = &ended.figures;
    let document = (!ended.document.is_empty()).then(|| pack(&ended.document));
    connection.execute(
        "UPDATE runs SET holder = NULL, status = ?2, reason = ?3, ended_at = ?4, exit_code = ?5, \
         document = ?6, scheduled = ?7, good = ?8, errors = ?9, good_per_s = ?10, \
         efficiency = ?11, error_share = ?12, mean_us = ?13, p50_us = ?14, p95_us = ?15, \
         p99_us = ?16, server_us_per_request = ?17, grade = ?18, verdict = ?19 WHERE id = ?1",
        params![
            id,
            ended.status.name(),
            ended.reason,
            ended.ended_at,
            ended.exit_code,
            document,
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
    )
}

fn pack(document: &[u8]) -> Vec<u8> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    // A Vec takes whatever is written to it.
    let _ = packed.write_all(document);
    packed.finish().unwrap_or_default()
}

fn unpack(packed: &[u8], id: i64) -> Result<Vec<u8>> {
    let mut document = Vec::new();
    let read = DeflateDecoder::new(packed).take(MOST).read_to_end(&mut document);
    read.map(|_| document)
        .map_err(|_| Error::failed(format!("the document of run {id} is damaged; delete the run")))
}
