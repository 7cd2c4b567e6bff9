//! One function a kind of flag value: text in, value or one sentence out. The sentence does not
//! name the flag (`complaint` puts it in front), and repeats nothing that may be a secret.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::http::Pattern;
use crate::plan::{Engine, Network, Pin, Rate};
use crate::time::Nanos;
use crate::tls::{Ktls, Resumption, Suite, Version};
use crate::units::{format_count, parse_count, parse_duration, parse_rate, quote};

/// More would need 3 GB of kernel memory and more addresses than people bind.
const MOST_CONNECTIONS: u64 = 1_000_000;
/// Bounds the bookkeeping of a connection; servers that pipeline at all stop well below it.
const DEEPEST_PIPELINE: u64 = 1_024;
const MOST_THREADS: u64 = 1_024;
/// The largest a Linux kernel can be built for (CONFIG_NR_CPUS).
const MOST_CORES: usize = 8_192;

const SHORTEST_REFRESH: Nanos = Nanos::from_millis(100);

/// What one `-H` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// Sent with this value, which may be empty.
    Send(String, String),
    /// Not sent, though blast would.
    Remove(String),
    /// Those of a file, one a line; `-` is stdin.
    File(String),
}

pub fn at_least_one(text: &str) -> Result<u64> {
    match parse_count(text)? {
        0 => Err(Error::usage(format!("{} is too few; give 1 or more", quote(text)))),
        count => Ok(count),
    }
}

fn at_most(text: &str, limit: u64) -> Result<u64> {
    match at_least_one(text)? {
        count if count > limit => {
            let limit = format_count(limit as f64);
            Err(Error::usage(format!("{} is too many; give {limit} or fewer", quote(text))))
        }
        count => Ok(count),
    }
}

pub fn connections(text: &str) -> Result<u32> {
    at_most(text, MOST_CONNECTIONS).map(|count| count as u32)
}

pub fn pipeline(text: &str) -> Result<u32> {
    at_most(text, DEEPEST_PIPELINE).map(|count| count as u32)
}

pub fn port(text: &str) -> Result<u16> {
    text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
        Error::usage(format!("{} is no port; give a number from 1 to 65535", quote(text)))
    })
}

/// `-t` is the time limit in other tools.
pub fn threads(text: &str) -> Result<usize> {
    match at_most(text, MOST_THREADS) {
        Err(_) if parse_count(text).is_err() && parse_duration(text).is_ok() => {
            let given = quote(text);
            Err(Error::usage(format!("{given} is no number of threads; did you mean `--timeout`?")))
        }
        count => count.map(|count| count as usize),
    }
}

pub fn rate(text: &str) -> Result<Rate> {
    match level(text)? {
        Rate { count: 0, .. } => {
            Err(Error::usage(format!("{} is no rate; give more than 0", quote(text))))
        }
        rate => Ok(rate),
    }
}

/// A rate that may be none. Of more than one a nanosecond the counts would leave 64 bits within a
/// run, and two could not be told apart.
pub fn level(text: &str) -> Result<Rate> {
    match parse_rate(text)? {
        (count, period) if count > period.0 => Err(Error::usage(format!(
            "{} is more than one a nanosecond; give 1G per second or less",
            quote(text)
        ))),
        (count, period) => Ok(Rate { count, period }),
    }
}

pub fn time_limit(text: &str) -> Result<Nanos> {
    match parse_duration(text)? {
        Nanos::ZERO => Err(Error::usage(format!("{} is no time at all; give more", quote(text)))),
        length => Ok(length),
    }
}

/// More often would only load the resolver.
pub fn refresh(text: &str) -> Result<Nanos> {
    match time_limit(text)? {
        period if period < SHORTEST_REFRESH => {
            Err(Error::usage(format!("{} is too often; give 100ms or more", quote(text))))
        }
        period => Ok(period),
    }
}

/// `-d` is the body in curl: what is no duration may be one, and is not repeated then.
pub fn run_length(text: &str) -> Result<Nanos> {
    let looks_like_a_number = text.len() <= 12 && text.starts_with(|c: char| c.is_ascii_digit());
    match time_limit(text) {
        Err(error) if parse_duration(text).is_ok() => Err(error),
        Err(_) => {
            let given = if looks_like_a_number { quote(text) } else { "the value".to_string() };
            Err(Error::usage(format!(
                "{given} is no duration such as `30`, `30s` or `2m`; did you mean `--body`?"
            )))
        }
        length => length,
    }
}

/// `NAME=VALUE`. The value is not repeated: it may be a secret.
pub fn variable(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_string(), value.to_string())),
        _ => Err(Error::usage("a variable has a name and a value; write `NAME=VALUE`")),
    }
}

/// `10x`, or `10`.
pub fn speed(text: &str) -> Result<f64> {
    let factor = text.strip_suffix(['x', 'X']).unwrap_or(text).parse::<f64>();
    match factor {
        Ok(factor) if (1e-3..=1e6).contains(&factor) => Ok(factor),
        _ => Err(Error::usage(format!(
            "{} is no speed; write one such as `10x`, from 0.001x to 1000000x",
            quote(text)
        ))),
    }
}

/// As typed (RFC 9110, 9.1: a method is case-sensitive), but for the usual ones in any case.
pub fn method(text: &str) -> Result<String> {
    let upper = text.to_ascii_uppercase();
    match upper.as_str() {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "TRACE" => Ok(upper),
        "CONNECT" => Err(Error::usage("`CONNECT` opens a tunnel and carries no load; use another")),
        _ if is_token(text) => Ok(text.to_string()),
        _ => Err(Error::usage(format!("{} is no method; write one word", quote(text)))),
    }
}

/// `/REGEX/` or a text to look for.
pub fn pattern(text: &str) -> Result<Arc<Pattern>> {
    Pattern::parse(text).map(Arc::new)
}

/// RFC 7617: a name has no colon. Nothing is repeated.
pub fn user(text: &str) -> Result<String> {
    match text.split_once(':') {
        Some(_) if text.chars().any(char::is_control) => {
            Err(Error::usage("the credentials hold a control character; remove it"))
        }
        Some(_) => Ok(text.to_string()),
        None => Err(Error::usage(
            "the credentials have no password; write `name:password`, or `name:` for an empty one",
        )),
    }
}

/// curl's four forms. A value is never repeated: it may be a credential.
pub fn header(text: &str) -> Result<Header> {
    match text.strip_prefix('@') {
        Some("") => {
            return Err(Error::usage("`@` names no file; write `@FILE`, or `@-` for stdin"));
        }
        Some(file) => return Ok(Header::File(file.to_string())),
        None => {}
    }
    let (name, value) = match (text.split_once(':'), text.strip_suffix(';')) {
        (Some((name, value)), _) => (name, Some(value.trim())),
        (None, Some(name)) => (name, None),
        (None, None) => {
            return Err(Error::usage(
                "a header has no colon; write it as 'Name: value', in quotes",
            ));
        }
    };
    if !is_token(name) {
        return Err(Error::usage(
            "a header's name has a character that none may have; write it as 'Name: value'",
        ));
    }
    Ok(match value {
        Some("") => Header::Remove(name.to_string()),
        value => Header::Send(name.to_string(), value.unwrap_or("").to_string()),
    })
}

/// RFC 9110, 5.6.2.
fn is_token(text: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_tchar)
}

pub fn engine(text: &str) -> Result<Engine> {
    let engines = Engine::ALL;
    engines.into_iter().find(|engine| engine.name() == text).ok_or_else(|| {
        Error::usage(format!("{} is no engine; use `ring`, `tokio-uring` or `epoll`", quote(text)))
    })
}

pub fn tls_version(text: &str) -> Result<Version> {
    match text.trim().trim_start_matches("TLSv").trim_start_matches("tlsv") {
        "1.2" => Ok(Version::V1_2),
        "1.3" => Ok(Version::V1_3),
        "1" | "1.0" | "1.1" => {
            Err(Error::usage("blast speaks no TLS older than 1.2; use `1.2` or `1.3`"))
        }
        _ => Err(Error::usage(format!("{} is no version of TLS; use `1.2` or `1.3`", quote(text)))),
    }
}

pub fn suite(text: &str) -> Result<Suite> {
    Suite::named(text.trim()).ok_or_else(|| {
        let all: Vec<&str> = Suite::all().map(Suite::name).collect();
        Error::usage(format!("{} is no cipher suite here; use {}", quote(text), all.join(", ")))
    })
}

pub fn resumption(text: &str) -> Result<Resumption> {
    match text {
        "on" => Ok(Resumption::On),
        "off" => Ok(Resumption::Off),
        _ => Err(Error::usage(format!("{} is neither; use `on` or `off`", quote(text)))),
    }
}

pub fn ktls(text: &str) -> Result<Ktls> {
    Ktls::named(text).ok_or_else(|| {
        Error::usage(format!("{} is none of them; use `auto`, `on` or `off`", quote(text)))
    })
}

pub fn network(text: &str) -> Result<Network> {
    let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
    bare.parse().map_err(|_| {
        Error::usage(format!(
            "{} is no IP address; write some of this host's, as in `10.0.0.1,10.0.0.2` or \
             `10.0.1.0/24`",
            quote(text)
        ))
    })
}

/// `off`, or cores and ranges of cores: `0,2-5`.
pub fn pin(text: &str) -> Result<Pin> {
    if text == "off" {
        return Ok(Pin::Off);
    }
    let ranges: Option<Vec<_>> = text.split(',').map(cores).collect();
    let wrong = || {
        let given = quote(text);
        Error::usage(format!("{given} is no list of cores; write `off` or one such as `0,2-5`"))
    };
    Ok(Pin::List(ranges.ok_or_else(wrong)?.into_iter().flatten().collect()))
}

fn cores(text: &str) -> Option<std::ops::RangeInclusive<usize>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last && last < MOST_CORES).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.expect_err("it was accepted").message
    }

    #[test]
    fn zero_is_refused_where_it_means_nothing() {
        assert_eq!(message(connections("0")), "`0` is too few; give 1 or more");
        assert_eq!(message(pipeline("0")), "`0` is too few; give 1 or more");
        assert_eq!(message(threads("0")), "`0` is too few; give 1 or more");
        assert_eq!(message(rate("0/s")), "`0/s` is no rate; give more than 0");
        assert_eq!(message(run_length("0")), "`0` is no time at all; give more");
        assert_eq!(message(time_limit("0s")), "`0s` is no time at all; give more");
    }

    #[test]
    fn too_many_is_refused_with_the_limit() {
        assert_eq!(connections("1M"), Ok(1_000_000));
        assert_eq!(message(connections("2M")), "`2M` is too many; give 1M or fewer");
        assert_eq!(message(pipeline("1025")), "`1025` is too many; give 1,024 or fewer");
    }

    #[test]
    fn a_rate_is_at_most_one_a_nanosecond() {
        assert_eq!(rate("1G"), Ok(Rate::per_second(1_000_000_000)));
        assert_eq!(rate("1/1ns"), Ok(Rate { count: 1, period: Nanos(1) }));
        for text in ["1000000001", "2/ns", "18446744073709551615/3"] {
            assert!(message(rate(text)).contains("is more than one a nanosecond"), "{text}");
            assert!(message(level(text)).contains("is more than one a nanosecond"), "{text}");
        }
    }

    #[test]
    fn a_duration_for_threads_asks_for_the_timeout() {
        assert_eq!(threads("5"), Ok(5));
        for text in ["5s", "250ms", "1m"] {
            assert!(message(threads(text)).ends_with("did you mean `--timeout`?"), "{text}");
        }
        assert!(!message(threads("many")).contains("--timeout"));
    }

    #[test]
    fn a_body_for_the_duration_asks_for_the_body_and_is_not_repeated() {
        for text in ["password=s3", "{\"s3\":1}", "@s3.json", "", "1234567890abcs3"] {
            let message = message(run_length(text));
            assert!(message.ends_with("did you mean `--body`?"), "{message}");
            assert!(!message.contains("s3"), "{message}");
        }
        assert!(message(run_length("10x")).starts_with("`10x` is no duration"));
    }

    #[test]
    fn the_usual_methods_may_be_typed_in_any_case() {
        assert_eq!(method("post"), Ok("POST".to_string()));
        assert_eq!(method("purge"), Ok("purge".to_string()));
        assert!(message(method("connect")).contains("tunnel"));
        for text in ["", "GET /", "GÉT", "a\r\nb"] {
            assert!(message(method(text)).ends_with("is no method; write one word"), "{text}");
        }
    }

    #[test]
    fn headers_have_curls_four_forms() {
        let send = |name: &str, value: &str| Ok(Header::Send(name.into(), value.into()));
        let remove = |name: &str| Ok(Header::Remove(name.into()));
        for (text, expected) in [
            ("A: 1", send("A", "1")),
            ("A:1", send("A", "1")),
            ("A:  b: c;  ", send("A", "b: c;")),
            ("A;", send("A", "")),
            ("A:", remove("A")),
            ("A: ", remove("A")),
            ("@a:b", Ok(Header::File("a:b".into()))),
            ("@-", Ok(Header::File("-".into()))),
        ] {
            assert_eq!(header(text), expected, "{text}");
        }
    }

    #[test]
    fn a_bad_header_is_not_repeated() {
        for text in ["Bearer s3", "s3 x: 1", ": s3", ";", "", "s3\n: 1", "s3 ;"] {
            let message = message(header(text));
            assert!(message.contains("'Name: value'") && !message.contains("s3"), "{message}");
        }
    }

    #[test]
    fn cores_are_numbers_and_ranges() {
        assert_eq!(pin("off"), Ok(Pin::Off));
        assert_eq!(pin("3"), Ok(Pin::List(vec![3])));
        assert_eq!(pin("0,2-5"), Ok(Pin::List(vec![0, 2, 3, 4, 5])));
        for text in ["", "on", "5-2", "1,,2", "-1", "0-99999999999", "99999"] {
            assert!(message(pin(text)).contains("is no list of cores"), "{text}");
        }
    }

    #[test]
    fn addresses_may_stand_in_brackets() {
        for text in ["10.0.0.1", "::1", "[::1]", "10.0.0.0/8"] {
            assert!(network(text).is_ok(), "{text}");
        }
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.1:80"] {
            assert!(message(network(text)).contains("is no IP address"), "{text}");
        }
    }
}
