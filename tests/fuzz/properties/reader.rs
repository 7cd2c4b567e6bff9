//! The verdict on a stream does not depend on how its bytes are split over reads, and no stream
//! makes the reader take more memory than one head may have.

use blast::http::{End, HeadPool, Progress, Reader};

/// What a stream came to: where each response ended, and how the stream did.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    responses: Vec<(usize, Progress)>,
    /// `None`: the stream was broken before its end.
    end: Option<End>,
}

/// The first byte says whether the request was HEAD and how many further ones are lengths of
/// pieces; then the stream.
pub fn check(data: &[u8]) {
    let Some((&plan, rest)) = data.split_first() else { return };
    let head = plan & 0x80 != 0;
    let (lengths, stream) = rest.split_at(usize::from(plan & 0x0f).min(rest.len()));
    let whole = read([stream].into_iter(), head);
    judge(&whole, stream);
    assert_eq!(read(stream.chunks(1), head), whole, "byte by byte, HEAD {head}");
    assert_eq!(read(pieces(lengths, stream), head), whole, "in {lengths:?}, HEAD {head}");
}

/// In pieces of these lengths, over and over; without any, in two halves.
fn pieces<'a>(lengths: &'a [u8], stream: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = stream;
    let mut turn = 0;
    std::iter::from_fn(move || {
        let length = match lengths {
            [] => stream.len() / 2 + 1,
            lengths => usize::from(lengths[turn % lengths.len()]).max(1),
        };
        turn += 1;
        let (piece, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Reads on until the bytes are no answer, then FIN.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>, head: bool) -> Verdict {
    let (mut reader, mut pool) = (Reader::default(), HeadPool::new(1));
    let mut responses = vec![];
    let mut before = 0;
    for piece in pieces {
        let mut start = 0;
        while start < piece.len() {
            let (used, progress) = reader.read(&piece[start..], head, &mut pool);
            assert!(used <= piece.len() - start, "more used than given");
            start += used;
            match progress {
                Progress::Partial => assert_eq!(start, piece.len(), "Partial uses all input"),
                Progress::Complete(_) => responses.push((before + start, progress)),
                Progress::Broken(_) => {
                    responses.push((0, progress));
                    is_clean(&mut reader, &mut pool);
                    return Verdict { responses, end: None };
                }
            }
        }
        before += piece.len();
    }
    let end = reader.fin(&mut pool);
    is_clean(&mut reader, &mut pool);
    Verdict { responses, end: Some(end) }
}

/// The one buffer has grown to no more than a head may have (2 to 64 KB, doubling), and is back:
/// the next split head needs no other.
fn is_clean(reader: &mut Reader, pool: &mut HeadPool) {
    assert!(reader.is_idle(), "it waits for something");
    let grown = pool.grown();
    assert!(grown <= 5, "grown {grown} times");
    assert_eq!(reader.read(b"HTTP/1.1 2", false, pool), (10, Progress::Partial));
    reader.reset(pool);
    assert_eq!(pool.grown(), grown, "a buffer was kept");
}

/// What holds for any verdict.
fn judge(verdict: &Verdict, stream: &[u8]) {
    let mut start = 0;
    for (end, progress) in &verdict.responses {
        let Progress::Complete(response) = progress else { continue };
        assert!(start < *end && *end <= stream.len(), "from {start} to {end}");
        assert!(response.status <= 999 && !matches!(response.status, 100..=199));
        assert!(response.body_bytes <= (end - start) as u64, "a body longer than its response");
        let head = &stream[start..*end];
        assert!(head.starts_with(b"HTTP/1.0") || head.starts_with(b"HTTP/1.1"));
        start = *end;
    }
    if let Some(End::Complete(response)) = verdict.end {
        assert!(response.body_bytes < (stream.len() - start) as u64);
        assert!(!response.keep_alive, "its end was the connection's");
    }
    if verdict.end == Some(End::Idle) {
        assert_eq!(start, stream.len(), "bytes that belong to nothing");
    }
}

pub const SEEDS: &[&[u8]] = &[
    b"\x00HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 5\r\n\r\nhello",
    b"\x83\x01\x05\x11HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 N\r\n\r\n",
    b"\x01\x03HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    b"\x02\x02\x1fHTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 2\n\nhi",
    b"\x01\x10HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b c\"\r\nhello\r\n0a \r\n\
      0123456789\r\n0\r\n\r\n",
    b"\x01\x07HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\nA: b\r\n c\r\nD:\r\n\r\n",
    b"\x00HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    b"\x01\x0dHTTP/1.1   200\r\nContent-Length: 1,\r\n\t1\r\nContent-Length:1\r\nX :\r\n\r\n1",
    b"\x00HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 H\nLink: <a>\n\nHTTP/1.1 200 OK\r\nContent-Length: \
      0\r\n\r\n",
    b"\x00HTTP/1.1 000 \xff\r\nA:\r\n \r\n\t\r\nB: \xe9 \t\r\nConnection: a, Close\r\n\r\nx",
    b"\x01\x40HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nto the end\r\n\r\nHTTP/1.1 200 OK\r\n",
    b"\x00HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nto the end",
    b"\x00HTTP/1.1 101 Switching Protocols\r\n\r\nxyz",
    b"\x00HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nx",
    b"\x00HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
];

pub const WORDS: &[&str] = &[
    "\r\n",
    "\r\n\r\n",
    "\n\n",
    "\r",
    "\n",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "\0",
    "\t:",
    " :",
    "0\r\n\r\n",
    "1\r\nx\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 ",
    "HTTP/1.1 ",
    "HTTP/2",
    "100",
    "101",
    "204",
    "304",
    "999",
    "Content-Length: ",
    "Content-Length : ",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: ",
    "chunked",
    "gzip",
    "identity",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "A: b\r\n",
    "18446744073709551616",
    "ffffffffffffffff",
    "0x1",
    "-1",
    "+1",
    ";a=b",
    "\r\n fold",
    "\u{e9}",
];
