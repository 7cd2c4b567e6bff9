//! What the load took on this host: connections, processor time, memory, the ring's counters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{failures_by_name, rounded};
use crate::metrics::{self, Summary};
use crate::time::Nanos;

/// The connections of the run, all phases. An attempt that failed is no request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connections {
    pub asked: u64,
    /// Opened, the first time or again.
    pub opened: u64,
    pub reopened: u64,
    pub open_peak: u64,
    /// From the start until each was open or had failed once.
    pub open_s: f64,
    /// Ended by the server while no request was on them.
    pub reset_idle: u64,
    /// Failed attempts by kind.
    pub failures: BTreeMap<String, u64>,
    /// Connects that found the listen queue of a Unix socket full, and were tried again.
    #[serde(default)]
    pub queue_full: u64,
    /// How many opened to each of the target's addresses.
    #[serde(default)]
    pub by_address: Vec<ByAddress>,
    /// Null: the name was not looked up again. This and the two before are missing in documents of
    /// earlier builds.
    #[serde(default)]
    pub dns: Option<Dns>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ByAddress {
    pub address: String,
    pub opened: u64,
}

/// How looking up the target's name again went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dns {
    pub refreshes: u64,
    /// Times that other addresses were found.
    pub changes: u64,
    pub failed: u64,
}

impl Connections {
    pub(super) fn new(summary: &Summary) -> Connections {
        let connections = &summary.connections;
        let pairs = summary.addresses.iter().zip(&summary.opened_at);
        let by_address = pairs
            .map(|(address, opened)| ByAddress { address: address.to_string(), opened: *opened });
        let dns = summary.refreshes.map(|found| Dns {
            refreshes: found.asked,
            changes: found.changes,
            failed: found.failed,
        });
        Connections {
            asked: connections.asked,
            opened: connections.opened,
            reopened: connections.reopened,
            open_peak: connections.open_peak,
            open_s: connections.open_time.as_secs_f64(),
            reset_idle: connections.reset_idle,
            failures: failures_by_name(&connections.failures),
            queue_full: connections.queue_full,
            by_address: by_address.collect(),
            dns,
        }
    }
}

/// What the load cost this host, in measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// Of the workers, user and system, spinning included.
    pub cpu_s: f64,
    /// The same over the completed requests; null when there were none.
    pub cpu_us_per_request: Option<f64>,
    pub max_rss_bytes: u64,
    /// Of blast's own memory, without the kernel's.
    pub memory_per_connection_bytes: u64,
    /// io_urings of all workers.
    pub rings: u64,
    /// System calls that submitted or waited.
    pub enters: u64,
    pub completions: u64,
    pub completions_per_enter: f64,
    pub buffers_exhausted: u64,
    pub cq_overflows: u64,
    pub wait: String,
    /// How late a blocking wait wakes on this host.
    pub overshoot_us: f64,
    /// When blast itself did not run although it had to; the longest ones, in order.
    pub pauses: Vec<Pause>,
    pub workers: Vec<Worker>,
}

impl Client {
    pub(super) fn new(summary: &Summary) -> Client {
        let client = &summary.client;
        let (enters, completions) = (client.enters(), client.completions());
        let per_enter = if enters == 0 { 0.0 } else { completions as f64 / enters as f64 };
        Client {
            cpu_s: client.cpu().as_secs_f64(),
            cpu_us_per_request: summary.cpu_us_per_request().map(|us| rounded(us, 3)),
            max_rss_bytes: client.max_rss_bytes,
            memory_per_connection_bytes: client.memory_per_connection(),
            rings: client.rings(),
            enters,
            completions,
            completions_per_enter: rounded(per_enter, 3),
            buffers_exhausted: client.buffers_exhausted(),
            cq_overflows: client.cq_overflows(),
            wait: client.wait.to_string(),
            overshoot_us: client.overshoot.as_micros_f64(),
            pauses: client.pauses.iter().map(Pause::new).collect(),
            workers: client.workers.iter().map(Worker::new).collect(),
        }
    }
}

/// A time at which blast did not run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pause {
    /// From the start of warm-up.
    pub at_s: f64,
    pub length_s: f64,
}

impl Pause {
    fn new(pause: &metrics::Pause) -> Pause {
        Pause { at_s: pause.at.as_secs_f64(), length_s: pause.length.as_secs_f64() }
    }
}

/// One worker's readings, in measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worker {
    /// The core it is pinned to.
    pub cpu: Option<u64>,
    pub connections: u64,
    /// The share of its time neither waiting nor spinning; time taken by others counts as busy.
    pub busy: f64,
    pub cpu_s: f64,
    pub spin_s: f64,
    /// Ready to run, but another thread had the core.
    pub starved_s: f64,
    pub wall_s: f64,
    pub enters: u64,
    pub completions: u64,
    pub buffers_exhausted: u64,
    pub cq_overflows: u64,
}

impl Worker {
    fn new(worker: &metrics::Worker) -> Worker {
        let seconds = Nanos::as_secs_f64;
        Worker {
            cpu: worker.core.map(|core| core as u64),
            connections: worker.connections,
            busy: rounded(worker.busy(), 6),
            cpu_s: seconds(worker.cpu_time),
            spin_s: seconds(worker.spin_time),
            starved_s: seconds(worker.starved_time),
            wall_s: seconds(worker.wall_time),
            enters: worker.enters,
            completions: worker.completions,
            buffers_exhausted: worker.buffers_exhausted,
            cq_overflows: worker.cq_overflows,
        }
    }
}
