//! One request that was read, whatever the format.

use serde_json::Value;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    pub method: String,
    /// `http://host:port`; empty where the file does not say.
    pub origin: String,
    /// Path and query, starting with `/`.
    pub path: String,
    /// In the order that they were found in.
    pub headers: Vec<(String, String)>,
    pub body: Option<Body>,
    /// What the file calls it.
    pub told: Told,
}

impl Call {
    pub fn holds(&self, text: &str) -> bool {
        self.path.contains(text)
            || self.headers.iter().any(|(_, value)| value.contains(text))
            || self.body.as_ref().is_some_and(|body| body.holds(text))
    }
}

/// What the file says about a request. Equal to every other, so that equal requests with different
/// comments are merged.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The path as names show it, where it is not the request's own.
    pub path: Option<String>,
    pub comment: String,
}

impl PartialEq for Told {
    fn eq(&self, _: &Told) -> bool {
        true
    }
}

impl Eq for Told {}

impl std::hash::Hash for Told {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    Text(String),
    /// JSON as it was written.
    Json(String),
    /// JSON that was made here.
    Value(Value),
    Form(Vec<(String, String)>),
    Multipart(Vec<Part>),
    /// A file's name.
    File(String),
    /// No text.
    Bytes(Vec<u8>),
}

impl Body {
    pub fn is_empty(&self) -> bool {
        match self {
            Body::Form(fields) => fields.is_empty(),
            Body::Multipart(parts) => parts.is_empty(),
            _ => false,
        }
    }

    pub fn holds(&self, text: &str) -> bool {
        match self {
            Body::Text(body) | Body::Json(body) => body.contains(text),
            Body::Value(value) => value.to_string().contains(text),
            Body::Form(fields) => fields.iter().any(|(_, value)| value.contains(text)),
            Body::Multipart(parts) => parts.iter().any(|part| part.value.contains(text)),
            Body::File(_) | Body::Bytes(_) => false,
        }
    }
}

/// A field of multipart/form-data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Part {
    pub name: String,
    pub value: String,
    /// In place of the value.
    pub file: Option<String>,
    pub filename: Option<String>,
    pub content_type: Option<String>,
}

/// A variable of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    /// Without one it is to be given.
    pub default: Option<String>,
    pub help: String,
}
