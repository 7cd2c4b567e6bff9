//! Runs: asked for, listed, changed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::{Error, Exit};
use crate::history::{Event, Filter, History, Row, Status};
use crate::serve::input::{Admin, Asked, Body, RunId, Viewer};
use crate::serve::job::Job;
use crate::serve::reading::Finding;
use crate::serve::refusal::{Fault, Refusal};
use crate::serve::supervisor::Edit;
use crate::serve::{Counts, Panel};

/// Rows of a page, where nobody says how many,
const USUAL: u32 = 50;

/// and the most of them.
const MOST: u32 = 500;

/// What may be written beside a run.
const LONGEST_TEXT: usize = 4_096;

/// A run that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Started {
    pub id: i64,
    /// Its page.
    pub url: String,
}

/// Start a test. It goes on by itself; one at a time on a host.
#[utoipa::path(
    post,
    path = "/api/v1/runs",
    tag = "runs",
    request_body = Job,
    responses(
        (status = 202, body = Started),
        (status = 403, description = "For admins; or the target is not listed", body = Fault),
        (status = 409, description = "Another run goes on", body = Fault),
        (status = 422, description = "Over a limit, or makes no sense", body = Fault),
    )
)]
pub async fn start(
    State(panel): State<Arc<Panel>>,
    Admin(who): Admin,
    Body(job): Body<Job>,
) -> Result<Response, Refusal> {
    begin(&panel, job, &who.name).await
}

pub(super) async fn begin(panel: &Panel, job: Job, who: &str) -> Result<Response, Refusal> {
    let started = panel.runs.start(job, who).await;
    Counts::one(match started {
        Ok(_) => &panel.counts.starts,
        Err(_) => &panel.counts.starts_refused,
    });
    let id = started?;
    let url = format!("/runs/{id}");
    let place = HeaderValue::try_from(&url);
    let mut response = (StatusCode::ACCEPTED, Json(Started { id, url })).into_response();
    if let Ok(place) = place {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// What a test would do.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Preview {
    /// "6,000 requests over 60 s, at most 100/s, 10 connections".
    pub sentence: String,
    /// The same in a terminal, without secrets.
    pub command: String,
    /// What bounds a closed loop.
    pub caps: Option<String>,
    /// It is ended from outside after that.
    pub ends_within_s: f64,
    /// The rows of `blast doctor` that matter.
    pub doctor: Vec<Finding>,
}

/// What a test would do, before it is started; nothing is sent.
#[utoipa::path(
    post,
    path = "/api/v1/runs/preview",
    tag = "runs",
    request_body = Job,
    responses((status = 200, body = Preview), (status = 422, body = Fault))
)]
pub async fn preview(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    Body(job): Body<Job>,
) -> Result<Json<Preview>, Refusal> {
    let prepared = panel.runs.preview(&job).await?;
    let (preview, doctor) = panel
        .aside(move |panel| {
            // What cannot be looked at keeps nobody from starting.
            let doctor = panel.reading.doctor(&job, &prepared).unwrap_or_default();
            Ok((prepared, doctor))
        })
        .await?;
    Ok(Json(Preview {
        sentence: preview.sentence,
        command: preview.command,
        caps: preview.caps,
        ends_within_s: preview.ends_within.as_secs_f64(),
        doctor,
    }))
}

/// Which runs; all conditions hold.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Rows of a page: 50, at most 500.
    limit: Option<u32>,
    /// Older than this run: `next` of the page before.
    before: Option<i64>,
    /// Part of the target.
    target: Option<String>,
    /// The beginning of the plan's hash, or part of its name.
    plan: Option<String>,
    /// Part of the label.
    label: Option<String>,
    /// pending, running, completed, failed or stopped.
    status: Option<String>,
    grade: Option<String>,
    /// run, ceiling, ladder, soak or suite.
    kind: Option<String>,
}

impl Which {
    fn filter(self) -> Result<Filter, Refusal> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let status = given(self.status).map(|name| {
            let names = Status::ALL.map(Status::name).join(", ");
            Status::of(&name).ok_or_else(|| {
                Refusal::usage("status", "there is no such status", format!("it is one of {names}"))
            })
        });
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            let hint = format!("ask for 1 to {MOST}, and for what is older with `before`");
            return Err(Refusal::usage("limit", "a page has no so many rows", hint));
        }
        Ok(Filter {
            target: given(self.target),
            label: given(self.label),
            status: status.transpose()?,
            grade: given(self.grade),
            kind: given(self.kind),
            plan: given(self.plan),
            before: self.before,
            limit: Some(limit),
            ..Filter::default()
        })
    }
}

/// A page of the history, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Listed {
    pub runs: Vec<Row>,
    /// `before` of the next page; null: there is none.
    pub next: Option<i64>,
}

/// Runs, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/runs",
    tag = "runs",
    params(Which),
    responses((status = 200, body = Listed), (status = 422, body = Fault))
)]
pub async fn list(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    Asked(which): Asked<Which>,
) -> Result<Json<Listed>, Refusal> {
    let mut filter = which.filter()?;
    let limit = filter.limit.unwrap_or(USUAL) as usize;
    // One more shows whether there is a next page.
    filter.limit = Some(limit as u32 + 1);
    let mut runs = panel.of_history(move |history| history.list(&filter)).await?;
    let is_more = runs.len() > limit;
    runs.truncate(limit);
    let next = runs.last().map(|row| row.id).filter(|_| is_more);
    Ok(Json(Listed { runs, next }))
}

/// One run, with what was done to it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Shown {
    #[serde(flatten)]
    pub run: Row,
    /// Who started, edited, stopped it; oldest first.
    pub events: Vec<Event>,
    /// It goes on, and its events come as they happen.
    pub is_live: bool,
}

/// One run.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}",
    tag = "runs",
    params(("id" = i64, Path)),
    responses((status = 200, body = Shown), (status = 404, body = Fault))
)]
pub async fn show(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    RunId(id): RunId,
) -> Result<Json<Shown>, Refusal> {
    shown(&panel, id).await.map(Json)
}

pub(super) async fn shown(panel: &Arc<Panel>, id: i64) -> Result<Shown, Refusal> {
    let current = panel.runs.current();
    panel
        .aside(move |panel| {
            panel
                .with_history(|history| {
                    let run = history.show(id)?;
                    let is_live = current == Some(id) || is_open(&run);
                    Ok(Shown { events: history.events(id)?, run, is_live })
                })
                .map_err(|error| about(id, error))
        })
        .await
}

/// A run that is not there is no mistake of the asker's words.
pub(super) fn about(id: i64, error: Error) -> Refusal {
    match error.exit {
        Exit::Usage => Refusal::missing(format!("there is no run {id}")),
        _ => error.into(),
    }
}

pub(super) fn is_open(run: &Row) -> bool {
    matches!(run.status, Status::Pending | Status::Running)
}

/// Ask a run to drain and to end; its report is written.
#[utoipa::path(
    post,
    path = "/api/v1/runs/{id}/stop",
    tag = "runs",
    params(("id" = i64, Path)),
    responses(
        (status = 202, body = Started),
        (status = 404, body = Fault),
        (status = 409, description = "It does not go on", body = Fault),
    )
)]
pub async fn stop(
    State(panel): State<Arc<Panel>>,
    Admin(who): Admin,
    RunId(id): RunId,
) -> Result<(StatusCode, Json<Started>), Refusal> {
    panel
        .of_history(move |history| history.show(id))
        .await
        .map_err(|refusal| missing(id, refusal))?;
    panel.runs.stop(id, &who.name).await?;
    Ok((StatusCode::ACCEPTED, Json(Started { id, url: format!("/runs/{id}") })))
}

fn missing(id: i64, refusal: Refusal) -> Refusal {
    match refusal.status {
        422 => Refusal::missing(format!("there is no run {id}")),
        _ => refusal,
    }
}

/// What is changed; what is not there stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub label: Option<String>,
    pub note: Option<String>,
    /// true: later runs of its plan are judged by it.
    pub baseline: Option<bool>,
    /// Requests per second, while it runs.
    pub rate_per_s: Option<f64>,
    /// Connections in use, while it runs.
    pub users: Option<u32>,
}

impl Change {
    fn check(&self) -> Result<(), Refusal> {
        for (field, text) in [("label", &self.label), ("note", &self.note)] {
            if text.as_ref().is_some_and(|text| text.len() > LONGEST_TEXT) {
                let hint = format!("write {LONGEST_TEXT} bytes or fewer");
                return Err(Refusal::usage(field, format!("the {field} is too long"), hint));
            }
        }
        if self.baseline == Some(false) {
            let hint = "make another run of its plan the baseline";
            return Err(Refusal::usage("baseline", "a baseline is replaced, not removed", hint));
        }
        if self.rate_per_s.is_some() && self.users.is_some() {
            let hint = "send one of the two";
            return Err(Refusal::usage("users", "a run has a rate or a number of users", hint));
        }
        match self.edit() {
            None if self.label.is_none() && self.note.is_none() && self.baseline.is_none() => {
                let hint = "send label, note, baseline, rate_per_s or users";
                Err(Refusal::usage(None, "there is nothing to change", hint))
            }
            Some(Edit::Rate(rate)) if !(rate.is_finite() && rate > 0.0) => {
                let hint = "send more than 0";
                Err(Refusal::usage("rate_per_s", "that is no rate", hint))
            }
            Some(Edit::Users(0)) => {
                Err(Refusal::usage("users", "a run has at least one user", "send 1 or more"))
            }
            _ => Ok(()),
        }
    }

    fn edit(&self) -> Option<Edit> {
        self.rate_per_s.map(Edit::Rate).or(self.users.map(Edit::Users))
    }

    /// What is written down beside the run.
    fn note(&self, history: &mut History, id: i64, who: &str) -> crate::error::Result<()> {
        if self.label.is_some() || self.note.is_some() {
            history.relabel(id, self.label.as_deref(), self.note.as_deref())?;
            let what = if self.label.is_some() { "labelled" } else { "noted" };
            history.note_event(id, who, what)?;
        }
        if self.baseline == Some(true) {
            history.set_baseline(id)?;
            history.note_event(id, who, "made the baseline")?;
        }
        Ok(())
    }
}

/// Change a run: its label, note and baseline at any time, its rate or users while it goes on.
#[utoipa::path(
    patch,
    path = "/api/v1/runs/{id}",
    tag = "runs",
    params(("id" = i64, Path)),
    request_body = Change,
    responses(
        (status = 200, body = Shown),
        (status = 404, body = Fault),
        (status = 409, description = "It does not go on", body = Fault),
        (status = 422, description = "Over a limit", body = Fault),
    )
)]
pub async fn change(
    State(panel): State<Arc<Panel>>,
    Admin(who): Admin,
    RunId(id): RunId,
    Body(change): Body<Change>,
) -> Result<Json<Shown>, Refusal> {
    change.check()?;
    panel
        .of_history(move |history| history.show(id))
        .await
        .map_err(|refusal| missing(id, refusal))?;
    if let Some(edit) = change.edit() {
        panel.runs.edit(id, edit, &who.name).await?;
    }
    panel.of_history(move |history| change.note(history, id, &who.name)).await?;
    shown(&panel, id).await.map(Json)
}
