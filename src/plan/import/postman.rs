//! Postman collections, v2.0 and v2.1 (schema.getpostman.com): folders, variables, authorisation
//! that folders hand down, and every kind of body but what scripts make.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::Refusal;
use super::call::{Body, Call, Part, Told};
use super::collection::{
    Address, Auth, Collection, Content, File, Item, Pair, Request, Source, TextOr, Variable,
    written,
};
use super::draft::{Draft, find, origin};
use super::har::essence;
use super::placeholder::{encoded, literal};
use super::variables::{Variables, authority_at};
use crate::plan::Url;
use crate::units::quote;

const EXPECTED: &str = "a Postman collection v2.1 (info, and item with requests)";

pub fn read(bytes: &[u8], draft: &mut Draft) -> Result<(), Refusal> {
    let refuse = |error| Refusal::of_json(&error, 1, EXPECTED);
    let file: File = serde_json::from_slice(bytes).map_err(refuse)?;
    let File { collection, item, variable, auth } = file;
    let collection = match (collection, item) {
        (Some(collection), _) => collection,
        (None, Some(item)) => Collection { item, variable, auth },
        (None, None) => {
            return Err(Refusal::at(1, format!("expected {EXPECTED}, and there is no `item`")));
        }
    };
    let variables = Variables::of(&collection.variable);
    let mut reader = Reader { draft, variables, folders: Vec::new() };
    reader.folder(collection.item, collection.auth.as_ref())?;
    let Reader { variables, draft, .. } = reader;
    draft.vars = variables.used();
    Ok(())
}

struct Reader<'a> {
    draft: &'a mut Draft,
    variables: Variables,
    /// Names of the folders that are open.
    folders: Vec<String>,
}

impl Reader<'_> {
    fn folder(&mut self, items: Vec<Item>, auth: Option<&Auth>) -> Result<(), Refusal> {
        for item in items {
            let own = item.auth.as_ref().or(auth);
            self.folders.push(item.name);
            match item.request {
                Some(TextOr::Text(url)) => self.request(Request::get(url), own)?,
                Some(TextOr::One(request)) => self.request(request, own)?,
                Some(TextOr::List(_)) | None => {}
            }
            if let Some(items) = item.item {
                self.folder(items, own)?;
            }
            self.folders.pop();
        }
        Ok(())
    }

    fn request(&mut self, request: Request, auth: Option<&Auth>) -> Result<(), Refusal> {
        let Request { method, url, header, body, auth: own } = request;
        let (raw, parameters) = match url {
            Some(TextOr::Text(raw)) => (raw, Vec::new()),
            Some(TextOr::One(Address { raw: Some(raw), variable })) => (raw, variable),
            _ => {
                self.draft.pass_over("without a URL".into());
                return Ok(());
            }
        };
        let (origin, path) = self.address(&raw, &parameters)?;
        let mut headers = Vec::new();
        for Pair { key, value, .. } in pairs(header).into_iter().filter(|pair| !pair.disabled) {
            headers.push((key, self.text(&written(&value))));
        }
        let body = body.filter(|body| !body.disabled);
        let body = body.and_then(|body| self.body(body, &mut headers));
        let path = match own.as_ref().or(auth) {
            Some(auth) => self.authorise(auth, path, &mut headers),
            None => path,
        };
        let method = method.filter(|method| !method.is_empty()).unwrap_or_else(|| "GET".into());
        let told = Told { path: None, comment: self.folders.join(" / ") };
        self.draft.add(Call { method, origin, path, headers, body, told });
        Ok(())
    }

    /// The base, and path with query, of an address with variables.
    fn address(&mut self, raw: &str, parameters: &[Variable]) -> Result<(String, String), Refusal> {
        let raw = self.variables.with_base(raw.trim());
        let (authority, rest) = split(&raw);
        let path = self.path(rest, parameters);
        let Some(authority) = authority else {
            let name = raw.trim_start_matches('{').split("}}").next().unwrap_or_default();
            self.draft.note(format!(
                "the variable {} has no value in the collection: `url` in the plan has to say \
                 where requests go",
                quote(name)
            ));
            return Ok((String::new(), path));
        };
        let origin = Url::parse(authority).and_then(|url| origin(&url)).map_err(|error| {
            Refusal::whole(format!("{} has a bad URL: {error}", quote(&self.folders.join(" / "))))
        })?;
        Ok((origin, path))
    }

    /// `:name` in a path stands for a variable of the address.
    fn path(&mut self, rest: &str, parameters: &[Variable]) -> String {
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let segments = path.split('/').map(|segment| match segment.strip_prefix(':') {
            Some(name) if !name.is_empty() => self.parameter(name, parameters),
            _ => self.text(segment),
        });
        let mut text = segments.collect::<Vec<_>>().join("/");
        if !text.starts_with('/') {
            text.insert(0, '/');
        }
        if let Some(query) = query {
            text = format!("{text}?{}", self.text(query));
        }
        encoded(&text)
    }

    fn parameter(&mut self, name: &str, parameters: &[Variable]) -> String {
        let own = parameters.iter().find(|known| known.key.as_deref() == Some(name));
        match own.map(|known| written(&known.value)).filter(|value| !value.is_empty()) {
            Some(value) => self.text(&value),
            None => self.text(&format!("{{{{{name}}}}}")),
        }
    }

    fn text(&mut self, text: &str) -> String {
        self.variables.text(text, self.draft)
    }

    fn body(&mut self, body: Content, headers: &mut Vec<(String, String)>) -> Option<Body> {
        match body.mode.as_deref()? {
            "raw" => {
                let raw = body.raw.filter(|raw| !raw.is_empty())?;
                let language = body.options.pointer("/raw/language").and_then(Value::as_str);
                if find(headers, "Content-Type").is_none()
                    && let Some(kind) = language.and_then(content_type)
                {
                    headers.push(("Content-Type".into(), kind.into()));
                }
                let kind = essence(find(headers, "Content-Type").unwrap_or_default());
                let text = self.text(&raw);
                Some(if kind == "application/json" { Body::Json(text) } else { Body::Text(text) })
            }
            "urlencoded" => {
                let pairs = pairs(body.urlencoded).into_iter().filter(|pair| !pair.disabled);
                let field = |pair: Pair| (self.text(&pair.key), self.text(&written(&pair.value)));
                Some(Body::Form(pairs.map(field).collect()))
            }
            "formdata" => {
                let pairs = pairs(body.formdata).into_iter().filter(|pair| !pair.disabled);
                Some(Body::Multipart(pairs.flat_map(|pair| self.parts(pair)).collect()))
            }
            "file" => match body.file? {
                TextOr::Text(src) | TextOr::One(Source { src: Some(src) }) => Some(Body::File(src)),
                _ => None,
            },
            "graphql" => {
                let mut query = body.graphql?;
                // Variables are written as a text that holds JSON.
                let variables = query.get("variables").and_then(Value::as_str);
                let variables = variables.and_then(|text| serde_json::from_str::<Value>(text).ok());
                if let (Some(variables), Some(members)) = (variables, query.as_object_mut()) {
                    members.insert("variables".into(), variables);
                }
                Some(Body::Json(self.text(&query.to_string())))
            }
            _ => None,
        }
    }

    /// A field, or one for each of its files.
    fn parts(&mut self, pair: Pair) -> Vec<Part> {
        let part = Part {
            name: pair.key,
            content_type: pair.content_type.filter(|kind| !kind.is_empty()),
            ..Part::default()
        };
        if pair.kind.as_deref() != Some("file") {
            return vec![Part { value: self.text(&written(&pair.value)), ..part }];
        }
        let files: Vec<String> = match pair.src {
            Value::String(file) => vec![file],
            Value::Array(files) => files.iter().map(written).collect(),
            _ => vec![part.name.clone()],
        };
        for file in &files {
            self.draft.note(format!("the plan sends the file {}: put it there", quote(file)));
        }
        files.into_iter().map(|file| Part { file: Some(file), ..part.clone() }).collect()
    }

    /// Puts credentials where the type of authorisation wants them; the path may come to hold one.
    fn authorise(
        &mut self,
        auth: &Auth,
        path: String,
        headers: &mut Vec<(String, String)>,
    ) -> String {
        let value = |name: &str| auth.parameter(name);
        let authorization = match auth.kind.as_str() {
            "noauth" => None,
            "bearer" => Some(format!("Bearer {}", self.text(&value("token")))),
            "oauth2" => Some(format!("Bearer {}", self.text(&value("accessToken")))),
            "basic" => {
                let pair = format!("{}:{}", value("username"), value("password"));
                Some(match self.variables.resolved(&pair) {
                    Some(pair) => format!("Basic {}", BASE64.encode(pair)),
                    None => self.draft.secrets.asked_for("Authorization"),
                })
            }
            "apikey" => {
                let (key, value) = (value("key"), self.text(&value("value")));
                if auth.parameter("in") == "query" {
                    let mark = if path.contains('?') { '&' } else { '?' };
                    return format!("{path}{mark}{}={}", encoded(&literal(&key)), encoded(&value));
                }
                headers.push((key, value));
                None
            }
            other => {
                self.draft.note(format!(
                    "authorisation of the type {} is not taken over: add its header to the plan",
                    quote(other)
                ));
                None
            }
        };
        if let Some(value) = authorization
            && find(headers, "Authorization").is_none()
        {
            headers.push(("Authorization".into(), value));
        }
        path
    }
}

impl Request {
    fn get(url: String) -> Request {
        let url = Some(TextOr::Text(url));
        Request { method: None, url, header: None, body: None, auth: None }
    }
}

impl Auth {
    fn parameter(&self, name: &str) -> String {
        let value = match self.parameters.get(&self.kind) {
            Some(Value::Array(pairs)) => pairs
                .iter()
                .find(|pair| pair.get("key").and_then(Value::as_str) == Some(name))
                .and_then(|pair| pair.get("value")),
            Some(Value::Object(members)) => members.get(name),
            _ => None,
        };
        value.map(written).unwrap_or_default()
    }
}

/// Scheme and authority, and what follows. No authority: it is a variable without a value.
fn split(raw: &str) -> (Option<&str>, &str) {
    let start = authority_at(raw);
    let end = raw[start..].find(['/', '?', '#']).map_or(raw.len(), |at| start + at);
    let (authority, rest) = raw.split_at(end);
    ((!authority.contains("{{") && !authority.is_empty()).then_some(authority), rest)
}

fn content_type(language: &str) -> Option<&'static str> {
    match language {
        "json" => Some("application/json"),
        "xml" => Some("application/xml"),
        "html" => Some("text/html"),
        "javascript" => Some("application/javascript"),
        "text" => Some("text/plain"),
        _ => None,
    }
}

fn pairs(pairs: Option<TextOr<Pair>>) -> Vec<Pair> {
    match pairs {
        Some(TextOr::List(pairs)) => pairs,
        Some(TextOr::One(pair)) => vec![pair],
        Some(TextOr::Text(_)) | None => Vec::new(),
    }
}
