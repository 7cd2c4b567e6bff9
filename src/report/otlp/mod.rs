//! `--otlp URL`: the metrics of a run, sent to an OpenTelemetry collector as OTLP/HTTP in its JSON
//! encoding (OTLP specification 1.x, "Binary Protobuf / JSON Protobuf Encoding"; the shape is that
//! of `metrics.proto`). Plain http: a collector is near, and passes on what must go far.

mod push;

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use url::Url;

use super::exposition::{BOUNDS, Buckets, Family, Labels, Values};
use crate::error::{Error, Result};

pub use push::{Outcome, Pusher};

/// AGGREGATION_TEMPORALITY_CUMULATIVE: since the start.
const CUMULATIVE: u32 = 2;

/// Where the metrics are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// As in a URL: an IPv6 address in brackets.
    pub host: String,
    pub port: u16,
    /// With the query.
    pub path: String,
}

impl Endpoint {
    /// A URL without a path means the collector's own for metrics.
    pub fn parse(text: &str) -> Result<Endpoint> {
        let refuse = |why: &str| Err(Error::usage(why.to_string()));
        let Ok(url) = Url::parse(text) else {
            // It is not repeated: it may hold a password all the same.
            return refuse(
                "the value is no URL; write that of a collector, such as `http://localhost:4318`",
            );
        };
        let Some(host) = url.host_str().filter(|_| url.scheme() == "http") else {
            return refuse(
                "only http is spoken to a collector; write `http://HOST:4318`, and let a collector \
                 on this host pass it on",
            );
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "a collector is sent no credentials; drop them, and let a collector on this host \
                 add them",
            );
        }
        let path = if url.path() == "/" { "/v1/metrics" } else { url.path() };
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or(80);
        Ok(Endpoint { host: host.to_string(), port, path: format!("{path}{query}") })
    }
}

/// The body of one export: all families, from `start` until `now`.
pub fn export(families: &[Family], start: SystemTime, now: SystemTime) -> Value {
    let times = Times { start: nanos(start), now: nanos(now) };
    let metrics: Vec<Value> = families.iter().filter_map(|family| metric(family, &times)).collect();
    let about = families.iter().find_map(|family| match &family.values {
        Values::Info(labels) => Some(labels.clone()),
        _ => None,
    });
    let scope = json!({ "name": "blast", "version": env!("CARGO_PKG_VERSION") });
    json!({ "resourceMetrics": [{
        "resource": { "attributes": resource(about.unwrap_or_default()) },
        "scopeMetrics": [{ "scope": scope, "metrics": metrics }],
    }] })
}

/// 64-bit integers are text in protobuf's JSON.
struct Times {
    start: String,
    now: String,
}

fn nanos(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

/// What the run is stands with its source, as semantic conventions have it.
fn resource(about: Labels) -> Value {
    let named = |(name, value)| match name {
        "version" => ("service.version".to_string(), value),
        name => (format!("blast.{name}"), value),
    };
    let name = ("service.name".to_string(), "blast".to_string());
    let all = [name].into_iter().chain(about.into_iter().map(named));
    all.map(|(key, value)| attribute(&key, &value)).collect()
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn metric(family: &Family, times: &Times) -> Option<Value> {
    let name = match family.unit {
        Some(unit) => format!("{}_{unit}", family.name),
        None => family.name.to_string(),
    };
    // As UCUM writes them.
    let unit = if family.unit == Some("seconds") { "s" } else { "1" };
    let mut metric = json!({ "name": name, "description": family.help, "unit": unit });
    let (kind, data) = match &family.values {
        Values::Counter(values) => {
            let value = |value: &u64| ("asInt", json!(value.to_string()));
            (
                "sum",
                json!({
                    "aggregationTemporality": CUMULATIVE,
                    "isMonotonic": true,
                    "dataPoints": points(values, times, value),
                }),
            )
        }
        Values::Gauge(values) => {
            let value = |value: &f64| ("asDouble", json!(value));
            ("gauge", json!({ "dataPoints": points(values, times, value) }))
        }
        Values::Histogram(buckets) => (
            "histogram",
            json!({
                "aggregationTemporality": CUMULATIVE,
                "dataPoints": [distribution(buckets, times)],
            }),
        ),
        Values::Info(_) => return None,
    };
    metric[kind] = data;
    Some(metric)
}

fn points<T>(
    values: &[(Labels, T)],
    times: &Times,
    value: impl Fn(&T) -> (&'static str, Value),
) -> Vec<Value> {
    let point = |(labels, read): &(Labels, T)| {
        let attributes = labels.iter().map(|(name, value)| attribute(name, value));
        let mut point = json!({
            "attributes": attributes.collect::<Vec<_>>(),
            "startTimeUnixNano": times.start,
            "timeUnixNano": times.now,
        });
        let (field, value) = value(read);
        point[field] = value;
        point
    };
    values.iter().map(point).collect()
}

fn distribution(buckets: &Buckets, times: &Times) -> Value {
    let counts = buckets.classic().into_iter().map(|(_, count)| count.to_string());
    json!({
        "startTimeUnixNano": times.start,
        "timeUnixNano": times.now,
        "count": buckets.count().to_string(),
        "sum": buckets.sum_s(),
        "bucketCounts": counts.collect::<Vec<_>>(),
        "explicitBounds": BOUNDS.map(|bound| bound.as_secs_f64()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_path_it_is_the_one_that_collectors_have() {
        for (text, host, port, path) in [
            ("http://localhost:4318", "localhost", 4318, "/v1/metrics"),
            ("http://localhost:4318/", "localhost", 4318, "/v1/metrics"),
            ("http://localhost", "localhost", 80, "/v1/metrics"),
            ("http://10.0.0.1:8080/otlp", "10.0.0.1", 8080, "/otlp"),
            ("http://[::1]:9/a/b?c=d", "[::1]", 9, "/a/b?c=d"),
            ("http://h:9090/api/v1/otlp/v1/metrics", "h", 9090, "/api/v1/otlp/v1/metrics"),
        ] {
            let (host, path) = (host.to_string(), path.to_string());
            assert_eq!(Endpoint::parse(text), Ok(Endpoint { host, port, path }), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_sent_to_is_refused_and_no_secret_is_repeated() {
        for (text, expected) in [
            ("localhost", "is no URL"),
            ("https://h:4318", "only http is spoken"),
            ("localhost:4318", "only http is spoken"),
            ("http://me:s3cret@h", "no credentials"),
            ("//me:s3cret@h", "is no URL"),
        ] {
            let message = Endpoint::parse(text).unwrap_err().message;
            assert!(message.contains(expected) && !message.contains("s3cret"), "{message}");
        }
    }
}
