//! What the kernel's TCP has room for: ports, queues, memory, tracked connections.

use super::sysctl;
use crate::host::Ports;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub ports: Ports,
    pub somaxconn: Option<u64>,
    pub syn_backlog: Option<u64>,
    /// 0: never, 1: when a queue is full, 2: always.
    pub syncookies: Option<u64>,
    /// Ports of closed connections are taken again after a second: 0 never, 1 always, 2 on
    /// loopback.
    pub tw_reuse: Option<u64>,
    /// Pages of all TCP sockets together: no worry below, pressure from, never more than.
    pub tcp_mem: Option<[u64; 3]>,
    /// Bytes of one socket: least, at first, most.
    pub rmem: Option<[u64; 3]>,
    pub wmem: Option<[u64; 3]>,
    pub congestion_control: Option<String>,
    /// `None` where connections are not tracked.
    pub conntrack: Option<Conntrack>,
}

/// The table of tracked connections (firewalls, address translation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conntrack {
    pub count: u64,
    pub max: u64,
}

impl Network {
    pub fn read() -> Network {
        let triple = |name| sysctl::text(name).as_deref().and_then(sysctl::triple);
        Network {
            ports: Ports::of_this_host(),
            somaxconn: sysctl::number("net.core.somaxconn"),
            syn_backlog: sysctl::number("net.ipv4.tcp_max_syn_backlog"),
            syncookies: sysctl::number("net.ipv4.tcp_syncookies"),
            tw_reuse: sysctl::number("net.ipv4.tcp_tw_reuse"),
            tcp_mem: triple("net.ipv4.tcp_mem"),
            rmem: triple("net.ipv4.tcp_rmem"),
            wmem: triple("net.ipv4.tcp_wmem"),
            congestion_control: sysctl::text("net.ipv4.tcp_congestion_control"),
            conntrack: Conntrack::read(),
        }
    }
}

impl Conntrack {
    pub fn read() -> Option<Conntrack> {
        let number = |name| sysctl::number(&format!("net.netfilter.nf_conntrack_{name}"));
        Some(Conntrack { count: number("count")?, max: number("max")? })
    }
}
