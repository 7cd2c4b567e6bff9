//! HTTP Archive 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>): what a browser or a proxy
//! recorded. Only requests are read; answers are passed over.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use super::Refusal;
use super::call::{Body, Part};
use super::draft::{Draft, find};
use super::placeholder::literal;

#[derive(Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Field>,
    #[serde(rename = "postData")]
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    params: Vec<Param>,
    text: Option<String>,
    /// Not of the format, but written by some for bodies that are no text.
    encoding: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Param {
    name: String,
    value: Option<String>,
    file_name: Option<String>,
    content_type: Option<String>,
}

const EXPECTED: &str = "HAR 1.2 (log.entries, each with a request of method, url and headers)";

pub fn read(bytes: &[u8], draft: &mut Draft) -> Result<(), Refusal> {
    let archive: Archive =
        serde_json::from_slice(bytes).map_err(|error| Refusal::of_json(&error, 1, EXPECTED))?;
    for (number, entry) in archive.log.entries.into_iter().enumerate() {
        let Request { method, url, headers, post_data } = entry.request;
        let mut headers: Vec<(String, String)> =
            headers.into_iter().map(|field| (field.name, literal(&field.value))).collect();
        let body = post_data.and_then(|data| data.body(&mut headers, draft));
        draft.add_url(&method, &url, headers, body).map_err(|error| {
            Refusal::whole(format!("entry {} has a bad URL: {error}", number + 1))
        })?;
    }
    Ok(())
}

impl PostData {
    fn body(self, headers: &mut Vec<(String, String)>, draft: &mut Draft) -> Option<Body> {
        if find(headers, "Content-Type").is_none() && !self.mime_type.is_empty() {
            headers.push(("Content-Type".into(), literal(&self.mime_type)));
        }
        let essence = essence(&self.mime_type);
        let is_base64 = self.encoding.as_deref() == Some("base64");
        match self.text {
            Some(text) if is_base64 => {
                let bytes = BASE64.decode(text.as_bytes()).unwrap_or_else(|_| text.into_bytes());
                Some(of_bytes(bytes, &essence))
            }
            // A recording of a file's upload has the fields, and not always the file.
            _ if essence == "multipart/form-data" && !self.params.is_empty() => {
                Some(Body::Multipart(parts(self.params, draft)))
            }
            Some(text) if !text.is_empty() => Some(of_text(&text, &essence)),
            _ if !self.params.is_empty() => {
                let field = |param: Param| {
                    (literal(&param.name), literal(&param.value.unwrap_or_default()))
                };
                Some(Body::Form(self.params.into_iter().map(field).collect()))
            }
            _ => None,
        }
    }
}

fn parts(params: Vec<Param>, draft: &mut Draft) -> Vec<Part> {
    let part = |param: Param| {
        let Param { name, value, file_name, content_type } = param;
        if let Some(file) = &file_name {
            draft.note(format!(
                "the recording does not hold the file {}: put it beside the plan",
                crate::units::quote(file)
            ));
        }
        let value = literal(&value.unwrap_or_default());
        Part { name, value, file: file_name.clone(), filename: file_name, content_type }
    };
    params.into_iter().map(part).collect()
}

/// The type without its parameters.
pub fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A body by its type: fields and members are kept apart only where that loses nothing.
pub fn of_text(text: &str, essence: &str) -> Body {
    let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    match essence {
        "application/json" if is_json() => Body::Json(literal(text)),
        "application/x-www-form-urlencoded" => match fields(text) {
            Some(fields) => Body::Form(fields),
            None => Body::Text(literal(text)),
        },
        _ => Body::Text(literal(text)),
    }
}

pub fn of_bytes(bytes: Vec<u8>, essence: &str) -> Body {
    match String::from_utf8(bytes) {
        Ok(text) => of_text(&text, essence),
        Err(error) => Body::Bytes(error.into_bytes()),
    }
}

/// The fields of a form, if it is the form that they would be sent as and no name comes twice.
fn fields(text: &str) -> Option<Vec<(String, String)>> {
    let fields: Vec<(String, String)> =
        url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let again: String =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let is_plain = again == text && names.len() == fields.len() && !names.contains(&"");
    let literals = |(name, value): (String, String)| (literal(&name), literal(&value));
    is_plain.then(|| fields.into_iter().map(literals).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_taken_apart_only_where_it_can_be_put_together_again() {
        for (text, is_form) in
            [("a=1&b=x+y", true), ("a=1&a=2", false), ("a=%7e", false), ("raw text", false)]
        {
            let body = of_text(text, "application/x-www-form-urlencoded");
            assert_eq!(matches!(body, Body::Form(_)), is_form, "{text}");
        }
    }

    #[test]
    fn json_that_is_none_is_a_text() {
        assert_eq!(of_text("{\"a\":1}", "application/json"), Body::Json("{\"a\":1}".into()));
        assert_eq!(of_text("{a}", "application/json"), Body::Text("{a}".into()));
    }
}
