//! Where the connections come from: the local addresses, and whether their ports suffice.
//!
//! A connection is its four addresses, so one local address has its whole range of ports towards
//! each address of the target. What does not fit is found here, before anything is sent.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

use super::refresh;
use crate::address::Address;
use crate::error::{Error, Result};
use crate::host::Ports;
use crate::plan::{Network, Plan};

/// Addresses that are used at most, and those of a network that are tried for them.
const MOST: usize = Ports::MOST_ADDRESSES as usize;
const TRIED: usize = 65_536;

/// The local addresses, with port 0; empty: the kernel's choice.
pub fn choose(plan: &Plan, targets: &[Address], ports: Ports) -> Result<Vec<SocketAddr>> {
    let targets: Vec<SocketAddr> = targets.iter().filter_map(Address::inet).collect();
    // A Unix socket has no ports.
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    // The connections are dealt out to the target's addresses, but it may listen on one alone
    // (`localhost` is often two): that one then gets them all.
    let connections = u64::from(plan.room());
    let sources = match plan.bind.is_empty() {
        // What the name stands for next may lie elsewhere, out of the loopback's reach.
        true if refresh::is_wanted(plan) => Vec::new(),
        true => spread(ports.addresses(connections, comes_and_goes(plan)), &targets),
        false => bound(&plan.bind)?,
    };
    let towards = |target: &SocketAddr| {
        let of_family = |source: &&IpAddr| source.is_ipv4() == target.is_ipv4();
        sources.iter().filter(of_family).count().max(1) as u64
    };
    let count: u64 = targets.iter().map(towards).sum();
    if connections > count * ports.count {
        return Err(too_few(connections, count, &targets, ports));
    }
    Ok(sources.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect())
}

/// On loopback every address of 127/8 is at hand.
fn spread(needed: u64, targets: &[SocketAddr]) -> Vec<IpAddr> {
    let is_loopback = |target: &SocketAddr| match target.ip() {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(_) => false,
    };
    // Other hosts cannot be reached from there.
    let mut of_ipv4 = targets.iter().filter(|target| target.is_ipv4()).peekable();
    if needed <= 1 || of_ipv4.peek().is_none() || !of_ipv4.all(is_loopback) {
        return Vec::new();
    }
    let first = Ipv4Addr::LOCALHOST.to_bits();
    (0..needed as u32).map(|n| Ipv4Addr::from_bits(first + n).into()).collect()
}

/// Connections that close leave their ports behind for a while.
fn comes_and_goes(plan: &Plan) -> bool {
    !plan.keepalive || plan.requests_per_connection.is_some()
}

/// The addresses that the user named, as far as this host has them.
pub fn bound(networks: &[Network]) -> Result<Vec<IpAddr>> {
    let mut found = Vec::new();
    for network in networks {
        let before = found.len();
        let mut hosts = network.hosts().take(TRIED);
        found.extend(hosts.find(|host| is_here(*host)));
        if found.len() == before {
            return Err(Error::failed(format!(
                "--bind: this host has none of the addresses of {network}; give some that \
                 `ip address` lists"
            )));
        }
        let room = MOST.saturating_sub(found.len());
        found.extend(hosts.filter(|host| is_here(*host)).take(room));
    }
    Ok(found)
}

/// The host has this address, and connections can come from it.
fn is_here(address: IpAddr) -> bool {
    if address.is_multicast() || address == Ipv4Addr::BROADCAST {
        return false;
    }
    let address = SocketAddr::new(address, 0);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None);
    socket.is_ok_and(|socket| socket.bind(&address.into()).is_ok())
}

/// `pairs`: of a local address and one of the target's.
fn too_few(connections: u64, pairs: u64, targets: &[SocketAddr], ports: Ports) -> Error {
    let count = targets.len().max(1) as u64;
    let needed = connections.div_ceil(ports.count.max(1) * count);
    let addresses = match pairs {
        1 => "one local address".to_string(),
        _ if count == 1 => format!("{pairs} local addresses"),
        _ => format!("{pairs} pairs of addresses"),
    };
    let target = match targets {
        [target] => target.to_string(),
        _ => format!("the target's {count} addresses"),
    };
    let widest = Ports::WIDEST;
    let range = format!("`sysctl -w net.ipv4.ip_local_port_range=\"{} {}\"`", widest.0, widest.1);
    let or_range = match connections <= pairs * u64::from(widest.1 - widest.0) {
        true => format!(", or a wider range with {range}"),
        false => String::new(),
    };
    Error::failed(format!(
        "{connections} connections to {target} do not fit the {} ports of {addresses} \
         (net.ipv4.ip_local_port_range is {} {}): name {needed} or more with --bind{or_range}",
        pairs * ports.count,
        ports.first,
        ports.last,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::plan::Url;

    const PORTS: Ports = Ports { first: 32_768, last: 60_999, count: 28_232 };

    fn plan(connections: u32, bind: &[&str]) -> Plan {
        let bind = bind.iter().map(|text| text.parse().expect(text)).collect();
        let url = Url::parse("http://127.0.0.1/").expect("a URL");
        Plan { connections, bind, ..Plan::new(url, Request::new("GET", "/", "127.0.0.1")) }
    }

    fn chosen(connections: u32, bind: &[&str], target: &str) -> Result<Vec<SocketAddr>> {
        let target: SocketAddr = target.parse().expect(target);
        choose(&plan(connections, bind), &[target.into()], PORTS)
    }

    #[test]
    fn few_connections_leave_the_address_to_the_kernel() {
        for target in ["127.0.0.1:80", "10.0.0.1:80", "[::1]:80"] {
            assert_eq!(chosen(7_000, &[], target).expect(target), []);
        }
    }

    #[test]
    fn many_connections_on_loopback_take_further_addresses() {
        let sources = chosen(100_000, &[], "127.0.0.1:80").expect("room");
        assert_eq!(sources.len(), 15);
        assert_eq!(sources[14], "127.0.0.15:0".parse().expect("an address"));
        let closing = Plan { keepalive: false, ..plan(100, &[]) };
        let target: SocketAddr = "127.0.0.1:80".parse().expect("an address");
        let target = Address::Inet(target);
        assert!(choose(&closing, &[target], PORTS).expect("room").len() > 1);
    }

    #[test]
    fn a_name_of_two_addresses_may_listen_on_one_alone() {
        let targets =
            ["[::1]:80", "127.0.0.1:80"].map(|text| Address::Inet(text.parse().expect(text)));
        assert_eq!(choose(&plan(60_000, &[]), &targets, PORTS).expect("room").len(), 9);
        let text = choose(&plan(60_000, &["::1", "127.0.0.1"]), &targets, PORTS);
        let text = text.expect_err("too many").message;
        assert!(text.contains("to the target's 2 addresses do not fit the 56464 ports"), "{text}");
    }

    #[test]
    fn what_cannot_fit_is_refused_with_what_would_do() {
        let text = chosen(100_000, &[], "10.0.0.1:80").expect_err("too many").message;
        assert!(text.contains("name 4 or more with --bind"), "{text}");
        assert!(!text.contains("sysctl -w"), "{text}");
        let text = chosen(40_000, &[], "[::1]:80").expect_err("too many").message;
        assert!(text.contains("ip_local_port_range=\"1024 65535\""), "{text}");
        let two = ["127.0.0.1", "127.0.0.2"];
        let text = chosen(60_000, &two, "127.0.0.1:80").expect_err("too many").message;
        assert!(text.contains("the 56464 ports of 2 local addresses"), "{text}");
        assert!(chosen(56_464, &two, "127.0.0.1:80").is_ok());
    }

    #[test]
    fn a_network_gives_the_addresses_that_the_host_has() {
        let hosts = chosen(10, &["127.0.1.0/30"], "127.0.0.1:80").expect("loopback");
        assert_eq!(hosts, ["127.0.1.1:0", "127.0.1.2:0"].map(|text| text.parse().expect(text)));
        assert_eq!(chosen(10, &["127.0.0.0/8"], "127.0.0.1:80").expect("loopback").len(), MOST);
        let text = chosen(10, &["203.0.113.0/28"], "127.0.0.1:80").expect_err("not here").message;
        assert!(text.contains("none of the addresses of 203.0.113.0/28"), "{text}");
    }
}
