//! What a run tells, as server-sent events: all so far, then what comes. An event's number is its
//! id, so that a browser whose connection was lost goes on where it was (`Last-Event-ID`).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

use super::runs::about;
use crate::serve::input::{Asked, Pass, RunId, Viewer};
use crate::serve::refusal::{Fault, Refusal};
use crate::serve::runs::Events;
use crate::serve::{MOST_STREAMS, Panel};

/// Proxies close what is silent for longer.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// How often it is asked whether who watches still may: one look into a table by its key.
const ASKED_AGAIN: Duration = Duration::from_secs(5);

/// Events that are on their way to who is slow; the rest waits where it comes from.
const ON_THE_WAY: usize = 64;

/// When who finds no place comes again, in s.
const LATER: u64 = 5;

type Sender = mpsc::Sender<Result<Event, Infallible>>;

#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// Only what came after this event; the header `Last-Event-ID` says the same.
    after: Option<u64>,
}

/// A run, live: intervals, phases, names, warnings, edits, and its end. `event` is the line's type,
/// `data` the line as `-o FILE.ndjson` writes it.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}/events",
    tag = "runs",
    params(("id" = i64, Path), From, ("Last-Event-ID" = Option<u64>, Header)),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 404, body = Fault),
        (status = 503, description = "64 others watch", body = Fault),
    )
)]
pub async fn events(
    State(panel): State<Arc<Panel>>,
    _: Viewer,
    RunId(id): RunId,
    Asked(from): Asked<From>,
    pass: Pass,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    panel
        .aside(move |panel| {
            panel.with_history(|history| history.show(id)).map_err(|error| about(id, error))
        })
        .await?;
    let Ok(place) = Arc::clone(&panel.streams).try_acquire_owned() else {
        let refusal = Refusal::new(503, "too_many_streams", "as many watch as there is room for");
        let hint = Some(format!("{MOST_STREAMS} may watch at once; close another tab"));
        return Ok(Refusal { hint, ..refusal }.after(LATER));
    };
    let told = panel.runs.watch(id, last.or(from.after))?;
    let (to, from) = mpsc::channel(ON_THE_WAY);
    tokio::spawn(async move {
        pass_on(&panel, told, &pass, to).await;
        drop(place);
    });
    let alive = KeepAlive::new().interval(SIGN_OF_LIFE);
    Ok(Sse::new(ReceiverStream::new(from)).keep_alive(alive).into_response())
}

/// Until the run has told all, or who watches is gone, or may not any more.
async fn pass_on(panel: &Arc<Panel>, told: Events, pass: &Pass, to: Sender) {
    let mut closing = panel.closing.subscribe();
    // In this order: what was told before the panel ends is passed on, a run's end above all.
    tokio::select! {
        biased;
        () = tell(told, &to) => {}
        () = refused(panel, pass) => {}
        () = to.closed() => {}
        _ = closing.wait_for(|is_closing| *is_closing) => {}
    }
}

async fn tell(mut told: Events, to: &Sender) {
    while let Some(event) = told.next().await {
        let sent = Event::default().id(event.number.to_string());
        let sent = sent.event(kind(&event.line)).data(&*event.line);
        if to.send(Ok(sent)).await.is_err() {
            return;
        }
    }
}

/// Once a token was revoked, or a session is over.
async fn refused(panel: &Arc<Panel>, pass: &Pass) {
    loop {
        tokio::time::sleep(ASKED_AGAIN).await;
        // A locked file is no reason to send anybody away.
        if matches!(pass.holder(panel).await, Ok(None)) {
            return;
        }
    }
}

/// The line's `type`, which browsers choose by.
fn kind(line: &str) -> String {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow, rename = "type")]
        kind: std::borrow::Cow<'a, str>,
    }
    let read = serde_json::from_str::<Line>(line);
    let kind = read.map(|line| line.kind.into_owned()).unwrap_or_default();
    match kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !kind.is_empty() {
        true => kind,
        false => "message".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_called_what_its_line_is() {
        for (line, expected) in [
            (r#"{"type":"interval","t_s":1}"#, "interval"),
            (r#"{"t_s":1,"type":"end"}"#, "end"),
            (r#"{"type":"a\nb"}"#, "message"),
            ("{}", "message"),
            ("", "message"),
        ] {
            assert_eq!(kind(line), expected, "{line}");
        }
    }
}
