//! The API and the pages. Each route is declared once, above its function: the router and the
//! OpenAPI document are made of the same declaration. Who may is the function's first argument.
//!
//! ```text
//! runs      start, list, show, stop, change
//! deletion  take them out
//! events    what a run tells while it goes on
//! views     saved runs in each form, side by side, over time
//! offer     what there is to choose from
//! session   come in, go out, who am I, who did what
//! service   for programs that watch the panel
//! aliases   the paths of the guide that this panel was hoped for in
//! pages     for people
//! ```

mod aliases;
mod deletion;
mod events;
mod offer;
mod pages;
mod runs;
mod service;
mod session;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::guard::LONGEST_BODY;
use super::refusal::Refusal;
use super::who::COOKIE;
use super::{Panel, guard};

/// All of it, with what holds for every request around it.
pub fn router(panel: Arc<Panel>) -> Router {
    let (router, _) = all().split_for_parts();
    router
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn_with_state(Arc::clone(&panel), guard::check))
        .with_state(panel)
}

/// What describes it.
pub fn document() -> OpenApi {
    let mut document = all().into_openapi();
    document.info.title = "blast serve".to_string();
    document.info.version = env!("CARGO_PKG_VERSION").to_string();
    document.info.description = Some(ABOUT.to_string());
    document.info.contact = None;
    document.info.license = None;
    document.servers = None;
    let components = document.components.get_or_insert_with(Components::default);
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
    components.add_security_scheme("session", cookie);
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let either = ["session", "token"];
    let either = either.map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
    document.security = Some(either.to_vec());
    document
}

const ABOUT: &str = "Tests that are started with a button, watched live and kept. Programs send \
    `Authorization: Bearer TOKEN` (`blast serve token add NAME`); a browser's session changes \
    things from the panel's own pages only. Whatever is refused is JSON: code, message, field, \
    hint, and with status 409 the run that stands in the way.";

fn all() -> OpenApiRouter<Arc<Panel>> {
    OpenApiRouter::new()
        .routes(routes!(runs::list, runs::start))
        .routes(routes!(runs::preview))
        .routes(routes!(deletion::delete_several))
        .routes(routes!(runs::show, runs::change, deletion::delete))
        .routes(routes!(runs::stop))
        .routes(routes!(events::events))
        .routes(routes!(views::charts))
        .routes(routes!(views::forms))
        .routes(routes!(views::report))
        .routes(routes!(views::compare))
        .routes(routes!(views::compare_page))
        .routes(routes!(views::trend))
        .routes(routes!(views::trend_page))
        .routes(routes!(offer::limits))
        .routes(routes!(offer::targets))
        .routes(routes!(offer::plans))
        .routes(routes!(offer::presets))
        .routes(routes!(session::me))
        .routes(routes!(session::audit))
        .routes(routes!(session::login))
        .routes(routes!(session::logout))
        .routes(routes!(service::openapi))
        .routes(routes!(service::healthz))
        .routes(routes!(service::metrics))
        .routes(routes!(aliases::start))
        .routes(routes!(aliases::show, aliases::delete))
        .routes(routes!(aliases::list))
        .routes(routes!(pages::front))
        .routes(routes!(pages::front_of_the_guide))
        .routes(routes!(pages::run))
        .routes(routes!(pages::compare))
        .routes(routes!(pages::trend))
        .routes(routes!(pages::login))
        .routes(routes!(pages::asset))
}

async fn nowhere(uri: Uri) -> Refusal {
    let path: String = uri.path().chars().take(120).collect();
    let hint = Some("/api/v1/openapi.json lists what there is".to_string());
    Refusal { hint, ..Refusal::missing(format!("there is nothing at {path}")) }
}

async fn not_so(method: Method, uri: Uri) -> Refusal {
    let path: String = uri.path().chars().take(120).collect();
    let hint = Some("/api/v1/openapi.json lists what there is".to_string());
    Refusal { hint, ..Refusal::new(405, "method", format!("{path} does not take {method}")) }
}
