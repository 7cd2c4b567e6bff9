//! From readings to rows: what there is, what this run needs, and what to do. Pure: the same
//! readings and needs give the same rows.

mod cpu;
mod kernel;
mod limits;
mod memory;
mod ports;
mod queues;
mod server;

#[cfg(test)]
pub(crate) mod fixture;

use serde::Serialize;

use super::Readings;
use super::target::Destination;
use crate::plan::{Engine, Plan, Rate, START_RATE};

pub(super) use cpu::{clock_source, governor, steal};
pub(super) use memory::conntrack;
pub(super) use ports::time_wait;
pub(super) use queues::accept_queue;

/// One thing that can limit a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// An interface: it never changes.
    pub id: &'static str,
    pub state: State,
    /// Whose limit it is.
    pub side: Side,
    pub here: String,
    /// What this run needs of it.
    pub needs: String,
    /// What to do about it; empty when there is nothing to do.
    pub advice: String,
    /// The numbers behind the words.
    pub figures: Vec<(&'static str, Figure)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Ok,
    /// The run goes, but its figures may not be what they seem.
    Warn,
    /// The run cannot be as asked.
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Client,
    Server,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figure {
    Count(u64),
    Share(f64),
}

impl Row {
    fn new(id: &'static str, side: Side, here: impl Into<String>, needs: impl Into<String>) -> Row {
        Row {
            id,
            state: State::Ok,
            side,
            here: here.into(),
            needs: needs.into(),
            advice: String::new(),
            figures: Vec::new(),
        }
    }

    /// For what cannot be read, and so cannot be judged.
    fn unread(id: &'static str, side: Side, what: &str, needs: impl Into<String>) -> Row {
        Row::new(id, side, format!("{what} cannot be read here"), needs)
    }

    fn warn(self, advice: impl Into<String>) -> Row {
        Row { state: State::Warn, advice: advice.into(), ..self }
    }

    fn stop(self, advice: impl Into<String>) -> Row {
        Row { state: State::Stop, advice: advice.into(), ..self }
    }

    fn counts(mut self, figures: &[(&'static str, u64)]) -> Row {
        let count = |(name, value): &(&'static str, u64)| (*name, Figure::Count(*value));
        self.figures.extend(figures.iter().map(count));
        self
    }
}

/// What a run asks of the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Needs {
    pub engine: Engine,
    /// Another engine takes its place where io_uring is refused.
    pub may_fall_back: bool,
    pub connections: u64,
    pub workers: u64,
    /// Requests per second at the highest; `None` in a closed loop.
    pub rate: Option<f64>,
    /// Requests under way at a time. With a rate, as if answers took no longer than a second.
    pub in_flight: u64,
    /// Connections that may wait to be accepted together: those that are opened while a healthy
    /// server does not accept.
    pub at_once: u64,
    /// A connection is closed after so many requests.
    pub per_connection: Option<u64>,
    /// How many local addresses the user named, or why they cannot be had. `None`: nobody named
    /// any.
    pub bound: Option<Result<u64, String>>,
}

/// A server that does not accept for this long, in seconds, is still a healthy one.
const STALL: f64 = 0.1;

impl Needs {
    /// `workers`: how many threads the run would have; `bound`: what became of `--bind`.
    pub fn of(plan: &Plan, workers: usize, bound: Option<Result<u64, String>>) -> Needs {
        let connections = u64::from(plan.connections);
        let rate = plan.load.offered().map(|offered| offered.highest_per_s());
        let room = connections * u64::from(plan.pipeline);
        // A float becomes an integer by saturation.
        let within = |rate: f64, seconds: f64| ((rate * seconds).ceil() as u64).max(1);
        let opened_per_s = plan.connect_rate.map_or(START_RATE as f64, Rate::per_s);
        Needs {
            engine: plan.engine,
            may_fall_back: plan.may_fall_back,
            connections,
            workers: workers as u64,
            rate,
            in_flight: rate.map_or(room, |rate| room.min(within(rate, 1.0))),
            at_once: connections.min(within(opened_per_s, STALL)),
            per_connection: (!plan.keepalive).then_some(1).or(plan.requests_per_connection),
            bound,
        }
    }

    /// Connections opened per second all along; `None` when it is for the server to say.
    fn opened_per_s(&self) -> Option<f64> {
        match (self.per_connection, self.rate) {
            (None, _) => Some(0.0),
            (Some(requests), Some(rate)) => Some(rate / requests as f64),
            (Some(_), None) => None,
        }
    }
}

/// All rows: what is the client's, then what is both's, then what is the server's.
pub fn rows(readings: &Readings, destination: &Destination, needs: &Needs) -> Vec<Row> {
    let Readings { release, uring, limits, network, cpu, steal: stolen } = readings;
    // What is of the network only.
    let inet = |row: fn(&Readings, &Destination, &Needs) -> Row| {
        (!destination.is_unix()).then(|| row(readings, destination, needs))
    };
    let rows = [
        Some(kernel::version(release, needs)),
        Some(kernel::io_uring(uring, needs)),
        kernel::features(uring, needs),
        Some(limits::descriptors(limits, needs)),
        Some(limits::locked_memory(limits, uring)),
        inet(|r, destination, needs| ports::ports(r.network.ports, destination, needs)),
        inet(|r, destination, needs| ports::time_wait(&r.network, destination, needs)),
        Some(cpu::cores(cpu, destination, needs)),
        Some(cpu::governor(&cpu.governors)),
        Some(cpu::clock_source(cpu.clock_source.as_deref())),
        Some(cpu::steal(*stolen)),
        Some(memory::memory(limits, destination, needs)),
        inet(|r, destination, needs| memory::socket_memory(&r.network, destination, needs)),
        inet(|r, _, needs| memory::conntrack(r.network.conntrack, needs)),
        inet(|r, _, _| server::congestion_control(&r.network)),
        server::target(destination),
        Some(queues::accept_queue(network.somaxconn, destination, needs)),
        inet(|r, destination, needs| queues::syn_backlog(&r.network, destination, needs)),
    ];
    rows.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::fixture::{needs, readings};
    use super::*;

    #[test]
    fn a_small_run_on_an_ordinary_host_has_nothing_to_worry_about() {
        let rows = rows(&readings(), &Destination::None, &needs(64));
        let worries: Vec<&Row> = rows.iter().filter(|row| row.state != State::Ok).collect();
        assert!(worries.is_empty(), "{worries:#?}");
        let mut ids: Vec<&str> = rows.iter().map(|row| row.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), rows.len(), "each id stands once");
    }

    #[test]
    fn a_unix_socket_has_no_rows_of_the_network() {
        let name = || crate::address::UnixName::parse("/run/a.sock").unwrap();
        let of = |opened| rows(&readings(), &Destination::Unix(name(), opened), &needs(100_000));
        let found = of(Ok(()));
        let ids: Vec<&str> = found.iter().map(|row| row.id).collect();
        for id in ["ports", "time_wait", "conntrack", "congestion_control", "syn_backlog"] {
            assert!(!ids.contains(&id), "{ids:?}");
        }
        assert!(ids.contains(&"accept_queue") && ids.contains(&"target"), "{ids:?}");
        let refused = of(Err("connection refused".to_string()));
        let target = refused.iter().find(|row| row.id == "target").unwrap();
        assert_eq!(target.state, State::Stop);
        assert_eq!(target.here, "nothing takes connections at /run/a.sock (connection refused)");
    }

    #[test]
    fn every_row_says_what_is_here_and_what_is_needed_and_a_worry_what_to_do() {
        for connections in [1, 100_000, 1_000_000] {
            for engine in [Engine::Ring, Engine::TokioUring] {
                let needs = Needs { engine, ..needs(connections) };
                for row in rows(&readings(), &Destination::None, &needs) {
                    assert!(!row.here.is_empty() && !row.needs.is_empty(), "{row:?}");
                    assert_eq!(row.state == State::Ok, row.advice.is_empty(), "{row:?}");
                }
            }
        }
    }
}
