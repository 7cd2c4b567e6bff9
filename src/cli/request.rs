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
use super::groups::RequestArgs;
use super::source::{Source, Sources};
use super::values::{self, Header};
use super::wish::{Body, Data, Wish};
use super::{cookie, form};
use crate::error::{Error, Result};
use crate::http::Request;
use crate::plan::Url;
use crate::plan::template::{Escape, Piece};

/// What curl says of a body whose type nobody gave.
const FORM: &str = "application/x-www-form-urlencoded";

const JSON: &str = "application/json";

/// What curl asks for with `--compressed`, where it was built with these.
const COMPRESSED: &str = "gzip, deflate, br";

/// The request, and its body as pieces: what was typed of it may hold placeholders, what was read
/// from a file or came with a curl command does not. `close`: each connection is for one request.
pub fn build(
    args: &RequestArgs,
    curl: Option<&Curl>,
    url: &Url,
    close: bool,
    sources: &mut Sources,
) -> Result<(Request, Vec<Piece>)> {
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
    let mut builder = Builder { request, pieces: Vec::new(), url, sources };
    if let Some(wish) = of_curl {
        builder.request.set_header("Accept", "*/*")?;
        // The body that was typed takes the place of the command's.
        builder.basics(wish, if typed.body.is_some() { None } else { wish.body.as_ref() })?;
        builder.headers(wish)?;
        builder.pieces = vec![Piece::Fixed(builder.request.body.clone())];
    }
    builder.basics(&typed, typed.body.as_ref())?;
    if close {
        builder.request.set_header("Connection", "close")?;
    }
    builder.headers(&typed)?;
    check_framing(&builder.request)?;
    Ok((builder.request, builder.pieces))
}

/// A body that two fields frame differently is what request smuggling is made of (RFC 9112, 6.1).
fn check_framing(request: &Request) -> Result<()> {
    let is_coded = |(name, _): &(String, String)| name.eq_ignore_ascii_case("transfer-encoding");
    if request.body.is_empty() || !request.headers.iter().any(is_coded) {
        return Ok(());
    }
    Err(Error::usage(
        "--header: a body is sent with its length, not with a `Transfer-Encoding`; leave that out",
    ))
}

struct Builder<'a> {
    request: Request,
    /// Of its body.
    pieces: Vec<Piece>,
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
                let bytes = sources.body("--body", source)?;
                self.pieces = vec![piece(source, &bytes, escape(&bytes))];
                request.set_body(bytes, unless_given);
            }
            Body::Data(data) => request.set_body(Data::joined(data, sources)?.into(), unless_given),
            Body::Json(pieces) => {
                let bytes = pieces.iter().map(|source| sources.body("--json-body", source));
                let bytes = bytes.collect::<Result<Vec<Bytes>>>()?;
                let each = pieces.iter().zip(&bytes);
                self.pieces = each.map(|(source, b)| piece(source, b, Escape::Json)).collect();
                request.set_body(joined(&bytes), Some(content_type.unwrap_or(JSON)));
                request.set_header("Accept", JSON)?;
            }
            Body::Form(parts) => {
                let (pieces, content_type) = form::multipart(parts, sources)?;
                let bytes: Vec<&[u8]> = pieces.iter().map(Piece::bytes).collect();
                request.set_body(bytes.concat().into(), Some(&content_type));
                self.pieces = pieces;
            }
        }
        Ok(())
    }

    fn headers(&mut self, wish: &Wish) -> Result<()> {
        let mut headers = Vec::new();
        for header in &wish.headers {
            match header {
                Header::File(name) => headers.extend(of_file(name, self.sources)?),
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
}

/// One header a line, as curl has it: empty lines and comments are passed over.
pub fn of_file(name: &str, sources: &mut Sources) -> Result<Vec<Header>> {
    let text = sources.text("--header", &Source::File(name.to_string()))?;
    let lines = (1..).zip(text.lines());
    let used = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let read = used.map(|(number, line)| match values::header(line) {
        Ok(Header::File(_)) => Err(Error::usage(format!(
            "--header: line {number} of the file names a further file; put its lines here"
        ))),
        Ok(header) => Ok(header),
        Err(error) => Err(Error::usage(format!("--header: in line {number} of the file {error}"))),
    });
    read.collect()
}

/// What was typed may hold placeholders.
fn piece(source: &Source, bytes: &Bytes, escape: Escape) -> Piece {
    match (source, std::str::from_utf8(bytes)) {
        (Source::Typed(_), Ok(text)) => Piece::Text(text.to_string(), escape),
        _ => Piece::Fixed(bytes.clone()),
    }
}

/// By what it looks like.
fn escape(body: &[u8]) -> Escape {
    match body.trim_ascii_start().first() {
        Some(b'{' | b'[') => Escape::Json,
        _ => Escape::Raw,
    }
}

/// A large one is not copied.
fn joined(bytes: &[Bytes]) -> Bytes {
    match bytes {
        [one] => one.clone(),
        several => several.concat().into(),
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
pub fn apply(headers: &[Header], request: &mut Request) -> Result<()> {
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
