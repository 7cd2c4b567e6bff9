//! TCP sockets as the kernel lists them, asked as `ss -tn` asks (sock_diag(7)): the only place that
//! tells how long a listener's queue of connections may grow. The answer is as long as there are
//! such sockets as were asked for, however many others the host has.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// One listening socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    pub address: SocketAddr,
    /// Connections that wait to be accepted.
    pub waiting: u64,
    /// How many may wait: min(backlog given to listen, somaxconn). `None` where the kernel hides
    /// it.
    pub queue: Option<u64>,
    pub uid: u32,
    pub inode: u64,
}

// linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const REQUEST_AND_DUMP: u16 = 0x301;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const HEAD: usize = 16;
const REQUEST: usize = HEAD + 56;
const ANSWER: usize = 72;
/// `1 << TCP_ESTABLISHED`, `1 << TCP_LISTEN`.
const ESTABLISHED: u32 = 1 << 1;
const LISTENING: u32 = 1 << 10;

/// A kernel that does not answer at once never will.
const PATIENCE: Duration = Duration::from_millis(200);

/// All TCP listeners of this network namespace.
pub fn listening() -> io::Result<Vec<Listener>> {
    let wanted = Wanted { states: LISTENING, local: 0, remote: 0 };
    let mut found = Vec::new();
    dump(wanted, &mut |body| found.extend(listener(body)))?;
    Ok(found)
}

/// An end of a connection on this host that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub uid: u32,
    pub inode: u64,
}

/// The ends of all open connections with this port at this end.
pub fn connected_at(local: u16) -> io::Result<Vec<End>> {
    ends(Wanted { states: ESTABLISHED, local, remote: 0 })
}

/// The ends of all open connections with this port at the other end.
pub fn connected_to(remote: u16) -> io::Result<Vec<End>> {
    ends(Wanted { states: ESTABLISHED, local: 0, remote })
}

fn ends(wanted: Wanted) -> io::Result<Vec<End>> {
    let mut found = Vec::new();
    dump(wanted, &mut |body| found.extend(end(body)))?;
    Ok(found)
}

/// Which sockets the kernel is to list: it looks through all, and tells of these alone.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    states: u32,
    /// Ports; 0 is any.
    local: u16,
    remote: u16,
}

fn dump(wanted: Wanted, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let (domain, protocol) = (Domain::from(libc::AF_NETLINK), libc::NETLINK_SOCK_DIAG);
    let socket = Socket::new(domain, Type::DGRAM.cloexec(), Some(Protocol::from(protocol)))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut buffer = vec![0; 64 * 1024];
    for family in [libc::AF_INET, libc::AF_INET6] {
        socket.send(&request(family as u8, wanted))?;
        loop {
            let length = (&socket).read(&mut buffer)?;
            match parse(&buffer[..length], each) {
                Part::More => {}
                Part::Last => break,
                Part::Refused => return Err(io::Error::from(io::ErrorKind::Unsupported)),
            }
        }
    }
    Ok(())
}

/// A header, and a `struct inet_diag_req_v2` that is zero but for family, protocol, states and
/// ports.
fn request(family: u8, wanted: Wanted) -> [u8; REQUEST] {
    let mut bytes = [0; REQUEST];
    bytes[0..4].copy_from_slice(&(REQUEST as u32).to_ne_bytes());
    bytes[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&REQUEST_AND_DUMP.to_ne_bytes());
    bytes[HEAD] = family;
    bytes[HEAD + 1] = libc::IPPROTO_TCP as u8;
    bytes[HEAD + 4..HEAD + 8].copy_from_slice(&wanted.states.to_ne_bytes());
    bytes[HEAD + 8..HEAD + 10].copy_from_slice(&wanted.local.to_be_bytes());
    bytes[HEAD + 10..HEAD + 12].copy_from_slice(&wanted.remote.to_be_bytes());
    bytes
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    More,
    Last,
    Refused,
}

/// The messages of one datagram, each handed over without its header.
fn parse(mut bytes: &[u8], each: &mut dyn FnMut(&[u8])) -> Part {
    while bytes.len() >= HEAD {
        let length = (word(bytes, 0) as usize).clamp(HEAD, bytes.len());
        match u16::from_ne_bytes([bytes[4], bytes[5]]) {
            DONE => return Part::Last,
            ERROR => return Part::Refused,
            _ => each(&bytes[HEAD..length]),
        }
        // Messages begin at multiples of four.
        bytes = &bytes[length.next_multiple_of(4).min(bytes.len())..];
    }
    Part::More
}

/// A `struct inet_diag_msg`: family and state, the ports and addresses, expiry, the two queues,
/// owner, inode.
fn listener(bytes: &[u8]) -> Option<Listener> {
    if bytes.len() < ANSWER {
        return None;
    }
    let port = u16::from_be_bytes([bytes[4], bytes[5]]);
    let octets: [u8; 16] = bytes[8..24].try_into().ok()?;
    let ip = match i32::from(bytes[0]) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(&octets[..4]).ok()?)),
        _ => IpAddr::V6(Ipv6Addr::from(octets)),
    };
    Some(Listener {
        address: SocketAddr::new(ip, port),
        waiting: word(bytes, 56).into(),
        queue: Some(word(bytes, 60).into()),
        uid: word(bytes, 64),
        inode: word(bytes, 68).into(),
    })
}

/// The same of a connection. One that no program has accepted yet has no inode, and nobody holds
/// it.
fn end(bytes: &[u8]) -> Option<End> {
    if bytes.len() < ANSWER {
        return None;
    }
    let (uid, inode) = (word(bytes, 64), u64::from(word(bytes, 68)));
    (inode > 0).then_some(End { uid, inode })
}

/// Four bytes that lie within `bytes`: all callers have checked its length.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEAD + body.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.resize(HEAD, 0);
        bytes.extend(body);
        bytes
    }

    fn body(family: i32, port: u16, ip: &[u8], numbers: [u32; 4]) -> Vec<u8> {
        let mut bytes = vec![family as u8, 10, 0, 0];
        bytes.extend(port.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(ip);
        bytes.resize(56, 0);
        bytes.extend(numbers.into_iter().flat_map(u32::to_ne_bytes));
        bytes
    }

    fn listeners(bytes: &[u8]) -> (Part, Vec<Listener>) {
        let mut found = Vec::new();
        let part = parse(bytes, &mut |body| found.extend(listener(body)));
        (part, found)
    }

    #[test]
    fn both_ends_of_a_connection_are_found_by_their_ports() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let mut clients: Vec<_> =
            (0..3).map(|_| std::net::TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
        assert_eq!(connected_to(port).unwrap().len(), 3);
        assert_eq!(connected_at(port).unwrap(), [], "nobody has accepted them");
        let held: Vec<_> = (0..3).map(|_| server.accept().unwrap()).collect();
        let ends = connected_at(port).unwrap();
        assert_eq!(ends.len(), 3);
        // SAFETY: takes nothing, and cannot fail.
        let mine = unsafe { libc::geteuid() };
        assert!(ends.iter().all(|end| end.uid == mine && end.inode > 0));
        clients.pop();
        assert_eq!(connected_to(port).unwrap().len(), 2);
        drop(held);
    }

    #[test]
    fn an_answer_is_taken_apart() {
        let mut bytes = message(20, &body(libc::AF_INET, 8080, &[127, 0, 0, 1], [3, 511, 0, 77]));
        let any = Ipv6Addr::UNSPECIFIED.octets();
        bytes.extend(message(20, &body(libc::AF_INET6, 80, &any, [0, 4096, 33, 78])));
        let (part, found) = listeners(&bytes);
        assert_eq!(part, Part::More);
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let [first, second] = found[..] else { panic!("{found:?}") };
        let queue = Some(511);
        let expected =
            Listener { address: address("127.0.0.1:8080"), waiting: 3, queue, uid: 0, inode: 77 };
        assert_eq!(first, expected);
        assert_eq!((second.address, second.uid, second.inode), (address("[::]:80"), 33, 78));
    }

    #[test]
    fn the_end_and_a_refusal_are_told_and_no_bytes_are_too_few() {
        assert_eq!(listeners(&message(DONE, &[0; 4])).0, Part::Last);
        assert_eq!(listeners(&message(ERROR, &[0; 4])).0, Part::Refused);
        let whole = message(20, &body(libc::AF_INET, 8080, &[127, 0, 0, 1], [3, 511, 0, 77]));
        for length in 0..whole.len() {
            assert_eq!(listeners(&whole[..length]), (Part::More, Vec::new()));
        }
        // A length that makes no sense ends the reading, not the program.
        assert_eq!(listeners(&[0; 64]).0, Part::More);
    }
}
