//! The verdict on a stream of bytes does not depend on how it is split over reads: tried over a
//! corpus of good and bad streams, in all splits in two, byte by byte, in random pieces, and over
//! random damage to the corpus.
//!
//! Whole heads are read by httparse and split ones by `scan`, so this also holds the two grammars
//! together: where they differ on one byte, a whole stream and a split one get other verdicts.

use super::{End, HeadPool, Look, MAX_HEAD, Progress, Reader};

/// What a stream came to: where each response ended, and how the stream did.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    responses: Vec<(usize, Progress)>,
    /// `None`: the stream was broken before its end.
    end: Option<End>,
}

/// One stream, delivered in pieces that end at `cuts`, then FIN.
fn deliver(stream: &[u8], cuts: &[usize], head: bool) -> Verdict {
    let (mut reader, mut pool) = (Reader::default(), HeadPool::new(1));
    let mut responses = vec![];
    let mut start = 0;
    for &end in cuts.iter().chain([&stream.len()]) {
        while start < end {
            let (used, progress) = reader.read(&stream[start..end], head, &mut pool);
            assert!(used <= end - start);
            start += used;
            match progress {
                Progress::Partial => assert_eq!(start, end, "Partial uses all input"),
                Progress::Complete(_) => responses.push((start, progress)),
                Progress::Broken(_) => {
                    responses.push((0, progress));
                    assert!(pool.is_whole() && reader.is_idle());
                    return Verdict { responses, end: None };
                }
            }
        }
    }
    let end = reader.fin(&mut pool);
    assert!(pool.is_whole() && reader.is_idle());
    Verdict { responses, end: Some(end) }
}

/// Good and bad streams; each is tried as the answer to GET and to HEAD.
fn corpus() -> Vec<Vec<u8>> {
    let mut corpus: Vec<Vec<u8>> = GOOD.iter().chain(BAD).map(|s| s.to_vec()).collect();
    corpus.extend(GOOD.windows(3).map(|three| three.concat()));
    corpus.extend(BAD.iter().map(|bad| [GOOD[0], GOOD[4], bad].concat()));
    for n in [64, 65] {
        corpus.push([&b"HTTP/1.1 100 C\r\n\r\n".repeat(n)[..], GOOD[0]].concat());
    }
    for n in [255, 256, 257] {
        corpus.push([b"HTTP/1.1 204 N\r\n", &b"A:b\r\n".repeat(n)[..], b"\r\n"].concat());
        corpus.push([b"HTTP/1.1 204 N\r\n", &b"A:b\r\n c\r\n".repeat(n)[..], b"no end"].concat());
        corpus.push([CHUNKED, b"0\r\n", &b"A:b\r\n".repeat(n)[..], b"\r\n"].concat());
    }
    corpus
}

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const GOOD: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 2\n\nhi",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b c\"\r\nhello\r\n0a \r\n0123456789\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\nA: b\r\n c\r\nD:\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    b"HTTP/1.1   200\r\nContent-Length: 1,\r\n\t1\r\nContent-Length:1\r\nX :\r\n\r\n1",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\nLink: <a>\n\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 000 \xff\r\nA:\r\n \r\n\t\r\nB: \xe9 \t\r\nContent-Length: 1\r\nConnection: a, Close\r\n\r\nx",
    b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nto the end\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nto the end",
];

const BAD: &[&[u8]] = &[
    b"\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"SSH-2.0-OpenSSH\r\n",
    b"HTTP/1.2 200 OK\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\nxyz",
    b"HTTP/1.1 200 O\rK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
    b"HTTP/1.1 200 OK\r\nContent-Le",
];

/// What a reader shows of a stream, each response apart.
struct Seen(Vec<Shown>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shown {
    heads: Vec<Vec<u8>>,
    body: Vec<u8>,
}

impl Seen {
    fn last(&mut self) -> &mut Shown {
        self.0.last_mut().expect("there is always one under way")
    }
}

impl Look for Seen {
    fn head(&mut self, head: &[u8]) {
        let shown = self.last();
        assert_eq!(shown.body, b"", "the head comes before the body");
        shown.heads.push(head.to_vec());
    }

    fn body(&mut self, piece: &[u8]) {
        self.last().body.extend_from_slice(piece);
    }
}

/// All that is shown of a stream in pieces that end at `cuts`.
fn shown(stream: &[u8], cuts: &[usize], head: bool) -> Vec<Shown> {
    let (mut reader, mut pool) = (Reader::default(), HeadPool::new(1));
    let mut seen = Seen(vec![Shown::default()]);
    let mut start = 0;
    for &end in cuts.iter().chain([&stream.len()]) {
        while start < end {
            let piece = &stream[start..end];
            let (used, progress) = reader.read_shown(piece, head, &mut pool, &mut seen);
            start += used;
            match progress {
                Progress::Partial => {}
                Progress::Complete(response) => {
                    let last = seen.last();
                    assert_eq!(last.body.len() as u64, response.body_bytes);
                    assert_eq!(last.heads.len(), 1, "one head, of the final response");
                    seen.0.push(Shown::default());
                }
                Progress::Broken(_) => {
                    // How much of its body came depends on how much was read at once.
                    seen.last().body.clear();
                    return seen.0;
                }
            }
        }
    }
    seen.0
}

#[test]
fn heads_and_bodies_are_shown_whole_and_without_framing_in_any_pieces() {
    let seen = shown(&GOOD.concat()[..], &[], false);
    let bodies: [&[u8]; 9] = [b"hello", b"", b"", b"hi", b"hello0123456789", b"", b"x", b"1", b""];
    for (at, (shown, body)) in seen.iter().zip(bodies).enumerate() {
        assert_eq!(shown.body, body);
        let from = GOOD[at].windows(9).rposition(|start| start.starts_with(b"HTTP/1.")).unwrap();
        assert!(shown.heads.len() == 1 && GOOD[at][from..].starts_with(&shown.heads[0]));
        let ends_empty = shown.heads[0].ends_with(b"\r\n\r\n") || shown.heads[0].ends_with(b"\n\n");
        assert!(ends_empty, "{}", shown.heads[0].escape_ascii());
    }
    let mut random = Random(seed());
    for stream in corpus() {
        for head in [false, true] {
            let whole = shown(&stream, &[], head);
            let each: Vec<usize> = (1..stream.len()).collect();
            assert_eq!(shown(&stream, &each, head), whole, "{}", stream.escape_ascii());
            for _ in 0..20 {
                let cuts = random.cuts(stream.len());
                assert_eq!(shown(&stream, &cuts, head), whole, "{}", stream.escape_ascii());
            }
        }
    }
}

#[test]
fn every_split_in_two_gives_the_same_verdict() {
    for stream in corpus() {
        for head in [false, true] {
            let whole = deliver(&stream, &[], head);
            // The long ones are long by repetition: look closely at their ends.
            let first = stream.len().saturating_sub(800);
            for cut in first..stream.len() {
                let split = deliver(&stream, &[cut], head);
                assert_eq!(split, whole, "at {cut}, HEAD {head}: {}", stream.escape_ascii());
            }
        }
    }
}

#[test]
fn byte_by_byte_gives_the_same_verdict() {
    for stream in corpus() {
        for head in [false, true] {
            let each: Vec<usize> = (1..stream.len()).collect();
            let (whole, split) = (deliver(&stream, &[], head), deliver(&stream, &each, head));
            assert_eq!(split, whole, "HEAD {head}: {}", stream.escape_ascii());
        }
    }
}

#[test]
fn damaged_streams_get_the_same_verdict_in_any_pieces() {
    let corpus = corpus();
    let seed = seed();
    let mut random = Random(seed);
    for round in 0..40_000 {
        let mut stream = corpus[random.below(corpus.len())].clone();
        stream.truncate(600);
        for _ in 0..random.below(4) {
            damage(&mut stream, &mut random);
        }
        let head = random.below(8) == 0;
        let whole = deliver(&stream, &[], head);
        let each: Vec<usize> = (1..stream.len()).collect();
        for cuts in [each, random.cuts(stream.len())] {
            let split = deliver(&stream, &cuts, head);
            let shown = stream.escape_ascii();
            assert_eq!(split, whole, "seed {seed}, round {round}, cuts {cuts:?}: {shown}");
        }
    }
}

#[test]
fn every_byte_means_the_same_to_both_grammars_wherever_it_stands() {
    let head =
        b"HTTP/1.1 200 OK\r\nAb: cdefghijklmnopqrstuvwxyz0123456789\r\nC : d\r\n e\r\nF:\r\n\r\n";
    for at in 0..head.len() {
        for byte in 0..=255 {
            let mut stream = head.to_vec();
            stream[at] = byte;
            let each: Vec<usize> = (1..stream.len()).collect();
            let (whole, split) = (deliver(&stream, &[], true), deliver(&stream, &each, true));
            assert_eq!(split, whole, "{}", stream.escape_ascii());
        }
    }
}

#[test]
fn heads_at_the_limit_get_the_same_verdict_in_any_pieces() {
    let random_cuts = |n| Random(seed()).cuts(n);
    for len in [MAX_HEAD - 1, MAX_HEAD, MAX_HEAD + 1, MAX_HEAD + 5000] {
        for fault in [&b""[..], b"\0"] {
            let start = [b"HTTP/1.1 204 N\r\nA: ", fault].concat();
            let filler = b"b".repeat(len - start.len() - 4);
            let stream = [&start, &filler, &b"\r\n\r\n"[..], GOOD[0]].concat();
            let whole = deliver(&stream, &[], false);
            let each: Vec<usize> = (1..stream.len()).collect();
            for cuts in [each, vec![MAX_HEAD], vec![MAX_HEAD - 1], random_cuts(stream.len())] {
                assert_eq!(deliver(&stream, &cuts, false), whole, "length {len}");
            }
        }
    }
}

/// xorshift64* (Vigna, 2016).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 32) as usize) % n.max(1)
    }

    /// Up to eight cuts, in order, of a stream of `len` bytes.
    fn cuts(&mut self, len: usize) -> Vec<usize> {
        let mut cuts: Vec<usize> = (0..1 + self.below(8)).map(|_| self.below(len)).collect();
        cuts.sort_unstable();
        cuts
    }
}

/// New bytes at each run; `BLAST_SEED` repeats one.
fn seed() -> u64 {
    let given = std::env::var("BLAST_SEED").ok().and_then(|s| s.parse().ok());
    given.unwrap_or_else(|| {
        let since = std::time::UNIX_EPOCH.elapsed().expect("a clock after 1970");
        since.as_nanos() as u64 | 1
    })
}

/// Replaces, removes, inserts or doubles, mostly with the bytes that grammars turn on.
fn damage(stream: &mut Vec<u8>, random: &mut Random) {
    const TELLING: &[u8] = b"\r\n\r\n \t:;,\0\x7f\xff0159afxHT/";
    if stream.is_empty() {
        return;
    }
    let at = random.below(stream.len());
    let byte = match random.below(4) {
        0 => random.next() as u8,
        _ => TELLING[random.below(TELLING.len())],
    };
    match random.below(5) {
        0 | 1 => stream[at] = byte,
        2 => drop(stream.remove(at)),
        3 => stream.insert(at, byte),
        _ => {
            let end = (at + random.below(20)).min(stream.len());
            let copy = stream[at..end].to_vec();
            stream.splice(at..at, copy);
        }
    }
}
