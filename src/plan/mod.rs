//! The plan: a validated, immutable description of one run. The command line builds it (later a
//! plan file and an API build the same one); the engine carries it out; the report repeats it.
//!
//! Nothing here does IO: names are not resolved, cores are not counted. What depends on the host
//! is decided when the run is prepared (`engine`), and the report says what was decided.

pub mod answer;
pub mod arrivals;
pub mod class;
pub mod data;
pub mod expect;
pub mod file;
pub mod group;
pub mod import;
pub mod integral;
pub mod limits;
pub mod load;
pub mod mask;
pub mod network;
mod place;
pub mod rating;
pub mod request_id;
pub mod route;
pub mod scenario;
pub mod schedule;
pub mod shape;
pub mod suite;
pub mod template;
pub mod threshold;
pub mod url;
pub mod watch;

use std::sync::Arc;

use crate::http::Request;
use crate::metrics::Warning;
use crate::time::Nanos;
use crate::tls;

pub use arrivals::Law;
pub use class::Class;
pub use expect::{Expected, Sizes, Statuses};
pub use group::GroupBy;
pub use limits::Limits;
pub use load::{Load, Offered, OfferedRate, Rate};
pub use network::Network;
pub use request_id::RequestId;
pub use route::Route;
pub use scenario::Scenario;
pub use schedule::Schedule;
pub use shape::Shape;
pub use threshold::Threshold;
pub use url::Url;
pub use watch::Watch;

/// Connections opened per second at the start unless the user says otherwise, over all workers.
/// A server on one core accepts about twice as many; a burst overflows its listen queue instead.
pub const START_RATE: u64 = 20_000;

/// One run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The plan file, as it was named; `None`: flags said it all.
    pub file: Option<String>,
    pub url: Url,
    /// Of https.
    pub tls: Option<tls::Settings>,
    /// What is sent over and over; with a scenario, the first of its requests.
    pub request: Request,
    /// What is sent, where that is more than one request without variables.
    pub scenario: Option<Arc<Scenario>>,
    /// What makes an answer a good one.
    pub expected: Expected,
    pub load: Load,
    /// At least 1.
    pub connections: u32,
    /// Closed loop: connections that a change of the load may come to. `None`: no more than it begins
    /// with.
    pub may_grow_to: Option<u32>,
    /// While it runs, it is told by name what came of the requests.
    pub tells_names: bool,
    /// While it runs, what came of the requests is told some times a second, not once.
    pub tells_often: bool,
    /// Worker threads asked for; `None` takes the allowed cores.
    pub threads: Option<usize>,
    /// Requests in flight on one connection; at least 1.
    pub pipeline: u32,
    /// False: one request a connection, each asking for `Connection: close`.
    pub keepalive: bool,
    /// blast closes a connection after this many answers.
    pub requests_per_connection: Option<u64>,
    /// Connections opened per second at the start and after losses.
    pub connect_rate: Option<Rate>,
    /// From sending a request to the last byte of its answer.
    pub timeout: Nanos,
    pub connect_timeout: Nanos,
    /// Load before *measure*, reported apart.
    pub warmup: Warmup,
    /// The length of *measure*. `None`: until `requests` are done.
    pub duration: Option<Nanos>,
    /// Requests sent in *measure*, over all threads. With a duration: whichever comes first.
    pub requests: Option<u64>,
    /// How long unanswered and unsent requests are waited for after *measure*.
    pub drain: Nanos,
    /// Open loop: a request that is still unsent this long after it was due is dropped.
    pub deadline: Option<Nanos>,
    /// Open loop: a request that becomes due while this many are in flight is dropped.
    pub max_in_flight: Option<u64>,
    /// Closed loop: no more than this is sent, however fast the answers come.
    pub at_most: Option<Rate>,
    pub engine: Engine,
    /// Nobody chose it: where io_uring is refused, the epoll engine takes its place.
    pub may_fall_back: bool,
    pub wait: Wait,
    pub pin: Pin,
    /// Local addresses, taken round robin; empty: the kernel's choice, and on loopback as many as
    /// the connections need.
    pub bind: Vec<Network>,
    /// What is connected to, where that is not what the URL says.
    pub route: Route,
    /// Rules that the whole run is judged by.
    pub thresholds: Vec<Threshold>,
    /// Rules that end the run when they become true.
    pub abort_on: Vec<Threshold>,
    /// What the answers are told apart by in the report; `None`: they are not.
    pub group_by: Option<GroupBy>,
    /// The server beside the load.
    pub watch: Watch,
    /// The port of a pool whose connections are counted.
    pub watch_pool: Option<u16>,
    /// What the run is graded by; `None`: it is not.
    pub rating: Option<rating::Set>,
    /// What the report is to warn of: things that were typed and have no effect.
    pub notes: Vec<Warning>,
}

impl Plan {
    /// What `blast URL` does without a flag: a closed loop of 64 connections for 10 s.
    pub fn new(url: Url, request: Request) -> Plan {
        let timeout = Nanos::from_secs(10);
        Plan {
            file: None,
            tls: url.is_https.then(tls::Settings::new),
            url,
            request,
            scenario: None,
            expected: Expected::default(),
            load: Load::CLOSED,
            connections: 64,
            may_grow_to: None,
            tells_names: false,
            tells_often: false,
            threads: None,
            pipeline: 1,
            keepalive: true,
            requests_per_connection: None,
            connect_rate: None,
            timeout,
            connect_timeout: Nanos::from_secs(5),
            warmup: Warmup::NONE,
            duration: Some(Nanos::from_secs(10)),
            requests: None,
            drain: timeout,
            deadline: None,
            max_in_flight: None,
            at_most: None,
            engine: Engine::Ring,
            may_fall_back: true,
            wait: Wait::Hybrid,
            pin: Pin::Auto,
            bind: Vec::new(),
            route: Route::default(),
            thresholds: Vec::new(),
            abort_on: Vec::new(),
            group_by: None,
            watch: Watch::default(),
            watch_pool: None,
            rating: Some(rating::Set::usual()),
            notes: Vec::new(),
        }
    }
}

impl Plan {
    /// Connections that there has to be room for. In open loop there is no use for more.
    pub fn room(&self) -> u32 {
        match self.load {
            Load::Closed { .. } => self.connections.max(self.may_grow_to.unwrap_or(0)),
            Load::Open(_) => self.connections,
        }
    }
}

/// How long the load runs before it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warmup {
    For(Nanos),
    /// Until the server's answers are steady.
    Auto,
}

impl Warmup {
    pub const NONE: Warmup = Warmup::For(Nanos::ZERO);

    /// `None` while it is to be found in the run.
    pub fn length(self) -> Option<Nanos> {
        match self {
            Warmup::For(length) => Some(length),
            Warmup::Auto => None,
        }
    }
}

/// Which driver carries the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The bare io_uring, one ring a worker or more.
    Ring,
    /// A pinned tokio-uring runtime a worker, a task a connection.
    TokioUring,
    /// Non-blocking sockets and an epoll a worker: where io_uring is refused.
    Epoll,
}

impl Engine {
    pub const ALL: [Engine; 3] = [Engine::Ring, Engine::TokioUring, Engine::Epoll];

    pub fn name(self) -> &'static str {
        match self {
            Engine::Ring => "ring",
            Engine::TokioUring => "tokio-uring",
            Engine::Epoll => "epoll",
        }
    }
}

/// How a worker of an open loop waits for the next due time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Sleep until just before it, then spin.
    Hybrid,
    Spin,
    Block,
}

impl Wait {
    pub fn name(self) -> &'static str {
        match self {
            Wait::Hybrid => "hybrid",
            Wait::Spin => "spin",
            Wait::Block => "block",
        }
    }
}

/// Which cores the workers sit on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The allowed cores, from the highest down.
    Auto,
    Off,
    /// These cores, in this order, round robin.
    List(Vec<usize>),
}
