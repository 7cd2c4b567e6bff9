//! From the plan's destination to addresses: before the run, and with `--dns-refresh` again in it.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};

use super::socket;
use crate::address::Address;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::plan::route::Destination;
use crate::plan::url::Host;
use crate::units::quote;

/// All addresses of the target, each once, in the resolver's order; only those of the family that
/// the user asked for, or of those that are bound to.
pub fn addresses(plan: &Plan) -> Result<Vec<Address>> {
    let found = match plan.route.destination(&plan.url) {
        Destination::Unix(name) => return Ok(vec![Address::Unix(name)]),
        Destination::Addresses(addresses, port) => {
            addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect()
        }
        Destination::Host(Host::Unix(name), _) => return Ok(vec![Address::Unix(name)]),
        Destination::Host(Host::Ip(IpAddr::V6(ip)), _) if ip.is_unicast_link_local() => {
            return Err(Error::usage(format!(
                "{ip} means another host on each interface; say which one is meant, as in \
                 `http://[{ip}%25eth0]/`"
            )));
        }
        Destination::Host(Host::Ip(ip), port) => vec![SocketAddr::new(ip, port)],
        Destination::Host(Host::Zoned(ip, zone), port) => vec![zoned(ip, &zone, port)?],
        Destination::Host(Host::Name(name), port) => lookup(&name, port)?,
    };
    fitting(plan, found)
}

fn fitting(plan: &Plan, found: Vec<SocketAddr>) -> Result<Vec<Address>> {
    let mut found = found;
    let mut seen = HashSet::new();
    found.retain(|address| seen.insert(*address));
    if let Some(family) = plan.route.family {
        found.retain(|address| family.has(address.ip()));
        if found.is_empty() {
            let (flag, name) = family.names();
            return Err(Error::usage(format!(
                "{flag}: the target has no {name} address; drop the flag, or give a target that \
                 has one"
            )));
        }
    }
    if !plan.bind.is_empty() {
        found.retain(|to| plan.bind.iter().any(|from| from.is_ipv4() == to.is_ipv4()));
        if found.is_empty() {
            return Err(Error::usage(
                "--bind: the target has no address of that family; bind to one of the other",
            ));
        }
    }
    Ok(found.into_iter().map(Address::Inet).collect())
}

/// The interface that the zone names, or its number, is this host's own (RFC 4007, 11.2).
fn zoned(ip: Ipv6Addr, zone: &str, port: u16) -> Result<SocketAddr> {
    let Some(interface) = socket::interface(zone) else {
        return Err(Error::usage(format!(
            "{} is no interface of this host; write one that `ip link` lists as the zone",
            quote(zone)
        )));
    };
    Ok(SocketAddrV6::new(ip, port, 0, interface).into())
}

fn lookup(name: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let found = (name, port).to_socket_addrs().map(|addresses| addresses.collect::<Vec<_>>());
    match found {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => Err(unknown(name, "it has no address")),
        Err(error) => Err(unknown(name, &error.to_string())),
    }
}

fn unknown(name: &str, why: &str) -> Error {
    let name = quote(name);
    Error::failed(format!("cannot resolve {name} ({why}); check the name, or use an IP address"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::plan::route::{Family, Resolve};
    use crate::plan::{Route, Url};

    fn found(url: &str, route: Route) -> Result<Vec<String>> {
        let url = Url::parse(url).expect(url);
        let plan = Plan { route, ..Plan::new(url, Request::new("GET", "/", "h")) };
        addresses(&plan).map(|found| found.iter().map(Address::to_string).collect())
    }

    #[test]
    fn a_link_local_address_needs_its_interface() {
        let error = found("http://[fe80::1]/", Route::default()).expect_err("no zone");
        assert!(error.message.contains("`http://[fe80::1%25eth0]/`"), "{error}");
    }

    #[test]
    fn a_zone_is_an_interface_of_this_host_or_its_number() {
        let lo = socket::interface("lo").expect("every host has a loopback");
        let number = format!("http://[fe80::1%25{lo}]:8080/");
        for url in ["http://[fe80::1%25lo]:8080/", "http://[fe80::1%lo]:8080/", &number] {
            let expected = vec![format!("[fe80::1%{lo}]:8080")];
            assert_eq!(found(url, Route::default()), Ok(expected), "{url}");
        }
        for zone in ["no-such-link0", "0"] {
            let error = found(&format!("http://[fe80::1%25{zone}]/"), Route::default());
            let message = error.expect_err(zone).message;
            assert!(message.contains("is no interface of this host"), "{message}");
        }
    }

    #[test]
    fn only_addresses_of_the_family_asked_for_are_taken() {
        let resolve =
            vec![Resolve::parse("a:80:127.0.0.1,::1,127.0.0.1,127.0.0.2").expect("a rule")];
        for (family, expected) in [
            (None, &["127.0.0.1:80", "[::1]:80", "127.0.0.2:80"][..]),
            (Some(Family::V4), &["127.0.0.1:80", "127.0.0.2:80"]),
            (Some(Family::V6), &["[::1]:80"]),
        ] {
            let route = Route { family, resolve: resolve.clone(), ..Route::default() };
            assert_eq!(found("http://a/", route).expect("addresses"), expected);
        }
        let none = Route { family: Some(Family::V6), ..Route::default() };
        let message = found("http://127.0.0.1/", none).expect_err("no such address").message;
        assert!(message.contains("-6: the target has no IPv6 address"), "{message}");
    }
}
