//! What was lost on the way: connections without a route, packets sent again, a full network card.

use super::super::{Mode, Summary, counters};
use super::{Finding, HELD, percent};
use crate::failure::{Kind, Side};
use crate::metrics::Limit::Network;

/// Of all segments sent, so many sent again hold up one request in a hundred by the 200 ms or more
/// that Linux waits for an answer to the last one of a connection (TCP_RTO_MIN).
const LOSSY: f64 = 0.01;

/// Fewer of them are an accident.
const FEW: f64 = 10.0;

/// A network card is full at this share of its speed: headers and gaps take the rest.
const FULL: f64 = 93.0;

/// Bytes of a full segment on Ethernet.
const SEGMENT: f64 = 1_448.0;

/// Asked only where something went wrong, or where nothing but answers sets the pace.
pub fn limit(summary: &Summary) -> Option<Finding> {
    let why = lost(summary).or_else(|| lossy(summary)).or_else(|| full(summary))?;
    Some((Network, why))
}

/// What to do about whichever of them it was.
pub fn change(summary: &Summary) -> &'static str {
    match (lost(summary), lossy(summary)) {
        (Some(_), _) => "look at routes, links and firewalls between this host and the target",
        (None, Some(_)) => "look for loss on the way: a link, a switch or a buffer that is full",
        (None, None) => "use a faster network, several hosts, or smaller answers",
    }
}

/// Most of what went wrong went wrong on the network: requests that it lost, and those that were
/// never sent or answered as no connection could be opened on it.
fn lost(summary: &Summary) -> Option<String> {
    let counters = &summary.measure.counters;
    let attempts = of_network(counters::kinds(&summary.connections.failures));
    let cut_off = attempts * 2 > summary.connections.failed();
    let stranded =
        counters.dropped + counters.abandoned + counters.failures[Kind::Timeout as usize];
    let lost = of_network(counters.failures()) + if cut_off { stranded } else { 0 };
    // In a closed loop a connect that fails stands for the requests that it kept from being sent.
    let (unsent, of) = match summary.mode {
        Mode::Open => (0, 0),
        Mode::Closed => (attempts, summary.connections.failed()),
    };
    if summary.success_share() >= HELD || (lost + unsent) * 2 <= counters.errors() + of {
        return None;
    }
    let attempts = match attempts {
        0 => String::new(),
        some => format!(", and {some} connects failed on it"),
    };
    Some(format!("{lost} requests were lost by the network{attempts}"))
}

fn of_network(failures: impl Iterator<Item = (Kind, u64)>) -> u64 {
    failures.filter(|(kind, _)| kind.side() == Side::Network).map(|(_, count)| count).sum()
}

fn lossy(summary: &Summary) -> Option<String> {
    let share = retransmit_share(summary).filter(|share| *share >= LOSSY)?;
    let again = summary.gauge("host.retransmits")?.mean * summary.measured.as_secs_f64();
    if again < FEW {
        return None;
    }
    Some(format!("{} of the segments had to be sent again", percent(share)))
}

fn full(summary: &Summary) -> Option<String> {
    let used = summary.gauge("host.net_use").filter(|course| course.mean >= FULL)?;
    Some(format!("the network card of this host was used to {:.0} % of its speed", used.mean))
}

/// Segments that this host sent again in measure, of all that it sent. Where those were not counted,
/// of those that the load must have taken: one a request, or as many as its bytes fill. The host
/// does not tell whose they were, so what others sent here counts as well, above and below.
pub fn retransmit_share(summary: &Summary) -> Option<f64> {
    let again = summary.gauge("host.retransmits")?.mean;
    let events = &summary.measure_events;
    let bytes = (events.bytes_received + events.bytes_sent) as f64;
    let measured = summary.measured.as_secs_f64();
    let counted = summary.gauge("host.segments_sent").map_or(0.0, |course| course.mean * measured);
    let segments = (events.sent as f64).max(bytes / SEGMENT).max(counted);
    (segments > 0.0 && measured > 0.0).then(|| (again * measured / segments).min(1.0))
}
