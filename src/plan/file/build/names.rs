//! Names of requests: as they are written, or method and path.

use std::collections::HashMap;

use crate::error::Result;
use crate::plan::file::{Place, RequestSheet, Written};
use crate::units::nearest;

/// Of all requests, in their order; each once.
pub fn of_requests(written: &Written) -> Result<Vec<String>> {
    let requests = &written.sheet.requests;
    if requests.is_empty() {
        return Err(written.error(
            &Place::top("requests"),
            "the plan sends nothing; add a request: [[requests]] with path = \"/\"",
        ));
    }
    let mut given: HashMap<&str, usize> = HashMap::new();
    for (place, request) in requests.iter().enumerate() {
        let Some(name) = request.name.as_deref() else { continue };
        let here = Place::top("requests").then(place).then("name");
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err(
                written.error(&here, "a name is a line of text; write one, or leave it out")
            );
        }
        if given.insert(name, place).is_some() {
            let message = format!("two requests are named \"{name}\"; give one of them another");
            return Err(written.error(&here, message));
        }
    }
    let mut names = Numbered::default();
    given.keys().for_each(|name| names.take(name));
    Ok(requests
        .iter()
        .map(|request| match &request.name {
            Some(name) => name.clone(),
            None => names.next(&default_name(request)),
        })
        .collect())
}

fn default_name(request: &RequestSheet) -> String {
    format!("{} {}", method(request), request.path.as_deref().unwrap_or("/"))
}

/// As it is sent.
pub fn method(request: &RequestSheet) -> String {
    match &request.method {
        Some(method) => {
            let upper = method.to_ascii_uppercase();
            let is_usual = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
                .contains(&upper.as_str());
            if is_usual { upper } else { method.clone() }
        }
        None if has_body(request) => "POST".to_string(),
        None => "GET".to_string(),
    }
}

pub fn has_body(request: &RequestSheet) -> bool {
    request.body.is_some()
        || request.body_file.is_some()
        || request.json.is_some()
        || request.form.is_some()
        || request.multipart.is_some()
}

/// The place of the request of this name, as a list at `place` asks for it.
pub fn find(written: &Written, names: &[String], name: &str, place: &Place) -> Result<usize> {
    names.iter().position(|known| known == name).ok_or_else(|| {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("there are \"{}\"", known.join("\", \"")),
        };
        written.error(place, format!("no request is named \"{name}\"; {hint}"))
    })
}

/// Makes names unique: the second of one is `NAME (2)`.
#[derive(Debug, Default)]
pub struct Numbered {
    taken: HashMap<String, usize>,
}

impl Numbered {
    /// It is somebody's.
    pub fn take(&mut self, name: &str) {
        self.taken.insert(name.to_string(), 1);
    }

    pub fn next(&mut self, name: &str) -> String {
        let mut unique = name.to_string();
        let mut number = self.taken.get(name).copied().unwrap_or(0);
        while self.taken.contains_key(&unique) {
            number += 1;
            unique = format!("{name} ({number})");
        }
        self.taken.insert(name.to_string(), number.max(1));
        self.taken.insert(unique.clone(), 1);
        unique
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let mut names = Numbered::default();
        names.take("x (2)");
        let made = ["x", "x", "x", "y", "x (2)"].map(|name| names.next(name));
        assert_eq!(made, ["x", "x (3)", "x (4)", "y", "x (2) (2)"]);
    }
}
