//! The table: sign, cause, remedy.

use super::evidence;
use crate::report::Document;

/// A row.
pub struct Remark {
    /// A warning's code, a kind of failure, a limit of the verdict, or a name of its own.
    pub sign: &'static str,
    /// The figures that show it; `None`: there is no such sign.
    pub evidence: fn(&Document) -> Option<String>,
    /// Signs that say the same more exactly: where one of them is told, this is not.
    pub unless: &'static [&'static str],
    /// It is about how fast the server is.
    pub is_of_speed: bool,
    pub cause: &'static str,
    pub remedy: &'static str,
}

/// From what was counted to what is only likely.
pub static TABLE: [Remark; 23] = [
    Remark {
        sign: "connect_refused",
        evidence: evidence::refused,
        unless: &[],
        is_of_speed: false,
        cause: "nothing listened there, or its listen queue was full",
        remedy: "look whether the server runs, restarts or has a limit of connections; raise its \
                 backlog",
    },
    Remark {
        sign: "server_errors",
        evidence: evidence::server_errors,
        unless: &[],
        is_of_speed: false,
        cause: "requests fail inside the server, often for a pool that is too small",
        remedy: "read the server's log; look at the size of its connection pool; retry transient \
                 errors in the application",
    },
    Remark {
        sign: "rate_limited",
        evidence: evidence::rate_limited,
        unless: &[],
        is_of_speed: false,
        cause: "a policy refuses the load, not a lack of power",
        remedy: "exempt blast from the limit, or ask for a rate below it",
    },
    Remark {
        sign: "client_errors",
        evidence: evidence::client_errors,
        unless: &[],
        is_of_speed: false,
        cause: "the server refuses what is asked of it",
        remedy: "check URL, method, headers and body by a single request",
    },
    Remark {
        sign: "unexpected_answers",
        evidence: evidence::unexpected,
        unless: &[],
        is_of_speed: false,
        cause: "the answers are not those that the run was told to expect",
        remedy: "look at one of them: an error page with a good status, or an expectation that is \
                 wrong",
    },
    Remark {
        sign: "pool_full",
        evidence: |document| evidence::warned(document, "pool_full"),
        unless: &[],
        is_of_speed: true,
        cause: "requests wait for a connection of the pool",
        remedy: "shorten what holds a connection (slow queries, calls within a transaction), or \
                 enlarge the pool",
    },
    Remark {
        sign: "one_core_full",
        evidence: |document| evidence::warned(document, "one_core_full"),
        unless: &[],
        is_of_speed: true,
        cause: "one process does all the work, and the other cores have none",
        remedy: "run more worker processes (4, 8, 16, 32) behind an application server that is \
                 made for production",
    },
    Remark {
        sign: "timeouts",
        evidence: evidence::timeouts,
        unless: &[],
        is_of_speed: true,
        cause: "the server does not keep up, or some of its answers hang",
        remedy: "look for slow queries and for calls without a time limit of their own; set \
                 time-outs, and retry transient errors in the application",
    },
    Remark {
        sign: "connections",
        evidence: evidence::too_few_connections,
        unless: &[],
        is_of_speed: true,
        cause: "blast had too few connections for this rate at these response times",
        remedy: "raise --connections, or answer sooner",
    },
    Remark {
        sign: "idle_server",
        evidence: evidence::idle_server,
        unless: &["pool_full", "one_core_full"],
        is_of_speed: true,
        cause: "the server waits more than it works: for a database, a lock or a worker (SQLite \
                writes one at a time)",
        remedy: "run more worker processes (4, 8, 16, 32), make handlers asynchronous, pool \
                 connections to the database",
    },
    Remark {
        sign: "server",
        evidence: evidence::server_is_full,
        unless: &["pool_full", "one_core_full", "idle_server", "server_errors", "timeouts"],
        is_of_speed: true,
        cause: "the server does no more than that",
        remedy: "profile it; then more worker processes (4, 8, 16, 32), or more instances behind a \
                 load balancer",
    },
    Remark {
        sign: "memory_grows",
        evidence: |document| evidence::warned(document, "memory_grows"),
        unless: &[],
        is_of_speed: false,
        cause: "a leak: connections that are not closed, tasks that are not cleaned up, data that \
                piles up",
        remedy: "run it for 30 minutes at this load; if it still grows, take two heap profiles and \
                 compare them",
    },
    Remark {
        sign: "latency_drifts",
        evidence: |document| evidence::warned(document, "latency_drifts"),
        unless: &[],
        is_of_speed: true,
        cause: "at a constant load something grows: a leak, a table or a queue that piles up",
        remedy: "watch the server's memory (--watch) and the size of its data in a longer run",
    },
    Remark {
        sign: "latency_grows_with_load",
        evidence: |document| evidence::warned(document, "latency_grows_with_load"),
        unless: &[],
        is_of_speed: true,
        cause: "a bottleneck in the code or in the database",
        remedy: "look for missing indexes, queries in loops and handlers that block; cache and \
                 batch",
    },
    Remark {
        sign: "saw_tooth",
        evidence: |document| evidence::warned(document, "saw_tooth"),
        unless: &[],
        is_of_speed: true,
        cause: "something stops the server at a fixed period: a garbage collector, a checkpoint, a \
                timer",
        remedy: "compare the period with the log of the collector and with scheduled work",
    },
    Remark {
        sign: "retransmits",
        evidence: |document| evidence::warned(document, "retransmits"),
        unless: &[],
        is_of_speed: true,
        cause: "packets are lost on the way",
        remedy: "look at the errors of the interfaces and at the switches between the two hosts",
    },
    Remark {
        sign: "bimodal",
        evidence: |document| evidence::warned(document, "bimodal"),
        unless: &[],
        is_of_speed: true,
        cause: "two ways lead to an answer: a cache that is hit or missed, two kinds of requests, \
                two instances",
        remedy: "measure the two apart; look at the cache's hit rate (--sample)",
    },
    Remark {
        sign: "p95_far_from_median",
        evidence: |document| evidence::warned(document, "p95_far_from_median"),
        unless: &["saw_tooth", "bimodal", "connections", "server"],
        is_of_speed: true,
        cause: "pauses or contention: some requests wait for what others hold",
        remedy: "look for locks, for a garbage collector and for a pool that is short at times",
    },
    Remark {
        sign: "slow",
        evidence: evidence::slow,
        unless: &["pool_full", "one_core_full", "idle_server", "server", "connections"],
        is_of_speed: true,
        cause: "each answer takes long, whatever the load",
        remedy: "look for missing indexes, queries in loops and handlers that block; cache and \
                 batch",
    },
    Remark {
        sign: "host_memory",
        evidence: evidence::host_memory,
        unless: &[],
        is_of_speed: false,
        cause: "this host is short of memory",
        remedy: "run fewer worker processes, or give it more memory, before it swaps",
    },
    Remark {
        sign: "reset_idle",
        evidence: |document| evidence::warned(document, "reset_idle"),
        // A server that is gone has closed them all.
        unless: &["connect_refused"],
        is_of_speed: false,
        cause: "the server ends connections that rest, and each has to be opened again",
        remedy: "raise its keep-alive time and its requests per connection",
    },
    Remark {
        sign: "generator",
        evidence: evidence::generator,
        unless: &[],
        is_of_speed: false,
        cause: "blast or this host was the limit, so nothing is known of the server",
        remedy: "run blast on a host of its own, with more cores or more --bind addresses; see \
                 `blast doctor`",
    },
    Remark {
        sign: "too_short",
        evidence: |document| evidence::warned(document, "too_short"),
        unless: &[],
        is_of_speed: true,
        cause: "so few requests say little of the rare ones",
        remedy: "run longer",
    },
];
