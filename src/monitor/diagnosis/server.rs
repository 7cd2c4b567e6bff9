//! The server's side, as far as it can be seen from here: who listens, and how many connections
//! may wait to be accepted.

use super::{Needs, Row, STALL, Side};
use crate::monitor::network::Network;
use crate::monitor::sockets::Listener;
use crate::monitor::target::{Destination, Place};
use crate::units::format_exact as exact;

/// Processes that are named by number.
const NAMED: usize = 3;

/// Nothing without a URL.
pub fn target(destination: &Destination) -> Option<Row> {
    let wanted = "a server that takes connections";
    let places = match destination {
        Destination::None => return None,
        Destination::Unknown(sentence) => {
            let row = Row::new("target", Side::Server, sentence.clone(), wanted);
            return Some(row.stop("write the name as the server's is, or use its IP address"));
        }
        Destination::Known(places) => places,
    };
    let here: Vec<String> = places.iter().map(who).collect();
    let row = Row::new("target", Side::Server, here.join("; "), wanted)
        .counts(&[("listeners", places.iter().map(|place| place.listeners.len() as u64).sum())]);
    let takes = |place: &Place| !place.listeners.is_empty() || place.opened == Some(Ok(()));
    Some(match places.iter().any(takes) {
        true => row,
        false => row.stop("start the server, or correct the URL's host and port"),
    })
}

fn who(place: &Place) -> String {
    let address = place.address;
    match (place.listeners.as_slice(), &place.opened) {
        ([], Some(Ok(()))) if place.is_local => {
            format!("{address} takes connections; its process is not on this host's network")
        }
        ([], Some(Ok(()))) => format!("{address} takes connections"),
        ([], Some(Err(why))) => format!("nothing takes connections at {address} ({why})"),
        ([], None) => format!("{address} was not tried"),
        ([first, ..], _) => format!("{address}: {} listens", owners(place, first)),
    }
}

fn owners(place: &Place, listener: &Listener) -> String {
    let Some(first) = place.owners.first() else {
        return format!("a process of user {} (root sees which)", listener.uid);
    };
    let pids: Vec<String> = place.owners.iter().map(|process| process.pid.to_string()).collect();
    let named = pids[..pids.len().min(NAMED)].join(", ");
    match pids.len().saturating_sub(NAMED) {
        0 => format!("{} (pid {named})", first.name),
        more => format!("{} (pid {named} and {more} more)", first.name),
    }
}

/// The accept queue is as long as the backlog given to listen, but never longer than somaxconn.
pub fn accept_queue(somaxconn: Option<u64>, destination: &Destination, needs: &Needs) -> Row {
    let wanted = format!("room for {}", opening(needs));
    let row = |here: String| Row::new("accept_queue", Side::Server, here, wanted.clone());
    let queues = destination.places().iter().filter_map(Queue::of);
    // The shortest decides: connections are dealt out evenly.
    if let Some(queue) = queues.min_by_key(|queue| queue.room) {
        return queue.judge(row(queue.words(somaxconn)), somaxconn, needs);
    }
    let Some(somaxconn) = somaxconn else {
        return Row::unread("accept_queue", Side::Server, "net.core.somaxconn", wanted);
    };
    if !destination.places().is_empty() && !destination.is_local() {
        return row(
            "on the server: min(backlog given to listen, net.core.somaxconn), as `ss -ltn` shows \
             there under Send-Q"
                .to_string(),
        );
    }
    let row = row(format!(
        "net.core.somaxconn is {}: a server's queue here is min(backlog given to listen, {})",
        exact(somaxconn),
        exact(somaxconn)
    ))
    .counts(&[("somaxconn", somaxconn), ("needed", needs.at_once)]);
    match needs.at_once > somaxconn {
        true => row.warn(format!("where the server runs here: {}", raise(needs.at_once))),
        false => row,
    }
}

fn opening(needs: &Needs) -> String {
    let many = exact(needs.at_once);
    match needs.at_once < needs.connections {
        true => format!("the {many} connections that open in {} ms", (STALL * 1e3) as u64),
        false => format!("{many} connections that open at once"),
    }
}

/// The accept queues of all listeners at one address, which the kernel fills evenly.
#[derive(Clone, Copy)]
struct Queue {
    waiting: u64,
    room: u64,
    listeners: usize,
}

impl Queue {
    fn of(place: &Place) -> Option<Queue> {
        let rooms = place.listeners.iter().map(|listener| listener.queue);
        let rooms: Vec<u64> = rooms.collect::<Option<_>>()?;
        (!rooms.is_empty()).then(|| Queue {
            waiting: place.listeners.iter().map(|listener| listener.waiting).sum(),
            room: rooms.iter().sum(),
            listeners: rooms.len(),
        })
    }

    fn words(&self, somaxconn: Option<u64>) -> String {
        let over = match self.listeners {
            1 => String::new(),
            listeners => format!(" over {listeners} listeners"),
        };
        let somaxconn = somaxconn.map_or("unknown".to_string(), exact);
        format!(
            "room for {}{over}, of which {} wait: min(backlog given to listen, \
             net.core.somaxconn, which is {somaxconn})",
            exact(self.room),
            exact(self.waiting)
        )
    }

    fn judge(&self, row: Row, somaxconn: Option<u64>, needs: &Needs) -> Row {
        let needed = needs.at_once;
        let row = row
            .counts(&[("waiting", self.waiting), ("queue", self.room), ("needed", needed)])
            .counts(&somaxconn.map(|n| ("somaxconn", n)).into_iter().collect::<Vec<_>>());
        if self.waiting > 0 && self.waiting >= self.room {
            return row.warn("the queue is full: the server does not accept; look at it first");
        }
        if needed <= self.room {
            return row;
        }
        let each = needed.div_ceil(self.listeners as u64);
        match somaxconn.is_none_or(|most| most >= each) {
            true => row.warn(format!(
                "give listen a backlog of {each} in the server, or open more slowly: \
                 --connect-rate"
            )),
            false => row.warn(raise(each)),
        }
    }
}

fn raise(needed: u64) -> String {
    // The kernel keeps it in 32 bits.
    let needed = needed.next_power_of_two().clamp(4_096, 1 << 30);
    format!(
        "`sysctl -w net.core.somaxconn={needed}`, start the server again with a backlog as long, \
         or open more slowly: --connect-rate"
    )
}

/// Connections whose handshake is not over. With syncookies a full queue still answers.
pub fn syn_backlog(network: &Network, destination: &Destination, needs: &Needs) -> Row {
    let wanted = format!("room for the SYNs of {}", opening(needs));
    let elsewhere = !destination.places().is_empty() && !destination.is_local();
    let (Some(backlog), Some(cookies)) = (network.syn_backlog, network.syncookies) else {
        let what = "net.ipv4.tcp_max_syn_backlog";
        return Row::unread("syn_backlog", Side::Server, what, wanted);
    };
    if elsewhere {
        let here = "on the server: net.ipv4.tcp_max_syn_backlog and net.ipv4.tcp_syncookies";
        return Row::new("syn_backlog", Side::Server, here, wanted);
    }
    let here = format!(
        "net.ipv4.tcp_max_syn_backlog is {}, net.ipv4.tcp_syncookies {cookies}{}",
        exact(backlog),
        if cookies > 0 { ": a full queue answers with cookies" } else { "" }
    );
    let row = Row::new("syn_backlog", Side::Server, here, wanted).counts(&[
        ("syn_backlog", backlog),
        ("syncookies", cookies),
        ("needed", needs.at_once),
    ]);
    // Without cookies the last quarter is kept for hosts that are known (tcp_conn_request).
    match cookies == 0 && needs.at_once > backlog - backlog / 4 {
        true => row.warn(format!(
            "`sysctl -w net.ipv4.tcp_syncookies=1`, or `sysctl -w \
             net.ipv4.tcp_max_syn_backlog={}`",
            (needs.at_once * 4 / 3 + 1).next_power_of_two()
        )),
        false => row,
    }
}

pub fn congestion_control(network: &Network) -> Row {
    let wanted = "none in particular; requests are short, and the server's own rules its answers";
    match &network.congestion_control {
        Some(name) => Row::new("congestion_control", Side::Both, name.clone(), wanted),
        None => Row::unread("congestion_control", Side::Both, "the default", wanted),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::State;
    use super::super::fixture::{elsewhere, needs, network, nginx};
    use super::*;
    use crate::monitor::listeners::Process;

    fn known(places: &[Destination]) -> Destination {
        Destination::Known(places.iter().flat_map(|d| d.places().to_vec()).collect())
    }

    fn dead(address: &str) -> Destination {
        let mut places = elsewhere(&[address]).places().to_vec();
        places[0].opened = Some(Err("connection refused".to_string()));
        Destination::Known(places)
    }

    #[test]
    fn whoever_listens_is_named() {
        let row = target(&nginx("127.0.0.1:80", 511)).unwrap();
        assert_eq!(row.here, "127.0.0.1:80: nginx (pid 12, 13) listens");
        let Destination::Known(mut places) = nginx("127.0.0.1:80", 511) else { unreachable!() };
        places[0].owners =
            (1..9).map(|pid| Process { pid, name: "nginx".into() }).collect::<BTreeSet<_>>();
        let many = target(&Destination::Known(places.clone())).unwrap();
        assert!(many.here.contains("(pid 1, 2, 3 and 5 more)"), "{many:?}");
        places[0].owners = BTreeSet::new();
        let hidden = target(&Destination::Known(places)).unwrap();
        assert!(hidden.here.contains("a process of user 33 (root sees which)"), "{hidden:?}");
    }

    #[test]
    fn a_target_stops_the_run_only_when_none_of_its_addresses_answers() {
        let one = known(&[dead("[::1]:80"), nginx("127.0.0.1:80", 511)]);
        let row = target(&one).unwrap();
        assert_eq!(row.state, State::Ok);
        assert!(row.here.contains("[::1]:80 (connection refused); 127.0.0.1:80"), "{row:?}");
        assert_eq!(target(&dead("10.0.0.1:80")).unwrap().state, State::Stop);
        let unknown = Destination::Unknown("cannot resolve `x`".to_string());
        assert_eq!(target(&unknown).unwrap().state, State::Stop);
        assert_eq!(target(&Destination::None), None);
    }

    #[test]
    fn a_queue_that_is_too_short_names_whichever_limit_is_shorter() {
        let row = |queue, somaxconn, at_once| {
            let needs = Needs { at_once, ..needs(10_000) };
            accept_queue(Some(somaxconn), &nginx("127.0.0.1:80", queue), &needs)
        };
        assert_eq!(row(511, 4_096, 511).state, State::Ok);
        let backlog = row(511, 4_096, 512);
        assert_eq!(backlog.state, State::Warn);
        assert!(backlog.advice.contains("backlog of 512 in the server"), "{backlog:?}");
        assert!(backlog.here.contains("room for 511, of which 0 wait"), "{backlog:?}");
        let both = row(4_096, 4_096, 10_000);
        assert!(both.advice.contains("net.core.somaxconn=16384"), "{both:?}");
        assert!(both.here.contains("min(backlog given to listen"), "{both:?}");
    }

    #[test]
    fn listeners_that_share_a_port_share_what_comes() {
        let Destination::Known(mut places) = nginx("127.0.0.1:80", 300) else { unreachable!() };
        let second = Listener { inode: 8, ..places[0].listeners[0] };
        places[0].listeners.push(second);
        let row = accept_queue(Some(4_096), &Destination::Known(places), &needs(600));
        assert_eq!(row.state, State::Ok);
        assert!(row.here.contains("room for 600 over 2 listeners, of which 0 wait"), "{row:?}");
    }

    #[test]
    fn a_full_queue_is_a_server_that_does_not_accept() {
        let Destination::Known(mut places) = nginx("127.0.0.1:80", 5) else { unreachable!() };
        places[0].listeners[0].waiting = 6;
        let row = accept_queue(Some(4_096), &Destination::Known(places), &needs(1));
        assert!(row.state == State::Warn && row.advice.contains("does not accept"), "{row:?}");
    }

    #[test]
    fn of_a_server_elsewhere_nothing_is_claimed() {
        let there = elsewhere(&["10.0.0.1:80"]);
        for row in [
            accept_queue(Some(128), &there, &needs(100_000)),
            syn_backlog(&network(), &there, &needs(100_000)),
        ] {
            assert!(row.state == State::Ok && row.here.starts_with("on the server"), "{row:?}");
        }
        let here = accept_queue(Some(128), &Destination::None, &needs(1_000));
        assert!(here.state == State::Warn && here.advice.contains("where the server"), "{here:?}");
    }

    #[test]
    fn without_cookies_the_backlog_of_syns_counts() {
        let local = nginx("127.0.0.1:80", 511);
        let with = |syncookies, connections| {
            let network = Network { syncookies: Some(syncookies), ..network() };
            syn_backlog(&network, &local, &needs(connections))
        };
        assert_eq!(with(1, 100_000).state, State::Ok);
        assert_eq!(with(0, 1_536).state, State::Ok);
        assert_eq!(with(0, 1_537).state, State::Warn);
        assert!(with(0, 2_000).advice.contains("tcp_max_syn_backlog=4096"));
    }
}
