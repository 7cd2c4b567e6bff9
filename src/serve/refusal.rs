//! Why something is not done: one shape in every answer of the API, and the status that goes with
//! it. A refusal is a sentence that says what to do.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Error, Exit};

/// What is not done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Of HTTP.
    pub status: u16,
    /// An interface: it never changes.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
    /// Which one of what was sent is meant.
    pub field: Option<String>,
    pub hint: Option<String>,
    /// The run that stands in the way.
    pub run: Option<i64>,
}

/// A refusal as the API writes it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Fault {
    /// Never changes: for programs.
    #[schema(example = "over_limit")]
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// Which one of what was sent is meant.
    pub field: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// The run that stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<i64>,
}

impl Refusal {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        let message = message.into();
        Refusal { status, code, message, field: None, hint: None, run: None }
    }

    /// What was asked for makes no sense.
    pub fn usage(
        field: impl Into<Option<&'static str>>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Refusal {
        let field = field.into().map(str::to_string);
        Refusal { field, hint: Some(hint.into()), ..Refusal::new(422, "usage", message) }
    }

    /// More than a limit of the panel allows; both as people read them.
    pub fn over_limit(field: &str, asked: &str, limit: &str, hint: impl Into<String>) -> Refusal {
        let message = format!("{field} of {asked} is over the limit of {limit}");
        let field = Some(field.to_string());
        Refusal { field, hint: Some(hint.into()), ..Refusal::new(422, "over_limit", message) }
    }

    /// Another run goes on.
    pub fn busy(run: impl Into<Option<i64>>) -> Refusal {
        let run = run.into();
        let message = match run {
            Some(id) => format!("run {id} goes on, and this host does one at a time"),
            None => "another run goes on, and this host does one at a time".to_string(),
        };
        let hint = Some("wait for its end, or stop it".to_string());
        Refusal { run, hint, ..Refusal::new(409, "busy", message) }
    }

    /// Nothing can be done to it any more, or not from here.
    pub fn not_going_on(run: i64) -> Refusal {
        let message = format!("run {run} does not go on in this panel");
        let hint = "one that is over stays as it is, one of a terminal is ended there".to_string();
        Refusal { hint: Some(hint), ..Refusal::new(409, "over", message) }
    }

    pub fn missing(what: impl Into<String>) -> Refusal {
        Refusal::new(404, "missing", what)
    }

    pub fn forbidden(message: impl Into<String>, hint: impl Into<String>) -> Refusal {
        Refusal { hint: Some(hint.into()), ..Refusal::new(403, "forbidden", message) }
    }

    /// It is not said who asks.
    pub fn nobody() -> Refusal {
        let hint = "sign in at /login, or send `Authorization: Bearer TOKEN`".to_string();
        Refusal {
            hint: Some(hint),
            ..Refusal::new(401, "nobody", "this is for those who signed in")
        }
    }

    pub fn too_many(message: impl Into<String>, hint: impl Into<String>) -> Refusal {
        Refusal { hint: Some(hint.into()), ..Refusal::new(429, "too_many", message) }
    }

    /// The panel itself could not.
    pub fn failed(message: impl Into<String>) -> Refusal {
        Refusal::new(500, "failed", message)
    }

    pub fn of_field(self, field: impl Into<String>) -> Refusal {
        Refusal { field: Some(field.into()), ..self }
    }

    /// The same, which is worth another attempt after so many seconds.
    pub fn after(self, seconds: u64) -> Response {
        let mut response = self.into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        response
    }
}

/// What blast refuses on the command line it refuses here, in the same words.
impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        match error.exit {
            Exit::Usage => Refusal::new(422, "usage", error.message),
            _ => Refusal::failed(error.message),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let Refusal { code, message, field, hint, run, .. } = self;
        let mut response =
            (status, Json(Fault { code, message, field, hint, run })).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, 11.6.1: how one may say who one is.
            let name: HeaderName = header::WWW_AUTHENTICATE;
            response.headers_mut().insert(name, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_command_line_is_the_askers_and_every_other_the_panels() {
        let asked = Refusal::from(Error::usage("a; do b"));
        assert_eq!((asked.status, asked.code, &*asked.message), (422, "usage", "a; do b"));
        assert_eq!(Refusal::from(Error::failed("c")).status, 500);
    }

    #[test]
    fn who_stands_in_the_way_is_named() {
        let busy = Refusal::busy(7);
        assert_eq!((busy.status, busy.run), (409, Some(7)));
        assert!(busy.message.contains("run 7 goes on"), "{}", busy.message);
        let limit = Refusal::over_limit("workers", "200", "100", "ask for fewer");
        assert_eq!(limit.message, "workers of 200 is over the limit of 100");
    }
}
