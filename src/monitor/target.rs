//! Where the load would go: the addresses, who listens there when they are this host's own, and
//! whether a connection opens when nobody is seen to listen.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use super::listeners::{self, Process};
use super::sockets::Listener;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// No URL was given.
    None,
    /// The name has no address; the sentence that says so.
    Unknown(String),
    Known(Vec<Place>),
}

/// One address of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub address: SocketAddr,
    /// It is this host's own.
    pub is_local: bool,
    pub listeners: Vec<Listener>,
    pub owners: BTreeSet<Process>,
    /// Of a connection that was tried because no listener is seen: it opened, or why not.
    pub opened: Option<Result<(), String>>,
}

impl Destination {
    /// Looks at each address; where no listener can be seen, tries one connection.
    pub fn look(addresses: Vec<SocketAddr>, patience: Duration) -> Destination {
        let all = listeners::all();
        let place = |address| {
            let mut place = Place::new(address, &all);
            if place.listeners.is_empty() {
                let opened = TcpStream::connect_timeout(&address, patience);
                place.opened = Some(opened.map(drop).map_err(|error| plain(&error)));
            } else {
                let inodes: Vec<u64> = place.listeners.iter().map(|l| l.inode).collect();
                place.owners = listeners::owners(&inodes);
            }
            place
        };
        Destination::Known(addresses.into_iter().map(place).collect())
    }

    pub fn places(&self) -> &[Place] {
        match self {
            Destination::Known(places) => places,
            _ => &[],
        }
    }

    /// The server runs on this host.
    pub fn is_local(&self) -> bool {
        self.places().iter().any(|place| place.is_local)
    }
}

impl Place {
    /// What the list of all listeners says of an address.
    pub fn new(address: SocketAddr, all: &[Listener]) -> Place {
        let is_local = is_local(address);
        let listeners = if is_local { listeners::at(all, address) } else { Vec::new() };
        Place { address, is_local, listeners, owners: BTreeSet::new(), opened: None }
    }
}

/// Only an address of this host can be bound to.
fn is_local(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback() || UdpSocket::bind((address.ip(), 0)).is_ok()
}

/// Without Rust's "(os error 111)".
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_address_of_this_host_is_local_and_no_other() {
        for (address, expected) in
            [("127.0.0.1:80", true), ("127.9.9.9:80", true), ("[::1]:80", true)]
        {
            assert_eq!(is_local(address.parse().unwrap()), expected, "{address}");
        }
        // TEST-NET-3 (RFC 5737) is nobody's.
        assert!(!is_local("203.0.113.1:80".parse().unwrap()));
    }

    #[test]
    fn a_listener_is_seen_and_left_alone_and_a_closed_port_is_tried() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let look = || Destination::look(vec![address], Duration::from_secs(5));
        let seen = look();
        assert_eq!(seen.places()[0].listeners.len(), 1);
        assert!(seen.places()[0].opened.is_none() && seen.is_local());
        assert!(socket.accept().is_err(), "no connection was made");
        drop(socket);
        let gone = look();
        assert_eq!(gone.places()[0].opened, Some(Err("connection refused".to_string())));
    }
}
