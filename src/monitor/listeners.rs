//! Who listens where: the listening sockets, and the processes that hold them.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::sockets::{self, Listener};

/// A process that holds a socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    pub pid: u32,
    pub name: String,
}

/// All TCP listeners of this network namespace.
pub fn all() -> Vec<Listener> {
    sockets::listening().unwrap_or_else(|_| {
        // Sandboxes that know no sock_diag have the table at least.
        let read = |name: &str| fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
        [read("tcp"), read("tcp6")].iter().flat_map(|text| parse_table(text)).collect()
    })
}

/// Those that take connections to `target`: bound to its very address, or else to any address.
pub fn at(listeners: &[Listener], target: SocketAddr) -> Vec<Listener> {
    let here = |ip: IpAddr| {
        let wanted = SocketAddr::new(ip, target.port());
        let same = |listener: &&Listener| plain(listener.address) == wanted;
        listeners.iter().filter(same).copied().collect::<Vec<_>>()
    };
    let any = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let exact = here(target.ip().to_canonical());
    if !exact.is_empty() {
        return exact;
    }
    // An IPv6 listener on any address takes IPv4 as well, unless it was told not to.
    let families = if target.is_ipv4() { &any[..] } else { &any[1..] };
    families.iter().map(|ip| here(*ip)).find(|found| !found.is_empty()).unwrap_or_default()
}

/// With an IPv4 address that is written as IPv6 made one again.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The processes that hold these sockets, as far as this user may see them.
pub fn owners(inodes: &[u64]) -> BTreeSet<Process> {
    owners_within(inodes, Duration::MAX)
}

/// The same, as far as they are found in this time: a host may have a hundred thousand sockets.
pub fn owners_within(inodes: &[u64], patience: Duration) -> BTreeSet<Process> {
    let start = Instant::now();
    let links: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let in_time = pids.take_while(|_| start.elapsed() < patience);
    in_time.filter(|pid| holds(*pid, &links)).map(|pid| Process { pid, name: name(pid) }).collect()
}

fn holds(pid: u32, links: &[String]) -> bool {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let mut targets = descriptors.filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.any(|target| links.iter().any(|link| target.as_os_str() == link.as_str()))
}

fn name(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    // A process may call itself anything.
    name.trim_end_matches('\n').chars().flat_map(char::escape_debug).collect()
}

/// The listeners of `/proc/net/tcp` or `tcp6` (proc(5)): number, address, peer, state, queues,
/// timer, retransmissions, owner, timeout, inode.
fn parse_table(text: &str) -> Vec<Listener> {
    text.lines().filter_map(parse_row).collect()
}

fn parse_row(line: &str) -> Option<Listener> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, address, _, "0A", queues, _, _, uid, _, inode, ..] = words[..] else { return None };
    let (ip, port) = address.split_once(':')?;
    let (_, waiting) = queues.split_once(':')?;
    Some(Listener {
        address: SocketAddr::new(parse_ip(ip)?, u16::from_str_radix(port, 16).ok()?),
        waiting: u64::from_str_radix(waiting, 16).ok()?,
        queue: None,
        uid: uid.parse().ok()?,
        inode: inode.parse().ok()?,
    })
}

/// Words of 32 bits as this machine stores them.
fn parse_ip(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hex.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    match hex.len() {
        8 => Some(IpAddr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            Some(IpAddr::from(<[u8; 16]>::try_from(words).ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn listener(address: &str) -> Listener {
        let address = address.parse().unwrap();
        Listener { address, waiting: 0, queue: Some(128), uid: 0, inode: 1 }
    }

    fn found(listeners: &[&str], target: &str) -> Vec<String> {
        let listeners: Vec<_> = listeners.iter().map(|address| listener(address)).collect();
        let found = at(&listeners, target.parse().unwrap());
        found.iter().map(|listener| listener.address.to_string()).collect()
    }

    #[test]
    fn the_listener_of_an_address_is_its_own_or_that_of_any_address() {
        let all = ["0.0.0.0:80", "[::]:80", "127.0.0.1:80", "127.0.0.1:80", "127.0.0.1:81"];
        assert_eq!(found(&all, "127.0.0.1:80"), ["127.0.0.1:80", "127.0.0.1:80"]);
        assert_eq!(found(&all, "127.0.0.2:80"), ["0.0.0.0:80"]);
        assert_eq!(found(&all, "[::1]:80"), ["[::]:80"]);
        assert_eq!(found(&["[::]:80"], "127.0.0.1:80"), ["[::]:80"]);
        assert_eq!(found(&["0.0.0.0:80"], "[::1]:80"), [""; 0]);
        assert_eq!(found(&["[::ffff:127.0.0.1]:80"], "127.0.0.1:80"), ["[::ffff:127.0.0.1]:80"]);
        assert_eq!(found(&all, "127.0.0.1:82"), [""; 0]);
    }

    // As on a little-endian machine, where the words of an address stand backwards.
    #[cfg(target_endian = "little")]
    #[test]
    fn the_table_of_the_kernel_is_read() {
        let rows = parse_table(
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n   \
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000    33        \
             0 4711 1 0000000000000000 100 0 0 10 0\n   \
             1: 0100007F:A001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        \
             0 4712 1 0000000000000000 20 4 30 10 -1\n   \
             2: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A \
             00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0\n",
        );
        let [first, second] = rows[..] else { panic!("{rows:?}") };
        assert_eq!(first.address.to_string(), "127.0.0.1:8080");
        assert_eq!((first.waiting, first.queue, first.uid, first.inode), (3, None, 33, 4711));
        assert_eq!(second.address.to_string(), "[::1]:80");
    }

    #[test]
    fn a_listener_of_this_process_is_found_with_its_queue_and_its_owner() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let found = at(&all(), socket.local_addr().unwrap());
        let [listener] = found[..] else { panic!("{found:?}") };
        assert!(listener.queue.is_some_and(|queue| queue > 0));
        let mine = std::process::id();
        assert!(owners(&[listener.inode]).iter().any(|process| process.pid == mine));
        // The kernel's own table says the same where sock_diag is not to be had.
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        let same = at(&parse_table(&table), socket.local_addr().unwrap());
        assert_eq!(same, [Listener { queue: None, ..listener }]);
    }
}
