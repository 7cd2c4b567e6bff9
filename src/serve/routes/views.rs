//! Saved runs: in each form that blast writes, side by side, and over time.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::runs::about;
use crate::history::History;
use crate::report::document;
use crate::report::views::{self, Format, View};
use crate::serve::input::{Asked, RunId, Viewer};
use crate::serve::reading::Saved;
use crate::serve::refusal::{Fault, Refusal};
use crate::serve::{Panel, page};

/// Runs side by side.
const MOST: usize = 5;

const HTML: &str = "text/html; charset=utf-8";

/// A report brings its own style and script. It is shown apart from everything of the panel, as if
/// it came from elsewhere (`sandbox`), and reaches nothing.
const APART: &str = "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; \
     script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'";

/// The report of a run in one of its forms.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}/report/{format}",
    tag = "views",
    params(
        ("id" = i64, Path),
        ("format" = String, Path, description = "html, json, md, png, svg, hgrm, xml, ndjson, \
            csv-stats, csv-failures, csv-history or csv-exceptions"),
        Shape,
    ),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "No such run, form, or report yet", body = Fault),
    )
)]
pub async fn report(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    RunId(id): RunId,
    Path(names): Path<(String, String)>,
    Asked(shape): Asked<Shape>,
) -> Result<Response, Refusal> {
    let (view, bytes) = panel
        .aside(move |panel| {
            let saved = saved(panel, id)?;
            let view = chosen(&saved.document, &names.1)?;
            Ok((view, views::draw(&saved.document, view)?))
        })
        .await?;
    let is_shown = shape.inline.unwrap_or(view == View::In(Format::Html));
    let name = view.file_name(&format!("blast-{id}"));
    Ok((headers(view.media_type(), &name, is_shown), bytes).into_response())
}

/// Of what there is of this document.
fn chosen(document: &[u8], name: &str) -> Result<View, Refusal> {
    let all = views::of_document(document);
    all.iter().find(|view| view.name() == name).copied().ok_or_else(|| {
        let names: Vec<String> = all.iter().map(|view| view.name()).collect();
        let hint = Some(format!("it is one of {}", names.join(", ")));
        Refusal { hint, ..Refusal::missing("there is no such form of this report") }
    })
}

/// A form that a report is given in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Form {
    /// As the path of the report has it.
    pub format: String,
    pub media_type: String,
    /// What it is called when it is kept.
    pub file: String,
}

/// The forms that there are of a run's report.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}/report",
    tag = "views",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = Vec<Form>),
        (status = 404, description = "No such run, or no report yet", body = Fault),
    )
)]
pub async fn forms(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    RunId(id): RunId,
) -> Result<Json<Vec<Form>>, Refusal> {
    let saved = panel.aside(move |panel| saved(panel, id)).await?;
    let form = |view: &View| Form {
        format: view.name(),
        media_type: view.media_type().to_string(),
        file: view.file_name(&format!("blast-{id}")),
    };
    Ok(Json(views::of_document(&saved.document).iter().map(form).collect()))
}

#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Shape {
    /// To look at (true), or to keep; HTML is looked at unless said otherwise.
    inline: Option<bool>,
}

fn headers(kind: &'static str, name: &str, is_shown: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(APART));
    let place = if is_shown { "inline" } else { "attachment" };
    // The name is made of a number and an ending: it is always a value.
    if let Ok(value) = HeaderValue::try_from(format!("{place}; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    headers
}

/// With its document, which a run has once it is over.
fn saved(panel: &Panel, id: i64) -> Result<Saved, Refusal> {
    let read = |history: &mut History| Ok((history.show(id)?, history.document(id)?));
    let (run, document) = panel.with_history(read).map_err(|error| about(id, error))?;
    let document = document.filter(|document| !document.is_empty());
    let document = document.ok_or_else(|| {
        let hint = "it has one when it is over; one that failed early has none";
        Refusal {
            hint: Some(hint.to_string()),
            run: Some(id),
            ..Refusal::missing(format!("run {id} has no report"))
        }
    })?;
    Ok(Saved { id, label: run.begun.label, document })
}

/// The charts of a run as HTML, as far as it came: for the panel's own page.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}/charts",
    tag = "views",
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 404, body = Fault),
    )
)]
pub async fn charts(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    RunId(id): RunId,
) -> Result<Response, Refusal> {
    let drawn = match panel.runs.charts(id).await {
        Some(drawn) => drawn,
        None => panel.aside(move |panel| charts_of(&saved(panel, id)?)).await?,
    };
    Ok(axum::response::Html(drawn).into_response())
}

/// Only the document of a run has them: a search's report has pictures of its own.
fn charts_of(saved: &Saved) -> Result<String, Refusal> {
    if views::schema_of(&saved.document).as_deref() != Some(document::SCHEMA_NAME) {
        return Ok(String::new());
    }
    let document = serde_json::from_slice(&saved.document).map_err(|error| {
        Refusal::failed(format!("run {} has a damaged report ({error}); delete the run", saved.id))
    })?;
    Ok(page::charts_of(&document))
}

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Several {
    /// Two to five numbers of runs, such as 3,7: each is compared with the first.
    #[serde(default)]
    ids: String,
}

impl Several {
    fn read(&self) -> Result<Vec<i64>, Refusal> {
        let ids: Option<Vec<i64>> = self.ids.split(',').map(|id| id.trim().parse().ok()).collect();
        match ids {
            Some(ids) if (2..=MOST).contains(&ids.len()) => Ok(ids),
            _ => {
                let hint = "name two to five by their numbers, such as ids=3,7";
                Err(Refusal::usage("ids", "it is not said which runs to compare", hint))
            }
        }
    }
}

/// Runs side by side: the document of `blast compare`.
#[utoipa::path(
    get,
    path = "/api/v1/compare",
    tag = "views",
    params(Several),
    responses(
        (status = 200, body = Object, content_type = "application/json"),
        (status = 404, body = Fault),
        (status = 422, body = Fault),
    )
)]
pub async fn compare(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    Asked(several): Asked<Several>,
) -> Result<Response, Refusal> {
    let bytes = compared(&panel, several, false).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// The same as a page, with the curves over each other.
#[utoipa::path(
    get,
    path = "/api/v1/compare/page",
    tag = "views",
    params(Several),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 404, body = Fault),
        (status = 422, body = Fault),
    )
)]
pub async fn compare_page(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    Asked(several): Asked<Several>,
) -> Result<Response, Refusal> {
    let name = format!("blast-{}.html", several.ids.replace(',', "-"));
    let bytes = compared(&panel, several, true).await?;
    Ok((headers(HTML, &name, true), bytes).into_response())
}

async fn compared(panel: &Arc<Panel>, several: Several, as_page: bool) -> Result<Vec<u8>, Refusal> {
    let ids = several.read()?;
    panel
        .aside(move |panel| {
            let saved: Result<Vec<Saved>, Refusal> =
                ids.iter().map(|id| saved(panel, *id)).collect();
            Ok(panel.reading.compare(&saved?, as_page)?)
        })
        .await
}

#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Of {
    /// A run: its plan's and its host's history is meant.
    run: i64,
}

/// How a plan's figures went over time: the document of `blast history trend`.
#[utoipa::path(
    get,
    path = "/api/v1/trend",
    tag = "views",
    params(Of),
    responses(
        (status = 200, body = Object, content_type = "application/json"),
        (status = 404, body = Fault),
    )
)]
pub async fn trend(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    Asked(of): Asked<Of>,
) -> Result<Response, Refusal> {
    let bytes = over_time(&panel, of, false).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// The same as a page, with the changes marked.
#[utoipa::path(
    get,
    path = "/api/v1/trend/page",
    tag = "views",
    params(Of),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 404, body = Fault),
    )
)]
pub async fn trend_page(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    Asked(of): Asked<Of>,
) -> Result<Response, Refusal> {
    let name = format!("blast-{}-trend.html", of.run);
    let bytes = over_time(&panel, of, true).await?;
    Ok((headers(HTML, &name, true), bytes).into_response())
}

async fn over_time(panel: &Arc<Panel>, of: Of, as_page: bool) -> Result<Vec<u8>, Refusal> {
    panel
        .aside(move |panel| {
            let id = of.run;
            panel.with_history(|history| history.show(id)).map_err(|error| about(id, error))?;
            Ok(panel.reading.trend(id, as_page)?)
        })
        .await
}
