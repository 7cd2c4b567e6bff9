//! The paths of the guide that this panel was hoped for in. Its body has its own words; what comes
//! back is what the API's own routes say.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::deletion::{self, Deleted};
use super::runs::{self, Listed, Shown, Started, Which};
use crate::serve::Panel;
use crate::serve::input::{Admin, Asked, Body, RunId, Viewer};
use crate::serve::job::Job;
use crate::serve::refusal::{Fault, Refusal};

/// What the guide's form begins with.
const WORKERS: u32 = 10;
const RATE: f64 = 100.0;
const DURATION_S: f64 = 60.0;

/// A test in the guide's words.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GuideJob {
    /// A name of the list, or a URL whose host is allowed; where one is listed, that one.
    target: Option<String>,
    /// Without a target: its name. Beside one: the plan's variable `channel`.
    #[schema(value_type = Option<String>)]
    channel: Option<Channel>,
    #[serde(alias = "worker_count", alias = "connections")]
    workers: Option<u32>,
    /// Requests per second.
    #[serde(alias = "rps")]
    rate: Option<f64>,
    /// Seconds.
    #[serde(alias = "duration_s")]
    duration: Option<f64>,
    /// A plan by its name.
    plan: Option<String>,
    label: Option<String>,
    /// The name of a protected target, typed in.
    confirm: Option<String>,
}

/// Channels have numbers or names.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Channel {
    Number(u64),
    Name(String),
}

impl GuideJob {
    fn meant(self, panel: &Panel) -> Result<Job, Refusal> {
        let channel = self.channel.map(|channel| match channel {
            Channel::Number(number) => number.to_string(),
            Channel::Name(name) => name,
        });
        let listed = &panel.offer.targets;
        let is_listed = |name: &String| listed.iter().any(|target| target.name == *name);
        let only = || match &listed[..] {
            [target] => Some(target.name.clone()),
            _ => None,
        };
        let (target, variable) = match (self.target, channel) {
            (Some(target), variable) => (Some(target), variable),
            (None, Some(name)) if is_listed(&name) => (Some(name), None),
            (None, variable) => (only(), variable),
        };
        let target = target.ok_or_else(|| {
            let hint = "name one of /api/v1/targets as `target`";
            Refusal::usage("target", "it is not said what to test", hint)
        })?;
        let vars: BTreeMap<_, _> =
            variable.into_iter().map(|value| ("channel".to_string(), value)).collect();
        Ok(Job {
            target,
            vars,
            plan: self.plan,
            label: self.label,
            confirm: self.confirm,
            connections: Some(self.workers.unwrap_or(WORKERS)),
            rps: Some(self.rate.unwrap_or(RATE)),
            duration_s: Some(self.duration.unwrap_or(DURATION_S)),
            ..Job::default()
        })
    }
}

/// Start a test, in the guide's words.
#[utoipa::path(
    post,
    path = "/api/admin/stress-test/start",
    operation_id = "guide_start",
    tag = "guide",
    request_body = GuideJob,
    responses(
        (status = 202, body = Started),
        (status = 409, description = "Another run goes on", body = Fault),
        (status = 422, description = "Over a limit, or makes no sense", body = Fault),
    )
)]
pub async fn start(
    State(panel): State<Arc<Panel>>,
    Admin(who): Admin,
    Body(job): Body<GuideJob>,
) -> Result<Response, Refusal> {
    let job = job.meant(&panel)?;
    runs::begin(&panel, job, &who.name).await
}

/// One run.
#[utoipa::path(
    get,
    path = "/api/admin/stress-test/{id}",
    operation_id = "guide_show",
    tag = "guide",
    params(("id" = i64, Path)),
    responses((status = 200, body = Shown), (status = 404, body = Fault))
)]
pub async fn show(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    RunId(id): RunId,
) -> Result<Json<Shown>, Refusal> {
    runs::shown(&panel, id).await.map(Json)
}

/// Delete a run that is over.
#[utoipa::path(
    delete,
    path = "/api/admin/stress-test/{id}",
    operation_id = "guide_delete",
    tag = "guide",
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
    deletion::delete_one(&panel, id, who.name).await.map(Json)
}

/// Runs, newest first.
#[utoipa::path(
    get,
    path = "/api/admin/stress-test/history/list",
    operation_id = "guide_list",
    tag = "guide",
    params(Which),
    responses((status = 200, body = Listed), (status = 422, body = Fault))
)]
pub async fn list(
    panel: State<Arc<Panel>>,
    viewer: Viewer,
    which: Asked<Which>,
) -> Result<Json<Listed>, Refusal> {
    runs::list(panel, viewer, which).await
}
