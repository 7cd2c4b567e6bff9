//! From the texts of a request to parts: what never changes is put together once, and the place of
//! the body's length is left open where that varies.

use std::sync::Arc;

use bytes::Bytes;

use super::escape::{self, Escape};
use super::part::{Counted, Part, Parts};
use super::placeholder::{self, Placeholder, Stretch, did_you_mean};
use super::scope::{Piece, Scope};
use super::secret;
use super::slot::Slot;
use crate::error::{Error, Result};
use crate::http::{Payload, Request};
use crate::plan::mask::sounds_secret;
use crate::units::quote;

/// From this size on the fixed end of a body is not copied for each request.
const LARGE: usize = 4 * 1024;

/// Whom a message is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Server,
    /// What is secret is not shown to it.
    Person,
}

pub(super) fn message(
    request: &Request,
    body: &[Piece],
    scope: &Scope,
    reader: Reader,
) -> Result<Parts> {
    let compiler = Compiler { scope, reader };
    let target = compiler.text(&request.target, Escape::Url, &secret::of_query(&request.target));
    let target = begun(target.map_err(|error| within("the path", &error))?);
    let fields = compiler.fields(request)?;
    sample(request)?.validate()?;
    let mut body = Body::new(compiler.body(body)?);
    let head = Head { request, target, fields, has_cookies: scope.has_cookies };
    let payload = head.payload(&body);
    let tail = body.split_tail();
    let (first, counted) = head.parts(body);
    let of_counted = counted.iter().flat_map(|counted| counted.between.iter().chain(&counted.body));
    let tables = tables(first.iter().chain(of_counted));
    Ok(Parts { payload, tables, first, counted, tail })
}

/// A target that begins with what was captured: it may be a path already, slash and all.
fn begun(mut target: Vec<Part>) -> Vec<Part> {
    if let [Part::Fixed(slash), Part::Slot(Slot::Capture(_), escape), ..] = &mut *target
        && **slash == *b"/"
    {
        *escape = Escape::Link;
        target.remove(0);
    }
    target
}

/// A field's name, its value, and whether that is the length that the request gave itself.
struct Field {
    name: String,
    value: Vec<Part>,
    is_own_length: bool,
}

struct Compiler<'a> {
    scope: &'a Scope<'a>,
    reader: Reader,
}

impl Compiler<'_> {
    fn fields(&self, request: &Request) -> Result<Vec<Field>> {
        let own_length = request.body.len().to_string();
        let each = request.headers.iter().map(|(name, text)| {
            let value = self.text(text, Escape::Header, &[]);
            let value = value.map_err(|error| within(&format!("header `{name}`"), &error))?;
            let is_hidden = self.reader == Reader::Person && secret::is_field(name);
            let value = if is_hidden { vec![Part::Hidden(value)] } else { value };
            let is_own_length = is(name, "content-length") && *text == own_length;
            Ok(Field { name: name.clone(), value, is_own_length })
        });
        each.collect()
    }

    fn body(&self, pieces: &[Piece]) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        for (place, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Fixed(bytes) => parts.push(Part::Fixed(bytes.clone())),
                Piece::Text(text, escape) => {
                    let before = place.checked_sub(1).map(|before| pieces[before].bytes());
                    let secrets = secret::of_body(before.unwrap_or_default(), text, *escape);
                    let compiled = self.text(text, *escape, &secrets);
                    parts.extend(compiled.map_err(|error| within("the body", &error))?);
                }
            }
        }
        Ok(joined(parts))
    }

    /// `secrets`: stretches of the text that no person is to see, in its order.
    fn text(
        &self,
        text: &str,
        escape: Escape,
        secrets: &[std::ops::Range<usize>],
    ) -> Result<Vec<Part>> {
        if self.reader == Reader::Server {
            return self.plain(text, escape);
        }
        let (mut parts, mut at) = (Vec::new(), 0);
        for secret in secrets {
            parts.extend(self.plain(&text[at..secret.start], escape)?);
            parts.push(Part::Hidden(self.plain(&text[secret.clone()], escape)?));
            at = secret.end;
        }
        parts.extend(self.plain(&text[at..], escape)?);
        Ok(parts)
    }

    fn plain(&self, text: &str, escape: Escape) -> Result<Vec<Part>> {
        let parts = placeholder::split(text).map(|stretch| match stretch {
            Stretch::Literal(literal) => Ok(fixed(literal)),
            Stretch::Placeholder(whole) => self.part(Placeholder::parse(whole)?, escape),
            Stretch::Open(_) => Err(Error::usage(format!(
                "`{{{{` opens a placeholder, and nothing closes it; write `}}}}` behind it and \
                 close its quotes ({})",
                placeholder::ESCAPE
            ))),
        });
        Ok(joined(parts.collect::<Result<_>>()?))
    }

    fn part(&self, placeholder: Placeholder, escape: Escape) -> Result<Part> {
        let hidden = |part| match self.reader {
            Reader::Server => part,
            Reader::Person => Part::Hidden(vec![part]),
        };
        let value = |text: &str| fixed(&escape::text(text, escape));
        let slot = match placeholder {
            // In a target as it is, and judged there as if it had been typed.
            Placeholder::Text(text) if escape == Escape::Url => return Ok(fixed(&text)),
            Placeholder::Text(text) => return Ok(value(&text)),
            Placeholder::Var(name) if sounds_secret(&name) => {
                return Ok(hidden(value(self.var(&name)?)));
            }
            Placeholder::Var(name) => return Ok(value(self.var(&name)?)),
            Placeholder::Env(name) => return Ok(hidden(value(&self.env(&name)?))),
            Placeholder::Capture(name) => {
                return Ok(hidden(Part::Slot(self.capture(&name)?, escape)));
            }
            Placeholder::Data { table, column } if sounds_secret(&column) => {
                return Ok(hidden(Part::Slot(self.cell(&table, &column)?, escape)));
            }
            Placeholder::Data { table, column } => self.cell(&table, &column)?,
            Placeholder::User => self.user()?,
            Placeholder::Int(low, high) => Slot::Int { low, span: high.wrapping_sub(low) as u64 },
            Placeholder::Float { low, high, decimals } => {
                Slot::Float { low, span: high.wrapping_sub(low) as u64, decimals }
            }
            Placeholder::Choice(values) => {
                let values = values.iter().map(|value| escape::bytes(value.as_bytes(), escape));
                Slot::Choice(values.map(Vec::into_boxed_slice).collect())
            }
            Placeholder::Uuid => Slot::Uuid,
            Placeholder::Seq => Slot::Seq,
            Placeholder::SeqHex => Slot::SeqHex,
            Placeholder::Letters(length) => Slot::Letters(length),
            Placeholder::Hex(length) => Slot::Hex(length),
            Placeholder::Now(clock) => Slot::Now(clock),
        };
        Ok(Part::Slot(slot, escape))
    }

    fn var(&self, name: &str) -> Result<&str> {
        let vars = self.scope.vars;
        let missing = || {
            let hint = did_you_mean(name, vars.keys().map(String::as_str));
            let name = quote(name);
            Error::usage(format!("there is no variable {name}; name it in `[vars]`{hint}"))
        };
        vars.get(name).map(String::as_str).ok_or_else(missing)
    }

    fn env(&self, name: &str) -> Result<String> {
        (self.scope.env)(name).ok_or_else(|| {
            let name = quote(name);
            Error::usage(format!("the environment has no variable {name}; export it first"))
        })
    }

    fn capture(&self, name: &str) -> Result<Slot> {
        let captures = self.scope.captures;
        let place = captures.iter().position(|capture| capture == name);
        place.map(Slot::Capture).ok_or_else(|| {
            let hint = did_you_mean(name, captures.iter().map(String::as_str));
            let name = quote(name);
            Error::usage(format!(
                "no request captures {name}; name it under `capture` of the request whose \
                 answer holds it{hint}"
            ))
        })
    }

    fn cell(&self, name: &str, column: &str) -> Result<Slot> {
        let tables = self.scope.tables;
        let Some(place) = tables.iter().position(|table| table.name == name) else {
            let hint = did_you_mean(name, tables.iter().map(|table| &*table.name));
            let name = quote(name);
            return Err(Error::usage(format!(
                "there is no data {name}; add `[data.NAME]` with a `file` to the plan{hint}"
            )));
        };
        let table: &Arc<_> = &tables[place];
        let Some(column) = table.column(column) else {
            let hint = did_you_mean(column, table.columns());
            let columns = table.columns().collect::<Vec<_>>().join(", ");
            let column = quote(column);
            return Err(Error::usage(format!(
                "data `{name}` has no column {column}; use one of {columns}{hint}"
            )));
        };
        Ok(Slot::Cell { table: Arc::clone(table), place, column })
    }

    fn user(&self) -> Result<Slot> {
        match self.scope.has_users {
            true => Ok(Slot::User),
            false => Err(Error::usage(
                "`{{user.id}}` needs users, and a mix over connections has none; add `[session]` \
                 to the plan, or use `{{seq}}`",
            )),
        }
    }
}

/// What stands before a body.
struct Head<'a> {
    request: &'a Request,
    target: Vec<Part>,
    fields: Vec<Field>,
    has_cookies: bool,
}

impl Head<'_> {
    /// What the request is where nothing in it varies.
    fn payload(&self, body: &Body) -> Option<Payload> {
        let length = body.length?;
        let target = fixed_text(&self.target).filter(|_| !self.has_cookies)?;
        let value = |field: &Field| Some((field.name.clone(), fixed_text(&field.value)?));
        let headers: Option<Vec<_>> = self.fields.iter().map(value).collect();
        let method = self.request.method.clone();
        let request = Request { method, target, headers: headers?, body: body.joined() };
        Some(Payload::new(&self.with_length(request, length), 1))
    }

    fn with_length(&self, mut request: Request, length: usize) -> Request {
        let text = length.to_string();
        match self.fields.iter().position(|field| field.is_own_length) {
            Some(place) if self.says(length) => request.headers[place].1 = text,
            None if self.adds(length) => request.headers.push((LENGTH.to_string(), text)),
            _ => {}
        }
        request
    }

    /// Whether a body of that length is told (RFC 9110, 8.6).
    fn says(&self, length: usize) -> bool {
        length > 0 || matches!(&*self.request.method, "POST" | "PUT" | "PATCH")
    }

    /// The same, and nobody has said it.
    fn adds(&self, length: usize) -> bool {
        let has = |name| self.fields.iter().any(|field| is(&field.name, name));
        self.says(length) && !has("content-length") && !has("transfer-encoding")
    }

    /// What stands before the body's length; what stands between that and the body, and the body.
    /// Where no length has to be found out, all of it is in the first.
    fn parts(self, body: Body) -> (Vec<Part>, Option<Counted>) {
        let adds = self.adds(body.length.unwrap_or(1));
        let (mut before, mut behind) = (Vec::new(), Vec::new());
        before.push(fixed(&format!("{} ", self.request.method)));
        before.extend(self.target);
        before.push(fixed(" HTTP/1.1\r\n"));
        let mut is_behind = false;
        let mut cookies: Vec<Vec<Part>> = Vec::new();
        for field in self.fields {
            if self.has_cookies && is(&field.name, "cookie") {
                cookies.push(field.value);
                continue;
            }
            let parts = if is_behind { &mut behind } else { &mut before };
            parts.push(fixed(&format!("{}: ", field.name)));
            match (field.is_own_length, body.length) {
                (true, None) => is_behind = true,
                (true, Some(length)) => parts.push(fixed(&length.to_string())),
                (false, _) => parts.extend(field.value),
            }
            let parts = if is_behind { &mut behind } else { &mut before };
            parts.push(fixed("\r\n"));
        }
        if adds {
            before.push(fixed(&format!("{LENGTH}: ")));
            match body.length {
                Some(length) => before.push(fixed(&length.to_string())),
                None => is_behind = true,
            }
            let parts = if is_behind { &mut behind } else { &mut before };
            parts.push(fixed("\r\n"));
        }
        let parts = if is_behind { &mut behind } else { &mut before };
        if self.has_cookies {
            parts.extend(cookie_parts(cookies));
        }
        parts.push(fixed("\r\n"));
        if is_behind {
            let counted = Counted { between: joined(behind), body: body.parts };
            return (joined(before), Some(counted));
        }
        before.extend(body.parts);
        (joined(before), None)
    }
}

const LENGTH: &str = "Content-Length";

/// The request's own, and those of the user.
fn cookie_parts(own: Vec<Vec<Part>>) -> Vec<Part> {
    if own.is_empty() {
        return vec![Part::Cookies];
    }
    let mut parts = Vec::new();
    for (place, value) in own.into_iter().enumerate() {
        parts.push(fixed(if place > 0 { "; " } else { "Cookie: " }));
        parts.extend(value);
    }
    parts.extend([Part::MoreCookies, fixed("\r\n")]);
    parts
}

struct Body {
    parts: Vec<Part>,
    /// Where it does not vary.
    length: Option<usize>,
    tail: Bytes,
}

impl Body {
    fn new(parts: Vec<Part>) -> Body {
        let lengths = parts.iter().map(|part| match part {
            Part::Fixed(bytes) => Some(bytes.len()),
            _ => None,
        });
        Body { length: lengths.sum(), parts, tail: Bytes::new() }
    }

    /// All of it, where nothing varies.
    fn joined(&self) -> Bytes {
        concatenated(&self.parts)
    }

    /// Takes the fixed end away, if that is large.
    fn split_tail(&mut self) -> Bytes {
        let is_fixed = |part: &&Part| matches!(part, Part::Fixed(_));
        let start = self.parts.len() - self.parts.iter().rev().take_while(is_fixed).count();
        let tail = concatenated(&self.parts[start..]);
        if tail.len() <= LARGE {
            return Bytes::new();
        }
        self.parts.truncate(start);
        self.tail = tail;
        self.tail.clone()
    }
}

/// One alone is not copied.
fn concatenated(parts: &[Part]) -> Bytes {
    let bytes = parts.iter().map(|part| match part {
        Part::Fixed(bytes) => bytes.clone(),
        _ => Bytes::new(),
    });
    match &bytes.collect::<Vec<_>>()[..] {
        [one] => one.clone(),
        several => several.concat().into(),
    }
}

fn fixed(text: &str) -> Part {
    Part::Fixed(Bytes::copy_from_slice(text.as_bytes()))
}

/// What they say, where nothing varies.
fn fixed_text(parts: &[Part]) -> Option<String> {
    let all = parts.iter().all(|part| matches!(part, Part::Fixed(_)));
    all.then(|| String::from_utf8_lossy(&concatenated(parts)).into_owned())
}

/// Neighbours that never change become one, unless that would copy a lot.
fn joined(parts: Vec<Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        match (joined.last_mut(), part) {
            (_, Part::Fixed(bytes)) if bytes.is_empty() => {}
            (Some(Part::Fixed(before)), Part::Fixed(bytes))
                if before.len() + bytes.len() <= LARGE =>
            {
                *before = [&before[..], &bytes].concat().into();
            }
            (_, part) => joined.push(part),
        }
    }
    joined
}

fn tables<'a>(parts: impl Iterator<Item = &'a Part>) -> Vec<usize> {
    let mut tables: Vec<usize> = parts.flat_map(of_part).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

fn of_part(part: &Part) -> Vec<usize> {
    match part {
        Part::Slot(Slot::Cell { place, .. }, _) => vec![*place],
        Part::Hidden(parts) => parts.iter().flat_map(of_part).collect(),
        _ => Vec::new(),
    }
}

/// What is typed has to be sendable, whatever is drawn beside it.
fn sample(request: &Request) -> Result<Request> {
    let drawn = |text: &str| {
        let stretches = placeholder::split(text).map(|stretch| match stretch {
            Stretch::Literal(literal) => literal.to_string(),
            Stretch::Placeholder(whole) => match Placeholder::parse(whole) {
                Ok(Placeholder::Text(text)) => text,
                _ => "x".to_string(),
            },
            Stretch::Open(_) => "x".to_string(),
        });
        stretches.collect::<String>()
    };
    let headers = request.headers.iter().map(|(name, value)| (name.clone(), drawn(value)));
    let (method, target) = (request.method.clone(), drawn(&request.target));
    Ok(Request { method, target, headers: headers.collect(), body: Bytes::new() })
}

fn within(place: &str, error: &Error) -> Error {
    Error { exit: error.exit, message: format!("in {place}: {}", error.message) }
}

fn is(name: &str, lower: &str) -> bool {
    name.eq_ignore_ascii_case(lower)
}
