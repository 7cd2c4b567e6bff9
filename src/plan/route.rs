//! Where connections go, as far as the user says it apart from the URL: the flags that curl has by
//! the same names. They change what is connected to, never what is sent: the Host field stays the
//! URL's.

use std::net::IpAddr;

use super::url::{Host, Url};
use crate::address::UnixName;
use crate::error::{Error, Result};
use crate::time::Nanos;
use crate::units::quote;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Through this socket, whatever the URL's host is.
    pub unix_socket: Option<UnixName>,
    /// The first one that fits is taken.
    pub connect_to: Vec<ConnectTo>,
    pub resolve: Vec<Resolve>,
    /// Only addresses of this family.
    pub family: Option<Family>,
    /// The name is looked up again so often.
    pub dns_refresh: Option<Nanos>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

/// What is to be connected to. A name is still to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    Unix(UnixName),
    /// Named by the user for this host and port.
    Addresses(Vec<IpAddr>, u16),
    Host(Host, u16),
}

/// `HOST1:PORT1:HOST2:PORT2`: what would go to the first pair goes to the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// `None` fits any host.
    from_host: Option<Host>,
    from_port: Option<u16>,
    /// `None`: as it was.
    to_host: Option<Host>,
    to_port: Option<u16>,
    /// As it was typed.
    pub text: String,
}

/// `HOST:PORT:ADDRESS[,ADDRESS]`: what a name stands for, in place of what the resolver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// `None` (`*`) fits any host.
    host: Option<Host>,
    port: u16,
    addresses: Vec<IpAddr>,
    /// As it was typed.
    pub text: String,
}

impl Family {
    pub fn has(self, address: IpAddr) -> bool {
        address.is_ipv4() == (self == Family::V4)
    }

    /// The flag that asks for it, and the family's name.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Family::V4 => ("-4", "IPv4"),
            Family::V6 => ("-6", "IPv6"),
        }
    }
}

impl Route {
    pub fn destination(&self, url: &Url) -> Destination {
        if let Some(name) = &self.unix_socket {
            return Destination::Unix(name.clone());
        }
        if let Host::Unix(name) = &url.host {
            return Destination::Unix(name.clone());
        }
        let (host, port) = self.redirected(url);
        // Of two for one host the later one, as in curl; `*` is for those that have none.
        let of = |wanted: Option<&Host>| {
            let mut rules = self.resolve.iter().rev();
            rules.find(|rule| rule.port == port && rule.host.as_ref() == wanted)
        };
        match of(Some(host)).or_else(|| of(None)) {
            Some(rule) => Destination::Addresses(rule.addresses.clone(), port),
            None => Destination::Host(host.clone(), port),
        }
    }

    /// What `--connect-to` makes of the URL's host and port.
    fn redirected<'a>(&'a self, url: &'a Url) -> (&'a Host, u16) {
        match self.connect_to.iter().find(|rule| rule.fits(&url.host, url.port)) {
            Some(rule) => {
                (rule.to_host.as_ref().unwrap_or(&url.host), rule.to_port.unwrap_or(url.port))
            }
            None => (&url.host, url.port),
        }
    }

    /// The rules that say nothing of this URL, each with its flag.
    pub fn unused<'a>(&'a self, url: &'a Url) -> impl Iterator<Item = (&'static str, &'a str)> {
        let (host, port) = self.redirected(url);
        let fits = move |rule: &Resolve| {
            rule.port == port && rule.host.as_ref().is_none_or(|wanted| wanted == host)
        };
        let redirects = self.connect_to.iter().filter(|rule| !rule.fits(&url.host, url.port));
        let redirects = redirects.map(|rule| ("--connect-to", rule.text.as_str()));
        let names = self.resolve.iter().filter(move |rule| !fits(rule));
        redirects.chain(names.map(|rule| ("--resolve", rule.text.as_str())))
    }
}

impl ConnectTo {
    pub fn parse(text: &str) -> Result<ConnectTo> {
        let wrong = |what: &str| {
            Error::usage(format!(
                "{} {what}; write HOST1:PORT1:HOST2:PORT2, where an empty part is any or the same",
                quote(text)
            ))
        };
        let [from_host, from_port, to_host, to_port] = parts(text)[..] else {
            return Err(wrong("has not four parts"));
        };
        Ok(ConnectTo {
            from_host: host(from_host).ok_or_else(|| wrong("has a bad first host"))?,
            from_port: port(from_port).ok_or_else(|| wrong("has a bad first port"))?,
            to_host: host(to_host).ok_or_else(|| wrong("has a bad second host"))?,
            to_port: port(to_port).ok_or_else(|| wrong("has a bad second port"))?,
            text: text.to_string(),
        })
    }

    fn fits(&self, host: &Host, port: u16) -> bool {
        self.from_host.as_ref().is_none_or(|wanted| wanted == host)
            && self.from_port.is_none_or(|wanted| wanted == port)
    }
}

impl Resolve {
    /// A leading `+` is curl's (such an entry may go stale) and means nothing here.
    pub fn parse(text: &str) -> Result<Resolve> {
        let wrong = |what: &str| {
            Error::usage(format!(
                "{} {what}; write HOST:PORT:ADDRESS, with further addresses behind commas",
                quote(text)
            ))
        };
        let bare = text.strip_prefix('+').unwrap_or(text);
        let (name, rest) = split(bare).ok_or_else(|| wrong("has not three parts"))?;
        let (number, list) = split(rest).ok_or_else(|| wrong("has not three parts"))?;
        let name = match name {
            "*" => None,
            name => Some(host(name).flatten().ok_or_else(|| wrong("has a bad host"))?),
        };
        let number = port(number).flatten().ok_or_else(|| wrong("has a bad port"))?;
        let addresses = list.split(',').map(|word| unbracketed(word.trim()).parse());
        let addresses: std::result::Result<Vec<IpAddr>, _> = addresses.collect();
        let addresses = addresses.map_err(|_| wrong("has a bad IP address"))?;
        Ok(Resolve { host: name, port: number, addresses, text: text.to_string() })
    }
}

/// At its colons, but for those in brackets.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((part, behind)) = split(rest) {
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    parts
}

/// At its first colon that stands in no brackets.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut in_brackets = false;
    let at = text.find(|c| {
        in_brackets = match c {
            '[' => true,
            ']' => false,
            _ => in_brackets,
        };
        c == ':' && !in_brackets
    })?;
    Some((&text[..at], &text[at + 1..]))
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text)
}

/// `None` is no host; `Some(None)` an empty one.
fn host(text: &str) -> Option<Option<Host>> {
    if text.is_empty() { Some(None) } else { Host::parse(text).map(Some) }
}

fn port(text: &str) -> Option<Option<u16>> {
    if text.is_empty() {
        return Some(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(connect_to: &[&str], resolve: &[&str]) -> Route {
        let connect_to = connect_to.iter().map(|text| ConnectTo::parse(text).expect(text));
        let resolve = resolve.iter().map(|text| Resolve::parse(text).expect(text));
        Route { connect_to: connect_to.collect(), resolve: resolve.collect(), ..Route::default() }
    }

    /// Where `http://a.example:81/` goes.
    fn destination(connect_to: &[&str], resolve: &[&str]) -> String {
        let url = Url::parse("http://a.example:81/").expect("a URL");
        match route(connect_to, resolve).destination(&url) {
            Destination::Unix(name) => name.as_str().to_string(),
            Destination::Addresses(addresses, port) => {
                let texts: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
                format!("{} at {port}", texts.join(","))
            }
            Destination::Host(Host::Name(name), port) => format!("{name} at {port}"),
            Destination::Host(host, port) => format!("{host:?} at {port}"),
        }
    }

    #[test]
    fn rules_that_say_nothing_of_the_url_are_told() {
        let url = Url::parse("http://a.example:81/").expect("a URL");
        let none: &[&str] = &[];
        for (connect_to, resolve, unused) in [
            (&["a.example:81:b:82"][..], &["b:82:10.0.0.1"][..], none),
            (&[], &["*:81:10.0.0.1"], none),
            (&["a.example:82:b:82"], &[], &["a.example:82:b:82"]),
            (&[], &["a.example:80:10.0.0.1"], &["a.example:80:10.0.0.1"]),
            (&["::b:82"], &["a.example:81:10.0.0.1"], &["a.example:81:10.0.0.1"]),
        ] {
            let route = route(connect_to, resolve);
            let found: Vec<&str> = route.unused(&url).map(|(_, rule)| rule).collect();
            assert_eq!(found, unused);
        }
    }

    #[test]
    fn the_first_redirection_that_fits_is_taken_and_empty_parts_fit_anything() {
        for (rules, expected) in [
            (&[][..], "a.example at 81"),
            (&["a.example:81:b:82"], "b at 82"),
            (&["A.Example:81:b:82"], "b at 82"),
            (&["::b:82"], "b at 82"),
            (&[":81:b:"], "b at 81"),
            (&["a.example:::82"], "a.example at 82"),
            (&[":::"], "a.example at 81"),
            (&["a.example:80:b:82", "other:81:c:83", "::d:"], "d at 81"),
            (&["::[fe80::1%25eth0]:"], "Zoned(fe80::1, \"eth0\") at 81"),
        ] {
            assert_eq!(destination(rules, &[]), expected, "{rules:?}");
        }
    }

    #[test]
    fn a_name_stands_for_what_the_user_says_after_it_was_redirected() {
        for (connect_to, resolve, expected) in [
            (&[][..], &["a.example:81:10.0.0.1"][..], "10.0.0.1 at 81"),
            (&[], &["a.example:81:10.0.0.1,[::1],::2"], "10.0.0.1,::1,::2 at 81"),
            (&[], &["a.example:80:10.0.0.1"], "a.example at 81"),
            (&[], &["*:81:10.0.0.1"], "10.0.0.1 at 81"),
            (&[], &["a.example:81:10.0.0.2", "*:81:10.0.0.1"], "10.0.0.2 at 81"),
            (&[], &["+a.example:81:10.0.0.1", "a.example:81:10.0.0.2"], "10.0.0.2 at 81"),
            (&["::b:82"], &["a.example:81:10.0.0.1", "b:82:10.0.0.3"], "10.0.0.3 at 82"),
        ] {
            assert_eq!(destination(connect_to, resolve), expected, "{connect_to:?} {resolve:?}");
        }
    }

    #[test]
    fn a_socket_is_what_is_connected_to_whatever_else_is_said() {
        let socket = Route {
            unix_socket: Some(UnixName::parse("/run/a.sock").expect("a name")),
            ..route(&["::b:82"], &["*:81:10.0.0.1"])
        };
        let url = Url::parse("http://a.example:81/").expect("a URL");
        assert!(matches!(socket.destination(&url), Destination::Unix(_)));
    }

    #[test]
    fn a_bad_value_is_one_sentence_with_the_form_in_it() {
        for text in ["", "a", "a:1:b", "a:1:b:2:c", "a:x:b:2", "a:1:b:0", "a:1:b:99999", "a b:1::"]
        {
            let message = ConnectTo::parse(text).expect_err(text).message;
            assert!(message.contains("write HOST1:PORT1:HOST2:PORT2"), "{text}: {message}");
        }
        for text in
            ["", "a", "a:1", "a:1:", "a:1:b", "a::10.0.0.1", ":1:10.0.0.1", "-a:1", "a:1:1.2.3.4,"]
        {
            let message = Resolve::parse(text).expect_err(text).message;
            assert!(message.contains("write HOST:PORT:ADDRESS"), "{text}: {message}");
        }
    }
}
