//! Local addresses to connect from, as the user names them: one, or a network of them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address with the number of its leading bits that are common to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    pub fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// The one address, when it is no network.
    pub fn single(&self) -> Option<IpAddr> {
        (self.prefix == self.bits()).then_some(self.address)
    }

    /// Its addresses, in order. Those of an IPv4 network's own name and of its broadcast are no
    /// hosts, unless it is too small to have any.
    pub fn hosts(&self) -> impl Iterator<Item = IpAddr> {
        let host_bits = u32::from(self.bits() - self.prefix);
        let mask = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |size| size - 1);
        let base = match self.address {
            IpAddr::V4(ip) => u128::from(ip.to_bits()) & !mask,
            IpAddr::V6(ip) => ip.to_bits() & !mask,
        };
        let skipped = u128::from(self.is_ipv4() && host_bits > 1);
        let is_ipv4 = self.is_ipv4();
        (skipped..=mask - skipped).map(move |host| match is_ipv4 {
            true => Ipv4Addr::from_bits((base + host) as u32).into(),
            false => Ipv6Addr::from_bits(base + host).into(),
        })
    }

    fn bits(&self) -> u8 {
        if self.is_ipv4() { 32 } else { 128 }
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Network {
        Network { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(address) => address.fmt(f),
            None => write!(f, "{}/{}", self.address, self.prefix),
        }
    }
}

/// What was given is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoNetwork;

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Network, NoNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let mut network = Network::from(address.parse::<IpAddr>().map_err(|_| NoNetwork)?);
        if let Some(prefix) = prefix {
            let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
            let prefix = prefix.parse().ok().filter(|prefix| digits && *prefix <= network.bits());
            network.prefix = prefix.ok_or(NoNetwork)?;
        }
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Vec<String> {
        let network: Network = text.parse().expect(text);
        network.hosts().take(1_000).map(|host| host.to_string()).collect()
    }

    #[test]
    fn a_network_is_its_hosts_and_an_address_is_itself() {
        assert_eq!(hosts("10.0.0.7"), ["10.0.0.7"]);
        assert_eq!(hosts("10.0.0.7/32"), ["10.0.0.7"]);
        assert_eq!(hosts("10.0.0.7/31"), ["10.0.0.6", "10.0.0.7"]);
        assert_eq!(hosts("10.0.0.7/30"), ["10.0.0.5", "10.0.0.6"]);
        assert_eq!(hosts("10.0.0.7/24").len(), 254);
        assert_eq!(hosts("0.0.0.0/0")[0], "0.0.0.1");
        assert_eq!(hosts("::7/127"), ["::6", "::7"]);
        assert_eq!(hosts("fe80::1/0").len(), 1_000);
    }

    #[test]
    fn a_network_is_shown_as_it_was_typed() {
        for text in ["10.0.0.7", "10.0.0.0/24", "::1", "fd00::/64"] {
            assert_eq!(text.parse::<Network>().expect(text).to_string(), text);
        }
        assert_eq!("::1/128".parse::<Network>().expect("one").to_string(), "::1");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "/", "10.0.0.1/", "10.0.0.1/33", "::/129", "10.0.0/8", "h/8", "::1/+8"] {
            assert_eq!(text.parse::<Network>(), Err(NoNetwork), "{text}");
        }
    }
}
