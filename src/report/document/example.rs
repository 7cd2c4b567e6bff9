//! Examples: the first failures of each kind, as they were, without the secrets in them.

use std::io;

use serde::{Deserialize, Serialize};

use crate::error::reason;
use crate::metrics;
use crate::plan::mask::{MASK, sounds_secret};

/// One of the first failures of its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// From the start of warm-up.
    pub at_s: f64,
    pub kind: String,
    pub side: String,
    /// How far it had got: connect, handshake, send, wait (for the first byte), head or body.
    pub stage: String,
    pub connection: u64,
    /// Null where it is not known.
    pub local_port: Option<u16>,
    /// The connection had carried an answer before.
    pub reused: bool,
    /// What was wrong with its TLS. Missing in documents of earlier builds.
    #[serde(default)]
    pub flaw: Option<String>,
    #[serde(default)]
    pub flaw_text: Option<String>,
    pub errno: Option<i32>,
    pub errno_text: Option<String>,
    /// Of the answer that was cut short.
    pub status: Option<u16>,
    /// The first bytes that came, escaped; null when none did, or none are known.
    pub received: Option<String>,
}

impl Example {
    pub(super) fn new(example: &metrics::Example) -> Example {
        let received = example.evidence.received.bytes();
        Example {
            at_s: example.at.as_secs_f64(),
            kind: example.kind.name().to_string(),
            side: example.kind.side().name().to_string(),
            stage: example.evidence.reached.name().to_string(),
            connection: example.connection,
            local_port: example.local_port,
            reused: example.reused,
            flaw: example.evidence.flaw.map(|flaw| flaw.name().to_string()),
            flaw_text: example.evidence.flaw.map(|flaw| flaw.text().to_string()),
            errno: example.errno,
            errno_text: example.errno.map(errno_text),
            status: example.evidence.status,
            received: (!received.is_empty()).then(|| shown(received)),
        }
    }
}

fn errno_text(errno: i32) -> String {
    reason(&io::Error::from_raw_os_error(errno))
}

/// The bytes escaped, and line by line without what may be secret: what follows a name that sounds
/// so, and the userinfo of an address.
pub(super) fn shown(received: &[u8]) -> String {
    let mut text = String::new();
    let mut hidden = false;
    for line in received.split_inclusive(|byte| *byte == b'\n') {
        let end = line.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
        let (line, ending) = line.split_at(end);
        // A field goes on where the next line begins with a blank (obs-fold).
        let goes_on = hidden && line.first().is_some_and(|byte| b" \t".contains(byte));
        let shown = if goes_on { 0 } else { public(line) };
        hidden = shown < line.len();
        text += &line[..shown].escape_ascii().to_string();
        text += if hidden { MASK } else { "" };
        text += &ending.escape_ascii().to_string();
    }
    text
}

/// How many bytes of a line nobody need hide.
pub(super) fn public(line: &[u8]) -> usize {
    let separators = (0..line.len()).filter(|at| b":=".contains(&line[*at]));
    let named = |at: &usize| is_secret(&String::from_utf8_lossy(&line[..*at]));
    let value = separators.clone().find(named).map(|at| at + 1);
    let userinfo = separators.map(|at| at + 3).find(|at| {
        line.get(at - 3..*at) == Some(b"://") && {
            let authority = line[*at..].split(|byte| b"/ ".contains(byte)).next();
            let authority = authority.unwrap_or_default();
            // Where the line ends within it, the `@` may be what is missing.
            authority.contains(&b'@') || at + authority.len() == line.len()
        }
    });
    value.unwrap_or(line.len()).min(userinfo.unwrap_or(line.len()))
}

/// Whether the last word of this may name a secret; with what stands before it, in doubt.
fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    sounds_secret(&lower) || ["authorization", "cookie"].iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn received_bytes_are_escaped() {
        assert_eq!(shown(b"\x15\x03\x01\0\x02\x02("), r"\x15\x03\x01\x00\x02\x02(");
        assert_eq!(shown(b"SSH-2.0-x\r\n"), r"SSH-2.0-x\r\n");
        assert_eq!(shown("\u{e9}\"\\".as_bytes()), r#"\xc3\xa9\"\\"#);
    }

    #[test]
    fn no_secret_is_shown_however_it_is_cut() {
        for (received, expected) in [
            ("X\r\nSet-Cookie: id=planted; Path=/\r\nA: b", r"X\r\nSet-Cookie:***\r\nA: b"),
            ("Cookie:planted", "Cookie:***"),
            ("authorization: Basic planted\n", r"authorization:***\n"),
            ("X-Api-Key: planted\r\n  planted\r\nA: b", r"X-Api-Key:***\r\n***\r\nA: b"),
            ("{\"token\":\"planted\",\"a\":1}", r#"{\"token\":***"#),
            ("a=1&password=planted", "a=1&password=***"),
            ("Location: /x?secret=planted&b=1\r\n", r"Location: /x?secret=***\r\n"),
            ("Location: http://u:planted@h/\r\n", r"Location: http://***\r\n"),
            ("Location: http://host/path\r\n", r"Location: http://host/path\r\n"),
        ] {
            assert_eq!(shown(received.as_bytes()), expected);
            for cut in 0..received.len() {
                let shown = shown(&received.as_bytes()[..cut]);
                assert!(!shown.contains("pla"), "{shown}");
            }
        }
    }

    #[test]
    fn an_errno_has_a_text_without_its_number() {
        assert_eq!(errno_text(libc::ECONNRESET), "Connection reset by peer");
    }
}
