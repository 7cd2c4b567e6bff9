//! What `--allow` takes: a host, or a network in CIDR.

use std::net::IpAddr;

use crate::error::{Error, Result};
use crate::plan::url::Host;
use crate::units::quote;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Whatever addresses it has.
    Host(String),
    Network {
        address: IpAddr,
        prefix: u8,
    },
}

impl Allowed {
    pub fn parse(text: &str) -> Result<Allowed> {
        let text = text.trim();
        let refuse = || {
            Error::usage(format!(
                "{} is neither a host nor a network; write staging.example or 10.1.0.0/16",
                quote(text)
            ))
        };
        if let Some((address, prefix)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| refuse())?;
            let prefix = prefix.parse().map_err(|_| refuse())?;
            let fits = prefix <= if address.is_ipv4() { 32 } else { 128 };
            return if fits { Ok(Allowed::Network { address, prefix }) } else { Err(refuse()) };
        }
        match Host::parse(text).ok_or_else(refuse)? {
            Host::Ip(address) => {
                let prefix = if address.is_ipv4() { 32 } else { 128 };
                Ok(Allowed::Network { address, prefix })
            }
            Host::Name(name) => Ok(Allowed::Host(name)),
            Host::Zoned(..) | Host::Unix(_) => Err(refuse()),
        }
    }

    pub fn is_host(&self, host: &Host) -> bool {
        matches!((self, host), (Allowed::Host(listed), Host::Name(name)) if listed == name)
    }

    pub fn has(&self, ip: IpAddr) -> bool {
        match (self, ip) {
            (Allowed::Network { address: IpAddr::V4(net), prefix }, IpAddr::V4(ip)) => {
                let shift = 32 - u32::from(*prefix);
                u64::from(net.to_bits()) >> shift == u64::from(ip.to_bits()) >> shift
            }
            (Allowed::Network { address: IpAddr::V6(net), prefix }, IpAddr::V6(ip)) => {
                let shift = 128 - u32::from(*prefix);
                let top = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
                top(net.to_bits()) == top(ip.to_bits())
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_addresses_and_no_others() {
        for (network, address, expected) in [
            ("10.1.0.0/16", "10.1.255.255", true),
            ("10.1.0.0/16", "10.2.0.0", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
        ] {
            let network = Allowed::parse(network).unwrap();
            assert_eq!(network.has(address.parse().unwrap()), expected, "{network:?} {address}");
        }
        for text in ["", "10.1.0.0/33", "a b", "10.1/16", "::/129", "fe80::1%25eth0"] {
            assert!(Allowed::parse(text).is_err(), "{text}");
        }
    }
}
