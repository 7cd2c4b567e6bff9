//! The slowest requests, as they were, without the secrets in them.

use serde::{Deserialize, Serialize};

use super::example::shown;
use crate::metrics::{self, Summary};
use crate::plan::Plan;
use crate::plan::mask::mask_query;
use crate::time::Nanos;

/// One slow request. Its instants are from the start of warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    /// From `intended_s` to `done_s`: what they are ranked by.
    pub response_us: f64,
    /// Of the scenario; null without one.
    pub name: Option<String>,
    /// Of `--request-id`; null without it.
    pub request_id: Option<String>,
    /// `warmup`, `measure` or `drain`: what it was due in.
    pub phase: String,
    /// When it was due; in closed loop when it was sent.
    pub intended_s: f64,
    pub sent_s: f64,
    /// Null: no byte of an answer came.
    pub first_byte_s: Option<f64>,
    pub done_s: f64,
    /// `good`, `rejected`, `failed` or `abandoned`.
    pub outcome: String,
    /// Of a rejection or a failure.
    pub kind: Option<String>,
    pub status: Option<u16>,
    pub connection: u64,
    /// How long that had been open when the request was sent.
    pub connection_age_s: f64,
    /// Requests that were sent on it before.
    pub requests_before: u64,
    /// This and the next three are null where the kernel was not asked: a hundred times a second
    /// it is.
    pub local_port: Option<u16>,
    /// The kernel's estimate of the round-trip time, and its deviation, when the request ended.
    pub rtt_us: Option<f64>,
    pub rttvar_us: Option<f64>,
    /// Segments sent again over the connection's life.
    pub retransmits: Option<u32>,
    /// The first bytes of the answer, escaped; null where none came, or none were at hand.
    pub received: Option<String>,
}

impl Slow {
    /// The slowest of the run.
    pub(super) fn all(plan: &Plan, summary: &Summary) -> Vec<Slow> {
        summary.slowest.iter().map(|slow| Slow::new(slow, plan, summary)).collect()
    }

    /// The slowest of each interval.
    pub(super) fn by_interval(plan: &Plan, summary: &Summary) -> Vec<Slow> {
        summary.slowest_by_interval.iter().map(|slow| Slow::new(slow, plan, summary)).collect()
    }

    fn new(slow: &metrics::Slow, plan: &Plan, summary: &Summary) -> Slow {
        let row = summary.names.get(usize::from(slow.entry));
        let request_id = plan.scenario.as_ref().and_then(|scenario| scenario.request_id.as_ref());
        let tcp = slow.found.tcp;
        let micros = |time: fn(&metrics::Tcp) -> Nanos| tcp.map(|tcp| time(&tcp).as_micros_f64());
        let received = slow.received.bytes();
        Slow {
            response_us: slow.response().as_micros_f64(),
            name: row.map(|row| mask_query(&row.name)),
            request_id: request_id.map(|id| id.text(slow.number)),
            phase: slow.phase.name().to_string(),
            intended_s: slow.intended.as_secs_f64(),
            sent_s: slow.sent.as_secs_f64(),
            first_byte_s: slow.first_byte.map(Nanos::as_secs_f64),
            done_s: slow.done.as_secs_f64(),
            outcome: slow.fate.name().to_string(),
            kind: slow.fate.kind().map(str::to_string),
            status: slow.status,
            connection: slow.connection,
            connection_age_s: slow.age.as_secs_f64(),
            requests_before: slow.before.into(),
            local_port: slow.found.local_port,
            rtt_us: micros(|tcp| tcp.rtt),
            rttvar_us: micros(|tcp| tcp.rtt_var),
            retransmits: tcp.map(|tcp| tcp.retransmits),
            received: (!received.is_empty()).then(|| shown(received)),
        }
    }
}
