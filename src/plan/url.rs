//! The target's address as the user wrote it.
//!
//! Read as browsers and curl read it (the `url` crate, WHATWG): dot segments are resolved, what may
//! not stand in a request line is percent-encoded, anything else stays as typed. No scheme means
//! `http`. The fragment is never sent.
//!
//! Userinfo becomes Basic auth (RFC 7617) and is masked in [`Url::shown`], as are query values
//! whose field's name sounds secret. Errors repeat the address masked too: it is often a shell
//! variable that holds a password.
//!
//! Two things stand in no such URL and are taken out before it is read (`place`): the zone of an
//! IPv6 address, and the Unix socket of `http+unix://`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::mask::{MASK, mask_query, percent_decoded};
use super::place;
use crate::address::UnixName;
use crate::error::{Error, Result};
use crate::units::quote;

const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// An `http://` or `https://` target, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub is_https: bool,
    pub host: Host,
    pub port: u16,
    /// Path and query, as they stand in the request line; starts with `/`.
    pub target: String,
    /// The value of the Host field: host, and the port where it is not the scheme's own.
    pub authority: String,
    /// The value of the Authorization field that userinfo stands for.
    pub authorization: Option<String>,
    /// The URL as reports show it: userinfo and secret query fields masked.
    pub shown: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Ip(IpAddr),
    /// An address that means something else on each link, and the interface it is meant on.
    Zoned(Ipv6Addr, String),
    /// To be resolved.
    Name(String),
    /// Of `http+unix://`. The Host field says `localhost`.
    Unix(UnixName),
}

impl Host {
    /// A host as it stands in a URL.
    pub fn parse(text: &str) -> Option<Host> {
        let (text, zone) = place::without_zone(text)?;
        Host::of(url::Host::parse(&text).ok()?, zone)
    }

    fn of<S: AsRef<str>>(host: url::Host<S>, zone: Option<String>) -> Option<Host> {
        Some(match (host, zone) {
            (url::Host::Ipv6(ip), Some(zone)) => Host::Zoned(ip, zone),
            (url::Host::Ipv6(ip), None) => Host::Ip(ip.into()),
            (url::Host::Ipv4(ip), _) => Host::Ip(ip.into()),
            (url::Host::Domain(name), _) if !name.as_ref().is_empty() => {
                Host::Name(name.as_ref().to_string())
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Host {
    /// Without brackets, and as a server is to know it: no zone, no socket's name.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Host::Ip(ip) => ip.fmt(f),
            Host::Zoned(ip, _) => ip.fmt(f),
            Host::Name(name) => name.fmt(f),
            Host::Unix(_) => f.write_str("localhost"),
        }
    }
}

impl Url {
    /// Reads what a person types where a URL is asked for. The error is one sentence that says
    /// what to write instead, and holds no secret.
    ///
    /// Path and query may hold placeholders (`template`), which pass through as they are; so what
    /// has some is no target yet that could be sent.
    pub fn parse(text: &str) -> Result<Url> {
        let Some(covered) = placeholders::covered(text.trim()) else { return Url::fixed(text) };
        match Url::fixed(&covered.text) {
            Ok(url) => Ok(Url {
                target: covered.restored(&url.target),
                shown: covered.restored(&url.shown),
                ..url
            }),
            // It is told of what was typed, where the whole of a secret is seen.
            Err(error) => Err(Url::fixed(text).err().unwrap_or(error)),
        }
    }

    /// The same of a URL in which braces are nothing but braces.
    pub fn fixed(text: &str) -> Result<Url> {
        let text = text.trim();
        match place::of_unix_socket(text) {
            Some(place) => Url::of_unix_socket(text, place),
            None => Url::of_host(text),
        }
    }

    /// `http+unix://`: the socket's name stands where a host would.
    fn of_unix_socket(text: &str, place: place::Unix) -> Result<Url> {
        let name = String::from_utf8(percent_decoded(place.host)).unwrap_or_default();
        // A colon is a port's, or of a password that was cut off at its `/`.
        if name.is_empty() || place.host.contains(':') {
            return Err(Error::usage(format!(
                "{} names no Unix socket; write its path percent-encoded, as in \
                 `http+unix://%2Frun%2Fapp.sock/`",
                quote(&masked(text))
            )));
        }
        let socket = UnixName::parse(&name)?;
        let url = Url::of_host(&format!("http://{}localhost{}", place.userinfo, place.rest))?;
        let shown = url.shown.replacen("http://", "http+unix://", 1);
        let shown = shown.replacen("localhost", &place::encoded(&name), 1);
        Ok(Url { host: Host::Unix(socket), shown, ..url })
    }

    fn of_host(text: &str) -> Result<Url> {
        let bad_zone = || {
            Error::usage(format!(
                "{} has a bad zone; write an interface's name, as in `http://[fe80::1%25eth0]/`",
                quote(&masked(text))
            ))
        };
        let (zoneless, zone) = place::without_zone(text).ok_or_else(bad_zone)?;
        let parsed = url::Url::parse(&with_scheme(&zoneless)?).map_err(|e| explain(text, e))?;
        let host = parsed.host().and_then(|host| Host::of(host, zone));
        let host = host.ok_or_else(|| no_host(text))?;
        let port = parsed.port_or_known_default().unwrap_or(HTTP_PORT);
        if port == 0 {
            let given = quote(&masked(text));
            return Err(Error::usage(format!("{given} has port 0; use 1 to 65535")));
        }
        let is_https = parsed.scheme() == "https";
        let authority = authority(&host, port, if is_https { HTTPS_PORT } else { HTTP_PORT });
        let userinfo = !parsed.username().is_empty() || parsed.password().is_some();
        let mask = if userinfo { "***@" } else { "" };
        let target = &parsed[url::Position::BeforePath..url::Position::AfterQuery];
        Ok(Url {
            target: target.to_string(),
            authorization: userinfo.then(|| basic(&parsed)),
            shown: format!(
                "{}://{mask}{}{}",
                parsed.scheme(),
                shown(&host, &authority),
                mask_query(target)
            ),
            is_https,
            host,
            port,
            authority,
        })
    }
}

/// The URL with `http://` where no scheme was typed; other schemes are refused.
fn with_scheme(text: &str) -> Result<String> {
    let usage = |message: String| Err(Error::usage(message));
    let given = || quote(&masked(text));
    if text.strip_prefix("curl").is_some_and(|rest| rest.starts_with(char::is_whitespace)) {
        return usage("a curl command stands where a URL is due; write `--curl 'curl ...'`".into());
    }
    if text.is_empty() {
        return usage("the URL is empty; write one such as `http://localhost:8080/`".into());
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?', '#', '@']) => (scheme, rest),
        _ => ("http", text),
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" if rest.is_empty() || rest.starts_with(['/', '?', '#', '\\']) => {
            Err(no_host(text))
        }
        "http" | "https" if rest.starts_with(':') && !rest.contains('@') => Err(no_host(text)),
        "http" if rest.bytes().all(|byte| byte.is_ascii_digit()) => {
            usage(format!("{} is a number where a URL such as `localhost:8080` is due", given()))
        }
        "http" if ["http:", "https:"].iter().any(|start| begins(rest, start)) => {
            usage(format!("{} lacks `//`; write `http://host/`", given()))
        }
        "http" | "https" => Ok(format!("{scheme}://{rest}")),
        "" => usage(format!("{} has no scheme before `://`; write `http://host/`", given())),
        "https+unix" => {
            usage("https over a Unix socket is `--unix-socket PATH https://host/`".to_string())
        }
        _ => usage(format!("{} is no http address; write `http://host/`", given())),
    }
}

/// Schemes are the same in any case (RFC 3986, 3.1).
fn begins(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start))
}

fn no_host(text: &str) -> Error {
    let given = quote(&masked(text));
    Error::usage(format!("{given} names no host; write one, such as `http://localhost:8080/`"))
}

fn explain(text: &str, error: url::ParseError) -> Error {
    use url::ParseError::*;
    let what = match error {
        EmptyHost => return no_host(text),
        InvalidPort => {
            "has a bad port; use a number from 1 to 65535, as in `http://localhost:8080/`"
        }
        InvalidIpv4Address => "has a bad IPv4 address; write four numbers, as in `127.0.0.1`",
        InvalidIpv6Address => {
            "has a bad IPv6 address; write it in brackets, as in `http://[::1]:80/`"
        }
        IdnaError | InvalidDomainCharacter => {
            "has a host name with a character that none can have; check it, and quote the URL"
        }
        _ => "is no URL; write one such as `http://localhost:8080/`",
    };
    Error::usage(format!("{} {what}", quote(&masked(text))))
}

/// RFC 9110, 7.2: the port is left out where it is the scheme's own.
fn authority(host: &Host, port: u16, own: u16) -> String {
    let host = match host {
        Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
        // RFC 6874, 4: a zone is this host's own affair and is not sent.
        Host::Zoned(ip, _) => format!("[{ip}]"),
        _ => host.to_string(),
    };
    match port {
        _ if port == own => host,
        _ => format!("{host}:{port}"),
    }
}

/// The authority with the zone that is not sent.
fn shown(host: &Host, authority: &str) -> String {
    match host {
        Host::Zoned(_, zone) => authority.replacen(']', &format!("%25{zone}]"), 1),
        _ => authority.to_string(),
    }
}

/// RFC 7617, from the bytes that the percent-encoding stands for.
fn basic(parsed: &url::Url) -> String {
    let mut pair = percent_decoded(parsed.username());
    pair.push(b':');
    pair.extend(percent_decoded(parsed.password().unwrap_or("")));
    format!("Basic {}", BASE64.encode(pair))
}

/// An address that may not be a valid one, as an error repeats it. A password that should have
/// been percent-encoded may hold `/` or `?`, so everything up to the last `@` goes.
pub fn masked(text: &str) -> String {
    // A password may hold `://` too; what stands before a scheme's is a name.
    let is_scheme =
        |at: &usize| text[..*at].chars().all(|c| c.is_alphanumeric() || "+-.".contains(c));
    let start = text.find("://").filter(is_scheme).map_or(0, |at| at + 3);
    let (scheme, rest) = text.split_at(start);
    let rest = match rest.rsplit_once('@') {
        Some((_, rest)) => format!("{MASK}@{rest}"),
        None => rest.to_string(),
    };
    // Behind a blank stands something else, maybe a whole command line.
    let sent = rest.split(|c: char| c == '#' || c.is_whitespace()).next().unwrap_or("");
    format!("{scheme}{}", mask_query(sent))
}

mod placeholders;
#[cfg(test)]
mod tests;
