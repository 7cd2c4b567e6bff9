//! A request of a plan file: what is sent, what is expected, what is kept of the answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::is_false;
use super::value::{Field, Listed, Pairs, Text};

/// What holds for all requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultsSheet {
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub headers: Pairs<Field>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<ExpectSheet>,
}

impl DefaultsSheet {
    pub fn is_empty(&self) -> bool {
        *self == DefaultsSheet::default()
    }
}

/// A request. At most one of `body`, `body_file`, `json`, `form` and `multipart`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSheet {
    /// In results, steps and thresholds; method and path if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its share among the others; 1 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u64>,
    /// GET if left out; POST with a body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Behind the base; may hold placeholders and a query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Appended to the path, percent-encoded.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub query: Pairs<Text>,
    /// "" sends a field empty, false removes one of the defaults.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub headers: Pairs<Field>,
    /// A text with placeholders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// A file, relative to the plan file, sent as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_file: Option<String>,
    /// The text of `body_file` holds placeholders.
    #[serde(default, skip_serializing_if = "is_false")]
    pub template: bool,
    /// A table or list that is sent as JSON; a string is sent as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub json: Option<toml::Value>,
    /// Sent as application/x-www-form-urlencoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Pairs<Text>>,
    /// Sent as multipart/form-data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multipart: Option<Vec<PartSheet>>,
    /// Of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<ExpectSheet>,
    /// An answer that fails one is rejected under its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSheet>,
    /// Values of the answer, for `{{capture.NAME}}`.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub capture: Pairs<CaptureSheet>,
}

/// A part of a multipart body: a value or a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartSheet {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Text>,
    /// Relative to the plan file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// As the server is told it; the file's own if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Its Content-Type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// What makes an answer a good one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectSheet {
    /// Such as 200, "200,3xx" or [200, "3xx"]; 200 to 399 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Listed>,
    /// Bytes of the body, such as "1k..2k".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Text>,
    /// What the body holds: a text, or "/REGEX/".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A named test of an answer: one of `json`, `header`, `contains`, `regex`, `status`, `size` and
/// `latency`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSheet {
    /// Rejected answers are counted as check:NAME.
    pub name: String,
    /// A JSON pointer such as "/items/0/id", whose value exists or is `equals`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// A field of the head, which exists, is `equals` or `contains`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub equals: Option<toml::Value>,
    /// A text that the body holds, or the field of `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// What matches somewhere in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Listed>,
    /// Bytes of the body, such as "..2k".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Text>,
    /// At most, from sent to done, such as "500ms".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Text>,
}

/// Where a value stands in the answer: one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureSheet {
    /// A JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// The first group, or all that matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
}
