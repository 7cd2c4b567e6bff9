//! The request: described once, serialised once, sent many times.

use bytes::Bytes;

use crate::error::{Error, Result};

/// One request, complete: nothing is added when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Origin-form: path and query.
    pub target: String,
    /// In the order they are sent.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Request {
    pub fn new(method: &str, target: &str, host: &str) -> Request {
        let agent = concat!("blast/", env!("CARGO_PKG_VERSION"));
        Request {
            method: method.to_string(),
            target: target.to_string(),
            headers: vec![
                ("Host".to_string(), host.to_string()),
                ("User-Agent".to_string(), agent.to_string()),
            ],
            body: Bytes::new(),
        }
    }

    pub fn set_header(&mut self, name: &str, value: &str) -> Result<()> {
        check(name, value)?;
        match self.headers.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some(field) => field.1 = value.to_string(),
            None => self.headers.push((name.to_string(), value.to_string())),
        }
        Ok(())
    }

    pub fn add_header(&mut self, name: &str, value: &str) -> Result<()> {
        check(name, value)?;
        self.headers.push((name.to_string(), value.to_string()));
        Ok(())
    }

    pub fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    pub fn set_body(&mut self, body: Bytes, content_type: Option<&str>) {
        if let Some(content_type) = content_type {
            self.remove_header("Content-Type");
            self.headers.push(("Content-Type".to_string(), content_type.to_string()));
        }
        self.remove_header("Content-Length");
        self.headers.push(("Content-Length".to_string(), body.len().to_string()));
        self.body = body;
    }
}

fn check(name: &str, value: &str) -> Result<()> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    match !name.is_empty() && name.chars().all(token) && !value.contains(['\r', '\n', '\0']) {
        true => Ok(()),
        false => Err(Error::usage("a header's name or value has a character that none may have")),
    }
}
