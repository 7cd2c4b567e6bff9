//! An ordinary host and an ordinary run, for the tests to spoil.

use std::collections::BTreeSet;

use super::super::cpu::Cpu;
use super::super::limits::{Limit, Limits};
use super::super::listeners::Process;
use super::super::network::{Conntrack, Network};
use super::super::sockets::Listener;
use super::super::target::{Destination, Place};
use super::super::uring::Uring;
use super::super::{Needs, Readings};
use crate::host::Ports;
use crate::plan::Engine;

pub fn readings() -> Readings {
    Readings {
        release: "6.18.44-generic".to_string(),
        uring: Uring { disabled: Some(0), filtered: false, missing: Ok(Vec::new()) },
        limits: Limits {
            files: Some(Limit { soft: Some(1_024), hard: Some(20_000) }),
            open: 10,
            locked_bytes: Some(Limit { soft: Some(8 << 20), hard: Some(8 << 20) }),
            memory_available: Some(6_000_000_000),
        },
        network: network(),
        cpu: Cpu {
            online: 2,
            allowed: vec![0, 1],
            quota: None,
            governors: Vec::new(),
            clock_source: Some("tsc".to_string()),
        },
        steal: Some(0.0),
    }
}

pub fn network() -> Network {
    Network {
        ports: Ports { first: 32_768, last: 60_999, count: 28_232 },
        somaxconn: Some(4_096),
        syn_backlog: Some(2_048),
        syncookies: Some(1),
        tw_reuse: Some(2),
        tcp_mem: Some([287_898, 383_867, 575_796]),
        rmem: Some([4_096, 131_072, 33_554_432]),
        wmem: Some([4_096, 16_384, 4_194_304]),
        congestion_control: Some("cubic".to_string()),
        conntrack: Some(Conntrack { count: 100, max: 262_144 }),
    }
}

/// A closed loop over so many connections.
pub fn needs(connections: u64) -> Needs {
    Needs {
        engine: Engine::Ring,
        may_fall_back: false,
        connections,
        workers: 2,
        rate: None,
        in_flight: connections,
        at_once: connections,
        per_connection: None,
        bound: None,
    }
}

/// nginx at this address, with room for so many connections that wait.
pub fn nginx(address: &str, queue: u64) -> Destination {
    let address = address.parse().unwrap();
    let listener = Listener { address, waiting: 0, queue: Some(queue), uid: 33, inode: 7 };
    let owners = [12, 13].map(|pid| Process { pid, name: "nginx".to_string() });
    Destination::Known(vec![Place {
        address,
        is_local: true,
        listeners: vec![listener],
        owners: BTreeSet::from(owners),
        opened: None,
    }])
}

/// A server elsewhere that takes connections, at each of these addresses.
pub fn elsewhere(addresses: &[&str]) -> Destination {
    let place = |address: &&str| Place {
        address: address.parse().unwrap(),
        is_local: false,
        listeners: Vec::new(),
        owners: BTreeSet::new(),
        opened: Some(Ok(())),
    };
    Destination::Known(addresses.iter().map(place).collect())
}
