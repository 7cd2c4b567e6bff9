//! Where a load may go: loopback, and what the one who starts the panel listed, by name or by
//! address. Nothing else, whatever a person or a resolver says.
//!
//! A name is looked up once. Each of its addresses is judged, and the run is given these addresses
//! and no name to look up: a name that stands for something else a moment later changes nothing.
//!
//! ```text
//! forbidden   addresses that nobody may load, listed or not
//! allowed     what `--allow` takes: a host, or a network
//! ```

mod allowed;
mod forbidden;

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use super::refusal::Refusal;
use crate::error::{Error, Result};
use crate::plan::Url;
use crate::plan::url::Host;
use crate::units::{nearest, quote};

pub use allowed::Allowed;

/// A name of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub name: String,
    pub url: Url,
    /// As it was listed; it may hold credentials.
    pub text: String,
    /// Loads of it are meant twice.
    pub protected: bool,
}

impl Target {
    /// `NAME=URL`.
    pub fn parse(text: &str) -> Result<Target> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let Some((name, url)) = text.split_once('=').filter(|(name, _)| is_name(name)) else {
            return Err(Error::usage(
                "a target is NAME=URL, such as staging=http://staging.example:8080; a name has \
                 letters, digits, `-`, `_` and `.`",
            ));
        };
        let meant = Url::parse(url)?;
        if let Some(why) = unaddressed(&meant.host) {
            return Err(Error::usage(format!("{name}: {why}")));
        }
        let (name, text) = (name.to_string(), url.to_string());
        Ok(Target { name, url: meant, text, protected: false })
    }

    pub fn protected(self) -> Target {
        Target { protected: true, ..self }
    }
}

/// What looks names up.
pub trait Resolver: Send + Sync {
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// This host's.
pub struct OfThisHost;

impl Resolver for OfThisHost {
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
    }
}

/// All places that a load may go to.
#[derive(Clone)]
pub struct Aims {
    pub targets: Vec<Target>,
    pub allow: Vec<Allowed>,
    resolver: Arc<dyn Resolver>,
}

/// One of them, for one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// Of the list.
    pub name: Option<String>,
    pub url: Url,
    /// What the run is given; it may hold credentials of the list.
    pub text: String,
    /// What its host stands for in this run; at least one.
    pub addresses: Vec<IpAddr>,
    /// Its name was typed in, as it has to be.
    pub is_protected: bool,
}

impl Aims {
    pub fn new(targets: Vec<Target>, allow: Vec<Allowed>) -> Aims {
        Aims { targets, allow, resolver: Arc::new(OfThisHost) }
    }

    /// Names are looked up by somebody else.
    pub fn resolved_by(self, resolver: Arc<dyn Resolver>) -> Aims {
        Aims { resolver, ..self }
    }

    /// Where a job goes: `asked` is a name of the list or a URL, `confirm` what was typed in for a
    /// protected one. Looks the name up, so it may take a while.
    pub fn choose(&self, asked: &str, confirm: Option<&str>) -> std::result::Result<Aim, Refusal> {
        let (url, text) = match self.target(asked) {
            Some(target) => (target.url.clone(), target.text.clone()),
            None => (self.url(asked)?, asked.trim().to_string()),
        };
        let listed = self.of_server(asked, &url);
        if let Some(target) = listed.filter(|target| target.protected) {
            confirmed(target, confirm)?;
        }
        let addresses = self.resolve(&url.host, listed.is_some())?;
        let (name, is_protected) =
            (listed.map(|t| t.name.clone()), listed.is_some_and(|t| t.protected));
        Ok(Aim { name, url, text, addresses, is_protected })
    }

    fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// The one of the list that was named, or whose server this is; of several the protected one.
    fn of_server(&self, asked: &str, url: &Url) -> Option<&Target> {
        let is_here = |target: &&Target| target.url.host == url.host && target.url.port == url.port;
        let same = || self.targets.iter().filter(is_here);
        let named = self.target(asked);
        same().find(|target| target.protected).or(named).or_else(|| same().next())
    }

    /// A URL that somebody typed: no secret in it, nothing to be filled in by this host.
    fn url(&self, asked: &str) -> std::result::Result<Url, Refusal> {
        if !asked.contains(['/', ':', '.']) && asked != "localhost" {
            return Err(self.unknown(asked));
        }
        if asked.contains("{{") {
            return Err(usage("a target's URL takes no placeholders", "write them in a plan"));
        }
        let url = Url::fixed(asked)
            .map_err(|error| usage(&error.message, "write a URL, or a name of the list"))?;
        if url.authorization.is_some() {
            return Err(usage(
                "a URL with a name and a password in it would be stored",
                "have it listed with --target NAME=URL and use the name",
            ));
        }
        match unaddressed(&url.host) {
            Some(why) => Err(Refusal::forbidden(why, LISTING)),
            None => Ok(url),
        }
    }

    fn unknown(&self, asked: &str) -> Refusal {
        let names = self.targets.iter().map(|target| target.name.as_str());
        let hint = match nearest(asked, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.targets.is_empty() => {
                "write a URL, such as http://127.0.0.1:8080/".to_string()
            }
            None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
        };
        usage(&format!("there is no target {}", quote(asked)), &hint)
    }

    fn resolve(&self, host: &Host, is_listed: bool) -> std::result::Result<Vec<IpAddr>, Refusal> {
        let found = match host {
            Host::Ip(ip) => vec![*ip],
            Host::Name(name) => self.lookup(name)?,
            Host::Zoned(..) | Host::Unix(_) => Vec::new(),
        };
        // Each once, in the resolver's order.
        let mut seen = BTreeSet::new();
        let addresses: Vec<IpAddr> = found.into_iter().filter(|ip| seen.insert(*ip)).collect();
        if addresses.is_empty() {
            return Err(usage(&format!("{} has no address", quote(&host.to_string())), "check it"));
        }
        let is_named = is_listed || self.allow.iter().any(|allowed| allowed.is_host(host));
        let offender = addresses.iter().find_map(|ip| Some((*ip, self.why_not(*ip, is_named)?)));
        match offender {
            None => Ok(addresses),
            Some((ip, why)) => {
                let host = quote(&host.to_string());
                Err(Refusal::forbidden(format!("{host} is {ip}, and {why}"), LISTING))
            }
        }
    }

    /// `is_named`: its host was listed by its name.
    fn why_not(&self, ip: IpAddr, is_named: bool) -> Option<&'static str> {
        if let Some(why) = forbidden::why(ip) {
            return Some(why);
        }
        let is_allowed = is_named
            || forbidden::bare(ip).is_loopback()
            || self.allow.iter().any(|allowed| allowed.has(forbidden::bare(ip)));
        (!is_allowed).then_some("only loopback and what was listed may be loaded")
    }

    fn lookup(&self, name: &str) -> std::result::Result<Vec<IpAddr>, Refusal> {
        self.resolver.addresses(name).map_err(|error| {
            let name = quote(name);
            usage(&format!("{name} cannot be resolved ({error})"), "check the name")
        })
    }
}

const LISTING: &str =
    "who starts the panel lists it with --target NAME=URL, or with --allow HOST or --allow CIDR";

fn usage(message: &str, hint: &str) -> Refusal {
    Refusal::usage("target", message, hint)
}

/// Hosts that have no address of the internet.
fn unaddressed(host: &Host) -> Option<&'static str> {
    match host {
        Host::Unix(_) => Some("a Unix socket of the panel's host is no target"),
        Host::Zoned(..) => Some("an address of one link is no target"),
        Host::Ip(_) | Host::Name(_) => None,
    }
}

fn confirmed(target: &Target, confirm: Option<&str>) -> std::result::Result<(), Refusal> {
    let name = &target.name;
    match confirm {
        Some(typed) if typed == name => Ok(()),
        _ => Err(Refusal::usage(
            "confirm",
            format!("{name} is protected, and its name was not typed in"),
            format!("type {name} if it is meant"),
        )),
    }
}

#[cfg(test)]
mod tests;
