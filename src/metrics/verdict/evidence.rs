//! The figures that the verdict was weighed by: those that are known, whichever way they speak.

use super::super::{Histogram, Mode, Summary, Unit, Worker};
use super::{network, own, percent};
use crate::failure::Kind;
use crate::time::Nanos;
use crate::units::{format_count, format_duration, format_exact};

#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// An interface: it never changes.
    pub name: &'static str,
    pub value: f64,
    /// `share`, `us`, `percent` or `count`.
    pub unit: &'static str,
    /// The figure as a person reads it.
    pub text: String,
}

pub fn of(summary: &Summary) -> Vec<Evidence> {
    if summary.measured == Nanos::ZERO {
        return Vec::new();
    }
    let found = [
        busy(summary),
        late(summary),
        paused(summary),
        in_flight_share(summary),
        backlog(summary),
        failed(summary, Kind::PortsExhausted, "connects that found no free local port"),
        failed(summary, Kind::DescriptorsExhausted, "connects that found no free descriptor"),
        retransmits(summary),
        gauge(summary, "net_use", "host.net_use", "of the speed of this host's network card"),
        gauge(summary, "host_cpu", "host.cpu", "of this host's processors"),
        gauge(summary, "server_cpu", "server.cpu", "of one core by the server's processes"),
        gauge(summary, "server_core_max", "server.core_max", "of a core by its busiest thread"),
    ];
    found.into_iter().flatten().collect()
}

/// Requests on their way, on average over measure: by Little's law the sum of their times over its
/// length.
pub fn in_flight(summary: &Summary) -> f64 {
    let measure = &summary.measure;
    let rejected = match summary.mode {
        Mode::Open => &measure.rejected_service,
        Mode::Closed => &measure.rejected,
    };
    let total = |times: &Histogram| times.mean().as_secs_f64() * times.count() as f64;
    let times = total(&measure.service(summary.mode)) + total(rejected);
    let measured = summary.measured.as_secs_f64();
    if measured > 0.0 { times / measured } else { 0.0 }
}

fn busy(summary: &Summary) -> Option<Evidence> {
    let value = own::busiest(summary);
    let text = format!("{} of its core by blast's busiest worker", percent(value));
    (!summary.client.workers.is_empty()).then_some(share("worker_busy", value, text))
}

fn late(summary: &Summary) -> Option<Evidence> {
    let late = own::late_p99(summary)?;
    let text =
        format!("1 % of the requests {} or more late by blast's fault", format_duration(late));
    Some(Evidence { name: "late_p99", value: late.as_micros_f64(), unit: "us", text })
}

fn paused(summary: &Summary) -> Option<Evidence> {
    let value = own::paused(summary);
    let text = format!("{} of the time in which blast itself did not run", percent(value));
    (value > 0.0).then(|| share("paused", value, text))
}

fn in_flight_share(summary: &Summary) -> Option<Evidence> {
    let (waiting, all) = (in_flight(summary), summary.connections.asked);
    let text = format!(
        "{} requests on their way on average, over {} connections",
        format_count(waiting),
        format_exact(all)
    );
    (all > 0).then(|| share("in_flight", waiting / all as f64, text))
}

fn backlog(summary: &Summary) -> Option<Evidence> {
    let workers = summary.client.workers.iter();
    let value = workers.filter_map(own::backlog).reduce(f64::max)?;
    let per_look = |worker: &Worker| worker.completions as f64 / worker.enters.max(1) as f64;
    let most = summary.client.workers.iter().map(per_look).fold(0.0, f64::max);
    let text = format!("{} answers at a time when blast looked for them", format_count(most));
    Some(share("completion_backlog", value, text))
}

fn failed(summary: &Summary, kind: Kind, what: &str) -> Option<Evidence> {
    let times = own::failed(summary, kind);
    let text = format!("{} {what}", format_exact(times));
    (times > 0).then(|| Evidence { name: kind.name(), value: times as f64, unit: "count", text })
}

fn retransmits(summary: &Summary) -> Option<Evidence> {
    let value = network::retransmit_share(summary)?;
    Some(share("retransmits", value, format!("{} of the segments sent again", percent(value))))
}

fn gauge(summary: &Summary, name: &'static str, of: &str, what: &str) -> Option<Evidence> {
    let value = summary.gauge(of)?.mean;
    let text = format!("{value:.0} % {what}");
    Some(Evidence { name, value, unit: Unit::Percent.name(), text })
}

fn share(name: &'static str, value: f64, text: String) -> Evidence {
    Evidence { name, value, unit: "share", text }
}
