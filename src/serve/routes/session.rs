//! Coming in, going out, who one is, and who did what.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::history::Event;
use crate::serve::input::{Asked, Body, Caller, Session, Viewer};
use crate::serve::refusal::{Fault, Refusal};
use crate::serve::who::{COOKIE, Person, Turned};
use crate::serve::{Counts, Panel};

/// Lines of what was done,
const USUAL: u32 = 200;

/// and the most of them.
const MOST: u32 = 5_000;

/// A name and its password; or the secret that was printed when the panel was started.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    name: Option<String>,
    password: Option<String>,
    token: Option<String>,
}

/// Who one is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Me {
    #[serde(flatten)]
    pub person: Person,
    /// May start, stop, edit and delete.
    pub is_admin: bool,
    pub blast_version: &'static str,
}

impl Me {
    fn of(person: Person) -> Me {
        let is_admin = person.role == crate::serve::who::Role::Admin;
        Me { person, is_admin, blast_version: env!("CARGO_PKG_VERSION") }
    }
}

/// Come in: the answer sets a cookie.
#[utoipa::path(
    post,
    path = "/api/v1/login",
    tag = "session",
    security(()),
    request_body = Login,
    responses(
        (status = 200, body = Me),
        (status = 401, body = Fault),
        (status = 429, description = "Too many attempts; `Retry-After` says how long", body = Fault),
    )
)]
pub async fn login(
    State(panel): State<Arc<Panel>>,
    Caller(from): Caller,
    Body(login): Body<Login>,
) -> Result<Response, Refusal> {
    let entered = match login {
        Login { token: Some(token), .. } => {
            let session = panel.aside(move |panel| Ok(panel.who.enter(&token)?)).await?;
            session.ok_or_else(|| Turned::Away(void()))
        }
        Login { name: Some(name), password: Some(password), .. } => {
            panel.who.login(&name, &password, from).await
        }
        _ => {
            let hint = "send name and password";
            return Err(Refusal::usage("name", "it is not said who comes in", hint));
        }
    };
    let session = match entered {
        Ok(session) => session,
        Err(turned) => {
            Counts::one(&panel.counts.logins_refused);
            return match turned {
                Turned::Away(refusal) => Err(refusal),
                Turned::Later(seconds) => Ok(later(seconds)),
            };
        }
    };
    Counts::one(&panel.counts.logins);
    let cookie = given(&panel, &session);
    let found = panel.aside(move |panel| Ok(panel.who.of_session(&session)?)).await?;
    let person = found.ok_or_else(Refusal::nobody)?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Json(Me::of(person))).into_response())
}

fn void() -> Refusal {
    let hint = "it is good once, and while there is no user; start the panel anew for another";
    Refusal {
        hint: Some(hint.to_string()),
        ..Refusal::new(401, "wrong_login", "the token of the printed address is void")
    }
}

fn later(seconds: u64) -> Response {
    let hint = format!("try again in {seconds} s");
    Refusal::too_many("too many attempts to sign in", hint).after(seconds)
}

/// Not for scripts, for no other site, and gone with the browser; the server knows when it ends.
pub(super) fn given(panel: &Panel, session: &str) -> HeaderValue {
    let secure = if panel.doors.is_secure() { "; Secure" } else { "" };
    let text = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).expect("a session is made of letters, digits, `-` and `_`")
}

/// Go out: the session ends.
#[utoipa::path(
    post,
    path = "/api/v1/logout",
    tag = "session",
    responses((status = 204), (status = 401, body = Fault))
)]
pub async fn logout(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    Session(session): Session,
) -> Result<Response, Refusal> {
    if let Some(session) = session {
        panel.aside(move |panel| Ok(panel.who.logout(&session)?)).await?;
    }
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// Who one is.
#[utoipa::path(
    get,
    path = "/api/v1/me",
    tag = "session",
    responses((status = 200, body = Me), (status = 401, body = Fault))
)]
pub async fn me(Viewer(person): Viewer) -> Json<Me> {
    Json(Me::of(person))
}

#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Last {
    /// 200, at most 5,000.
    limit: Option<u32>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Audit {
    pub events: Vec<Event>,
}

/// Who started, edited, stopped or deleted what, newest first; of deleted runs too.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "session",
    params(Last),
    responses((status = 200, body = Audit))
)]
pub async fn audit(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    Asked(last): Asked<Last>,
) -> Result<Json<Audit>, Refusal> {
    let limit = last.limit.unwrap_or(USUAL).min(MOST);
    let events = panel.of_history(move |history| history.audit(limit)).await?;
    Ok(Json(Audit { events }))
}
