//! Cookies as curl takes them: `a=b; c=d`, or a file in Netscape's format, of which those are sent
//! that are meant for the URL.
//!
//! ```text
//! line = [ "#HttpOnly_" ] domain TAB subdomains TAB path TAB secure TAB expires TAB name TAB value
//! ```

use std::path::Path;

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::source::{Source, Sources};
use crate::error::{Error, Result};
use crate::plan::Url;
use crate::plan::url::Host;
use crate::units::quote;

/// The value of the Cookie field: of each text its cookies, of each file those for this URL.
pub fn value(flag: &str, cookies: &[String], url: &Url, sources: &mut Sources) -> Result<String> {
    let mut all = Vec::new();
    for cookie in cookies {
        if cookie.contains('=') {
            all.push(cookie.trim().trim_end_matches(';').to_string());
            continue;
        }
        // Where there is no such file it may be a session's secret without its name.
        if cookie != "-" && !Path::new(cookie).exists() {
            return Err(Error::usage(format!(
                "{flag}: what was given has no `=`, and is no file either; write `name=value`, or \
                 the name of a file of cookies"
            )));
        }
        let text = sources.text(flag, &Source::File(cookie.clone()))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let of_file = of_file(&text, &Visit::new(url, now));
        if of_file.is_empty() {
            let host = quote(&url.authority);
            return Err(Error::usage(format!(
                "{flag}: the file has no cookie that goes to {host}; write the cookies themselves \
                 as 'a=b; c=d', or check domain, path and expiry in the file"
            )));
        }
        all.extend(of_file);
    }
    Ok(all.join("; "))
}

/// Where the cookies would go, and when.
struct Visit<'a> {
    host: String,
    path: &'a str,
    secure: bool,
    now: u64,
}

impl Visit<'_> {
    fn new(url: &Url, now: u64) -> Visit<'_> {
        let (host, local) = match &url.host {
            Host::Ip(ip) => (ip.to_string(), ip.is_loopback()),
            Host::Zoned(ip, _) => (ip.to_string(), ip.is_loopback()),
            Host::Name(name) => (name.to_ascii_lowercase(), name == "localhost"),
            Host::Unix(_) => ("localhost".to_string(), true),
        };
        // curl trusts the host itself as it trusts https.
        let secure = local || url.is_https;
        let path = url.target.split('?').next().unwrap_or("/");
        Visit { host, path, secure, now }
    }
}

/// `name=value` of each that goes there, in curl's order: longer paths first, then longer domains
/// and names.
fn of_file(text: &str, visit: &Visit) -> Vec<String> {
    let mut cookies: Vec<Line> = text.lines().filter_map(Line::parse).collect();
    cookies.retain(|cookie| cookie.goes_to(visit));
    let order = |c: &Line| (c.path.len(), c.domain.len(), c.name.len());
    cookies.sort_by_key(|cookie| std::cmp::Reverse(order(cookie)));
    cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect()
}

struct Line<'a> {
    domain: String,
    subdomains: bool,
    path: &'a str,
    secure: bool,
    /// Seconds since 1970; 0: with the session.
    expires: u64,
    name: &'a str,
    value: &'a str,
}

impl Line<'_> {
    fn parse(line: &str) -> Option<Line<'_>> {
        let line = line.trim_end_matches('\r');
        let line = line.strip_prefix("#HttpOnly_").unwrap_or(line);
        if line.starts_with('#') {
            return None;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let (&[domain, subdomains, path, secure, expires, name], rest) =
            fields.split_first_chunk::<6>()?;
        Some(Line {
            domain: domain.trim_start_matches('.').to_ascii_lowercase(),
            subdomains: subdomains.eq_ignore_ascii_case("true"),
            path,
            secure: secure.eq_ignore_ascii_case("true"),
            expires: expires.parse().ok()?,
            name,
            value: rest.first().unwrap_or(&""),
        })
    }

    /// RFC 6265, 5.4.
    fn goes_to(&self, visit: &Visit) -> bool {
        let is_name = visit.host.parse::<IpAddr>().is_err();
        let below = visit.host.strip_suffix(&self.domain).is_some_and(|rest| rest.ends_with('.'));
        let of_domain = visit.host == self.domain || (self.subdomains && is_name && below);
        let of_path = match visit.path.strip_prefix(self.path) {
            Some(rest) => rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'),
            None => false,
        };
        let fresh = self.expires == 0 || self.expires > visit.now;
        of_domain && of_path && fresh && (visit.secure || !self.secure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# Netscape HTTP Cookie File\n\
        .example.com\tTRUE\t/\tFALSE\t0\tsession\ts1\n\
        #HttpOnly_example.com\tFALSE\t/\tFALSE\t2000000000\tid\t17\r\n\
        www.example.com\tFALSE\t/a\tFALSE\t0\tdeep\tyes\n\
        .example.com\tTRUE\t/\tTRUE\t0\tsecure\tx\n\
        .example.com\tTRUE\t/\tFALSE\t5\told\tx\n\
        127.0.0.1\tFALSE\t/\tTRUE\t0\tlocal\tx\n\
        example.com\tFALSE\t/\tFALSE\t0\tempty\t\n\
        example.com\tFALSE\t/\tFALSE\tnever\tbad\tx\n\
        not a cookie\n";

    #[test]
    fn of_a_file_those_are_sent_that_are_meant_for_the_url() {
        for (url, expected) in [
            ("http://example.com/", "session=s1; empty=; id=17"),
            ("http://EXAMPLE.com/x?y", "session=s1; empty=; id=17"),
            ("http://www.example.com/", "session=s1"),
            ("http://www.example.com/a/b", "deep=yes; session=s1"),
            ("http://www.example.com/ab", "session=s1"),
            ("http://notexample.com/", ""),
            ("http://127.0.0.1:8080/", "local=x"),
        ] {
            let url = Url::parse(url).unwrap();
            let found = of_file(FILE, &Visit::new(&url, 1_000_000_000)).join("; ");
            assert_eq!(found, expected, "{}", url.shown);
        }
    }

    #[test]
    fn what_holds_an_equals_sign_is_the_cookies_themselves() {
        let url = Url::parse("http://h/").unwrap();
        let cookies = ["a=b; c=d;".to_string(), " e=f".to_string()];
        let found = value("--cookie", &cookies, &url, &mut Sources::default());
        assert_eq!(found.unwrap(), "a=b; c=d; e=f");
    }
}
