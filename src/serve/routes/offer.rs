//! What there is to choose from.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::catalogue::{self, PlanRow};
use crate::serve::input::Viewer;
use crate::serve::refusal::Refusal;
use crate::serve::{Limits, Panel, Target};

/// What a form begins with.
const USUAL: Limits = Limits { workers: 10, rps: 100.0, duration_s: 60.0 };

/// The most that a run may ask for, and who raises it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Bounds {
    #[serde(flatten)]
    pub most: Limits,
    /// What a form begins with.
    pub usual: Limits,
    pub raised_by: &'static str,
}

/// The most that a run may ask for: stages, ramps, searches and edits too.
#[utoipa::path(get, path = "/api/v1/limits", tag = "offer", responses((status = 200, body = Bounds)))]
pub async fn limits(State(panel): State<Arc<Panel>>, _: Viewer) -> Json<Bounds> {
    let raised_by = "who starts the panel: --max-workers, --max-rps, --max-duration";
    Json(Bounds { most: panel.offer.limits, usual: USUAL, raised_by })
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Targets {
    pub targets: Vec<Target>,
}

/// Where a test may go, by name.
#[utoipa::path(get, path = "/api/v1/targets", tag = "offer", responses((status = 200, body = Targets)))]
pub async fn targets(State(panel): State<Arc<Panel>>, _: Viewer) -> Json<Targets> {
    Json(Targets { targets: panel.offer.targets.clone() })
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Plans {
    pub plans: Vec<PlanRow>,
}

/// Plans of this panel's folder, by name.
#[utoipa::path(get, path = "/api/v1/plans", tag = "offer", responses((status = 200, body = Plans)))]
pub async fn plans(State(panel): State<Arc<Panel>>, _: Viewer) -> Result<Json<Plans>, Refusal> {
    let read = |panel: &Panel| {
        let folder = panel.offer.plans.as_deref();
        Ok(folder.map(catalogue::of_folder).unwrap_or_default())
    };
    Ok(Json(Plans { plans: panel.aside(read).await? }))
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Presets {
    pub presets: Vec<PlanRow>,
}

/// Plans that blast brings along; they are named as those of the folder are.
#[utoipa::path(get, path = "/api/v1/presets", tag = "offer", responses((status = 200, body = Presets)))]
pub async fn presets(_: Viewer) -> Json<Presets> {
    Json(Presets { presets: catalogue::ready() })
}
