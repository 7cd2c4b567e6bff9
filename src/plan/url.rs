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

use super::place;
use crate::address::UnixName;
use crate::error::{Error, Result};
use crate::units::quote;

const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
/// What stands for a secret wherever something is shown.
pub const MASK: &str = "***";

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
    pub fn parse(text: &str) -> Result<Url> {
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

/// A `%` that no two hex digits follow stands for itself.
fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|&byte| (byte as char).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
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
    let sent = rest.split('#').next().unwrap_or("");
    format!("{scheme}{}", mask_query(sent))
}

/// Path and query, with the values of secret fields masked.
fn mask_query(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_string();
    };
    let fields = query.split('&').map(|field| match field.split_once('=') {
        Some((name, _)) if sounds_secret(name) => format!("{name}={MASK}"),
        _ => field.to_string(),
    });
    format!("{path}?{}", fields.collect::<Vec<_>>().join("&"))
}

pub fn sounds_secret(name: &str) -> bool {
    let name = String::from_utf8_lossy(&percent_decoded(name)).to_ascii_lowercase();
    ["key", "token", "secret", "password"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Url {
        Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn an_address_needs_no_scheme_no_port_and_no_path() {
        for (text, host, port, authority, target) in [
            ("http://example.com/", "example.com", 80, "example.com", "/"),
            ("example.com", "example.com", 80, "example.com", "/"),
            ("HTTP://Example.COM", "example.com", 80, "example.com", "/"),
            ("localhost:8080/x", "localhost", 8080, "localhost:8080", "/x"),
            ("127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1:8080", "/"),
            ("[::1]:80", "::1", 80, "[::1]", "/"),
            ("http://[::1]:8080/a", "::1", 8080, "[::1]:8080", "/a"),
            ("http://host:80?q", "host", 80, "host", "/?q"),
            ("  host  ", "host", 80, "host", "/"),
            ("host/http://other/", "host", 80, "host", "/http://other/"),
            ("bücher.example", "xn--bcher-kva.example", 80, "xn--bcher-kva.example", "/"),
        ] {
            let url = parse(text);
            let expected = match host.parse() {
                Ok(ip) => Host::Ip(ip),
                Err(_) => Host::Name(host.to_string()),
            };
            assert_eq!((url.host, url.port), (expected, port), "{text}");
            assert_eq!((&*url.authority, &*url.target), (authority, target), "{text}");
            assert_eq!(url.authorization, None, "{text}");
        }
    }

    #[test]
    fn path_and_query_stay_as_typed_and_the_fragment_goes() {
        for (typed, target) in [
            ("/a/b?c=d&e=f", "/a/b?c=d&e=f"),
            ("/a%2Fb%20c", "/a%2Fb%20c"),
            ("/a b", "/a%20b"),
            ("/a/../b/./c", "/b/c"),
            ("//a//b/", "//a//b/"),
            ("/?q=1#top", "/?q=1"),
            ("#top", "/"),
            ("/ä", "/%C3%A4"),
            ("/~x;p=1,2:3@4?a|b", "/~x;p=1,2:3@4?a|b"),
        ] {
            assert_eq!(parse(&format!("http://host{typed}")).target, target, "{typed}");
        }
    }

    #[test]
    fn userinfo_becomes_basic_auth_and_is_not_shown() {
        for (userinfo, pair) in [
            ("user:pass", "user:pass"),
            ("user", "user:"),
            (":pass", ":pass"),
            ("us%40er:p%3Aa%2Fss", "us@er:p:a/ss"),
            ("u:p@ss", "u:p@ss"),
            ("u:100%", "u:100%"),
        ] {
            let url = parse(&format!("http://{userinfo}@host:81/x"));
            let expected = format!("Basic {}", BASE64.encode(pair));
            assert_eq!(url.authorization, Some(expected), "{userinfo}");
            assert_eq!(url.shown, "http://***@host:81/x", "{userinfo}");
            assert_eq!(url.authority, "host:81", "{userinfo}");
        }
        assert_eq!(parse("http://@host/").authorization, None);
    }

    #[test]
    fn query_values_that_sound_secret_are_sent_and_not_shown() {
        for (query, shown) in [
            ("a=1&b=2", "a=1&b=2"),
            ("api_key=s3&a=1", "api_key=***&a=1"),
            ("accessToken=s3", "accessToken=***"),
            ("a=1&CLIENT-SECRET=s3=", "a=1&CLIENT-SECRET=***"),
            ("%70assword=s3", "%70assword=***"),
            ("key", "key"),
            ("q=token", "q=token"),
        ] {
            let url = parse(&format!("http://host/p?{query}"));
            assert_eq!(url.shown, format!("http://host/p?{shown}"));
            assert_eq!(url.target, format!("/p?{query}"));
        }
    }

    #[test]
    fn a_zone_is_kept_for_the_connect_and_not_sent() {
        for (text, zone, authority, shown) in [
            ("http://[fe80::1%25eth0]:81/a%25b", "eth0", "[fe80::1]:81", "[fe80::1%25eth0]:81"),
            ("[fe80::1%eth0]/a%25b", "eth0", "[fe80::1]", "[fe80::1%25eth0]"),
            ("http://u:p@[FE80::1%2]/a%25b", "2", "[fe80::1]", "***@[fe80::1%252]"),
        ] {
            let url = parse(text);
            let ip = "fe80::1".parse().expect("an address");
            assert_eq!(url.host, Host::Zoned(ip, zone.to_string()), "{text}");
            assert_eq!((&*url.authority, &*url.target), (authority, "/a%25b"), "{text}");
            assert_eq!(url.shown, format!("http://{shown}/a%25b"), "{text}");
        }
        assert_eq!(Host::parse("[::1%lo]"), Some(Host::Zoned("::1".parse().unwrap(), "lo".into())));
        assert_eq!(Host::parse("A.example"), Some(Host::Name("a.example".into())));
        assert_eq!(Host::parse("::1"), None);
    }

    #[test]
    fn a_unix_socket_stands_in_a_url_percent_encoded() {
        for (text, name, target, shown) in [
            (
                "http+unix://%2Frun%2Fa.sock/p?q=1#f",
                "/run/a.sock",
                "/p?q=1",
                "%2Frun%2Fa.sock/p?q=1",
            ),
            ("HTTP+unix://a.sock", "a.sock", "/", "a.sock/"),
            ("http+unix://%40name/", "@name", "/", "%40name/"),
            ("http+unix://@name/", "@name", "/", "%40name/"),
            ("http+unix://u:p@%2Fa/?key=s3", "/a", "/?key=s3", "***@%2Fa/?key=***"),
        ] {
            let url = parse(text);
            assert_eq!(url.host, Host::Unix(UnixName::parse(name).expect(name)), "{text}");
            assert_eq!((&*url.authority, &*url.target), ("localhost", target), "{text}");
            assert_eq!(url.shown, format!("http+unix://{shown}"), "{text}");
            assert_eq!(url.authorization.is_some(), text.contains("u:p"), "{text}");
        }
    }

    #[test]
    fn a_bad_address_gets_one_sentence_that_says_what_to_do() {
        for (text, expected) in [
            ("", "the URL is empty"),
            ("  ", "the URL is empty"),
            ("http://", "names no host"),
            ("http:///x", "names no host"),
            ("/path", "names no host"),
            (":8080", "names no host"),
            ("http://?q", "names no host"),
            ("http://user:pw@/x", "names no host"),
            ("https://", "names no host"),
            ("HTTPS:///x", "names no host"),
            ("ftp://host/", "is no http address"),
            ("unix:///run/x.sock", "is no http address"),
            ("://host", "no scheme before"),
            ("http:host", "lacks `//`"),
            ("HTTP:66", "lacks `//`"),
            ("https:/host", "lacks `//`"),
            ("8080", "is a number"),
            ("host:0", "has port 0"),
            ("host:99999", "bad port"),
            ("host:80x/", "bad port"),
            ("http://1.2.3.4.5/", "bad IPv4 address"),
            ("http://300.1.1.1/", "bad IPv4 address"),
            ("http://[::1/", "bad IPv6 address"),
            ("http://[::x]/", "bad IPv6 address"),
            ("http://[::1%]/", "bad zone"),
            ("http://[::1%25a%20b]/", "bad zone"),
            ("http://[::1%25far-too-long-a-name]/", "bad zone"),
            ("http+unix:///p", "names no Unix socket"),
            ("http+unix://%FF/", "names no Unix socket"),
            ("http+unix://%2Fa:80/", "names no Unix socket"),
            ("http+unix://a%00b/", "zero byte"),
            ("::1", "names no host"),
            ("http://a b/", "character that none can have"),
            ("http://ho|st/", "character that none can have"),
        ] {
            let error = Url::parse(text).expect_err(text);
            assert_eq!(error.exit, crate::Exit::Usage, "{text}");
            assert!(error.message.contains(expected), "{text}: {error}");
            assert!(!error.message.contains('\n'), "{text}: {error}");
        }
    }

    #[test]
    fn an_error_repeats_no_secret() {
        for text in [
            "http://user:s3cret@host:99999/",
            "user:s3cret@host:0/",
            "http://user:s3/cret@host/",
            "http://user:p?s3cret@host/",
            "http://s3cret@/",
            "ftp://user:s3cret@host/",
            "http://host:0/?token=s3cret",
            "http://host:0/#s3cret",
            "http://user:s3cret@[::1%]/",
            "http+unix://user:s3cret@/p",
            "http+unix://user:s3/cret@%2Fa",
            "user:s3cret://x@host/",
        ] {
            let message = Url::parse(text).expect_err(text).message;
            assert!(!message.contains("s3") && !message.contains("cret"), "{text}: {message}");
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic() {
        const PARTS: [&str; 14] =
            ["http://", "a", ":", "/", "@", "[", "]", "::1", "%", "?", "#", "\\", "\0", "é"];
        for n in 0..PARTS.len().pow(4) {
            let digits = [n % 14, n / 14 % 14, n / 196 % 14, n / 2744];
            let text: String = digits.iter().map(|&digit| PARTS[digit]).collect();
            if let Ok(url) = Url::parse(&text) {
                assert!(url.target.starts_with('/'), "{text}");
                assert!(url.target.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
            }
        }
    }
}
