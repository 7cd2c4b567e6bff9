//! `[load]` of a plan file: the long flags of the command line, with `_` for `-`. They become
//! words in front of those that were typed, so that a value is read and judged in one place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::Word;

/// How much, and how it is carried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadSheet {
    /// Other name of `connections`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Word>,
    /// Open at once: 64, or a tenth of the rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<Word>,
    /// Requests due per second: "50k", or "1k:50k" for a ramp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rps: Option<Word>,
    /// Length of the run, such as "30s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Word>,
    /// Other name of `duration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_time: Option<Word>,
    /// Requests to send; with a duration, whichever ends first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Word>,
    /// Worker threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<Word>,
    /// Load before the run that is reported apart, or "auto".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup: Option<Word>,
    /// How long open requests are waited for after the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<Word>,
    /// To each rate in its time: [["30s", "1k"], ["1m", "10k"]].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Word>,
    /// Each rate held for a time: "1k..10k/1k@10s".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Word>,
    /// "uniform", "poisson" or "burst:N".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<Word>,
    /// Of what is random; the same number is the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Word>,
    /// To each number of connections in its time: [["5m", 100], ["2m", 0]].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections_stages: Option<Word>,
    /// Other name of `connections_stages`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_stages: Option<Word>,
    /// Connections that begin per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spawn_rate: Option<Word>,
    /// Without a rate: no more than this is sent per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Word>,
    /// What is still unsent this long after it was due is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Word>,
    /// What becomes due while so many are in flight is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<Word>,
    /// Limit from sending to the last byte of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Word>,
    /// The header that an id is sent in, another for each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Word>,
    /// The answers' header that the report tells groups apart by: "header:X-Served-By".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<Word>,
    /// Limit for opening a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<Word>,
    /// Requests in flight on each connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<Word>,
    /// A connection is closed after so many answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_connection: Option<Word>,
    /// Connections opened per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_rate: Option<Word>,
    /// Local addresses to connect from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind: Option<Word>,
    /// Connect through this socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unix_socket: Option<Word>,
    /// What a name stands for: "HOST:PORT:ADDR".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve: Option<Word>,
    /// Other host, same request: "HOST1:PORT1:HOST2:PORT2".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_to: Option<Word>,
    /// The name is looked up again this often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_refresh: Option<Word>,
    /// Trust these roots (PEM), relative to the plan file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cacert: Option<Word>,
    /// The client's certificate (PEM), relative to the plan file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<Word>,
    /// The key of `cert` (PEM), relative to the plan file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Word>,
    /// Name to ask for, or "off".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sni: Option<Word>,
    /// Protocols to offer, or "none".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<Word>,
    /// Oldest version of TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_min: Option<Word>,
    /// Newest version of TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_max: Option<Word>,
    /// Cipher suites by preference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ciphers: Option<Word>,
    /// "on" or "off".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_resumption: Option<Word>,
    /// "auto", "on" or "off".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ktls: Option<Word>,
    /// "ring", "tokio-uring" or "epoll".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Word>,
    /// "hybrid", "spin" or "block".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Word>,
    /// Cores of the workers, or "off".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Word>,
    /// A new connection for each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_keepalive: Option<bool>,
    /// Only IPv4 addresses of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<bool>,
    /// Only IPv6 addresses of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<bool>,
    /// Any certificate of the server is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insecure: Option<bool>,
}

impl LoadSheet {
    pub fn is_empty(&self) -> bool {
        *self == LoadSheet::default()
    }
}
