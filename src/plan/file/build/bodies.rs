//! Bodies of requests as pieces, and their types.

use bytes::Bytes;

use super::Builder;
use super::answers::json_of;
use crate::error::Result;
use crate::plan::file::{PartSheet, Place, RequestSheet, Text};
use crate::plan::template::{Escape, MultipartPart, Piece, body};

pub const FORM: &str = "application/x-www-form-urlencoded";
pub const JSON: &str = "application/json";

/// A body, and what its type is where nobody says another.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pub pieces: Vec<Piece>,
    pub content_type: Option<String>,
    /// An answer in JSON is asked for.
    pub is_json: bool,
}

impl Builder<'_> {
    pub(super) fn body(&self, request: usize) -> Result<Body> {
        let sheet = &self.written.sheet.requests[request];
        let place = Place::top("requests").then(request);
        self.check_one_body(sheet, &place)?;
        let text = |text: &str, content_type: &str| Body {
            pieces: vec![Piece::Text(text.to_string(), escape_of(text))],
            content_type: Some(content_type.to_string()),
            is_json: content_type == JSON,
        };
        if let Some(body) = &sheet.body {
            return Ok(text(body, FORM));
        }
        if let Some(file) = &sheet.body_file {
            let here = place.then("body_file");
            let bytes = self.file(file, &here)?;
            return Ok(match sheet.template {
                false => Body {
                    pieces: vec![Piece::Fixed(bytes)],
                    content_type: Some(FORM.to_string()),
                    is_json: false,
                },
                true => text(&self.utf8(bytes, &here)?, FORM),
            });
        }
        if let Some(value) = &sheet.json {
            return Ok(match value {
                toml::Value::String(written) => Body {
                    pieces: vec![Piece::Text(written.clone(), Escape::Json)],
                    ..text("", JSON)
                },
                value => Body { pieces: body::json(&json_of(value)), ..text("", JSON) },
            });
        }
        if let Some(form) = &sheet.form {
            let pairs: Vec<(String, String)> =
                form.iter().map(|(name, Text(value))| (name.to_string(), value.clone())).collect();
            return Ok(Body { pieces: body::form(&pairs), ..text("", FORM) });
        }
        match &sheet.multipart {
            Some(parts) => self.multipart(parts, &place.then("multipart")),
            None => Ok(Body::default()),
        }
    }

    fn check_one_body(&self, sheet: &RequestSheet, place: &Place) -> Result<()> {
        let bodies = [
            ("body", sheet.body.is_some()),
            ("body_file", sheet.body_file.is_some()),
            ("json", sheet.json.is_some()),
            ("form", sheet.form.is_some()),
            ("multipart", sheet.multipart.is_some()),
        ];
        let given: Vec<&str> = bodies.iter().filter(|(_, is)| *is).map(|(key, _)| *key).collect();
        if let [first, second, ..] = given[..] {
            let message = format!("`{first}` and `{second}` are two bodies; keep one of them");
            return Err(self.error(&place.then(second), message));
        }
        if sheet.template && sheet.body_file.is_none() {
            let message = "`template` goes with `body_file`; other bodies hold placeholders anyway";
            return Err(self.error(&place.then("template"), message));
        }
        match (&sheet.content_type, given.first()) {
            (Some(_), Some(&"multipart")) => {
                let message = "multipart has a type of its own, with its boundary; drop it";
                Err(self.error(&place.then("content_type"), message))
            }
            (Some(_), None) => {
                let message = "there is no body to be of this type; drop it, or add a body";
                Err(self.error(&place.then("content_type"), message))
            }
            _ => Ok(()),
        }
    }

    fn multipart(&self, parts: &[PartSheet], place: &Place) -> Result<Body> {
        if parts.is_empty() {
            return Err(
                self.error(place, "there is no part in it; add one with a name and a value")
            );
        }
        let parts = parts.iter().enumerate();
        let parts: Result<Vec<MultipartPart>> =
            parts.map(|(index, part)| self.part(part, &place.then(index))).collect();
        let (pieces, content_type) = body::multipart(&parts?);
        Ok(Body { pieces, content_type: Some(content_type), is_json: false })
    }

    fn part(&self, part: &PartSheet, place: &Place) -> Result<MultipartPart> {
        let (content, filename, content_type) = match (&part.value, &part.file) {
            (Some(Text(value)), None) => {
                (Piece::Text(value.clone(), Escape::Raw), part.filename.clone(), None)
            }
            (None, Some(file)) => {
                let bytes = self.file(file, &place.then("file"))?;
                let name = part.filename.clone();
                let name = name.unwrap_or_else(|| crate::http::multipart::base_name(file));
                let kind = crate::http::multipart::type_of(file);
                (Piece::Fixed(bytes), Some(name), Some(kind.to_string()))
            }
            _ => {
                let message = "a part has a `value` or a `file`; write one of them";
                return Err(self.error(place, message));
            }
        };
        let content_type = part.content_type.clone().or(content_type);
        if content_type.as_deref().is_some_and(|text| text.chars().any(char::is_control)) {
            let message = "a type holds a control character; write one such as \"text/csv\"";
            return Err(self.error(&place.then("type"), message));
        }
        Ok(MultipartPart { name: part.name.clone(), content, filename, content_type })
    }

    /// The bytes of a file that the plan names.
    fn file(&self, name: &str, place: &Place) -> Result<Bytes> {
        let read = (self.around.read)(&self.around.folder.join(name));
        read.map_err(|error| self.error(place, error.message))
    }

    fn utf8(&self, bytes: Bytes, place: &Place) -> Result<String> {
        String::from_utf8(bytes.into()).map_err(|_| {
            self.error(place, "a template is text in UTF-8, and the file is not; drop `template`")
        })
    }
}

/// What looks like JSON is taken for it, so that no value can end its string.
fn escape_of(text: &str) -> Escape {
    match text.trim_start().as_bytes().first() {
        Some(b'{' | b'[') if !text.trim_start().starts_with("{{") => Escape::Json,
        _ => Escape::Raw,
    }
}
