//! What to change, by the limit and by what the evidence says of it.

use super::super::named::SESSIONS;
use super::super::{Limit, Limit::*, Mode, Rejection, Summary};
use super::{FULL, network, own, served_as_before};
use crate::units::format_exact;

/// A server that uses less than this of one core (percent) mostly waits.
const IDLE: f64 = 50.0;

pub fn of(limit: Limit, summary: &Summary) -> String {
    let text = match limit {
        None => nothing(summary),
        Server => server(summary),
        ClientCpu if own::paused(summary) > 0.0 => {
            "do not stop blast, and give it an idle core that nobody else takes"
        }
        ClientCpu => "give blast more cores or an idle host, or ask for less",
        Connections => return connections(summary),
        Ports => {
            "keep connections alive, add source addresses with --bind, or widen \
             net.ipv4.ip_local_port_range"
        }
        Descriptors => {
            "raise the limit of descriptors with `ulimit -n`, or use fewer --connections"
        }
        Network => network::change(summary),
    };
    text.to_string()
}

fn nothing(summary: &Summary) -> &'static str {
    match summary.mode {
        _ if summary.measured.0 == 0 => "let it run until measure has begun",
        Mode::Closed if summary.measured < own::TELLING => {
            "send more requests, or let it run longer, to find the limit"
        }
        Mode::Open => "nothing for this rate; raise --rps to find the limit",
        Mode::Closed => "nothing for this many users; take more of them to find the limit",
    }
}

/// One with more connections than Little's law asks for at this service time: twice, as arrivals
/// and answers are not even.
fn connections(summary: &Summary) -> String {
    let needed = served_as_before(summary).filter(|_| summary.model != Some(SESSIONS));
    match needed.zip(summary.target_per_s) {
        Some((service, target)) => {
            let needed = (service.as_secs_f64() * target * 2.0).ceil() as u64;
            format!("raise --connections to {}", format_exact(needed))
        }
        Option::None => "raise --connections, if the server has room".to_string(),
    }
}

fn server(summary: &Summary) -> &'static str {
    let mean = |name| summary.gauge(name).map(|course| course.mean);
    let limited = summary.measure.counters.rejections[Rejection::Status429 as usize];
    if limited * 2 > summary.measure.counters.errors() {
        return "the server limits the rate on purpose: stay below its limit, or have it raised";
    }
    match (mean("server.core_max"), mean("host.cpu"), mean("server.cpu")) {
        (_, Some(host), Some(_)) if host >= FULL => {
            "all processors of this host are in use: give the server more cores, and blast a host \
             of its own"
        }
        (Some(thread), ..) if thread >= FULL => {
            "one thread of the server fills a core: run more worker processes or threads"
        }
        (.., Some(server)) if server < IDLE => {
            "the server has processor time to spare: look at its locks, its database, its limit of \
             workers or connections"
        }
        _ => "look at the server: its processors, its workers, what they wait for, its log",
    }
}
