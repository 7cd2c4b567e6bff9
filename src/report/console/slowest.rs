//! The slowest requests (`--verbose`): what became of them and where their time went.

use super::super::Document;
use super::super::document::Slow;
use super::super::number::{cell, seconds};
use super::text::{LABEL, Sheet, Tone};

/// More stand in the document and in the HTML report.
const SHOWN: usize = 5;

pub fn slowest(sheet: &mut Sheet, document: &Document) {
    for (place, slow) in document.slowest.iter().take(SHOWN).enumerate() {
        let label = if place == 0 { "slowest" } else { "" };
        sheet.labelled(label, Tone::Plain, &what(slow));
        sheet.indented(LABEL, Tone::Plain, &whence(slow));
        for (word, text) in [("id", &slow.request_id), ("received", &slow.received)] {
            if let Some(text) = text {
                sheet.indented(LABEL, Tone::Plain, &format!("{word} {text}"));
            }
        }
    }
}

/// `10.0s: good, status 200; due at 8.700 s, sent 41us later, first byte 9.99s, done 10.0s`.
fn what(slow: &Slow) -> String {
    let mut text = format!("{}: ", cell(slow.response_us));
    text += &outcome(slow);
    if let Some(name) = &slow.name {
        text += &format!(", {name}");
    }
    let later = |at: f64| cell((at - slow.intended_s) * 1e6);
    text += &format!("; due at {:.3} s, sent after {}", slow.intended_s, later(slow.sent_s));
    if let Some(first) = slow.first_byte_s {
        text += &format!(", first byte after {}", later(first));
    }
    text
}

/// `rejected (status_5xx), status 503`.
pub fn outcome(slow: &Slow) -> String {
    let mut text = slow.outcome.clone();
    if let Some(kind) = &slow.kind {
        text += &format!(" ({kind})");
    }
    if let Some(status) = slow.status {
        text += &format!(", status {status}");
    }
    text
}

/// `connection 17, port 40312, open for 1.9s, 61 requests before; rtt 210us, 2 retransmits`.
fn whence(slow: &Slow) -> String {
    let mut text = format!("connection {}", slow.connection);
    if let Some(port) = slow.local_port {
        text += &format!(", port {port}");
    }
    text += &format!(
        ", open for {}, {} before",
        seconds(slow.connection_age_s),
        plural(slow.requests_before, "request")
    );
    if let (Some(rtt), Some(retransmits)) = (slow.rtt_us, slow.retransmits) {
        let again = plural(retransmits.into(), "retransmit");
        text += &format!("; rtt {}, {again}", cell(rtt));
    }
    text
}

fn plural(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
