//! The request that the flags describe, as curl would build it.
//!
//! In this order, so that what was typed wins over what blast adds: Host and User-Agent, the
//! credentials of the URL, what a curl command wishes (`--curl`), `Connection: close`, what the
//! other flags wish. Within a wish: flags with a header of their own, the body and its type, then
//! each `-H`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;

use super::curl::Curl;
use super::low::RequestArgs;
use super::source::{Source, Sources};
use super::values::{self, Header};
use super::{cookie, form};
use crate::error::{Error, Result};
use crate::http::Request;
use crate::plan::Url;

/// What curl says of a body whose type nobody gave.
const FORM: &str = "application/x-www-form-urlencoded";

const JSON: &str = "application/json";

/// What curl asks for with `--compressed`, where it was built with these.
const COMPRESSED: &str = "gzip, deflate, br";

/// What one place, the command line or a curl command, says of the request.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub method: Option<String>,
    pub body: Option<Body>,
    pub content_type: Option<String>,
    pub user: Option<String>,
    /// Each `a=b; c=d` or the name of a file.
    pub cookies: Vec<String>,
    pub compressed: bool,
    /// Headers with a flag of their own.
    pub fields: Vec<Header>,
    /// Those of `-H`.
    pub headers: Vec<Header>,
}

#[derive(Clone, Debug)]
pub enum Body {
    /// As it is.
    Plain(Source),
    /// Joined by `&`.
    Data(Vec<Data>),
    /// Joined by nothing.
    Json(Vec<Source>),
    Form(Vec<form::Part>),
}

/// One `--data` of curl.
#[derive(Clone, Debug)]
pub struct Data {
    /// `name=`, which is not encoded.
    pub prefix: Vec<u8>,
    pub source: Source,
    pub filter: Filter,
}

/// What curl does to data before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    AsIs,
    /// Carriage returns, line feeds and NULs are left out.
    WithoutLines,
    /// Percent-encoded, with `+` for a blank.
    Encoded,
}

impl Wish {
    fn typed(args: &RequestArgs) -> Result<Wish> {
        let bodies = [args.body.is_some(), args.json_body.is_some(), !args.form.is_empty()];
        if bodies.iter().filter(|given| **given).count() > 1 {
            return Err(Error::usage(
                "--body, --json-body and --form are three bodies; use one of them",
            ));
        }
        if !args.form.is_empty() && args.content_type.is_some() {
            return Err(Error::usage("--form has a type of its own; drop `--content-type`"));
        }
        let of = |flag: &str, text: &str| {
            Source::of(text).map_err(|error| Error::usage(format!("{flag}: {error}")))
        };
        let plain = args.body.as_deref().map(|text| of("--body", text)).transpose()?;
        let json = args.json_body.as_deref().map(|text| of("--json-body", text)).transpose()?;
        let form = (!args.form.is_empty()).then(|| Body::Form(args.form.clone()));
        let json = json.map(|source| Body::Json(vec![source]));
        Ok(Wish {
            method: args.method.clone(),
            body: plain.map(Body::Plain).or(json).or(form),
            content_type: args.content_type.clone(),
            user: args.user.clone(),
            cookies: args.cookie.iter().cloned().collect(),
            compressed: args.compressed,
            fields: Vec::new(),
            headers: args.headers.clone(),
        })
    }
}

/// `close`: each connection is for one request.
pub fn build(
    args: &RequestArgs,
    curl: Option<&Curl>,
    url: &Url,
    close: bool,
    sources: &mut Sources,
) -> Result<Request> {
    let typed = Wish::typed(args)?;
    let of_curl = curl.map(|curl| &curl.wish);
    let has_body = typed.body.is_some() || of_curl.is_some_and(|wish| wish.body.is_some());
    let default_method = if has_body { "POST" } else { "GET" };
    let asked = of_curl.and_then(|wish| wish.method.as_deref());
    let method = typed.method.as_deref().or(asked).unwrap_or(default_method);
    let mut request = Request::new(method, &url.target, &url.authority);
    if let Some(credentials) = &url.authorization {
        request.set_header("Authorization", credentials)?;
    }
    let mut builder = Builder { request, url, sources };
    if let Some(wish) = of_curl {
        builder.request.set_header("Accept", "*/*")?;
        // The body that was typed takes the place of the command's.
        builder.basics(wish, if typed.body.is_some() { None } else { wish.body.as_ref() })?;
        builder.headers(wish)?;
    }
    builder.basics(&typed, typed.body.as_ref())?;
    if close {
        builder.request.set_header("Connection", "close")?;
    }
    builder.headers(&typed)?;
    Ok(builder.request)
}

struct Builder<'a> {
    request: Request,
    url: &'a Url,
    sources: &'a mut Sources,
}

impl Builder<'_> {
    /// All but `-H`.
    fn basics(&mut self, wish: &Wish, body: Option<&Body>) -> Result<()> {
        let request = &mut self.request;
        if let Some(user) = &wish.user {
            request.set_header("Authorization", &format!("Basic {}", BASE64.encode(user)))?;
        }
        if !wish.cookies.is_empty() && !wish.headers.iter().any(is_cookie) {
            let cookies = cookie::value("--cookie", &wish.cookies, self.url, self.sources)?;
            request.set_header("Cookie", &cookies)?;
        }
        if wish.compressed {
            request.set_header("Accept-Encoding", COMPRESSED)?;
        }
        apply(&wish.fields, request)?;
        if let Some(content_type) = &wish.content_type {
            request.set_header("Content-Type", content_type)?;
        }
        match body {
            Some(body) => self.body(body, wish.content_type.as_deref()),
            None => Ok(()),
        }
    }

    fn body(&mut self, body: &Body, content_type: Option<&str>) -> Result<()> {
        let (request, sources) = (&mut self.request, &mut *self.sources);
        let has_type = request.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("content-type"));
        let unless_given = (!has_type).then_some(FORM);
        match body {
            Body::Plain(source) => {
                request.set_body(sources.body("--body", source)?, unless_given);
            }
            Body::Data(data) => request.set_body(Data::joined(data, sources)?.into(), unless_given),
            Body::Json(pieces) => {
                let bytes = pieces.iter().map(|source| sources.body("--json-body", source));
                let bytes = match &bytes.collect::<Result<Vec<Bytes>>>()?[..] {
                    [one] => one.clone(),
                    pieces => pieces.concat().into(),
                };
                request.set_body(bytes, Some(content_type.unwrap_or(JSON)));
                request.set_header("Accept", JSON)?;
            }
            Body::Form(parts) => {
                let form::Multipart { body, boundary } = form::multipart(parts, sources)?;
                let content_type = format!("multipart/form-data; boundary={boundary}");
                request.set_body(body, Some(&content_type));
            }
        }
        Ok(())
    }

    fn headers(&mut self, wish: &Wish) -> Result<()> {
        let mut headers = Vec::new();
        for header in &wish.headers {
            match header {
                Header::File(name) => headers.extend(self.of_file(name)?),
                header => headers.push(header.clone()),
            }
        }
        let boundary = boundary(&self.request);
        apply(&headers, &mut self.request)?;
        if let Some(boundary) = boundary {
            keep_boundary(&mut self.request, &boundary);
        }
        Ok(())
    }

    /// One header a line, as curl has it: empty lines and comments are passed over.
    fn of_file(&mut self, name: &str) -> Result<Vec<Header>> {
        let text = self.sources.text("--header", &Source::File(name.to_string()))?;
        let lines = (1..).zip(text.lines());
        let used = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let read = used.map(|(number, line)| match values::header(line) {
            Ok(Header::File(_)) => Err(Error::usage(format!(
                "--header: line {number} of the file names a further file; put its lines here"
            ))),
            Ok(header) => Ok(header),
            Err(error) => {
                Err(Error::usage(format!("--header: in line {number} of the file {error}")))
            }
        });
        read.collect()
    }
}

fn is_cookie(header: &Header) -> bool {
    matches!(header, Header::Send(name, _) if name.eq_ignore_ascii_case("cookie"))
}

/// What separates the parts of a body that is a form.
fn boundary(request: &Request) -> Option<String> {
    let of_type = request.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("content-type"));
    let (kind, boundary) = of_type?.1.split_once("; boundary=")?;
    (kind == "multipart/form-data").then(|| boundary.to_string())
}

/// A type typed for a form says nothing of the boundary, which nobody knows beforehand.
fn keep_boundary(request: &mut Request, boundary: &str) {
    let typed = request.headers.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case("content-type"));
    if let Some((_, value)) = typed
        && value.to_ascii_lowercase().starts_with("multipart/")
        && !value.to_ascii_lowercase().contains("boundary=")
    {
        value.push_str(&format!("; boundary={boundary}"));
    }
}

/// The first `-H` of a name replaces what blast would send; further ones are sent beside it.
fn apply(headers: &[Header], request: &mut Request) -> Result<()> {
    let mut typed: Vec<&str> = Vec::new();
    for header in headers {
        match header {
            Header::Remove(name) => request.remove_header(name),
            Header::Send(name, value) => {
                match typed.iter().any(|earlier| earlier.eq_ignore_ascii_case(name)) {
                    true => request.add_header(name, value)?,
                    false => request.set_header(name, value)?,
                }
                typed.push(name);
            }
            // Its lines stand in its place by now.
            Header::File(_) => {}
        }
    }
    Ok(())
}

impl Data {
    pub fn typed(bytes: Vec<u8>) -> Data {
        Data { prefix: Vec::new(), source: Source::Typed(bytes), filter: Filter::AsIs }
    }

    /// As curl joins them.
    pub fn joined(data: &[Data], sources: &mut Sources) -> Result<Vec<u8>> {
        let each = data.iter().map(|data| data.read(sources));
        Ok(each.collect::<Result<Vec<_>>>()?.join(&b'&'))
    }

    fn read(&self, sources: &mut Sources) -> Result<Vec<u8>> {
        let bytes = sources.bytes("--data", &self.source)?;
        let mut read = self.prefix.clone();
        match self.filter {
            Filter::AsIs => read.extend_from_slice(&bytes),
            Filter::WithoutLines => read.extend(bytes.iter().filter(|b| !b"\r\n\0".contains(b))),
            Filter::Encoded => bytes.iter().for_each(|byte| encode(*byte, &mut read)),
        }
        Ok(read)
    }
}

/// RFC 3986, 2.3, but for the blank, which forms have always had their own way with.
fn encode(byte: u8, into: &mut Vec<u8>) {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => into.push(byte),
        b' ' => into.push(b'+'),
        _ => into.extend_from_slice(format!("%{byte:02X}").as_bytes()),
    }
}
