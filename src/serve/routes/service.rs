//! For programs that watch the panel.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::Serialize;
use utoipa::ToSchema;

use crate::history::Status;
use crate::serve::input::Viewer;
use crate::serve::refusal::Refusal;
use crate::serve::{MOST_STREAMS, Panel};

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Health {
    pub ok: bool,
}

/// Whether the panel answers, and its history too.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "service",
    security(()),
    responses((status = 200, body = Health), (status = 500, body = crate::serve::refusal::Fault))
)]
pub async fn healthz(State(panel): State<Arc<Panel>>) -> Result<Json<Health>, Refusal> {
    panel.of_history(|history| history.counts()).await?;
    Ok(Json(Health { ok: true }))
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "service",
    security(()),
    responses((status = 200, body = Object))
)]
pub async fn openapi() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let text = super::document().to_pretty_json();
        text.expect("a document of texts and lists can be written")
    });
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// Metrics of the panel itself, in OpenMetrics; those of a run are its report's.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "service",
    responses((status = 200, body = String, content_type = "application/openmetrics-text"))
)]
pub async fn metrics(State(panel): State<Arc<Panel>>, _: Viewer) -> Result<Response, Refusal> {
    let saved = panel.of_history(|history| history.counts()).await?;
    let mut text = String::new();
    let encoded = encode(&mut text, &registry(&panel, &saved));
    encoded.map_err(|_| Refusal::failed("the metrics could not be written"))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStatus {
    status: &'static str,
}

fn registry(panel: &Panel, saved: &[(Status, u64)]) -> Registry {
    let mut registry = Registry::with_prefix("blast_panel");
    let runs = Family::<OfStatus, Gauge>::default();
    for status in Status::ALL {
        let count = saved.iter().find(|(of, _)| *of == status).map_or(0, |(_, count)| *count);
        runs.get_or_create(&OfStatus { status: status.name() }).set(count as i64);
    }
    registry.register("runs", "Saved runs, by status", runs);
    let streams = MOST_STREAMS.saturating_sub(panel.streams.available_permits());
    for (name, help, value) in [
        ("streams", "Streams of events that are open", streams as i64),
        ("current_run", "The run that goes on; 0: none does", panel.runs.current().unwrap_or(0)),
    ] {
        let gauge = Gauge::<i64>::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    }
    let counts = &panel.counts;
    for (name, help, value) in [
        ("logins", "Logins", &counts.logins),
        ("logins_refused", "Logins that were refused", &counts.logins_refused),
        ("starts", "Tests that were started", &counts.starts),
        ("starts_refused", "Tests that were refused", &counts.starts_refused),
    ] {
        registry.register(name, help, counter(value));
    }
    registry
}

fn counter(value: &AtomicU64) -> Counter {
    let counter = Counter::<u64>::default();
    counter.inc_by(value.load(Relaxed));
    counter
}
