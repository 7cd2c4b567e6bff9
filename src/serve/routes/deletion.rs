//! Runs taken out of the history. Who did it is noted.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::runs::{about, is_open};
use crate::history::{Filter, History, Row, older_than};
use crate::serve::Panel;
use crate::serve::input::{Admin, Body, RunId};
use crate::serve::refusal::{Fault, Refusal};
use crate::time::Nanos;

/// How many were taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Deleted {
    pub deleted: usize,
    /// They go on.
    pub kept: usize,
}

/// Delete a run that is over.
#[utoipa::path(
    delete,
    path = "/api/v1/runs/{id}",
    tag = "runs",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = Deleted),
        (status = 404, body = Fault),
        (status = 409, description = "It goes on", body = Fault),
    )
)]
pub async fn delete(
    State(panel): State<Arc<Panel>>,
    Admin(who): Admin,
    RunId(id): RunId,
) -> Result<Json<Deleted>, Refusal> {
    delete_one(&panel, id, who.name).await.map(Json)
}

pub(super) async fn delete_one(
    panel: &Arc<Panel>,
    id: i64,
    who: String,
) -> Result<Deleted, Refusal> {
    let current = panel.runs.current();
    panel
        .aside(move |panel| {
            panel
                .with_history(|history| {
                    let run = history.show(id)?;
                    match current == Some(id) || is_open(&run) {
                        true => Ok(Deleted { deleted: 0, kept: 1 }),
                        false => take_out(history, &[run], current, &who),
                    }
                })
                .map_err(|error| about(id, error))
        })
        .await
        .and_then(|deleted| match deleted.kept {
            0 => Ok(deleted),
            _ => Err(Refusal {
                run: Some(id),
                hint: Some("stop it first".to_string()),
                ..Refusal::new(409, "running", format!("run {id} goes on"))
            }),
        })
}

/// Which runs are to go: these, or all that are older.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Old {
    pub ids: Option<Vec<i64>>,
    pub older_than_days: Option<f64>,
}

/// Delete several runs; those that go on stay.
#[utoipa::path(
    post,
    path = "/api/v1/runs/delete",
    tag = "runs",
    request_body = Old,
    responses((status = 200, body = Deleted), (status = 422, body = Fault))
)]
pub async fn delete_several(
    State(panel): State<Arc<Panel>>,
    Admin(who): Admin,
    Body(old): Body<Old>,
) -> Result<Json<Deleted>, Refusal> {
    let filter = old.filter()?;
    let current = panel.runs.current();
    let deleted = panel.of_history(move |history| {
        let mut rows = history.list(&filter)?;
        if let Some(ids) = &old.ids {
            rows.retain(|row| ids.contains(&row.id));
        }
        take_out(history, &rows, current, &who.name)
    });
    deleted.await.map(Json)
}

impl Old {
    fn filter(&self) -> Result<Filter, Refusal> {
        match (&self.ids, self.older_than_days) {
            (Some(_), None) => Ok(Filter::default()),
            (None, Some(days)) if days.is_finite() && days >= 0.0 => {
                // A float becomes an integer by saturation.
                let age = Nanos((days * 86_400e9) as u64);
                let before = Some(older_than(age, SystemTime::now()));
                Ok(Filter { started_before: before, ..Filter::default() })
            }
            (None, Some(_)) => {
                let hint = "send 0 or more";
                Err(Refusal::usage("older_than_days", "that is no number of days", hint))
            }
            _ => {
                let hint = "send ids, or older_than_days";
                Err(Refusal::usage("ids", "it is not said which runs are to go", hint))
            }
        }
    }
}

/// Noted before it is done: afterwards nothing is left to say what it was.
fn take_out(
    history: &mut History,
    rows: &[Row],
    current: Option<i64>,
    who: &str,
) -> crate::error::Result<Deleted> {
    let is_over = |row: &&Row| !is_open(row) && current != Some(row.id);
    let ids: Vec<i64> = rows.iter().filter(is_over).map(|row| row.id).collect();
    for id in &ids {
        history.note_event(*id, who, "deleted")?;
    }
    Ok(Deleted { deleted: history.delete(&ids)?, kept: rows.len() - ids.len() })
}
