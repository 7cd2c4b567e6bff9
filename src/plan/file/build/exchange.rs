//! One request: its head as it is written, its body in pieces, and both compiled.

use bytes::Bytes;

use super::flow::Entries;
use super::names;
use super::{Builder, bodies};
use crate::error::{Error, Result};
use crate::http::Request;
use crate::plan::answer::{Capture, Check};
use crate::plan::file::{Field, Place, Text};
use crate::plan::scenario::Exchange;
use crate::plan::template::{Message, Piece, Scope, body, occurs_in};
use crate::plan::{Expected, Url};

/// A request before it is compiled.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its URL, as it would be typed.
    pub address: String,
    /// With its body, where that never changes.
    pub request: Request,
    pub pieces: Vec<Piece>,
    pub expected: Expected,
}

impl Draft {
    pub fn has_placeholders(&self) -> bool {
        let in_head = self.request.headers.iter().any(|(_, value)| occurs_in(value));
        in_head || fixed(&self.pieces).is_none() || occurs_in(&self.address)
    }
}

impl Builder<'_> {
    pub(super) fn draft(&self, place: usize) -> Result<Draft> {
        let sheet = &self.written.sheet.requests[place];
        let here = Place::top("requests").then(place);
        let address = self.address(place)?;
        let path_of = if sheet.path.is_some() { here.then("path") } else { here.then("query") };
        let url = Url::parse(&address).map_err(|error| self.error(&path_of, error.message))?;
        let method = names::method(sheet);
        if method.eq_ignore_ascii_case("CONNECT") {
            let message = "CONNECT opens a tunnel and carries no load; take another method";
            return Err(self.error(&here.then("method"), message));
        }
        let body = self.body(place)?;
        let mut request = Request::new(&method, &url.target, &url.authority);
        if let Some(credentials) = &url.authorization {
            request.set_header("Authorization", credentials)?;
        }
        // The address was read already, and its placeholders hold blanks.
        let bare = Request { target: "/".to_string(), ..request.clone() };
        bare.validate().map_err(|error| self.error(&here.then("method"), error.message))?;
        let content_type = sheet.content_type.as_ref().or(body.content_type.as_ref());
        if let Some(content_type) = content_type {
            request
                .set_header("Content-Type", content_type)
                .map_err(|error| self.error(&here.then("content_type"), error.message))?;
        }
        request.set_body(fixed(&body.pieces).unwrap_or_default(), None);
        if body.is_json {
            request.set_header("Accept", bodies::JSON)?;
        }
        self.headers(&mut request, place)?;
        (self.around.dress)(&mut request)?;
        self.around.request_id.map_or(Ok(()), |id| id.put(&mut request))?;
        let expected = self.expected(place)?;
        let draft = Draft { address, request, pieces: body.pieces, expected };
        self.check_framing(&draft, &here)?;
        self.check_answer(&draft, place, &here)?;
        Ok(draft)
    }

    /// The base, the path, the query.
    fn address(&self, place: usize) -> Result<String> {
        let sheet = &self.written.sheet.requests[place];
        let here = Place::top("requests").then(place).then("path");
        let base = self.around.base.trim();
        let mut address = match sheet.path.as_deref() {
            None | Some("") => base.to_string(),
            Some(path) if is_elsewhere(path) => {
                let message = "a path names a host, and a run has one target: write the path \
                               alone, and the host as `url`";
                return Err(self.error(&here, message));
            }
            Some(path) if path.contains('#') => {
                let message = "what follows a `#` is never sent; drop it, or write %23 for it";
                return Err(self.error(&here, message));
            }
            // What was captured may be a path already, which begins at the root.
            Some(path) if path.starts_with("{{capture.") => format!("{}/{path}", origin(base)),
            Some(path) => {
                let slash = if path.starts_with('/') { "" } else { "/" };
                format!("{}{slash}{path}", base.trim_end_matches('/'))
            }
        };
        if !sheet.query.is_empty() {
            let pairs: Vec<(String, String)> = sheet
                .query
                .iter()
                .map(|(name, Text(value))| (name.to_string(), value.clone()))
                .collect();
            address.push(if address.contains('?') { '&' } else { '?' });
            address.push_str(&body::query(&pairs));
        }
        Ok(address)
    }

    /// Those of the defaults, then the request's own.
    fn headers(&self, request: &mut Request, place: usize) -> Result<()> {
        let sheet = &self.written.sheet;
        let lists = [
            (&sheet.defaults.headers, Place::top("defaults").then("headers")),
            (&sheet.requests[place].headers, Place::top("requests").then(place).then("headers")),
        ];
        for (headers, of) in lists {
            for (name, field) in headers.iter() {
                match field {
                    Field::Remove => request.remove_header(name),
                    Field::Send(value) => request
                        .set_header(name, value)
                        .map_err(|error| self.error(&of.then(name), error.message))?,
                }
            }
        }
        Ok(())
    }

    /// RFC 9112, 6.1.
    fn check_framing(&self, draft: &Draft, here: &Place) -> Result<()> {
        if !draft.pieces.is_empty() && has_field(&draft.request, "transfer-encoding") {
            let message =
                "a body is sent with its length, not with a Transfer-Encoding; leave that out";
            return Err(self.error(&here.then("headers").then("Transfer-Encoding"), message));
        }
        Ok(())
    }

    /// What is asked of an answer that cannot have it.
    fn check_answer(&self, draft: &Draft, place: usize, here: &Place) -> Result<()> {
        let sheet = &self.written.sheet.requests[place];
        let looks = |check: &&super::super::CheckSheet| {
            check.json.is_some()
                || check.regex.is_some()
                || (check.contains.is_some() && check.header.is_none())
        };
        let captured =
            sheet.capture.iter().any(|(_, from)| from.json.is_some() || from.regex.is_some());
        let looking = sheet.checks.iter().position(|check| looks(&check));
        let at = match (draft.expected.body.is_some(), looking) {
            (true, _) => here.then("expect"),
            (_, Some(check)) => here.then("checks").then(check),
            _ if captured => here.then("capture"),
            _ => return Ok(()),
        };
        if draft.request.is_head() {
            return Err(self.error(&at, "an answer to HEAD has no body; take another method"));
        }
        let coding = draft.request.headers.iter().find(|(name, value)| {
            name.eq_ignore_ascii_case("accept-encoding")
                && !value.is_empty()
                && !value.eq_ignore_ascii_case("identity")
        });
        match coding {
            Some(_) => Err(self.error(
                &at,
                "the request asks for a compressed answer, which is not unpacked; drop its \
                 Accept-Encoding",
            )),
            None => Ok(()),
        }
    }

    pub(super) fn exchange(
        &self,
        place: usize,
        draft: &Draft,
        entries: &Entries,
        captures: &[String],
        all_checks: &mut Vec<String>,
    ) -> Result<Exchange> {
        let scope = self.scope(place, entries, captures);
        let compile = if self.around.is_shown { Message::shown } else { Message::compile };
        let message = compile(&draft.request, &draft.pieces, &scope)
            .map_err(|error| self.blame(place, draft, &scope, error))?;
        let checks: Vec<Check> = self.checks(place, all_checks)?;
        let captures: Vec<Capture> = self.captures(place, captures, all_checks)?;
        Ok(Exchange {
            name: self.names[place].clone(),
            request: Request { body: Bytes::new(), ..draft.request.clone() },
            message,
            expected: draft.expected.clone(),
            checks,
            captures,
        })
    }

    fn scope<'s>(&'s self, place: usize, entries: &Entries, captures: &'s [String]) -> Scope<'s> {
        let session = self.written.sheet.session.as_ref();
        let once: Vec<usize> =
            entries.run_setup.iter().chain(&entries.run_teardown).copied().collect();
        let mut uses = entries.rows.iter().enumerate().filter(|(_, row)| row.request == place);
        let has_users = session.is_some() && !uses.any(|(entry, _)| once.contains(&entry));
        Scope {
            tables: &self.tables,
            captures,
            vars: &self.vars,
            env: self.around.env,
            has_users,
            has_cookies: has_users
                && session.is_some_and(|session| session.cookies.unwrap_or(true)),
        }
    }

    /// The error with its place: what of the request is refused alone.
    fn blame(&self, place: usize, draft: &Draft, scope: &Scope, error: Error) -> Error {
        let here = Place::top("requests").then(place);
        let sheet = &self.written.sheet.requests[place];
        let bare = Request { headers: Vec::new(), ..draft.request.clone() };
        let refuses =
            |request: &Request, pieces: &[Piece]| Message::compile(request, pieces, scope).is_err();
        if refuses(&bare, &[]) {
            let key = match &sheet.path {
                Some(path) if occurs_in(path) => "path",
                _ => "query",
            };
            return self.error(&here.then(key), error.message);
        }
        for field in &draft.request.headers {
            let one =
                Request { target: "/".to_string(), headers: vec![field.clone()], ..bare.clone() };
            if refuses(&one, &[]) {
                let own = sheet.headers.names().find(|name| name.eq_ignore_ascii_case(&field.0));
                let defaults = Place::top("defaults").then("headers").then(&*field.0);
                let at = own.map_or(defaults, |name| here.then("headers").then(name));
                return self.error(&at, error.message);
            }
        }
        let bodies = [
            ("body", sheet.body.is_some()),
            ("body_file", sheet.body_file.is_some()),
            ("json", sheet.json.is_some()),
            ("form", sheet.form.is_some()),
            ("multipart", sheet.multipart.is_some()),
        ];
        let key = bodies.iter().find(|(_, given)| *given).map_or("path", |(key, _)| key);
        self.error(&here.then(key), error.message)
    }
}

/// A body without placeholders. A large file is not copied.
fn fixed(pieces: &[Piece]) -> Option<Bytes> {
    let bytes = |piece: &Piece| match piece {
        Piece::Text(text, _) if occurs_in(text) => None,
        Piece::Text(text, _) => Some(Bytes::copy_from_slice(text.as_bytes())),
        Piece::Fixed(bytes) => Some(bytes.clone()),
    };
    match pieces {
        [one] => bytes(one),
        pieces => {
            let all: Option<Vec<Bytes>> = pieces.iter().map(bytes).collect();
            all.map(|all| all.concat().into())
        }
    }
}

fn has_field(request: &Request, name: &str) -> bool {
    request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// A URL without its path.
fn origin(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |scheme| scheme + 3);
    url[authority..].find(['/', '?']).map_or(url, |path| &url[..authority + path])
}

/// It has a scheme, or begins as one without does.
fn is_elsewhere(path: &str) -> bool {
    let scheme = path.split_once("://").map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &str| {
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
    };
    path.starts_with("//") || scheme.is_some_and(is_scheme)
}
