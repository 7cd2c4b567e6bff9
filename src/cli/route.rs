//! Where the flags send the connections, and the combinations that contradict each other.

use super::groups::LoadArgs;
use crate::error::{Error, Result};
use crate::plan::route::{Destination, Family};
use crate::plan::url::Host;
use crate::plan::{Network, Route, Url};

pub fn route(args: &LoadArgs, url: &Url) -> Result<Route> {
    let typed = &args.route;
    let family = match (typed.ipv4, typed.ipv6) {
        (true, _) => Some(Family::V4),
        (_, true) => Some(Family::V6),
        _ => None,
    };
    let route = Route {
        unix_socket: typed.unix_socket.clone(),
        connect_to: typed.connect_to.clone(),
        resolve: typed.resolve.clone(),
        family,
        dns_refresh: typed.dns_refresh,
    };
    check(&route, url, &args.connection.bind)?;
    Ok(route)
}

fn check(route: &Route, url: &Url, bind: &[Network]) -> Result<()> {
    if route.unix_socket.is_some() && matches!(url.host, Host::Unix(_)) {
        return Err(Error::usage("the URL names a Unix socket itself; drop `--unix-socket`"));
    }
    let target = match route.destination(url) {
        Destination::Unix(_) => return check_unix(route, bind),
        Destination::Host(Host::Ip(target), _) => target.is_ipv4(),
        Destination::Host(Host::Zoned(..), _) => false,
        _ => return Ok(()),
    };
    if bind.iter().any(|local| local.is_ipv4() != target) {
        return Err(Error::usage(
            "--bind: IPv4 reaches only IPv4, and IPv6 only IPv6; match the URL's address",
        ));
    }
    Ok(())
}

/// What is of the network says nothing about a Unix socket.
fn check_unix(route: &Route, bind: &[Network]) -> Result<()> {
    let without_sense = [
        ("--bind", !bind.is_empty()),
        ("--resolve", !route.resolve.is_empty()),
        ("--connect-to", !route.connect_to.is_empty()),
        ("-4", route.family == Some(Family::V4)),
        ("-6", route.family == Some(Family::V6)),
        ("--dns-refresh", route.dns_refresh.is_some()),
    ];
    match without_sense.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(Error::usage(format!(
            "the connections go through a Unix socket, which has no address; drop `{flag}`"
        ))),
        None => Ok(()),
    }
}
