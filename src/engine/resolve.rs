//! From the plan's host to addresses: once, before the run.

use std::collections::HashSet;
use std::net::{SocketAddr, ToSocketAddrs};

use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::plan::url::Host;
use crate::units::quote;

/// All addresses of the target, each once, in the resolver's order; where the user binds to
/// local addresses, only those of their family.
pub fn addresses(plan: &Plan) -> Result<Vec<SocketAddr>> {
    let mut addresses = match &plan.url.host {
        Host::Ip(ip) => vec![SocketAddr::new(*ip, plan.url.port)],
        Host::Name(name) => lookup(name, plan.url.port)?,
    };
    let mut seen = HashSet::new();
    addresses.retain(|address| seen.insert(*address));
    if !plan.bind.is_empty() {
        addresses.retain(|to| plan.bind.iter().any(|from| from.is_ipv4() == to.is_ipv4()));
        if addresses.is_empty() {
            return Err(Error::usage(
                "--bind: the target has no address of that family; bind to one of the other",
            ));
        }
    }
    Ok(addresses)
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
