//! A row: what is known of a run before its first packet, while it goes on, and at its end. What
//! becomes of it stands in `life`.

use rusqlite::types::Type;
use serde::{Deserialize, Serialize};

/// What is known before anything is sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Begun {
    pub label: String,
    /// `run`, `ceiling`, `ladder`, `soak`, `suite`, `ab`, `versus` or `calibrate`.
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
    /// The plan file's name, or the panel's name for it; empty: flags said it all.
    #[serde(default)]
    pub plan_name: String,
    /// The command line without its secrets, to run it again.
    #[serde(default)]
    pub words: Vec<String>,
    /// The panel's form as JSON, to fill it again; `None`: it was a command line.
    #[serde(default)]
    pub job: Option<String>,
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

pub(super) const COLUMNS: &str = "id, status, reason, note, ended_at, exit_code, is_baseline, label, kind, \
    started_at, started_by, blast_version, host, target, method, plan_hash, connections, \
    rate_per_s, duration_s, scheduled, good, errors, good_per_s, efficiency, error_share, \
    mean_us, p50_us, p95_us, p99_us, server_us_per_request, grade, verdict, plan_name, words, job";

pub(super) fn row(row: &rusqlite::Row) -> rusqlite::Result<Row> {
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
            plan_name: row.get("plan_name")?,
            words: words(row)?,
            job: row.get("job")?,
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

fn words(row: &rusqlite::Row) -> rusqlite::Result<Vec<String>> {
    let text: String = row.get("words")?;
    serde_json::from_str(&text).map_err(|error| {
        let column = row.as_ref().column_index("words").unwrap_or_default();
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
