//! What is wished of the request, before any file is read: by the flags, or by a curl command.

use super::form;
use super::groups::RequestArgs;
use super::source::{Source, Sources};
use super::values::Header;
use crate::error::{Error, Result};

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
    pub fn typed(args: &RequestArgs) -> Result<Wish> {
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
            cookies: args.cookie.clone(),
            compressed: args.compressed,
            fields: Vec::new(),
            headers: args.headers.clone(),
        })
    }
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
