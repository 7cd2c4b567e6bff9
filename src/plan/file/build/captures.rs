//! Captured values: who captures them, and who may use them.
//!
//! What the run's setup captures is everyone's. What a user captures is that user's, so a mix,
//! which has no users, has only the former.

use super::Builder;
use super::flow::Entries;
use crate::error::Result;
use crate::plan::file::{Field, Place, RequestSheet};
use crate::units::nearest;

impl Builder<'_> {
    /// The names of all, each once.
    pub(super) fn capture_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.written.sheet.requests.iter().flat_map(|request| request.capture.names()) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_string());
            }
        }
        names
    }

    /// Refuses what would always be empty.
    pub(super) fn check_captures(&self, entries: &Entries) -> Result<()> {
        let requests = &self.written.sheet.requests;
        let captured_by = |is_used: &dyn Fn(usize) -> bool| -> Vec<&str> {
            let rows = entries.rows.iter().enumerate().filter(|(entry, _)| is_used(*entry));
            rows.flat_map(|(_, row)| requests[row.request].capture.names()).collect()
        };
        let is_once = |entry: usize| {
            entries.run_setup.contains(&entry) || entries.run_teardown.contains(&entry)
        };
        let everyones = captured_by(&|entry| entries.run_setup.contains(&entry));
        let users = match self.written.sheet.session {
            Some(_) => captured_by(&|entry| !is_once(entry)),
            None => Vec::new(),
        };
        for (entry, row) in entries.rows.iter().enumerate() {
            let known =
                if is_once(entry) { everyones.clone() } else { [&everyones[..], &users].concat() };
            for (name, place) in mentions(&requests[row.request], row.request) {
                if !known.contains(&name.as_str()) {
                    return Err(self.error(&place, self.why(&name, &known, is_once(entry))));
                }
            }
        }
        Ok(())
    }

    fn why(&self, name: &str, known: &[&str], is_once: bool) -> String {
        let all = self.capture_names();
        let is_captured = all.iter().any(|other| other == name);
        match nearest(name, known.iter().copied()) {
            _ if is_captured && is_once => format!(
                "\"{name}\" is captured by users, and this is sent once for all of them; capture \
                 it in a request of [setup]"
            ),
            _ if is_captured && self.written.sheet.session.is_none() => format!(
                "\"{name}\" is captured by one request of a mix, and nothing says that another \
                 follows it; add [session], or capture it in a request of [setup]"
            ),
            _ if is_captured => {
                format!(
                    "\"{name}\" is captured by a request that is in no step; add it to the steps"
                )
            }
            Some(near) => format!("nothing is captured as \"{name}\"; did you mean \"{near}\"?"),
            None => format!(
                "nothing is captured as \"{name}\"; add it to the `capture` of the request whose \
                 answer has it"
            ),
        }
    }
}

/// The captures that a request is made from, and where they stand.
fn mentions(request: &RequestSheet, index: usize) -> Vec<(String, Place)> {
    let here = Place::top("requests").then(index);
    let mut found = Vec::new();
    let mut look = |text: &str, place: Place| {
        found.extend(names(text).map(|name| (name.to_string(), place.clone())));
    };
    let texts = [("path", &request.path), ("body", &request.body)];
    for (key, text) in texts {
        look(text.as_deref().unwrap_or_default(), here.then(key));
    }
    for (name, value) in request.query.iter() {
        look(&value.0, here.then("query").then(name));
    }
    for (name, field) in request.headers.iter() {
        if let Field::Send(value) = field {
            look(value, here.then("headers").then(name));
        }
    }
    for (name, value) in request.form.iter().flat_map(super::super::Pairs::iter) {
        look(&value.0, here.then("form").then(name));
    }
    for (part, place) in request.multipart.iter().flatten().zip(0..) {
        let value = part.value.as_ref().map_or("", |text| &text.0);
        look(value, here.then("multipart").then(place).then("value"));
    }
    if let Some(json) = &request.json {
        in_json(json, here.then("json"), &mut look);
    }
    found
}

fn in_json(value: &toml::Value, place: Place, look: &mut dyn FnMut(&str, Place)) {
    match value {
        toml::Value::String(text) => look(text, place),
        toml::Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| in_json(item, place.then(at), look));
        }
        toml::Value::Table(fields) => {
            fields.iter().for_each(|(name, item)| in_json(item, place.then(&**name), look));
        }
        _ => {}
    }
}

/// The names of `{{capture.NAME}}` in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| {
        let inside = rest.split("}}").next()?.trim();
        inside.strip_prefix("capture.").map(str::trim)
    })
}
