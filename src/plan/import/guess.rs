//! Which format a file is in, by what it looks like.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Format, Refusal};

/// What tells JSON formats apart: which of these members there are.
#[derive(Deserialize)]
struct Members {
    log: Option<IgnoredAny>,
    info: Option<IgnoredAny>,
    item: Option<IgnoredAny>,
    openapi: Option<IgnoredAny>,
    swagger: Option<IgnoredAny>,
    method: Option<IgnoredAny>,
    url: Option<IgnoredAny>,
    collection: Option<IgnoredAny>,
}

/// Bytes that are looked at for the first lines of a text.
const LOOKED_AT: usize = 64 * 1024;

pub fn format(bytes: &[u8]) -> Result<Format, Refusal> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(Refusal::whole("it is empty; give a file with requests")),
        Some(b'{') => of_json(bytes),
        Some(_) => of_text(bytes),
    }
}

fn of_json(bytes: &[u8]) -> Result<Format, Refusal> {
    let mut documents = serde_json::Deserializer::from_slice(bytes).into_iter::<Members>();
    let members = match documents.next() {
        Some(Ok(members)) => members,
        Some(Err(error)) => return Err(Refusal::of_json(&error, 1, "a JSON document")),
        None => return Err(unknown()),
    };
    let format = match members {
        Members { log: Some(_), .. } => Format::Har,
        Members { openapi: Some(_), .. } | Members { swagger: Some(_), .. } => Format::OpenApi,
        Members { info: Some(_), item: Some(_), .. } => Format::Postman,
        Members { collection: Some(_), .. } => Format::Postman,
        Members { method: Some(_), url: Some(_), .. } => Format::VegetaJson,
        _ => return Err(unknown()),
    };
    Ok(format)
}

fn of_text(bytes: &[u8]) -> Result<Format, Refusal> {
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    let text = String::from_utf8_lossy(start);
    let lines = text.lines().map(str::trim_end);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let is_openapi = |line: &str| {
        let line = line.trim_start_matches(['"', '\'']);
        ["openapi", "swagger"].iter().any(|key| {
            let rest = line.strip_prefix(key).unwrap_or_default().trim_start_matches(['"', '\'']);
            // A host of that name would have its port here.
            rest.trim_start().starts_with(": ")
        })
    };
    if lines.clone().any(is_openapi) {
        return Ok(Format::OpenApi);
    }
    if lines.clone().next().is_some_and(|line| line == "---" || line.starts_with("%YAML")) {
        return Ok(Format::OpenApi);
    }
    let is_url = |line: &str| {
        let url = line.split_whitespace().last().unwrap_or_default();
        url.contains("://") || url.starts_with('/') || url.contains('.') || url.contains(':')
    };
    // A target of vegeta has fields or a body below it; where none has, the two are the same.
    let has_fields = lines.clone().any(|line| line.starts_with('@') || is_field(line));
    match lines.next() {
        Some(first) if is_target(first) && has_fields => Ok(Format::Vegeta),
        Some(first) if is_url(first) => Ok(Format::Urls),
        _ => Err(unknown()),
    }
}

/// `GET http://...`
fn is_target(line: &str) -> bool {
    let method = line.split_whitespace().next().unwrap_or_default();
    !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// `Name: value`
fn is_field(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    line.contains(':') && !line.contains("://") && super::draft::is_token(name)
        || line.split_once(": ").is_some_and(|(name, _)| super::draft::is_token(name))
}

fn unknown() -> Refusal {
    let names = Format::ALL.map(|format| format!("`{}`", format.name())).join(", ");
    Refusal::whole(format!("its looks tell no format; say which it is with --from: {names}"))
}
