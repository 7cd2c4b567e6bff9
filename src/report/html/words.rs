//! Every term in plain words.

use maud::{Markup, html};

use crate::report::Document;

const WORDS: [(&str, &str); 19] = [
    (
        "open loop",
        "Requests are due by a clock, whatever the server does, as users arrive. A server \
        that is too slow gets a backlog, and the backlog is in the response times.",
    ),
    (
        "closed loop",
        "Each connection sends its next request when the last was answered. A slow \
        server is asked less, so its latency looks better than a user would find it.",
    ),
    (
        "response time",
        "From when a request was due until its answer was complete: what a user \
        waits. It has the waiting before the send in it.",
    ),
    (
        "service time",
        "From when a request was sent until its answer was complete: what the server \
        and the network took.",
    ),
    (
        "send lag",
        "From when a request was due until it was sent: blast's own lateness, or no \
        connection was free because the server still worked on all of them.",
    ),
    (
        "p50, p99, p99.9",
        "Quantiles. Of all requests 50 %, 99 %, 99.9 % took this long or less: p99 \
        is the time that the slowest one in a hundred reaches.",
    ),
    (
        "≥",
        "That or more. A request without a good answer ranks above every good one, so that an \
        error cannot make a quantile look better; how slow it would have been is not known.",
    ),
    (
        "good",
        "Answered in full and as expected: status 200 to 399, unless the run asks for \
        something else.",
    ),
    ("rejected", "Answered in full, but not as expected: an error status, or a check that failed."),
    ("failed", "Not answered in full: a timeout, a reset, an answer that is no HTTP."),
    (
        "abandoned",
        "Sent, and still without an answer when the wait after the run, the drain, ended.",
    ),
    ("dropped", "Due, and never sent."),
    ("offered, due, schedule", "What the run asked for, whether or not it could be sent."),
    ("on schedule", "Sent within 10 ms of when it was due."),
    (
        "success, errors",
        "Good requests over all that were due, and the others over the same (closed \
        loop: connections that could not be opened count as errors too).",
    ),
    (
        "warm-up, drain",
        "Load before the measured time, and the wait for open requests after it. \
        Only the measured time is in the headline.",
    ),
    ("in flight", "Sent, and not yet answered."),
    (
        "busy",
        "The share of a worker's time in which it neither waited nor spun until the next \
        request was due.",
    ),
    (
        "verdict",
        "Who was the limit: the server, the network, too few connections, this host, or \
        nobody, where the rate was held.",
    ),
];

pub fn explained(document: &Document) -> Markup {
    html! {
        section {
            h2 { "The words" }
            dl.words { @for (word, meaning) in WORDS { dt { (word) } dd { (meaning) } } }
        }
        footer { "blast " (document.blast_version) " · " (document.schema) }
    }
}
