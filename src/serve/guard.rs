//! What holds for every request, before any route sees it: it is meant for this panel, it comes from
//! no other site, it is not too long; and every answer tells browsers to trust it with nothing else.
//!
//! A page of another site can send requests here, with the user's cookie if the browser lets it, and
//! with a name of its own that leads to this address (DNS rebinding). The first is known by its
//! Origin, the second by its Host.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Panel;
use super::refusal::Refusal;

/// The longest body that is read.
pub const LONGEST_BODY: usize = 1 << 20;

/// No route takes as long, with all that it reads.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nothing from elsewhere, nothing inside the page, and no page around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What stands in each answer, if the route has not said otherwise.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    (header::CACHE_CONTROL, "no-store"),
];

/// By which names the panel is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doors {
    /// What it listens on; unspecified (0.0.0.0): on all that the host has.
    pub address: Option<IpAddr>,
    /// Names that it was given, in small letters.
    pub hosts: Vec<String>,
    pub is_tls: bool,
    /// A proxy in front talks TLS, and says whom it talks for.
    pub is_behind_proxy: bool,
}

impl Doors {
    /// Whether browsers see it over TLS.
    pub fn is_secure(&self) -> bool {
        self.is_tls || self.is_behind_proxy
    }

    /// Whether a `Host` means this panel. The port is left aside: a tunnel may have another, and no
    /// foreign name becomes one of ours by it.
    fn admits(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        let name = name.to_ascii_lowercase();
        if self.hosts.contains(&name) {
            return true;
        }
        let is_local = self.address.is_some_and(local);
        match name.parse::<IpAddr>() {
            // No name stands behind a number, so none can have been bent.
            Ok(ip) => local(ip) || self.address.is_some_and(|at| at.is_unspecified() || at == ip),
            Err(_) => name == "localhost" && (is_local || self.is_unspecified()),
        }
    }

    fn is_unspecified(&self) -> bool {
        self.address.is_some_and(|address| address.is_unspecified())
    }

    /// Whether an `Origin` is that of the pages that were asked for by this `Host`.
    fn is_own(&self, origin: &str, host: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let is_same = authority.eq_ignore_ascii_case(host);
        if self.is_behind_proxy {
            // Which may have put its own name for this panel into Host.
            let named = authority.split(':').next().unwrap_or_default().to_ascii_lowercase();
            return is_same || (scheme == "https" && self.hosts.contains(&named));
        }
        is_same && scheme == if self.is_tls { "https" } else { "http" }
    }

    /// Whether a browser says that the request is a page's of this panel. Programs say nothing.
    pub fn is_from_own_page(&self, headers: &HeaderMap) -> bool {
        let host = text(headers, header::HOST);
        match (text(headers, header::ORIGIN), text(headers, SITE)) {
            (Some(origin), _) => self.is_own(origin, host.unwrap_or_default()),
            (None, site) => site == Some("same-origin"),
        }
    }

    fn check(&self, request: &Request) -> Result<(), Refusal> {
        let headers = request.headers();
        let host = text(headers, header::HOST).filter(|host| self.admits(host));
        let Some(host) = host else {
            let hint = "ask by the address it listens on, or start it with `--host NAME`";
            return Err(foreign("foreign_host", "this panel has no such name", hint));
        };
        let hint = "use the panel's own pages, or a program with a token";
        if let Some(origin) = text(headers, header::ORIGIN).filter(|o| !self.is_own(o, host)) {
            let what = format!("a page of {} asks", shortened(origin));
            return Err(foreign("foreign_origin", what, hint));
        }
        // Before there was Origin on all of them.
        let is_foreign = matches!(text(headers, SITE), Some("cross-site" | "same-site"));
        if is_foreign && !is_safe(request.method()) {
            return Err(foreign("foreign_origin", "a page of another site asks", hint));
        }
        let length =
            text(headers, header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
        match length.is_some_and(|length| length > LONGEST_BODY as u64) {
            true => Err(too_long()),
            false => Ok(()),
        }
    }
}

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// RFC 9110, 9.2.1: it changes nothing.
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

pub fn too_long() -> Refusal {
    let hint = Some("send 1 MB or less".to_string());
    Refusal { hint, ..Refusal::new(413, "too_long", "the body is too long") }
}

fn foreign(code: &'static str, message: impl Into<String>, hint: &str) -> Refusal {
    Refusal { hint: Some(hint.to_string()), ..Refusal::new(403, code, message) }
}

/// The middleware around all routes.
pub async fn check(State(panel): State<Arc<Panel>>, request: Request, next: Next) -> Response {
    let response = match panel.doors.check(&request) {
        Ok(()) => match tokio::time::timeout(PATIENCE, next.run(request)).await {
            Ok(response) => response,
            Err(_) => {
                Refusal::new(503, "too_slow", "that took too long; try again").into_response()
            }
        },
        Err(refusal) => refusal.into_response(),
    };
    with_headers(response)
}

fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn local(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn shortened(origin: &str) -> String {
    origin.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn at(address: impl Into<IpAddr>) -> Doors {
        Doors { address: Some(address.into()), ..Doors::default() }
    }

    #[test]
    fn a_host_is_a_name_of_the_panel_and_no_other() {
        let here = at(Ipv4Addr::LOCALHOST);
        let mut named = at(Ipv4Addr::UNSPECIFIED);
        named.hosts.push("perf.example".to_string());
        let one = at([10, 0, 0, 7]);
        for (host, of_here, of_named, of_one) in [
            ("127.0.0.1:8089", true, true, true),
            ("localhost", true, true, false),
            ("LOCALHOST:9", true, true, false),
            ("[::1]:8089", true, true, true),
            ("10.0.0.7:8089", false, true, true),
            ("10.0.0.8", false, true, false),
            ("perf.example:8089", false, true, false),
            ("PERF.example", false, true, false),
            ("evil.example", false, false, false),
            ("127.0.0.1.evil.example", false, false, false),
            ("localhost.evil.example", false, false, false),
            ("", false, false, false),
            ("a b", false, false, false),
        ] {
            let found = (here.admits(host), named.admits(host), one.admits(host));
            assert_eq!(found, (of_here, of_named, of_one), "{host}");
        }
    }

    #[test]
    fn an_origin_is_that_of_the_host_with_its_port_and_scheme() {
        let here = at(Ipv4Addr::LOCALHOST);
        let tls = Doors { is_tls: true, ..here.clone() };
        let hosts = vec!["perf.example".to_string()];
        let proxied = Doors { is_behind_proxy: true, hosts, ..here.clone() };
        let host = "127.0.0.1:8089";
        for (origin, of_here, of_tls, of_proxied) in [
            ("http://127.0.0.1:8089", true, false, true),
            ("https://127.0.0.1:8089", false, true, true),
            ("https://perf.example", false, false, true),
            ("http://perf.example", false, false, false),
            ("http://127.0.0.1:3000", false, false, false),
            ("http://127.0.0.1", false, false, false),
            ("https://evil.example", false, false, false),
            ("null", false, false, false),
            ("", false, false, false),
        ] {
            let found = [&here, &tls, &proxied].map(|doors| doors.is_own(origin, host));
            assert_eq!(found, [of_here, of_tls, of_proxied], "{origin}");
        }
    }
}
