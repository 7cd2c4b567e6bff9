//! Listening sockets as the kernel lists them, asked as `ss -ltn` asks (sock_diag(7)): the only
//! place that tells how long a queue of connections may grow. The answer is as long as there are
//! listeners, however many connections the host has.

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
/// `1 << TCP_LISTEN`.
const LISTENING: u32 = 1 << 10;

/// A kernel that does not answer at once never will.
const PATIENCE: Duration = Duration::from_millis(200);

/// All TCP listeners of this network namespace.
pub fn listening() -> io::Result<Vec<Listener>> {
    let mut found = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        dump(family, &mut found)?;
    }
    Ok(found)
}

fn dump(family: i32, found: &mut Vec<Listener>) -> io::Result<()> {
    let (domain, protocol) = (Domain::from(libc::AF_NETLINK), libc::NETLINK_SOCK_DIAG);
    let socket = Socket::new(domain, Type::DGRAM.cloexec(), Some(Protocol::from(protocol)))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send(&request(family as u8))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = (&socket).read(&mut buffer)?;
        match parse(&buffer[..length], found) {
            Part::More => {}
            Part::Last => return Ok(()),
            Part::Refused => return Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
    }
}

/// A header, and a `struct inet_diag_req_v2` that is zero but for family, protocol and states.
fn request(family: u8) -> [u8; REQUEST] {
    let mut bytes = [0; REQUEST];
    bytes[0..4].copy_from_slice(&(REQUEST as u32).to_ne_bytes());
    bytes[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&REQUEST_AND_DUMP.to_ne_bytes());
    bytes[HEAD] = family;
    bytes[HEAD + 1] = libc::IPPROTO_TCP as u8;
    bytes[HEAD + 4..HEAD + 8].copy_from_slice(&LISTENING.to_ne_bytes());
    bytes
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    More,
    Last,
    Refused,
}

/// The messages of one datagram.
fn parse(mut bytes: &[u8], found: &mut Vec<Listener>) -> Part {
    while bytes.len() >= HEAD {
        let length = (word(bytes, 0) as usize).clamp(HEAD, bytes.len());
        match u16::from_ne_bytes([bytes[4], bytes[5]]) {
            DONE => return Part::Last,
            ERROR => return Part::Refused,
            _ => found.extend(listener(&bytes[HEAD..length])),
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

    #[test]
    fn an_answer_is_taken_apart() {
        let mut bytes = message(20, &body(libc::AF_INET, 8080, &[127, 0, 0, 1], [3, 511, 0, 77]));
        let any = Ipv6Addr::UNSPECIFIED.octets();
        bytes.extend(message(20, &body(libc::AF_INET6, 80, &any, [0, 4096, 33, 78])));
        let mut found = Vec::new();
        assert_eq!(parse(&bytes, &mut found), Part::More);
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
        assert_eq!(parse(&message(DONE, &[0; 4]), &mut Vec::new()), Part::Last);
        assert_eq!(parse(&message(ERROR, &[0; 4]), &mut Vec::new()), Part::Refused);
        let whole = message(20, &body(libc::AF_INET, 8080, &[127, 0, 0, 1], [3, 511, 0, 77]));
        for length in 0..whole.len() {
            let mut found = Vec::new();
            assert_eq!(parse(&whole[..length], &mut found), Part::More);
            assert_eq!(found, []);
        }
        // A length that makes no sense ends the reading, not the program.
        assert_eq!(parse(&[0; 64], &mut Vec::new()), Part::More);
    }
}
