//! The request that the flags describe, as curl would build it.
//!
//! In this order, so that what was typed wins over what blast adds: Host and User-Agent, the
//! credentials of the URL, the body and its type, `Connection: close`, then each `-H`.

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;

use super::low::RequestArgs;
use super::values::Header;
use crate::error::{Error, Result};
use crate::http::Request;
use crate::plan::Url;
use crate::units::quote;

/// What curl says of a body whose type nobody gave.
const FORM: &str = "application/x-www-form-urlencoded";

/// From this size on the file of a body is mapped.
const MAPPED: u64 = 1 << 20;

/// The most that is read of what is not mapped.
const MOST: u64 = 256 << 20;

pub fn build(args: &RequestArgs, url: &Url, close: bool) -> Result<Request> {
    let body = args.body.as_deref().map(read_body).transpose()?;
    let default_method = if body.is_some() { "POST" } else { "GET" };
    let method = args.method.as_deref().unwrap_or(default_method);
    let mut request = Request::new(method, &url.target, &url.authority);
    if let Some(credentials) = &url.authorization {
        request.set_header("Authorization", credentials)?;
    }
    if let Some(content_type) = &args.content_type {
        request.set_header("Content-Type", content_type)?;
    }
    if let Some(body) = body {
        request.set_body(body, Some(args.content_type.as_deref().unwrap_or(FORM)));
    }
    if close {
        request.set_header("Connection", "close")?;
    }
    apply(&args.headers, &mut request)?;
    Ok(request)
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
        }
    }
    Ok(())
}

/// `@FILE` and `@-` (stdin) byte for byte, anything else as typed.
fn read_body(text: &str) -> Result<Bytes> {
    let Some(source) = text.strip_prefix('@') else {
        return Ok(Bytes::copy_from_slice(text.as_bytes()));
    };
    let (name, bytes) = match source {
        "" => {
            return Err(Error::usage(
                "--body: `@` names no file; write `@FILE`, or `@-` for stdin",
            ));
        }
        "-" => ("stdin".to_string(), read_stdin()),
        path => (quote(path), read_file(path)),
    };
    match bytes {
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(Error::usage(format!(
            "--body: {name} cannot be read ({}); check the name and its permissions",
            super::reason(&error)
        ))),
    }
}

/// A large file is not read: it is sent from where it lies.
fn read_file(path: &str) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    let status = file.metadata()?;
    if status.is_file() && status.len() >= MAPPED {
        // SAFETY: blast never looks at the bytes, it only hands them to the kernel. Should the
        // file be cut meanwhile, the kernel refuses to send what is gone (EFAULT).
        return Ok(Bytes::from_owner(unsafe { memmap2::Mmap::map(&file) }?));
    }
    read_all(&mut file)
}

fn read_stdin() -> io::Result<Bytes> {
    read_all(&mut io::stdin().lock())
}

/// What has no size to be known beforehand may have no end.
fn read_all(from: &mut impl Read) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    from.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is over 256 MB and no regular file, which could be of any size",
        ));
    }
    Ok(bytes.into())
}
