//! The server, as far as it can be seen from here: who listens.

use super::{Row, Side};
use crate::address::{Address, UnixName};
use crate::monitor::network::Network;
use crate::monitor::sockets::Listener;
use crate::monitor::target::{Destination, Place};

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
        Destination::Unix(name, opened) => return Some(socket(name, opened)),
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

fn socket(name: &UnixName, opened: &Result<(), String>) -> Row {
    let address = Address::Unix(name.clone());
    let row = |here| Row::new("target", Side::Server, here, "a server that takes connections");
    match opened {
        Ok(()) => row(format!("{address} takes connections")),
        Err(why) => row(format!("nothing takes connections at {address} ({why})"))
            .stop("start the server, or correct the socket's path and its permissions"),
    }
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
    use super::super::fixture::{elsewhere, nginx};
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
}
