//! A job: what one worker has to know, decided before it starts and never changed.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::directory::Directory;
use super::mailbox::Mailbox;
use super::timeline::Timeline;
use super::wire::SMALL;
use crate::address::Address;
use crate::http::Payload;
use crate::plan::answer::Captured;
use crate::plan::{Expected, GroupBy, Rate, Scenario, Schedule, Shape, Wait, Warmup};
use crate::time::Nanos;
use crate::tls;

#[derive(Clone, Debug)]
pub struct Job {
    /// This worker's number, and how many there are.
    pub worker: usize,
    pub workers: usize,
    /// The core to sit on.
    pub core: Option<usize>,
    /// Its connections, and the number of its first one over all workers.
    pub connections: u32,
    pub first_connection: u64,
    /// How many connections of all workers take part, where that is not all of them and no shape
    /// says it: there is room for more.
    pub in_use: Option<u64>,
    pub addresses: Directory,
    /// How long a ring's table of registered files may be.
    pub longest_table: u32,
    /// Local addresses, with port 0; empty: the kernel's choice.
    pub binds: Arc<[SocketAddr]>,
    /// The request, `pipeline` times.
    pub request: Payload,
    /// Of https.
    pub tls: Option<tls::Client>,
    /// What the kernel may encrypt; empty: nothing.
    pub offload: Arc<[tls::KernelKind]>,
    /// What is sent, where that is more than one request without variables; then that request and
    /// what is expected of its answers do not matter.
    pub scenario: Option<Arc<Scenario>>,
    /// What was captured before the load.
    pub given: Captured,
    pub is_head: bool,
    pub expected: Expected,
    /// What the answers are told apart by.
    pub group_by: Option<Arc<GroupBy>>,
    pub pipeline: u32,
    /// Requests on one connection before blast closes it.
    pub per_connection: Option<u64>,
    pub arrivals: Arrivals,
    /// No more than this is sent by all workers together; closed loop only.
    pub at_most: Option<Rate>,
    /// Requests of a closed loop's measure that the workers before this one send.
    pub budget_before: u64,
    pub timeout: Nanos,
    pub connect_timeout: Nanos,
    pub connect_rate: Option<Rate>,
    pub warmup: Warmup,
    /// The ends of the load's stages, from the start of measure; empty for a steady load.
    pub stage_ends: Arc<[Nanos]>,
    pub duration: Option<Nanos>,
    pub drain: Nanos,
    /// Unsent requests older than this are dropped.
    pub deadline: Option<Nanos>,
    /// What becomes due while so many of this worker's are in flight is dropped.
    pub max_in_flight: u64,
    pub wait: Wait,
    /// How long before a due time a hybrid wait starts to spin.
    pub spin_window: Nanos,
    pub timeline: Arc<Timeline>,
    pub mailbox: Arc<Mailbox>,
}

/// When this worker sends.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// Its stripe of the schedule.
    Open(Schedule),
    /// As fast as it is answered, this many times in measure; on the connections that the shape
    /// says, or on all.
    Closed { budget: u64, users: Option<Shape> },
}

impl Job {
    /// The length of measure; `None`: something else ends it.
    pub fn length(&self) -> Option<Nanos> {
        match &self.arrivals {
            Arrivals::Open(schedule) => Some(schedule.length()),
            Arrivals::Closed { .. } => self.duration,
        }
    }

    /// Measure can be made longer or shorter while it goes on.
    pub fn is_elastic(&self) -> bool {
        match &self.arrivals {
            Arrivals::Open(schedule) => schedule.is_elastic(),
            Arrivals::Closed { budget, .. } => *budget == u64::MAX && self.duration.is_some(),
        }
    }

    /// One worker's job without anything special: it sends this request to port 80 of loopback.
    pub fn new(connections: u32, request: Bytes, arrivals: Arrivals) -> Job {
        Job {
            worker: 0,
            workers: 1,
            core: None,
            connections,
            first_connection: 0,
            in_use: None,
            addresses: [([127, 0, 0, 1], 80).into()].into(),
            longest_table: u32::MAX,
            binds: [].into(),
            request: Payload::of(&request, 1),
            tls: None,
            offload: [].into(),
            scenario: None,
            given: [].into(),
            is_head: false,
            expected: Expected::default(),
            group_by: None,
            pipeline: 1,
            per_connection: None,
            arrivals,
            at_most: None,
            budget_before: 0,
            timeout: Nanos::from_secs(10),
            connect_timeout: Nanos::from_secs(5),
            connect_rate: None,
            warmup: Warmup::NONE,
            stage_ends: [].into(),
            duration: None,
            drain: Nanos::ZERO,
            deadline: None,
            max_in_flight: u64::MAX,
            wait: Wait::Block,
            spin_window: Nanos::ZERO,
            timeline: Arc::default(),
            mailbox: Arc::new(Mailbox::new(false, false, 0)),
        }
    }

    /// Whether the end of each write is waited for. Requests that fit a socket's buffer need no
    /// word of it: it has room for them, and a failure still shows. More than that, and a second
    /// write could overtake the rest of the first.
    #[inline]
    pub fn confirms_sends(&self) -> bool {
        self.request.whole() > SMALL
    }

    /// Whether the driver is given parcels: where requests differ, and are not sealed first.
    pub fn delivers(&self) -> bool {
        self.scenario.is_some() && self.tls.is_none()
    }

    /// Whether the kernel can throw away what it would hand over (tcp(7), MSG_TRUNC). A Unix
    /// socket takes no null buffer: EFAULT.
    #[inline]
    pub fn may_discard(&self) -> bool {
        !self.addresses.is_unix()
    }

    /// The local address a slot connects from: those of the target's family, in turn.
    pub fn bind(&self, slot: u32, to: &Address) -> Option<SocketAddr> {
        let to = to.inet()?;
        let number = (self.first_connection + u64::from(slot)) as usize;
        // The target's addresses take turns as well: each is to be reached from each of these.
        let number = number / self.addresses.count();
        let of_family = || self.binds.iter().filter(|from| from.is_ipv4() == to.is_ipv4());
        of_family().nth(number % of_family().count().max(1)).copied()
    }
}
