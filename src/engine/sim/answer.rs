//! What a server answers: bytes, and what an honest client has to make of them. The client's
//! parser has no part in it: each answer is written down together with its meaning.

use super::dice::Dice;
use crate::failure::Kind;

/// Bytes of a server, and what becomes of the connection after them.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub bytes: Vec<u8>,
    /// In order. Places are counted from the start of `bytes`.
    pub marks: Vec<Mark>,
    pub then: Then,
}

/// What the bytes mean up to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub from: usize,
    pub to: usize,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A whole answer ends at `to`. `last`: nothing may follow it on this connection.
    Whole { status: u16, last: bool },
    /// The head of an answer ends at `to`, and a FIN completes it.
    ToFin { status: u16 },
    /// Between `from` and `to` a client must find that this is no answer.
    Broken(Kind),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    #[default]
    Stay,
    Fin,
    /// A reset, which the client's kernel reports in this way.
    Fail(i32),
    /// The server never says anything again.
    Silence,
}

/// An answer without a fault. `gentle`: 200, and the connection stays.
pub fn good(dice: &mut Dice, is_head: bool, gentle: bool) -> Answer {
    let mut bytes = Vec::new();
    if dice.percent(8) {
        let interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
        let times = dice.one(&[1, 2, 64]);
        bytes.extend(interim.repeat(times));
    }
    let status = if gentle { 200 } else { dice.one(&STATUSES) };
    let ends = !gentle && dice.percent(8);
    let version = if ends && dice.percent(30) { "1.0" } else { "1.1" };
    bytes.extend(format!("HTTP/{version} {status} Whatever\r\nServer: simulated\r\n").bytes());
    if dice.percent(2) {
        bytes.extend(b"X-Padding: ");
        bytes.extend(vec![b'p'; dice.within(1_000..=20_000) as usize]);
        bytes.extend(b"\r\n");
    }
    if ends && version == "1.1" {
        bytes.extend(b"Connection: close\r\n");
    }
    let bodyless = is_head || matches!(status, 204 | 304);
    let to_fin = ends && !bodyless && dice.percent(40);
    if to_fin {
        bytes.extend(b"\r\n");
    } else if version == "1.1" && dice.percent(25) {
        bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
        if !bodyless {
            chunks(dice, &mut bytes);
        }
    } else {
        let length = if dice.percent(10) { dice.below(12_000) } else { dice.below(40) };
        bytes.extend(format!("Content-Length: {length}\r\n\r\n").bytes());
        if !bodyless {
            bytes.extend(vec![b'b'; length as usize]);
        }
    }
    let to = bytes.len();
    let what = if to_fin { What::ToFin { status } } else { What::Whole { status, last: ends } };
    if to_fin {
        bytes.extend(vec![b'c'; dice.below(300) as usize]);
    }
    let then = if to_fin || ends && dice.percent(70) { Then::Fin } else { Then::Stay };
    Answer { bytes, marks: vec![Mark { from: 0, to, what }], then }
}

fn chunks(dice: &mut Dice, bytes: &mut Vec<u8>) {
    for _ in 0..dice.below(4) {
        let size = dice.within(1..=50) as usize;
        let extension = dice.one(&["", ";a=b", ";name=\"a value\""]);
        bytes.extend(format!("{size:x}{extension}\r\n").bytes());
        bytes.extend(vec![b'd'; size]);
        bytes.extend(b"\r\n");
    }
    bytes.extend_from_slice(dice.one(&[&b"0\r\n\r\n"[..], b"0\r\nTrailer: yes\r\n\r\n"]));
}

/// An answer with a fault of some kind.
pub fn bad(dice: &mut Dice, is_head: bool) -> Answer {
    match dice.below(10) {
        0..=4 => cut(dice, is_head),
        5 => garbage(dice),
        6 => Answer { then: Then::Silence, ..Answer::default() },
        7 => too_much(dice, is_head),
        8 => broken_body(dice, is_head),
        _ => Answer { then: end(dice), ..Answer::default() },
    }
}

/// A good one that stops somewhere: before a byte, in the head, in the body, after the last one.
fn cut(dice: &mut Dice, is_head: bool) -> Answer {
    let mut answer = good(dice, is_head, false);
    let length = answer.bytes.len() as u64;
    let at = if dice.percent(15) { length } else { dice.below(length) } as usize;
    answer.bytes.truncate(at);
    answer.marks.retain(|mark| mark.to <= at);
    answer.then = end(dice);
    answer
}

fn end(dice: &mut Dice) -> Then {
    match dice.below(5) {
        0 | 1 => Then::Fin,
        2 | 3 => Then::Fail(dice.errno()),
        _ => Then::Silence,
    }
}

/// What no HTTP server says.
fn garbage(dice: &mut Dice) -> Answer {
    let kind = Kind::Malformed;
    let bytes = match dice.below(9) {
        7 => b"HTTP/1.1 100 Continue\r\n\r\n".repeat(65),
        8 => {
            let endless = [b"HTTP/1.1 200 OK\r\nA: ", &[b'e'; 70_000][..]].concat();
            return broken(endless, Kind::HeadTooLarge, dice);
        }
        n => GARBAGE[n as usize].to_vec(),
    };
    broken(bytes, kind, dice)
}

fn broken(bytes: Vec<u8>, kind: Kind, dice: &mut Dice) -> Answer {
    let mark = Mark { from: 0, to: bytes.len(), what: What::Broken(kind) };
    let then = if dice.percent(50) { Then::Stay } else { end(dice) };
    Answer { bytes, marks: vec![mark], then }
}

/// A good one, and more than was asked for.
fn too_much(dice: &mut Dice, is_head: bool) -> Answer {
    let mut answer = good(dice, is_head, false);
    if answer.then != Then::Stay {
        return answer;
    }
    let more = if dice.percent(50) { good(dice, is_head, false) } else { garbage(dice) };
    let start = answer.bytes.len();
    answer.bytes.extend(more.bytes);
    let moved = |mark: &Mark| Mark { from: mark.from + start, to: mark.to + start, ..*mark };
    answer.marks.extend(more.marks.iter().map(moved));
    Answer { then: more.then, ..answer }
}

fn broken_body(dice: &mut Dice, is_head: bool) -> Answer {
    if is_head {
        return garbage(dice);
    }
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body: &[u8] =
        dice.one(&[b"3\r\nabcd\r\n", b"0x\r\n", b"fffffffffffffffff\r\n", b"-1\r\n", b"5\nhello"]);
    let mut answer = broken([head, body].concat(), Kind::Malformed, dice);
    answer.marks[0].from = head.len();
    answer
}

/// What a server says to a client that is idle for too long.
pub fn parting(dice: &mut Dice) -> Answer {
    match dice.below(4) {
        0 => Answer { then: Then::Fin, ..Answer::default() },
        1 => Answer { then: Then::Fail(dice.errno()), ..Answer::default() },
        2 => Answer { bytes: b"\0\0".to_vec(), ..broken(b"\0\0".to_vec(), Kind::Malformed, dice) },
        _ => {
            let bytes =
                b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            let what = What::Whole { status: 408, last: true };
            let mark = Mark { from: 0, to: bytes.len(), what };
            Answer { bytes: bytes.to_vec(), marks: vec![mark], then: Then::Fin }
        }
    }
}

const STATUSES: [u16; 16] =
    [200, 200, 200, 200, 200, 200, 201, 204, 301, 304, 404, 429, 500, 503, 777, 999];

const GARBAGE: [&[u8]; 7] = [
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    b"\x15\x03\x01\x00\x02\x02\x46",
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"PRI * HTTP/2.0\r\n\r\n",
    b"\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/2 200\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
];
