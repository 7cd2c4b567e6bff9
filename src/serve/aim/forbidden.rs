//! Addresses that no load goes to from a panel, listed or not: this link, and where clouds hand
//! out the credentials of a host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where clouds answer a host about itself, apart from 169.254.0.0/16: AWS by IPv6, Alibaba, Oracle,
/// Azure.
const METADATA: [IpAddr; 4] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

/// Why this is no target; `None`: it may be one.
pub fn why(ip: IpAddr) -> Option<&'static str> {
    let ip = bare(ip);
    let is_link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    let is_broadcast = ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST);
    match () {
        () if is_link_local => Some("link-local and metadata addresses are never loaded"),
        () if METADATA.contains(&ip) => Some("metadata addresses are never loaded"),
        () if ip.is_unspecified() => Some("that means any address; write the one that is meant"),
        () if is_broadcast => Some("that is the address of many hosts"),
        () => None,
    }
}

/// The IPv4 address that stands in one of IPv6: mapped (RFC 4291, 2.5.5.2), compatible (2.5.5.1),
/// translated by NAT64 (RFC 6052, 2.1) or by 6to4 (RFC 3056, 2).
pub fn bare(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let segments = v6.segments();
    let v4 = |high: u16, low: u16| {
        IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high > 0 => v4(high, low),
        _ => ip,
    }
}
