//! Local ports: a connection is its four addresses, so one local address has its whole range of
//! ports towards each address of the target.

use std::net::{IpAddr, SocketAddr};

use super::limits::plural;
use super::{Needs, Row, Side};
use crate::host::Ports;
use crate::monitor::network::Network;
use crate::monitor::target::Destination;
use crate::units::{format_count, format_exact as exact};

/// How long the port of a connection is held by the side that closed it first: TCP_TIMEWAIT_LEN,
/// or with tcp_tw_reuse a second.
const HELD_S: f64 = 60.0;
const REUSED_S: f64 = 1.0;

/// Who chooses the local addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// blast, as many of 127/8 as it takes.
    Loopback,
    /// The user, so many.
    Bound(u64),
    /// The kernel, one.
    Kernel,
    /// Nobody knows without a URL.
    Unknown,
}

impl Source {
    fn of(destination: &Destination, needs: &Needs) -> Source {
        let places = destination.places();
        let on_loopback = |address: SocketAddr| match address.ip() {
            IpAddr::V4(ip) => ip.is_loopback(),
            IpAddr::V6(_) => false,
        };
        match &needs.bound {
            Some(bound) => Source::Bound(bound.clone().unwrap_or(0)),
            None if places.iter().any(|place| on_loopback(place.address)) => Source::Loopback,
            None if places.is_empty() => Source::Unknown,
            None => Source::Kernel,
        }
    }

    /// How many local addresses are used. One of the target's addresses may have to take all
    /// connections, where the others do not listen.
    fn addresses(self, needs: &Needs, ports: Ports) -> u64 {
        match self {
            Source::Loopback => ports.addresses(needs.connections, needs.per_connection.is_some()),
            Source::Bound(named) => named,
            Source::Kernel | Source::Unknown => 1,
        }
    }
}

pub fn ports(ports: Ports, destination: &Destination, needs: &Needs) -> Row {
    let targets = destination.places().len().max(1) as u64;
    let each = needs.connections.div_ceil(targets);
    let source = Source::of(destination, needs);
    let sources = source.addresses(needs, ports);
    if let Some(Err(sentence)) = &needs.bound {
        let wanted = plural(needs.connections, "connection") + " from the addresses of --bind";
        let row = Row::new("ports", Side::Client, sentence.clone(), wanted);
        return row.stop("--bind with addresses that `ip address` lists");
    }
    let here = format!(
        "{} ports ({} to {}, the reserved ones left out) for each local address towards each of \
         the target's",
        exact(ports.count),
        ports.first,
        ports.last
    );
    let row = Row::new("ports", Side::Client, here, wanted(source, sources, each, targets, needs))
        .counts(&[("free", ports.count), ("sources", sources), ("needed", each)]);
    judge(row, source, each, sources, ports)
}

fn judge(row: Row, source: Source, each: u64, sources: u64, ports: Ports) -> Row {
    let room = sources * ports.count;
    if each <= room / 2 || (source == Source::Loopback && each <= room) {
        return row;
    }
    let (first, last) = Ports::WIDEST;
    let range = format!("`sysctl -w net.ipv4.ip_local_port_range=\"{first} {last}\"`");
    let bind = format!("--bind with {} or more local addresses", each.div_ceil(ports.count.max(1)));
    if each <= room {
        return row.warn(format!(
            "past half of the ports the kernel searches longer for a free one than a connection \
             takes to open: {range}, or --bind with more addresses"
        ));
    }
    match source {
        Source::Unknown => row.warn(format!(
            "on loopback blast takes further addresses of 127/8 by itself; towards one address \
             elsewhere: {bind}"
        )),
        _ if each <= sources * u64::from(last - first) => row.stop(format!("{range}, or {bind}")),
        _ => row.stop(bind),
    }
}

fn wanted(source: Source, sources: u64, each: u64, targets: u64, needs: &Needs) -> String {
    let connections = plural(needs.connections, "connection");
    let spread = match targets {
        1 => connections,
        _ => format!("{connections}, {} to each of {targets} addresses", exact(each)),
    };
    match source {
        Source::Loopback if sources > 1 => {
            format!("{spread}: blast takes {sources} source addresses of 127/8 by itself")
        }
        Source::Bound(2..) => format!("{spread}, from {sources} local addresses"),
        _ => format!("{spread}, from one local address"),
    }
}

/// Ports of connections that blast closed first, which are not free yet.
pub fn time_wait(network: &Network, destination: &Destination, needs: &Needs) -> Row {
    let source = Source::of(destination, needs);
    let reused = match network.tw_reuse {
        Some(1) => true,
        Some(2) => source == Source::Loopback,
        _ => false,
    };
    let held_s = if reused { REUSED_S } else { HELD_S };
    let setting = network.tw_reuse.map_or("unknown".to_string(), |value| value.to_string());
    let here = format!(
        "the port of a connection that blast closes first is free again after {held_s} s \
         (net.ipv4.tcp_tw_reuse is {setting})"
    );
    let row = |wanted: String| Row::new("time_wait", Side::Client, here.clone(), wanted);
    let Some(opened) = needs.opened_per_s() else {
        return row("as many connections a second as the server answers".to_string());
    };
    if opened == 0.0 {
        return row("none: connections are kept".to_string());
    }
    let (ports, targets) = (network.ports, destination.places().len().max(1) as u64);
    let sources = source.addresses(needs, ports);
    let room_per_s = (sources * targets * ports.count) as f64 / held_s;
    let wanted = format!(
        "{} connections a second; {} have room",
        format_count(opened),
        format_count(room_per_s.floor())
    );
    let row =
        row(wanted).counts(&[("opened_per_s", opened as u64), ("room_per_s", room_per_s as u64)]);
    match opened <= room_per_s {
        true => row,
        false if reused => row.warn("keep connections open, or --bind with more addresses"),
        false => row.warn(
            "`sysctl -w net.ipv4.tcp_tw_reuse=1`, keep connections open, or --bind with more \
             addresses",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::fixture::{elsewhere, needs, network, nginx};
    use super::*;

    fn row(destination: &Destination, needs: &Needs) -> Row {
        ports(network().ports, destination, needs)
    }

    #[test]
    fn ports_run_out_towards_one_address_and_not_towards_several() {
        let (one, four) =
            (["10.0.0.1:80"], ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"]);
        for (connections, sources, addresses, state, words) in [
            (14_116, 0, &one[..], State::Ok, ""),
            (14_117, 0, &one, State::Warn, "past half of the ports"),
            (
                28_233,
                0,
                &one,
                State::Stop,
                "ip_local_port_range=\"1024 65535\"`, or --bind with 2 or",
            ),
            (100_000, 0, &one, State::Stop, "--bind with 4 or more local addresses"),
            (50_000, 4, &one, State::Ok, ""),
            (50_000, 0, &four, State::Ok, ""),
        ] {
            let bound = (sources > 0).then_some(Ok(sources));
            let row = row(&elsewhere(addresses), &Needs { bound, ..needs(connections) });
            assert_eq!(row.state, state, "{row:?}");
            assert!(row.advice.contains(words), "{row:?}");
            assert_eq!(
                row.advice.contains("sysctl"),
                !row.advice.is_empty() && connections < 100_000
            );
        }
    }

    #[test]
    fn on_loopback_further_addresses_are_taken() {
        let row = row(&nginx("127.0.0.1:80", 511), &needs(100_000));
        assert_eq!(row.state, State::Ok);
        assert!(row.needs.contains("blast takes 15 source addresses of 127/8"), "{row:?}");
        let v6 = ports(network().ports, &nginx("[::1]:80", 511), &needs(40_000));
        assert_eq!(v6.state, State::Stop, "there is one loopback address of IPv6");
    }

    #[test]
    fn without_a_url_many_connections_are_a_worry_and_no_end() {
        let row = row(&Destination::None, &needs(100_000));
        assert_eq!(row.state, State::Warn);
        assert!(row.advice.contains("127/8"), "{row:?}");
    }

    #[test]
    fn reserved_ports_are_missing() {
        let few = Ports { count: 999, ..network().ports };
        let row = ports(few, &elsewhere(&["10.0.0.1:80"]), &needs(1_000));
        assert_eq!(row.state, State::Stop, "{row:?}");
    }

    #[test]
    fn addresses_that_this_host_does_not_have_stop_the_run() {
        let bound = Some(Err("--bind: this host has none of the addresses".to_string()));
        let row = row(&elsewhere(&["10.0.0.1:80"]), &Needs { bound, ..needs(1) });
        assert_eq!(row.state, State::Stop);
        assert!(row.here.contains("has none of"), "{row:?}");
    }

    #[test]
    fn connections_that_close_need_their_ports_again() {
        let time_wait = |rate, reuse, destination: &Destination| {
            let network = Network { tw_reuse: Some(reuse), ..network() };
            let needs = Needs { rate, per_connection: Some(1), ..needs(64) };
            super::time_wait(&network, destination, &needs)
        };
        let remote = elsewhere(&["10.0.0.1:80"]);
        let local = nginx("127.0.0.1:80", 511);
        for (rate, reuse, destination, state) in [
            (Some(400.0), 2, &remote, State::Ok),
            (Some(1_000.0), 2, &remote, State::Warn),
            (Some(20_000.0), 1, &remote, State::Ok),
            (Some(50_000.0), 1, &remote, State::Warn),
            (Some(50_000.0), 2, &local, State::Ok),
            (None, 0, &remote, State::Ok),
        ] {
            let row = time_wait(rate, reuse, destination);
            assert_eq!(row.state, state, "{row:?}");
            assert_eq!(row.advice.contains("tcp_tw_reuse=1"), state == State::Warn && reuse != 1);
        }
        let kept = super::time_wait(&network(), &remote, &needs(64));
        assert!(kept.needs.contains("connections are kept"), "{kept:?}");
    }
}
