//! OpenAPI 3.0 and 3.1 (spec.openapis.org), as JSON or YAML: a request for each operation, with
//! examples where the document has them and placeholders where it has schemas.

use serde_json::{Map, Value};

use super::Refusal;
use super::call::{Body, Call, Part, Told};
use super::draft::{Draft, origin};
use super::placeholder::{encoded, literal};
use super::schema::{Document, json_text, literals, written};
use crate::plan::Url;
use crate::units::quote;

const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

pub fn read(bytes: &[u8], draft: &mut Draft) -> Result<(), Refusal> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Refusal::whole("expected text in UTF-8, and it is none"))?;
    let root = parse(text)?;
    check_version(&root, text)?;
    let (origin, prefix) = server(&root)?;
    let Some(paths) = root.get("paths").and_then(Value::as_object) else {
        let line = line_of(text, "paths").or_else(|| line_of(text, "openapi"));
        let message = "expected `paths`, an object of paths with their operations";
        return Err(Refusal { line, message: message.into() });
    };
    let document = Document(&root);
    let mut reader = Reader { root: &root, document, origin, prefix, draft };
    for (path, item) in paths {
        let item = document.resolve(item);
        if !path.starts_with('/') || !item.is_object() {
            let message = format!(
                "expected a path such as `/pets` with operations below, at {}",
                quote(path)
            );
            return Err(Refusal { line: line_of(text, path), message });
        }
        for method in METHODS {
            if let Some(operation) = item.get(method).filter(|operation| operation.is_object()) {
                reader.operation(method, path, item, operation);
            }
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<Value, Refusal> {
    const EXPECTED: &str = "an OpenAPI 3 document";
    if text.trim_start().starts_with('{') {
        let parsed = serde_json::from_str(text);
        return parsed.map_err(|error| Refusal::of_json(&error, 1, EXPECTED));
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map(|place| place.line() as usize);
        let line = line.filter(|line| *line > 0);
        Refusal { line, message: format!("expected {EXPECTED}, and it is no valid YAML here") }
    })
}

fn check_version(root: &Value, text: &str) -> Result<(), Refusal> {
    let version = root.get("openapi").map(written);
    match version {
        Some(version) if version.starts_with("3.") => Ok(()),
        Some(version) => Err(Refusal {
            line: line_of(text, "openapi"),
            message: format!("expected OpenAPI 3, and it is of version {}", quote(&version)),
        }),
        None if root.get("swagger").is_some() => Err(Refusal {
            line: line_of(text, "swagger"),
            message: "expected OpenAPI 3, and it is Swagger 2; convert it first, as with \
                      https://converter.swagger.io"
                .into(),
        }),
        None => {
            Err(Refusal::whole("expected an OpenAPI 3 document, and it has no `openapi: 3...`"))
        }
    }
}

/// The first line that begins with this key, from 1: what reads the document keeps no places.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let is_key = |line: &str| {
        let line = line.trim_start_matches(['{', ' ', '\t', '"', '\'']);
        line.strip_prefix(key).is_some_and(|rest| rest.starts_with([':', '"', '\'', ' ']))
    };
    text.lines().position(is_key).map(|at| at + 1)
}

/// The first server: its origin, and the path that all paths stand behind.
fn server(root: &Value) -> Result<(String, String), Refusal> {
    let server = root.get("servers").and_then(Value::as_array).and_then(|all| all.first());
    let mut url = server.and_then(|server| server.get("url")).map(written).unwrap_or_default();
    let variables = server.and_then(|server| server.get("variables")).and_then(Value::as_object);
    for (name, variable) in variables.into_iter().flatten() {
        let default = variable.get("default").map(written).unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), &default);
    }
    if !url.contains("://") {
        let path = url.trim_matches('/');
        let prefix = if path.is_empty() { String::new() } else { format!("/{path}") };
        return Ok((String::new(), literal(&prefix)));
    }
    let refuse = |error| Refusal::whole(format!("servers[0].url is no URL here: {error}"));
    let parsed = Url::parse(&url).map_err(refuse)?;
    let origin = origin(&parsed).map_err(refuse)?;
    let prefix = parsed.target.split('?').next().unwrap_or_default().trim_end_matches('/');
    Ok((origin, literal(prefix)))
}

struct Reader<'a> {
    root: &'a Value,
    document: Document<'a>,
    origin: String,
    prefix: String,
    draft: &'a mut Draft,
}

impl<'a> Reader<'a> {
    fn operation(&mut self, method: &str, path: &str, item: &'a Value, operation: &'a Value) {
        let mut parts = Parts::default();
        for parameter in self.parameters(item, operation) {
            self.parameter(parameter, &mut parts);
        }
        self.secure(operation, &mut parts);
        let body = operation.get("requestBody").map(|body| self.document.resolve(body));
        let body = body.and_then(|body| self.body(body, &mut parts.headers));
        if !parts.cookies.is_empty() {
            parts.headers.push(("Cookie".into(), parts.cookies.join("; ")));
        }
        let mut target = format!("{}{}", self.prefix, with_parameters(path, &parts.path));
        if !parts.query.is_empty() {
            target = format!("{target}?{}", parts.query.join("&"));
        }
        let comment = operation.get("summary").or_else(|| operation.get("operationId"));
        let told = Told {
            path: Some(format!("{}{path}", self.prefix)),
            comment: comment.map(written).unwrap_or_default(),
        };
        self.draft.add(Call {
            method: method.to_ascii_uppercase(),
            origin: self.origin.clone(),
            path: encoded(&target),
            headers: parts.headers,
            body,
            told,
        });
    }

    /// Of the path and of the operation, which has the last word.
    fn parameters(&self, item: &'a Value, operation: &'a Value) -> Vec<&'a Value> {
        let listed = |of: &'a Value| of.get("parameters").and_then(Value::as_array);
        let all = [listed(item), listed(operation)].into_iter().flatten().flatten();
        let mut parameters: Vec<&Value> = Vec::new();
        for parameter in all.map(|parameter| self.document.resolve(parameter)) {
            let is_same = |known: &&Value| {
                ["name", "in"].iter().all(|key| known.get(key) == parameter.get(key))
            };
            match parameters.iter_mut().find(|known| is_same(known)) {
                Some(known) => *known = parameter,
                None => parameters.push(parameter),
            }
        }
        parameters
    }

    fn parameter(&mut self, parameter: &'a Value, parts: &mut Parts) {
        let name = parameter.get("name").map(written).unwrap_or_default();
        let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
        let example = self.example(parameter);
        let schema = parameter.get("schema").map(|schema| self.document.resolve(schema));
        let is_required = parameter.get("required") == Some(&Value::Bool(true));
        let is_told = example.is_some()
            || schema.is_some_and(|schema| {
                schema.get("example").is_some() || schema.get("default").is_some()
            });
        // What may be left out is, unless the document shows it.
        if place != "path" && !is_required && !is_told {
            return;
        }
        let value = match (example, schema) {
            (Some(Value::Array(items)), _) => {
                items.first().map(|item| literal(&written(item))).unwrap_or_default()
            }
            (Some(example), _) => literal(&written(example)),
            (None, Some(schema)) => self.document.text(schema),
            (None, None) => "{{string 8}}".into(),
        };
        match place {
            "path" => parts.path.push((name, segment(&value))),
            "query" => {
                parts.query.push(format!("{}={}", query_text(&literal(&name)), query_text(&value)))
            }
            "header" => parts.headers.push((name, value)),
            "cookie" => parts.cookies.push(format!("{}={value}", literal(&name))),
            _ => {}
        }
    }

    /// `example`, or the first of `examples`.
    fn example(&self, of: &'a Value) -> Option<&'a Value> {
        let first = || {
            let example = of.get("examples")?.as_object()?.values().next()?;
            self.document.resolve(example).get("value")
        };
        of.get("example").or_else(first).filter(|value| !value.is_null())
    }

    fn body(&self, body: &'a Value, headers: &mut Vec<(String, String)>) -> Option<Body> {
        let content = body.get("content")?.as_object()?;
        let (kind, media) = preferred(content)?;
        let schema = media.get("schema");
        let made = || schema.and_then(|schema| self.document.sample(schema));
        let value = self.example(media).and_then(literals).or_else(made)?;
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/x-www-form-urlencoded" => Some(Body::Form(fields(value))),
            "multipart/form-data" => Some(Body::Multipart(self.parts(value, schema))),
            essence => {
                headers.push(("Content-Type".into(), literal(kind)));
                match value {
                    // An example as it is to be sent.
                    Value::String(text) if !essence.contains("json") => Some(Body::Text(text)),
                    Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
                        Some(Body::Json(text))
                    }
                    value if essence.contains("json") => Some(Body::Value(value)),
                    value => Some(Body::Text(json_text(&value))),
                }
            }
        }
    }

    fn parts(&self, value: Value, schema: Option<&'a Value>) -> Vec<Part> {
        let properties = schema.map(|schema| self.document.resolve(schema));
        let properties = properties.and_then(|schema| schema.get("properties"));
        let is_file = |name: &str| {
            let schema = properties.and_then(|all| all.get(name));
            let schema = schema.map(|schema| self.document.resolve(schema));
            schema.is_some_and(|schema| {
                schema.get("format").and_then(Value::as_str) == Some("binary")
                    || schema.get("contentMediaType").is_some()
            })
        };
        let part = |(name, value): (String, String)| match is_file(&name) {
            true => Part { file: Some(name.clone()), name, ..Part::default() },
            false => Part { name, value, ..Part::default() },
        };
        fields(value).into_iter().map(part).collect()
    }

    /// What the first of the alternatives asks for.
    fn secure(&mut self, operation: &'a Value, parts: &mut Parts) {
        let alternatives = operation.get("security").or_else(|| self.root.get("security"));
        let first = alternatives.and_then(Value::as_array).and_then(|all| all.first());
        let schemes = self.root.pointer("/components/securitySchemes");
        for name in first.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name) {
            let scheme = schemes.and_then(|schemes| schemes.get(name));
            if let Some(scheme) = scheme.map(|scheme| self.document.resolve(scheme)) {
                self.credential(scheme, parts);
            }
        }
    }

    fn credential(&mut self, scheme: &Value, parts: &mut Parts) {
        let of = |key: &str| scheme.get(key).map(written).unwrap_or_default();
        let name = of("name");
        let is_basic = of("type") == "http" && of("scheme").eq_ignore_ascii_case("basic");
        match (of("type").as_str(), of("in").as_str()) {
            ("apiKey", "query") => {
                let value = self.draft.secrets.asked_for(&name);
                parts.query.push(format!("{}={value}", query_text(&literal(&name))));
            }
            ("apiKey", "cookie") => {
                let value = self.draft.secrets.asked_for(&name);
                parts.cookies.push(format!("{}={value}", literal(&name)));
            }
            ("apiKey", _) => {
                let value = self.draft.secrets.asked_for(&name);
                parts.headers.push((name, value));
            }
            ("http", _) if is_basic => {
                let value = self.draft.secrets.asked_for("Authorization");
                parts.headers.push(("Authorization".into(), value));
                self.draft.note(
                    "AUTHORIZATION is all of the field's value: `Basic` and name:password in \
                     base64"
                        .into(),
                );
            }
            _ => {
                let value = self.draft.secrets.asked_for("Token");
                parts.headers.push(("Authorization".into(), format!("Bearer {value}")));
            }
        }
    }
}

/// What a request is put together from.
#[derive(Default)]
struct Parts {
    path: Vec<(String, String)>,
    query: Vec<String>,
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
}

/// `/pets/{id}` with what its parameters are.
fn with_parameters(path: &str, parameters: &[(String, String)]) -> String {
    let mut made = String::new();
    let mut rest = path;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, behind)) = behind.split_once('}') else { break };
        let value = parameters.iter().find(|(known, _)| known == name);
        made.push_str(before);
        made.push_str(value.map_or("{{string 8}}", |(_, value)| value.as_str()));
        rest = behind;
    }
    made + &literal(rest)
}

/// A value that is one segment of a path.
fn segment(text: &str) -> String {
    if text.contains("{{") {
        return text.to_string();
    }
    text.replace('%', "%25").replace('/', "%2F").replace('?', "%3F")
}

/// A name or a value of a query: what would end it is percent-encoded.
fn query_text(text: &str) -> String {
    if text.contains("{{") {
        return text.to_string();
    }
    text.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace('#', "%23")
}

/// The type of body that says most.
fn preferred(content: &Map<String, Value>) -> Option<(&String, &Value)> {
    let rank = |kind: &str| match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => 0,
        kind if kind.ends_with("+json") => 1,
        "application/x-www-form-urlencoded" => 2,
        "multipart/form-data" => 3,
        _ => 4,
    };
    content.iter().min_by_key(|(kind, _)| rank(kind))
}

/// Members as the fields of a form.
fn fields(value: Value) -> Vec<(String, String)> {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, written(&value))).collect()
        }
        _ => Vec::new(),
    }
}
