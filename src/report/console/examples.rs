//! The first failures of each kind (`--verbose`): when, where, and what was seen of them.

use super::super::Document;
use super::super::document::Example;
use super::text::{LABEL, Sheet, Tone};

pub fn examples(sheet: &mut Sheet, document: &Document) {
    for example in &document.failure_examples {
        sheet.labelled("example", Tone::Bad, &what(example));
        sheet.indented(LABEL, Tone::Plain, &whence(example));
        if let (Some(flaw), Some(text)) = (&example.flaw, &example.flaw_text) {
            sheet.indented(LABEL, Tone::Plain, &format!("{flaw}: {text}"));
        }
        if let Some(received) = &example.received {
            sheet.indented(LABEL, Tone::Plain, &format!("received {received}"));
        }
    }
}

/// `1.203 s: receive_reset (target): Connection reset by peer (errno 104)`.
pub fn what(example: &Example) -> String {
    let Example { at_s, kind, side, .. } = example;
    let mut text = format!("{at_s:.3} s: {kind} ({side})");
    if let (Some(errno), Some(meaning)) = (example.errno, &example.errno_text) {
        text += &format!(": {meaning} (errno {errno})");
    }
    text
}

/// `connection 17, port 40312, used before; in the body of the answer, status 200`.
pub fn whence(example: &Example) -> String {
    let mut text = format!("connection {}", example.connection);
    if let Some(port) = example.local_port {
        text += &format!(", port {port}");
    }
    if example.reused {
        text += ", used before";
    }
    text += match example.stage.as_str() {
        "connect" => "; while it was opened",
        "handshake" => "; in the TLS handshake",
        "send" => "; while the request was still being sent",
        "wait" => "; before any byte of the answer",
        "head" => "; in the head of the answer",
        _ => "; in the body of the answer",
    };
    if let Some(status) = example.status {
        text += &format!(", status {status}");
    }
    text
}
