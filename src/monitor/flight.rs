//! What every run checks on its way: a few files before it starts and after it is over, none in
//! between. Only what matters for that very run becomes a warning.

use super::cpu::{self, Governor, Times};
use super::diagnosis::{self, Needs, Row, State};
use super::network::{Conntrack, Network};
use super::sockets::{self, Listener};
use super::target::{Destination, Place};
use crate::address::Address;
use crate::host;
use crate::metrics::{Summary, Warning};

/// The readings from before a run.
#[derive(Clone, Debug, Default)]
pub struct Flight {
    listeners: Vec<Listener>,
    network: Option<Network>,
    governors: Vec<Governor>,
    clock_source: Option<String>,
    cores: Vec<usize>,
    times: Option<Times>,
}

impl Flight {
    /// Costs less than a millisecond, however many connections the host has.
    pub fn before() -> Flight {
        let cores = host::allowed_cores();
        Flight {
            listeners: sockets::listening().unwrap_or_default(),
            network: Some(Network::read()),
            governors: cpu::governors(&cores),
            clock_source: cpu::clock_source(),
            times: cpu::times(&cores),
            cores,
        }
    }

    /// What to warn of, now that the run is over.
    pub fn warnings(&self, needs: &Needs, summary: &Summary) -> Vec<Warning> {
        let stolen = self.times.zip(cpu::times(&self.cores));
        let lost_syn = |warning: &Warning| matches!(warning, Warning::ListenBacklog { .. });
        let after = After {
            stolen: stolen.and_then(|(before, after)| after.stolen_since(before)),
            // Tracked connections stay in the table for a while: an empty one tracks nothing.
            tracks: Conntrack::read().is_some_and(|conntrack| conntrack.count > 0),
            lost_syns: summary.warnings.iter().any(lost_syn),
        };
        self.judge(needs, &summary.addresses, &after)
    }

    fn judge(&self, needs: &Needs, addresses: &[Address], after: &After) -> Vec<Warning> {
        let place = |address: &Address| Some(Place::new(address.inet()?, &self.listeners));
        let target = match addresses {
            [Address::Unix(name)] => Destination::Unix(name.clone(), Ok(())),
            _ => Destination::Known(addresses.iter().filter_map(place).collect()),
        };
        let network = self.network.as_ref();
        let conntrack = network.and_then(|network| network.conntrack);
        let somaxconn = network.and_then(|network| network.somaxconn);
        let queue = || diagnosis::accept_queue(somaxconn, &target, needs);
        let rows = [
            Some(diagnosis::governor(&self.governors)),
            Some(diagnosis::clock_source(self.clock_source.as_deref())),
            Some(diagnosis::steal(after.stolen)),
            // A Unix socket takes no port, and nobody tracks its connections.
            network
                .filter(|_| !target.is_unix())
                .map(|network| diagnosis::time_wait(network, &target, needs)),
            (after.tracks && !target.is_unix()).then(|| diagnosis::conntrack(conntrack, needs)),
            // A queue that is short and never overflowed was long enough for this run.
            (after.lost_syns && target.is_local()).then(queue),
        ];
        let worries = rows.into_iter().flatten().filter(|row| row.state != State::Ok);
        worries.map(Warning::from).collect()
    }
}

/// What the run itself has shown.
struct After {
    stolen: Option<f64>,
    tracks: bool,
    lost_syns: bool,
}

impl From<Row> for Warning {
    fn from(row: Row) -> Warning {
        let text = format!("{} (needed: {})", row.here, row.needs);
        Warning::Host { code: row.id, text, hint: row.advice }
    }
}

#[cfg(test)]
mod tests {
    use super::super::diagnosis::fixture::{needs, network, nginx};
    use super::*;

    const TARGET: &str = "127.0.0.1:80";

    fn flight(queue: u64) -> Flight {
        Flight {
            listeners: nginx(TARGET, queue).places()[0].listeners.clone(),
            network: Some(network()),
            clock_source: Some("tsc".to_string()),
            ..Flight::default()
        }
    }

    const QUIET: After = After { stolen: Some(0.01), tracks: true, lost_syns: true };

    fn codes(flight: &Flight, connections: u64, after: After) -> Vec<&'static str> {
        let addresses = [address(TARGET)];
        let found = flight.judge(&needs(connections), &addresses, &after);
        found.iter().map(Warning::code).collect()
    }

    fn address(text: &str) -> Address {
        Address::Inet(text.parse().unwrap())
    }

    #[test]
    fn a_unix_socket_has_no_ports_to_run_out_of() {
        let socket = [Address::Unix(crate::address::UnixName::parse("/run/a.sock").unwrap())];
        let needs = Needs { per_connection: Some(1), rate: Some(50_000.0), ..needs(300_000) };
        let after = After { lost_syns: false, ..QUIET };
        assert_eq!(flight(511).judge(&needs, &socket, &after), []);
    }

    #[test]
    fn an_ordinary_run_on_an_ordinary_host_has_no_warning() {
        assert_eq!(codes(&flight(511), 64, QUIET), [""; 0]);
    }

    #[test]
    fn each_limit_of_the_host_that_touches_the_run_is_a_warning() {
        let long = 1 << 20;
        assert_eq!(codes(&flight(511), 512, QUIET), ["accept_queue"]);
        assert_eq!(codes(&flight(511), 64, After { stolen: Some(0.06), ..QUIET }), ["steal"]);
        assert_eq!(codes(&flight(long), 300_000, QUIET), ["conntrack"]);
        let governors = vec![Governor { core: 0, name: "powersave".to_string() }];
        let clock_source = Some("hpet".to_string());
        let slow = Flight { governors, clock_source, ..flight(511) };
        assert_eq!(codes(&slow, 64, QUIET), ["governor", "clock_source"]);
    }

    #[test]
    fn a_rate_of_closing_connections_that_ports_cannot_bear_is_a_warning() {
        let needs = Needs { per_connection: Some(1), ..needs(64) };
        let elsewhere = [address("203.0.113.1:80")];
        let codes = |rate| {
            let needs = Needs { rate: Some(rate), ..needs.clone() };
            let found = flight(511).judge(&needs, &elsewhere, &QUIET);
            found.iter().map(Warning::code).collect::<Vec<_>>()
        };
        // 28,232 ports, each free again after a minute.
        assert_eq!(codes(400.0), [""; 0]);
        assert_eq!(codes(1_000.0), ["time_wait"]);
    }

    #[test]
    fn a_limit_that_the_run_never_met_is_not_mentioned() {
        let after = || After { stolen: None, tracks: false, lost_syns: false };
        assert_eq!(codes(&flight(511), 512, after()), [""; 0], "no SYN was lost");
        assert_eq!(codes(&flight(511), 300_000, after()), [""; 0], "nothing is tracked");
    }

    #[test]
    fn a_server_elsewhere_is_not_judged_by_this_host() {
        let addresses = [address("203.0.113.1:80")];
        assert_eq!(flight(1).judge(&needs(10_000), &addresses, &QUIET), []);
    }

    #[test]
    fn the_readings_of_this_host_cost_next_to_nothing() {
        let least = (0..5)
            .map(|_| {
                let start = crate::time::now();
                let flight = Flight::before();
                assert!(!flight.cores.is_empty() && flight.times.is_some());
                crate::time::now() - start
            })
            .min();
        // Milliseconds where tests share two cores.
        assert!(least < Some(crate::time::Nanos::from_millis(20)), "{least:?}");
    }
}
