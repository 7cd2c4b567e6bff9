//! The hospital registry: a page, a list, and two ways to add to it.

use serde_json::{Value, json};

use super::Shared;
use super::call::Visit;
use super::form;
use super::reply::Reply;

pub(super) fn root() -> Reply {
    Reply::json(200, json!({ "name": "blast demonstration application", "ok": true }))
}

pub(super) fn list() -> Reply {
    let hospital = |(id, (name, beds)): (usize, &(&str, u32))| json!({ "id": id + 1, "name": name, "beds": beds });
    Reply::json(200, HOSPITALS.iter().enumerate().map(hospital).collect())
}

/// A hospital or a patient: the id that came with it, or the next free one.
pub(super) fn create(shared: &Shared, visit: &Visit) -> Reply {
    let Some(mut object) = form::object(visit) else {
        return Reply::error(400, "the body must be a JSON object or a form");
    };
    let id = object.remove("id").unwrap_or_else(|| Value::from(shared.next_id()));
    Reply::json(201, json!({ "id": id }))
}

const HOSPITALS: [(&str, u32); 5] = [
    ("North General", 420),
    ("Harbour Clinic", 85),
    ("St. Anne", 310),
    ("University Hospital", 1_150),
    ("Hill Road Children's Hospital", 140),
];
