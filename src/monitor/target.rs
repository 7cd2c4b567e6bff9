//! Where the load would go: the addresses, who listens there when they are this host's own, and
//! whether a connection opens when nobody is seen to listen.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::listeners::{self, Process};
use super::sockets::Listener;
use crate::address::{Address, UnixName};
use crate::error::reason;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// No URL was given.
    None,
    /// The name has no address; the sentence that says so.
    Unknown(String),
    Known(Vec<Place>),
    /// A Unix socket, and whether a connection that was tried opened.
    Unix(UnixName, Result<(), String>),
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
    pub fn look(addresses: Vec<Address>, patience: Duration) -> Destination {
        match addresses.as_slice() {
            [Address::Unix(name)] => Destination::Unix(name.clone(), try_socket(&addresses[0])),
            _ => Destination::look_at(addresses.iter().filter_map(Address::inet), patience),
        }
    }

    fn look_at(addresses: impl Iterator<Item = SocketAddr>, patience: Duration) -> Destination {
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
        Destination::Known(addresses.map(place).collect())
    }

    pub fn places(&self) -> &[Place] {
        match self {
            Destination::Known(places) => places,
            _ => &[],
        }
    }

    /// The server runs on this host.
    pub fn is_local(&self) -> bool {
        self.is_unix() || self.places().iter().any(|place| place.is_local)
    }

    pub fn is_unix(&self) -> bool {
        matches!(self, Destination::Unix(..))
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

/// Without waiting: a queue that is full is told as such.
fn try_socket(to: &Address) -> Result<(), String> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None);
    match socket.and_then(|socket| socket.connect(&to.for_kernel())) {
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {
            Err("its listen queue is full".to_string())
        }
        outcome => outcome.map_err(|error| plain(&error)),
    }
}

/// Only an address of this host can be bound to.
fn is_local(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback() || UdpSocket::bind((address.ip(), 0)).is_ok()
}

/// As it stands within a sentence.
fn plain(error: &std::io::Error) -> String {
    reason(error).to_lowercase()
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
    fn a_socket_is_tried_and_what_is_wrong_with_it_told() {
        let folder = std::env::temp_dir().join(format!("blast-doctor-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("s");
        let name = UnixName::parse(path.to_str().unwrap()).unwrap();
        let look = || match Destination::look(vec![Address::Unix(name.clone())], Duration::ZERO) {
            Destination::Unix(_, opened) => opened,
            other => panic!("{other:?}"),
        };
        assert_eq!(look(), Err("no such file or directory".to_string()));
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&Address::Unix(name.clone()).for_kernel()).unwrap();
        assert_eq!(look(), Err("connection refused".to_string()));
        listener.listen(0).unwrap();
        assert_eq!(look(), Ok(()));
        assert_eq!(look(), Err("its listen queue is full".to_string()));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_listener_is_seen_and_left_alone_and_a_closed_port_is_tried() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let look = || Destination::look(vec![address.into()], Duration::from_secs(5));
        let seen = look();
        assert_eq!(seen.places()[0].listeners.len(), 1);
        assert!(seen.places()[0].opened.is_none() && seen.is_local());
        assert!(socket.accept().is_err(), "no connection was made");
        drop(socket);
        let gone = look();
        assert_eq!(gone.places()[0].opened, Some(Err("connection refused".to_string())));
    }
}
