//! Telemetry: devices that send eight readings, with a key in a header.

use serde_json::json;

use super::Shared;
use super::call::Visit;
use super::form;
use super::reply::Reply;

pub(super) fn update(shared: &Shared, visit: &Visit) -> Reply {
    if visit.field("X-API-Key").unwrap_or_default().is_empty() {
        return Reply::error(401, "a header X-API-Key is required");
    }
    let Some(object) = form::object(visit) else {
        return Reply::error(400, "the body must be a JSON object or a form");
    };
    let is_read = |number: u32| {
        let reading = object.get(&format!("field{number}"));
        reading.is_some_and(|reading| reading.is_number() || reading.is_string())
    };
    match (1..=8).all(is_read) {
        true => Reply::json(200, json!({ "ok": true, "entry": shared.next_id() })),
        false => Reply::error(400, "readings field1 to field8 are required"),
    }
}
