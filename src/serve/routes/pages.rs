//! Pages for people: frames that their script fills through the API. Who has not signed in is sent
//! to where one does.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{AppendHeaders, Html, IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::runs::about;
use super::session;
use crate::serve::input::{Asked, RunId, Viewer};
use crate::serve::page::{self, Frame};
use crate::serve::refusal::Refusal;
use crate::serve::who::{Person, Role};
use crate::serve::{Counts, Panel};

const VERSION: &str = env!("CARGO_PKG_VERSION");

type Entered = Result<Viewer, Refusal>;

fn frame(person: &Person) -> Frame<'_> {
    Frame { user: &person.name, is_admin: person.role == Role::Admin, blast_version: VERSION }
}

/// The page, or the way to where one signs in.
fn shown(entered: Entered, draw: impl FnOnce(&Frame) -> String) -> Response {
    match entered {
        Ok(Viewer(person)) => Html(draw(&frame(&person))).into_response(),
        Err(refusal) if refusal.status == 401 => to("/login"),
        Err(refusal) => refusal.into_response(),
    }
}

fn to(place: &'static str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

#[derive(Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Invited {
    /// The secret of the printed address: good once, while there is no user.
    token: Option<String>,
}

/// The history, and a new test.
#[utoipa::path(
    get,
    path = "/",
    tag = "pages",
    params(Invited),
    responses((status = 200, content_type = "text/html"), (status = 303))
)]
pub async fn front(
    State(panel): State<Arc<Panel>>,
    Asked(invited): Asked<Invited>,
    entered: Entered,
) -> Response {
    match invited.token {
        Some(token) => enter(&panel, token).await.unwrap_or_else(Refusal::into_response),
        None => shown(entered, page::front),
    }
}

/// The secret is left behind at once, so that no address bar, history or log keeps it.
async fn enter(panel: &Arc<Panel>, token: String) -> Result<Response, Refusal> {
    let session = panel.aside(move |panel| Ok(panel.who.enter(&token)?)).await?;
    let Some(session) = session else {
        Counts::one(&panel.counts.logins_refused);
        return Ok(to("/login"));
    };
    Counts::one(&panel.counts.logins);
    let cookie = session::given(panel, &session);
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), to("/")).into_response())
}

/// The same, by the guide's path.
#[utoipa::path(
    get,
    path = "/admin/stress-test",
    tag = "pages",
    responses((status = 200, content_type = "text/html"), (status = 303))
)]
pub async fn front_of_the_guide(entered: Entered) -> Response {
    shown(entered, page::front)
}

/// One run, while it goes on and afterwards.
#[utoipa::path(
    get,
    path = "/runs/{id}",
    operation_id = "run_page",
    tag = "pages",
    params(("id" = i64, Path)),
    responses((status = 200, content_type = "text/html"), (status = 303), (status = 404))
)]
pub async fn run(
    State(panel): State<Arc<Panel>>,
    entered: Entered,
    RunId(id): RunId,
) -> Result<Response, Refusal> {
    if entered.is_ok() {
        panel
            .aside(move |panel| {
                panel.with_history(|history| history.show(id)).map_err(|error| about(id, error))
            })
            .await?;
    }
    Ok(shown(entered, |frame| page::run(frame, id)))
}

/// Runs side by side.
#[utoipa::path(
    get,
    path = "/compare",
    operation_id = "compare_frame",
    tag = "pages",
    responses((status = 200, content_type = "text/html"), (status = 303))
)]
pub async fn compare(entered: Entered) -> Response {
    shown(entered, page::compare)
}

/// A plan over time.
#[utoipa::path(
    get,
    path = "/trend",
    operation_id = "trend_frame",
    tag = "pages",
    responses((status = 200, content_type = "text/html"), (status = 303))
)]
pub async fn trend(entered: Entered) -> Response {
    shown(entered, page::trend)
}

/// Where one signs in.
#[utoipa::path(
    get,
    path = "/login",
    operation_id = "login_page",
    tag = "pages",
    security(()),
    responses((status = 200, content_type = "text/html"))
)]
pub async fn login() -> Html<String> {
    Html(page::login(VERSION))
}

/// Styles, scripts and pictures of the pages.
#[utoipa::path(
    get,
    path = "/assets/{name}",
    tag = "pages",
    security(()),
    params(("name" = String, Path)),
    responses((status = 200), (status = 404))
)]
pub async fn asset(Path(name): Path<String>, uri: Uri) -> Result<Response, Refusal> {
    let missing = || Refusal::missing(format!("there is nothing at {}", uri.path()));
    let (mime, bytes) = page::asset(&name).ok_or_else(missing)?;
    // A newer blast has others under the same name.
    let headers = [(header::CONTENT_TYPE, mime), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, bytes).into_response())
}
