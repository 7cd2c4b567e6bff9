//! The plan as it was carried out, without its secrets: what the plan leaves open (threads,
//! addresses) is told as the run decided it.

use serde::{Deserialize, Serialize};

use super::example;
use super::mode_name;
use super::tls::TlsEcho;
use crate::metrics::Summary;
use crate::plan::mask::{MASK, is_secret_header};
use crate::plan::{Expected, Law, Offered, Pin, Plan, Threshold, Warmup};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanEcho {
    /// The plan file, as it was named. Missing where flags said it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Userinfo and secret query fields masked.
    pub url: String,
    pub method: String,
    pub headers: Vec<Header>,
    /// The header of `--request-id`; null without it. Missing in documents of earlier builds.
    #[serde(default)]
    pub request_id: Option<String>,
    /// What `--group-by` names; null without it. Missing in documents of earlier builds.
    #[serde(default)]
    pub group_by: Option<String>,
    pub body_bytes: u64,
    pub expect: Expect,
    pub connections: u64,
    pub threads: u64,
    /// Null: the allowed cores.
    pub threads_asked: Option<u64>,
    /// Null in closed loop; of a shape, the average over its length.
    pub rps: Option<f64>,
    /// Null: until `requests` are done.
    pub duration_s: Option<f64>,
    pub requests: Option<u64>,
    /// `uniform`, `poisson` or `burst`; null in closed loop.
    pub arrivals: Option<String>,
    /// Requests that arrive at once, of `burst`.
    pub burst: Option<u64>,
    /// Of all that is random: arrivals of `poisson`, and what a scenario chooses and draws.
    pub seed: Option<u64>,
    /// Unsent requests older than this were dropped.
    pub deadline_s: Option<f64>,
    /// Requests that became due while so many were in flight were dropped.
    pub max_in_flight: Option<u64>,
    /// Closed loop: no more than this was sent, however fast the answers came. Missing in documents
    /// of earlier builds.
    #[serde(default)]
    pub at_most_per_s: Option<f64>,
    pub warmup_s: f64,
    /// It lasted until the answers were steady.
    pub warmup_auto: bool,
    pub drain_s: f64,
    pub timeout_s: f64,
    pub connect_timeout_s: f64,
    pub pipeline: u32,
    pub keepalive: bool,
    pub requests_per_connection: Option<u64>,
    /// Connections a second.
    pub connect_rate: Option<f64>,
    pub engine: String,
    /// `open` or `closed`.
    pub mode: String,
    /// Whose requests they were: `mix`, `users` or `sessions`. Missing without a scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub wait: String,
    /// `auto`, `off` or the cores, separated by commas.
    pub pin: String,
    /// Local addresses.
    pub bind: Vec<String>,
    /// The target's that were connected to, used round robin.
    pub addresses: Vec<String>,
    /// Of `--unix-socket`. This and what follows up to `dns_refresh_s` is missing in documents of
    /// earlier builds.
    #[serde(default)]
    pub unix_socket: Option<String>,
    /// The rules of `--resolve` and of `--connect-to`, as they were typed.
    #[serde(default)]
    pub resolve: Vec<String>,
    #[serde(default)]
    pub connect_to: Vec<String>,
    /// `ipv4` or `ipv6` where only addresses of that family were taken.
    #[serde(default)]
    pub family: Option<String>,
    /// How often the name was to be looked up again.
    #[serde(default)]
    pub dns_refresh_s: Option<f64>,
    /// Null for http. Missing in documents of earlier builds.
    #[serde(default)]
    pub tls: Option<TlsEcho>,
    /// The rules of `--threshold` and of `--abort-on`, as they were typed.
    pub thresholds: Vec<String>,
    pub abort_on: Vec<String>,
}

/// What an answer had to be to count as good, as it was typed; null: nothing was asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expect {
    /// Null: 200 to 399.
    pub status: Option<String>,
    pub size: Option<String>,
    /// What may be secret in it is masked.
    pub body: Option<String>,
}

impl Expect {
    fn new(expected: &Expected) -> Expect {
        Expect {
            status: expected.statuses.as_ref().map(ToString::to_string),
            size: expected.size.as_ref().map(ToString::to_string),
            body: expected.body.as_ref().map(|pattern| public(&pattern.text)),
        }
    }
}

/// The text up to what may be secret.
fn public(text: &str) -> String {
    let shown = example::public(text.as_bytes());
    let mask = if shown < text.len() { MASK } else { "" };
    format!("{}{mask}", &text[..shown])
}

/// A field of the request; a secret value is `***`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub name: String,
    pub value: String,
}

impl PlanEcho {
    pub(super) fn new(plan: &Plan, summary: &Summary) -> PlanEcho {
        let law = plan.load.offered().map(Offered::law);
        let route = &plan.route;
        PlanEcho {
            file: plan.file.clone(),
            url: plan.url.shown.clone(),
            method: plan.request.method.clone(),
            headers: plan.request.headers.iter().map(|(n, v)| Header::new(n, v)).collect(),
            request_id: plan
                .scenario
                .as_ref()
                .and_then(|scenario| scenario.request_id.as_ref())
                .map(|id| id.header.clone()),
            group_by: plan.group_by.as_ref().map(ToString::to_string),
            body_bytes: plan.request.body.len() as u64,
            expect: Expect::new(&plan.expected),
            connections: plan.connections.into(),
            threads: summary.client.workers.len() as u64,
            threads_asked: plan.threads.map(|threads| threads as u64),
            rps: plan.load.per_s(),
            duration_s: plan.duration.map(|duration| duration.as_secs_f64()),
            requests: plan.requests,
            arrivals: law.map(|law| law_name(law).to_string()),
            burst: match law {
                Some(Law::Burst(size)) => Some(size),
                _ => None,
            },
            seed: match law {
                Some(Law::Poisson { seed }) => Some(seed),
                _ => plan.scenario.as_ref().map(|scenario| scenario.seed),
            },
            deadline_s: plan.deadline.map(|deadline| deadline.as_secs_f64()),
            max_in_flight: plan.max_in_flight,
            at_most_per_s: plan.at_most.map(|rate| rate.per_s()),
            warmup_auto: plan.warmup == Warmup::Auto,
            warmup_s: summary.warmup_length.as_secs_f64(),
            drain_s: plan.drain.as_secs_f64(),
            timeout_s: plan.timeout.as_secs_f64(),
            connect_timeout_s: plan.connect_timeout.as_secs_f64(),
            pipeline: plan.pipeline,
            keepalive: plan.keepalive,
            requests_per_connection: plan.requests_per_connection,
            connect_rate: plan.connect_rate.map(|rate| rate.per_s()),
            engine: summary.client.engine.to_string(),
            mode: mode_name(summary.mode).to_string(),
            model: summary.model.map(str::to_string),
            wait: plan.wait.name().to_string(),
            pin: pin(&plan.pin),
            bind: plan.bind.iter().map(ToString::to_string).collect(),
            addresses: summary.addresses.iter().map(ToString::to_string).collect(),
            unix_socket: route.unix_socket.as_ref().map(|name| name.as_str().to_string()),
            resolve: route.resolve.iter().map(|rule| rule.text.clone()).collect(),
            connect_to: route.connect_to.iter().map(|rule| rule.text.clone()).collect(),
            family: route.family.map(|family| family.names().1.to_ascii_lowercase()),
            dns_refresh_s: route.dns_refresh.map(|period| period.as_secs_f64()),
            tls: plan.tls.as_ref().map(TlsEcho::new),
            thresholds: plan.thresholds.iter().map(Threshold::shown).collect(),
            abort_on: plan.abort_on.iter().map(Threshold::shown).collect(),
        }
    }
}

fn law_name(law: Law) -> &'static str {
    match law {
        Law::Uniform => "uniform",
        Law::Poisson { .. } => "poisson",
        Law::Burst(_) => "burst",
    }
}

impl Header {
    fn new(name: &str, value: &str) -> Header {
        let value = if is_secret_header(name) { MASK } else { value };
        Header { name: name.to_string(), value: value.to_string() }
    }
}

fn pin(pin: &Pin) -> String {
    match pin {
        Pin::Auto => "auto".to_string(),
        Pin::Off => "off".to_string(),
        Pin::List(cores) => cores.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_header_shows_its_name_and_not_its_value() {
        for (name, secret) in [
            ("Authorization", true),
            ("proxy-authorization", true),
            ("COOKIE", true),
            ("Set-Cookie", true),
            ("X-Api-Key", true),
            ("x-csrf-TOKEN", true),
            ("Client-Secret-Id", true),
            ("Old-Password", true),
            ("Accept", false),
            ("User-Agent", false),
            ("Content-Type", false),
        ] {
            let header = Header::new(name, "s3cr3t");
            assert_eq!(header.value == MASK, secret, "{name}");
            assert_eq!(header.name, name);
        }
    }
}
