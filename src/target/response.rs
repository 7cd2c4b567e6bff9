//! Answers as bytes, made once and sent many times.
//!
//! A [`Response`] never changes after it was built, so that the kernel may read it at any moment of
//! a send. A large body is not held: it is one shared block, sent again and again.

use std::rc::Rc;

/// The body of the default answer: with its head exactly 130 bytes, the size of answer the figures
/// in the design were measured with.
const GREETING: &[u8] = b"blast target is here; it answers as it is told to\n";

/// A body up to this long follows its head in one piece, sent by one operation.
const INLINE: u64 = 64 * 1024;
/// A body beyond it is this block, repeated.
const BLOCK: usize = 256 * 1024;
/// Small answers stand several times in a row, so that pipelined requests are answered with one
/// send and no copy.
const ROW: usize = 16 * 1024;
/// What bodies are made of.
const FILL: u8 = b'x';

/// What the line and the fields of an answer depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub status: u16,
    /// Body bytes; `None` is the default answer's.
    pub size: Option<u64>,
    /// Body bytes in a chunk.
    pub chunk: Option<u64>,
    /// Answers HEAD: the head alone.
    pub head: bool,
    /// Answers HTTP/1.0: never chunked, and a connection that stays says so.
    pub old: bool,
    /// The connection ends after it.
    pub last: bool,
}

#[derive(Debug)]
pub(super) struct Response {
    pub status: u16,
    /// The head and, of a small answer, the body; as many times as [`Response::row`] says.
    front: Box<[u8]>,
    /// The length of one of them.
    unit: usize,
    /// The rest of a large body.
    tail: Vec<Run>,
}

/// `unit` bytes, `count` times; `bytes` holds the unit once or several times in a row.
#[derive(Debug)]
struct Run {
    bytes: Rc<[u8]>,
    unit: u64,
    count: u64,
}

impl Response {
    pub fn build(shape: Shape, blocks: &Blocks) -> Response {
        let size = shape.size.unwrap_or(GREETING.len() as u64);
        let mut front = head(shape, size);
        let mut tail = Vec::new();
        let chunk = shape.chunk.filter(|_| !shape.old).map(|chunk| chunk.clamp(1, MAX_CHUNK));
        match chunk {
            _ if shape.head || is_bodiless(shape.status) => {}
            Some(chunk) => chunked(shape, size, chunk, &mut front, &mut tail),
            None if shape.size.is_none() => front.extend_from_slice(GREETING),
            None => {
                let inline = size.min(INLINE);
                front.resize(front.len() + inline as usize, FILL);
                if size > inline {
                    let bytes = Rc::clone(&blocks.fill);
                    tail.push(Run { bytes, unit: 1, count: size - inline });
                }
            }
        }
        let unit = front.len();
        let row = if tail.is_empty() { (ROW / unit).max(1) } else { 1 };
        let status = shape.status;
        Response { status, front: front.repeat(row).into_boxed_slice(), unit, tail }
    }

    /// The interim answer to `Expect: 100-continue`.
    pub fn go_on() -> Response {
        Response::made(100, b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())
    }

    /// Bytes that were put together elsewhere.
    pub fn made(status: u16, bytes: Vec<u8>) -> Response {
        Response { status, unit: bytes.len(), front: bytes.into_boxed_slice(), tail: Vec::new() }
    }

    /// The bytes of one answer.
    pub fn length(&self) -> u64 {
        let tail: u64 = self.tail.iter().map(|run| run.unit * run.count).sum();
        self.unit as u64 + tail
    }

    /// How many of it stand in a row, ready to be sent at once.
    pub fn row(&self) -> usize {
        self.front.len().checked_div(self.unit).unwrap_or(1)
    }

    /// The whole answer when it is in one piece.
    pub fn whole(&self) -> Option<&[u8]> {
        self.tail.is_empty().then(|| &self.front[..self.unit])
    }

    /// The longest piece in memory that begins at `offset` and ends no later than `end`. Beyond one
    /// length, of an answer in one piece, begins the next of its row.
    pub fn piece(&self, offset: u64, end: u64) -> &[u8] {
        let front = if self.tail.is_empty() { self.front.len() } else { self.unit } as u64;
        if offset < front {
            return &self.front[offset as usize..end.min(front) as usize];
        }
        let mut before = offset - front;
        for run in &self.tail {
            let length = run.unit * run.count;
            if before < length {
                let start = (before % run.unit) as usize;
                let room = (run.bytes.len() - start) as u64;
                return &run.bytes[start..start + room.min(length - before) as usize];
            }
            before -= length;
        }
        &[]
    }
}

/// What the large bodies of one server thread share.
pub(super) struct Blocks {
    fill: Rc<[u8]>,
}

impl Blocks {
    pub fn new() -> Blocks {
        Blocks { fill: vec![FILL; BLOCK].into() }
    }
}

/// Longer chunks are cut to this, since a chunk is held in memory.
pub(super) const MAX_CHUNK: u64 = 1024 * 1024;

/// RFC 9110, 6.4.1: no body, whatever the fields say.
fn is_bodiless(status: u16) -> bool {
    matches!(status, 204 | 304)
}

fn head(shape: Shape, size: u64) -> Vec<u8> {
    let mut head =
        format!("HTTP/1.1 {} {}\r\nServer: blast\r\n", shape.status, reason(shape.status));
    if !is_bodiless(shape.status) {
        head += "Content-Type: text/plain\r\n";
        head += &match shape.chunk {
            Some(_) if !shape.old => "Transfer-Encoding: chunked\r\n".to_owned(),
            _ => format!("Content-Length: {size}\r\n"),
        };
    }
    head += match (shape.last, shape.old) {
        (true, _) => "Connection: close\r\n",
        (false, true) => "Connection: keep-alive\r\n",
        (false, false) => "",
    };
    head += "\r\n";
    head.into_bytes()
}

/// Chunk after chunk, each `size CRLF data CRLF`, the last one shorter, then the empty one.
fn chunked(shape: Shape, size: u64, chunk: u64, front: &mut Vec<u8>, tail: &mut Vec<Run>) {
    let body = |from: u64, length: u64| match shape.size {
        None => GREETING[from as usize..(from + length) as usize].to_vec(),
        Some(_) => vec![FILL; length as usize],
    };
    let frame = |from: u64, length: u64| {
        let mut bytes = format!("{length:x}\r\n").into_bytes();
        bytes.extend(body(from, length));
        bytes.extend_from_slice(b"\r\n");
        bytes
    };
    let (full, rest) = (size / chunk, size % chunk);
    let mut end = if rest > 0 { frame(full * chunk, rest) } else { Vec::new() };
    end.extend_from_slice(b"0\r\n\r\n");
    if size <= INLINE {
        (0..full).for_each(|index| front.extend(frame(index * chunk, chunk)));
        front.extend(end);
        return;
    }
    let unit = frame(0, chunk);
    let row = (BLOCK / unit.len()).max(1);
    let (length, bytes) = (unit.len() as u64, unit.repeat(row).into());
    tail.push(Run { bytes, unit: length, count: full });
    tail.push(Run { unit: end.len() as u64, bytes: end.into(), count: 1 });
}

pub(super) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(shape: Shape) -> Vec<u8> {
        let response = Response::build(shape, &Blocks::new());
        let (mut all, end) = (Vec::new(), response.length());
        while (all.len() as u64) < end {
            all.extend_from_slice(response.piece(all.len() as u64, end));
        }
        all
    }

    fn text(shape: Shape) -> String {
        String::from_utf8(bytes(shape)).unwrap()
    }

    const PLAIN: Shape =
        Shape { status: 200, size: None, chunk: None, head: false, old: false, last: false };

    #[test]
    fn the_default_answer_is_130_bytes() {
        assert_eq!(bytes(PLAIN).len(), 130);
        assert!(text(PLAIN).contains("\r\nContent-Length: 50\r\n"));
        assert!(
            text(PLAIN).ends_with("\r\n\r\nblast target is here; it answers as it is told to\n")
        );
    }

    #[test]
    fn a_head_answer_is_the_same_head_alone() {
        let whole = text(Shape { size: Some(7), ..PLAIN });
        let head = text(Shape { size: Some(7), head: true, ..PLAIN });
        assert_eq!(format!("{head}xxxxxxx"), whole);
    }

    #[test]
    fn a_large_body_comes_in_pieces_and_in_full() {
        for size in [INLINE - 1, INLINE, INLINE + 1, 3 * BLOCK as u64 + 5] {
            let all = bytes(Shape { size: Some(size), ..PLAIN });
            let head = text(Shape { size: Some(size), head: true, ..PLAIN }).len();
            assert_eq!(all.len(), head + size as usize);
            assert!(all[head..].iter().all(|byte| *byte == FILL));
        }
    }

    #[test]
    fn chunks_add_up_to_the_size() {
        for (size, chunk) in
            [(0, 1), (10, 3), (9, 3), (1, 100), (INLINE + 7, 1000), (600_000, 300_000)]
        {
            let all = bytes(Shape { size: Some(size), chunk: Some(chunk), ..PLAIN });
            let start = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
            assert_eq!(dechunk(&all[start..]), size, "{size} by {chunk}");
        }
        assert!(
            text(Shape { chunk: Some(20), ..PLAIN }).ends_with("a\r\ns told to\n\r\n0\r\n\r\n")
        );
    }

    fn dechunk(mut rest: &[u8]) -> u64 {
        let mut total = 0;
        loop {
            let end = rest.iter().position(|byte| *byte == b'\r').unwrap();
            let size =
                usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            let data = end + 2;
            assert_eq!(&rest[data + size..data + size + 2], b"\r\n");
            rest = &rest[data + size + 2..];
            total += size as u64;
            if size == 0 {
                assert!(rest.is_empty());
                return total;
            }
        }
    }

    #[test]
    fn what_has_no_body_has_no_length() {
        let text = text(Shape { status: 204, size: Some(10), ..PLAIN });
        assert!(text.ends_with("\r\n\r\n") && !text.contains("Content-Length"), "{text}");
    }

    #[test]
    fn http_1_0_gets_a_length_and_is_told_that_the_connection_stays() {
        let text = text(Shape { chunk: Some(4), old: true, ..PLAIN });
        assert!(text.contains("Content-Length: 50\r\nConnection: keep-alive\r\n"), "{text}");
    }

    #[test]
    fn a_row_repeats_the_answer() {
        let response = Response::build(PLAIN, &Blocks::new());
        assert_eq!(response.row(), ROW / 130);
        let row = response.piece(0, 3 * response.length());
        assert_eq!(row.len(), 390);
        assert!(row.chunks(130).all(|answer| Some(answer) == response.whole()));
    }
}
