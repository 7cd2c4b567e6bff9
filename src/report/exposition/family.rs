//! The families of metrics: what each is called, what it counts, and its values of the moment.
//! Names follow Prometheus' conventions (seconds, bytes, what the counters count); they are an
//! interface and never change.

use super::buckets::Buckets;
use super::state::{PHASES, State};
use crate::failure::{Kind, Scope};
use crate::metrics::{Drop, Mode, Rejection};

/// Pairs of a name and a value.
pub type Labels = Vec<(&'static str, String)>;

#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Without the unit, and without what the format puts behind it (`_total`).
    pub name: &'static str,
    pub unit: Option<&'static str>,
    pub help: &'static str,
    pub values: Values,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// They only grow.
    Counter(Vec<(Labels, u64)>),
    Gauge(Vec<(Labels, f64)>),
    Histogram(Box<Buckets>),
    /// Says something, and counts nothing.
    Info(Labels),
}

/// All of them, of one moment. Every label that is known beforehand is there from the start, so
/// that the first failure is an increase.
pub fn all(state: &State) -> Vec<Family> {
    let events = &state.events;
    let counters = &state.counters;
    let is_open = state.about.mode == Mode::Open;
    let mut families = vec![
        info(state),
        gauge("blast_phase", "1 for the phase of the run, 0 for the others.", phases(state)),
        one("blast_requests_scheduled", "Requests that became due.", events.scheduled),
        one("blast_requests_sent", "Requests written to a connection.", events.sent),
        one("blast_requests_completed", "Requests answered in full.", events.completed),
        one("blast_requests_good", "Requests answered as expected.", events.good),
        counter(
            "blast_requests_rejected",
            "Requests answered in full, but not as expected.",
            Rejection::ALL
                .map(|kind| (labels(&[("kind", kind.name())]), counters.rejections[kind as usize])),
        ),
        counter(
            "blast_requests_failed",
            "Requests that were sent and ended in a failure.",
            failures(Scope::Request, &counters.failures),
        ),
        counter(
            "blast_requests_dropped",
            "Requests that were due and never sent.",
            Drop::ALL.map(|why| (labels(&[("reason", why.name())]), counters.drops[why as usize])),
        ),
        one(
            "blast_requests_abandoned",
            "Requests unanswered when the drain ended.",
            counters.abandoned,
        ),
        one(
            "blast_bytes_received",
            "Bytes of heads, bodies and framing received.",
            events.bytes_received,
        ),
        one("blast_bytes_sent", "Bytes of heads, bodies and framing sent.", events.bytes_sent),
        one(
            "blast_connections_opened",
            "Connections opened, the first time or again.",
            state.opened(),
        ),
        counter(
            "blast_connections_failed",
            "Attempts to connect that failed.",
            failures(Scope::Connection, &state.connect_failures()),
        ),
        number("blast_connections_open", "Connections that are open.", state.open() as f64),
        number("blast_in_flight", "Requests sent and not answered yet.", state.in_flight() as f64),
        histogram(
            "blast_response",
            "Response times of all that was due (closed loop: sent); what came to nothing good is \
             above every bound.",
            &state.response,
        ),
        histogram(
            "blast_service",
            "Times from sent to the answer, of the good, the timed out and the abandoned.",
            &state.service,
        ),
    ];
    let statuses = counters.statuses();
    let statuses: Vec<_> =
        statuses.map(|(status, count)| (vec![("status", status.to_string())], count)).collect();
    if !statuses.is_empty() {
        families.push(counter("blast_responses", "Complete answers by status.", statuses));
    }
    if is_open {
        let help = "Times from due to sent: blast's own share, or waiting for a connection.";
        families.push(histogram("blast_send_lag", help, &state.send_lag));
        let help = "What became due in the last second.";
        families.push(number("blast_offered_per_second", help, state.offered_per_s));
    }
    let gauges = gauges(state);
    if !gauges.is_empty() {
        let help = "What was read beside the load, in the unit of its label.";
        families.push(gauge("blast_reading", help, gauges));
    }
    families
}

fn info(state: &State) -> Family {
    let about = &state.about;
    let values = [("version", env!("CARGO_PKG_VERSION")), ("url", &about.url)];
    let mut values = labels(&values);
    values.extend(labels(&[("engine", about.engine)]));
    Family { name: "blast", unit: None, help: "What runs.", values: Values::Info(values) }
}

fn phases(state: &State) -> Vec<(Labels, f64)> {
    let value = |name: &str| if name == state.phase { 1.0 } else { 0.0 };
    PHASES.iter().map(|name| (labels(&[("phase", name)]), value(name))).collect()
}

fn failures(scope: Scope, counts: &[u64; Kind::COUNT]) -> Vec<(Labels, u64)> {
    let kinds = Kind::ALL.iter().filter(|kind| kind.scope() == scope);
    let one = |kind: &Kind| {
        let labels = labels(&[("kind", kind.name()), ("side", kind.side().name())]);
        (labels, counts[*kind as usize])
    };
    kinds.map(one).collect()
}

/// What could not be read has no value.
fn gauges(state: &State) -> Vec<(Labels, f64)> {
    let read = state.gauges.iter().filter_map(|(label, value)| Some((label, (*value)?)));
    let one = |(label, value): (&crate::metrics::Label, f64)| {
        (labels(&[("name", &label.name), ("unit", label.unit.name())]), value)
    };
    read.map(one).collect()
}

fn labels(pairs: &[(&'static str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| (*name, (*value).to_string())).collect()
}

fn one(name: &'static str, help: &'static str, value: u64) -> Family {
    counter(name, help, [(Labels::new(), value)])
}

fn counter(
    name: &'static str,
    help: &'static str,
    values: impl IntoIterator<Item = (Labels, u64)>,
) -> Family {
    let values = Values::Counter(values.into_iter().collect());
    Family { name, unit: None, help, values }
}

fn number(name: &'static str, help: &'static str, value: f64) -> Family {
    gauge(name, help, vec![(Labels::new(), value)])
}

fn gauge(name: &'static str, help: &'static str, values: Vec<(Labels, f64)>) -> Family {
    Family { name, unit: None, help, values: Values::Gauge(values) }
}

fn histogram(name: &'static str, help: &'static str, buckets: &Buckets) -> Family {
    let values = Values::Histogram(Box::new(buckets.clone()));
    Family { name, unit: Some("seconds"), help, values }
}
