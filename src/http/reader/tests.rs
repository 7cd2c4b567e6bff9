use super::*;

fn read(input: &[u8], head: bool) -> (usize, Progress) {
    let mut pool = HeadPool::new(0);
    let outcome = Reader::default().read(input, head, &mut pool);
    if outcome.1 != Progress::Partial {
        assert_eq!(pool.grown(), 0, "a whole response borrows nothing");
    }
    outcome
}

fn complete(status: u16, keep_alive: bool, body_bytes: u64) -> Progress {
    Progress::Complete(Response { status, keep_alive, body_bytes })
}

#[test]
fn a_reader_is_small() {
    assert!(size_of::<Reader>() <= 40, "{}", size_of::<Reader>());
}

#[test]
fn a_response_ends_where_its_framing_says() {
    let table: [(&[u8], Progress); 7] = [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", complete(200, true, 5)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", complete(200, true, 0)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", complete(204, true, 0)),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", complete(304, true, 0)),
        (b"HTTP/1.0 404 Not Found\nContent-Length: 1\n\nx", complete(404, false, 1)),
        (b"HTTP/1.1 777 Odd\r\nContent-Length: 1\r\n\r\nx", complete(777, true, 1)),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a\r\nabc\r\n0\r\nB: c\r\n\r\n",
            complete(200, true, 3),
        ),
    ];
    for (input, expected) in table {
        let found = read(&[input, b"the next"].concat(), false);
        assert_eq!(found, (input.len(), expected), "{}", input.escape_ascii());
    }
}

#[test]
fn body_that_is_skipped_counts_as_if_it_were_read() {
    let counted = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnine byte";
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        8\r\neight by\r\n3\r\nabc\r\n0\r\n\r\n";
    let to_fin = b"HTTP/1.1 200 OK\r\n\r\nall of it";
    for (input, expected) in [
        (&counted[..], complete(200, true, 9)),
        (&chunked[..], complete(200, true, 11)),
        (
            &to_fin[..],
            Progress::Complete(Response { status: 200, keep_alive: false, body_bytes: 9 }),
        ),
    ] {
        for most in 1..10 {
            let (mut pool, mut reader) = (HeadPool::new(1), Reader::default());
            let (mut at, mut last, mut skipped) = (0, Progress::Partial, 0);
            while at < input.len() && last == Progress::Partial {
                let left = reader.body_left().min(most).min((input.len() - at) as u64);
                last = match left {
                    0 => reader.read(&input[at..at + 1], false, &mut pool).1,
                    left => reader.skip(left),
                };
                at += left.max(1) as usize;
                skipped += left;
            }
            if input == to_fin {
                let End::Complete(response) = reader.fin(&mut pool) else { panic!("{most}") };
                last = Progress::Complete(response);
            }
            assert_eq!((at, last), (input.len(), expected), "{most}");
            assert!(skipped >= 9, "{skipped}");
        }
    }
}

#[test]
fn a_response_to_head_has_no_body() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(read(head, true), (head.len(), complete(200, true, 0)));
    assert_eq!(read(head, false), (head.len(), Progress::Partial));
}

#[test]
fn interim_responses_are_skipped_up_to_a_bound() {
    let last = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let after = |n| [&b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n".repeat(n), &last[..]].concat();
    for n in [0, 1, 64] {
        assert_eq!(read(&after(n), false), (after(n).len(), complete(200, true, 2)), "{n}");
    }
    assert_eq!(read(&after(65), false).1, Progress::Broken(Kind::Malformed));
}

#[test]
fn the_count_of_interim_responses_starts_anew_with_each_response() {
    let one = [&b"HTTP/1.1 100 C\r\n\r\n".repeat(40)[..], b"HTTP/1.1 204 N\r\n\r\n"].concat();
    let (mut reader, mut pool) = (Reader::default(), HeadPool::new(0));
    for _ in 0..3 {
        assert_eq!(reader.read(&one, false, &mut pool), (one.len(), complete(204, true, 0)));
    }
}

#[test]
fn what_is_no_answer_is_refused_at_once() {
    let table: [(&[u8], Kind); 9] = [
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", Kind::Malformed),
        (b"\x15\x03\x01", Kind::Malformed),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Kind::Malformed),
        (b"PRI * HTTP/2.0\r\n", Kind::Malformed),
        (b"\0", Kind::Malformed),
        (b"\r\n", Kind::Malformed),
        (b"HTTP/2", Kind::Malformed),
        (b"HTTP/1.1 200 OK\r\nA: \0", Kind::Malformed),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x", Kind::Malformed),
    ];
    for (input, kind) in table {
        assert_eq!(read(input, false).1, Progress::Broken(kind), "{}", input.escape_ascii());
    }
}

#[test]
fn an_endless_head_is_too_large_in_any_pieces() {
    let endless = [b"HTTP/1.1 200 OK\r\nA: ", &b"b".repeat(500_000)[..]].concat();
    for size in [1, 7, 2048, MAX_HEAD - 1, MAX_HEAD, endless.len()] {
        let (mut reader, mut pool) = (Reader::default(), HeadPool::new(1));
        let mut read = 0;
        let broken = endless.chunks(size).find_map(|piece| {
            read += piece.len();
            let (_, progress) = reader.read(piece, false, &mut pool);
            (progress != Progress::Partial).then_some(progress)
        });
        assert_eq!(broken, Some(Progress::Broken(Kind::HeadTooLarge)), "pieces of {size}");
        assert!(read < MAX_HEAD + size, "refused at the limit, not after it");
        assert!(pool.is_whole());
    }
}

#[test]
fn a_fin_means_what_came_before_it() {
    let table: [(&[u8], End); 10] = [
        (b"", End::Idle),
        (b"HTTP/1.1 204 N\r\n\r\n", End::Idle),
        (b"H", End::Truncated),
        (b"HTTP/1.1 200 OK\r\nContent-Le", End::Truncated),
        (b"HTTP/1.1 100 Continue\r\n\r\n", End::Truncated),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", End::Truncated),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", End::Truncated),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", End::Truncated),
        (
            b"HTTP/1.1 200 OK\r\n\r\n",
            End::Complete(Response { status: 200, keep_alive: false, body_bytes: 0 }),
        ),
        (
            b"HTTP/1.0 503 No\r\n\r\nbusy",
            End::Complete(Response { status: 503, keep_alive: false, body_bytes: 4 }),
        ),
    ];
    for (input, expected) in table {
        let (mut reader, mut pool) = (Reader::default(), HeadPool::new(1));
        let (used, _) = reader.read(input, false, &mut pool);
        assert_eq!(used, input.len());
        assert_eq!(reader.is_idle(), expected == End::Idle, "{}", input.escape_ascii());
        assert_eq!(reader.fin(&mut pool), expected, "{}", input.escape_ascii());
        assert!(reader.is_idle() && pool.is_whole());
    }
}

#[test]
fn a_reset_forgets_all_and_gives_the_buffer_back() {
    let mut pool = HeadPool::new(1);
    let mut reader = Reader::default();
    for start in [&b"HTTP/1.1 2"[..], b"HTTP/1.1 100 C\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nbody"] {
        assert_eq!(reader.read(start, false, &mut pool), (start.len(), Progress::Partial));
        assert!(!reader.is_idle());
        reader.reset(&mut pool);
        assert!(reader.is_idle() && pool.is_whole());
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
        let found = reader.read(answer, false, &mut pool);
        assert_eq!(found, (answer.len(), complete(200, true, 1)));
    }
    assert_eq!(pool.grown(), 0);
}

#[test]
fn without_a_buffer_a_split_head_is_the_generators_failure() {
    let mut pool = HeadPool::with_limit(1, 2048);
    let (mut first, mut second) = (Reader::default(), Reader::default());
    assert_eq!(first.read(b"HTTP", false, &mut pool), (4, Progress::Partial));
    let exhausted = Progress::Broken(Kind::BuffersExhausted);
    assert_eq!(second.read(b"HTTP", false, &mut pool).1, exhausted);
    let whole = b"HTTP/1.1 204 N\r\n\r\n";
    assert_eq!(second.read(whole, false, &mut pool).1, complete(204, true, 0));
    assert_eq!(first.read(&whole[4..], false, &mut pool).1, complete(204, true, 0));
    assert_eq!(second.read(b"HTTP", false, &mut pool), (4, Progress::Partial));
    let long = [b"/1.1 200 OK\r\nA: ", &b"b".repeat(3000)[..]].concat();
    assert_eq!(second.read(&long, false, &mut pool).1, exhausted);
    assert!(pool.is_whole());
}

#[test]
fn nothing_read_is_nothing_begun() {
    let mut pool = HeadPool::new(0);
    let mut reader = Reader::default();
    assert_eq!(reader.read(b"", false, &mut pool), (0, Progress::Partial));
    assert!(reader.is_idle());
    assert_eq!(pool.grown(), 0);
}
