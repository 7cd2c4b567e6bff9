//! curl's flags (its manual page), each with what it means here: one table.

use super::super::form;
use super::super::source::Source;
use super::super::values::{self, Header};
use super::super::wish::{Body, Data, Filter};
use super::{Curl, text_of};
use crate::error::{Error, Result};
use crate::units::quote;

pub struct Flag {
    /// A blank where there is none.
    short: char,
    pub long: &'static str,
    pub meaning: Meaning,
}

pub enum Meaning {
    Sets(fn(&mut Curl)),
    Takes(fn(&mut Curl, Vec<u8>) -> Result<()>),
    /// It changes nothing about the request.
    PassedOver,
    PassedOverWithValue,
    Refused(&'static str),
}

impl Flag {
    pub fn takes_value(&self) -> bool {
        matches!(self.meaning, Meaning::Takes(_) | Meaning::PassedOverWithValue)
    }
}

pub fn short(letter: char) -> Result<&'static Flag> {
    let known = FLAGS.iter().find(|flag| flag.short == letter && letter != ' ');
    known.ok_or_else(|| unknown(&format!("-{letter}")))
}

pub fn long(name: &str) -> Result<&'static Flag> {
    FLAGS.iter().find(|flag| flag.long == name).ok_or_else(|| unknown(&format!("--{name}")))
}

/// A value may be stuck to the name of a flag: only the name is repeated.
fn unknown(flag: &str) -> Error {
    let name = flag.split(|c: char| c == '=' || c == ':' || c.is_whitespace()).next();
    let given = quote(name.unwrap_or_default());
    Error::usage(format!(
        "{given} is no flag of curl that blast knows; leave it out, or say it with a flag of blast \
         beside --curl"
    ))
}

const NO_PROXY: &str = "blast goes to the server itself, or the proxy would be what is measured; \
                        leave this out, or make the proxy the URL";
const ONLY_1_1: &str = "blast speaks HTTP/1.1; leave this out";
const ONLY_BASIC: &str = "of curl's ways to authenticate blast has Basic and Bearer; send another \
                          as a header";

const fn flag(short: char, long: &'static str, meaning: Meaning) -> Flag {
    Flag { short, long, meaning }
}

use Meaning::{PassedOver, PassedOverWithValue, Refused, Sets, Takes};

const FLAGS: &[Flag] = &[
    flag('X', "request", Takes(method)),
    flag('H', "header", Takes(header)),
    flag('d', "data", Takes(|curl, value| data(curl, value, Filter::WithoutLines))),
    flag(' ', "data-ascii", Takes(|curl, value| data(curl, value, Filter::WithoutLines))),
    flag(' ', "data-binary", Takes(|curl, value| data(curl, value, Filter::AsIs))),
    flag(' ', "data-raw", Takes(raw)),
    flag(' ', "data-urlencode", Takes(urlencode)),
    flag(' ', "json", Takes(json)),
    flag('F', "form", Takes(|curl, value| add_part(curl, form::part(&text_of(value)?)?))),
    flag(' ', "form-string", Takes(|curl, value| add_part(curl, form::plain(&text_of(value)?)?))),
    flag('b', "cookie", Takes(cookie)),
    flag('u', "user", Takes(user)),
    flag(' ', "oauth2-bearer", Takes(bearer)),
    flag('A', "user-agent", Takes(|curl, value| field(curl, "User-Agent", value))),
    flag('e', "referer", Takes(referer)),
    flag('r', "range", Takes(range)),
    flag(' ', "url", Takes(|curl, value| curl.set_url(text_of(value)?))),
    flag('G', "get", Sets(|curl| curl.get = true)),
    flag('I', "head", Sets(|curl| curl.head = true)),
    flag('k', "insecure", Sets(|curl| curl.insecure = true)),
    flag(' ', "compressed", Sets(|curl| curl.wish.compressed = true)),
    flag('m', "max-time", Takes(max_time)),
    flag(' ', "connect-timeout", Takes(connect_timeout)),
    flag('s', "silent", PassedOver),
    flag('S', "show-error", PassedOver),
    flag('v', "verbose", PassedOver),
    flag('i', "include", PassedOver),
    flag(' ', "show-headers", PassedOver),
    flag('f', "fail", PassedOver),
    flag(' ', "fail-with-body", PassedOver),
    flag('N', "no-buffer", PassedOver),
    flag('g', "globoff", PassedOver),
    flag('#', "progress-bar", PassedOver),
    flag(' ', "no-progress-meter", PassedOver),
    flag('O', "remote-name", PassedOver),
    flag('J', "remote-header-name", PassedOver),
    flag('q', "disable", PassedOver),
    flag(' ', "http1.1", PassedOver),
    // A wish: where the server knows no h2, curl speaks 1.1 as well.
    flag(' ', "http2", PassedOver),
    flag(' ', "no-alpn", PassedOver),
    flag(' ', "no-sessionid", PassedOver),
    flag(' ', "tcp-nodelay", PassedOver),
    flag(' ', "basic", PassedOver),
    flag('o', "output", PassedOverWithValue),
    flag('w', "write-out", PassedOverWithValue),
    flag('D', "dump-header", PassedOverWithValue),
    flag('c', "cookie-jar", PassedOverWithValue),
    flag(' ', "stderr", PassedOverWithValue),
    flag(' ', "retry", PassedOverWithValue),
    flag(' ', "retry-delay", PassedOverWithValue),
    flag(' ', "retry-max-time", PassedOverWithValue),
    flag(' ', "keepalive-time", PassedOverWithValue),
    flag('L', "location", Sets(|curl| curl.follows = true)),
    flag(' ', "location-trusted", Sets(|curl| curl.follows = true)),
    flag(' ', "max-redirs", PassedOverWithValue),
    flag('x', "proxy", Refused(NO_PROXY)),
    flag('U', "proxy-user", Refused(NO_PROXY)),
    flag(' ', "socks5", Refused(NO_PROXY)),
    flag(' ', "socks5-hostname", Refused(NO_PROXY)),
    flag('0', "http1.0", Refused(ONLY_1_1)),
    flag(' ', "http2-prior-knowledge", Refused(ONLY_1_1)),
    flag(' ', "http3", Refused(ONLY_1_1)),
    flag(' ', "digest", Refused(ONLY_BASIC)),
    flag(' ', "ntlm", Refused(ONLY_BASIC)),
    flag(' ', "negotiate", Refused(ONLY_BASIC)),
    flag(' ', "anyauth", Refused(ONLY_BASIC)),
    flag('T', "upload-file", Refused("write it as `-X PUT --data-binary @FILE`")),
    flag('K', "config", Refused("put what the file holds into the command")),
    flag(':', "next", Refused("blast sends one request, over and over; give one of them")),
];

fn method(curl: &mut Curl, value: Vec<u8>) -> Result<()> {
    curl.wish.method = Some(values::method(&text_of(value)?)?);
    Ok(())
}

fn header(curl: &mut Curl, value: Vec<u8>) -> Result<()> {
    curl.wish.headers.push(values::header(&text_of(value)?)?);
    Ok(())
}

/// A header with a flag of its own; `-H` wins over it, and an empty one is not sent.
fn field(curl: &mut Curl, name: &str, value: Vec<u8>) -> Result<()> {
    let value = text_of(value)?;
    curl.wish.fields.push(match value.is_empty() {
        true => Header::Remove(name.to_string()),
        false => Header::Send(name.to_string(), value),
    });
    Ok(())
}

fn referer(curl: &mut Curl, mut value: Vec<u8>) -> Result<()> {
    // Only of use to who follows redirects.
    if value.ends_with(b";auto") {
        value.truncate(value.len() - b";auto".len());
    }
    field(curl, "Referer", value)
}

fn range(curl: &mut Curl, value: Vec<u8>) -> Result<()> {
    field(curl, "Range", [&b"bytes="[..], &value].concat())
}

fn bearer(curl: &mut Curl, value: Vec<u8>) -> Result<()> {
    field(curl, "Authorization", [&b"Bearer "[..], &value].concat())
}

fn user(curl: &mut Curl, value: Vec<u8>) -> Result<()> {
    curl.wish.user = Some(values::user(&text_of(value)?)?);
    Ok(())
}

fn cookie(curl: &mut Curl, value: Vec<u8>) -> Result<()> {
    let cookie = text_of(value)?;
    // An empty one only turns curl's own keeping of cookies on.
    curl.wish.cookies.extend((!cookie.is_empty()).then_some(cookie));
    Ok(())
}

fn data(curl: &mut Curl, value: Vec<u8>, filter: Filter) -> Result<()> {
    let (source, filter) = match value.strip_prefix(b"@") {
        Some(file) => (file_named(file)?, filter),
        None => (Source::Typed(value), Filter::AsIs),
    };
    curl.data.push(Data { prefix: Vec::new(), source, filter });
    Ok(())
}

fn raw(curl: &mut Curl, value: Vec<u8>) -> Result<()> {
    curl.data.push(Data::typed(value));
    Ok(())
}

/// `content`, `=content`, `name=content`, `@file` or `name@file`.
fn urlencode(curl: &mut Curl, value: Vec<u8>) -> Result<()> {
    let filter = Filter::Encoded;
    let Some(at) = value.iter().position(|byte| b"=@".contains(byte)) else {
        curl.data.push(Data { prefix: Vec::new(), source: Source::Typed(value), filter });
        return Ok(());
    };
    let (name, rest) = (&value[..at], &value[at + 1..]);
    let source = match value[at] {
        b'=' => Source::Typed(rest.to_vec()),
        _ => file_named(rest)?,
    };
    let prefix = if name.is_empty() { Vec::new() } else { [name, b"="].concat() };
    curl.data.push(Data { prefix, source, filter });
    Ok(())
}

fn json(curl: &mut Curl, value: Vec<u8>) -> Result<()> {
    let source = match value.strip_prefix(b"@") {
        Some(file) => file_named(file)?,
        None => Source::Typed(value),
    };
    match curl.wish.body.get_or_insert_with(|| Body::Json(Vec::new())) {
        Body::Json(pieces) => pieces.push(source),
        _ => return Err(two_bodies()),
    }
    Ok(())
}

fn add_part(curl: &mut Curl, part: form::Part) -> Result<()> {
    match curl.wish.body.get_or_insert_with(|| Body::Form(Vec::new())) {
        Body::Form(parts) => parts.push(part),
        _ => return Err(two_bodies()),
    }
    Ok(())
}

fn two_bodies() -> Error {
    Error::usage("`--form` and `--json` are two bodies; use one of them")
}

fn file_named(name: &[u8]) -> Result<Source> {
    match name {
        b"" => Err(Error::usage("`@` names no file; write `@FILE`, or `@-` for stdin")),
        name => Ok(Source::File(text_of(name.to_vec())?)),
    }
}

fn max_time(curl: &mut Curl, value: Vec<u8>) -> Result<()> {
    curl.timeout = Some(values::time_limit(&text_of(value)?)?);
    Ok(())
}

fn connect_timeout(curl: &mut Curl, value: Vec<u8>) -> Result<()> {
    curl.connect_timeout = Some(values::time_limit(&text_of(value)?)?);
    Ok(())
}
