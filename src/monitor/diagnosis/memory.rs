//! Memory of the kernel: sockets, what is under way in them, and the table of tracked connections.

use super::{Needs, Row, Side};
use crate::monitor::limits::Limits;
use crate::monitor::network::{Conntrack, Network};
use crate::monitor::target::Destination;
use crate::units::{format_bytes, format_exact as exact};

/// What an open, idle connection costs at each end: in the kernel (100,000 of them, measured on
/// 6.18), and in blast.
const SOCKET_BYTES: u64 = 3_200;
const OWN_BYTES: u64 = 256;

/// The kernel charges whole pages for what waits in a socket: one to send, one to read.
const PAGES: u64 = 2;

/// A closed connection is tracked this much longer, in seconds
/// (nf_conntrack_tcp_timeout_time_wait).
const TRACKED_S: f64 = 120.0;

/// A table this full is nearly full.
const NEARLY: f64 = 0.9;

/// How many ends of each connection are on this host.
fn ends(destination: &Destination) -> u64 {
    if destination.is_local() { 2 } else { 1 }
}

fn at_both_ends(destination: &Destination) -> &'static str {
    if destination.is_local() { ", at both ends of each" } else { "" }
}

pub fn memory(limits: &Limits, destination: &Destination, needs: &Needs) -> Row {
    let needed = needs.connections * (SOCKET_BYTES * ends(destination) + OWN_BYTES);
    let wanted = format!(
        "about {} for {} connections{}",
        format_bytes(needed as f64),
        exact(needs.connections),
        at_both_ends(destination)
    );
    let Some(available) = limits.memory_available else {
        return Row::unread("memory", Side::Both, "the memory that is free", wanted);
    };
    let here = format!("{} available", format_bytes(available as f64));
    let row = Row::new("memory", Side::Both, here, wanted)
        .counts(&[("available_bytes", available), ("needed_bytes", needed)]);
    match needed {
        needed if needed > available => row.stop("use fewer --connections, or a larger host"),
        needed if needed > available / 2 => {
            row.warn("leave room for the server's own memory, or use fewer --connections")
        }
        _ => row,
    }
}

pub fn socket_memory(network: &Network, destination: &Destination, needs: &Needs) -> Row {
    let needed = needs.in_flight * PAGES * ends(destination);
    let first = |sizes: Option<[u64; 3]>| sizes.map_or(0, |[_, first, _]| first);
    let (read, sent) = (first(network.rmem), first(network.wmem));
    let full = needs.in_flight * ends(destination) * (read + sent);
    let wanted = format!(
        "about {} pages for {} requests in flight{}; {} where large answers fill the buffers",
        exact(needed),
        exact(needs.in_flight),
        at_both_ends(destination),
        format_bytes(full as f64)
    );
    let Some([low, pressure, most]) = network.tcp_mem else {
        return Row::unread("socket_memory", Side::Both, "net.ipv4.tcp_mem", wanted);
    };
    let here = format!(
        "net.ipv4.tcp_mem is {}, {}, {} pages for all sockets; one starts with up to {} to read \
         and {} to send",
        exact(low),
        exact(pressure),
        exact(most),
        format_bytes(read as f64),
        format_bytes(sent as f64)
    );
    let row = Row::new("socket_memory", Side::Both, here, wanted).counts(&[
        ("pressure_pages", pressure),
        ("most_pages", most),
        ("needed_pages", needed),
    ]);
    if needed <= pressure {
        return row;
    }
    row.warn(format!(
        "past {} pages buffers shrink: `sysctl -w net.ipv4.tcp_mem=\"{needed} {} {}\"`",
        exact(pressure),
        needed + needed / 2,
        needed * 2
    ))
}

/// A full table drops the SYNs of new connections without a word to either end.
pub fn conntrack(conntrack: Option<Conntrack>, needs: &Needs) -> Row {
    let lingering = needs.opened_per_s().unwrap_or(0.0) * TRACKED_S;
    let needed = needs.connections + lingering as u64;
    let wanted = format!("{} more, if they are tracked", exact(needed));
    let Some(Conntrack { count, max }) = conntrack else {
        return Row::new("conntrack", Side::Both, "connections are not tracked", wanted);
    };
    let here = format!("{} of {} tracked connections", exact(count), exact(max));
    let row = Row::new("conntrack", Side::Both, here, wanted).counts(&[
        ("count", count),
        ("max", max),
        ("needed", needed),
    ]);
    let is_full = count as f64 > max as f64 * NEARLY;
    // A table that is loaded and empty has no rule that fills it: the kernel tracks nothing.
    if count == 0 || (count + needed <= max && !is_full) {
        return row;
    }
    let enough = (count + needed).next_power_of_two();
    row.warn(format!(
        "a full table drops connections: `sysctl -w net.netfilter.nf_conntrack_max={enough}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::fixture::{elsewhere, needs, network, nginx};
    use super::*;

    #[test]
    fn memory_is_needed_at_each_end_that_is_here() {
        let available = Some(600_000_000);
        let limits = Limits { memory_available: available, ..Limits::default() };
        let (here, there) = (nginx("127.0.0.1:80", 511), elsewhere(&["10.0.0.1:80"]));
        for (destination, connections, state) in [
            (&there, 80_000, State::Ok),
            (&there, 100_000, State::Warn),
            (&there, 200_000, State::Stop),
            (&here, 40_000, State::Ok),
            (&here, 80_000, State::Warn),
            (&here, 100_000, State::Stop),
        ] {
            assert_eq!(memory(&limits, destination, &needs(connections)).state, state);
        }
    }

    #[test]
    fn what_is_in_flight_needs_pages_and_the_advice_would_do() {
        let there = elsewhere(&["10.0.0.1:80"]);
        let needs = |in_flight| Needs { in_flight, ..needs(1_000_000) };
        assert_eq!(socket_memory(&network(), &there, &needs(191_933)).state, State::Ok);
        let row = socket_memory(&network(), &there, &needs(191_934));
        assert_eq!(row.state, State::Warn);
        let (_, rest) = row.advice.split_once("tcp_mem=\"").unwrap();
        let raised = crate::monitor::sysctl::triple(rest.split('"').next().unwrap());
        let network = Network { tcp_mem: raised, ..network() };
        assert_eq!(socket_memory(&network, &there, &needs(191_934)).state, State::Ok);
    }

    #[test]
    fn a_table_that_is_too_small_or_nearly_full_is_a_worry() {
        let row = |count, max, connections| {
            conntrack(Some(Conntrack { count, max }), &needs(connections))
        };
        assert_eq!(row(100, 262_144, 64).state, State::Ok);
        assert_eq!(row(250_000, 262_144, 64).state, State::Warn, "nearly full");
        let small = row(100, 65_536, 100_000);
        assert_eq!(small.state, State::Warn);
        assert!(small.advice.contains("nf_conntrack_max=131072"), "{small:?}");
        assert_eq!(row(0, 65_536, 100_000).state, State::Ok, "nothing is tracked");
        assert_eq!(conntrack(None, &needs(1_000_000)).state, State::Ok);
    }

    #[test]
    fn connections_that_close_stay_in_the_table() {
        let needs = Needs { rate: Some(1_000.0), per_connection: Some(1), ..needs(64) };
        let row = conntrack(Some(Conntrack { count: 9, max: 100_000 }), &needs);
        assert_eq!(row.state, State::Warn, "{row:?}");
        assert!(row.needs.starts_with("120,064"), "{row:?}");
    }
}
