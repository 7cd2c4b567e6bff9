//! What is read of a request. Whatever is wrong with it, the answer is a refusal that names the
//! field. Who asks stands in a route's arguments, before what they ask for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use super::Panel;
use super::guard::{is_safe, too_long};
use super::refusal::Refusal;
use super::who::{COOKIE, Person, Role};

/// For the whole of a body.
const PATIENCE: Duration = Duration::from_secs(15);

/// The other side of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Somebody who signed in.
pub struct Viewer(pub Person);

/// Somebody who may change things.
pub struct Admin(pub Person);

/// What the request says by whom it is, good or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    Token(String),
    Session(String),
}

/// The session that the request has, good or not.
pub struct Session(pub Option<String>);

/// Where the request comes from, as far as it can be known.
pub struct Caller(pub IpAddr);

/// The run that the path names.
pub struct RunId(pub i64);

/// A body of JSON.
pub struct Body<T>(pub T);

/// What stands behind the question mark.
pub struct Asked<T>(pub T);

impl FromRequestParts<Arc<Panel>> for Viewer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, panel: &Arc<Panel>) -> Result<Viewer, Refusal> {
        person(parts, panel).await.map(Viewer)
    }
}

impl FromRequestParts<Arc<Panel>> for Admin {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, panel: &Arc<Panel>) -> Result<Admin, Refusal> {
        let person = person(parts, panel).await?;
        match person.role {
            Role::Admin => Ok(Admin(person)),
            Role::Viewer => Err(Refusal::forbidden(
                format!("{} is a viewer, and this is for admins", person.name),
                "ask an admin; `blast serve user add NAME --role admin` makes one",
            )),
        }
    }
}

async fn person(parts: &Parts, panel: &Arc<Panel>) -> Result<Person, Refusal> {
    let pass = Pass::of(&parts.headers).ok_or_else(Refusal::nobody)?;
    let person = pass.holder(panel).await?.ok_or_else(Refusal::nobody)?;
    // A browser sends its cookie along with whatever it is made to ask for.
    let is_sent_along = matches!(pass, Pass::Session(_));
    let is_own = || panel.doors.is_from_own_page(&parts.headers);
    if is_sent_along && !is_safe(&parts.method) && !is_own() {
        return Err(Refusal {
            code: "foreign_origin",
            ..Refusal::forbidden(
                "a session changes things from the panel's own pages only",
                "a program sends `Authorization: Bearer TOKEN`",
            )
        });
    }
    Ok(person)
}

impl Pass {
    /// A token that is wrong is not made good by a cookie.
    fn of(headers: &HeaderMap) -> Option<Pass> {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return session(headers).map(Pass::Session);
        };
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let is_token = scheme.eq_ignore_ascii_case("bearer");
        is_token.then(|| Pass::Token(token.trim().to_string()))
    }

    /// Whose it is; `None`: nobody's, or nobody's any more.
    pub async fn holder(&self, panel: &Arc<Panel>) -> Result<Option<Person>, Refusal> {
        let pass = self.clone();
        let find = move |panel: &Panel| match &pass {
            Pass::Token(token) => Ok(panel.who.of_token(token)?),
            Pass::Session(session) => Ok(panel.who.of_session(session)?),
        };
        panel.aside(find).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Pass {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Pass, Refusal> {
        Pass::of(&parts.headers).ok_or_else(Refusal::nobody)
    }
}

fn session(headers: &HeaderMap) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(name, _)| name.trim() == COOKIE);
    found.map(|(_, value)| value.trim().to_string())
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Session, Refusal> {
        Ok(Session(session(&parts.headers)))
    }
}

impl FromRequestParts<Arc<Panel>> for Caller {
    type Rejection = Refusal;

    /// A proxy puts who it talks for last into the list.
    async fn from_request_parts(parts: &mut Parts, panel: &Arc<Panel>) -> Result<Caller, Refusal> {
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
        let forwarded =
            parts.headers.get("x-forwarded-for").filter(|_| panel.doors.is_behind_proxy);
        let forwarded = forwarded.and_then(|value| value.to_str().ok());
        let forwarded = forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
        let unknown = IpAddr::from([0; 4]);
        Ok(Caller(forwarded.or(peer).unwrap_or(unknown)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RunId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<RunId, Refusal> {
        let named = Path::<BTreeMap<String, String>>::from_request_parts(parts, state).await;
        let id = named.ok().and_then(|Path(named)| named.get("id")?.parse().ok());
        id.map(RunId).ok_or_else(|| Refusal::missing("a run is named by its number"))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked<T>, Refusal> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        read.map(|Query(asked)| Asked(asked)).map_err(|rejection| {
            let text = rejection.body_text();
            let reason = text.rsplit_once("string: ").map_or(&*text, |(_, reason)| reason);
            let (path, reason) = reason.split_once(": ").unwrap_or(("", reason));
            let refusal =
                Refusal::new(422, "usage", format!("the query is not accepted: {reason}"));
            match field(path, reason) {
                Some(field) => refusal.of_field(field),
                None => refusal,
            }
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Refusal> {
        if !is_json(request.headers()) {
            let hint = Some("send `Content-Type: application/json`".to_string());
            let refusal = Refusal::new(415, "not_json", "the body has to be JSON, and to say so");
            return Err(Refusal { hint, ..refusal });
        }
        let read = tokio::time::timeout(PATIENCE, Bytes::from_request(request, state)).await;
        let slow = Refusal::new(408, "too_slow", "the body did not come in time; send it again");
        let bytes =
            read.map_err(|_| slow)?.map_err(|rejection| match rejection.status().as_u16() {
                413 => too_long(),
                _ => Refusal::new(400, "broken", "the body ended too early; send it again"),
            })?;
        parse(&bytes).map(Body)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mime = value.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    mime.eq_ignore_ascii_case("application/json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    // serde takes a list for fields in their order; nobody means that.
    let is_list = bytes.trim_ascii_start().starts_with(b"[");
    if is_list && serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
        let hint = Some("send fields by their names, in braces".to_string());
        let refusal = Refusal::new(422, "usage", "the body is a list, and an object is expected");
        return Err(Refusal { hint, ..refusal });
    }
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut from).map_err(|error| {
        let path = error.path().to_string();
        wrong(&path, &error.into_inner())
    })?;
    from.end().map_err(|error| wrong("", &error))?;
    Ok(read)
}

fn wrong(path: &str, error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    match error.classify() {
        Category::Data => {
            let reason = text.split(" at line ").next().unwrap_or_default();
            let refusal = Refusal::new(422, "usage", format!("the body is not accepted: {reason}"));
            match field(path, reason) {
                Some(field) => refusal.of_field(field),
                None => refusal,
            }
        }
        _ => {
            let hint = Some("correct it there, or just before".to_string());
            Refusal { hint, ..Refusal::new(400, "broken", format!("the body is no JSON: {text}")) }
        }
    }
}

/// The innermost that is known: where it stands, or what the complaint itself names.
fn field(path: &str, reason: &str) -> Option<String> {
    let is_known = !matches!(path, "" | "." | "?") && !path.contains(' ');
    let named = ["unknown field `", "missing field `"];
    let named = named.iter().find_map(|start| reason.strip_prefix(start)?.split('`').next());
    match (is_known, named) {
        (_, Some(named)) if path.ends_with(named) => Some(path.to_string()),
        (true, Some(named)) => Some(format!("{path}.{named}")),
        (true, None) => Some(path.to_string()),
        (false, named) => named.map(str::to_string),
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::Job;
    use super::*;

    #[test]
    fn what_is_wrong_with_a_body_is_told_with_its_field() {
        for (body, status, field, message) in [
            ("", 400, None, "no JSON"),
            ("{", 400, None, "no JSON: EOF"),
            ("{} {}", 400, None, "no JSON: trailing"),
            ("[]", 422, None, "expected"),
            (r#"{"rps": "many"}"#, 422, Some("rps"), "expected f64"),
            (r#"{"connections": -1}"#, 422, Some("connections"), "expected u32"),
            (r#"{"vars": {"channel": 1}}"#, 422, Some("vars.channel"), "expected a string"),
            (r#"{"verb": "rm"}"#, 422, Some("verb"), "unknown variant `rm`"),
            (r#"{"file": "/etc/passwd"}"#, 422, Some("file"), "unknown field `file`"),
        ] {
            let refusal = parse::<Job>(body.as_bytes()).unwrap_err();
            assert_eq!((refusal.status, refusal.field.as_deref()), (status, field), "{body}");
            assert!(refusal.message.contains(message), "{body}: {}", refusal.message);
        }
        parse::<Job>(br#"{"target": "a", "vars": {"x": "1"}} "#).unwrap();
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; my_blast_session=x".parse().unwrap());
        assert_eq!(session(&headers), None);
        headers.append(header::COOKIE, "b=2; blast_session=abc ; c".parse().unwrap());
        assert_eq!(session(&headers).as_deref(), Some("abc"));
    }
}
